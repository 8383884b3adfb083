/* Terms: what matches, what is refused and where, that one pass sees all. */
#include "classifier_support.h"
#include "classifiers/terms.h"
#include "classifiers/terms_tool.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static struct terms *terms_of(const char *lexicon, const char *list, struct diag *diag)
{
	g_autofree char *text = list ? g_strdup_printf("version: 1\nconcern: umzug\nterms:\n%s", list) : NULL;
	AUTO(bundle) bundle = small_bundle(lexicon, text, NULL);
	return terms_load(bundle, NULL, diag);
}

/* Names of the terms that fire in `text`, with blanks between. */
static char *fired(const struct terms *terms, const char *text)
{
	struct prepared prepared;
	struct term_matches matches;
	prepared_init(&prepared);
	term_matches_init(&matches);
	AUTO(terms_scratch) scratch = terms_scratch_new(terms);
	AUTO(message) message = text_message(NULL, text);
	prepare_message(&prepared, message);
	terms_match(terms, scratch, &prepared, &matches);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < matches.terms->len; i++)
		g_string_append_printf(out, "%s%s", i ? " " : "",
		        terms_get(terms, g_array_index(matches.terms, struct term_hit, i).term)->id);
	prepared_clear(&prepared);
	term_matches_clear(&matches);
	return g_string_free(out, FALSE);
}

static void fires(const struct terms *terms, const char *text, const char *expected)
{
	g_autofree char *found = fired(terms, text);
	cr_assert_str_eq(found, expected, "\"%s\": fired \"%s\", expected \"%s\"", text, found, expected);
}

Test(terms, a_star_says_where_a_word_may_go_on)
{
	AUTO(diag) diag = diag_new();
	AUTO(terms)
	terms = terms_of(NULL,
	        "  - {id: whole, any: [adresse]}\n  - {id: stem, any: [\"kündig*\"]}\n  - {id: end, any: "
	        "[\"*wohnung\"]}\n"
	        "  - {id: part, any: [\"*umzug*\"]}\n  - {id: phrase, any: [\"neue anschrift\"]}\n",
	        diag);
	cr_assert_not_null(terms);
	fires(terms, "Meine Adresse.", "whole");
	fires(terms, "Adressen", "");
	fires(terms, "KUENDIGUNG", "stem");
	fires(terms, "ungekündigt", "");
	fires(terms, "Ferienwohnung", "end");
	fires(terms, "Wohnungen", "");
	fires(terms, "Firmenumzugstag", "part");
	fires(terms, "meine neue\nAnschrift", "");
	fires(terms, "Die neue   Anschrift!", "phrase");
}

Test(terms, nearness_and_conditions_hold_within_one_sentence)
{
	AUTO(diag) diag = diag_new();
	AUTO(terms)
	terms = terms_of("version: 1\nclasses:\n  no: [nicht, kein]\n  street: [weg]\n",
	        "  - {id: near, any: [wohne], near: [\"#postcode\"], within: 2}\n"
	        "  - {id: without, any: [umziehe], excludes: [\"@no\"]}\n"
	        "  - {id: with, any: [ziehe], requires: [\"@street\"]}\n",
	        diag);
	cr_assert_not_null(terms);
	fires(terms, "Ich wohne in 53113 Bonn", "near");
	fires(terms, "Ich wohne sehr gern und lange in 53113 Bonn", "");
	fires(terms, "Ich wohne. 53113 Bonn.", "");
	fires(terms, "dass ich umziehe", "without");
	fires(terms, "dass ich nicht umziehe", "");
	fires(terms, "Ich bin nicht da. Weil ich umziehe.", "without");
	fires(terms, "ich ziehe weg", "with");
}

Test(terms, a_term_that_could_blow_up_is_refused_where_it_stands)
{
	static const char *const bad[] = {
	        "/(a+)+\\1/", "/x*/", "/(?=a)b/", "/a{3000}[bc]{3000}/", "/unfinished"};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		AUTO(diag) diag = diag_new();
		g_autofree char *list = g_strdup_printf("  - id: bad\n    any: ['%s']\n", bad[i]);
		AUTO(terms) terms = terms_of(NULL, list, diag);
		g_autofree char *text = diag_text(diag);
		cr_assert_null(terms, "%s was taken", bad[i]);
		cr_assert_not_null(strstr(text, "terms_x.yaml:5:11: "), "%s", text);
	}
}

Test(terms, every_slip_in_a_term_is_told_with_its_place)
{
	static const struct {
		const char *list, *message;
	} slips[] = {{"  - {id: a}\n", "terms_x.yaml:4:5: the term has no `any`"},
	        {"  - {id: a, any: [\"a*\"]}\n", "at least 3 letters"},
	        {"  - {id: a, any: [\"umz*ug\"]}\n", "a star stands only at the begin or end"},
	        {"  - {id: a, any: [\"42\"]}\n", "a bare number cannot be part of a term"},
	        {"  - {id: a, any: [\"@nosuch\"]}\n", "there is no class \"nosuch\""},
	        {"  - {id: a, any: [\"#nosuch\"]}\n", "there is no cue \"nosuch\""},
	        {"  - {id: a, any: [haus], near: [hof]}\n", "only @class and #cue"},
	        {"  - {id: a, any: [haus], weight: 1000}\n", "terms_x.yaml:4:"},
	        {"  - {id: a, any: [haus]}\n  - {id: a, any: [hof]}\n", "there are two terms \"a\""},
	        {"  - {id: a, any: [haus], wight: 3}\n", "wight"},
	        {"  - {id: a, any: [\"!!\"]}\n", "at least one letter"}};
	for (size_t i = 0; i < G_N_ELEMENTS(slips); i++) {
		AUTO(diag) diag = diag_new();
		AUTO(terms) terms = terms_of(NULL, slips[i].list, diag);
		g_autofree char *text = diag_text(diag);
		cr_assert_null(terms, "taken: %s", slips[i].list);
		cr_assert_not_null(strstr(text, slips[i].message), "%s\nsaid: %s", slips[i].list, text);
	}
}

Test(terms, a_damaged_cache_file_means_compiling_anew)
{
	g_autofree char *folder = g_dir_make_tmp("posteingang-cache-XXXXXX", NULL);
	AUTO(bundle)
	bundle = small_bundle(NULL, "version: 1\nconcern: umzug\nterms:\n  - {id: a, any: [umzug]}\n", NULL);
	AUTO(diag) diag = diag_new();
	struct terms *first = terms_load(bundle, folder, diag);
	cr_assert_not_null(first);
	terms_free(first);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name = g_dir_read_name(dir);
	cr_assert_not_null(name, "nothing was kept");
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *content = NULL;
	gsize size;
	cr_assert(g_file_get_contents(path, &content, &size, NULL));
	content[size / 2] = (char)(content[size / 2] ^ 0x40);
	cr_assert(g_file_set_contents(path, content, (gssize)size, NULL));
	AUTO(terms) again = terms_load(bundle, folder, diag);
	cr_assert_not_null(again);
	fires(again, "umzug", "a");
	g_remove(path);
	g_rmdir(folder);
}

Test(terms, thousands_of_terms_are_matched)
{
	g_autoptr(GString) lexicon = g_string_new("version: 1\nclasses:\n  many: [");
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(lexicon, "%swort%c%c%c%cende", i ? ", " : "", 'a' + i % 26,
		        'a' + i / 26 % 26, 'a' + i / 676 % 26, 'k');
	g_string_append(lexicon, "]\n");
	AUTO(diag) diag = diag_new();
	AUTO(terms) terms = terms_of(lexicon->str, "  - {id: many, any: [\"@many\"]}\n", diag);
	cr_assert_not_null(terms);
	cr_assert_geq(terms_patterns(terms), 5000);
	fires(terms, "ein wortabakende hier", "many");
}

Test(terms, the_tests_beside_the_shipped_terms_pass)
{
	AUTO(bundle) bundle = shipped_bundle();
	AUTO(diag) diag = diag_new();
	struct terms_tests tests;
	terms_tests_run(bundle, diag, &tests);
	g_autofree char *text = diag_text(diag);
	cr_assert_gt(tests.tests, 10);
	cr_assert_eq(tests.failed, 0, "%s", text);
	cr_assert_eq(diag_count(diag, SEVERITY_ERROR), 0, "%s", text);
}

Test(terms, a_test_that_fails_is_an_error_at_its_line)
{
	AUTO(bundle)
	bundle = small_bundle(NULL,
	        "version: 1\nconcern: umzug\nterms:\n  - {id: a, any: [umzug]}\ntests:\n"
	        "  - {text: \"mein umzug\", expect: [namensaenderung]}\n",
	        NULL);
	AUTO(diag) diag = diag_new();
	struct terms_tests tests;
	terms_tests_run(bundle, diag, &tests);
	g_autofree char *text = diag_text(diag);
	cr_assert_eq(tests.failed, 1);
	cr_assert_eq(tests.covered, 1);
	cr_assert_not_null(strstr(text, "terms_x.yaml:6:5: the test fails"), "%s", text);
}
