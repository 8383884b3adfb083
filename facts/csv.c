/* csv.c - quotes, line ends and delimiters of CSV; nothing else. */
#include "facts/csv.h"

#include <stdlib.h>
#include <string.h>

static unsigned quotes_in(const char *text)
{
	unsigned n = 0;
	for (const char *p = text; *p; p++)
		n += *p == '"';
	return n;
}

/* Reads lines until the quotes are balanced; -1 at the end of the file, 0 if it is too long. */
static int read_record(struct csv *csv, GString *record)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int got = -1;
	unsigned quotes = 0;
	csv->line = csv->next_line + 1;
	while ((n = getline(&line, &room, csv->file)) > 0) {
		got = 1;
		csv->next_line++;
		if (record->len + (size_t)n > CSV_MAX_RECORD || memchr(line, '\0', (size_t)n)) {
			got = 0;
			break;
		}
		g_string_append_len(record, line, n);
		quotes += quotes_in(line);
		if (quotes % 2 == 0)
			break;
	}
	free(line);
	return got;
}

static char detect(const char *record)
{
	unsigned commas = 0, semicolons = 0;
	for (const char *p = record; *p; p++) {
		commas += *p == ',';
		semicolons += *p == ';';
	}
	return semicolons > commas ? ';' : ',';
}

/* One quoted cell; p is behind the first quote. NULL: what follows the closing quote is no delimiter. */
static const char *read_quoted(const struct csv *csv, const char *p, GString *cell)
{
	for (; *p; p++) {
		if (*p != '"')
			g_string_append_c(cell, *p);
		else if (p[1] == '"')
			g_string_append_c(cell, *p++);
		else
			return p[1] == csv->delimiter || p[1] == '\0' ? p + 1 : NULL;
	}
	return NULL;
}

static const char *split(struct csv *csv, const char *p)
{
	for (;;) {
		g_autoptr(GString) cell = g_string_new(NULL);
		if (*p == '"') {
			p = read_quoted(csv, p + 1, cell);
			if (!p)
				return "a quoted cell does not end where it should";
		} else {
			size_t n = strcspn(p, csv->delimiter == ';' ? ";" : ",");
			if (memchr(p, '"', n))
				return "a quote inside a cell that is not quoted";
			g_string_append_len(cell, p, (gssize)n);
			p += n;
		}
		g_ptr_array_add(csv->cells, g_strdup(g_strstrip(cell->str)));
		if (*p == '\0')
			return NULL;
		p++;
	}
}

enum csv_state csv_next(struct csv *csv)
{
	g_autoptr(GString) record = g_string_new(NULL);
	g_clear_pointer(&csv->cells, g_ptr_array_unref);
	int got = read_record(csv, record);
	if (got < 0)
		return CSV_END;
	if (csv->line == 1 && g_str_has_prefix(record->str, "\xef\xbb\xbf"))
		g_string_erase(record, 0, 3);
	while (record->len && strchr("\r\n", record->str[record->len - 1]))
		g_string_truncate(record, record->len - 1);
	if (!csv->delimiter)
		csv->delimiter = detect(record->str);
	csv->cells = g_ptr_array_new_with_free_func(g_free);
	if (got == 0)
		csv->problem = "a record longer than 1 MiB, or with a NUL byte";
	else if (!g_utf8_validate(record->str, (gssize)record->len, NULL))
		csv->problem = "not UTF-8";
	else if (quotes_in(record->str) % 2)
		csv->problem = "a quoted cell that never ends";
	else
		csv->problem = split(csv, record->str);
	return csv->problem ? CSV_BROKEN : CSV_RECORD;
}

void csv_clear(struct csv *csv)
{
	g_clear_pointer(&csv->cells, g_ptr_array_unref);
}
