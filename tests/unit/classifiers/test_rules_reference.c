/* The engine against the naive evaluator: random rules on random inputs, and the shipped rules too.
 * POSTEINGANG_PAIRS=N asks for more pairs of (rule, input) than the default of one million. */
#include "rules_reference.h"
#include "rules_support.h"
#include "classifiers/proof.h"
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_A_SET = 12, INPUTS_A_SET = 250 };

static const char *const concerns[] = {"zahlungsverbindung", "umzug", "namensaenderung", "ortsabwesenheit",
        "bearbeitungsstand_kindergeld", "sonstiges", "arbeitsuchendmeldung"};

static int below(GRand *rand, int n)
{
	return g_rand_int_range(rand, 0, n);
}

static const char *one_of(GRand *rand, const char *const *words, int n)
{
	return words[below(rand, n)];
}

/* ---- random rules ---- */

static const struct {
	const char *name;
	const char *words[8];
	bool per_concern;
} variables[] = {
        {"channel", {"email", "postbox", "eservice"}, false},
        {"mailbox", {"a@example.org", "b@example.org"}, false},
        {"form_type", {"none", "unknown", "arbeitsuchendmeldung", "veraenderung"}, false},
        {"form_kind", {"none", "unknown", "umzug", "sonstiges"}, false},
        {"cv_only_unused", {"none", "several", "schulbildung", "studium"}, false},
        {"cv.studium", {"filled", "empty", "unknown"}, false},
        {"has_sender", {"true", "false"}, false},
        {"automatic", {"no", "list", "auto-generated", "auto-replied", "report", "bounce"}, false},
        {"third_party", {"true", "false"}, false},
        {"resolved", {"true", "false"}, false},
        {"doubt", {"true", "false"}, false},
        {"payment", {"yes", "no", "unknown"}, false},
        {"only_sonstiges", {"true", "false"}, false},
        {"foreign_only", {"true", "false"}, false},
        {"address_match", {"yes", "no", "unknown"}, false},
        {"documents_complete", {"yes", "no", "unknown"}, false},
        {"duty_of_proof", {"yes", "no", "unknown"}, false},
        {"payment_method", {"iban", "pzzv", "other_address_bound", "unknown"}, false},
        {"preferred_channel", {"postbox", "email", "phone", "unknown"}, false},
        {"expected_claim_start", {"known", "unknown", "2024-01-01", "{from: 2023-06-01, before: 2024-06-01}"},
                false},
        {"absence_days",
                {"known", "unknown", "7", "{above: 21}", "{at_least: 7, below: 22}", "{at_most: 30}"}, false},
        {"received", {"2024-02-29", "{from: 2024-01-01}", "{before: 2025-03-01}"}, false},
        {"form_from", {"known", "unknown", "{from: 2024-01-01}"}, false},
        {"switch.fraud_check", {"true", "false"}, false},
        {"switch.pzzv", {"true", "false"}, false},
        {"concern",
                {"zahlungsverbindung", "umzug", "namensaenderung", "ortsabwesenheit",
                        "bearbeitungsstand_kindergeld", "sonstiges", "arbeitsuchendmeldung"},
                true},
        {"rechtskreis", {"sgb3", "sgb2", "familienkasse"}, true},
        {"concern_payment", {"yes", "no", "unknown"}, true},
};

static int word_count(size_t var)
{
	int n = 0;
	while (n < 8 && variables[var].words[n])
		n++;
	return n;
}

static void random_test(GRand *rand, bool item, GHashTable *used, GString *out)
{
	size_t var;
	do
		var = (size_t)below(rand, G_N_ELEMENTS(variables));
	while ((item && variables[var].per_concern) ||
	        g_hash_table_contains(used, GSIZE_TO_POINTER(var + 1)));
	g_hash_table_add(used, GSIZE_TO_POINTER(var + 1));
	int n = word_count(var);
	bool list = strchr(variables[var].words[n - 1], '{') == NULL && below(rand, 2);
	if (!list) {
		g_string_append_printf(
		        out, "%s: %s", variables[var].name, variables[var].words[below(rand, n)]);
		return;
	}
	int first = below(rand, n), second = below(rand, n);
	g_string_append_printf(out, "%s: [%s, %s]", variables[var].name, variables[var].words[first],
	        variables[var].words[second]);
}

static void random_map(GRand *rand, bool item, int depth, GString *out)
{
	g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
	int tests = 1 + below(rand, 2), what = depth < 2 ? below(rand, 6) : 5;
	g_string_append_c(out, '{');
	for (int i = 0; i < tests; i++) {
		g_string_append(out, i ? ", " : "");
		random_test(rand, item, used, out);
	}
	if (what == 0) {
		g_string_append(out, ", not: ");
		random_map(rand, item, depth + 1, out);
	} else if (what <= 2) {
		g_string_append_printf(out, ", %s: [", what == 1 ? "any" : "all");
		for (int i = 0; i < 2; i++) {
			g_string_append(out, i ? ", " : "");
			random_map(rand, item, depth + 1, out);
		}
		g_string_append_c(out, ']');
	}
	g_string_append_c(out, '}');
}

static void random_action(GRand *rand, bool item, GString *out)
{
	static const char *const actions[] = {"eakte: {reason: first}", "eakte: {reason: second}",
	        "call: {reason: registration}", "call: {reason: other}", "none: {reason: nothing}",
	        "ticket: {queue: q1, dated: received}",
	        "ticket: {queue: q2, dated: expected_claim_start, after_days: 7}",
	        "task: {kind: fraud_check, text: eins}", "task: {kind: fraud_check, text: zwei}",
	        "task: {kind: registration, text: eins}", "klaerung: {reason: open}",
	        "klaerung: {reason: closed}", "forward: {to: sgb2}", "archive: {mode: assert}",
	        "archive: {mode: write}", "reply: {channel: email}",
	        "reply: {channel: postbox, template: other}"};
	int n = (int)G_N_ELEMENTS(actions) - (item ? 2 : 0);
	g_string_append_printf(out, "      - %s\n", one_of(rand, actions, n));
}

static const char *random_targets(GRand *rand)
{
	static const char *const targets[] = {"[reply]", "[reply, call]", "[task.fraud_check]",
	        "[task, ticket.q1]", "{all_but: [eakte, klaerung]}",
	        "{all_but: [archive, none, task.registration]}", "[eakte]", "[none]"};
	return one_of(rand, targets, G_N_ELEMENTS(targets));
}

static void random_rule(GRand *rand, int number, GString *out)
{
	bool item = below(rand, 3) == 0;
	int effect = below(rand, 6);
	g_string_append_printf(out,
	        "  - id: \"%d\"\n    row: r%d\n    title: t\n    per: %s\n    when: ", below(rand, 6), number,
	        item ? "item" : "concern");
	random_map(rand, item, 0, out);
	g_string_append_printf(out, "\n    unknown: %s\n", below(rand, 2) ? "skips" : "applies");
	if (effect > 0 || below(rand, 2)) {
		g_string_append(out, "    then:\n");
		for (int i = 1 + below(rand, 2); i > 0; i--)
			random_action(rand, item, out);
	} else {
		effect = 0;
	}
	if (effect <= 1)
		g_string_append_printf(
		        out, "    bars: %s\n    reason: bar%d\n", random_targets(rand), below(rand, 2));
	if (effect == 2)
		g_string_append_printf(
		        out, "    adds_to: %s\n    block: block%d\n", random_targets(rand), below(rand, 2));
	g_string_append_printf(out, "    cites: [{source: s, section: \"%d\"}]\n", below(rand, 4));
}

static char *random_set(GRand *rand)
{
	GString *out = g_string_new("ruleset: random\ntitle: t\nvalid_from: 1980-01-01\nbasis: in_force\n"
	                            "sources: [{id: s, title: t}]\n"
	                            "invariants: [{id: i, title: t, action: call, at_most: 1}]\nrules:\n");
	for (int i = 0; i < RULES_A_SET; i++)
		random_rule(rand, i, out);
	return g_string_free(out, FALSE);
}

/* The same with three claims about each handler. */
static char *with_claims(const char *text)
{
	g_autoptr(GString) claims = g_string_new("invariants:\n");
	for (int h = 0; h < HANDLER_COUNT; h++) {
		const char *name = handler_name((enum handler)h);
		g_string_append_printf(claims,
		        "  - {id: no_%s, title: t, action: %s, at_most: 0}\n"
		        "  - {id: must_%s, title: t, when: {third_party: true, payment: [yes, unknown]}, "
		        "requires: %s}\n"
		        "  - {id: only_%s, title: t, action: %s, only_when: {resolved: true}}\n",
		        name, name, name, name, name, name);
	}
	g_auto(GStrv) parts =
	        g_strsplit(text, "invariants: [{id: i, title: t, action: call, at_most: 1}]\n", 2);
	return g_strjoinv(claims->str, parts);
}

/* ---- random inputs ---- */

static void random_marks(GRand *rand, struct rule_input *input)
{
	bool *marks[] = {&input->has_sender, &input->third_party, &input->resolved, &input->authority_stated,
	        &input->numbers_conflict, &input->unsuitable_document, &input->own_bounce};
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
		*marks[i] = below(rand, 2);
	input->doubt = below(rand, 5) == 0;
	input->doubt_reason = input->doubt ? g_strdup("below_threshold") : NULL;
}

static void random_facts(GRand *rand, struct facts *facts)
{
	enum fact *all[] = {&facts->address_match, &facts->benefit_recipient, &facts->documents_complete,
	        &facts->application_processed, &facts->duty_of_proof, &facts->internetperson,
	        &facts->represented, &facts->deceased, &facts->minor};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		*all[i] = (enum fact)below(rand, 3);
	facts->payment_method = (enum payment_method)below(rand, 4);
	facts->preferred_channel = (enum preferred_channel)below(rand, 4);
	if (below(rand, 2))
		facts->expected_claim_start = day_from_civil(2023, 5, 1) + below(rand, 500);
}

static void random_form(GRand *rand, struct rule_input *input)
{
	static const char *const entries[] = {"schulbildung", "studium", "sonstiges"};
	static const char *const kinds[] = {"umzug", "sonstiges", "unknown"};
	input->has_form = below(rand, 2);
	input->form_type = input->has_form ? (enum form_type)below(rand, 3) : FORM_UNKNOWN;
	input->form_kind = below(rand, 2) ? g_strdup(one_of(rand, kinds, 3)) : NULL;
	if (below(rand, 2))
		input->form_from = day_from_civil(2023, 10, 1) + below(rand, 200);
	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
		if (below(rand, 2))
			rule_input_set_cv(input, entries[i], (enum cv_state)below(rand, 3));
}

static struct rule_input *random_input(GRand *rand)
{
	static const char *const mailboxes[] = {"a@example.org", "b@example.org", "c@example.org", ""};
	struct rule_input *input = rule_input_new();
	input->channel = (enum channel)below(rand, 3);
	g_free(input->mailbox);
	input->mailbox = g_strdup(one_of(rand, mailboxes, 4));
	input->received = berlin_instant(day_from_civil(2023, 1, 1) + below(rand, 1500), below(rand, 2) * 12);
	input->automatic = below(rand, 3) ? AUTOMATIC_NO : (enum automatic)below(rand, 6);
	input->absence_days = below(rand, 60) - 15;
	if (input->absence_days < 0)
		input->absence_days = -1;
	random_marks(rand, input);
	random_facts(rand, &input->facts);
	random_form(rand, input);
	for (int n = below(rand, 4); n > 0; n--)
		rule_input_add_concern(input,
		        below(rand, 40) ? one_of(rand, concerns, G_N_ELEMENTS(concerns)) : "gibt_es_nicht",
		        below(rand, 3) ? RECHTSKREIS_SGB3 : (enum rechtskreis)below(rand, 3));
	return input;
}

/* ---- comparing ---- */

static void compare(const struct rules *rules, const struct ruleset *set, const struct yaml_node *file,
        const struct rule_input *input, const char *text)
{
	AUTO(decision) decision = rules_decide_under(rules, set, input);
	g_autofree char *engine = reference_lines(decision);
	g_autofree char *reference =
	        reference_decide(file, rules_catalogue(rules), rules_switches(rules), input);
	if (strcmp(engine, reference) == 0)
		return;
	JSON_AUTO json = rule_input_to_json(input);
	g_autofree char *words = json_canonical(json);
	cr_assert_fail("input %s\nengine:\n%sreference:\n%srules:\n%s", words, engine, reference, text);
}

static void compare_set(GRand *rand, int number)
{
	g_autofree char *text = random_set(rand);
	AUTO(bundle) bundle = shipped_bundle_but("rulesets/", "rulesets/random.yaml", text);
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_read(bundle, diag);
	if (!rules)
		diag_print(diag, stderr);
	cr_assert_not_null(rules, "set %d:\n%s", number, text);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	AUTO(yaml_file) file = yaml_load("random", bytes, diag);
	for (int i = 0; i < INPUTS_A_SET; i++) {
		AUTO(rule_input) input = random_input(rand);
		compare(rules, ruleset_find(rules, "random"), yaml_root(file), input, text);
	}
}

Test(rules_reference, engine_and_naive_evaluator_agree_on_a_million_pairs)
{
	const char *wanted = g_getenv("POSTEINGANG_PAIRS");
	long pairs = wanted ? atol(wanted) : 1000000, done = 0;
	g_autoptr(GRand) rand = g_rand_new_with_seed(20230512);
	for (int n = 0; done < pairs; n++, done += RULES_A_SET * INPUTS_A_SET)
		compare_set(rand, n);
	fprintf(stderr, "rules_reference: %ld pairs of rule and input, no difference\n", done);
}

/* ---- the proof against inputs ---- */

static bool is_refuted(const struct diag *diag, const char *claim, const char *handler)
{
	g_autofree char *words = g_strdup_printf("invariant \"%s_%s\"", claim, handler);
	for (unsigned i = 0; i < diag_total(diag); i++)
		if (strstr(diag_get(diag, i)->text, words))
			return true;
	return false;
}

/* What was proved must hold for this decision. */
static void check_proved(const struct diag *diag, const struct rule_input *input,
        const struct decision *decision, const char *text)
{
	for (int h = 0; h < HANDLER_COUNT; h++) {
		const char *name = handler_name((enum handler)h);
		bool happens = decision_find(decision, (enum handler)h, NULL) != NULL;
		bool relevant = decision->payment_relevant != RELEVANCE_NO;
		bool breaks_no = happens, breaks_only = happens && !input->resolved;
		bool breaks_must = input->third_party && relevant && !happens;
		cr_assert(!breaks_no || is_refuted(diag, "no", name), "no_%s was proved:\n%s", name, text);
		cr_assert(!breaks_only || is_refuted(diag, "only", name), "only_%s was proved:\n%s", name,
		        text);
		cr_assert(!breaks_must || is_refuted(diag, "must", name), "must_%s was proved:\n%s", name,
		        text);
	}
}

Test(rules_reference, what_the_proof_proves_holds_for_random_inputs)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(2024);
	unsigned proved = 0, refuted = 0, unproved = 0;
	for (int n = 0; n < 30; n++) {
		g_autofree char *plain = random_set(rand);
		g_autofree char *text = with_claims(plain);
		AUTO(bundle) bundle = shipped_bundle_but("rulesets/", "rulesets/random.yaml", text);
		AUTO(diag) diag = diag_new();
		AUTO(rules) rules = rules_read(bundle, diag);
		cr_assert_not_null(rules);
		proof_run(rules, diag);
		for (unsigned i = 0; i < diag_total(diag); i++) {
			refuted += strstr(diag_get(diag, i)->text, "smallest case") != NULL;
			unproved += strstr(diag_get(diag, i)->text, "could not be proved") != NULL;
		}
		for (int i = 0; i < 400; i++) {
			AUTO(rule_input) input = random_input(rand);
			AUTO(decision)
			decision = rules_decide_under(rules, ruleset_find(rules, "random"), input);
			check_proved(diag, input, decision, text);
		}
	}
	proved = 30 * 3 * HANDLER_COUNT - refuted - unproved;
	fprintf(stderr, "proof: %u claims proved, %u refuted by a case, %u not decided\n", proved, refuted,
	        unproved);
	cr_assert_gt(proved, 50);
	cr_assert_gt(refuted, 50);
}

Test(rules_reference, they_agree_on_the_shipped_rules)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20200102);
	AUTO(diag) diag = diag_new();
	g_autofree char *text = NULL;
	gsize size;
	cr_assert(g_file_get_contents(SOURCE_DIR "/config/rulesets/202001001.yaml", &text, &size, NULL));
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);
	AUTO(yaml_file) file = yaml_load("202001001", bytes, diag);
	const struct ruleset *set = ruleset_find(shipped_rules(), "202001001");
	for (int i = 0; i < 5000; i++) {
		AUTO(rule_input) input = random_input(rand);
		compare(shipped_rules(), set, yaml_root(file), input, "");
	}
}
