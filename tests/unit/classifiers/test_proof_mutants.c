/* The proof proved: each of these slips in the shipped sets must be caught, by an error, by a warning, or by
 * a line of the boundary tables. */
#include "rules_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TABLES SOURCE_DIR "/tests/unit/classifiers/tables"
#define OLD    "rulesets/202001001.yaml"
#define GAP    "rulesets/gap-2023.yaml"
#define NEW    "rulesets/202305004.yaml"

static const struct {
	const char *what, *file, *from, *to;
} mutants[] = {
        {"eAkte only if not resolved", OLD, "when: {payment: yes}", "when: {payment: yes, resolved: false}"},
        {"unknown relevance forgotten", OLD, "when: {payment: unknown}",
                "when: {payment: unknown, doubt: true}"},
        {"eAkte not by postbox", OLD, "when: {payment: yes}",
                "when: {payment: yes, channel: [email, eservice]}"},
        {"third party answered", OLD, "bars: [reply, task.reply_draft]\n    reason: third_party",
                "bars: [task.reply_draft]\n    reason: third_party"},
        {"third party not filed", OLD, "- eakte: {reason: filed}", "- klaerung: {reason: filed}"},
        {"bar of A without ticket", OLD, "bars: [reply, task.reply_draft, ticket]",
                "bars: [reply, task.reply_draft]"},
        {"bar of A without reply", OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [ticket]"},
        {"A on unknown", OLD, "when: {address_match: no}\n    unknown: skips",
                "when: {address_match: no}\n    unknown: applies"},
        {"the deceased are called", OLD, "bars: [reply, task.reply_draft, call]",
                "bars: [reply, task.reply_draft]"},
        {"minor forgotten", OLD, "when: {minor: yes}", "when: {minor: no}"},
        {"ticket without documents", OLD, "      documents_complete: yes\n      application_processed",
                "      application_processed"},
        {"ticket although processed", OLD,
                "      application_processed: [no, unknown] # unknown: planned, asked again when due\n", ""},
        {"ticket a day early", OLD, "after_days: 7", "after_days: 6"},
        {"ticket without a start", OLD, "      expected_claim_start: known\n", ""},
        {"none before processed", OLD, "application_processed: yes, doubt: false",
                "application_processed: [yes, no], doubt: false"},
        {"call dropped too often", OLD, "cv_only_unused: schulbildung}",
                "cv_only_unused: [schulbildung, studium]}"},
        {"call dropped when nothing is unused", OLD, "cv_only_unused: schulbildung}",
                "cv_only_unused: [schulbildung, none]}"},
        {"no call by e-mail", OLD,
                "title: Genau ein Anrufversuch (kein strukturierter Lebenslauf)\n    when: {concern: "
                "arbeitsuchendmeldung, channel: [email, postbox]}",
                "title: Genau ein Anrufversuch (kein strukturierter Lebenslauf)\n    when: {concern: "
                "arbeitsuchendmeldung, channel: postbox}"},
        {"reply widened to a change of name", OLD,
                "when: {concern: [ortsabwesenheit, umzug], channel: postbox, switch.reply_mode: send}",
                "when: {concern: [ortsabwesenheit, umzug, namensaenderung], channel: postbox, "
                "switch.reply_mode: send}"},
        {"reply in doubt", OLD, "bars: {all_but: [klaerung, eakte, archive, task.fraud_check",
                "bars: {all_but: [klaerung, reply, eakte, archive, task.fraud_check"},
        {"forward in doubt", OLD, "bars: {all_but: [klaerung, eakte, archive, task.fraud_check",
                "bars: {all_but: [klaerung, forward, eakte, archive, task.fraud_check"},
        {"fraud check lost in doubt", OLD, "archive, task.fraud_check, task.arbeitslosmeldung_urgent]",
                "archive, task.arbeitslosmeldung_urgent]"},
        {"no archive", OLD, "form_type: veraenderung, switch.archive_mode: assert",
                "form_type: arbeitsuchendmeldung, switch.archive_mode: assert"},
        {"none although payment-relevant", OLD, "      payment: no\n      duty_of_proof: no",
                "      duty_of_proof: no"},
        {"none although proof is owed", OLD, "      duty_of_proof: no\n      doubt: false",
                "      duty_of_proof: [no, yes]\n      doubt: false"},
        {"none on unknown duty", OLD, "unknown: skips\n    then:\n      - none: {reason: resolved}",
                "unknown: applies\n    then:\n      - none: {reason: resolved}"},
        {"none bars the eAkte of third parties only", OLD,
                "bars: {all_but: [none, archive, forward, ticket.familienkasse_regional]}",
                "bars: {all_but: [none, archive, eakte, forward, ticket.familienkasse_regional]}"},
        {"confirm forgotten", OLD, "      duty_of_proof: unknown\n      doubt: false",
                "      duty_of_proof: yes\n      doubt: false"},
        {"forward to the wrong body", OLD,
                "when: {rechtskreis: sgb2}\n    then:\n      - forward: {to: sgb2}",
                "when: {rechtskreis: sgb2}\n    then:\n      - forward: {to: familienkasse}"},
        {"foreign concerns answered", OLD,
                "when: {rechtskreis: [sgb2, familienkasse]}\n    bars: {all_but: [forward,",
                "when: {rechtskreis: [sgb2, familienkasse]}\n    bars: {all_but: [reply, forward,"},
        {"no ticket of F", OLD, "switch.familienkasse_ticket: true", "switch.familienkasse_ticket: false"},
        {"sonstiges by e-mail forgotten", OLD, "channel: [email, eservice]\n      doubt: false",
                "channel: eservice\n      doubt: false"},
        {"open concern in doubt", OLD, "      channel: postbox\n      doubt: false\n",
                "      channel: postbox\n"},
        {"account check for everybody", OLD, "internetperson: yes}\n    unknown: skips",
                "internetperson: yes}\n    unknown: applies"},
        {"bounces are cleared", OLD, "automatic: [bounce, report, auto-replied]\n      not:",
                "automatic: [report, auto-replied]\n      not:"},
        {"lists are answered", OLD,
                "when: {automatic: [list, auto-generated]}\n    bars: [reply, task.reply_draft]",
                "when: {automatic: auto-generated}\n    bars: [reply, task.reply_draft]"},
        {"none for lists with a concern", OLD, "only_sonstiges: true, doubt: false}", "doubt: false}"},
        {"own bounce ignored", OLD, "when: {automatic: [bounce, report], own_bounce: true}\n    then",
                "when: {automatic: report, own_bounce: true}\n    then"},
        {"fraud check by eService instead", OLD, "channel: [email, postbox], switch.fraud_check: true",
                "channel: [email, eservice], switch.fraud_check: true"},
        {"void registration unnoticed", OLD, "concern: arbeitslosmeldung, channel: [email, postbox]",
                "concern: arbeitslosmeldung, channel: postbox"},
        {"a person does not decide", OLD, "when: {concern: ortsabwesenheit}",
                "when: {concern: ortsabwesenheit, channel: email}"},
        {"valid a day early", OLD, "valid_from: 2020-01-02", "valid_from: 2020-01-01"},
        {"ends a day early", OLD, "valid_to: 2023-01-01", "valid_to: 2022-12-31"},
        {"ends a day late", OLD, "valid_to: 2023-01-01", "valid_to: 2023-01-02"},
        {"gap relief on", GAP, "switch.gap_relief: true", "switch.gap_relief: false"},
        {"gap task lost", GAP, "- {duty_of_proof: no, switch.gap_relief: false}",
                "- {duty_of_proof: yes, switch.gap_relief: false}"},
        {"gap cited as in force", GAP, "inherited_basis: expired", "inherited_basis: in_force"},
        {"new Weisung a day late", NEW, "valid_from: 2023-05-12", "valid_from: 2023-05-13"},
        {"account check goes on", NEW, "drops: [I]", "drops: [H]"},
        {"dialogue although phone is preferred", NEW, "preferred_channel: [postbox, unknown]",
                "preferred_channel: [postbox, phone, unknown]"},
        {"dialogue only if preferred", NEW, "preferred_channel: [postbox, unknown]",
                "preferred_channel: postbox"},
        {"PZZV steps for every method", NEW, "      payment_method: pzzv\n", ""},
        {"PZZV steps without benefit", NEW, "benefit_recipient: [yes, unknown]",
                "benefit_recipient: [yes, unknown, no]"},
        {"PZZV steps after the end", NEW, "      switch.pzzv: true\n", ""},
        {"no benefit text", NEW, "adds_to: [reply]", "adds_to: [call]"},
        {"cited wrongly", NEW, "section: \"2.2 a)3\"", "section: \"2.2 a)2\""},
        {"bank change not payment-relevant", "catalogue.yaml", "priority: 130\n    payment: yes",
                "priority: 130\n    payment: no"},
        {"relocation by absence", "catalogue.yaml", "payment: address_bound", "payment: absence"},
        {"Kindergeld not foreign", "catalogue.yaml", "    rechtskreis: familienkasse\n", ""},
        {"limit of absence", "switches.yaml", "absence_limit: 21", "absence_limit: 22"},
};

/* Is the loaded bundle different from the tables in any line? (Lines under `change:` are left out.) */
static bool line_differs(const struct rules *rules, const char *prefix, const char *line)
{
	g_auto(GStrv) parts = g_strsplit(line, " => ", 2);
	g_autofree char *words = g_strdup_printf("%s %s", prefix, parts[0]);
	AUTO(rule_input) input = input_of(words);
	AUTO(decision) decision = rules_decide(rules, input);
	g_autofree char *actions = decision_in_short(decision), *cites = decision_cites(decision);
	g_autofree char *got = g_strdup_printf("%s ## %s", actions, cites);
	const char *expected = strchr(parts[1], ']') + 2;
	return strcmp(got, expected) != 0;
}

static bool table_differs(const struct rules *rules, const char *name)
{
	g_autofree char *path = g_build_filename(TABLES, name, NULL), *text = NULL;
	g_autofree char *prefix = g_strdup("");
	bool changed = false, differs = false;
	cr_assert(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line && !differs; line++) {
		if (g_str_has_prefix(*line, "change:"))
			changed = (*line)[7] != 0;
		else if (g_str_has_prefix(*line, "with:")) {
			g_free(prefix);
			prefix = g_strdup(*line + 5);
		} else if (strstr(*line, " => ") && !changed)
			differs = line_differs(rules, prefix, *line);
	}
	return differs;
}

static bool tables_differ(const struct rules *rules)
{
	g_autoptr(GDir) dir = g_dir_open(TABLES, 0, NULL);
	const char *name;
	while ((name = g_dir_read_name(dir)) != NULL)
		if (g_str_has_suffix(name, ".txt") && table_differs(rules, name))
			return true;
	return false;
}

static const char *caught_by(size_t i)
{
	AUTO(bundle) bundle = shipped_bundle_with(mutants[i].file, mutants[i].from, mutants[i].to);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_load(bundle, diag);
	if (!rules)
		return "error";
	if (diag_count(diag, SEVERITY_WARNING))
		return "warning";
	return tables_differ(rules) ? "table" : NULL;
}

Test(proof_mutants, every_seeded_slip_is_caught)
{
	unsigned errors = 0, warnings = 0, tables = 0, escaped = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(mutants); i++) {
		const char *by = caught_by(i);
		errors += by && *by == 'e';
		warnings += by && *by == 'w';
		tables += by && *by == 't';
		escaped += !by;
		if (!by)
			fprintf(stderr, "escaped: %s\n", mutants[i].what);
	}
	fprintf(stderr, "mutants: %zu, caught by error %u, by warning %u, by boundary table %u\n",
	        G_N_ELEMENTS(mutants), errors, warnings, tables);
	cr_assert_eq(escaped, 0);
}
