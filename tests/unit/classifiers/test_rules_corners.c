/* Corners of language and engine that the shipped sets do not turn. */
#include "classifiers/rules_internal.h"
#include "classifiers/rules_table.h"
#include "classifiers/rules_why.h"
#include "core/date.h"
#include "rules_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HEAD                                                                                                 \
	"ruleset: t\ntitle: Probe\nvalid_from: 2000-01-01\nbasis: in_force\nnote: Eine Anmerkung\n"          \
	"sources: [{id: s, title: t}]\n"                                                                     \
	"invariants: [{id: i, title: t, action: call, at_most: 1}]\nrules:\n"
#define CITE "    cites: [{source: s, section: \"1\"}]\n"

static struct rules *rules_of(const char *text, struct diag *diag)
{
	AUTO(bundle) bundle = shipped_bundle_but("rulesets/", "rulesets/t.yaml", text);
	return rules_read(bundle, diag);
}

/* Loads or fails the test with the messages. */
static struct rules *good_rules(const char *text)
{
	AUTO(diag) diag = diag_new();
	struct rules *rules = rules_of(text, diag);
	if (!rules)
		diag_print(diag, stderr);
	cr_assert_not_null(rules);
	return rules;
}

/* The text that `show` prints for rule R of a set with this condition. */
static char *shown_condition(const char *when, const char *unknown)
{
	g_autofree char *text = g_strdup_printf(HEAD "  - id: R\n    title: t\n    when: %s\n%s"
	                                             "    then: [{klaerung: {reason: r}}]\n" CITE,
	        when, unknown);
	AUTO(rules) rules = good_rules(text);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);
	cr_assert(rules_show_print(rules, "t", "R", out, NULL));
	fclose(out);
	g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
	free(page);
	return g_strdup(lines[2] + strlen("    when  "));
}

Test(rules_corners, conditions_are_told_in_words)
{
	static const struct {
		const char *when, *unknown, *words;
	} cases[] = {
	        {"{received: 2024-02-29}", "", "received is 2024-02-29"},
	        {"{received: {from: 2024-01-01, before: 2024-02-01}}", "",
	                "received from 2024-01-01 and before 2024-02-01"},
	        {"{received: {from: 2024-01-01}}", "", "received from 2024-01-01"},
	        {"{received: {before: 2024-01-01}}", "", "received before 2024-01-01"},
	        {"{absence_days: {above: 20, at_most: 30}}", "    unknown: skips\n",
	                "absence_days from 21 and before 31"},
	        {"{absence_days: {at_least: 5, above: 2, below: 9, at_most: 20}}", "    unknown: skips\n",
	                "absence_days from 5 and before 9"},
	        {"{absence_days: 7}", "    unknown: skips\n", "absence_days is 7"},
	        {"{absence_days: known}", "", "absence_days is known"},
	        {"{expected_claim_start: unknown}", "", "expected_claim_start is unknown"},
	        {"{not: {any: [{doubt: true}, {resolved: true}]}}", "",
	                "not (doubt is true or resolved is true)"},
	        {"{not: {doubt: true}}", "", "not doubt is true"},
	        {"{doubt: true, any: [{channel: email}, {channel: postbox, resolved: true}]}", "",
	                "doubt is true and (channel is email or (channel is postbox and resolved is true))"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = shown_condition(cases[i].when, cases[i].unknown);
		cr_assert_str_eq(got, cases[i].words);
	}
}

Test(rules_corners, a_rule_without_condition_always_applies)
{
	AUTO(rules)
	rules = good_rules(HEAD
	        "  - {id: R, title: t, then: [{klaerung: {reason: r}}], cites: [{source: s, section: x}]}\n");
	g_autofree char *got = decide_in_short(rules, "concern=umzug");
	cr_assert_str_eq(got, "klaerung(r)");
}

static unsigned errors_of(const char *text, const char *says)
{
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_of(text, diag);
	cr_assert_null(rules);
	unsigned found = 0;
	for (unsigned i = 0; i < diag_total(diag); i++)
		found += strstr(diag_get(diag, i)->text, says) != NULL;
	return found;
}

static char *rule_with(const char *when)
{
	return g_strdup_printf(HEAD
	        "  - id: R\n    title: t\n    when: %s\n    then: [{klaerung: {reason: r}}]\n" CITE,
	        when);
}

Test(rules_corners, a_condition_is_bounded_in_depth_size_and_mailboxes)
{
	g_autoptr(GString) deep = g_string_new("{doubt: true}"), wide = g_string_new("{any: [");
	g_autoptr(GString) many = g_string_new("{mailbox: [");
	for (int i = 0; i < 20; i++) {
		g_string_prepend(deep, "{not: ");
		g_string_append_c(deep, '}');
	}
	for (int i = 0; i < 4200; i++)
		g_string_append(wide, "{doubt: true}, ");
	g_string_append(wide, "{doubt: false}]}");
	for (int i = 0; i < 300; i++)
		g_string_append_printf(many, "m%d@example.org, ", i);
	g_string_append(many, "x]}");
	g_autofree char *a = rule_with(deep->str), *b = rule_with(wide->str), *c = rule_with(many->str);
	cr_assert_gt(errors_of(a, "nested more than 16 deep"), 0);
	cr_assert_eq(errors_of(b, "more than 4096 parts"), 1);
	cr_assert_gt(errors_of(c, "more than 255 mailboxes"), 0);
}

Test(rules_corners, only_the_set_outside_is_a_bundle_too)
{
	AUTO(bundle) bundle = shipped_bundle_but("rulesets/", "zzz.txt", "");
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_load(bundle, diag);
	cr_assert_not_null(rules);
	g_autofree char *got = decide_in_short(rules, "concern=umzug");
	cr_assert_str_eq(got, "eakte(no_instruction); klaerung(before_first_instruction?umzug)");
}

Test(rules_corners, unknown_applies_where_the_rule_says_so)
{
	static const char *const text =
	        HEAD "  - id: R\n    title: t\n    when: {not: {address_match: yes}}\n    unknown: applies\n"
	             "    then: [{klaerung: {reason: r}}]\n" CITE
	             "  - id: S\n    title: t\n    when: {not: {address_match: yes}}\n    unknown: skips\n"
	             "    then: [{call: {reason: r}}]\n" CITE;
	AUTO(rules) rules = good_rules(text);
	g_autofree char *unknown = decide_in_short(rules, "concern=umzug");
	g_autofree char *no = decide_in_short(rules, "concern=umzug address_match=no");
	g_autofree char *yes = decide_in_short(rules, "concern=umzug address_match=yes");
	cr_assert_str_eq(unknown, "klaerung(r)");
	cr_assert_str_eq(no, "call(r); klaerung(r)");
	cr_assert_str_eq(yes, "");
}

Test(rules_corners, why_explains_unknown_under_not_and_the_nearest_branch)
{
	static const char *const text = HEAD
	        "  - id: R\n    title: t\n    when: {not: {address_match: yes}}\n    unknown: skips\n"
	        "    then: [{call: {reason: r}}]\n" CITE "  - id: S\n    title: t\n    when: {any: [{doubt: "
	        "true, channel: postbox}, {channel: eservice}, "
	        "{resolved: true, doubt: true}]}\n    then: [{klaerung: {reason: r}}]\n" CITE
	        "  - id: T\n    title: t\n    when: {not: {any: [{doubt: false}, {channel: email}]}}\n"
	        "    then: [{archive: {mode: write}}]\n" CITE;
	AUTO(rules) rules = good_rules(text);
	AUTO(rule_input) input = input_of("concern=umzug");
	JSON_AUTO why = rules_why(rules, input);
	g_autofree char *all = json_canonical(json_object_get(why, "nearest"));
	cr_assert_not_null(strstr(all, "needs address_match is yes (it is unknown)"), "%s", all);
	cr_assert_not_null(strstr(all, "needs channel is eservice (it is email)"), "%s", all);
	cr_assert_not_null(
	        strstr(all, "needs doubt is false (it is false); channel is email (it is email)"), "%s", all);
}

Test(rules_corners, tickets_of_two_dates_stay_two_in_order_of_their_days)
{
	static const char *const text = HEAD
	        "  - id: R\n    title: t\n    then: [{ticket: {queue: q, dated: received, after_days: 7}}, "
	        "{ticket: {queue: q, dated: received}}, {ticket: {queue: q, dated: "
	        "expected_claim_start}}]\n" CITE;
	AUTO(rules) rules = good_rules(text);
	g_autofree char *got = decide_in_short(rules, "concern=umzug expected_claim_start=2024-01-01");
	cr_assert_str_eq(got, "ticket(q,2024-01-01,2024-01-01T00:00:00+01:00); "
	                      "ticket(q,2024-04-10,2024-04-10T00:00:00+02:00); "
	                      "ticket(q,2024-04-10,2024-04-17T00:00:00+02:00)");
}

Test(rules_corners, a_ticket_without_a_known_start_is_refused_by_the_proof)
{
	static const char *const text = HEAD "  - id: R\n    title: t\n    then: [{ticket: {queue: q, dated: "
	                                     "expected_claim_start}}]\n" CITE;
	AUTO(bundle) bundle = shipped_bundle_but("rulesets/", "rulesets/t.yaml", text);
	AUTO(diag) diag = diag_new();
	cr_assert_null(rules_load(bundle, diag));
	g_autofree char *got = NULL;
	AUTO(rules) unproved = good_rules(text);
	got = decide_in_short(unproved, "concern=umzug");
	cr_assert_str_eq(got, "ticket(q,2024-04-10,2024-04-10T00:00:00+02:00)");
}

Test(rules_corners, a_table_quotes_and_says_what_unknown_does)
{
	static const char *const text = HEAD "  - id: R\n    title: 'Ein \"Titel\", lang'\n    when: "
	                                     "{address_match: no}\n    unknown: applies\n"
	                                     "    then: [{klaerung: {reason: r}}]\n" CITE;
	AUTO(rules) rules = good_rules(text);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);
	cr_assert(rules_table_print(rules, "t", RULES_FORMAT_CSV, out, NULL));
	fclose(out);
	cr_assert_not_null(strstr(page, "R,\"Ein \"\"Titel\"\", lang\",concern,address_match is no,applies,"),
	        "%s", page);
	free(page);
}

Test(rules_corners, the_set_outside_and_its_note_are_shown)
{
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);
	cr_assert(rules_show_print(shipped_rules(), "outside", NULL, out, NULL));
	cr_assert(rules_show_print(shipped_rules(), "202305004", "P/phone", out, NULL));
	cr_assert_not(rules_show_print(shipped_rules(), "nichts", NULL, out, NULL));
	cr_assert_not(rules_diff_print(shipped_rules(), "nichts", "outside", out, NULL));
	cr_assert_not(rules_diff_print(shipped_rules(), "outside", "nichts", out, NULL));
	fclose(out);
	cr_assert_not_null(strstr(page, "outside: Keine Weisung in Kraft\nVor der ersten"), "%s", page);
	free(page);
}

Test(rules_corners, three_sets_may_overlap_if_the_last_supersedes_both)
{
	static const char *const later =
	        "ruleset: t2\ntitle: t\nvalid_from: 2001-01-01\nvalid_to: 2002-01-01\n"
	        "basis: in_force\nextends: t\ninherited_basis: expired\n"
	        "supersedes: [x, t]\nrules: []\n";
	AUTO(bundle)
	bundle = shipped_bundle_with("rulesets/outside.yaml", "outside: true",
	        "outside: true\nholes: [{from: 1999-01-01, to: 1999-06-01, reason: x}, {from: 1999-01-01, "
	        "to: "
	        "2030-01-01, reason: y}]");
	AUTO(diag) diag = diag_new();
	AUTO(rules) holes = rules_read(bundle, diag);
	cr_assert_not_null(holes);
	AUTO(bundle) both = shipped_bundle_but("nothing", "rulesets/t2.yaml", later);
	cr_assert_null(rules_read(both, diag)); /* "t" is not there */
}

Test(rules_corners, a_long_set_and_a_short_one_inside_it_overlap)
{
	g_autofree char *text = g_strdup(
	        "ruleset: t2\ntitle: t\nvalid_from: 2024-01-01\nvalid_to: 2024-02-01\nbasis: in_force\n"
	        "extends: \"202305004\"\ninherited_basis: expired\nrules: []\n");
	AUTO(bundle) bundle = shipped_bundle_but("nothing", "rulesets/t2.yaml", text);
	AUTO(diag) diag = diag_new();
	cr_assert_null(rules_read(bundle, diag));
	g_autofree char *open = g_strdup("ruleset: t2\ntitle: t\nvalid_from: 2023-05-12\nbasis: in_force\n"
	                                 "extends: \"202305004\"\ninherited_basis: expired\nrules: []\n");
	AUTO(bundle) endless = shipped_bundle_but("nothing", "rulesets/t2.yaml", open);
	cr_assert_null(rules_read(endless, diag));
	g_autofree char *far = g_strdup(
	        "ruleset: t2\ntitle: t\nvalid_from: 2019-01-01\nvalid_to: 2019-02-01\nbasis: in_force\n"
	        "extends: \"202305004\"\ninherited_basis: expired\n"
	        "holes: [{from: 2019-03-01, to: 2020-01-02, reason: r}, {from: 2019-01-01, to: 2019-12-01, "
	        "reason: r}]\nrules: []\n");
	AUTO(bundle) hole = shipped_bundle_but("nothing", "rulesets/t2.yaml", far);
	cr_assert_null(rules_read(hole, diag));
}

Test(rules_corners, bars_of_one_concern_leave_the_other_alone)
{
	static const char *const text =
	        HEAD "  - id: R\n    title: t\n    then: [{task: {kind: process_notice, text: x}}, {forward: "
	             "{to: sgb2}}]\n" CITE "  - id: S\n    title: t\n    when: {concern: umzug}\n    bars: "
	             "[task, forward]\n    reason: r\n" CITE
	             "  - id: T\n    title: t\n    per: item\n    when: {resolved: true}\n    bars: [task]\n "
	             "   reason: q\n" CITE;
	AUTO(rules) rules = good_rules(text);
	g_autofree char *both = decide_in_short(rules, "concern=umzug,sonstiges,gibt_es_nicht");
	g_autofree char *one = decide_in_short(rules, "concern=umzug resolved");
	cr_assert_str_eq(both, "task(process_notice); forward(sgb2)");
	cr_assert_str_eq(one, " | -task.process_notice:r, -task.process_notice:q, -forward:r");
	AUTO(rule_input) input = input_of("concern=umzug,sonstiges,gibt_es_nicht resolved");
	JSON_AUTO why = rules_why(rules, input);
	cr_assert_eq(json_array_size(json_object_get(why, "taken")), 1);
}

Test(rules_corners, a_barred_call_without_row_names_its_rule)
{
	static const char *const text =
	        HEAD "  - id: R\n    title: t\n    then: [{call: {reason: x}}]\n" CITE
	             "  - id: S\n    title: t\n    bars: [call]\n    reason: r\n" CITE;
	AUTO(rules) rules = good_rules(text);
	AUTO(rule_input) input = input_of("concern=umzug");
	JSON_AUTO why = rules_why(rules, input);
	const json_t *entry = json_array_get(json_object_get(why, "nearest"), 0);
	cr_assert_str_eq(json_get_string(entry, "barred_by"), "S");
}

Test(rules_corners, two_days_side_by_side_show_what_both_do)
{
	AUTO(rule_input)
	input = input_of("concern=arbeitsuchendmeldung internetperson=yes received=2023-05-11");
	JSON_AUTO a = rules_why(shipped_rules(), input);
	JSON_AUTO b = rules_why_as_of(shipped_rules(), input, day_from_civil(2023, 5, 12));
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);
	rules_why_print_beside(a, "a heading that is wider than its column ever was before", b, "b", out);
	rules_why_print(a, NULL, out);
	fclose(out);
	cr_assert_not_null(strstr(page, "task account_check (rule I)                    | -"), "%s", page);
	cr_assert_not_null(strstr(page, "| task registration (rule 3/registration)"), "%s", page);
	free(page);
}

/* ---- the manual knows what the engine knows ---- */

Test(rules_corners, every_variable_is_in_the_manual_and_in_the_schema)
{
	g_autofree char *manual = NULL, *schema = NULL;
	cr_assert(g_file_get_contents(SOURCE_DIR "/docs/man/posteingang-rules.7", &manual, NULL, NULL));
	cr_assert(g_file_get_contents(SOURCE_DIR "/docs/schema/ruleset.schema.json", &schema, NULL, NULL));
	for (int v = 0; v < VAR_FIXED_COUNT; v++) {
		const char *name = rules_vars_get(shipped_rules()->vars, v)->name;
		g_autofree char *entry = g_strdup_printf("Cm %s", name),
		                *key = g_strdup_printf("\"%s\": {", name);
		cr_assert_not_null(strstr(manual, entry), "%s", name);
		cr_assert_not_null(strstr(schema, key), "%s", name);
	}
}
