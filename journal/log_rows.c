/* log_rows.c - what each record says must stand in a row, and what each row says must stand in a record.
 *
 * Item by item, in stretches of item numbers, so that memory is bounded; the next stretch is read while one
 * is checked. Not compared are columns that only organise work and say nothing of what happened: leases,
 * fences, workers, due and wake times, and texts, which go with the content.
 */
#include "journal/log_rows.h"
#include "journal/ahead.h"
#include "journal/internal.h"
#include "journal/record.h"

#include <string.h>

enum { ITEMS_A_READ = 500, STRETCHES_AHEAD = 4 };

enum { ROWS_RECORD, ROWS_ITEM, ROWS_DECISION, ROWS_DELIVERY, ROWS_TASK, ROWS_ALIAS, ROWS_KINDS };

#define DELIVERIES                                                                                           \
	"SELECT item, key, state, task, handler, attempts, receipt, reason, created, not_before,"            \
	" at_most_once, params FROM delivery"
#define TASKS                                                                                                \
	"SELECT item, id, state, kind, outcome, actor, created, closed, concern, reason, text, params FROM " \
	"task"

static const char *const queries[ROWS_KINDS] = {
        [ROWS_RECORD] = "SELECT item, body FROM record WHERE item >= $1 AND item < $2 ORDER BY id",
        [ROWS_ITEM] =
                "SELECT id, sha256, salt, mailbox, channel, received, taken, size, future, duplicate_of,"
                " state, decided, round, relevance, contact_code, person, open, closed, content_deleted,"
                " key, fields, digest FROM item WHERE id >= $1 AND id < $2",
        [ROWS_DECISION] = "SELECT item, round, decision, findings, facts, bundle, engine, ruleset, relevance,"
                          " contact_code, time FROM decision WHERE item >= $1 AND item < $2",
        [ROWS_DELIVERY] = DELIVERIES " WHERE item >= $1 AND item < $2",
        [ROWS_TASK] = TASKS " WHERE item >= $1 AND item < $2",
        [ROWS_ALIAS] =
                "SELECT a.item, a.time, a.key, CASE WHEN a.mailbox = i.mailbox THEN 1 ELSE 0 END"
                " FROM item_alias a LEFT JOIN item i ON i.id = a.item WHERE a.item >= $1 AND a.item < $2",
};

struct stretch {
	int64_t from, to; /* item numbers [from, to) */
	struct db_rows *rows[ROWS_KINDS];
};

struct reading {
	struct journal *journal;
	int64_t from;
	bool look; /* the last stretch was empty: find out where the next number is */
};

struct checking {
	struct journal *journal;
	const struct verify_options *options;
	struct verify_report *report;
	GHashTable *mailboxes; /* number → "source\nname" */
	const struct stretch *stretch;
	struct said *said;
	GHashTable *open;  /* item number → count of rows */
	GHashTable *words; /* key of a delivery or number of a task → struct words of its row */
	GHashTable *salts; /* item number → GBytes, of items with their content */
	bool blind;        /* an auditor: words, fields and keys are not shown */
};

struct words {
	const char *text, *params;
};

static void stretch_free(void *data)
{
	struct stretch *stretch = data;
	for (unsigned i = 0; i < ROWS_KINDS; i++)
		db_rows_free(stretch->rows[i]);
	g_free(stretch);
}

/* ---- reading ---- */

/* The smallest item number from `from` on that any row or record knows; *found false: there is none. */
static bool next_number(struct journal *journal, int64_t from, int64_t *next, bool *found, GError **error)
{
	struct db_value args[] = {db_int(from)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT (SELECT min(id) FROM item WHERE id >= $1), (SELECT min(item) FROM record WHERE item "
	        ">= $1),"
	        " (SELECT min(item) FROM decision WHERE item >= $1),"
	        " (SELECT min(item) FROM delivery WHERE item >= $1),"
	        " (SELECT min(item) FROM task WHERE item >= $1)",
	        args, 1, error);
	*found = false;
	for (unsigned i = 0; rows && i < 5; i++) {
		if (db_rows_is_null(rows, 0, i))
			continue;
		int64_t number = db_rows_int(rows, 0, i);
		*next = *found ? MIN(*next, number) : number;
		*found = true;
	}
	return rows != NULL;
}

static void *read_stretch(void *data, GError **error)
{
	struct reading *reading = data;
	bool found = true;
	if (reading->look && !next_number(reading->journal, reading->from, &reading->from, &found, error))
		return NULL;
	if (!found || reading->from == INT64_MAX)
		return NULL;
	struct stretch *stretch = g_new0(struct stretch, 1);
	stretch->from = reading->from;
	stretch->to = stretch->from > INT64_MAX - ITEMS_A_READ ? INT64_MAX : stretch->from + ITEMS_A_READ;
	struct db_value args[] = {db_int(stretch->from), db_int(stretch->to)};
	unsigned rows = 0;
	for (unsigned i = 0; i < ROWS_KINDS; i++) {
		stretch->rows[i] = db_query(reading->journal->db, queries[i], args, 2, error);
		if (!stretch->rows[i]) {
			stretch_free(stretch);
			return NULL;
		}
		rows += db_rows_count(stretch->rows[i]);
	}
	reading->from = stretch->to;
	reading->look = rows == 0;
	return stretch;
}

/* ---- saying what is wrong ---- */

static void add(struct checking *c, const char *kind, const char *what, const char *name, const char *text)
{
	verify_add(c->report, c->options, kind, g_strdup_printf("%s %s", what, name), g_strdup(text));
}

static void add_number(
        struct checking *c, const char *kind, const char *what, int64_t number, const char *text)
{
	g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, number);
	add(c, kind, what, name, text);
}

static void compare_text(struct checking *c, const char *what, const char *name, const char *column,
        const char *row, const char *said)
{
	if (g_strcmp0(row, said) != 0)
		verify_add(c->report, c->options, FINDING_DISAGREES, g_strdup_printf("%s %s", what, name),
		        g_strdup_printf("%s is \"%s\", its records say \"%s\"", column, row ? row : "",
		                said ? said : ""));
}

static void compare_int(
        struct checking *c, const char *what, const char *name, const char *column, int64_t row, int64_t said)
{
	if (row != said)
		verify_add(c->report, c->options, FINDING_DISAGREES, g_strdup_printf("%s %s", what, name),
		        g_strdup_printf("%s is %" G_GINT64_FORMAT ", its records say %" G_GINT64_FORMAT,
		                column, row, said));
}

static const char *text_or_empty(const struct db_rows *rows, unsigned row, unsigned column)
{
	const char *text = db_rows_text(rows, row, column);
	return text ? text : "";
}

static void count_up(GHashTable *counts, int64_t number, int64_t by)
{
	int64_t *count = g_hash_table_lookup(counts, &number);
	if (!count) {
		int64_t *pair = g_new0(int64_t, 2); /* key and value in one piece */
		pair[0] = number;
		count = &pair[1];
		g_hash_table_insert(counts, pair, count);
	}
	*count += by;
}

static int64_t counted(GHashTable *counts, int64_t number)
{
	const int64_t *count = g_hash_table_lookup(counts, &number);
	return count ? *count : 0;
}

/* ---- records ---- */

static int64_t number_of(const struct checking *c, const struct record_view *view)
{
	g_autofree char *name = view->item.start ? g_strndup(view->item.start, view->item.size) : NULL;
	int64_t number = 0;
	return name && strchr(name, '-') && journal_item_parse(c->journal, name, &number, NULL) ? number : 0;
}

static void hear_records(struct checking *c)
{
	const struct db_rows *rows = c->stretch->rows[ROWS_RECORD];
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		g_autoptr(GBytes) body = db_rows_bytes(rows, i, 1);
		struct record_view view;
		gsize size = 0;
		const char *data = body ? g_bytes_get_data(body, &size) : NULL;
		if (!record_scan(data ? data : "", size, &view) ||
		        number_of(c, &view) != db_rows_int(rows, i, 0))
			add_number(c, FINDING_COLUMN, "item", db_rows_int(rows, i, 0),
			        "a record that stands with it is none, or of another item");
		else
			said_hear(c->said, db_rows_int(rows, i, 0), &view);
	}
}

/* ---- items ---- */

/* The salt goes with the content; without it the commitment can no longer be opened, which is no finding. */
static bool content_agrees(const char *sealed, GBytes *salt, const char *sha256, bool deleted)
{
	char commitment[HASH_HEX_SIZE];
	if (!salt)
		return deleted;
	if (!sha256 || strlen(sha256) != HASH_HEX_SIZE - 1)
		return false;
	record_commitment(g_bytes_get_data(salt, NULL), g_bytes_get_size(salt), sha256, commitment);
	return g_strcmp0(sealed, commitment) == 0;
}

/* First 8 bytes of the hash: by it equal content is found. */
static int64_t digest_of(const char *sha256)
{
	char first[17];
	g_strlcpy(first, sha256 ? sha256 : "", sizeof first);
	return (int64_t)g_ascii_strtoull(first, NULL, 16);
}

/* What an auditor is not shown. */
static void check_unseen(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_item *said, const char *name)
{
	char pseudonym[HASH_HEX_SIZE], sealed[HASH_HEX_SIZE];
	g_autoptr(GBytes) salt = db_rows_bytes(rows, i, 2);
	const char *key = db_rows_text(rows, i, 19);
	journal_pseudonym(c->journal, "key", key ? key : "", pseudonym);
	compare_text(c, "item", name, "key (keyed)", pseudonym, json_get_string(said->received, "key"));
	record_text_commitment(salt, db_rows_text(rows, i, 20), sealed);
	const char *told = json_get_string(said->received, "fields");
	if (salt && strcmp(sealed, told ? told : "") != 0)
		add(c, FINDING_DISAGREES, "item", name, "its fields are not those it was received with");
	compare_int(c, "item", name, "digest", db_rows_int(rows, i, 21), digest_of(db_rows_text(rows, i, 1)));
}

static void check_received(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_item *said, const char *name)
{
	const json_t *detail = said->received;
	g_autoptr(GBytes) salt = db_rows_bytes(rows, i, 2);
	int64_t mailbox = db_rows_int(rows, i, 3), duplicate = db_rows_int(rows, i, 9);
	g_autofree char *twin = duplicate ? journal_item_name(c->journal, duplicate) : NULL;
	g_autofree char *where = g_strconcat(
	        json_get_string(detail, "source"), "\n", json_get_string(detail, "mailbox"), NULL);
	if (!content_agrees(
	            json_get_string(detail, "commitment"), salt, db_rows_text(rows, i, 1), said->deleted))
		add(c, FINDING_DISAGREES, "item", name,
		        "its content hash is not the one it was received with");
	if (g_strcmp0(where, g_hash_table_lookup(c->mailboxes, &mailbox)) != 0)
		add(c, FINDING_DISAGREES, "item", name, "source or mailbox");
	compare_text(
	        c, "item", name, "channel", db_rows_text(rows, i, 4), json_get_string(detail, "channel"));
	compare_int(
	        c, "item", name, "received", db_rows_int(rows, i, 5), json_get_int(detail, "received", 0));
	compare_int(c, "item", name, "taken", db_rows_int(rows, i, 6), said->taken);
	compare_int(c, "item", name, "size", db_rows_int(rows, i, 7), json_get_int(detail, "size", 0));
	compare_int(c, "item", name, "future", db_rows_int(rows, i, 8),
	        json_get_bool(detail, "received_in_future", false));
	compare_text(c, "item", name, "duplicate_of", twin, json_get_string(detail, "duplicate_of"));
	if (!c->blind)
		check_unseen(c, rows, i, said, name);
}

static void check_state(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_item *said, const char *name)
{
	int64_t number = db_rows_int(rows, i, 0), open = counted(c->open, number);
	bool closed = said->is_decided && open == 0;
	compare_text(c, "item", name, "state", db_rows_text(rows, i, 10),
	        said->is_decided ? "decided" : "received");
	compare_int(c, "item", name, "decided", db_rows_int(rows, i, 11), said->decided);
	compare_int(c, "item", name, "round", db_rows_int(rows, i, 12), said->round);
	compare_text(c, "item", name, "relevance", db_rows_text(rows, i, 13), said->relevance);
	compare_text(c, "item", name, "contact_code", db_rows_text(rows, i, 14), said->contact_code);
	compare_text(c, "item", name, "person", db_rows_text(rows, i, 15), said->person);
	if (open != db_rows_int(rows, i, 16))
		add(c, FINDING_DISAGREES, "item", name,
		        "another number of deliveries and tasks is open than it says");
	compare_int(c, "item", name, "closed", db_rows_int(rows, i, 17), closed ? said->worked : 0);
	compare_int(c, "item", name, "content_deleted", db_rows_int(rows, i, 18), said->deleted);
}

static void check_items(struct checking *c)
{
	const struct db_rows *rows = c->stretch->rows[ROWS_ITEM];
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		int64_t number = db_rows_int(rows, i, 0);
		g_autofree char *name = journal_item_name(c->journal, number);
		struct said_item *said = g_hash_table_lookup(c->said->items, &number);
		c->report->items++;
		if (!said || !said->received) {
			add(c, FINDING_NO_RECORD, "item", name, "has no `received` record");
			continue;
		}
		said->seen = true;
		check_received(c, rows, i, said, name);
		check_state(c, rows, i, said, name);
	}
}

/* ---- decisions ---- */

static void compare_hash(
        struct checking *c, const json_t *detail, const char *key, const char *text, const char *name)
{
	char hash[HASH_HEX_SIZE];
	hash_hex(text ? text : "", text ? strlen(text) : 0, hash);
	if (g_strcmp0(json_get_string(detail, key), hash) != 0)
		add(c, FINDING_DISAGREES, "decision", name, key);
}

static void add_words(struct checking *c, GString *work, const char *name)
{
	const struct words *words = g_hash_table_lookup(c->words, name);
	record_add_work(work, name, words ? words->text : NULL, words ? words->params : NULL);
}

/* Parameters and texts as they were planned, while the salt is there. */
static void check_work(struct checking *c, int64_t item, const struct said_decision *said, const char *name)
{
	size_t i;
	json_t *entry;
	GBytes *salt = g_hash_table_lookup(c->salts, &item);
	const char *told = json_get_string(said->detail, "work");
	if (c->blind || !salt || !told)
		return;
	g_autoptr(GString) work = g_string_new(NULL);
	json_array_foreach (json_object_get(said->detail, "deliveries"), i, entry) {
		const char *key = json_get_string(entry, "key");
		if (key && g_strcmp0(json_get_string(entry, "state"), "planned_before") != 0)
			add_words(c, work, key);
	}
	json_array_foreach (json_object_get(said->detail, "tasks"), i, entry) {
		int64_t task = json_get_int(entry, "task", 0);
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, task);
		if (task)
			add_words(c, work, number);
	}
	char sealed[HASH_HEX_SIZE];
	record_text_commitment(salt, work->str, sealed);
	if (strcmp(sealed, told) != 0)
		add(c, FINDING_DISAGREES, "decision", name,
		        "texts or parameters of its deliveries and tasks are not those that were planned");
}

static void check_decision(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_decision *said, const char *name)
{
	static const struct {
		const char *name, *key;
		unsigned column;
	} texts[] = {{"bundle", "bundle", 5}, {"engine", "engine", 6}, {"rule set", "ruleset", 7},
	        {"relevance", "payment_relevant", 8}, {"contact_code", "contact_code", 9}};
	compare_hash(c, said->detail, "decision_sha256", db_rows_text(rows, i, 2), name);
	compare_hash(c, said->detail, "findings_sha256", db_rows_text(rows, i, 3), name);
	compare_hash(c, said->detail, "facts_sha256", db_rows_text(rows, i, 4), name);
	for (size_t t = 0; t < G_N_ELEMENTS(texts); t++) {
		const char *told = json_get_string(said->detail, texts[t].key);
		compare_text(c, "decision", name, texts[t].name, db_rows_text(rows, i, texts[t].column),
		        told ? told : "");
	}
	compare_int(c, "decision", name, "time", db_rows_int(rows, i, 10), said->time);
	check_work(c, db_rows_int(rows, i, 0), said, name);
}

static void check_decisions(struct checking *c)
{
	const struct db_rows *rows = c->stretch->rows[ROWS_DECISION];
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
		        db_rows_int(rows, i, 0), db_rows_int(rows, i, 1));
		struct said_decision *said = g_hash_table_lookup(c->said->decisions, name);
		if (!said) {
			add(c, FINDING_NO_RECORD, "decision", name, "has no `decided` record");
			continue;
		}
		said->seen = true;
		check_decision(c, rows, i, said, name);
	}
}

/* ---- deliveries and tasks ---- */

static bool is_open(const char *state)
{
	return g_strcmp0(state, "due") == 0 || g_strcmp0(state, "sending") == 0 ||
	       g_strcmp0(state, "open") == 0;
}

/* What the eAkte says it holds is what came in: both are commitments under the same salt. */
static void check_receipt(
        struct checking *c, int64_t number, const struct said_delivery *said, const char *key)
{
	const struct said_item *item = g_hash_table_lookup(c->said->items, &number);
	const char *sealed = json_get_string(said->receipt, "commitment");
	if (sealed && item && item->received && g_strcmp0(said->handler, "eakte") == 0 &&
	        g_strcmp0(sealed, json_get_string(item->received, "commitment")) != 0)
		add(c, FINDING_DISAGREES, "delivery", key,
		        "its receipt is not for the bytes that were received");
}

static void check_delivery(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_delivery *said, const char *key)
{
	g_autofree char *receipt = said->receipt ? json_canonical(said->receipt) : NULL;
	compare_int(c, "delivery", key, "item", db_rows_int(rows, i, 0), said->item);
	compare_text(c, "delivery", key, "state", db_rows_text(rows, i, 2), said->state);
	if (said->handler)
		compare_text(c, "delivery", key, "handler", db_rows_text(rows, i, 4), said->handler);
	compare_int(c, "delivery", key, "attempts", db_rows_int(rows, i, 5), said->attempts);
	compare_text(c, "delivery", key, "receipt", db_rows_text(rows, i, 6), receipt);
	if (!is_open(said->state))
		compare_text(c, "delivery", key, "reason", db_rows_text(rows, i, 7), said->reason);
	if (said->created) {
		compare_int(c, "delivery", key, "created", db_rows_int(rows, i, 8), said->created);
		compare_int(c, "delivery", key, "not_before", db_rows_int(rows, i, 9), said->not_before);
		compare_int(c, "delivery", key, "at_most_once", db_rows_int(rows, i, 10), said->at_most_once);
	}
	check_receipt(c, db_rows_int(rows, i, 0), said, key);
}

/* The posting of a task follows from the task's own record until something happens to it. */
static bool is_untouched_posting(const struct checking *c, const struct db_rows *rows, unsigned i)
{
	int64_t task = db_rows_int(rows, i, 3);
	g_autofree char *key = g_strdup_printf("%s/task/%" G_GINT64_FORMAT, c->journal->instance, task);
	return g_hash_table_contains(c->said->tasks, &task) &&
	       g_strcmp0(key, db_rows_text(rows, i, 1)) == 0 &&
	       g_strcmp0(db_rows_text(rows, i, 2), "due") == 0 &&
	       g_strcmp0(db_rows_text(rows, i, 4), "post") == 0;
}

static void check_deliveries(struct checking *c, const struct db_rows *rows)
{
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		const char *key = text_or_empty(rows, i, 1), *state = text_or_empty(rows, i, 2);
		struct said_delivery *said = g_hash_table_lookup(c->said->deliveries, key);
		if (is_open(state))
			count_up(c->open, db_rows_int(rows, i, 0), 1);
		if (!said && is_untouched_posting(c, rows, i))
			continue;
		if (!said) {
			add(c, FINDING_NO_RECORD, "delivery", key, "has no record");
			continue;
		}
		said->seen = true;
		check_delivery(c, rows, i, said, key);
	}
}

/* One of our words stands in the record itself; of a clerk's there is a commitment while the salt is there.
 */
static void check_reason(struct checking *c, const struct db_rows *rows, unsigned i,
        const struct said_task *said, const char *name)
{
	int64_t item = db_rows_int(rows, i, 0);
	GBytes *salt = g_hash_table_lookup(c->salts, &item);
	const char *reason = db_rows_text(rows, i, 9);
	char sealed[HASH_HEX_SIZE];
	if (c->blind || is_open(said->state) || (item && !salt))
		return;
	if (said->reason && !said->reason_commitment) {
		if (said->closed)
			compare_text(c, "task", name, "reason", reason, said->reason);
		return;
	}
	record_text_commitment(salt, reason, sealed);
	if (salt && strcmp(sealed, said->reason_commitment ? said->reason_commitment : "") != 0)
		add(c, FINDING_DISAGREES, "task", name, "its reason is not the one it was closed with");
}

static void check_tasks(struct checking *c, const struct db_rows *rows)
{
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		int64_t number = db_rows_int(rows, i, 1);
		g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, number);
		struct said_task *said = g_hash_table_lookup(c->said->tasks, &number);
		if (is_open(db_rows_text(rows, i, 2)))
			count_up(c->open, db_rows_int(rows, i, 0), 1);
		if (!said) {
			add(c, FINDING_NO_RECORD, "task", name, "has no record");
			continue;
		}
		said->seen = true;
		compare_int(c, "task", name, "item", db_rows_int(rows, i, 0), said->item);
		compare_text(c, "task", name, "state", db_rows_text(rows, i, 2), said->state);
		compare_text(c, "task", name, "kind", db_rows_text(rows, i, 3), said->kind);
		compare_text(c, "task", name, "outcome", db_rows_text(rows, i, 4), said->outcome);
		compare_text(c, "task", name, "actor", db_rows_text(rows, i, 5), said->actor);
		compare_int(c, "task", name, "created", db_rows_int(rows, i, 6), said->created);
		compare_int(c, "task", name, "closed", db_rows_int(rows, i, 7), said->closed);
		compare_text(c, "task", name, "concern", db_rows_text(rows, i, 8), said->concern);
		check_reason(c, rows, i, said, name);
	}
}

/* ---- what only the log knows ---- */

static void report_unseen(struct checking *c)
{
	GHashTableIter iter;
	gpointer key, value;
	g_hash_table_iter_init(&iter, c->said->items);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!((const struct said_item *)value)->seen)
			add_number(c, FINDING_NO_ROW, "item", *(const int64_t *)key, NO_ROW_TEXT);
	g_hash_table_iter_init(&iter, c->said->decisions);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!((const struct said_decision *)value)->seen)
			add(c, FINDING_NO_ROW, "decision", key, NO_ROW_TEXT);
	g_hash_table_iter_init(&iter, c->said->deliveries);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!((const struct said_delivery *)value)->seen)
			add(c, FINDING_NO_ROW, "delivery", key, NO_ROW_TEXT);
	g_hash_table_iter_init(&iter, c->said->tasks);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!((const struct said_task *)value)->seen)
			add_number(c, FINDING_NO_ROW, "task", *(const int64_t *)key, NO_ROW_TEXT);
}

static void keep_words(struct checking *c, char *name, const char *text, const char *params)
{
	struct words *words = g_new(struct words, 1);
	*words = (struct words){text, params};
	g_hash_table_insert(c->words, name, words);
}

/* Rows that others are checked with. */
static void gather(struct checking *c)
{
	const struct db_rows *items = c->stretch->rows[ROWS_ITEM], *aliases = c->stretch->rows[ROWS_ALIAS];
	const struct db_rows *deliveries = c->stretch->rows[ROWS_DELIVERY],
	                     *tasks = c->stretch->rows[ROWS_TASK];
	for (unsigned i = 0; i < db_rows_count(items); i++) {
		int64_t *number = g_new(int64_t, 1);
		*number = db_rows_int(items, i, 0);
		g_hash_table_insert(c->salts, number, db_rows_bytes(items, i, 2));
	}
	for (unsigned i = 0; i < db_rows_count(aliases); i++) {
		char pseudonym[HASH_HEX_SIZE];
		const char *key = db_rows_text(aliases, i, 2);
		if (!db_rows_int(aliases, i, 3))
			add_number(c, FINDING_DISAGREES, "item", db_rows_int(aliases, i, 0),
			        "known again in another mailbox");
		journal_pseudonym(c->journal, "key", key ? key : "", pseudonym);
		said_count(c->said,
		        said_alias_line(
		                c->said, db_rows_int(aliases, i, 0), db_rows_int(aliases, i, 1), pseudonym),
		        -1);
	}
	for (unsigned i = 0; !c->blind && i < db_rows_count(deliveries); i++)
		keep_words(
		        c, g_strdup(text_or_empty(deliveries, i, 1)), NULL, db_rows_text(deliveries, i, 11));
	for (unsigned i = 0; !c->blind && i < db_rows_count(tasks); i++)
		keep_words(c, g_strdup_printf("%" G_GINT64_FORMAT, db_rows_int(tasks, i, 1)),
		        db_rows_text(tasks, i, 10), db_rows_text(tasks, i, 11));
}

static void unref_bytes(void *bytes)
{
	g_bytes_unref(bytes); /* may be NULL */
}

static void check_stretch(struct checking *c, const struct stretch *stretch)
{
	c->stretch = stretch;
	c->said = said_new(c->journal, c->blind);
	c->open = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	c->salts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, unref_bytes);
	c->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gather(c);
	hear_records(c);
	check_decisions(c);
	check_deliveries(c, stretch->rows[ROWS_DELIVERY]);
	check_tasks(c, stretch->rows[ROWS_TASK]);
	check_items(c);
	report_unseen(c);
	said_report_lines(c->said, c->options, c->report);
	said_free(c->said);
	g_hash_table_unref(c->open);
	g_hash_table_unref(c->salts);
	g_hash_table_unref(c->words);
}

static bool load_mailboxes(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = db_query(c->journal->db, "SELECT id, source, name FROM mailbox", NULL, 0, error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		int64_t *number = g_new(int64_t, 1);
		*number = db_rows_int(rows, i, 0);
		g_hash_table_insert(c->mailboxes, number,
		        g_strconcat(db_rows_text(rows, i, 1), "\n", db_rows_text(rows, i, 2), NULL));
	}
	return rows != NULL;
}

static bool check_all(struct checking *c, GError **error)
{
	struct reading reading = {.journal = c->journal, .from = INT64_MIN, .look = true};
	g_autoptr(GError) why = NULL;
	AUTO(ahead) ahead = ahead_start(read_stretch, &reading, stretch_free, STRETCHES_AHEAD);
	struct stretch *stretch;
	while ((stretch = ahead_next(ahead, &why)) != NULL) {
		check_stretch(c, stretch);
		stretch_free(stretch);
	}
	if (!why)
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

bool verify_rows_of_none(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, struct said *said, GError **error)
{
	struct checking c = {
	        .journal = journal, .options = options, .report = report, .said = said, .blind = said->blind};
	c.open = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	c.salts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, unref_bytes);
	AUTO(db_rows)
	deliveries = db_query(journal->db, DELIVERIES " WHERE item IS NULL", NULL, 0, error);
	AUTO(db_rows)
	tasks = deliveries ? db_query(journal->db, TASKS " WHERE item IS NULL", NULL, 0, error) : NULL;
	if (tasks) {
		check_deliveries(&c, deliveries);
		check_tasks(&c, tasks);
		report_unseen(&c);
	}
	g_hash_table_unref(c.open);
	g_hash_table_unref(c.salts);
	return tasks != NULL;
}

bool verify_rows(struct journal *journal, const struct verify_options *options, struct verify_report *report,
        bool blind, GError **error)
{
	struct checking c = {.journal = journal, .options = options, .report = report, .blind = blind};
	c.mailboxes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	bool ok = load_mailboxes(&c, error) && check_all(&c, error);
	g_hash_table_unref(c.mailboxes);
	return ok;
}
