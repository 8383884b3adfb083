/* log_balance_sources.c - what was seen at the sources against what became of it. */
#include "journal/internal.h"
#include "journal/log_balance_rows.h"

struct totals {
	int64_t seen, taken, relinked, refused, vanished;
};

static struct db_rows *ask(struct balancing *b, const char *sql, GError **error)
{
	return db_query(b->journal->db, sql, NULL, 0, error);
}

static void add_row(struct balancing *b, const struct balance_source *row)
{
	struct balance_source *copy = g_new(struct balance_source, 1);
	*copy = *row;
	copy->source = g_strdup(row->source);
	copy->mailbox = g_strdup(row->mailbox);
	g_ptr_array_add(b->report->sources, copy);
}

static void count_rows(GHashTable *days, const struct db_rows *rows)
{
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		char *key = g_strdup_printf("%" G_GINT64_FORMAT "/%d", (gint64)db_rows_int(rows, r, 1),
		        berlin_day(db_rows_int(rows, r, 2)));
		gpointer count = g_hash_table_lookup(days, key);
		g_hash_table_insert(days, key, GINT_TO_POINTER(GPOINTER_TO_INT(count) + 1));
	}
}

/* Items by mailbox and day of taking in, counted from the rows; page by page. */
static bool count_days(struct balancing *b, GHashTable *days, GError **error)
{
	enum { PAGE = 5000 };
	static const char *const pages[] = {
	        "SELECT id, mailbox, taken FROM item WHERE id > $1 AND taken >= $2 AND taken < $3"
	        " ORDER BY id LIMIT $4",
	        "SELECT item, mailbox, taken FROM expired_key WHERE item > $1 AND taken >= $2 AND taken < $3"
	        " AND taken <> 0 ORDER BY item LIMIT $4"};
	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		for (int64_t after = 0, more = 1; more;) {
			struct db_value args[] = {
			        db_int(after), db_int(b->since), db_int(b->until), db_int(PAGE)};
			AUTO(db_rows) rows = db_query(b->journal->db, pages[i], args, 4, error);
			if (!rows)
				return false;
			unsigned n = db_rows_count(rows);
			count_rows(days, rows);
			more = n == PAGE;
			after = n ? db_rows_int(rows, n - 1, 0) : 0;
		}
	}
	return true;
}

static void compare_day(struct balancing *b, const struct balance_source *day, int64_t rows)
{
	if (rows == day->taken)
		return;
	g_autofree char *date = day_format(day->day);
	balance_add(b, BALANCE_COUNTERS, g_strdup_printf("%s/%s %s", day->source, day->mailbox, date),
	        g_strdup_printf("%" G_GINT64_FORMAT " counted as taken in, %" G_GINT64_FORMAT " items there",
	                (gint64)day->taken, (gint64)rows));
}

static bool balance_days(struct balancing *b, GError **error)
{
	g_autoptr(GHashTable) days = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct db_value args[] = {db_int(b->options->from == DAY_NONE ? INT32_MIN : b->options->from),
	        db_int(b->options->to == DAY_NONE ? INT32_MAX : b->options->to)};
	if (!count_days(b, days, error))
		return false;
	AUTO(db_rows)
	rows = db_query(b->journal->db,
	        "SELECT m.source, m.name, d.day, d.seen, d.taken, d.refused, d.vanished, m.id"
	        " FROM source_day d JOIN mailbox m ON m.id = d.mailbox WHERE d.day >= $1 AND d.day <= $2"
	        " ORDER BY m.source, m.name, d.day",
	        args, 2, error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		struct balance_source day = {.source = (char *)db_rows_text(rows, r, 0),
		        .mailbox = (char *)db_rows_text(rows, r, 1),
		        .day = (int32_t)db_rows_int(rows, r, 2),
		        .seen = db_rows_int(rows, r, 3),
		        .taken = db_rows_int(rows, r, 4),
		        .refused = db_rows_int(rows, r, 5),
		        .vanished = db_rows_int(rows, r, 6)};
		g_autofree char *key =
		        g_strdup_printf("%" G_GINT64_FORMAT "/%d", (gint64)db_rows_int(rows, r, 7), day.day);
		add_row(b, &day);
		compare_day(b, &day, GPOINTER_TO_INT(g_hash_table_lookup(days, key)));
		g_hash_table_remove(days, key);
	}
	if (rows && g_hash_table_size(days))
		balance_add(b, BALANCE_COUNTERS, g_strdup("sources"),
		        g_strdup_printf("items of %u days that no counter knows", g_hash_table_size(days)));
	return rows != NULL;
}

/* Adds one sum a mailbox into the field at `offset`. */
static bool sum_up(struct balancing *b, GHashTable *totals, const char *sql, const size_t *offsets,
        unsigned n, GError **error)
{
	AUTO(db_rows) rows = ask(b, sql, error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		int64_t mailbox = db_rows_int(rows, r, 0);
		struct totals *sum = g_hash_table_lookup(totals, &mailbox);
		if (!sum) {
			int64_t *key = g_new(int64_t, 1);
			*key = mailbox;
			sum = g_new0(struct totals, 1);
			g_hash_table_insert(totals, key, sum);
		}
		for (unsigned i = 0; i < n; i++)
			*(int64_t *)(void *)((char *)sum + offsets[i]) += db_rows_int(rows, r, i + 1);
	}
	return rows != NULL;
}

static bool sum_all(struct balancing *b, GHashTable *totals, GError **error)
{
	const size_t seen[] = {offsetof(struct totals, seen)}, taken[] = {offsetof(struct totals, taken)};
	const size_t relinked[] = {offsetof(struct totals, relinked)};
	const size_t gaps[] = {offsetof(struct totals, refused), offsetof(struct totals, vanished)};
	return sum_up(b, totals, "SELECT mailbox, CAST(sum(seen) AS bigint) FROM source_day GROUP BY mailbox",
	               seen, 1, error) &&
	       sum_up(b, totals,
	               "SELECT mailbox, count(*) FROM (SELECT mailbox FROM item UNION ALL SELECT mailbox "
	               "FROM expired_key"
	               " WHERE taken <> 0) AS taken GROUP BY mailbox",
	               taken, 1, error) &&
	       sum_up(b, totals,
	               "SELECT mailbox, count(*) FROM (SELECT mailbox FROM item_alias UNION ALL SELECT "
	               "mailbox FROM"
	               " expired_key WHERE taken = 0) AS known GROUP BY mailbox",
	               relinked, 1, error) &&
	       sum_up(b, totals,
	               "SELECT mailbox, sum(CASE WHEN kind = 'refused' THEN 1 ELSE 0 END),"
	               " sum(CASE WHEN kind = 'vanished' THEN 1 ELSE 0 END) FROM gap WHERE cleared IS NULL"
	               " GROUP BY mailbox",
	               gaps, 2, error);
}

/* What is seen and not accounted for must still be there, as far as the source has told. */
static void compare_mailbox(struct balancing *b, const struct balance_source *sum, int64_t waiting)
{
	char *text = NULL;
	if (sum->still < 0)
		text = g_strdup_printf("%" G_GINT64_FORMAT
		                       " more were taken in, refused or vanished than were "
		                       "seen",
		        (gint64)-sum->still);
	else if (waiting >= 0 && sum->still > waiting)
		text = g_strdup_printf(
		        "%" G_GINT64_FORMAT
		        " were seen and are neither accounted for nor still there (%" G_GINT64_FORMAT
		        " wait there)",
		        (gint64)(sum->still - waiting), (gint64)waiting);
	if (text)
		balance_add(b, BALANCE_SOURCE, g_strdup_printf("%s/%s", sum->source, sum->mailbox), text);
}

static bool balance_mailboxes(struct balancing *b, GError **error)
{
	g_autoptr(GHashTable) totals = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	if (!sum_all(b, totals, error))
		return false;
	AUTO(db_rows)
	rows = ask(b, "SELECT id, source, name, waiting FROM mailbox ORDER BY source, name", error);
	for (unsigned r = 0; rows && r < db_rows_count(rows); r++) {
		static const struct totals nothing;
		int64_t id = db_rows_int(rows, r, 0);
		const struct totals *t = g_hash_table_lookup(totals, &id);
		t = t ? t : &nothing;
		struct balance_source sum = {.source = (char *)db_rows_text(rows, r, 1),
		        .mailbox = (char *)db_rows_text(rows, r, 2),
		        .day = DAY_NONE,
		        .seen = t->seen,
		        .taken = t->taken,
		        .relinked = t->relinked,
		        .refused = t->refused,
		        .vanished = t->vanished};
		sum.still = sum.seen - sum.taken - sum.relinked - sum.refused - sum.vanished;
		add_row(b, &sum);
		compare_mailbox(b, &sum, db_rows_int(rows, r, 3));
	}
	return rows != NULL;
}

bool balance_sources(struct balancing *b, GError **error)
{
	return balance_days(b, error) && balance_mailboxes(b, error);
}
