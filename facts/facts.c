/* facts.c - one table of facts; reading and writing walk it, so a new fact is one line. */
#include "facts/facts.h"
#include "core/date.h"
#include "core/error.h"

#include <stddef.h>
#include <string.h>

static const char *const yes_no[] = {"unknown", "yes", "no", NULL};
static const char *const payment_methods[] = {"unknown", "iban", "pzzv", "other_address_bound", NULL};
static const char *const channels[] = {"unknown", "postbox", "email", "phone", NULL};

static const struct fact_field {
	const char *name;
	const char *const *words; /* NULL: a day */
	size_t offset;
} fields[] = {
        {"address_match", yes_no, offsetof(struct facts, address_match)},
        {"benefit_recipient", yes_no, offsetof(struct facts, benefit_recipient)},
        {"documents_complete", yes_no, offsetof(struct facts, documents_complete)},
        {"application_processed", yes_no, offsetof(struct facts, application_processed)},
        {"duty_of_proof", yes_no, offsetof(struct facts, duty_of_proof)},
        {"internetperson", yes_no, offsetof(struct facts, internetperson)},
        {"represented", yes_no, offsetof(struct facts, represented)},
        {"deceased", yes_no, offsetof(struct facts, deceased)},
        {"minor", yes_no, offsetof(struct facts, minor)},
        {"payment_method", payment_methods, offsetof(struct facts, payment_method)},
        {"preferred_channel", channels, offsetof(struct facts, preferred_channel)},
        {"expected_claim_start", NULL, offsetof(struct facts, expected_claim_start)},
};
_Static_assert(sizeof(enum fact) == sizeof(int32_t), "enums and days are read through int32_t");

static int32_t *slot(struct facts *facts, const struct fact_field *field)
{
	return (int32_t *)((char *)facts + field->offset);
}

void facts_init(struct facts *facts)
{
	*facts = (struct facts){.expected_claim_start = DAY_NONE};
}

static bool read_word(const struct fact_field *field, const char *text, int32_t *out, GError **error)
{
	for (int32_t i = 0; field->words[i]; i++) {
		if (strcmp(field->words[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	g_autofree char *all = g_strjoinv(", ", (char **)field->words);
	fail(error, ERROR_INPUT, "fact \"%s\": not one of %s", field->name, all);
	return false;
}

static bool read_day(const struct fact_field *field, const char *text, int32_t *out, GError **error)
{
	if (strcmp(text, "unknown") == 0) {
		*out = DAY_NONE;
		return true;
	}
	if (day_parse(text, out))
		return true;
	fail(error, ERROR_INPUT, "fact \"%s\": not a date YYYY-MM-DD", field->name);
	return false;
}

static bool read_field(const json_t *json, const struct fact_field *field, int32_t *out, GError **error)
{
	const json_t *value = json_object_get(json, field->name);
	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value)) {
		fail(error, ERROR_INPUT, "fact \"%s\": expected a string", field->name);
		return false;
	}
	const char *text = json_string_value(value);
	return field->words ? read_word(field, text, out, error) : read_day(field, text, out, error);
}

bool facts_from_json(const json_t *json, struct facts *out, GError **error)
{
	struct facts facts;
	facts_init(&facts);
	if (json && !json_is_null(json) && !json_is_object(json)) {
		fail(error, ERROR_INPUT, "facts: expected an object");
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (!read_field(json, &fields[i], slot(&facts, &fields[i]), error))
			return false;
	*out = facts;
	return true;
}

json_t *facts_to_json(const struct facts *facts)
{
	json_t *json = json_object();
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		int32_t value = *slot((struct facts *)facts, &fields[i]);
		g_autofree char *day = !fields[i].words && value != DAY_NONE ? day_format(value) : NULL;
		json_set_string(json, fields[i].name,
		        fields[i].words ? fields[i].words[value]
		        : day           ? day
		                        : "unknown");
	}
	return json;
}

static int32_t unknown_of(const struct fact_field *field)
{
	return field->words ? 0 : DAY_NONE;
}

void facts_complete(struct facts *facts, const struct facts *other)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (*slot(facts, &fields[i]) == unknown_of(&fields[i]))
			*slot(facts, &fields[i]) = *slot((struct facts *)other, &fields[i]);
}

void facts_agree(struct facts *facts, const struct facts *other)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (*slot(facts, &fields[i]) != *slot((struct facts *)other, &fields[i]))
			*slot(facts, &fields[i]) = unknown_of(&fields[i]);
}

const char *facts_name(unsigned index)
{
	return index < G_N_ELEMENTS(fields) ? fields[index].name : NULL;
}

const char *const *facts_words(unsigned index)
{
	return index < G_N_ELEMENTS(fields) ? fields[index].words : NULL;
}
