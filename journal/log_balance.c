/* log_balance.c - payment and effects: item by item, in stretches of item numbers. */
#include "journal/log_balance.h"
#include "journal/internal.h"
#include "journal/log_balance_rows.h"

#include <string.h>

enum { ITEMS_A_READ = 2000 };

#define CALL_WINDOW (30 * INSTANT_DAY)

/* Deliveries to the eAkte and explanations of one stretch of items, by item number. */
struct stretch {
	int64_t first, last;
	GHashTable *ended;     /* int64 → enum fate as pointer */
	GHashTable *explained; /* set of int64 */
};

enum fate { FATE_NONE, FATE_RECEIPT, FATE_OPEN, FATE_BARE, FATE_ENDED, FATE_CANCELLED };

static void difference_free(void *data)
{
	struct balance_difference *difference = data;
	g_free(difference->place);
	g_free(difference->text);
	g_free(difference);
}

static void source_free(void *data)
{
	struct balance_source *source = data;
	g_free(source->source);
	g_free(source->mailbox);
	g_free(source);
}

void balance_report_free(struct balance_report *report)
{
	if (!report)
		return;
	g_ptr_array_unref(report->differences);
	g_ptr_array_unref(report->sources);
	g_free(report);
}

void balance_add(struct balancing *b, const char *kind, char *place, char *text)
{
	unsigned max = b->options->max_differences ? b->options->max_differences : 10000;
	if (b->report->differences->len >= max) {
		b->report->more = true;
		g_free(place);
		g_free(text);
		return;
	}
	struct balance_difference *difference = g_new(struct balance_difference, 1);
	*difference = (struct balance_difference){kind, place, text};
	g_ptr_array_add(b->report->differences, difference);
}

void balance_period(struct balancing *b)
{
	b->since = b->options->from == DAY_NONE ? INT64_MIN : berlin_instant(b->options->from, 0);
	b->until = b->options->to == DAY_NONE ? INT64_MAX : berlin_instant(b->options->to + 1, 0);
}

static void add_item(struct balancing *b, const char *kind, int64_t item, const char *text)
{
	balance_add(b, kind, journal_item_name(b->journal, item), g_strdup(text));
}

static int64_t *number_key(int64_t number)
{
	int64_t *key = g_new(int64_t, 1);
	*key = number;
	return key;
}

static enum fate fate_of(const char *state, bool receipt)
{
	if (strcmp(state, "confirmed") == 0)
		return receipt ? FATE_RECEIPT : FATE_BARE;
	if (strcmp(state, "due") == 0 || strcmp(state, "sending") == 0)
		return FATE_OPEN;
	bool ended = strcmp(state, "failed") == 0 || strcmp(state, "uncertain") == 0;
	return ended ? FATE_ENDED : FATE_CANCELLED;
}

static struct db_rows *within(struct balancing *b, const struct stretch *s, const char *sql, GError **error)
{
	struct db_value args[] = {db_int(s->first), db_int(s->last)};
	return db_query(b->journal->db, sql, args, 2, error);
}

static bool load_eakte(struct balancing *b, struct stretch *s, GError **error)
{
	AUTO(db_rows)
	rows = within(b, s,
	        "SELECT item, state, CASE WHEN receipt IS NULL THEN 0 ELSE 1 END FROM delivery"
	        " WHERE item >= $1 AND item <= $2 AND handler = 'eakte' ORDER BY id",
	        error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		enum fate fate = fate_of(db_rows_text(rows, r, 1), db_rows_int(rows, r, 2));
		g_hash_table_insert(s->ended, number_key(db_rows_int(rows, r, 0)), GINT_TO_POINTER(fate));
	}
	AUTO(db_rows)
	tasks = rows ? within(b, s,
	                       "SELECT item FROM task WHERE item >= $1 AND item <= $2 AND kind = "
	                       "'dead_letter'",
	                       error)
	             : NULL;
	for (unsigned r = 0; tasks && r < db_rows_count(tasks); r++)
		g_hash_table_add(s->explained, number_key(db_rows_int(tasks, r, 0)));
	return tasks != NULL;
}

static void judge(struct balancing *b, const struct stretch *s, int64_t item)
{
	enum fate fate = (enum fate)GPOINTER_TO_INT(g_hash_table_lookup(s->ended, &item));
	b->report->relevant++;
	switch (fate) {
	case FATE_RECEIPT:
		b->report->receipts++;
		break;
	case FATE_OPEN:
		b->report->open++;
		break;
	case FATE_BARE:
		add_item(b, BALANCE_RECEIPT, item, "confirmed without a receipt of the eAkte");
		break;
	case FATE_ENDED:
		if (g_hash_table_contains(s->explained, &item))
			b->report->explained++;
		else
			add_item(b, BALANCE_RECEIPT, item,
			        "its delivery to the eAkte has failed, and no task tells anybody");
		break;
	case FATE_NONE:
	case FATE_CANCELLED:
		add_item(b, BALANCE_EAKTE, item,
		        fate == FATE_NONE ? "payment-relevant, and no delivery to the eAkte"
		                          : "payment-relevant, and its delivery to the eAkte was given up");
		break;
	}
}

/* ---- effects ---- */

static bool may_be_answered(const char *key)
{
	const char *concern = strrchr(key, '/');
	return concern && (strcmp(concern, "/ortsabwesenheit") == 0 || strcmp(concern, "/umzug") == 0);
}

static bool check_replies(struct balancing *b, const struct stretch *s, GError **error)
{
	AUTO(db_rows)
	rows = within(b, s,
	        "SELECT d.item, d.key FROM delivery d JOIN item i ON i.id = d.item WHERE d.item >= $1"
	        " AND d.item <= $2 AND d.handler = 'reply' AND d.state IN ('sending', 'confirmed', "
	        "'uncertain')",
	        error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		b->report->replies++;
		if (!may_be_answered(db_rows_text(rows, r, 1)))
			add_item(b, BALANCE_REPLY, db_rows_int(rows, r, 0),
			        "a reply that is neither about absence nor about relocation");
	}
	return rows != NULL;
}

/* The log says each attempt; the task's row can only hold the last. */
static bool check_attempts(struct balancing *b, const struct stretch *s, GError **error)
{
	g_autoptr(GHashTable) tasks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	AUTO(db_rows)
	rows = within(b, s,
	        "SELECT body, item FROM record WHERE item >= $1 AND item <= $2 AND event = 'task.attempted'"
	        " ORDER BY id",
	        error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		g_autoptr(GBytes) bytes = db_rows_bytes(rows, r, 0);
		gsize size;
		const char *data = g_bytes_get_data(bytes, &size);
		JSON_AUTO body = json_read(data, size, NULL);
		int64_t task = json_get_int(json_object_get(body, "detail"), "task", 0);
		b->report->calls++;
		if (!g_hash_table_add(tasks, number_key(task)))
			add_item(b, BALANCE_TWICE, db_rows_int(rows, r, 1), "two attempts of one call");
	}
	return rows != NULL;
}

/* Two calls of one case: taken in and registered within 30 days, and both made. */
static bool check_cases(struct balancing *b, GError **error)
{
	struct db_value args[] = {db_int(CALL_WINDOW), db_int(b->since), db_int(b->until)};
	AUTO(db_rows)
	rows = db_query(b->journal->db,
	        "SELECT b.item, a.id, b.id FROM task a JOIN item i ON i.id = a.item"
	        " JOIN item j ON j.id = i.id OR j.person = i.person JOIN task b ON b.item = j.id"
	        " WHERE a.kind = 'call' AND b.kind = 'call' AND a.id < b.id AND a.outcome IS NOT NULL"
	        " AND b.outcome IS NOT NULL AND COALESCE(a.concern, '') = COALESCE(b.concern, '')"
	        " AND b.created - a.created < CAST($1 AS bigint)"
	        " AND j.received - i.received < CAST($1 AS bigint)"
	        " AND i.received - j.received < CAST($1 AS bigint)"
	        " AND j.taken >= $2 AND j.taken < $3 ORDER BY b.id LIMIT 10000",
	        args, 3, error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++)
		balance_add(b, BALANCE_TWICE, journal_item_name(b->journal, db_rows_int(rows, r, 0)),
		        g_strdup_printf("calls %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
		                        " are two attempts of one case",
		                (gint64)db_rows_int(rows, r, 1), (gint64)db_rows_int(rows, r, 2)));
	return rows != NULL;
}

/* ---- the whole ---- */

static bool judge_stretch(struct balancing *b, const struct db_rows *items, GError **error)
{
	unsigned n = db_rows_count(items);
	struct stretch s = {.first = db_rows_int(items, 0, 0), .last = db_rows_int(items, n - 1, 0)};
	s.ended = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	s.explained = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	bool ok = load_eakte(b, &s, error) && check_replies(b, &s, error) && check_attempts(b, &s, error);
	for (unsigned r = 0; ok && r < n; r++) {
		const char *relevance = db_rows_text(items, r, 2);
		b->report->items++;
		if (!relevance)
			b->report->undecided++;
		else if (strcmp(relevance, "no") != 0)
			judge(b, &s, db_rows_int(items, r, 0));
	}
	g_hash_table_unref(s.ended);
	g_hash_table_unref(s.explained);
	return ok;
}

static bool balance_items(struct balancing *b, GError **error)
{
	for (int64_t after = 0;;) {
		struct db_value args[] = {
		        db_int(after), db_int(b->since), db_int(b->until), db_int(ITEMS_A_READ)};
		AUTO(db_rows)
		rows = db_query(b->journal->db,
		        "SELECT id, state, relevance FROM item WHERE id > $1 AND taken >= $2 AND taken < $3"
		        " ORDER BY id LIMIT $4",
		        args, 4, error);
		if (!rows)
			return false;
		unsigned n = db_rows_count(rows);
		if (n && !judge_stretch(b, rows, error))
			return false;
		if (n < ITEMS_A_READ)
			return true;
		after = db_rows_int(rows, n - 1, 0);
	}
}

struct balance_report *journal_balance(
        struct journal *journal, const struct balance_options *options, GError **error)
{
	AUTO(balance_report) report = g_new0(struct balance_report, 1);
	report->differences = g_ptr_array_new_with_free_func(difference_free);
	report->sources = g_ptr_array_new_with_free_func(source_free);
	struct balancing b = {.journal = journal, .options = options, .report = report};
	balance_period(&b);
	bool ok = db_begin_reading(journal->db, error) && balance_sources(&b, error) &&
	          balance_items(&b, error) && check_cases(&b, error);
	db_rollback(journal->db);
	return ok ? g_steal_pointer(&report) : NULL;
}
