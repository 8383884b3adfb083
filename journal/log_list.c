/* log_list.c - pages of records and of decisions. */
#include "journal/log_list.h"
#include "journal/internal.h"

#include <string.h>

enum { PAGE = 1000 };

/* ---- records ---- */

static bool event_fits(const char *event, const char *wanted)
{
	size_t n = wanted ? strlen(wanted) : 0;
	return !n || (strncmp(event, wanted, n) == 0 && (event[n] == '\0' || event[n] == '.'));
}

static bool take_record(const struct db_rows *rows, unsigned r, log_taker take, void *data)
{
	g_autoptr(GBytes) bytes = db_rows_bytes(rows, r, 3);
	gsize size;
	const char *text = g_bytes_get_data(bytes, &size);
	JSON_AUTO body = json_read(text, size, NULL);
	const struct log_entry entry = {.number = db_rows_int(rows, r, 0),
	        .leaf = db_rows_is_null(rows, r, 4) ? -1 : db_rows_int(rows, r, 4),
	        .time = db_rows_int(rows, r, 1),
	        .event = db_rows_text(rows, r, 2),
	        .item = json_get_string(body, "item"),
	        .actor = json_get_string(body, "actor"),
	        .detail = json_object_get(body, "detail")};
	return take(data, &entry);
}

static struct db_rows *record_page(
        struct journal *journal, const struct log_filter *filter, int64_t after, GError **error)
{
	struct db_value args[] = {db_int(after), db_int(filter->since), db_int(filter->until), db_int(PAGE),
	        db_int(filter->item)};
	return db_query(journal->db,
	        filter->item
	                ? "SELECT r.id, r.time, r.event, r.body, l.n FROM record r LEFT JOIN leaf l ON"
	                  " l.record = r.id WHERE r.item = $5 AND r.id > $1 AND r.time >= $2 AND r.time < $3"
	                  " ORDER BY r.id LIMIT $4"
	                : "SELECT r.id, r.time, r.event, r.body, l.n FROM record r LEFT JOIN leaf l ON"
	                  " l.record = r.id WHERE r.id > $1 AND r.time >= $2 AND r.time < $3"
	                  " ORDER BY r.id LIMIT $4",
	        args, filter->item ? 5 : 4, error);
}

bool journal_log_list(
        struct journal *journal, const struct log_filter *filter, log_taker take, void *data, GError **error)
{
	int64_t left = filter->max ? filter->max : INT64_MAX;
	for (int64_t after = 0;;) {
		AUTO(db_rows) rows = record_page(journal, filter, after, error);
		if (!rows)
			return false;
		unsigned n = db_rows_count(rows);
		for (unsigned r = 0; r < n; r++) {
			if (!event_fits(db_rows_text(rows, r, 2), filter->event))
				continue;
			if (left-- == 0 || !take_record(rows, r, take, data))
				return true;
		}
		if (n < PAGE)
			return true;
		after = db_rows_int(rows, n - 1, 0);
	}
}

/* ---- overrides ---- */

static void override_free(void *data)
{
	struct override_count *count = data;
	g_free(count->rule);
	g_free(count->kind);
	g_free(count->instead);
	g_free(count);
}

static bool count_override(void *data, const struct log_entry *entry)
{
	GHashTable *counts = data;
	const char *rule = json_get_string(entry->detail, "rule"),
	           *kind = json_get_string(entry->detail, "kind");
	const char *instead = json_get_string(entry->detail, "instead");
	g_autofree char *key =
	        g_strdup_printf("%s\x1f%s\x1f%s", rule ? rule : "", kind ? kind : "", instead ? instead : "");
	struct override_count *count = g_hash_table_lookup(counts, key);
	if (!count) {
		count = g_new0(struct override_count, 1);
		*count = (struct override_count){g_strdup(rule), g_strdup(kind), g_strdup(instead), 0};
		g_hash_table_insert(counts, g_steal_pointer(&key), count);
	}
	count->count++;
	return true;
}

static int by_count(const void *a, const void *b)
{
	const struct override_count *x = *(struct override_count *const *)a;
	const struct override_count *y = *(struct override_count *const *)b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	int order = g_strcmp0(x->rule, y->rule);
	return order ? order : g_strcmp0(x->instead, y->instead);
}

GPtrArray *journal_overrides(struct journal *journal, int64_t since, int64_t until, GError **error)
{
	g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *list = g_ptr_array_new_with_free_func(override_free);
	struct log_filter filter = {.since = since, .until = until, .event = "overridden"};
	bool ok = journal_log_list(journal, &filter, count_override, counts, error);
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, counts);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(list, value);
	g_ptr_array_sort(list, by_count);
	if (!ok)
		g_clear_pointer(&list, g_ptr_array_unref);
	return list;
}

/* ---- decisions ---- */

static bool has_id(const json_t *list, const char *key, const char *wanted)
{
	size_t i;
	json_t *entry;
	json_array_foreach ((json_t *)list, i, entry)
		if (g_strcmp0(json_get_string(entry, key), wanted) == 0)
			return true;
	return false;
}

static bool cites_fit(const json_t *action, const char *wanted)
{
	size_t i;
	json_t *cite;
	json_array_foreach (json_object_get(action, "cites"), i, cite) {
		const char *source = json_get_string(cite, "source"),
		           *section = json_get_string(cite, "section");
		g_autofree char *whole =
		        g_strdup_printf("%s %s", source ? source : "", section ? section : "");
		if (g_strcmp0(source, wanted) == 0 || strcmp(whole, wanted) == 0)
			return true;
	}
	return false;
}

static bool any_cite(const json_t *actions, const char *wanted)
{
	size_t i;
	json_t *action;
	json_array_foreach ((json_t *)actions, i, action)
		if (cites_fit(action, wanted))
			return true;
	return false;
}

static bool decision_fits(const struct decided_filter *filter, const char *channel, const json_t *decision)
{
	const json_t *actions = json_object_get(decision, "actions");
	return (!filter->channel || strcmp(filter->channel, channel) == 0) &&
	       (!filter->rule || has_id(actions, "rule", filter->rule)) &&
	       (!filter->action || has_id(actions, "handler", filter->action) ||
	               has_id(actions, "kind", filter->action)) &&
	       (!filter->concern || has_id(json_object_get(decision, "concerns"), "id", filter->concern)) &&
	       (!filter->cite || any_cite(actions, filter->cite));
}

/* States of the deliveries of items first…last: "<item>" → object. */
static GHashTable *states_of(struct journal *journal, int64_t first, int64_t last, GError **error)
{
	struct db_value args[] = {db_int(first), db_int(last)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT item, key, state FROM delivery WHERE item >= $1 AND item <= $2 AND task IS NULL"
	        " ORDER BY id",
	        args, 2, error);
	if (!rows)
		return NULL;
	GHashTable *all =
	        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)json_decref);
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		int64_t item = db_rows_int(rows, r, 0);
		json_t *states = g_hash_table_lookup(all, &item);
		if (!states) {
			int64_t *key = g_new(int64_t, 1);
			*key = item;
			g_hash_table_insert(all, key, states = json_object());
		}
		const char *slash = strchr(db_rows_text(rows, r, 1), '/');
		json_set_string(states, slash ? slash + 1 : "", db_rows_text(rows, r, 2));
	}
	return all;
}

static bool take_decided(struct journal *journal, const struct db_rows *rows, unsigned r, GHashTable *states,
        const struct decided_filter *filter, decided_taker take, void *data)
{
	int64_t item = db_rows_int(rows, r, 0);
	JSON_AUTO decision = journal_json_read(db_rows_text(rows, r, 7));
	JSON_AUTO nothing = json_object();
	const char *channel = db_rows_text(rows, r, 1);
	const json_t *own = g_hash_table_lookup(states, &item);
	if (!decision_fits(filter, channel, decision))
		return true;
	g_autofree char *name = journal_item_name(journal, item);
	const struct decided_entry entry = {.item = name,
	        .channel = channel,
	        .source = db_rows_text(rows, r, 2),
	        .mailbox = db_rows_text(rows, r, 3),
	        .received = db_rows_int(rows, r, 4),
	        .decided = db_rows_int(rows, r, 5),
	        .content_deleted = db_rows_int(rows, r, 6),
	        .decision = decision,
	        .states = own ? own : nothing,
	        .bundle = db_rows_text(rows, r, 8),
	        .engine = db_rows_text(rows, r, 9),
	        .contact_code = db_rows_text(rows, r, 10)};
	return take(data, &entry);
}

static struct db_rows *decided_page(
        struct journal *journal, const struct decided_filter *filter, int64_t after, GError **error)
{
	struct db_value args[] = {db_int(after), db_int(filter->since), db_int(filter->until), db_int(PAGE),
	        db_int(filter->item)};
	return db_query(journal->db,
	        "SELECT i.id, i.channel, m.source, m.name, i.received, i.decided, i.content_deleted, "
	        "c.decision,"
	        " c.bundle, c.engine, i.contact_code FROM item i JOIN mailbox m ON m.id = i.mailbox"
	        " JOIN decision c ON c.item = i.id AND c.round = i.round WHERE i.id > $1 AND i.received >= $2"
	        " AND i.received < $3 AND ($5 = CAST(0 AS bigint) OR i.id = $5) ORDER BY i.id LIMIT $4",
	        args, 5, error);
}

bool journal_decided_list(struct journal *journal, const struct decided_filter *filter, decided_taker take,
        void *data, GError **error)
{
	for (int64_t after = filter->item ? filter->item - 1 : 0;;) {
		AUTO(db_rows) rows = decided_page(journal, filter, after, error);
		unsigned n = rows ? db_rows_count(rows) : 0;
		if (n == 0)
			return rows != NULL;
		g_autoptr(GHashTable) states =
		        states_of(journal, db_rows_int(rows, 0, 0), db_rows_int(rows, n - 1, 0), error);
		if (!states)
			return false;
		for (unsigned r = 0; r < n; r++)
			if (!take_decided(journal, rows, r, states, filter, take, data))
				return true;
		if (n < PAGE)
			return true;
		after = db_rows_int(rows, n - 1, 0);
	}
}
