/* Every mistake in a YAML file is reported at its own line and column, all of them in one run. */
#include "config/yaml.h"

#include <criterion/criterion.h>
#include <string.h>

static struct yaml_file *load(const char *text, struct diag *diag)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	return yaml_load("a.yaml", bytes, diag);
}

static void assert_entry(const struct diag *diag, unsigned i, int line, int column, const char *part)
{
	cr_assert_gt(diag_total(diag), i);
	const struct diag_entry *entry = diag_get(diag, i);
	cr_expect_eq(entry->line, line, "line %d, not %d: %s", entry->line, line, entry->text);
	cr_expect_eq(entry->column, column, "column %d, not %d: %s", entry->column, column, entry->text);
	cr_expect(strstr(entry->text, part), "\"%s\" does not say \"%s\"", entry->text, part);
}

Test(yaml, a_repeated_key_is_reported_where_it_stands_again)
{
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("a: 1\nb: 2\na: 3\n", diag);
	assert_entry(diag, 0, 3, 1, "\"a\" is repeated (first in line 1)");
}

Test(yaml, a_tab_in_the_indentation_is_reported)
{
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("a:\n\tb: 1\n", diag);
	cr_assert_gt(diag_count(diag, SEVERITY_ERROR), 0);
	cr_assert_eq(diag_get(diag, 0)->line, 2);
}

Test(yaml, an_alias_is_refused)
{
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("a: &x 1\nb: *x\n", diag);
	assert_entry(diag, 0, 2, 4, "aliases are not allowed");
}

Test(yaml, an_unknown_key_gets_a_suggestion)
{
	static const char *const known[] = {"priority", "title", NULL};
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("title: x\npriorty: 3\n", diag);
	yaml_check_keys(yaml_root(yaml), known, diag);
	assert_entry(diag, 0, 2, 1, "unknown key \"priorty\", did you mean \"priority\"?");
}

Test(yaml, wrong_values_are_all_reported_and_the_fallback_is_used)
{
	static const char *const words[] = {"open", "closed", NULL};
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("n: heavy\nb: yes\ne: clsoed\nd: 2023-02-30\n", diag);
	const struct yaml_node *root = yaml_root(yaml);
	cr_assert_eq(yaml_int(root, "n", 7, 0, 10, diag), 7);
	cr_assert_eq(yaml_bool(root, "b", true, diag), true);
	cr_assert_eq(yaml_enum(root, "e", words, 0, diag), 0);
	yaml_day(root, "d", diag);
	assert_entry(diag, 0, 1, 4, "expected a whole number from 0 to 10");
	assert_entry(diag, 1, 2, 4, "expected one of: false, true");
	assert_entry(diag, 2, 3, 4, "did you mean \"closed\"");
	assert_entry(diag, 3, 4, 4, "expected a date YYYY-MM-DD");
}

Test(yaml, an_empty_file_is_an_empty_map)
{
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = load("", diag);
	cr_assert_not_null(yaml);
	cr_assert_eq(yaml_root(yaml)->kind, YAML_MAP);
	cr_assert_eq(diag_total(diag), 0);
}

/* Read to its end, the text would take minutes and give an error for every bracket. */
Test(yaml, deep_nesting_is_refused_where_it_becomes_too_deep, .timeout = 60)
{
	static const char *const pieces[] = {"[", "{", "- ", "? "};
	for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) text = g_string_new("a:\n  ");
		while (text->len < 200000)
			g_string_append(text, pieces[i]);
		AUTO(diag) diag = diag_new();
		AUTO(yaml_file) yaml = load(text->str, diag);
		cr_assert_eq(diag_count(diag, SEVERITY_ERROR), 1, "%s", pieces[i]);
	}
}
