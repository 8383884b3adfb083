/* Texts for customers: what may stand in them is a closed list, and every mistake is found before one is
 * sent. */
#include "config/deployment.h"
#include "config/template.h"
#include "core/date.h"
#include "core/error.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static void put(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	cr_assert(g_file_set_contents(path, text, -1, NULL));
}

/* A bundle with one template, read; the findings as one text. */
static struct templates *load(const char *text, char **findings)
{
	g_autofree char *folder = g_dir_make_tmp("templates-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(folder, "templates", NULL);
	g_mkdir(sub, 0700);
	put(folder, "catalogue.yaml", "x: 1\n");
	put(sub, "values.yaml", "dienststelle: Amt\ntelefon: 110\nportal: https://example.org\n");
	put(sub, "vorteil.txt", "kind: block\n\nOnline geht es schneller: {{portal}}\n");
	put(sub, "x.txt", text);
	AUTO(bundle) bundle = bundle_read(folder, NULL);
	AUTO(diag) diag = diag_new();
	struct templates *templates = templates_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	*findings = diag_ok(diag, &error) ? NULL : g_strdup(error->message);
	return templates;
}

static void refuses(const char *text, const char *expected)
{
	g_autofree char *findings = NULL;
	AUTO(templates) templates = load(text, &findings);
	cr_assert_not_null(findings, "nothing found in: %s", text);
	cr_assert(strstr(findings, expected), "expected \"%s\" in: %s", expected, findings);
}

static struct text *fill(const char *text, const char *block)
{
	g_autofree char *findings = NULL;
	AUTO(templates) templates = load(text, &findings);
	cr_assert_null(findings, "%s", findings);
	struct template_values values = {berlin_instant(day_from_civil(2024, 4, 8), 0), "1f-17", block};
	struct text *filled = templates_fill(templates, "x", &values, NULL);
	cr_assert_not_null(filled);
	return filled;
}

Test(template, placeholders_are_filled_from_the_closed_list)
{
	AUTO(text)
	text = fill("kind: reply\nsubject: Zu {{vorgang}}\n\nAm {{ eingang }}, {{dienststelle}}.\n", NULL);
	cr_assert_str_eq(text->subject, "Zu 1f-17");
	cr_assert_str_eq(text->body, "Am 8. April 2024, Amt.\n");
}

Test(template, a_block_that_is_not_asked_for_takes_its_line_with_it)
{
	const char *source = "kind: reply\nsubject: S\n\nEins\n\n{{block}}\n\nZwei\n";
	AUTO(text) without = fill(source, NULL);
	cr_assert_str_eq(without->body, "Eins\n\nZwei\n");
	AUTO(text) with = fill(source, "vorteil");
	cr_assert_str_eq(with->body, "Eins\n\nOnline geht es schneller: https://example.org\n\nZwei\n");
}

Test(template, a_personal_placeholder_is_refused_with_its_place)
{
	refuses("kind: reply\nsubject: S\n\nGuten Tag\nliebe {{from_name}}!\n",
	        "x.txt:5:7: error: placeholder not in");
	refuses("kind: reply\nsubject: S\n\n{{eingan}}\n", "did you mean \"eingang\"?");
	refuses("kind: reply\nsubject: {{eingang}}\n\nT\n",
	        "x.txt:2:10: error: placeholder not allowed here");
	refuses("kind: block\n\nT {{block}}\n", "not allowed here");
}

Test(template, a_broken_head_or_text_is_refused_with_its_place)
{
	refuses("kind: reply\n\nT\n", "needs a \"subject:\"");
	refuses("kind: task\nsubject: S\n\nT\n", "only a reply has a subject");
	refuses("kind: letter\n\nT\n", "x.txt:1:7: error: kind is one of");
	refuses("subject: S\n\nT\n", "lacks \"kind:\"");
	refuses("kind: task\nfrom: a\n\nT\n", "x.txt:2:1: error: unknown key");
	refuses("kind: task\n", "no text behind the head");
	refuses("kind: task\n\n{{telefon\n", "x.txt:3:1: error: \"{{\" without");
	refuses("kind: task\n\nT\r\n", "control character");
	refuses("kind: task\n\n\xff\n", "not UTF-8");
}

Test(template, a_template_or_block_that_is_not_there_is_an_error)
{
	g_autofree char *findings = NULL;
	AUTO(templates) templates = load("kind: task\n\nT\n", &findings);
	g_autoptr(GError) error = NULL;
	struct template_values values = {.block = "x"};
	cr_assert_null(templates_fill(templates, "x", &values, &error), "a task is no block");
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	g_clear_error(&error);
	cr_assert_null(templates_fill(templates, "y", &values, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
}

Test(template, the_shipped_texts_load_and_consent_to_nothing)
{
	AUTO(bundle) bundle = bundle_read(SOURCE_DIR "/config", NULL);
	AUTO(diag) diag = diag_new();
	AUTO(templates) templates = templates_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	cr_assert(diag_ok(diag, &error), "%s", error ? error->message : "");
	cr_assert(templates_has(templates, "ortsabwesenheit", TEMPLATE_REPLY));
	cr_assert(templates_has(templates, "umzug", TEMPLATE_REPLY));
	cr_assert(templates_has(templates, "vorteil", TEMPLATE_BLOCK));
	struct template_values values = {instant_now(), "1f-17", "vorteil"};
	AUTO(text) text = templates_fill(templates, "ortsabwesenheit", &values, NULL);
	cr_assert(strstr(text->body, "keine Zustimmung"));
	cr_assert(strstr(text->body, "vorherige Zustimmung"));
	cr_assert(strstr(text->body, "Postfach"), "the benefit text is in");
	cr_assert_null(strstr(text->body, "{{"));
}
