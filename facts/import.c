/* import.c - reading a table of facts, twice: first to find every mistake, then to write. */
#include "facts/import.h"
#include "core/error.h"
#include "facts/csv.h"
#include "facts/provider.h"
#include "journal/fact_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 1000, FINDINGS_MAX = 50, KINDS = 2 };
static const char *const kinds[KINDS] = {"kundennummer", "email"};

/* Takes the keys (NULL where absent) and facts of one line; false stops. */
typedef bool (*row_taker)(void *context, int line, char *const *keys, json_t *facts, GError **error);

struct import {
	const char *path;
	struct diag *diag;
	row_taker take;
	void *context;
};

static void complain(const struct import *import, int line, int column, const char *format, ...)
        G_GNUC_PRINTF(4, 5);

static void complain(const struct import *import, int line, int column, const char *format, ...)
{
	if (!import->diag || diag_count(import->diag, SEVERITY_ERROR) >= FINDINGS_MAX)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	diag_add(import->diag, SEVERITY_ERROR, import->path, line, MAX(column, 1), "%s", text);
}

static int kind_of(const char *name)
{
	for (int i = 0; i < KINDS; i++)
		if (strcmp(kinds[i], name) == 0)
			return i;
	return -1;
}

static bool is_fact(const char *name)
{
	for (unsigned i = 0; facts_name(i); i++)
		if (strcmp(facts_name(i), name) == 0)
			return true;
	return false;
}

static void unknown_name(const struct import *import, int line, int column, const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (int i = 0; i < KINDS; i++)
		g_ptr_array_add(names, (char *)kinds[i]);
	for (unsigned i = 0; facts_name(i); i++)
		g_ptr_array_add(names, (char *)facts_name(i));
	g_ptr_array_add(names, NULL);
	const char *near = did_you_mean(name, (const char *const *)names->pdata);
	complain(import, line, column, "\"%s\" is neither a key nor a fact%s%s%s", name,
	        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static char *normalise(int kind, const char *text)
{
	return kind == 0 ? facts_normalise_kundennummer(text) : facts_normalise_email(text);
}

/* Checks and hands on one row; `values` are the keys as written. */
static bool take_row(
        const struct import *import, int line, const char *const *values, json_t *facts, GError **error)
{
	char *keys[KINDS] = {NULL};
	bool any = false, good = true;
	for (int i = 0; i < KINDS; i++) {
		if (!values[i] || !*values[i])
			continue;
		any = true;
		keys[i] = normalise(i, values[i]);
		if (!keys[i])
			complain(import, line, 0, "this is no %s", kinds[i]);
		good &= keys[i] != NULL;
	}
	if (!any)
		complain(import, line, 0, "neither kundennummer nor email");
	struct facts probe;
	g_autoptr(GError) wrong = NULL;
	if (!facts_from_json(facts, &probe, &wrong))
		complain(import, line, 0, "%s", wrong->message);
	bool go_on = !any || !good || wrong || import->take(import->context, line, keys, facts, error);
	for (int i = 0; i < KINDS; i++)
		g_free(keys[i]);
	return go_on;
}

/* The heading of a CSV file: for each column the kind of key, or KINDS for a fact; NULL if it cannot be used.
 */
static GArray *read_heading(const struct import *import, const GPtrArray *cells)
{
	GArray *columns = g_array_new(FALSE, FALSE, sizeof(int));
	bool good = true, has_key = false;
	int column = 1;
	for (guint i = 0; i < cells->len; i++) {
		const char *name = g_ptr_array_index(cells, i);
		int kind = kind_of(name);
		if (kind < 0 && !is_fact(name)) {
			unknown_name(import, 1, column, name);
			good = false;
		}
		for (guint j = 0; j < i; j++) {
			if (strcmp(name, g_ptr_array_index(cells, j)) == 0) {
				complain(import, 1, column, "column \"%s\" stands there twice", name);
				good = false;
			}
		}
		has_key |= kind >= 0;
		kind = kind < 0 ? KINDS : kind;
		g_array_append_val(columns, kind);
		column += (int)strlen(name) + 1;
	}
	if (!has_key)
		complain(import, 1, 1, "no column kundennummer or email");
	if (good && has_key)
		return columns;
	g_array_unref(columns);
	return NULL;
}

static bool take_cells(const struct import *import, int line, const GArray *columns, const GPtrArray *heading,
        const GPtrArray *cells, GError **error)
{
	const char *values[KINDS] = {NULL};
	if (cells->len == 1 && *(const char *)g_ptr_array_index(cells, 0) == '\0')
		return true; /* an empty line */
	if (cells->len != columns->len) {
		complain(
		        import, line, 0, "%u cells, expected %u as in the heading", cells->len, columns->len);
		return true;
	}
	JSON_AUTO facts = json_object();
	for (guint i = 0; i < cells->len; i++) {
		int kind = g_array_index(columns, int, i);
		const char *cell = g_ptr_array_index(cells, i);
		if (kind < KINDS)
			values[kind] = cell;
		else if (*cell)
			json_set_string(facts, g_ptr_array_index(heading, i), cell);
	}
	return take_row(import, line, values, facts, error);
}

static bool read_csv(const struct import *import, FILE *file, GError **error)
{
	struct csv csv = {.file = file};
	g_autoptr(GPtrArray) heading = NULL;
	g_autoptr(GArray) columns = NULL;
	bool go_on = true;
	for (enum csv_state state; go_on && (state = csv_next(&csv)) != CSV_END;) {
		if (state == CSV_BROKEN) {
			complain(import, csv.line, 0, "%s", csv.problem);
			continue;
		}
		if (!heading) {
			heading = g_ptr_array_ref(csv.cells);
			columns = read_heading(import, heading);
			go_on = columns != NULL;
			continue;
		}
		go_on = take_cells(import, csv.line, columns, heading, csv.cells, error);
	}
	if (!heading)
		complain(import, 1, 1, "the file has no heading line");
	csv_clear(&csv);
	return go_on || !columns;
}

static bool take_object(const struct import *import, int line, json_t *object, GError **error)
{
	const char *values[KINDS] = {NULL};
	json_t *inner = json_object_get(object, "facts"), *value;
	JSON_AUTO facts = json_is_object(inner) ? json_deep_copy(inner) : json_object();
	const char *name;
	json_object_foreach (object, name, value) {
		int kind = kind_of(name);
		if (strcmp(name, "facts") == 0 || json_is_null(value))
			continue;
		if (kind >= 0 && !json_is_string(value))
			complain(import, line, 0, "\"%s\": expected a string", name);
		else if (kind >= 0)
			values[kind] = json_string_value(value);
		else
			json_object_set(facts, name, value);
	}
	json_object_foreach (facts, name, value)
		if (!is_fact(name))
			unknown_name(import, line, 0, name);
	return take_row(import, line, values, facts, error);
}

static bool read_jsonl(const struct import *import, FILE *file, GError **error)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t size;
	bool go_on = true;
	for (int line = 1; go_on && (size = getline(&text, &room, file)) > 0; line++) {
		g_autoptr(GError) wrong = NULL;
		if (strspn(text, " \t\r\n") == (size_t)size)
			continue;
		JSON_AUTO object = size > CSV_MAX_RECORD ? NULL : json_read(text, (size_t)size, &wrong);
		if (json_is_object(object))
			go_on = take_object(import, line, object, error);
		else
			complain(import, line, 0, "%s",
			        wrong ? "not a JSON value" : "expected one object of at most 1 MiB a line");
	}
	free(text);
	return go_on;
}

/* One pass over the file. */
static bool walk(const struct import *import, GError **error)
{
	bool csv = g_str_has_suffix(import->path, ".csv");
	if (!csv && !g_str_has_suffix(import->path, ".jsonl")) {
		fail(error, ERROR_USAGE, "%s: expected a file .csv or .jsonl", import->path);
		return false;
	}
	FILE *file = fopen(import->path, "re");
	if (!file) {
		fail(error, ERROR_INPUT, "%s: %s", import->path, g_strerror(errno));
		return false;
	}
	bool ok = csv ? read_csv(import, file, error) : read_jsonl(import, file, error);
	if (ok && ferror(file)) {
		fail(error, ERROR_INPUT, "%s: cannot be read", import->path);
		ok = false;
	}
	fclose(file);
	return ok;
}

struct checking {
	const struct import *import;
	GHashTable *lines; /* "kind:value" → line + 1 */
	struct facts_import_result *result;
};

static bool check_row(void *context, int line, char *const *keys, json_t *facts, GError **error)
{
	(void)facts, (void)error;
	struct checking *checking = context;
	checking->result->rows++;
	for (int i = 0; i < KINDS; i++) {
		if (!keys[i])
			continue;
		char *key = g_strconcat(kinds[i], ":", keys[i], NULL);
		int first = GPOINTER_TO_INT(g_hash_table_lookup(checking->lines, key));
		if (first)
			complain(checking->import, line, 0, "the same %s as in line %d", kinds[i], first);
		g_hash_table_replace(checking->lines, key, GINT_TO_POINTER(first ? first : line));
		checking->result->keys += first == 0;
	}
	return true;
}

bool facts_import_check(
        const char *path, struct facts_import_result *result, struct diag *diag, GError **error)
{
	*result = (struct facts_import_result){0};
	g_autoptr(GHashTable) lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct checking checking = {NULL, lines, result};
	struct import import = {path, diag, check_row, &checking};
	checking.import = &import;
	return walk(&import, error) && diag_ok(diag, error);
}

struct writing {
	struct journal *journal;
	struct fact_row rows[CHUNK];
	unsigned n;
};

static bool flush(struct writing *writing, GError **error)
{
	bool ok = writing->n == 0 || journal_import_facts(writing->journal, writing->rows, writing->n, error);
	for (unsigned i = 0; i < writing->n; i++) {
		g_free((char *)writing->rows[i].value);
		json_decref(writing->rows[i].facts);
	}
	writing->n = 0;
	return ok;
}

static bool write_row(void *context, int line, char *const *keys, json_t *facts, GError **error)
{
	(void)line;
	struct writing *writing = context;
	for (int i = 0; i < KINDS; i++) {
		if (!keys[i])
			continue;
		writing->rows[writing->n++] =
		        (struct fact_row){kinds[i], g_strdup(keys[i]), json_incref(facts)};
		if (writing->n == CHUNK && !flush(writing, error))
			return false;
	}
	return true;
}

bool facts_import(struct journal *journal, const char *path, bool replace, struct facts_import_result *result,
        struct diag *diag, GError **error)
{
	int64_t started;
	if (!facts_import_check(path, result, diag, error) || !db_now(journal_db(journal), &started, error))
		return false;
	g_autofree struct writing *writing = g_new0(struct writing, 1);
	writing->journal = journal;
	struct import import = {path, NULL, write_row, writing};
	bool ok = walk(&import, error) && flush(writing, error);
	if (!ok) {
		flush(writing, NULL);
		return false;
	}
	return journal_finish_import(journal, started, replace, &result->kept, error);
}
