/* The list writer of all commands: what a person, a program and a spreadsheet get. */
#include "cli/output.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct output_column columns[] = {
        {"name", "NAME", false}, {"n", "COUNT", true}, {NULL, NULL, false}};

static char *written(enum output_format format, const char *const *names)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	struct output *out = output_new(to, format, columns);
	for (int i = 0; names[i]; i++) {
		output_text(out, *names[i] ? names[i] : NULL);
		output_int(out, (i + 1) * -5);
		output_row(out);
	}
	cr_assert(output_end(out, NULL));
	output_free(out);
	fclose(to);
	return text;
}

Test(output, a_table_is_aligned_by_what_a_terminal_shows)
{
	char *text = written(OUTPUT_TABLE, (const char *const[]){"Köln", "日本", NULL});
	cr_assert_str_eq(text, "NAME  COUNT\nKöln     -5\n日本    -10\n");
	free(text);
}

Test(output, no_value_can_steer_the_terminal)
{
	char *text = written(OUTPUT_TABLE, (const char *const[]){"a\033[2Jb\nc", NULL});
	cr_assert_null(strchr(text, '\033'));
	cr_assert_not_null(strstr(text, "b c"));
	free(text);
}

Test(output, json_lines_keep_types_and_absence)
{
	char *text = written(OUTPUT_JSONL, (const char *const[]){"x\"y", "", NULL});
	cr_assert_str_eq(text, "{\"name\":\"x\\\"y\",\"n\":-5}\n{\"name\":null,\"n\":-10}\n");
	free(text);
}

Test(output, csv_quotes_as_rfc_4180_says)
{
	char *text = written(OUTPUT_CSV, (const char *const[]){"a,b", "say \"x\"", "two\nlines", NULL});
	cr_assert_str_eq(text, "name,n\r\n\"a,b\",-5\r\n\"say \"\"x\"\"\",-10\r\n\"two\nlines\",-15\r\n");
	free(text);
}

Test(output, csv_text_is_never_a_formula_and_numbers_stay_numbers)
{
	char *text = written(OUTPUT_CSV, (const char *const[]){"=1+1", "@cmd", "-2", NULL});
	cr_assert_str_eq(text, "name,n\r\n\"'=1+1\",-5\r\n\"'@cmd\",-10\r\n\"'-2\",-15\r\n");
	free(text);
}

Test(output, an_empty_list_still_has_its_heading)
{
	char *text = written(OUTPUT_CSV, (const char *const[]){NULL});
	cr_assert_str_eq(text, "name,n\r\n");
	free(text);
	text = written(OUTPUT_TABLE, (const char *const[]){NULL});
	cr_assert_str_eq(text, "NAME  COUNT\n");
	free(text);
}

Test(output, a_long_table_is_printed_in_parts_and_whole)
{
	const char *names[2502];
	for (int i = 0; i < 2501; i++)
		names[i] = "x";
	names[2501] = NULL;
	char *text = written(OUTPUT_TABLE, names);
	int lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 2502);
	free(text);
}

Test(output, a_closed_disk_is_an_error_and_not_silence)
{
	FILE *to = fopen("/dev/full", "w");
	struct output *out = output_new(to, OUTPUT_CSV, columns);
	g_autoptr(GError) error = NULL;
	cr_assert_not(output_end(out, &error));
	cr_assert_not_null(error);
	output_free(out);
	fclose(to);
}
