/* Rule sets as pages: list, show, difference and table in three formats. */
#include "classifiers/rules_table.h"
#include "rules_support.h"

#include <criterion/criterion.h>
#include <string.h>

/* What a rendering writes. */
struct page {
	FILE *out;
	char *text;
	size_t size;
};

static FILE *page_open(struct page *page)
{
	return page->out = open_memstream(&page->text, &page->size);
}

static const char *page_text(struct page *page)
{
	fclose(page->out);
	return page->text;
}

Test(rules_render, the_calendar_is_listed_with_german_days)
{
	struct page page;
	rules_list_print(shipped_rules(), RULES_FORMAT_TEXT, page_open(&page));
	const char *text = page_text(&page);
	cr_assert_not_null(strstr(text, "202001001    02.01.2020  31.12.2022  in_force"), "%s", text);
	cr_assert_not_null(strstr(text, "gap-2023     01.01.2023  11.05.2023  expired"), "%s", text);
	cr_assert_not_null(strstr(text, "202305004    12.05.2023  -           in_force"), "%s", text);
	free(page.text);
}

Test(rules_render, a_table_in_html_escapes_and_names_its_headings)
{
	struct page page;
	AUTO(bundle)
	bundle =
	        shipped_bundle_with("rulesets/202001001.yaml", "title: Zwei verschiedene", "title: <b>&Zwei");
	AUTO(diag) diag = diag_new();
	AUTO(rules) rules = rules_read(bundle, diag);
	cr_assert(rules_table_print(rules, "202001001", RULES_FORMAT_HTML, page_open(&page), NULL));
	const char *text = page_text(&page);
	cr_assert_not_null(strstr(text, "&lt;b&gt;&amp;Zwei"));
	cr_assert_null(strstr(text, "<b>"));
	cr_assert_not_null(strstr(text, "<th scope=\"col\">Rule</th>"));
	cr_assert_not_null(strstr(text, "<th scope=\"row\">5/relevant</th>"));
	free(page.text);
}

Test(rules_render, a_table_in_csv_has_as_many_fields_in_every_line)
{
	struct page page;
	cr_assert(rules_table_print(shipped_rules(), "202305004", RULES_FORMAT_CSV, page_open(&page), NULL));
	g_auto(GStrv) lines = g_strsplit(page_text(&page), "\r\n", -1);
	for (char **line = lines; *line && **line; line++) {
		unsigned fields = 1;
		bool quoted = false;
		for (const char *p = *line; *p; p++) {
			quoted ^= *p == '"';
			fields += *p == ',' && !quoted;
		}
		cr_assert_eq(fields, 7, "%s", *line);
	}
	free(page.text);
}

Test(rules_render, one_rule_is_shown_with_its_place)
{
	struct page page;
	cr_assert(rules_show_print(shipped_rules(), "gap-2023", "6", page_open(&page), NULL));
	const char *text = page_text(&page);
	cr_assert_not_null(strstr(text, "6/none"), "%s", text);
	cr_assert_not_null(strstr(text, "switch.gap_relief is true"), "%s", text);
	cr_assert_not_null(strstr(text, "gap-2023.yaml:"), "%s", text);
	free(page.text);
}

Test(rules_render, a_set_is_shown_with_sources_and_invariants)
{
	struct page page;
	cr_assert(rules_show_print(shipped_rules(), "202305004", NULL, page_open(&page), NULL));
	const char *text = page_text(&page);
	cr_assert_not_null(strstr(text, "extends 202001001, cited as continued"), "%s", text);
	cr_assert_not_null(strstr(text, "zahlung: Was zahlungsrelevant ist"), "%s", text);
	cr_assert_not_null(strstr(text, "text  Anliegen im Postfach-Dialog"), "%s", text);
	free(page.text);
}

Test(rules_render, the_difference_of_the_weisungen_names_what_went_came_and_changed)
{
	struct page page;
	cr_assert(rules_diff_print(shipped_rules(), "202001001", "202305004", page_open(&page), NULL));
	const char *text = page_text(&page);
	cr_assert_not_null(strstr(text, "\n- I  Registrierung"), "%s", text);
	cr_assert_not_null(strstr(text, "\n+ N  Namensänderung"), "%s", text);
	cr_assert_not_null(strstr(text, "\n~ P/postbox\n"), "%s", text);
	free(page.text);
}

Test(rules_render, an_unknown_set_or_rule_is_refused_with_the_known_ones)
{
	struct page page;
	g_autoptr(GError) error = NULL, other = NULL;
	cr_assert_not(
	        rules_table_print(shipped_rules(), "2020", RULES_FORMAT_TEXT, page_open(&page), &error));
	cr_assert_not_null(strstr(error->message, "known: 202001001, gap-2023, 202305004, outside"));
	cr_assert_not(rules_show_print(shipped_rules(), "202305004", "I", page.out, &other));
	cr_assert_not_null(strstr(other->message, "has no rule \"I\""));
	page_text(&page);
	free(page.text);
}

Test(rules_render, the_table_as_text_has_every_rule_of_the_design)
{
	static const char *const ids[] = {"A  ", "B/filed", "1/ticket", "2/call", "3/call",
	        "4/archive_assert", "5/relevant", "6/none", "F/forward", "P/postbox", "N  ", "V/reply",
	        "H/absence", "M/machine", "D  "};
	struct page page;
	cr_assert(rules_table_print(shipped_rules(), "202305004", RULES_FORMAT_TEXT, page_open(&page), NULL));
	const char *text = page_text(&page);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autofree char *line = g_strdup_printf("\n%s", ids[i]);
		cr_assert_not_null(strstr(text, line), "%s", ids[i]);
	}
	free(page.text);
}

Test(rules_render, the_calendar_is_listed_in_csv_and_html_too)
{
	struct page csv, html;
	rules_list_print(shipped_rules(), RULES_FORMAT_CSV, page_open(&csv));
	rules_list_print(shipped_rules(), RULES_FORMAT_HTML, page_open(&html));
	cr_assert(g_str_has_prefix(page_text(&csv), "Rule set,From,To,Basis,Rules,Title\r\n"));
	cr_assert_not_null(strstr(page_text(&html), "</html>"));
	free(csv.text);
	free(html.text);
}
