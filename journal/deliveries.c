/* deliveries.c - claiming what is due; deliveries that a crash left in `sending` become uncertain here. */
#include "journal/deliveries.h"
#include "journal/claim_sql.h"
#include "journal/internal.h"
#include "journal/item_rows.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "core/error.h"

#define RESCUE_MAX 100

void delivery_free(struct delivery *delivery)
{
	if (!delivery)
		return;
	g_free(delivery->handler);
	g_free(delivery->key);
	json_decref(delivery->params);
	g_free(delivery->item_name);
	item_free(delivery->item);
	json_decref(delivery->facts);
	g_bytes_unref(delivery->salt);
	g_free(delivery);
}

static void free_delivery(gpointer delivery)
{
	delivery_free(delivery);
}

/* ---- rescue ---- */

static struct record uncertain_record(int64_t item, const char *key, GPtrArray *details)
{
	json_t *detail = json_object();
	json_set_string(detail, "key", key);
	json_set_string(detail, "reason", "worker_lost");
	g_ptr_array_add(details, detail);
	return (struct record){.event = RECORD_DELIVERY_UNCERTAIN, .item = item, .detail = detail};
}

static struct record opened_record(int64_t item, const struct new_task *task, GPtrArray *details)
{
	json_t *detail = json_object();
	json_set_string(detail, "kind", task->kind);
	json_set_int(detail, "task", task->id);
	g_ptr_array_add(details, detail);
	return (struct record){.event = RECORD_TASK_OPENED, .item = item, .detail = detail};
}

/* `rows`: id, item, key of deliveries whose worker is gone. The number of what is open does not change. */
static bool give_up(struct journal *journal, const struct db_rows *rows, int64_t now, GError **error)
{
	unsigned n = db_rows_count(rows);
	g_autofree int64_t *numbers = g_new0(int64_t, n + 1);
	if (!db_numbers(journal->db, "task", n, numbers, error))
		return false;
	AUTO(values) changes = values_new(2);
	AUTO(values) tasks = task_rows_new();
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
	for (unsigned r = 0; r < n; r++) {
		int64_t item = db_rows_int(rows, r, 1);
		values_int(changes, db_rows_int(rows, r, 0));
		values_int(changes, now);
		json_t *params = json_object();
		g_ptr_array_add(details, params);
		json_set_string(params, "delivery", db_rows_text(rows, r, 2));
		struct new_task task = {.kind = "reply_uncertain", .id = numbers[r], .params = params};
		task_rows_add(tasks, item, &task, now, NULL);
		struct record pair[] = {uncertain_record(item, db_rows_text(rows, r, 2), details),
		        opened_record(item, &task, details)};
		g_array_append_vals(records, pair, 2);
	}
	return values_exec(changes, journal,
	               "UPDATE delivery SET state = 'uncertain', reason = 'worker_lost', changed = $2,"
	               " fence = fence + 1, worker = NULL WHERE id = $1",
	               NULL, error) &&
	       task_rows_write(tasks, journal, error) &&
	       record_write(journal, (const struct record *)(void *)records->data, records->len, error);
}

static bool rescue(struct journal *journal, int64_t now, GError **error)
{
	struct db_value args[] = {db_int(now), db_int(RESCUE_MAX)};
	AUTO(db_rows)
	rows = db_query(journal->db, SQL_CLAIM(journal, SQL_LOST_DELIVERIES), args, 2, error);
	if (!rows)
		return false;
	return !db_rows_count(rows) || give_up(journal, rows, now, error);
}

/* ---- claim ---- */

struct claiming {
	const struct delivery_claim_options *options;
	int64_t now;
	GPtrArray *handlers; /* char * */
	GPtrArray *deliveries;
};

/* Which handlers have anything open: one step in the index each. */
static bool find_handlers(struct journal *journal, struct claiming *claiming, GError **error)
{
	g_autofree char *last = g_strdup("");
	for (;;) {
		struct db_value args[] = {db_text(last)};
		AUTO(db_rows)
		rows = db_query(journal->db, SQL_NEXT_HANDLER, args, 1, error);
		if (!rows)
			return false;
		if (db_rows_is_null(rows, 0, 0))
			return true;
		g_free(last);
		last = g_strdup(db_rows_text(rows, 0, 0));
		g_ptr_array_add(claiming->handlers, g_strdup(last));
	}
}

static bool list_handlers(struct journal *journal, struct claiming *claiming, GError **error)
{
	const char *const *given = claiming->options->handlers;
	if (!given)
		return find_handlers(journal, claiming, error);
	for (; *given; given++)
		g_ptr_array_add(claiming->handlers, g_strdup(*given));
	return true;
}

static bool choose(struct journal *journal, struct claiming *claiming, const char *handler, unsigned max,
        struct values *chosen, GError **error)
{
	struct db_value args[] = {
	        db_text(handler), db_int(claiming->options->now), db_int(claiming->now), db_int(max)};
	AUTO(db_rows)
	rows = db_query(journal->db, SQL_CLAIM(journal, SQL_DUE_DELIVERIES), args, 4, error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		values_int(chosen, db_rows_int(rows, r, 0));
		values_int(chosen, claiming->now + claiming->options->duration);
		values_text(chosen, journal->worker);
	}
	return rows != NULL;
}

/* An equal share for each handler: one that is down and full does not starve the others. */
static bool choose_all(
        struct journal *journal, struct claiming *claiming, struct values *chosen, GError **error)
{
	unsigned left = claiming->options->max;
	for (guint i = 0; left && i < claiming->handlers->len; i++) {
		unsigned others = claiming->handlers->len - i;
		unsigned before = values_rows(chosen);
		if (!choose(journal, claiming, g_ptr_array_index(claiming->handlers, i),
		            (left + others - 1) / others, chosen, error))
			return false;
		left -= values_rows(chosen) - before;
	}
	return true;
}

static struct delivery *read_delivery(struct journal *journal, const struct db_rows *row)
{
	struct delivery *delivery = g_new0(struct delivery, 1);
	if (!db_rows_is_null(row, 0, 0)) {
		delivery->item = item_read(row, 0, 0);
		delivery->item_name = journal_item_name(journal, delivery->item->id);
	}
	delivery->item_size = db_rows_int(row, 0, 8);
	delivery->facts = journal_json_read(db_rows_text(row, 0, 9));
	delivery->id = db_rows_int(row, 0, 10);
	delivery->fence = db_rows_int(row, 0, 11);
	delivery->handler = g_strdup(db_rows_text(row, 0, 12));
	delivery->key = g_strdup(db_rows_text(row, 0, 13));
	delivery->params = journal_json_read(db_rows_text(row, 0, 14));
	delivery->created = db_rows_int(row, 0, 15);
	delivery->not_before = db_rows_int(row, 0, 16);
	delivery->attempts = (int)db_rows_int(row, 0, 17);
	delivery->at_most_once = db_rows_int(row, 0, 18) != 0;
	delivery->task = db_rows_int(row, 0, 19);
	delivery->salt = db_rows_bytes(row, 0, 20);
	return delivery;
}

static bool read_all(
        struct journal *journal, struct claiming *claiming, struct values *chosen, GError **error)
{
	AUTO(values) ids = values_new(1);
	for (unsigned i = 0; i < values_rows(chosen); i++)
		values_int(ids, values_get_int(chosen, i, 0));
	g_autoptr(GPtrArray) found = values_query(ids, journal,
	        "SELECT i.id, m.source, m.name, i.key, i.channel, i.received, i.sha256, i.fields, i.size, "
	        "c.facts,"
	        " d.id, d.fence, d.handler, d.key, d.params, d.created, d.not_before, d.attempts, "
	        "d.at_most_once,"
	        " d.task, i.salt FROM delivery d LEFT JOIN item i ON i.id = d.item"
	        " LEFT JOIN mailbox m ON m.id = i.mailbox"
	        " LEFT JOIN decision c ON c.item = i.id AND c.round = i.round WHERE d.id = $1",
	        error);
	for (guint i = 0; found && i < found->len; i++)
		g_ptr_array_add(claiming->deliveries, read_delivery(journal, g_ptr_array_index(found, i)));
	return found != NULL;
}

static bool claim(struct journal *journal, void *data, GError **error)
{
	struct claiming *claiming = data;
	AUTO(values) chosen = values_new(3);
	return db_now(journal->db, &claiming->now, error) && rescue(journal, claiming->now, error) &&
	       list_handlers(journal, claiming, error) && choose_all(journal, claiming, chosen, error) &&
	       values_exec(chosen, journal,
	               "UPDATE delivery SET leased_until = $2, worker = $3, fence = fence + 1 WHERE id = $1",
	               NULL, error) &&
	       read_all(journal, claiming, chosen, error);
}

GPtrArray *journal_claim_deliveries(
        struct journal *journal, const struct delivery_claim_options *options, GError **error)
{
	g_autoptr(GPtrArray) handlers = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) deliveries = g_ptr_array_new_with_free_func(free_delivery);
	struct claiming claiming = {.options = options, .handlers = handlers, .deliveries = deliveries};
	if (!journal_transact(journal, claim, &claiming, error))
		return NULL;
	return g_steal_pointer(&deliveries);
}

/* ---- under way ---- */

struct marking {
	struct delivery *const *deliveries;
	unsigned n;
	bool *lost;
};

static bool mark(struct journal *journal, void *data, GError **error)
{
	const struct marking *marking = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	AUTO(values) rows = values_new(3);
	for (unsigned i = 0; i < marking->n; i++) {
		values_int(rows, marking->deliveries[i]->id);
		values_int(rows, marking->deliveries[i]->fence);
		values_int(rows, now);
	}
	g_autofree int64_t *changed = g_new0(int64_t, marking->n + 1);
	if (!values_exec(rows, journal,
	            "UPDATE delivery SET state = 'sending', changed = $3 WHERE id = $1 AND fence = $2"
	            " AND state = 'due'",
	            changed, error))
		return false;
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
	for (unsigned i = 0; i < marking->n; i++) {
		const struct delivery *delivery = marking->deliveries[i];
		marking->lost[i] = changed[i] == 0;
		if (marking->lost[i])
			continue;
		json_t *detail = json_object();
		json_set_string(detail, "key", delivery->key);
		g_ptr_array_add(details, detail);
		struct record record = {.event = RECORD_DELIVERY_SENDING,
		        .item = delivery->item ? delivery->item->id : 0,
		        .detail = detail};
		g_array_append_val(records, record);
	}
	return record_write(journal, (const struct record *)(void *)records->data, records->len, error);
}

bool journal_mark_sending(
        struct journal *journal, struct delivery *const *deliveries, unsigned n, bool *lost, GError **error)
{
	struct marking marking = {.deliveries = deliveries, .n = n, .lost = lost};
	return journal_transact(journal, mark, &marking, error);
}

struct renewing {
	const struct delivery *delivery;
	int64_t duration, changed;
};

static bool renew(struct journal *journal, void *data, GError **error)
{
	struct renewing *renewing = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(renewing->delivery->id), db_int(renewing->delivery->fence),
	        db_int(now + renewing->duration)};
	return db_exec(journal->db,
	        "UPDATE delivery SET leased_until = $3 WHERE id = $1 AND fence = $2 AND state IN ('due', "
	        "'sending')",
	        args, 3, &renewing->changed, error);
}

bool journal_renew_delivery(
        struct journal *journal, const struct delivery *delivery, int64_t duration, GError **error)
{
	struct renewing renewing = {.delivery = delivery, .duration = duration};
	if (!journal_transact(journal, renew, &renewing, error))
		return false;
	if (renewing.changed)
		return true;
	fail_as(error, ERROR_LOST_LEASE, SCOPE_ITEM, WHEN_LATER, "another worker has taken over %s",
	        delivery->key);
	return false;
}
