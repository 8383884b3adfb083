/* rules_input.c - the variables of one item: from message and findings, to and from JSON. */
#include "classifiers/rules_internal.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

static void concern_free(void *data)
{
	struct rule_concern *concern = data;
	g_free(concern->id);
	g_free(concern);
}

static void cv_free(void *data)
{
	struct cv_entry *entry = data;
	g_free(entry->name);
	g_free(entry);
}

struct rule_input *rule_input_new(void)
{
	struct rule_input *input = g_new0(struct rule_input, 1);
	input->mailbox = g_strdup("");
	input->form_from = input->form_to = DAY_NONE;
	input->cv = g_ptr_array_new_with_free_func(cv_free);
	input->absence_days = -1;
	input->concerns = g_ptr_array_new_with_free_func(concern_free);
	facts_init(&input->facts);
	return input;
}

void rule_input_free(struct rule_input *input)
{
	if (!input)
		return;
	g_free(input->mailbox);
	g_free(input->form_kind);
	g_free(input->doubt_reason);
	g_ptr_array_unref(input->cv);
	g_ptr_array_unref(input->concerns);
	g_free(input);
}

void rule_input_add_concern(struct rule_input *input, const char *id, enum rechtskreis rechtskreis)
{
	struct rule_concern *concern = g_new0(struct rule_concern, 1);
	concern->id = g_strdup(id);
	concern->rechtskreis = rechtskreis;
	g_ptr_array_add(input->concerns, concern);
}

void rule_input_set_cv(struct rule_input *input, const char *name, enum cv_state state)
{
	for (guint i = 0; i < input->cv->len; i++) {
		struct cv_entry *entry = g_ptr_array_index(input->cv, i);
		if (strcmp(entry->name, name) == 0) {
			entry->state = state;
			return;
		}
	}
	struct cv_entry *entry = g_new0(struct cv_entry, 1);
	entry->name = g_strdup(name);
	entry->state = state;
	g_ptr_array_add(input->cv, entry);
}

static void take_form(struct rule_input *input, const struct rules *rules, const struct form *form)
{
	input->has_form = true;
	input->form_type = form->type;
	input->form_from = form->from;
	input->form_to = form->to;
	if (form->kind && *form->kind) {
		int index = catalogue_find_kind(rules->catalogue, form->kind);
		input->form_kind =
		        g_strdup(index < 0 ? "unknown" : catalogue_get(rules->catalogue, index)->id);
	}
	for (guint i = 0; i < form->cv->len; i++) {
		const struct cv_entry *entry = g_ptr_array_index(form->cv, i);
		if (catalogue_find_cv(rules->catalogue, entry->name) >= 0)
			rule_input_set_cv(input, entry->name, entry->state);
	}
}

static void take_findings(struct rule_input *input, const struct findings *findings)
{
	input->automatic = findings->automatic;
	input->third_party = findings->third_party;
	input->resolved = findings->resolved;
	input->authority_stated = findings->authority_stated;
	input->numbers_conflict = findings->numbers_conflict;
	input->unsuitable_document = findings->unsuitable_document;
	input->received_in_future = findings->received_in_future;
	input->absence_days = findings->absence_days;
	input->doubt = findings->doubt;
	input->doubt_reason = findings->doubt ? g_strdup(findings->doubt_reason) : NULL;
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = g_ptr_array_index(findings->concerns, i);
		rule_input_add_concern(input, finding->concern, finding->rechtskreis);
	}
}

/* E-mail answers go to the envelope sender where it is known (RFC 3834); "" is the null sender. */
static bool has_sender(const struct message *message)
{
	const char *sender = message->channel == CHANNEL_EMAIL && message->envelope_from
	                             ? message->envelope_from
	                             : message->from_email;
	return sender && *sender;
}

struct rule_input *rule_input_from(const struct rules *rules, const struct message *message,
        const struct findings *findings, const struct facts *facts)
{
	struct rule_input *input = rule_input_new();
	input->channel = message->channel;
	input->received = message->received;
	g_free(input->mailbox);
	input->mailbox = g_strdup(message->mailbox ? message->mailbox : "");
	input->has_sender = has_sender(message);
	if (message->form)
		take_form(input, rules, message->form);
	take_findings(input, findings);
	input->facts = *facts;
	return input;
}

/* ---- JSON ---- */

static const char *const form_types[] = {"unknown", "arbeitsuchendmeldung", "veraenderung", NULL};
static const char *const cv_states[] = {"unknown", "empty", "filled", NULL};

/* The marks, read and written by one table. */
static const struct {
	const char *name;
	size_t offset;
} marks[] = {
        {"has_form", offsetof(struct rule_input, has_form)},
        {"has_sender", offsetof(struct rule_input, has_sender)},
        {"own_bounce", offsetof(struct rule_input, own_bounce)},
        {"third_party", offsetof(struct rule_input, third_party)},
        {"resolved", offsetof(struct rule_input, resolved)},
        {"authority_stated", offsetof(struct rule_input, authority_stated)},
        {"numbers_conflict", offsetof(struct rule_input, numbers_conflict)},
        {"unsuitable_document", offsetof(struct rule_input, unsuitable_document)},
        {"received_in_future", offsetof(struct rule_input, received_in_future)},
        {"doubt", offsetof(struct rule_input, doubt)},
};

static bool *mark(struct rule_input *input, size_t i)
{
	return (bool *)((char *)input + marks[i].offset);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct cv_entry *const *)a)->name, (*(struct cv_entry *const *)b)->name);
}

static json_t *cv_to_json(const struct rule_input *input)
{
	json_t *json = json_object();
	g_autoptr(GPtrArray) sorted = g_ptr_array_new(); /* a g_ptr_array_copy would free the entries */
	for (guint i = 0; i < input->cv->len; i++)
		g_ptr_array_add(sorted, g_ptr_array_index(input->cv, i));
	g_ptr_array_sort(sorted, by_name);
	for (guint i = 0; i < sorted->len; i++) {
		const struct cv_entry *entry = g_ptr_array_index(sorted, i);
		json_set_string(json, entry->name, cv_states[entry->state]);
	}
	return json;
}

static json_t *concerns_to_json(const struct rule_input *input)
{
	json_t *list = json_array();
	for (guint i = 0; i < input->concerns->len; i++) {
		const struct rule_concern *concern = g_ptr_array_index(input->concerns, i);
		json_t *entry = json_object();
		json_set_string(entry, "id", concern->id);
		json_set_string(entry, "rechtskreis", rechtskreis_name(concern->rechtskreis));
		json_array_append_new(list, entry);
	}
	return list;
}

static void set_day(json_t *json, const char *key, int32_t day)
{
	g_autofree char *text = day == DAY_NONE ? NULL : day_format(day);
	json_set_string(json, key, text);
}

json_t *rule_input_to_json(const struct rule_input *input)
{
	json_t *json = json_object();
	json_set_string(json, "channel", channel_name(input->channel));
	json_set_string(json, "mailbox", input->mailbox);
	json_set_int(json, "received", input->received);
	json_set_string(json, "form_type", form_types[input->form_type]);
	json_set_string(json, "form_kind", input->form_kind);
	set_day(json, "form_from", input->form_from);
	set_day(json, "form_to", input->form_to);
	json_object_set_new(json, "cv", cv_to_json(input));
	json_set_string(json, "automatic", automatic_name(input->automatic));
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
		json_set_bool(json, marks[i].name, *mark((struct rule_input *)input, i));
	json_set_int(json, "absence_days", input->absence_days);
	json_set_string(json, "doubt_reason", input->doubt_reason);
	json_object_set_new(json, "concerns", concerns_to_json(input));
	json_object_set_new(json, "facts", facts_to_json(&input->facts));
	return json;
}

static bool bad(GError **error, const char *key)
{
	fail(error, ERROR_INPUT, "archived findings: \"%s\" is missing or not what it should be", key);
	return false;
}

static bool read_word(const json_t *json, const char *key, const char *const *words, int *out, GError **error)
{
	const char *text = json_get_string(json, key);
	for (int i = 0; text && words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	return bad(error, key);
}

static bool read_integer(
        const json_t *json, const char *key, int64_t min, int64_t max, int64_t *out, GError **error)
{
	const json_t *value = json_object_get(json, key);
	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
		return bad(error, key);
	*out = json_integer_value(value);
	return true;
}

static bool read_day(const json_t *json, const char *key, int32_t *out, GError **error)
{
	const json_t *value = json_object_get(json, key);
	*out = DAY_NONE;
	return json_is_null(value) || day_parse(json_get_string(json, key), out) || bad(error, key);
}

/* A string or null. */
static bool read_string(const json_t *json, const char *key, bool required, char **out, GError **error)
{
	const json_t *value = json_object_get(json, key);
	if (!json_is_string(value) && (required || !json_is_null(value)))
		return bad(error, key);
	g_free(*out);
	*out = g_strdup(json_string_value(value));
	return true;
}

static bool read_marks(const json_t *json, struct rule_input *input, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		const json_t *value = json_object_get(json, marks[i].name);
		if (!json_is_boolean(value))
			return bad(error, marks[i].name);
		*mark(input, i) = json_is_true(value);
	}
	return true;
}

static bool read_cv(const json_t *json, struct rule_input *input, GError **error)
{
	json_t *cv = json_object_get(json, "cv");
	const char *name;
	json_t *value;
	if (!json_is_object(cv) || json_object_size(cv) > CATALOGUE_MAX_CV)
		return bad(error, "cv");
	json_object_foreach (cv, name, value) {
		int state;
		if (!read_word(cv, name, cv_states, &state, error))
			return false;
		rule_input_set_cv(input, name, (enum cv_state)state);
	}
	return true;
}

static bool read_concerns(const json_t *json, struct rule_input *input, GError **error)
{
	const json_t *list = json_object_get(json, "concerns");
	size_t i;
	json_t *entry;
	if (!json_is_array(list))
		return bad(error, "concerns");
	json_array_foreach (list, i, entry) {
		enum rechtskreis rechtskreis;
		const char *id = json_get_string(entry, "id"), *name = json_get_string(entry, "rechtskreis");
		if (!id || !name || !rechtskreis_parse(name, &rechtskreis))
			return bad(error, "concerns");
		rule_input_add_concern(input, id, rechtskreis);
	}
	return true;
}

static bool read_form(const json_t *json, struct rule_input *input, GError **error)
{
	int type;
	if (!read_word(json, "form_type", form_types, &type, error))
		return false;
	input->form_type = (enum form_type)type;
	return read_string(json, "form_kind", false, &input->form_kind, error) &&
	       read_day(json, "form_from", &input->form_from, error) &&
	       read_day(json, "form_to", &input->form_to, error) && read_cv(json, input, error);
}

static bool read_origin(const json_t *json, struct rule_input *input, GError **error)
{
	const char *channel = json_get_string(json, "channel");
	const char *automatic = json_get_string(json, "automatic");
	int64_t days;
	if (!channel || !channel_parse(channel, &input->channel))
		return bad(error, "channel");
	if (!automatic || !automatic_parse(automatic, &input->automatic))
		return bad(error, "automatic");
	if (!read_integer(json, "received", INT64_MIN, INT64_MAX, &input->received, error) ||
	        !read_integer(json, "absence_days", -1, INT32_MAX, &days, error))
		return false;
	input->absence_days = (int)days;
	return read_string(json, "mailbox", true, &input->mailbox, error) &&
	       read_string(json, "doubt_reason", false, &input->doubt_reason, error);
}

struct rule_input *rule_input_from_json(const json_t *json, GError **error)
{
	AUTO(rule_input) input = rule_input_new();
	if (!read_origin(json, input, error) || !read_marks(json, input, error) ||
	        !read_form(json, input, error) || !read_concerns(json, input, error))
		return NULL;
	if (!json_is_object(json_object_get(json, "facts"))) {
		bad(error, "facts");
		return NULL;
	}
	if (!facts_from_json(json_object_get(json, "facts"), &input->facts, error))
		return NULL;
	return g_steal_pointer(&input);
}
