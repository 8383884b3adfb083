/* log_restore.c - from a backup back to work without doing anything twice. */
#include "journal/log_restore.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/internal.h"
#include "journal/items.h"
#include "journal/open_tasks.h"
#include "journal/record.h"

#include <string.h>

enum { BATCH = 500 };

#define STEP INT64_C(1000000) /* numbers go on at a multiple of this, at least as much ahead */

static const char *const sequences[] = {"item", "task", "delivery"};

/* ---- the gap ---- */

bool journal_gap(struct journal *journal, struct journal_gap *out, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT name, value FROM meta WHERE name IN ('restored_until', 'restored_first')", NULL, 0,
	        error);
	struct journal_gap gap = {0};
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		int64_t value = g_ascii_strtoll(db_rows_text(rows, r, 1), NULL, 10);
		*(strcmp(db_rows_text(rows, r, 0), "restored_until") == 0 ? &gap.until : &gap.first) = value;
	}
	if (rows)
		*out = gap;
	return rows != NULL;
}

bool journal_backup_point(struct journal *journal, int64_t *time, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT time FROM record ORDER BY id DESC LIMIT 1", NULL, 0, error);
	if (rows)
		*time = db_rows_count(rows) ? db_rows_int(rows, 0, 0) : 0;
	return rows != NULL;
}

/* ---- far sides ---- */

struct restoring {
	struct journal *journal;
	GPtrArray *pending, *sent; /* of struct restore_sent */
};

static void sent_free(void *data)
{
	struct restore_sent *sent = data;
	g_free(sent->key);
	g_free(sent->sha256);
	g_free(sent);
}

struct restoring *restoring_new(struct journal *journal)
{
	struct restoring *restoring = g_new0(struct restoring, 1);
	restoring->journal = journal;
	restoring->pending = g_ptr_array_new_with_free_func(sent_free);
	restoring->sent = g_ptr_array_new_with_free_func(sent_free);
	return restoring;
}

void restoring_free(struct restoring *restoring)
{
	if (!restoring)
		return;
	g_ptr_array_unref(restoring->pending);
	g_ptr_array_unref(restoring->sent);
	g_free(restoring);
}

/* "<instance>-<number>/…": the item; 0 if the key is of no item of this journal. */
static int64_t item_of(struct journal *journal, const char *key)
{
	const char *slash = strchr(key, '/');
	g_autofree char *name = slash ? g_strndup(key, (gsize)(slash - key)) : NULL;
	int64_t item;
	return name && strchr(name, '-') && journal_item_parse(journal, name, &item, NULL) ? item : 0;
}

/* `row`: whether the item is there, state of the delivery or null. */
static const char *unknown_because(const struct db_rows *row)
{
	const char *state = db_rows_text(row, 0, 1);
	if (!db_rows_int(row, 0, 0))
		return "no_item";
	if (!state)
		return "no_delivery";
	return strcmp(state, "confirmed") == 0 ? NULL : "not_confirmed";
}

static bool judge_pending(struct restoring *restoring, GError **error)
{
	AUTO(values) keys = values_new(2);
	for (guint i = 0; i < restoring->pending->len; i++) {
		const struct restore_sent *sent = restoring->pending->pdata[i];
		values_int(keys, item_of(restoring->journal, sent->key));
		values_text(keys, sent->key);
	}
	g_autoptr(GPtrArray) rows = values_query(keys, restoring->journal,
	        "SELECT CASE WHEN EXISTS (SELECT 1 FROM item WHERE id = $1) THEN 1 ELSE 0 END,"
	        " (SELECT state FROM delivery WHERE key = $2)",
	        error);
	for (guint i = 0; rows && i < rows->len; i++) {
		struct restore_sent *sent = restoring->pending->pdata[i];
		sent->why = unknown_because(rows->pdata[i]);
		if (sent->why) {
			restoring->pending->pdata[i] = NULL;
			g_ptr_array_add(restoring->sent, sent);
		}
	}
	if (!rows)
		return false;
	g_ptr_array_set_free_func(restoring->pending, NULL);
	for (guint i = 0; i < restoring->pending->len; i++)
		if (restoring->pending->pdata[i])
			sent_free(restoring->pending->pdata[i]);
	g_ptr_array_set_size(restoring->pending, 0);
	g_ptr_array_set_free_func(restoring->pending, sent_free);
	return true;
}

bool restoring_add(
        struct restoring *restoring, const char *role, const char *key, const char *sha256, GError **error)
{
	if (!item_of(restoring->journal, key))
		return true;
	struct restore_sent *sent = g_new0(struct restore_sent, 1);
	*sent = (struct restore_sent){.role = role, .key = g_strdup(key), .sha256 = g_strdup(sha256)};
	g_ptr_array_add(restoring->pending, sent);
	return restoring->pending->len < BATCH || judge_pending(restoring, error);
}

const GPtrArray *restoring_sent(struct restoring *restoring, GError **error)
{
	return judge_pending(restoring, error) ? restoring->sent : NULL;
}

/* ---- accepting ---- */

struct accepting {
	const struct witness_check *check;
	struct restoring *restoring;
	struct restore_result *result;
	int64_t now;
};

static bool set_meta(struct journal *journal, const char *name, int64_t value, GError **error)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)value);
	struct db_value args[] = {db_text(name), db_text(text)};
	return db_exec(journal->db,
	        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value ="
	        " excluded.value",
	        args, 2, NULL, error);
}

static bool next_epoch(struct journal *journal, struct accepting *accepting, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db, SQL_LOCK(journal, "SELECT value FROM meta WHERE name = 'log_epoch'"),
	        NULL, 0, error);
	if (!rows)
		return false;
	int64_t own = db_rows_count(rows) ? g_ascii_strtoll(db_rows_text(rows, 0, 0), NULL, 10) : 1;
	const char *origin = accepting->check->witness.origin, *slash = origin ? strrchr(origin, '/') : NULL;
	int64_t theirs = slash ? g_ascii_strtoll(slash + 1, NULL, 10) : own;
	accepting->result->epoch = MAX(own, theirs) + 1;
	return set_meta(journal, "log_epoch", accepting->result->epoch, error);
}

/* The highest number a sequence has given, as far as this journal knows. */
static bool last_number(struct journal *journal, const char *name, int64_t *last, GError **error)
{
	struct db_value args[] = {db_text(name)};
	g_autofree char *sql = g_strdup_printf("SELECT last_value FROM %s_number", name);
	bool lite = db_dialect(journal->db) == DB_SQLITE;
	AUTO(db_rows)
	rows = lite ? db_query(journal->db, "SELECT value FROM number WHERE name = $1", args, 1, error)
	            : db_query(journal->db, sql, NULL, 0, error);
	if (rows)
		*last = MAX(*last, db_rows_int(rows, 0, 0));
	return rows != NULL;
}

static bool set_number(struct journal *journal, const char *name, int64_t value, GError **error)
{
	struct db_value args[] = {db_text(name), db_int(value)};
	if (db_dialect(journal->db) == DB_SQLITE)
		return db_exec(
		        journal->db, "UPDATE number SET value = $2 WHERE name = $1", args, 2, NULL, error);
	g_autofree char *sequence = g_strdup_printf("%s_number", name);
	args[0] = db_text(sequence);
	AUTO(db_rows)
	rows = db_query(
	        journal->db, "SELECT setval(CAST($1 AS regclass), CAST($2 AS bigint))", args, 2, error);
	return rows != NULL;
}

/* Every number given meanwhile left a record, or belongs to a transaction that failed: the witness knows how
 * many records there were, far sides know items, and a step on top is more than either can lack. */
static bool move_numbers(struct journal *journal, struct accepting *accepting, GError **error)
{
	int64_t last = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(sequences); i++)
		if (!last_number(journal, sequences[i], &last, error))
			return false;
	const GPtrArray *sent = accepting->restoring->sent;
	for (guint i = 0; i < sent->len; i++)
		last = MAX(last, item_of(journal, ((const struct restore_sent *)sent->pdata[i])->key));
	const struct witness_check *check = accepting->check;
	int64_t missing =
	        (int64_t)(check->witness.size > check->size ? check->witness.size - check->size : 0);
	int64_t first = (last + missing + STEP) / STEP * STEP + STEP;
	for (size_t i = 0; i < G_N_ELEMENTS(sequences); i++)
		if (!set_number(journal, sequences[i], first, error))
			return false;
	accepting->result->first = first + 1;
	return set_meta(journal, "restored_first", first + 1, error) &&
	       set_meta(journal, "restored_until", accepting->now, error);
}

static bool remember_sent(struct journal *journal, struct accepting *accepting, GError **error)
{
	AUTO(values) rows = values_new(2);
	const GPtrArray *all = accepting->restoring->sent;
	for (guint i = 0; i < all->len; i++) {
		const struct restore_sent *sent = all->pdata[i];
		if (strcmp(sent->why, "no_item") != 0 || !sent->sha256)
			continue;
		values_int(rows, item_of(journal, sent->key));
		values_text(rows, sent->sha256);
	}
	return values_exec(rows, journal,
	        "INSERT INTO restored (item, sha256) VALUES ($1, $2) ON CONFLICT (item) DO UPDATE SET sha256 "
	        "="
	        " excluded.sha256",
	        NULL, error);
}

static struct record task_record(GPtrArray *details, enum record_event event, int64_t item, int64_t task)
{
	json_t *detail = json_object();
	json_set_int(detail, "task", task);
	json_set_string(detail, "reason", "restored");
	json_set_string(detail, event == RECORD_TASK_OPENED ? "kind" : "state",
	        event == RECORD_TASK_OPENED ? "klaerung" : "done");
	g_ptr_array_add(details, detail);
	return (struct record){.event = event, .item = item, .detail = detail};
}

/* One task for the other: the number of what is open at the item stays. */
static bool replace_calls(
        struct journal *journal, struct accepting *accepting, const struct db_rows *calls, GError **error)
{
	unsigned n = db_rows_count(calls);
	g_autofree int64_t *numbers = g_new0(int64_t, n + 1);
	if (!db_numbers(journal->db, "task", n, numbers, error))
		return false;
	AUTO(values) tasks = task_rows_new();
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
	for (unsigned r = 0; r < n; r++) {
		int64_t call = db_rows_int(calls, r, 0), item = db_rows_int(calls, r, 1);
		json_t *params = json_object();
		g_ptr_array_add(details, params);
		json_set_string(params, "reason", "restored");
		json_set_int(params, "task", call);
		struct new_task task = {.kind = "klaerung",
		        .id = numbers[r],
		        .params = params,
		        .text = "Das Journal wurde wiederhergestellt: bitte prüfen, ob der Anruf schon "
		                "geschehen "
		                "ist."};
		task_rows_add(tasks, item, &task, accepting->now, NULL);
		struct record pair[] = {task_record(details, RECORD_TASK_CLOSED, item, call),
		        task_record(details, RECORD_TASK_OPENED, item, numbers[r])};
		g_array_append_vals(records, pair, 2);
	}
	accepting->result->calls = n;
	return task_rows_write(tasks, journal, error) &&
	       record_write(journal, (const struct record *)(void *)records->data, records->len, error);
}

static bool close_calls(struct journal *journal, struct accepting *accepting, GError **error)
{
	struct db_value args[] = {db_int(accepting->now), db_text(journal->actor)};
	AUTO(db_rows)
	calls = db_query(journal->db,
	        "UPDATE task SET state = 'done', closed = $1, actor = $2, reason = 'restored'"
	        " WHERE state = 'open' AND kind = 'call' RETURNING id, item",
	        args, 2, error);
	return calls && replace_calls(journal, accepting, calls, error);
}

static void set_root(json_t *detail, const char *key, const struct log_hash *root)
{
	char hex[HASH_HEX_SIZE];
	hash_to_hex(root->bytes, hex);
	json_set_string(detail, key, hex);
}

static bool record_acceptance(struct journal *journal, const struct accepting *accepting, GError **error)
{
	const struct witness_check *check = accepting->check;
	JSON_AUTO detail = json_object();
	json_set_int(detail, "epoch", accepting->result->epoch);
	json_set_int(detail, "first_number", accepting->result->first);
	json_set_int(detail, "sent", accepting->restoring->sent->len);
	json_set_int(detail, "size", (int64_t)check->size);
	set_root(detail, "root", &check->root);
	json_set_int(detail, "witness_size", (int64_t)check->witness.size);
	set_root(detail, "witness_root", &check->witness.root);
	struct record record = {.event = RECORD_RESTORE_ACCEPTED, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool accept(struct journal *journal, void *data, GError **error)
{
	struct accepting *accepting = data;
	return db_now(journal->db, &accepting->now, error) && next_epoch(journal, accepting, error) &&
	       move_numbers(journal, accepting, error) && remember_sent(journal, accepting, error) &&
	       close_calls(journal, accepting, error) && record_acceptance(journal, accepting, error);
}

bool journal_restore_accept(struct journal *journal, const struct witness_check *check,
        struct restoring *restoring, struct restore_result *result, GError **error)
{
	struct accepting accepting = {.check = check, .restoring = restoring, .result = result};
	if (check->state != WITNESS_AHEAD && check->state != WITNESS_FORKED) {
		fail(error, ERROR_USAGE, "the journal agrees with its witness: there is nothing to accept");
		return false;
	}
	*result = (struct restore_result){0};
	return restoring_sent(restoring, error) && journal_transact(journal, accept, &accepting, error);
}
