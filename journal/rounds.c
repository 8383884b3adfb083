/* rounds.c - a further decision of an item takes over from the one before. */
#include "journal/rounds.h"
#include "journal/internal.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "core/error.h"

#include <string.h>

char *delivery_key(const char *item_name, const struct new_delivery *delivery)
{
	return g_strconcat(
	        item_name, "/", delivery->handler, delivery->suffix ? "/" : NULL, delivery->suffix, NULL);
}

static struct new_delivery *planned(const char *name, struct new_decision *decision, const char *key)
{
	for (unsigned d = 0; d < decision->n_deliveries; d++) {
		g_autofree char *other = delivery_key(name, &decision->deliveries[d]);
		if (strcmp(other, key) == 0)
			return &decision->deliveries[d];
	}
	return NULL;
}

static bool cancel(
        struct journal *journal, int64_t item, int64_t id, const char *key, int64_t now, GError **error)
{
	struct db_value args[] = {db_int(id), db_int(now)};
	int64_t changed = 0;
	if (!db_exec(journal->db,
	            "UPDATE delivery SET state = 'cancelled', reason = 'superseded', changed = $2, fence = "
	            "fence + 1"
	            " WHERE id = $1 AND state = 'due'",
	            args, 2, &changed, error))
		return false;
	if (!changed)
		return true;
	AUTO(open_counts) counts = open_counts_new();
	open_counts_add(counts, item, -1);
	JSON_AUTO detail = json_object();
	json_set_string(detail, "key", key);
	json_set_string(detail, "reason", "superseded");
	struct record record = {.event = RECORD_DELIVERY_CANCELLED, .item = item, .detail = detail};
	return open_counts_write(counts, journal, now, error) && record_write(journal, &record, 1, error);
}

static bool supersede_deliveries(
        struct journal *journal, struct new_decision *decision, int64_t now, GError **error)
{
	g_autofree char *name = journal_item_name(journal, decision->item);
	struct db_value args[] = {db_int(decision->item)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT id, key, state, task FROM delivery WHERE item = $1 ORDER BY id",
	        args, 1, error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		struct new_delivery *again = planned(name, decision, db_rows_text(rows, r, 1));
		bool open = strcmp(db_rows_text(rows, r, 2), "due") == 0;
		if (again)
			again->id = 0;
		else if (open && !cancel(journal, decision->item, db_rows_int(rows, r, 0),
		                         db_rows_text(rows, r, 1), now, error))
			return false;
	}
	return rows != NULL;
}

static bool supersede_tasks(
        struct journal *journal, const struct new_decision *decision, int64_t now, GError **error)
{
	struct db_value args[] = {db_int(decision->item), db_int(now), db_text(journal->actor)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "UPDATE task SET state = 'done', closed = $2, actor = $3, reason = 'superseded'"
	        " WHERE item = $1 AND state = 'open' AND kind <> 'call' RETURNING id",
	        args, 3, error);
	if (!rows)
		return false;
	AUTO(open_counts) counts = open_counts_new();
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		open_counts_add(counts, decision->item, -1);
		JSON_AUTO detail = json_object();
		json_set_string(detail, "reason", "superseded");
		json_set_string(detail, "state", "done");
		json_set_int(detail, "task", db_rows_int(rows, r, 0));
		struct record record = {
		        .event = RECORD_TASK_CLOSED, .item = decision->item, .detail = detail};
		if (!record_write(journal, &record, 1, error))
			return false;
	}
	return open_counts_write(counts, journal, now, error);
}

bool round_supersede(struct journal *journal, struct new_decision *decision, int64_t now, GError **error)
{
	return supersede_deliveries(journal, decision, now, error) &&
	       supersede_tasks(journal, decision, now, error);
}

struct reprocessing {
	int64_t item;
	const char *reason;
};

static bool reprocess(struct journal *journal, void *data, GError **error)
{
	const struct reprocessing *reprocessing = data;
	int64_t now, changed = 0;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(reprocessing->item), db_int(now)};
	if (!db_exec(journal->db,
	            "UPDATE item SET state = 'received', wake = $2, attempts = 0, fence = fence + 1, closed "
	            "= NULL"
	            " WHERE id = $1 AND content_deleted IS NULL",
	            args, 2, &changed, error))
		return false;
	if (!changed) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "no item %" G_GINT64_FORMAT " with its content", reprocessing->item);
		return false;
	}
	JSON_AUTO detail = json_object();
	json_set_string(detail, "reason", reprocessing->reason);
	struct record record = {.event = RECORD_REPROCESSED, .item = reprocessing->item, .detail = detail};
	return record_write(journal, &record, 1, error);
}

bool journal_reprocess(struct journal *journal, int64_t item, const char *reason, GError **error)
{
	struct reprocessing reprocessing = {.item = item, .reason = reason};
	return journal_transact(journal, reprocess, &reprocessing, error);
}
