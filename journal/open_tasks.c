/* open_tasks.c - rows of tasks and deliveries, and the count of what is open at an item. */
#include "journal/open_tasks.h"
#include "journal/internal.h"

struct values *task_rows_new(void)
{
	return values_new(9);
}

void task_rows_add(
        struct values *rows, int64_t item, const struct new_task *task, int64_t created, const char *once)
{
	values_int(rows, task->id);
	values_int_or_null(rows, item);
	values_text(rows, task->kind);
	values_text(rows, task->text);
	values_json(rows, task->params);
	values_int(rows, created);
	values_int(rows, task->not_before);
	values_text(rows, task->concern);
	values_take(rows, g_strdup(once));
}

bool task_rows_write(struct values *rows, struct journal *journal, GError **error)
{
	return values_exec(rows, journal,
	        "INSERT INTO task (id, item, kind, text, params, created, not_before, concern, once)"
	        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	        NULL, error);
}

struct values *delivery_rows_new(void)
{
	return values_new(11);
}

void delivery_rows_add(struct values *rows, const struct delivery_row *row, int64_t now)
{
	values_int(rows, row->id);
	values_int_or_null(rows, row->item);
	values_text(rows, row->handler);
	values_take(rows, row->key);
	values_json(rows, row->params);
	values_int(rows, row->not_before);
	values_text(rows, row->state);
	values_int(rows, row->at_most_once);
	values_int_or_null(rows, row->task);
	values_text(rows, row->reason);
	values_int(rows, now);
}

bool delivery_rows_write(struct values *rows, struct journal *journal, GError **error)
{
	return values_exec(rows, journal,
	        "INSERT INTO delivery (id, item, handler, key, params, not_before, due, state, at_most_once,"
	        " task, reason, created, changed)"
	        " VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $11)",
	        NULL, error);
}

void delivery_rows_add_post(struct values *rows, const struct journal *journal, int64_t id, int64_t item,
        const struct new_task *task, int64_t now)
{
	struct delivery_row row = {.id = id,
	        .item = item,
	        .not_before = task->not_before,
	        .task = task->id,
	        .handler = "post",
	        .state = "due",
	        .key = g_strdup_printf("%s/task/%" G_GINT64_FORMAT, journal->instance, task->id)};
	delivery_rows_add(rows, &row, now);
}

struct open_counts {
	GTree *by_item; /* int64 → int64 */
};

static int compare(gconstpointer a, gconstpointer b, gpointer ignored)
{
	const int64_t *x = a, *y = b;
	(void)ignored;
	return *x < *y ? -1 : *x > *y;
}

struct open_counts *open_counts_new(void)
{
	struct open_counts *counts = g_new0(struct open_counts, 1);
	counts->by_item = g_tree_new_full(compare, NULL, g_free, g_free);
	return counts;
}

void open_counts_free(struct open_counts *counts)
{
	if (!counts)
		return;
	g_tree_unref(counts->by_item);
	g_free(counts);
}

void open_counts_add(struct open_counts *counts, int64_t item, int64_t delta)
{
	if (!item)
		return;
	int64_t *known = g_tree_lookup(counts->by_item, &item);
	if (known) {
		*known += delta;
		return;
	}
	int64_t *key = g_new(int64_t, 1), *value = g_new(int64_t, 1);
	*key = item;
	*value = delta;
	g_tree_insert(counts->by_item, key, value);
}

struct writing {
	struct values *rows;
	int64_t now;
};

static gboolean add_row(gpointer key, gpointer value, gpointer data)
{
	struct writing *writing = data;
	const int64_t *item = key, *delta = value;
	if (*delta != 0) {
		values_int(writing->rows, *item);
		values_int(writing->rows, *delta);
		values_int(writing->rows, writing->now);
	}
	return FALSE;
}

bool open_counts_write(struct open_counts *counts, struct journal *journal, int64_t now, GError **error)
{
	AUTO(values) rows = values_new(3);
	struct writing writing = {.rows = rows, .now = now};
	g_tree_foreach(counts->by_item, add_row, &writing);
	return values_exec(rows, journal,
	        "UPDATE item SET open = open + CAST($2 AS bigint), closed = CASE"
	        " WHEN open + CAST($2 AS bigint) = 0 AND state = 'decided' THEN CAST($3 AS bigint) END WHERE "
	        "id = $1",
	        NULL, error);
}
