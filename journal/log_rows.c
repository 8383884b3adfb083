/* log_rows.c - what each record says must stand in a row, and what each row says must stand in a record. */
#include "journal/log_rows.h"
#include "journal/internal.h"
#include "journal/record.h"

#include <string.h>

enum { ITEMS_A_READ = 500 };

/* What the records say of one delivery or task. */
struct said {
	char *state;
	bool seen; /* its row was met */
};

struct checking {
	struct journal *journal;
	const struct verify_options *options;
	struct verify_report *report;
	int64_t from, to;       /* item numbers [from, to) */
	GHashTable *received;   /* item name → commitment of its `received` record */
	GHashTable *decisions;  /* "item/round" → detail (json_t) */
	GHashTable *deliveries; /* key → struct said */
	GHashTable *tasks;      /* number as text → struct said */
};

static void said_free(void *data)
{
	struct said *said = data;
	g_free(said->state);
	g_free(said);
}

static void add(struct checking *c, const char *kind, const char *what, const char *name, const char *text)
{
	verify_add(c->report, c->options, kind, g_strdup_printf("%s %s", what, name), g_strdup(text));
}

static void say(GHashTable *table, char *key, const char *state)
{
	struct said *said = g_hash_table_lookup(table, key);
	if (!said) {
		said = g_new0(struct said, 1);
		g_hash_table_insert(table, key, said);
	} else {
		g_free(key);
	}
	g_free(said->state);
	said->state = g_strdup(state);
}

static char *task_key(const json_t *detail)
{
	return g_strdup_printf("%" G_GINT64_FORMAT, (gint64)json_get_int(detail, "task", 0));
}

static void hear_decided(struct checking *c, const char *item, json_t *detail)
{
	size_t i;
	json_t *entry;
	char *key = g_strdup_printf("%s/%" G_GINT64_FORMAT, item, (gint64)json_get_int(detail, "round", 1));
	g_hash_table_insert(c->decisions, key, json_incref(detail));
	json_array_foreach (json_object_get(detail, "deliveries"), i, entry) {
		const char *state = json_get_string(entry, "state"), *name = json_get_string(entry, "key");
		if (name && state && strcmp(state, "planned_before") != 0)
			say(c->deliveries, g_strdup(name), state);
	}
	json_array_foreach (json_object_get(detail, "tasks"), i, entry)
		if (json_get_int(entry, "task", 0))
			say(c->tasks, task_key(entry), "open");
}

/* States a delivery or task is in after that event; NULL: the event is of something else. */
static const struct {
	const char *event, *state;
	bool task;
} effects[] = {
        {"delivery.sending", "sending", false},
        {"delivery.confirmed", "confirmed", false},
        {"delivery.retry", "due", false},
        {"delivery.failed", "failed", false},
        {"delivery.uncertain", "uncertain", false},
        {"delivery.suppressed", "suppressed", false},
        {"delivery.cancelled", "cancelled", false},
        {"task.opened", "open", true},
        {"task.attempted", "done", true},
        {"task.closed", "done", true},
};

static void hear_effect(struct checking *c, const char *event, const json_t *detail)
{
	for (size_t i = 0; i < G_N_ELEMENTS(effects); i++) {
		if (strcmp(effects[i].event, event) != 0)
			continue;
		const char *state = json_get_string(detail, "state"), *key = json_get_string(detail, "key");
		if (effects[i].task)
			say(c->tasks, task_key(detail),
			        state && strcmp(event, "task.closed") == 0 ? state : effects[i].state);
		else if (key)
			say(c->deliveries, g_strdup(key), effects[i].state);
	}
}

static void hear(struct checking *c, GBytes *bytes)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	JSON_AUTO body = json_read(data, size, NULL);
	const char *event = json_get_string(body, "event"), *item = json_get_string(body, "item");
	json_t *detail = json_object_get(body, "detail");
	if (!event)
		return; /* reported by the check of the leaves */
	if (strcmp(event, "received") == 0 && item)
		g_hash_table_insert(
		        c->received, g_strdup(item), g_strdup(json_get_string(detail, "commitment")));
	else if (strcmp(event, "decided") == 0 && item)
		hear_decided(c, item, detail);
	else
		hear_effect(c, event, detail);
}

static struct db_rows *rows_between(struct checking *c, const char *sql, GError **error)
{
	struct db_value args[] = {db_int(c->from), db_int(c->to)};
	return db_query(c->journal->db, sql, args, 2, error);
}

static bool hear_records(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = rows_between(c, "SELECT body FROM record WHERE item >= $1 AND item < $2 ORDER BY id", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autoptr(GBytes) body = db_rows_bytes(rows, i, 0);
		hear(c, body);
	}
	return rows != NULL;
}

/* The salt goes with the content; without it the commitment can no longer be opened, which is no finding. */
static bool content_agrees(const char *sealed, GBytes *salt, const char *sha256)
{
	char commitment[HASH_HEX_SIZE];
	if (!salt)
		return true;
	if (!sha256 || strlen(sha256) != HASH_HEX_SIZE - 1)
		return false;
	record_commitment(g_bytes_get_data(salt, NULL), g_bytes_get_size(salt), sha256, commitment);
	return g_strcmp0(sealed, commitment) == 0;
}

static bool check_items(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = rows_between(c, "SELECT id, sha256, salt FROM item WHERE id >= $1 AND id < $2", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autofree char *name = journal_item_name(c->journal, db_rows_int(rows, i, 0));
		g_autoptr(GBytes) salt = db_rows_bytes(rows, i, 2);
		c->report->items++;
		if (!g_hash_table_contains(c->received, name))
			add(c, FINDING_NO_RECORD, "item", name, "has no `received` record");
		else if (!content_agrees(
		                 g_hash_table_lookup(c->received, name), salt, db_rows_text(rows, i, 1)))
			add(c, FINDING_DISAGREES, "item", name,
			        "its content hash is not the one it was received with");
		g_hash_table_remove(c->received, name);
	}
	return rows != NULL;
}

static void compare_hash(
        struct checking *c, const json_t *detail, const char *key, const char *text, const char *name)
{
	char hash[HASH_HEX_SIZE];
	hash_hex(text ? text : "", text ? strlen(text) : 0, hash);
	if (g_strcmp0(json_get_string(detail, key), hash) != 0)
		add(c, FINDING_DISAGREES, "decision", name, key);
}

static bool check_decisions(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = rows_between(c,
	        "SELECT item, round, decision, findings, facts, bundle, engine, ruleset FROM decision"
	        " WHERE item >= $1 AND item < $2",
	        error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autofree char *item = journal_item_name(c->journal, db_rows_int(rows, i, 0));
		g_autofree char *name =
		        g_strdup_printf("%s/%" G_GINT64_FORMAT, item, (gint64)db_rows_int(rows, i, 1));
		const json_t *detail = g_hash_table_lookup(c->decisions, name);
		if (!detail) {
			add(c, FINDING_NO_RECORD, "decision", name, "has no `decided` record");
			continue;
		}
		compare_hash(c, detail, "decision_sha256", db_rows_text(rows, i, 2), name);
		compare_hash(c, detail, "findings_sha256", db_rows_text(rows, i, 3), name);
		compare_hash(c, detail, "facts_sha256", db_rows_text(rows, i, 4), name);
		if (g_strcmp0(json_get_string(detail, "bundle"), db_rows_text(rows, i, 5)) != 0 ||
		        g_strcmp0(json_get_string(detail, "engine"), db_rows_text(rows, i, 6)) != 0 ||
		        g_strcmp0(json_get_string(detail, "ruleset"), db_rows_text(rows, i, 7)) != 0)
			add(c, FINDING_DISAGREES, "decision", name, "bundle, engine or rule set");
		g_hash_table_remove(c->decisions, name);
	}
	return rows != NULL;
}

static void meet(struct checking *c, GHashTable *table, const char *what, const char *key, const char *state)
{
	struct said *said = g_hash_table_lookup(table, key);
	if (!said) {
		add(c, FINDING_NO_RECORD, what, key, "has no record");
		return;
	}
	said->seen = true;
	if (g_strcmp0(said->state, state) != 0)
		verify_add(c->report, c->options, FINDING_DISAGREES, g_strdup_printf("%s %s", what, key),
		        g_strdup_printf("is \"%s\", its records say \"%s\"", state, said->state));
}

static bool check_deliveries(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = rows_between(c, "SELECT key, state, task FROM delivery WHERE item >= $1 AND item < $2", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		const char *key = db_rows_text(rows, i, 0);
		/* The posting of a task follows from the task's own record until something happens to it. */
		if (!db_rows_is_null(rows, i, 2) && !g_hash_table_contains(c->deliveries, key) &&
		        strcmp(db_rows_text(rows, i, 1), "due") == 0)
			continue;
		meet(c, c->deliveries, "delivery", key, db_rows_text(rows, i, 1));
	}
	return rows != NULL;
}

static bool check_tasks(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = rows_between(c, "SELECT id, state FROM task WHERE item >= $1 AND item < $2", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)db_rows_int(rows, i, 0));
		meet(c, c->tasks, "task", key, db_rows_text(rows, i, 1));
	}
	return rows != NULL;
}

static void report_unmet(struct checking *c, GHashTable *table, const char *what)
{
	GHashTableIter iter;
	gpointer key, value;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!((struct said *)value)->seen)
			add(c, FINDING_NO_ROW, what, key, "the log has it, the journal does not");
}

static void report_left(struct checking *c, GHashTable *table, const char *what)
{
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		add(c, FINDING_NO_ROW, what, key, "the log has it, the journal does not");
}

static bool check_stretch(struct checking *c, GError **error)
{
	c->received = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	c->decisions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
	c->deliveries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, said_free);
	c->tasks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, said_free);
	bool ok = hear_records(c, error) && check_items(c, error) && check_decisions(c, error) &&
	          check_deliveries(c, error) && check_tasks(c, error);
	if (ok) {
		report_left(c, c->received, "item");
		report_left(c, c->decisions, "decision");
		report_unmet(c, c->deliveries, "delivery");
		report_unmet(c, c->tasks, "task");
	}
	g_hash_table_unref(c->received);
	g_hash_table_unref(c->decisions);
	g_hash_table_unref(c->deliveries);
	g_hash_table_unref(c->tasks);
	return ok;
}

/* First and last item number that a row or a record knows. */
static bool bounds(struct journal *journal, int64_t *first, int64_t *last, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT (SELECT min(id) FROM item), (SELECT max(id) FROM item), (SELECT min(item) FROM "
	        "record),"
	        " (SELECT max(item) FROM record)",
	        NULL, 0, error);
	if (!rows)
		return false;
	*first = INT64_MAX;
	*last = 0;
	for (unsigned i = 0; i < 4; i++) {
		if (db_rows_is_null(rows, 0, i))
			continue;
		*first = MIN(*first, db_rows_int(rows, 0, i));
		*last = MAX(*last, db_rows_int(rows, 0, i));
	}
	return true;
}

bool verify_rows(struct journal *journal, const struct verify_options *options, struct verify_report *report,
        GError **error)
{
	struct checking c = {.journal = journal, .options = options, .report = report};
	int64_t first, last;
	if (!bounds(journal, &first, &last, error))
		return false;
	for (c.from = first; c.from <= last; c.from = c.to) {
		c.to = c.from + ITEMS_A_READ;
		if (!check_stretch(&c, error))
			return false;
	}
	return true;
}
