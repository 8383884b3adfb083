/* The shipped sets are proved; what breaks an invariant cannot be loaded, and the message shows a case. */
#include "classifiers/proof.h"
#include "rules_support.h"

#include <criterion/criterion.h>
#include <string.h>

/* All findings about the shipped bundle with one change, as text. */
static char *findings_after(const char *path, const char *from, const char *to)
{
	AUTO(bundle) bundle = shipped_bundle_with(path, from, to);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_load(bundle, diag);
	GString *text = g_string_new(rules ? "loaded\n" : "refused\n");
	for (unsigned i = 0; i < diag_total(diag); i++)
		if (diag_get(diag, i)->severity != SEVERITY_NOTE)
			g_string_append_printf(text, "%s:%d: %s\n", diag_get(diag, i)->file,
			        diag_get(diag, i)->line, diag_get(diag, i)->text);
	return g_string_free(text, FALSE);
}

Test(proof, the_shipped_sets_are_proved_without_error_or_warning)
{
	g_autofree char *text = findings_after(NULL, NULL, NULL);
	cr_assert_str_eq(text, "loaded\n");
}

Test(proof, a_set_that_forgets_the_eakte_is_refused_with_the_smallest_case)
{
	g_autofree char *text = findings_after(
	        "rulesets/202001001.yaml", "when: {payment: yes}", "when: {payment: yes, resolved: false}");
	cr_assert(g_str_has_prefix(text, "refused"), "%s", text);
	cr_assert_not_null(strstr(text, "invariant \"zahlung\""), "%s", text);
	cr_assert_not_null(
	        strstr(text,
	                "smallest case: email received 2020-01-02, concern zahlungsverbindung, resolved:"),
	        "%s", text);
	cr_assert_not_null(strstr(text, "blame rule 5/relevant"), "%s", text);
}

Test(proof, a_reply_to_a_third_party_is_refused_and_the_reply_rule_blamed)
{
	g_autofree char *text = findings_after("rulesets/202001001.yaml",
	        "    bars: [reply, task.reply_draft]\n    reason: third_party",
	        "    bars: [task.reply_draft]\n    reason: third_party");
	cr_assert(g_str_has_prefix(text, "refused"), "%s", text);
	cr_assert_not_null(strstr(text, "invariant \"antwort\""), "%s", text);
	cr_assert_not_null(strstr(text, "third_party"), "%s", text);
}

Test(proof, a_new_concern_of_the_catalogue_without_a_rule_is_refused)
{
	g_autofree char *text = findings_after("catalogue.yaml", "cv_entries:",
	        "  - {id: beschwerde, title: Beschwerde, priority: 5, payment: no}\ncv_entries:");
	cr_assert(g_str_has_prefix(text, "refused"), "%s", text);
	cr_assert_not_null(strstr(text, "concern beschwerde"), "%s", text);
}

Test(proof, a_rule_that_can_never_fire_is_a_warning)
{
	g_autofree char *text = findings_after("rulesets/202001001.yaml", "when: {concern: umzug}",
	        "when: {concern: umzug, all: [{doubt: true}, {automatic: bounce}]}");
	cr_assert_not_null(strstr(text, "rule H/relocation can never fire"), "%s", text);
}

Test(proof, a_rule_that_is_always_suppressed_is_a_warning)
{
	g_autofree char *text = findings_after(
	        "rulesets/202001001.yaml", "when: {concern: umzug}", "when: {concern: umzug, doubt: true}");
	cr_assert_not_null(strstr(text, "rule H/relocation is always suppressed"), "%s", text);
}

/* The changes of tables/switches.txt: each switch the other way. */
Test(proof, the_invariants_hold_with_each_switch_the_other_way)
{
	g_autofree char *text = NULL;
	unsigned count = 0;
	cr_assert(g_file_get_contents(
	        SOURCE_DIR "/tests/unit/classifiers/tables/switches.txt", &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!g_str_has_prefix(*line, "change: "))
			continue;
		g_auto(GStrv) parts = g_strsplit(*line + strlen("change: "), " ~ ", 3);
		g_autofree char *from = g_strcompress(parts[1]), *to = g_strcompress(parts[2]);
		g_autofree char *found = findings_after(parts[0], from, to);
		cr_assert(g_str_has_prefix(found, "loaded"), "%s: %s", *line, found);
		count++;
	}
	cr_assert_geq(count, 12);
}
