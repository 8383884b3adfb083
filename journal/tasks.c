/* tasks.c - reading tasks, and closing them: compare-and-set, one record, one correction of what is open. */
#include "journal/tasks.h"
#include "journal/internal.h"
#include "journal/items.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "core/error.h"

#include <string.h>

void task_free(struct task *task)
{
	if (!task)
		return;
	g_free(task->item_name);
	g_free(task->kind);
	g_free(task->text);
	json_decref(task->params);
	g_free(task->state);
	g_free(task->outcome);
	g_free(task->reason);
	g_free(task->actor);
	g_free(task->contact_code);
	g_free(task->posted);
	g_free(task);
}

static void free_task(gpointer task)
{
	task_free(task);
}

#define TASK_COLUMNS                                                                                         \
	"SELECT t.id, t.item, t.kind, t.text, t.params, t.state, t.outcome, t.reason, t.actor, t.created,"   \
	" t.not_before, t.closed, i.received, i.contact_code, t.posted"                                      \
	" FROM task t LEFT JOIN item i ON i.id = t.item"

static struct task *read_task(struct journal *journal, const struct db_rows *rows, unsigned r)
{
	struct task *task = g_new0(struct task, 1);
	task->id = db_rows_int(rows, r, 0);
	task->item = db_rows_int(rows, r, 1);
	task->item_name = task->item ? journal_item_name(journal, task->item) : NULL;
	task->kind = g_strdup(db_rows_text(rows, r, 2));
	task->text = g_strdup(db_rows_text(rows, r, 3));
	task->params = journal_json_read(db_rows_text(rows, r, 4));
	task->state = g_strdup(db_rows_text(rows, r, 5));
	task->outcome = g_strdup(db_rows_text(rows, r, 6));
	task->reason = g_strdup(db_rows_text(rows, r, 7));
	task->actor = g_strdup(db_rows_text(rows, r, 8));
	task->created = db_rows_int(rows, r, 9);
	task->not_before = db_rows_int(rows, r, 10);
	task->closed = db_rows_int(rows, r, 11);
	task->first_received = db_rows_int(rows, r, 12);
	task->contact_code = g_strdup(db_rows_text(rows, r, 13));
	task->posted = g_strdup(db_rows_text(rows, r, 14));
	return task;
}

static const char *list_sql(const struct task_filter *filter)
{
	if (filter->item)
		return TASK_COLUMNS " WHERE t.item = $5 AND t.state = $1 AND ($2 = '' OR t.kind = $2)"
		                    " AND t.not_before <= $3 AND t.id > $4 ORDER BY t.id LIMIT $6";
	if (filter->state && strcmp(filter->state, "open") != 0)
		return TASK_COLUMNS " WHERE t.state = $1 AND ($2 = '' OR t.kind = $2)"
		                    " AND t.not_before <= $3 AND t.id > $4 AND $5 = CAST(0 AS bigint)"
		                    " ORDER BY t.id LIMIT $6";
	/* the word stands in the text so that the partial index is used */
	return TASK_COLUMNS " WHERE t.state = 'open' AND t.state = $1 AND ($2 = '' OR t.kind = $2)"
	                    " AND t.not_before <= $3 AND t.id > $4 AND $5 = CAST(0 AS bigint)"
	                    " ORDER BY t.id LIMIT $6";
}

GPtrArray *journal_tasks(struct journal *journal, const struct task_filter *filter, GError **error)
{
	struct db_value args[] = {db_text(filter->state ? filter->state : "open"),
	        db_text(filter->kind ? filter->kind : ""), db_int(filter->due ? filter->due : G_MAXINT64),
	        db_int(filter->after), db_int(filter->item), db_int(filter->max ? filter->max : 100)};
	AUTO(db_rows) rows = db_query(journal->db, list_sql(filter), args, 6, error);
	if (!rows)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func(free_task);
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		g_ptr_array_add(list, read_task(journal, rows, r));
	return list;
}

struct task *journal_task(struct journal *journal, int64_t id, GError **error)
{
	struct db_value args[] = {db_int(id)};
	AUTO(db_rows) rows = db_query(journal->db, TASK_COLUMNS " WHERE t.id = $1", args, 1, error);
	if (!rows)
		return NULL;
	if (db_rows_count(rows))
		return read_task(journal, rows, 0);
	fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "there is no task %" G_GINT64_FORMAT, id);
	return NULL;
}

struct closing {
	int64_t id;
	const struct task_closing *how;
	const char *outcome; /* of a call: set and demanded to be unset */
	const char *reason;
	int64_t now, item;
	char *kind;
};

/* Sets state and outcome if the task is open and, for an attempt, if none was made. */
static bool close_row(struct journal *journal, struct closing *closing, GError **error)
{
	bool failed = closing->how && closing->how->failed;
	struct db_value args[] = {db_int(closing->id), db_text(failed ? "failed" : "done"),
	        db_text(closing->outcome), db_text(closing->reason), db_text(journal->actor),
	        db_int(closing->now)};
	const char *sql =
	        closing->outcome ? "UPDATE task SET state = $2, outcome = $3, reason = $4, actor = $5,"
	                           " closed = $6 WHERE id = $1 AND state = 'open' AND outcome IS NULL"
	                           " AND kind = 'call' RETURNING item, kind"
	                         : "UPDATE task SET state = $2, outcome = COALESCE(outcome, $3), reason = $4,"
	                           " actor = $5, closed = $6 WHERE id = $1 AND state = 'open'"
	                           " RETURNING item, kind";
	AUTO(db_rows) rows = db_query(journal->db, sql, args, 6, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail_as(error, closing->outcome ? ERROR_DENIED : ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "task %" G_GINT64_FORMAT " is not there, closed already%s", closing->id,
		        closing->outcome ? ", or no call without an attempt" : "");
		return false;
	}
	closing->item = db_rows_int(rows, 0, 0);
	closing->kind = g_strdup(db_rows_text(rows, 0, 1));
	return true;
}

/* A posting of the task that is still due is wanted no longer. */
static bool cancel_posting(
        struct journal *journal, const struct closing *closing, struct open_counts *counts, GError **error)
{
	g_autofree char *key = g_strdup_printf("%s/task/%" G_GINT64_FORMAT, journal->instance, closing->id);
	struct db_value args[] = {db_text(key), db_int(closing->now)};
	int64_t changed = 0;
	if (!db_exec(journal->db,
	            "UPDATE delivery SET state = 'cancelled', reason = 'task_closed', changed = $2,"
	            " fence = fence + 1 WHERE key = $1 AND state = 'due'",
	            args, 2, &changed, error))
		return false;
	if (!changed)
		return true;
	open_counts_add(counts, closing->item, -1);
	JSON_AUTO detail = json_object();
	json_set_string(detail, "key", key);
	json_set_string(detail, "reason", "task_closed");
	struct record record = {.event = RECORD_DELIVERY_CANCELLED, .item = closing->item, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool settle(struct journal *journal, const struct closing *closing, GError **error)
{
	AUTO(open_counts) counts = open_counts_new();
	open_counts_add(counts, closing->item, -1);
	return cancel_posting(journal, closing, counts, error) &&
	       open_counts_write(counts, journal, closing->now, error);
}

/* A clerk's words go with the content; the record holds their commitment. */
static bool set_reason(struct journal *journal, const struct closing *closing, json_t *detail, GError **error)
{
	json_set_bool(detail, "with_reason", closing->reason != NULL);
	if (!closing->reason || !closing->item)
		return true;
	struct db_value args[] = {db_int(closing->item)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT salt FROM item WHERE id = $1", args, 1, error);
	if (!rows)
		return false;
	g_autoptr(GBytes) salt = db_rows_count(rows) ? db_rows_bytes(rows, 0, 0) : NULL;
	char sealed[HASH_HEX_SIZE];
	record_text_commitment(salt, closing->reason, sealed);
	if (*sealed)
		json_set_string(detail, "reason_commitment", sealed);
	return true;
}

static bool record_closing(struct journal *journal, const struct closing *closing, GError **error)
{
	const struct task_closing *how = closing->how;
	JSON_AUTO detail = json_object();
	json_set_string(detail, "kind", closing->kind);
	json_set_int(detail, "task", closing->id);
	if (closing->outcome)
		json_set_string(detail, "outcome", closing->outcome);
	else
		json_set_string(detail, "state", how->failed ? "failed" : "done");
	if (!set_reason(journal, closing, detail, error))
		return false;
	struct record record = {.event = closing->outcome ? RECORD_TASK_ATTEMPTED : RECORD_TASK_CLOSED,
	        .item = closing->item,
	        .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool change_contact_code(struct journal *journal, const struct closing *closing, GError **error)
{
	if (!closing->how->contact_code || !closing->item)
		return true;
	struct db_value args[] = {db_int(closing->item), db_text(closing->how->contact_code)};
	AUTO(db_rows)
	before = db_query(journal->db, "SELECT contact_code FROM item WHERE id = $1", args, 1, error);
	if (!before || !db_exec(journal->db, "UPDATE item SET contact_code = $2 WHERE id = $1", args, 2, NULL,
	                       error))
		return false;
	JSON_AUTO detail = json_object();
	json_set_string(detail, "from", db_rows_text(before, 0, 0));
	json_set_int(detail, "task", closing->id);
	json_set_string(detail, "to", closing->how->contact_code);
	struct record record = {.event = RECORD_CONTACT_CODE, .item = closing->item, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool record_override(struct journal *journal, const struct closing *closing, GError **error)
{
	const struct task_closing *how = closing->how;
	if (!how->instead)
		return true;
	JSON_AUTO detail = json_object();
	json_set_string(detail, "instead", how->instead);
	json_set_string(detail, "kind", closing->kind);
	json_set_string(detail, "rule", how->rule);
	json_set_int(detail, "task", closing->id);
	struct record record = {.event = RECORD_OVERRIDDEN, .item = closing->item, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool close_task(struct journal *journal, void *data, GError **error)
{
	struct closing *closing = data;
	return db_now(journal->db, &closing->now, error) && close_row(journal, closing, error) &&
	       record_closing(journal, closing, error) &&
	       (!closing->how || (change_contact_code(journal, closing, error) &&
	                                 record_override(journal, closing, error))) &&
	       settle(journal, closing, error);
}

bool journal_close_task(
        struct journal *journal, int64_t id, const struct task_closing *closing, GError **error)
{
	if (closing->instead && (!closing->reason || !*closing->reason)) {
		fail(error, ERROR_USAGE, "an override needs a reason");
		return false;
	}
	struct closing work = {.id = id, .how = closing, .reason = closing->reason};
	bool ok = journal_transact(journal, close_task, &work, error);
	g_free(work.kind);
	return ok;
}

bool journal_attempt_task(
        struct journal *journal, int64_t id, bool reached, const char *reason, GError **error)
{
	struct closing work = {.id = id, .outcome = reached ? "reached" : "not_reached", .reason = reason};
	bool ok = journal_transact(journal, close_task, &work, error);
	g_free(work.kind);
	return ok;
}

struct opening {
	int64_t item;
	const struct new_task *task;
	const char *once;
	int64_t id;
};

static bool find_once(struct journal *journal, const char *once, int64_t *id, GError **error)
{
	*id = 0;
	if (!once)
		return true;
	struct db_value args[] = {db_text(once)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT id FROM task WHERE once = $1 AND state = 'open' AND once IS NOT NULL", args, 1,
	        error);
	if (rows && db_rows_count(rows))
		*id = db_rows_int(rows, 0, 0);
	return rows != NULL;
}

static bool open_task(struct journal *journal, void *data, GError **error)
{
	struct opening *opening = data;
	int64_t now;
	if (!find_once(journal, opening->once, &opening->id, error))
		return false;
	if (opening->id)
		return true;
	struct new_task task = *opening->task;
	if (!db_now(journal->db, &now, error) || !db_numbers(journal->db, "task", 1, &task.id, error))
		return false;
	AUTO(values) rows = task_rows_new();
	task_rows_add(rows, opening->item, &task, now, opening->once);
	AUTO(open_counts) counts = open_counts_new();
	open_counts_add(counts, opening->item, 1);
	JSON_AUTO detail = json_object();
	json_set_string(detail, "kind", task.kind);
	json_set_int(detail, "task", task.id);
	struct record record = {.event = RECORD_TASK_OPENED, .item = opening->item, .detail = detail};
	opening->id = task.id;
	return task_rows_write(rows, journal, error) && open_counts_write(counts, journal, now, error) &&
	       record_write(journal, &record, 1, error);
}

bool journal_open_task(struct journal *journal, int64_t item, const struct new_task *task, const char *once,
        int64_t *id, GError **error)
{
	struct opening opening = {.item = item, .task = task, .once = once};
	g_autoptr(GError) why = NULL;
	bool ok = journal_transact(journal, open_task, &opening, &why);
	if (!ok && once && db_is_conflict(why)) { /* another worker opened it just now */
		g_clear_error(&why);
		ok = journal_transact(journal, open_task, &opening, &why);
	}
	if (ok && id)
		*id = opening.id;
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&why));
	return ok;
}
