/* output.h - one writer of lists for all commands: aligned table, JSON Lines or CSV, as --format says.
 *
 *     static const struct output_column columns[] = {{"id", "ITEM"}, {"n", "COUNT", .right = true}, {NULL}};
 *     AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
 *     output_text(out, name); output_int(out, 3); output_row(out);      // … one call a cell, then the row
 *     if (!output_end(out, error)) …
 *
 * Table: columns as wide as their widest cell on a terminal (East Asian wide and combining characters count
 * as they are shown); control characters are replaced, so that no value can steer the terminal. JSON Lines:
 * one object a row, keys in column order, absent cells null. CSV: RFC 4180 (CRLF, quotes), a heading line of
 * keys; text that a spreadsheet would take for a formula (= + - @ tab CR in front) gets an apostrophe.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/command.h"
#include "core/auto.h"

#include <jansson.h>
#include <stdint.h>

struct output_column {
	const char *key;   /* JSON and CSV; NULL ends the list */
	const char *title; /* heading of the table */
	bool right;        /* numbers */
};

struct output;

/* `columns` is borrowed and must outlive the output. */
struct output *output_new(FILE *to, enum output_format format, const struct output_column *columns);
void output_free(struct output *output);
AUTO_FREE(output);

/* The next cell of the row. */
void output_text(struct output *output, const char *text); /* NULL: absent */
void output_int(struct output *output, int64_t value);
void output_bool(struct output *output, bool value);      /* "yes" or "no"; true or false in JSON */
void output_time(struct output *output, int64_t instant); /* RFC 3339, Berlin; 0: absent */
/* A value of any shape: itself in JSON, compact JSON text elsewhere. Borrowed. */
void output_json(struct output *output, const json_t *value);
/* Ends the row; cells that were not given are absent. */
void output_row(struct output *output);

/* Writes what is still held back. False if the stream has failed (ERROR_AGAIN: disk full, pipe closed). */
bool output_end(struct output *output, GError **error);

/* One JSON value as a line, keys as they were set. */
void output_json_line(FILE *to, const json_t *value);
/* Text for a terminal: control characters become U+FFFD, except line ends and tabs if `lines`. */
char *output_clean(const char *text, bool lines);
/* Cells `text` takes on a terminal. */
int output_width(const char *text);

#endif
