/* open_tasks.h - writing tasks and keeping count of what is open at an item; the room's own, inside a
 * transaction. */
#ifndef JOURNAL_OPEN_TASKS_H
#define JOURNAL_OPEN_TASKS_H

#include "journal/items.h"
#include "journal/values.h"

/* Rows of the table task: id, item, kind, text, params, created, not_before, concern, once. */
struct values *task_rows_new(void);
void task_rows_add(
        struct values *rows, int64_t item, const struct new_task *task, int64_t created, const char *once);
bool task_rows_write(struct values *rows, struct journal *journal, GError **error);

/* A planned delivery. `key` is taken over. */
struct values *delivery_rows_new(void);
struct delivery_row {
	int64_t id, item, not_before, task;
	const char *handler, *state, *reason;
	char *key;
	const json_t *params;
	bool at_most_once;
};
void delivery_rows_add(struct values *rows, const struct delivery_row *row, int64_t now);
bool delivery_rows_write(struct values *rows, struct journal *journal, GError **error);

/* The delivery that posts a task outside (handler "post"). */
void delivery_rows_add_post(struct values *rows, const struct journal *journal, int64_t id, int64_t item,
        const struct new_task *task, int64_t now);

/* Changes of the number of open deliveries and tasks, by item. */
struct open_counts;
struct open_counts *open_counts_new(void);
void open_counts_free(struct open_counts *counts);
AUTO_FREE(open_counts);
void open_counts_add(struct open_counts *counts, int64_t item, int64_t delta); /* item 0: ignored */
/* Adds them to the items, in order of their numbers (no deadlocks); at 0 the item is closed at `now`. */
bool open_counts_write(struct open_counts *counts, struct journal *journal, int64_t now, GError **error);

#endif
