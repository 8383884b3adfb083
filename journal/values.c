/* values.c - rows of values for batches, and JSON columns. */
#include "journal/internal.h"

#include <string.h>

struct values {
	GArray *list;   /* of struct db_value */
	GPtrArray *own; /* strings to free */
	unsigned columns;
};

struct values *values_new(unsigned columns)
{
	struct values *values = g_new0(struct values, 1);
	values->list = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	values->own = g_ptr_array_new_with_free_func(g_free);
	values->columns = columns;
	return values;
}

void values_free(struct values *values)
{
	if (!values)
		return;
	g_array_unref(values->list);
	g_ptr_array_unref(values->own);
	g_free(values);
}

static void add(struct values *values, struct db_value value)
{
	g_array_append_val(values->list, value);
}

void values_int(struct values *values, int64_t value)
{
	add(values, db_int(value));
}

void values_int_or_null(struct values *values, int64_t value)
{
	add(values, value ? db_int(value) : db_null());
}

void values_text(struct values *values, const char *text)
{
	add(values, db_text(text));
}

void values_take(struct values *values, char *text)
{
	if (text)
		g_ptr_array_add(values->own, text);
	add(values, db_text(text));
}

void values_json(struct values *values, const json_t *value)
{
	values_take(values, journal_json_text(value));
}

void values_bytes(struct values *values, GBytes *bytes)
{
	add(values, db_bytes(bytes));
}

void values_blob(struct values *values, const void *data, size_t size)
{
	add(values, db_blob(data, size));
}

unsigned values_rows(const struct values *values)
{
	g_assert(values->list->len % values->columns == 0);
	return values->list->len / values->columns;
}

int64_t values_get_int(const struct values *values, unsigned row, unsigned column)
{
	return g_array_index(values->list, struct db_value, row * values->columns + column).integer;
}

static const struct db_value *data(const struct values *values)
{
	return (const struct db_value *)(void *)values->list->data;
}

bool values_exec(
        struct values *values, struct journal *journal, const char *sql, int64_t *changed, GError **error)
{
	return db_exec_many(
	        journal->db, sql, data(values), values->columns, values_rows(values), changed, error);
}

GPtrArray *values_query(struct values *values, struct journal *journal, const char *sql, GError **error)
{
	return db_query_many(journal->db, sql, data(values), values->columns, values_rows(values), error);
}

char *journal_json_text(const json_t *value)
{
	return value ? json_canonical(value) : NULL;
}

json_t *journal_json_read(const char *text)
{
	json_t *value = text ? json_read(text, strlen(text), NULL) : NULL;
	return value ? value : json_object();
}
