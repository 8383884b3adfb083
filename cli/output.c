/* output.c - lists as table, JSON Lines or CSV.
 *
 * A table has to see all cells of a column before it can print the first; it holds back at most TABLE_ROWS
 * rows and keeps the widths found so far, so that memory stays bounded whatever the length of the list.
 */
#include "cli/output.h"

#include "core/date.h"
#include "core/error.h"
#include "core/json.h"

#include <errno.h>
#include <string.h>

enum { TABLE_ROWS = 1000, GAP = 2 };

struct output {
	FILE *to;
	enum output_format format;
	const struct output_column *columns;
	unsigned n;
	json_t *row;     /* array of the cells given so far */
	GPtrArray *held; /* table: rows (GStrv) not yet printed */
	int *widths;
	bool headed;
};

struct output *output_new(FILE *to, enum output_format format, const struct output_column *columns)
{
	struct output *output = g_new0(struct output, 1);
	output->to = to;
	output->format = format;
	output->columns = columns;
	while (columns[output->n].key)
		output->n++;
	output->row = json_array();
	output->held = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	output->widths = g_new0(int, output->n);
	for (unsigned i = 0; i < output->n; i++)
		output->widths[i] = output_width(columns[i].title);
	return output;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	json_decref(output->row);
	g_ptr_array_unref(output->held);
	g_free(output->widths);
	g_free(output);
}

static void add_cell(struct output *output, json_t *value)
{
	g_assert(json_array_size(output->row) < output->n);
	json_array_append_new(output->row, value);
}

void output_text(struct output *output, const char *text)
{
	if (text)
		json_add_string(output->row, text);
	else
		add_cell(output, json_null());
}

void output_int(struct output *output, int64_t value)
{
	add_cell(output, json_integer(value));
}

void output_bool(struct output *output, bool value)
{
	add_cell(output, json_boolean(value));
}

void output_time(struct output *output, int64_t instant)
{
	g_autofree char *text = instant ? instant_format_berlin(instant) : NULL;
	output_text(output, text);
}

void output_json(struct output *output, const json_t *value)
{
	add_cell(output, value ? json_incref((json_t *)value) : json_null());
}

/* A cell as people read it; absent is "". */
static char *cell_text(const json_t *cell)
{
	if (!cell || json_is_null(cell))
		return g_strdup("");
	if (json_is_string(cell))
		return g_strdup(json_string_value(cell));
	if (json_is_integer(cell))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(cell));
	if (json_is_boolean(cell))
		return g_strdup(json_is_true(cell) ? "yes" : "no");
	char *text = json_dumps(cell, JSON_COMPACT | JSON_PRESERVE_ORDER);
	char *copy = g_strdup(text);
	free(text);
	return copy;
}

char *output_clean(const char *text, bool lines)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_sized_new(strlen(valid));
	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		/* C0, DEL, C1, and the bidirectional overrides that can reorder what is shown */
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
		               (c >= 0x2066 && c <= 0x2069);
		if (control && lines && (c == '\n' || c == '\t'))
			control = false;
		if (control && !lines && (c == '\n' || c == '\t' || c == '\r'))
			g_string_append_c(out, ' ');
		else
			g_string_append_unichar(out, control ? 0xfffd : c);
	}
	return g_string_free(out, FALSE);
}

int output_width(const char *text)
{
	int width = 0;
	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (!g_unichar_iszerowidth(c))
			width += g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

/* -- table -- */

static void print_cell(struct output *output, unsigned column, const char *text)
{
	int fill = MAX(output->widths[column] - output_width(text), 0);
	bool last = column + 1 == output->n;
	if (output->columns[column].right)
		fprintf(output->to, "%*s%s", fill, "", text);
	else
		fprintf(output->to, "%s%*s", text, last ? 0 : fill, "");
	if (!last)
		fprintf(output->to, "%*s", GAP, "");
}

static void print_held(struct output *output)
{
	for (unsigned i = 0; !output->headed && i < output->n; i++)
		print_cell(output, i, output->columns[i].title);
	if (!output->headed)
		fputc('\n', output->to);
	output->headed = true;
	for (guint r = 0; r < output->held->len; r++) {
		char **row = output->held->pdata[r];
		for (unsigned i = 0; i < output->n; i++)
			print_cell(output, i, row[i]);
		fputc('\n', output->to);
	}
	g_ptr_array_set_size(output->held, 0);
}

static void table_row(struct output *output)
{
	char **row = g_new0(char *, output->n + 1);
	for (unsigned i = 0; i < output->n; i++) {
		g_autofree char *text = cell_text(json_array_get(output->row, i));
		row[i] = output_clean(text, false);
		output->widths[i] = MAX(output->widths[i], output_width(row[i]));
	}
	g_ptr_array_add(output->held, row);
	if (output->held->len >= TABLE_ROWS)
		print_held(output);
}

/* -- JSON Lines -- */

void output_json_line(FILE *to, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	if (text)
		fputs(text, to);
	fputc('\n', to);
	free(text);
}

static void jsonl_row(struct output *output)
{
	JSON_AUTO object = json_object();
	for (unsigned i = 0; i < output->n; i++) {
		json_t *cell = json_array_get(output->row, i);
		json_object_set_new(object, output->columns[i].key, cell ? json_incref(cell) : json_null());
	}
	output_json_line(output->to, object);
}

/* -- CSV -- */

static void csv_cell(FILE *to, const char *text, bool guard)
{
	bool formula = guard && *text && strchr("=+-@\t\r", *text);
	bool quote = formula || strpbrk(text, ",\"\r\n") || *text == ' ';
	if (!quote) {
		fputs(text, to);
		return;
	}
	fputs(formula ? "\"'" : "\"", to);
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			fputc('"', to);
		fputc(*p, to);
	}
	fputc('"', to);
}

static void csv_head(struct output *output)
{
	for (unsigned i = 0; i < output->n; i++) {
		if (i)
			fputc(',', output->to);
		csv_cell(output->to, output->columns[i].key, false);
	}
	fputs("\r\n", output->to);
	output->headed = true;
}

static void csv_row(struct output *output)
{
	if (!output->headed)
		csv_head(output);
	for (unsigned i = 0; i < output->n; i++) {
		const json_t *cell = json_array_get(output->row, i);
		g_autofree char *text = cell_text(cell);
		if (i)
			fputc(',', output->to);
		csv_cell(output->to, text, !json_is_integer(cell));
	}
	fputs("\r\n", output->to);
}

void output_row(struct output *output)
{
	if (output->format == OUTPUT_JSONL)
		jsonl_row(output);
	else if (output->format == OUTPUT_CSV)
		csv_row(output);
	else
		table_row(output);
	json_array_clear(output->row);
}

bool output_end(struct output *output, GError **error)
{
	if (output->format == OUTPUT_TABLE)
		print_held(output);
	else if (output->format == OUTPUT_CSV && !output->headed)
		csv_head(output);
	if (fflush(output->to) == 0 && !ferror(output->to))
		return true;
	fail(error, ERROR_AGAIN, "cannot write the output: %s", g_strerror(errno));
	return false;
}
