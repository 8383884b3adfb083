/* From message and findings to the variables of the rules, and through the archive and back. */
#include "classifiers/rules_internal.h"
#include "core/date.h"
#include "core/error.h"
#include "rules_support.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rule_input *input_from(const struct message *message, const struct findings *findings)
{
	struct facts facts;
	facts_init(&facts);
	return rule_input_from(shipped_rules(), message, findings, &facts);
}

static struct message *form_message(const char *kind)
{
	struct message *message = message_new();
	message->channel = CHANNEL_ESERVICE;
	message->form = form_new();
	message->form->type = FORM_VERAENDERUNG;
	message->form->kind = g_strdup(kind);
	return message;
}

Test(rules_input, a_form_kind_becomes_a_concern_whatever_its_alias)
{
	AUTO(message) message = form_message("neue Bankverbindung");
	AUTO(findings) findings = findings_new();
	AUTO(rule_input) input = input_from(message, findings);
	cr_assert(input->has_form);
	cr_assert_str_eq(input->form_kind, "zahlungsverbindung");
}

Test(rules_input, an_unknown_form_kind_stays_unknown_and_an_empty_one_is_none)
{
	AUTO(findings) findings = findings_new();
	AUTO(message) strange = form_message("Haustier");
	AUTO(rule_input) unknown = input_from(strange, findings);
	cr_assert_str_eq(unknown->form_kind, "unknown");
	AUTO(message) empty = form_message("");
	AUTO(rule_input) none = input_from(empty, findings);
	cr_assert_null(none->form_kind);
	AUTO(message) absent = form_message(NULL);
	AUTO(rule_input) also = input_from(absent, findings);
	cr_assert_null(also->form_kind);
}

Test(rules_input, cv_entries_of_the_catalogue_are_taken_others_are_not)
{
	static const char *const names[] = {"schulbildung", "hobbys"};
	AUTO(message) message = form_message(NULL);
	AUTO(findings) findings = findings_new();
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct cv_entry *entry = g_new0(struct cv_entry, 1);
		entry->name = g_strdup(names[i]);
		entry->state = CV_EMPTY;
		g_ptr_array_add(message->form->cv, entry);
	}
	AUTO(rule_input) input = input_from(message, findings);
	cr_assert_eq(input->cv->len, 1);
	rule_input_set_cv(input, "schulbildung", CV_FILLED);
	rule_input_set_cv(input, "studium", CV_FILLED);
	cr_assert_eq(input->cv->len, 2);
}

Test(rules_input, the_null_sender_is_no_sender)
{
	AUTO(message) message = message_new();
	AUTO(findings) findings = findings_new();
	message->from_email = g_strdup("a@example.org");
	AUTO(rule_input) from_header = input_from(message, findings);
	cr_assert(from_header->has_sender);
	message->envelope_from = g_strdup("");
	AUTO(rule_input) null_sender = input_from(message, findings);
	cr_assert_not(null_sender->has_sender);
	message->channel = CHANNEL_POSTBOX;
	AUTO(rule_input) postbox = input_from(message, findings);
	cr_assert(postbox->has_sender);
	g_clear_pointer(&message->from_email, g_free);
	AUTO(rule_input) nobody = input_from(message, findings);
	cr_assert_not(nobody->has_sender);
}

Test(rules_input, findings_are_copied_with_marks_and_order)
{
	AUTO(message) message = message_new();
	message->mailbox = g_strdup("info@example.org");
	AUTO(findings) findings = findings_new();
	findings->doubt = true;
	findings->doubt_reason = g_strdup("below_threshold");
	findings->third_party = true;
	findings_add(findings, "umzug", 400000);
	findings_add(findings, "sonstiges", 300000)->rechtskreis = RECHTSKREIS_SGB2;
	AUTO(rule_input) input = input_from(message, findings);
	const struct rule_concern *second = g_ptr_array_index(input->concerns, 1);
	cr_assert(input->third_party);
	cr_assert_str_eq(input->mailbox, "info@example.org");
	cr_assert_str_eq(input->doubt_reason, "below_threshold");
	cr_assert_str_eq(second->id, "sonstiges");
	cr_assert_eq(second->rechtskreis, RECHTSKREIS_SGB2);
}

Test(rules_input, a_doubt_without_reason_is_still_doubt)
{
	AUTO(rule_input) input = input_of("concern=umzug doubt");
	g_clear_pointer(&input->doubt_reason, g_free);
	AUTO(decision) decision = rules_decide(shipped_rules(), input);
	cr_assert_str_eq(decision->doubt_reason, "doubt");
}

Test(rules_input, nothing_is_freed_from_nothing)
{
	rule_input_free(NULL);
	rules_free(NULL);
	decision_free(NULL);
	action_free(NULL);
	suppressed_free(NULL);
	rules_vars_free(NULL);
	rules_arena_free(NULL);
}

/* ---- the archive ---- */

static json_t *archive(void)
{
	AUTO(rule_input)
	input = input_of("concern=umzug channel=eservice form=veraenderung cv.studium=filled "
	                 "form_kind=umzug absence_days=3 expected_claim_start=2024-05-01 doubt");
	input->form_from = day_from_civil(2024, 2, 29);
	return rule_input_to_json(input);
}

/* Reading fails and the message names the key. */
static void refuse(json_t *json, const char *key)
{
	JSON_AUTO owned = json;
	g_autoptr(GError) error = NULL;
	AUTO(rule_input) input = rule_input_from_json(owned, &error);
	cr_assert_null(input, "%s", key);
	cr_assert_eq(error_class(error), ERROR_INPUT);
	cr_assert_not_null(strstr(error->message, key), "%s: %s", key, error->message);
}

Test(rules_input, an_archive_comes_back_as_it_was)
{
	JSON_AUTO json = archive();
	AUTO(rule_input) input = rule_input_from_json(json, NULL);
	JSON_AUTO again = rule_input_to_json(input);
	cr_assert(json_equal(json, again));
	cr_assert_eq(input->form_from, day_from_civil(2024, 2, 29));
}

Test(rules_input, every_key_of_an_archive_must_be_there)
{
	JSON_AUTO whole = archive();
	const char *key;
	json_t *value;
	json_object_foreach (whole, key, value) {
		json_t *part = json_copy(whole);
		json_object_del(part, key);
		refuse(part, key);
	}
}

Test(rules_input, every_key_of_an_archive_must_have_its_type)
{
	JSON_AUTO whole = archive();
	const char *key;
	json_t *value;
	json_object_foreach (whole, key, value) {
		json_t *part = json_copy(whole);
		json_object_set_new(part, key, json_real(1.5));
		refuse(part, key);
	}
}

Test(rules_input, words_and_numbers_of_an_archive_are_checked)
{
	static const struct {
		const char *key, *value;
	} wrong[] = {
	        {"channel", "\"fax\""},
	        {"automatic", "\"maybe\""},
	        {"absence_days", "-2"},
	        {"absence_days", "99999999999"},
	        {"form_type", "\"brief\""},
	        {"form_from", "\"2023-02-29\""},
	        {"form_to", "\"gestern\""},
	        {"mailbox", "null"},
	        {"cv", "{\"studium\":\"halb\"}"},
	        {"concerns", "[{\"id\":\"umzug\"}]"},
	        {"concerns", "[{\"rechtskreis\":\"sgb3\"}]"},
	        {"concerns", "[{\"id\":\"umzug\",\"rechtskreis\":\"sgb9\"}]"},
	        {"concerns", "[7]"},
	        {"facts", "[]"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		json_t *json = archive();
		json_object_set_new(json, wrong[i].key, json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		refuse(json,
		        strcmp(wrong[i].value, "{\"studium\":\"halb\"}") == 0 ? "studium" : wrong[i].key);
	}
}

Test(rules_input, a_fact_of_an_archive_is_checked)
{
	json_t *json = archive();
	json_set_string(json_object_get(json, "facts"), "deceased", "perhaps");
	refuse(json, "deceased");
}

Test(rules_input, an_archive_with_too_many_cv_entries_is_refused)
{
	json_t *json = archive(), *cv = json_object_get(json, "cv");
	for (int i = 0; i < CATALOGUE_MAX_CV; i++) {
		g_autofree char *name = g_strdup_printf("eintrag_%d", i);
		json_set_string(cv, name, "empty");
	}
	refuse(json, "cv");
}
