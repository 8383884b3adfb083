/* A mistake in the YAML of each kind gives file, line, column and a hint. */
#include "rules_support.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#define OLD "rulesets/202001001.yaml"
#define NEW "rulesets/202305004.yaml"
#define GAP "rulesets/gap-2023.yaml"

static const struct mistake {
	const char *file, *from, *to; /* the slip */
	const char *says;             /* part of the message */
} mistakes[] = {
        {OLD, "    then:\n      - klaerung: {reason: address_mismatch}",
                "    than:\n      - klaerung: {reason: address_mismatch}",
                "unknown key \"than\", did you mean \"then\"?"},
        {OLD, "when: {third_party: true}", "when: {third_part: true}",
                "unknown variable \"third_part\", did you mean \"third_party\"?"},
        {OLD, "when: {third_party: true}", "when: {zzzzzzzz: true}", "posteingang-rules(7)"},
        {OLD, "when: {third_party: true}", "when: {score: 5}",
                "conditions over scores or free text are not allowed"},
        {OLD, "when: {third_party: true}", "when: {text: Vollmacht}",
                "conditions over scores or free text are not allowed"},
        {OLD, "when: {third_party: true}", "when: {third_party: yes}",
                "third_party cannot be \"yes\", expected one of: false, true"},
        {OLD, "when: {third_party: true}", "when: {concern: umzug}",
                "concern belongs to one concern: not readable in a rule \"per: item\""},
        {OLD, "when: {third_party: true}", "when: third_party",
                "expected a map of keys, found a single value"},
        {OLD, "when: {third_party: true}", "when: {third_party: []}", "an empty list"},
        {OLD, "when: {third_party: true}", "when: {third_party: {a: b}}", "expected a single value"},
        {OLD, "when: {third_party: true}", "when: {any: []}", "an empty list of conditions"},
        {OLD, "when: {third_party: true}", "when: {any: third_party}",
                "expected a list, found a single value"},
        {OLD, "when: {third_party: true}", "when: {not: {}}", "an empty condition"},
        {OLD, "when: {third_party: true}", "when: {channel: emial}", "did you mean \"email\"?"},
        {OLD, "when: {third_party: true}", "when: {received: 2023-02-29}",
                "received cannot be \"2023-02-29\", expected a date"},
        {OLD, "when: {third_party: true}", "when: {received: unknown}", "received is always known"},
        {OLD, "when: {third_party: true}", "when: {received: {since: 2023-01-01}}", "unknown key \"since\""},
        {OLD, "when: {third_party: true}", "when: {received: {from: 2023-02-01, before: 2023-01-01}}",
                "no value of received fits"},
        {OLD, "when: {third_party: true}", "when: {received: [2023-01-01]}",
                "expected a single value, found a list"},
        {OLD, "when: {third_party: true}", "when: {absence_days: viele}\n    unknown: skips",
                "absence_days cannot be \"viele\", expected a whole number"},
        {OLD, "when: {third_party: true}", "when: {absence_days: {above: x}}\n    unknown: skips",
                "\"above\" is \"x\", expected a whole number"},
        {OLD, "when: {third_party: true}", "when: {absence_days: {above: 20, below: 21}}\n    unknown: skips",
                "no value of absence_days fits"},
        {OLD, "when: {address_match: no}\n    unknown: skips", "when: {address_match: no}",
                "say \"unknown: skips\" or \"unknown: applies\""},
        {OLD, "when: {address_match: no}\n    unknown: skips",
                "when: {address_match: no}\n    unknown: maybe", "expected one of: skips, applies"},
        {OLD, "- id: A\n    title: Adressabgleich fehlgeschlagen", "- title: Adressabgleich fehlgeschlagen",
                "missing key \"id\""},
        {OLD, "title: Adressabgleich fehlgeschlagen", "title: ''", "\"title\" is empty"},
        {OLD, "    per: item\n    when: {address_match: no}", "    per: mail\n    when: {address_match: no}",
                "\"per\" is \"mail\", expected one of: concern, item"},
        {OLD, "- klaerung: {reason: address_mismatch}", "- klaerung: {}", "missing key \"reason\""},
        {OLD, "- klaerung: {reason: address_mismatch}", "- klaerung: {reason: a, grund: b}",
                "unknown key \"grund\""},
        {OLD, "- klaerung: {reason: address_mismatch}", "- klärung: {reason: a}",
                "unknown key \"klärung\", did you mean \"klaerung\"?"},
        {OLD, "- klaerung: {reason: address_mismatch}", "- klaerung", "expected a map of keys"},
        {OLD, "- klaerung: {reason: address_mismatch}", "- {klaerung: {reason: a}, none: {reason: b}}",
                "one action per list entry"},
        {OLD, "- klaerung: {reason: address_mismatch}", "- reply: {channel: email}",
                "a reply belongs to one concern"},
        {OLD, "- task: {kind: representative,", "- task: {kind: representatif,",
                "did you mean \"representative\"?"},
        {OLD, "- ticket: {queue: os_alg_plus, dated: expected_claim_start, after_days: 7}",
                "- ticket: {queue: os_alg_plus, dated: yesterday, after_days: 7}",
                "\"dated\" is \"yesterday\""},
        {OLD, "after_days: 7", "after_days: -1", "expected a whole number from 0"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [replay]",
                "\"replay\" is no handler, did you mean \"reply\"?"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [task.reply_drafts]",
                "\"reply_drafts\" is no kind of task, did you mean \"reply_draft\"?"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [eakte.filed]",
                "only task and ticket have a kind behind the dot"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: []", "names no handler"},
        {OLD, "bars: [reply, task.reply_draft, ticket]\n    reason: address_mismatch", "bars: [reply]",
                "\"bars\" and \"reason\" belong together"},
        {NEW, "adds_to: [reply]\n    block: vorteil", "adds_to: [reply]",
                "\"adds_to\" and \"block\" belong together"},
        {OLD,
                "    when: {concern: umzug}\n    then:\n      - task: {kind: process_notice, text: \"Umzug: "
                "Anschrift und Zuständigkeit prüfen.\"}\n",
                "    when: {concern: umzug}\n", "does nothing"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "cites: []",
                "cites nothing: every action needs a source"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "note: x",
                "cites nothing: every action needs a source"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]",
                "cites: [{source: \"202001002\", section: \"2.2\"}]", "is not listed under \"sources\""},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "cites: [{source: \"202001001\"}]",
                "missing key \"section\""},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]",
                "cites: [{source: \"202001001\", section: \"2.2\", basis: law}]",
                "expected one of: in_force, expired, continued, statute, practice"},
        {OLD, "    row: minor\n", "    row: deceased\n", "is there twice"},
        {OLD, "valid_from: 2020-01-02", "valid_from: 02.01.2020", "expected a date YYYY-MM-DD"},
        {OLD, "valid_from: 2020-01-02 # the aids bear a later date; \"gültig ab\" decides\n", "",
                "missing key \"valid_from\""},
        {OLD, "valid_to: 2023-01-01", "valid_to: 2019-01-01", "\"valid_to\" is not after \"valid_from\""},
        {OLD, "valid_to: 2023-01-01", "valid_to: 2022-12-01",
                "from 2022-12-01 to 2022-12-31 no rule set is in force"},
        {OLD, "valid_to: 2023-01-01", "valid_to: 2023-02-01",
                "from 2023-01-01 to 2023-01-31 \"202001001\" is in force too"},
        {OLD, "basis: in_force\n\nsources", "basis: valid\n\nsources", "expected one of: in_force"},
        {GAP, "extends: \"202001001\"", "extends: \"202001009\"", "there is no rule set \"202001009\""},
        {GAP, "extends: \"202001001\"", "extends: gap-2023", "extends itself"},
        {GAP, "inherited_basis: expired\n", "", "\"extends\" needs \"inherited_basis\""},
        {GAP, "ruleset: gap-2023", "ruleset: \"202001001\"", "is there twice"},
        {GAP, "inherited_basis: expired", "inherited_basis: expired\noutside: true",
                "a rule set \"outside: true\" has no dates"},
        {NEW, "drops: [I]", "drops: [Q]", "\"202001001\" has no rule \"Q\" to drop"},
        {OLD, "requires: eakte", "requires: eakten", "\"eakten\" is no handler, did you mean \"eakte\"?"},
        {OLD, "    action: call\n    at_most: 1", "    action: call", "claims nothing"},
        {OLD, "    action: call\n    at_most: 1", "    at_most: 1", "speaks of no action"},
        {OLD, "    action: call\n    at_most: 1", "    action: task\n    at_most: 1",
                "could not be proved: a number above 0"},
        {OLD, "  - id: ein_anruf\n", "  - idee: ein_anruf\n", "unknown key \"idee\""},
        {OLD, "\nrules:\n", "\nrules: 7\nrule:\n", "expected a list, found a single value"},
        {OLD, "  - {id: practice, title:", "  - {id: practice, tite:",
                "unknown key \"tite\", did you mean \"title\"?"},
        {OLD, "sources:\n", "sources:\n  - practice\n", "expected a map of keys, found a single value"},
        {OLD, "  - {id: practice, title:", "  - {title:", "missing key \"id\""},
        {OLD, "\nsources:\n", "\nsources: keine\nquellen:\n", "expected a list, found a single value"},
        {OLD, "ruleset: \"202001001\"", "note: x", "missing key \"ruleset\""},
        {OLD, "\nrules:\n", "\nrules:\n  - eins\n", "expected a map of keys, found a single value"},
        {OLD, "\ninvariants:\n", "\ninvariants: keine\ninvarianten:\n",
                "expected a list, found a single value"},
        {OLD, "\ninvariants:\n", "\ninvariants:\n  - eine\n", "expected a map of keys, found a single value"},
        {OLD, "  - id: ein_anruf\n    title: Höchstens ein Anruf\n", "  - id: ein_anruf\n",
                "missing key \"title\""},
        {OLD, "requires: eakte", "requires: xyzzyxyzzy", "\"xyzzyxyzzy\" is no handler"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [xyzzyxyzzy]",
                "\"xyzzyxyzzy\" is no handler"},
        {OLD, "bars: [reply, task.reply_draft, ticket]", "bars: [task.xyzzyxyzzy]",
                "\"xyzzyxyzzy\" is no kind of task"},
        {OLD, "    then:\n      - klaerung: {reason: address_mismatch}", "    then: klaerung",
                "expected a list, found a single value"},
        {OLD, "- klaerung: {reason: address_mismatch}", "- klaerung: address_mismatch",
                "expected a map of keys, found a single value"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "cites: Weisung",
                "expected a list, found a single value"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "cites: [Weisung]",
                "expected a map of keys, found a single value"},
        {OLD, "cites: [{source: \"202001001\", section: \"2.2\"}]", "cites: [{section: \"2.2\"}]",
                "missing key \"source\""},
        {OLD, "when: {third_party: true}", "when: {received: {from: nie}}",
                "\"from\" is \"nie\", expected a date"},
        {OLD, "when: {third_party: true}", "when: {absence_days: {below: x}}\n    unknown: skips",
                "\"below\" is \"x\""},
        {OLD, "when: {third_party: true}", "when: {absence_days: {at_most: x}}\n    unknown: skips",
                "\"at_most\" is \"x\""},
        {"rulesets/outside.yaml", "outside: true", "outside: true\nholes: 7",
                "expected a list, found a single value"},
        {"rulesets/outside.yaml", "outside: true",
                "outside: true\nholes: [{from: 2023-01-01, to: 2022-01-01, reason: x}]", "a hole needs"},
        {"rulesets/outside.yaml", "outside: true", "outside: true\nholes: [{to: 2022-01-01, reason: x}]",
                "a hole needs"},
        {"rulesets/outside.yaml", "outside: true", "outside: true\nvalid_to: 2022-01-01", "has no dates"},
        {GAP, "ruleset: gap-2023", "- ruleset: gap-2023", "expected"},
        {GAP, "valid_from:", "\tvalid_from:", "cannot start any token"},
        {"rulesets/outside.yaml", "outside: true", "outside: false",
                "nobody decides about items that no set covers"},
        {"rulesets/outside.yaml", "outside: true", "outside: maybe",
                "\"outside\" is \"maybe\", expected one of: false, true"},
        {"rulesets/outside.yaml", "outside: true", "outside: true\nholes: [{from: 2023-01-01}]",
                "a hole needs \"from\" and, later, \"to\""},
        {"switches.yaml", "    value: true\n    from: 2025-03-01", "    value: maybe\n    from: 2025-03-01",
                "\"value\" is \"maybe\", expected one of: true, false"},
        {"switches.yaml", "    otherwise: false\n    source: Meldungen", "    source: Meldungen",
                "say with \"otherwise\" what holds outside"},
        {"switches.yaml", "from: 2025-03-01", "from: 2025-03-01\n    until: 2025-03-01",
                "\"until\" is not after \"from\""},
        {"switches.yaml", "    words: [send, draft]\n    value: send",
                "    words: [send, draft]\n    value: send\n    otherwise: draft",
                "has \"otherwise\" but no dates"},
        {"switches.yaml", "  pzzv:\n", "  pzzw:\n", "missing switch \"pzzv\""},
        {"switches.yaml", "words: [address_bound, unbound]", "words: [address_bound, unbound, other]",
                "must offer exactly the words"},
        {"switches.yaml", "certainty: certain", "certainty: sure",
                "expected one of: certain, secondary, assumed"},
        {"switches.yaml", "email_closed: {}", "email_closed: {a: soon}", "expected a date YYYY-MM-DD"},
        {"switches.yaml", "absence_limit: 21", "absence_limit: many",
                "expected a whole number from 0 to 366"},
        {"catalogue.yaml", "priority: 120", "priority: 130", "has the same priority as"},
        {"catalogue.yaml", "- id: umzug", "- id: arbeitsaufnahme", "is there twice"},
        {"catalogue.yaml", "- id: umzug", "- id: Umzug!", "lower-case letters, digits and _ only"},
        {"catalogue.yaml", "payment: absence", "payment: perhaps",
                "expected one of: no, yes, address_bound, name, absence"},
        {"catalogue.yaml", "aliases: [wegfahren, Urlaub]", "aliases: [Umzug, Urlaub]",
                "already names the concern \"umzug\""},
        {"catalogue.yaml", "cv_entries: [schulbildung,", "cv_entries: [schulbildung, schulbildung,",
                "is there twice"},
        {"catalogue.yaml", "cv_entries: [schulbildung,", "cv_entries: [several, schulbildung,",
                "not a name an entry may have"},
        {"catalogue.yaml", "concerns:\n", "concern:\n",
                "unknown key \"concern\", did you mean \"concerns\"?"},
        {"contact_codes.yaml", "for: [umzug]", "for: [umzuk]", "is no concern of the catalogue"},
        {"contact_codes.yaml", "for: [umzug]", "for: [umzug, ortsabwesenheit]",
                "both stand for \"ortsabwesenheit\""},
        {"contact_codes.yaml", "for: [sonstiges, other]", "for: [sonstiges]",
                "sgb3 has no code for \"other\""},
        {"contact_codes.yaml", "for: [umzug]", "for: []", "stands for nothing"},
        {"contact_codes.yaml", "code: \"3021\", ", "", "missing key \"code\""},
};

/* "file:line:column: text" of all errors. */
static char *errors_of(const struct mistake *mistake)
{
	AUTO(bundle) bundle = shipped_bundle_with(mistake->file, mistake->from, mistake->to);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_load(bundle, diag);
	GString *all = g_string_new(NULL);
	for (unsigned i = 0; i < diag_total(diag); i++) {
		const struct diag_entry *entry = diag_get(diag, i);
		if (entry->severity == SEVERITY_ERROR)
			g_string_append_printf(
			        all, "%s:%d:%d: %s\n", entry->file, entry->line, entry->column, entry->text);
	}
	if (rules)
		g_string_assign(all, "loaded without complaint");
	return g_string_free(all, FALSE);
}

/* The line of `all` that says it, or NULL. */
static char *line_saying(const char *all, const char *says)
{
	g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
	for (char **line = lines; *line; line++)
		if (strstr(*line, says))
			return g_strdup(*line);
	return NULL;
}

Test(rules_mistakes, each_is_refused_with_place_and_hint)
{
	unsigned wrong = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autofree char *all = errors_of(&mistakes[i]);
		g_autofree char *line = line_saying(all, mistakes[i].says);
		bool placed = line && g_regex_match_simple("\\.yaml:[1-9][0-9]*:[1-9][0-9]*: ", line, 0, 0);
		bool whole_bundle = line && strstr(line, "rulesets/:0:0");
		if (placed || whole_bundle)
			continue;
		wrong++;
		fprintf(stderr, "%s: \"%s\"\n  should say: %s\n  says: %s\n", mistakes[i].file,
		        mistakes[i].to, mistakes[i].says, all);
	}
	cr_assert_eq(wrong, 0, "%u of %zu", wrong, G_N_ELEMENTS(mistakes));
}

Test(rules_mistakes, the_place_is_that_of_the_slip)
{
	g_autofree char *text = NULL;
	cr_assert(g_file_get_contents(SOURCE_DIR "/config/" OLD, &text, NULL, NULL));
	const char *at = strstr(text, "{third_party: true}");
	int line = 1;
	for (const char *p = text; p < at; p++)
		line += *p == '\n';
	g_autofree char *all =
	        errors_of(&(struct mistake){OLD, "{third_party: true}", "{third_part: true}", ""});
	g_autofree char *place = g_strdup_printf("202001001.yaml:%d:12: unknown variable", line);
	cr_assert_not_null(strstr(all, place), "%s, not %s", all, place);
}

Test(rules_mistakes, all_of_them_are_told_at_once)
{
	AUTO(bundle) bundle = shipped_bundle_with(OLD, "concern: umzug", "concern: umzuk");
	AUTO(diag) diag = diag_new();
	cr_assert_null(rules_read(bundle, diag));
	AUTO(bundle) other = shipped_bundle_with(OLD, "unknown: skips", "unknown: skipps");
	cr_assert_null(rules_read(other, diag));
	cr_assert_gt(diag_count(diag, SEVERITY_ERROR), 5);
}

Test(rules_mistakes, a_bundle_without_its_files_is_refused)
{
	static const char text[] = "posteingang-bundle-1\n";
	(void)text;
	AUTO(bundle) bundle = shipped_bundle_but("switches", "zzz.txt", "");
	AUTO(diag) diag = diag_new();
	cr_assert_null(rules_read(bundle, diag));
	AUTO(bundle) codes = shipped_bundle_but("contact_codes", "zzz.txt", "");
	cr_assert_null(rules_read(codes, diag));
	AUTO(bundle) catalogue = shipped_bundle_but("catalogue", "zzz.txt", "");
	cr_assert_null(rules_read(catalogue, diag));
}

Test(rules_mistakes, a_declared_overlap_and_a_declared_hole_are_no_mistakes)
{
	AUTO(diag) diag = diag_new();
	AUTO(bundle)
	overlap = shipped_bundle_with(
	        GAP, "valid_to: 2023-05-12", "valid_to: 2023-05-12\nsupersedes: [\"202001001\"]");
	AUTO(rules) same = rules_read(overlap, diag);
	cr_assert_not_null(same);
	AUTO(bundle)
	hole = shipped_bundle_with("rulesets/outside.yaml", "outside: true",
	        "outside: true\nholes: [{from: 2019-01-01, to: 2019-02-01, reason: nichts}]");
	AUTO(rules) holed = rules_read(hole, diag);
	cr_assert_not_null(holed);
}

Test(rules_mistakes, a_new_weisung_that_supersedes_wins_from_its_first_day)
{
	static const char *const text =
	        "ruleset: neu\ntitle: Neue Weisung\nvalid_from: 2027-01-01\nbasis: in_force\n"
	        "extends: \"202305004\"\ninherited_basis: continued\n"
	        "supersedes: [\"202305004\"]\nsources: [{id: neu, title: Neu}]\nrules: []\n";
	AUTO(bundle) bundle = shipped_bundle_but("nothing", "rulesets/neu.yaml", text);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_load(bundle, diag);
	if (!rules)
		diag_print(diag, stderr);
	cr_assert_not_null(rules);
	AUTO(rule_input) before = input_of("concern=umzug received=2026-12-31T23:59:59+01:00");
	AUTO(rule_input) after = input_of("concern=umzug received=2027-01-01T00:00:00+01:00");
	AUTO(decision) old = rules_decide(rules, before);
	AUTO(decision) new = rules_decide(rules, after);
	cr_assert_str_eq(old->ruleset, "202305004");
	cr_assert_str_eq(new->ruleset, "neu");
}

Test(rules_mistakes, a_hole_that_is_declared_sends_its_items_to_a_person)
{
	static const char *const text =
	        "ruleset: alt\ntitle: t\nvalid_from: 2010-01-01\nvalid_to: 2015-01-01\n"
	        "basis: in_force\nextends: \"202001001\"\ninherited_basis: in_force\n"
	        "holes: [{from: 2015-01-01, to: 2020-01-02, reason: nichts bekannt}]\nrules: []\n";
	AUTO(bundle) bundle = shipped_bundle_but("nothing", "rulesets/alt.yaml", text);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_read(bundle, diag);
	if (!rules)
		diag_print(diag, stderr);
	cr_assert_not_null(rules);
	g_autofree char *got = decide_in_short(rules, "concern=umzug received=2017-06-01");
	cr_assert_str_eq(got, "eakte(no_instruction); klaerung(no_instruction?umzug)");
}
