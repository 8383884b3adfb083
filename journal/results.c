/* results.c - how deliveries ended: states, receipts, tasks that follow and records, in one transaction. */
#include "journal/deliveries.h"
#include "journal/internal.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "core/error.h"

#include <string.h>

struct outcome {
	const char *state;
	enum record_event event;
	bool ends;        /* no longer open */
	int attempts;     /* counted */
	bool recorded;    /* has a log record */
	const char *task; /* opened unless the result brings tasks */
};

static const struct outcome outcomes[] = {
        [DELIVERY_CONFIRMED] = {"confirmed", RECORD_DELIVERY_CONFIRMED, true, 1, true, NULL},
        [DELIVERY_RETRY] = {"due", RECORD_DELIVERY_RETRY, false, 1, true, NULL},
        [DELIVERY_FAILED] = {"failed", RECORD_DELIVERY_FAILED, true, 1, true, "dead_letter"},
        [DELIVERY_UNCERTAIN] = {"uncertain", RECORD_DELIVERY_UNCERTAIN, true, 1, true, "reply_uncertain"},
        [DELIVERY_CANCELLED] = {"cancelled", RECORD_DELIVERY_CANCELLED, true, 0, true, NULL},
        [DELIVERY_SUPPRESSED] = {"suppressed", RECORD_DELIVERY_SUPPRESSED, true, 0, true, NULL},
        [DELIVERY_RETURNED] = {"due", RECORD_EVENTS, false, 0, false, NULL},
};

struct writing {
	struct journal *journal;
	struct delivery_result *results;
	unsigned n;
	int64_t business, now;
	json_t **receipts; /* beside the results: as they are kept */
	struct open_counts *counts;
	GPtrArray *details;
	GArray *records;
};

static int64_t item_of(const struct delivery_result *result)
{
	return result->delivery->item ? result->delivery->item->id : 0;
}

static int64_t due_of(const struct writing *writing, const struct delivery_result *result)
{
	bool later = result->outcome == DELIVERY_RETURNED && result->retry_at;
	if (result->outcome == DELIVERY_RETRY || later)
		return MAX(result->retry_at, writing->business);
	return result->delivery->not_before;
}

static void add_record(struct writing *writing, enum record_event event, int64_t item, json_t *detail)
{
	g_ptr_array_add(writing->details, detail);
	struct record record = {.event = event, .item = item, .detail = detail};
	g_array_append_val(writing->records, record);
}

/* What may be kept: no hash that somebody could look for, no key of the source. */
static json_t *kept_receipt(const struct writing *writing, const struct delivery_result *result)
{
	const struct delivery *delivery = result->delivery;
	const char *sha256 = json_get_string(result->receipt, "sha256"),
	           *id = json_get_string(result->receipt, "id");
	json_t *kept = json_copy(result->receipt);
	char hash[HASH_HEX_SIZE];
	json_object_del(kept, "sha256");
	if (sha256 && strlen(sha256) == HASH_HEX_SIZE - 1 && delivery->salt) {
		record_commitment(g_bytes_get_data(delivery->salt, NULL), g_bytes_get_size(delivery->salt),
		        sha256, hash);
		json_set_string(kept, "commitment", hash);
	}
	if (id && delivery->item && g_strcmp0(id, delivery->item->key) == 0) {
		journal_pseudonym(writing->journal, "key", id, hash);
		json_set_string(kept, "id", hash);
	}
	return kept;
}

static void keep_receipts(struct writing *writing)
{
	writing->receipts = g_new0(json_t *, writing->n + 1);
	for (unsigned i = 0; i < writing->n; i++)
		if (writing->results[i].receipt)
			writing->receipts[i] = kept_receipt(writing, &writing->results[i]);
}

static void record_result(struct writing *writing, unsigned i)
{
	const struct delivery_result *result = &writing->results[i];
	const struct outcome *outcome = &outcomes[result->outcome];
	if (!outcome->recorded)
		return;
	json_t *detail = json_object();
	json_set_int(detail, "attempt", result->delivery->attempts + outcome->attempts);
	json_set_string(detail, "handler", result->delivery->handler);
	json_set_string(detail, "key", result->delivery->key);
	if (result->reason)
		json_set_string(detail, "reason", result->reason);
	if (writing->receipts[i])
		json_object_set(detail, "receipt", writing->receipts[i]);
	if (result->outcome == DELIVERY_RETRY)
		json_set_int(detail, "retry_at", due_of(writing, result));
	add_record(writing, outcome->event, item_of(result), detail);
}

static bool write_states(struct writing *writing, GError **error)
{
	AUTO(values) rows = values_new(8);
	for (unsigned i = 0; i < writing->n; i++) {
		const struct delivery_result *result = &writing->results[i];
		const struct outcome *outcome = &outcomes[result->outcome];
		values_int(rows, result->delivery->id);
		values_int(rows, result->delivery->fence);
		values_text(rows, outcome->state);
		values_int(rows, due_of(writing, result));
		values_int(rows, outcome->attempts);
		values_json(rows, writing->receipts[i]);
		values_text(rows, result->reason);
		values_int(rows, writing->now);
	}
	g_autofree int64_t *changed = g_new0(int64_t, writing->n + 1);
	if (!values_exec(rows, writing->journal,
	            "UPDATE delivery SET state = $3, due = $4, attempts = attempts + $5, leased_until = 0,"
	            " receipt = COALESCE($6, receipt), reason = $7, changed = $8, fence = fence + 1, worker "
	            "= NULL"
	            " WHERE id = $1 AND fence = $2 AND state IN ('due', 'sending')",
	            changed, error))
		return false;
	for (unsigned i = 0; i < writing->n; i++) {
		struct delivery_result *result = &writing->results[i];
		result->lost = changed[i] == 0;
		if (result->lost)
			continue;
		record_result(writing, i);
		if (outcomes[result->outcome].ends)
			open_counts_add(writing->counts, item_of(result), -1);
	}
	return true;
}

/* A task posted outside keeps the number it got there. */
static bool write_posted(struct writing *writing, GError **error)
{
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < writing->n; i++) {
		const struct delivery_result *result = &writing->results[i];
		if (result->lost || !result->delivery->task || result->outcome != DELIVERY_CONFIRMED)
			continue;
		const char *number = json_get_string(result->receipt, "id");
		values_int(rows, result->delivery->task);
		values_text(rows, number ? number : "posted");
	}
	return values_exec(rows, writing->journal, "UPDATE task SET posted = $2 WHERE id = $1", NULL, error);
}

struct opening {
	struct values *tasks, *posts;
};

static bool open_one(struct writing *writing, struct opening *opening, const struct delivery_result *result,
        struct new_task *task, GError **error)
{
	struct journal *journal = writing->journal;
	if (!db_numbers(journal->db, "task", 1, &task->id, error))
		return false;
	task_rows_add(opening->tasks, item_of(result), task, writing->now, NULL);
	open_counts_add(writing->counts, item_of(result), task->post ? 2 : 1);
	json_t *detail = json_object();
	json_set_string(detail, "delivery", result->delivery->key);
	json_set_string(detail, "kind", task->kind);
	json_set_int(detail, "task", task->id);
	add_record(writing, RECORD_TASK_OPENED, item_of(result), detail);
	int64_t post;
	if (!task->post)
		return true;
	if (!db_numbers(journal->db, "delivery", 1, &post, error))
		return false;
	delivery_rows_add_post(opening->posts, journal, post, item_of(result), task, writing->now);
	return true;
}

static bool open_default(struct writing *writing, struct opening *opening,
        const struct delivery_result *result, const char *kind, GError **error)
{
	json_t *params = json_object();
	g_ptr_array_add(writing->details, params);
	json_set_string(params, "delivery", result->delivery->key);
	json_set_string(params, "handler", result->delivery->handler);
	json_set_string(params, "reason", result->reason);
	struct new_task task = {.kind = kind, .params = params};
	return open_one(writing, opening, result, &task, error);
}

static bool open_for(
        struct writing *writing, struct opening *opening, struct delivery_result *result, GError **error)
{
	if (result->lost)
		return true;
	const char *kind = outcomes[result->outcome].task;
	if (kind && !result->n_tasks)
		return open_default(writing, opening, result, kind, error);
	for (unsigned t = 0; t < result->n_tasks; t++)
		if (!open_one(writing, opening, result, &result->tasks[t], error))
			return false;
	return true;
}

static bool write_tasks(struct writing *writing, GError **error)
{
	AUTO(values) tasks = task_rows_new();
	AUTO(values) posts = delivery_rows_new();
	struct opening opening = {.tasks = tasks, .posts = posts};
	for (unsigned i = 0; i < writing->n; i++)
		if (!open_for(writing, &opening, &writing->results[i], error))
			return false;
	return task_rows_write(tasks, writing->journal, error) &&
	       delivery_rows_write(posts, writing->journal, error);
}

static bool write_results(struct journal *journal, void *data, GError **error)
{
	struct writing *writing = data;
	return db_now(journal->db, &writing->now, error) && write_states(writing, error) &&
	       write_posted(writing, error) && write_tasks(writing, error) &&
	       open_counts_write(writing->counts, journal, writing->now, error) &&
	       record_write(journal, (const struct record *)(void *)writing->records->data,
	               writing->records->len, error);
}

bool journal_delivery_results(
        struct journal *journal, struct delivery_result *results, unsigned n, int64_t now, GError **error)
{
	AUTO(open_counts) counts = open_counts_new();
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
	struct writing writing = {.journal = journal,
	        .results = results,
	        .n = n,
	        .business = now,
	        .counts = counts,
	        .details = details,
	        .records = records};
	keep_receipts(&writing);
	bool ok = journal_transact(journal, write_results, &writing, error);
	for (unsigned i = 0; i < n; i++)
		json_decref(writing.receipts[i]);
	g_free(writing.receipts);
	return ok;
}
