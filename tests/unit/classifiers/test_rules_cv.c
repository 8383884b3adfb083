/* Rule 2: all combinations of CV entries, and: the order of rules never matters. */
#include "rules_support.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const entries[] = {
        "schulbildung", "berufsausbildung", "studium", "berufspraxis", "weiterbildung", "sonstiges"};
enum { ENTRIES = 6, COMBINATIONS = 729 };

/* Writes combination `number` (base 3: unknown, empty, filled) and counts the empty ones. */
static int fill(struct rule_input *input, int number)
{
	int empty = 0;
	for (int i = 0; i < ENTRIES; i++, number /= 3) {
		rule_input_set_cv(input, entries[i], (enum cv_state)(number % 3));
		empty += number % 3 == CV_EMPTY;
	}
	return empty;
}

Test(rules_cv, the_call_is_dropped_exactly_if_schulbildung_alone_is_left_unused)
{
	int dropped = 0;
	for (int number = 0; number < COMBINATIONS; number++) {
		AUTO(rule_input)
		input = input_of("concern=arbeitsuchendmeldung channel=eservice form=arbeitsuchendmeldung");
		int empty = fill(input, number);
		bool only_school = empty == 1 && number % 3 == CV_EMPTY;
		AUTO(decision) decision = rules_decide(shipped_rules(), input);
		cr_assert_not_null(decision_find(decision, HANDLER_TASK, "registration"), "%d", number);
		cr_assert_eq(decision_find(decision, HANDLER_CALL, NULL) == NULL, only_school, "%d", number);
		cr_assert_eq(decision->suppressed->len, only_school ? 1 : 0);
		dropped += only_school;
	}
	cr_assert_eq(dropped, 32); /* the other five are unknown or filled */
}

Test(rules_cv, an_entry_the_catalogue_does_not_know_is_ignored)
{
	g_autofree char *got = decide_in_short(shipped_rules(),
	        "concern=arbeitsuchendmeldung channel=eservice cv.schulbildung=empty cv.hobbys=empty");
	cr_assert_str_eq(got, "task(registration) | -call:only_schulbildung_unused");
}

/* ---- order ---- */

/* The text with its entries under "rules:" in another order. */
static char *shuffled(const char *text, GRand *rand)
{
	g_auto(GStrv) halves = g_strsplit(text, "\nrules:\n", 2);
	g_auto(GStrv) rules = g_strsplit(halves[1], "\n  - id: ", -1);
	guint n = g_strv_length(rules);
	for (guint i = n - 1; i > 1; i--) {
		guint k = 1 + (guint)g_rand_int_range(rand, 0, (gint32)i);
		char *other = rules[i];
		rules[i] = rules[k];
		rules[k] = other;
	}
	g_autofree char *joined = g_strjoinv("\n  - id: ", rules);
	return g_strdup_printf("%s\nrules:\n%s\n", halves[0], joined);
}

static char *decide_json(const struct rules *rules, const char *words)
{
	AUTO(rule_input) input = input_of(words);
	AUTO(decision) decision = rules_decide(rules, input);
	JSON_AUTO json = decision_to_json(decision);
	return json_canonical(json);
}

Test(rules_order, permuted_rules_decide_byte_equal)
{
	static const char *const inputs[] = {
	        "concern=umzug,zahlungsverbindung,bearbeitungsstand_kindergeld third_party "
	        "received=2022-05-01",
	        "concern=arbeitsuchendmeldung,sonstiges channel=postbox internetperson=yes "
	        "received=2022-05-01",
	        "concern=umzug doubt address_match=no deceased=yes numbers_conflict received=2022-05-01",
	        "concern=umzug resolved duty_of_proof=no payment_method=iban authority_stated "
	        "received=2022-05-01",
	        "concern=umzug@sgb2,sonstiges@sgb2 third_party unsuitable_document received=2022-05-01",
	};
	g_autofree char *text = NULL;
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	cr_assert(g_file_get_contents(SOURCE_DIR "/config/rulesets/202001001.yaml", &text, NULL, NULL));
	for (int round = 0; round < 20; round++) {
		g_autofree char *other = shuffled(text, rand);
		AUTO(bundle) bundle = shipped_bundle_but("nothing", "rulesets/202001001.yaml", other);
		AUTO(diag) diag = diag_new();
		AUTO(rules) rules = rules_read(bundle, diag);
		if (!rules)
			diag_print(diag, stderr);
		cr_assert_not_null(rules);
		for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
			g_autofree char *before = decide_json(shipped_rules(), inputs[i]);
			g_autofree char *after = decide_json(rules, inputs[i]);
			cr_assert_str_eq(before, after);
		}
	}
}
