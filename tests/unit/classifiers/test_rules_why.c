/* Explanations: which rule acted, which came nearest, what it missed, and another day beside it. */
#include "classifiers/rules_why.h"
#include "core/date.h"
#include "rules_support.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *find(const json_t *why, const char *list, const char *action)
{
	size_t i;
	json_t *entry;
	json_array_foreach (json_object_get(why, list), i, entry)
		if (strcmp(json_get_string(entry, "action"), action) == 0)
			return entry;
	return NULL;
}

static char *missing_of(const char *words, const char *action)
{
	AUTO(rule_input) input = input_of(words);
	JSON_AUTO why = rules_why(shipped_rules(), input);
	const json_t *entry = find(why, "nearest", action);
	cr_assert_not_null(entry, "%s", action);
	return g_strdup_printf("%s/%s: %s", json_get_string(entry, "rule"), json_get_string(entry, "row"),
	        json_get_string(entry, "missing"));
}

Test(rules_why, an_action_names_its_rule_its_condition_and_its_concern)
{
	AUTO(rule_input) input = input_of("concern=umzug payment_method=iban");
	JSON_AUTO why = rules_why(shipped_rules(), input);
	const json_t *reply = find(why, "taken", "reply");
	cr_assert_str_eq(json_get_string(reply, "rule"), "R");
	cr_assert_str_eq(json_get_string(reply, "when"),
	        "concern is umzug/ortsabwesenheit and channel is email and has_sender is true and "
	        "switch.reply_mode is send");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(reply, "concerns"), 0)), "umzug");
}

Test(rules_why, an_action_not_taken_names_the_nearest_rule_and_the_failing_test)
{
	g_autofree char *got = missing_of("concern=umzug payment_method=iban", "eakte");
	cr_assert_str_eq(got, "5/relevant: needs payment is yes (it is no)");
	g_autofree char *fraud =
	        missing_of("concern=zahlungsverbindung received=2024-12-01", "task fraud_check");
	cr_assert_str_eq(fraud, "Z/fraud_check: needs switch.fraud_check is true (it is false)");
}

Test(rules_why, an_unknown_fact_is_named_as_what_is_missing)
{
	g_autofree char *got =
	        missing_of("concern=namensaenderung payment_method=unknown", "task pzzv_steps");
	cr_assert_str_eq(got, "N/: needs payment_method is pzzv (it is unknown)");
}

Test(rules_why, a_barred_action_names_the_rule_that_bars_it)
{
	g_autofree char *got = missing_of("concern=umzug payment_method=iban third_party", "reply");
	cr_assert_not_null(strstr(got, "barred by rule B/filed"), "%s", got);
}

Test(rules_why, an_item_without_concern_says_that_there_is_none)
{
	g_autofree char *got = missing_of("automatic=bounce", "reply");
	cr_assert_not_null(strstr(got, "no concern"), "%s", got);
}

static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	print(out);
	fclose(out);
	return text;
}

static void print_one(FILE *out)
{
	AUTO(rule_input) input = input_of("concern=umzug payment_method=iban");
	JSON_AUTO why = rules_why(shipped_rules(), input);
	AUTO(findings) findings = findings_new();
	finding_add_evidence(findings_add(findings, "umzug", 900000), "body", 12, 5, "term:umzug.ziehe");
	rules_why_print(why, findings, out);
}

Test(rules_why, the_text_shows_citation_and_evidence)
{
	char *text = printed(print_one);
	cr_assert_not_null(strstr(text, "202001001 2.4 a)4 (continued)"), "%s", text);
	cr_assert_not_null(strstr(text, "body at 12+5: term:umzug.ziehe"), "%s", text);
	cr_assert_not_null(strstr(text, "Not done"), "%s", text);
	free(text);
}

static void print_two(FILE *out)
{
	AUTO(rule_input) input = input_of("concern=sonstiges channel=postbox");
	int32_t day;
	cr_assert(day_parse("2023-05-11", &day));
	JSON_AUTO now = rules_why(shipped_rules(), input);
	JSON_AUTO then = rules_why_as_of(shipped_rules(), input, day);
	rules_why_print_beside(now, "as received", then, "as of 2023-05-11", out);
}

Test(rules_why, another_day_stands_beside_it)
{
	char *text = printed(print_two);
	cr_assert_str_eq(text,
	        "as received                                    | as of 2023-05-11\n"
	        "202305004                                      | gap-2023\n"
	        "task postbox_dialog (rule P/postbox)           | -\n"
	        "-                                              | call (rule P/postbox)\n",
	        "%s", text);
	free(text);
}
