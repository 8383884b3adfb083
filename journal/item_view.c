/* item_view.c - what is known of one item, for those who look at it. */
#include "journal/deliveries.h"
#include "journal/internal.h"
#include "journal/item_rows.h"
#include "journal/items.h"
#include "core/error.h"

void item_view_free(struct item_view *view)
{
	if (!view)
		return;
	item_free(view->item);
	g_free(view->name);
	g_free(view->state);
	json_decref(view->decision);
	json_decref(view->findings);
	json_decref(view->facts);
	g_free(view->bundle);
	g_free(view->engine);
	g_free(view->ruleset);
	g_free(view->contact_code);
	g_free(view);
}

static void read_decision(struct item_view *view, const struct db_rows *rows)
{
	if (db_rows_is_null(rows, 0, 16))
		return;
	view->decision = journal_json_read(db_rows_text(rows, 0, 16));
	view->findings = journal_json_read(db_rows_text(rows, 0, 17));
	view->facts = journal_json_read(db_rows_text(rows, 0, 18));
	view->bundle = g_strdup(db_rows_text(rows, 0, 19));
	view->engine = g_strdup(db_rows_text(rows, 0, 20));
	view->ruleset = g_strdup(db_rows_text(rows, 0, 21));
}

static struct item_view *read_view(struct journal *journal, const struct db_rows *rows)
{
	struct item_view *view = g_new0(struct item_view, 1);
	view->item = item_read(rows, 0, 0);
	view->name = journal_item_name(journal, view->item->id);
	view->size = db_rows_int(rows, 0, 8);
	view->taken = db_rows_int(rows, 0, 9);
	view->decided = db_rows_int(rows, 0, 10);
	view->closed = db_rows_int(rows, 0, 11);
	view->content_deleted = db_rows_int(rows, 0, 12);
	view->duplicate_of = db_rows_int(rows, 0, 13);
	view->received_in_future = db_rows_int(rows, 0, 14) != 0;
	view->state = g_strdup(db_rows_text(rows, 0, 15));
	view->contact_code = g_strdup(db_rows_text(rows, 0, 22));
	read_decision(view, rows);
	return view;
}

struct item_view *journal_item(struct journal *journal, int64_t item, GError **error)
{
	struct db_value args[] = {db_int(item)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT i.id, m.source, m.name, i.key, i.channel, i.received, i.sha256, i.fields, i.size, "
	        "i.taken,"
	        " i.decided, i.closed, i.content_deleted, i.duplicate_of, i.future, i.state, c.decision,"
	        " c.findings, c.facts, c.bundle, c.engine, c.ruleset, i.contact_code"
	        " FROM item i JOIN mailbox m ON m.id = i.mailbox"
	        " LEFT JOIN decision c ON c.item = i.id AND c.round = i.round WHERE i.id = $1",
	        args, 1, error);
	if (!rows)
		return NULL;
	if (db_rows_count(rows))
		return read_view(journal, rows);
	g_autofree char *name = journal_item_name(journal, item);
	fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "there is no item %s", name);
	return NULL;
}

GArray *journal_decided_items(
        struct journal *journal, int64_t from, int64_t to, int64_t after, unsigned max, GError **error)
{
	struct db_value args[] = {db_int(from), db_int(to), db_int(after), db_int(max)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT id FROM item WHERE received >= $1 AND received < $2 AND id > $3 AND decided IS NOT "
	        "NULL"
	        " ORDER BY id LIMIT $4",
	        args, 4, error);
	if (!rows)
		return NULL;
	GArray *items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		int64_t item = db_rows_int(rows, r, 0);
		g_array_append_val(items, item);
	}
	return items;
}

static void delivery_view_free(gpointer data)
{
	struct delivery_view *view = data;
	g_free(view->handler);
	g_free(view->key);
	g_free(view->state);
	g_free(view->reason);
	json_decref(view->receipt);
	json_decref(view->params);
	g_free(view);
}

static struct delivery_view *read_delivery(const struct db_rows *rows, unsigned r)
{
	struct delivery_view *view = g_new0(struct delivery_view, 1);
	view->id = db_rows_int(rows, r, 0);
	view->handler = g_strdup(db_rows_text(rows, r, 1));
	view->key = g_strdup(db_rows_text(rows, r, 2));
	view->state = g_strdup(db_rows_text(rows, r, 3));
	view->reason = g_strdup(db_rows_text(rows, r, 4));
	if (!db_rows_is_null(rows, r, 5))
		view->receipt = journal_json_read(db_rows_text(rows, r, 5));
	view->params = journal_json_read(db_rows_text(rows, r, 6));
	view->not_before = db_rows_int(rows, r, 7);
	view->changed = db_rows_int(rows, r, 8);
	view->attempts = (int)db_rows_int(rows, r, 9);
	return view;
}

GPtrArray *journal_item_deliveries(struct journal *journal, int64_t item, GError **error)
{
	struct db_value args[] = {db_int(item)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT id, handler, key, state, reason, receipt, params, not_before, changed, attempts"
	        " FROM delivery WHERE item = $1 ORDER BY id",
	        args, 1, error);
	if (!rows)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func(delivery_view_free);
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		g_ptr_array_add(list, read_delivery(rows, r));
	return list;
}
