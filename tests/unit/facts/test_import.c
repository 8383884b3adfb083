/* Importing facts: every mistake with its line, all or nothing, and no number in a message. */
#include "../journal/fixture.h"
#include "core/error.h"
#include "facts/import.h"
#include "facts/provider.h"
#include "journal/fact_table.h"

#include <string.h>
#include <unistd.h>

static char *file_with(const char *ending, const char *text)
{
	g_autofree char *folder = g_dir_make_tmp("import-XXXXXX", NULL);
	char *path = g_strdup_printf("%s/facts.%s", folder, ending);
	cr_assert(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void drop(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	unlink(path);
	rmdir(folder);
}

static void finds(const char *ending, const char *text, const char *expected)
{
	g_autofree char *path = file_with(ending, text);
	AUTO(diag) diag = diag_new();
	struct facts_import_result result;
	g_autoptr(GError) error = NULL;
	cr_assert_not(facts_import_check(path, &result, diag, &error), "accepted: %s", text);
	cr_assert(strstr(error->message, expected), "expected \"%s\" in: %s", expected, error->message);
	cr_assert_null(strstr(error->message, "123A45"), "a number in a message: %s", error->message);
	drop(path);
}

Test(facts_import, mistakes_of_a_csv_file_have_their_line)
{
	finds("csv", "kundennummer,minor\n123A456789,yes\n123A45678,no\n",
	        "facts.csv:3:1: error: this is no kundennummer");
	finds("csv", "kundennummer,minor\n123A456789,ja\n", "facts.csv:2:1: error: fact \"minor\"");
	finds("csv", "kundennummer,minr\n",
	        "facts.csv:1:14: error: \"minr\" is neither a key nor a fact; did you mean \"minor\"?");
	finds("csv", "kundennummer,minor,minor\n", "stands there twice");
	finds("csv", "minor\nyes\n", "no column kundennummer or email");
	finds("csv", "kundennummer,minor\n123A456789\n", "facts.csv:2:1: error: 1 cells, expected 2");
	finds("csv", "kundennummer,minor\n\"123A456789\n,yes\n", "never ends");
	finds("csv", "kundennummer,minor\n\"123A456789\"x,yes\n", "facts.csv:2:1: error: a quoted cell");
	finds("csv", "kundennummer,minor\n123A456789,yes\n123a456789,no\n",
	        "facts.csv:3:1: error: the same kundennummer as in line 2");
	finds("csv", "kundennummer,expected_claim_start\n123A456789,01.04.2024\n", "not a date YYYY-MM-DD");
	finds("csv", "kundennummer,minor\n,yes\n", "neither kundennummer nor email");
	finds("csv", "kundennummer,minor\n123A456789,\xff\n", "not UTF-8");
	finds("csv", "", "no heading line");
}

Test(facts_import, mistakes_of_a_jsonl_file_have_their_line)
{
	finds("jsonl", "{\"kundennummer\":\"123A456789\"}\n{\n", "facts.jsonl:2:1: error: not a JSON value");
	finds("jsonl", "[]\n", "expected one object");
	finds("jsonl", "{\"kundennummer\":7}\n", "expected a string");
	finds("jsonl", "\n{\"email\":\"a@b.de\",\"minr\":\"yes\"}\n",
	        "facts.jsonl:2:1: error: \"minr\" is neither");
	finds("jsonl", "{\"email\":\"a@b.de\",\"facts\":{\"minor\":true}}\n", "expected a string");
}

Test(facts_import, all_mistakes_are_told_at_once)
{
	g_autofree char *path = file_with("csv", "kundennummer,minor\nx,yes\ny,yes\nz,vielleicht\n");
	AUTO(diag) diag = diag_new();
	struct facts_import_result result;
	cr_assert_not(facts_import_check(path, &result, diag, NULL));
	cr_assert_eq(diag_count(diag, SEVERITY_ERROR), 4);
	drop(path);
}

static enum fact minor_of(struct journal *journal, const char *kind, const char *value)
{
	struct fact_row row = {kind, value, NULL};
	CHECK(journal_look_up_facts(journal, &row, 1, &why));
	struct facts facts;
	cr_assert(facts_from_json(row.facts, &facts, NULL));
	json_decref(row.facts);
	return facts.minor;
}

static struct facts_import_result import(
        struct journal *journal, const char *ending, const char *text, bool replace)
{
	g_autofree char *path = file_with(ending, text);
	AUTO(diag) diag = diag_new();
	struct facts_import_result result;
	CHECK(facts_import(journal, path, replace, &result, diag, &why));
	drop(path);
	return result;
}

Test(facts_import, rows_are_found_by_either_key_and_a_second_import_replaces)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	struct facts_import_result result = import(journal, "csv",
	        "\xef\xbb\xbfkundennummer;email;minor\r\n123 A "
	        "456789;Anna@Example.org;yes\r\n\r\n321B987654;;no\r\n",
	        true);
	cr_assert_eq(result.rows, 2);
	cr_assert_eq(result.keys, 3);
	cr_assert_eq(result.kept, 3);
	cr_assert_eq(minor_of(journal, "kundennummer", "123A456789"), FACT_YES);
	cr_assert_eq(minor_of(journal, "email", "anna@example.org"), FACT_YES);
	result = import(
	        journal, "jsonl", "{\"kundennummer\":\"123A456789\",\"facts\":{\"minor\":\"no\"}}\n", false);
	cr_assert_eq(result.kept, 3);
	cr_assert_eq(minor_of(journal, "kundennummer", "123A456789"), FACT_NO);
	result = import(journal, "jsonl", "{\"kundennummer\":\"321B987654\",\"minor\":\"yes\"}\n", true);
	cr_assert_eq(result.kept, 1);
	cr_assert_eq(minor_of(journal, "kundennummer", "123A456789"), FACT_UNKNOWN);
	cr_assert_eq(records_of(journal, "facts.imported"), 3);
}

Test(facts_import, a_file_with_one_mistake_changes_nothing)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	import(journal, "csv", "kundennummer,minor\n123A456789,yes\n", true);
	g_autofree char *path = file_with("csv", "kundennummer,minor\n123A456789,no\n321B987654,ja\n");
	AUTO(diag) diag = diag_new();
	struct facts_import_result result;
	cr_assert_not(facts_import(journal, path, true, &result, diag, NULL));
	cr_assert_eq(minor_of(journal, "kundennummer", "123A456789"), FACT_YES);
	drop(path);
}

Test(facts_import, a_large_table_goes_in_whole)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	g_autoptr(GString) text = g_string_new("kundennummer,email,minor\n");
	for (int i = 0; i < 2500; i++)
		g_string_append_printf(text, "123A%06d,k%d@example.org,yes\n", i, i);
	struct facts_import_result result = import(journal, "csv", text->str, true);
	cr_assert_eq(result.rows, 2500);
	cr_assert_eq(result.kept, 5000);
}

Test(facts_import, the_table_of_the_demo_is_good)
{
	AUTO(diag) diag = diag_new();
	struct facts_import_result result;
	g_autoptr(GError) error = NULL;
	cr_assert(facts_import_check(SOURCE_DIR "/docs/demo/facts.csv", &result, diag, &error), "%s",
	        error ? error->message : "");
	cr_assert_gt(result.rows, 10);
}
