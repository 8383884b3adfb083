/* log_evidence.c - evidence whose term is over goes: rows and records of an item together.
 *
 * What is left of a record is its leaf, so that every checkpoint ever signed still fits; one record says
 * which leaves lost theirs. Only what was under a signed checkpoint before the term began can go: whoever
 * verifies can tell from the checkpoints that nothing younger is missing.
 */
#include "core/date.h"
#include "journal/internal.h"
#include "journal/log_privacy.h"
#include "journal/log_privacy_rows.h"
#include "journal/record.h"

enum { DEFAULT_BATCH = 100 };

struct ending {
	const struct expire_options *options;
	struct expire_result *result;
	int64_t cutoff;
	int64_t received, id; /* where to go on */
	int64_t sealed;       /* leaves under a checkpoint of before the cutoff */
	bool is_sealed;       /* the journal has checkpoints at all */
	unsigned n;           /* items of the batch in hand */
};

static bool find_sealed(struct journal *journal, struct ending *e, GError **error)
{
	struct db_value args[] = {db_int(e->cutoff)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT COALESCE((SELECT max(size) FROM checkpoint WHERE time <= $1), 0),"
	        " CASE WHEN EXISTS (SELECT 1 FROM checkpoint) THEN 1 ELSE 0 END",
	        args, 1, error);
	if (!rows)
		return false;
	e->sealed = db_rows_int(rows, 0, 0);
	e->is_sealed = db_rows_int(rows, 0, 1) != 0;
	return true;
}

#define SQL_PAST                                                                                             \
	" i.received <= $1 AND i.closed <= $1 AND i.content_deleted IS NOT NULL AND NOT " SQL_HELD           \
	" AND NOT EXISTS (SELECT 1 FROM record r LEFT JOIN leaf l ON l.record = r.id WHERE r.item = i.id"    \
	" AND (r.time > $1 OR (CAST($3 AS bigint) = 1 AND (l.n IS NULL OR l.n >= CAST($2 AS bigint)))))"

static struct db_rows *past_their_term(struct journal *journal, const struct ending *e, GError **error)
{
	unsigned batch = e->options->batch ? e->options->batch : DEFAULT_BATCH;
	struct db_value args[] = {db_int(e->cutoff), db_int(e->sealed), db_int(e->is_sealed),
	        db_int(e->received), db_int(e->id), db_int(batch)};
	return db_query(journal->db,
	        "SELECT i.id, i.received FROM item i WHERE" SQL_PAST
	        " AND (i.received > $4 OR (i.received = $4 AND i.id > $5)) ORDER BY i.received, i.id LIMIT "
	        "$6",
	        args, 6, error);
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* [[from, to), …] of the leaves of these items. */
static json_t *leaves_of(struct journal *journal, struct values *ids, GError **error)
{
	g_autoptr(GPtrArray) found = values_query(ids, journal,
	        "SELECT l.n FROM record r JOIN leaf l ON l.record = r.id WHERE r.item = $1", error);
	if (!found)
		return NULL;
	g_autoptr(GArray) leaves = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (guint i = 0; i < found->len; i++)
		for (unsigned r = 0; r < db_rows_count(found->pdata[i]); r++) {
			int64_t n = db_rows_int(found->pdata[i], r, 0);
			g_array_append_val(leaves, n);
		}
	g_array_sort(leaves, by_number);
	json_t *list = json_array();
	for (guint i = 0, first = 0; i < leaves->len; i++) {
		int64_t n = g_array_index(leaves, int64_t, i);
		if (i + 1 < leaves->len && g_array_index(leaves, int64_t, i + 1) == n + 1)
			continue;
		json_array_append_new(
		        list, json_pack("[I, I]", (json_int_t)g_array_index(leaves, int64_t, first),
		                      (json_int_t)(n + 1)));
		first = i + 1;
	}
	return list;
}

static bool delete_rows(struct journal *journal, struct values *ids, GError **error)
{
	static const char *const statements[] = {
	        "INSERT INTO expired_key (mailbox, key, item, taken) SELECT mailbox, key, id, taken FROM item"
	        " WHERE id = $1",
	        "INSERT INTO expired_key (mailbox, key, item, taken) SELECT mailbox, key, item, 0 FROM "
	        "item_alias"
	        " WHERE item = $1 ON CONFLICT (mailbox, key) DO NOTHING",
	        "DELETE FROM reply_window WHERE delivery IN (SELECT id FROM delivery WHERE item = $1)",
	        "DELETE FROM call_window WHERE item = $1",
	        "DELETE FROM hold WHERE item = $1",
	        "DELETE FROM item_alias WHERE item = $1",
	        "DELETE FROM delivery WHERE item = $1",
	        "DELETE FROM task WHERE item = $1",
	        "DELETE FROM decision WHERE item = $1",
	        "DELETE FROM item WHERE id = $1",
	        "DELETE FROM record WHERE item = $1",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(statements); i++)
		if (!values_exec(ids, journal, statements[i], NULL, error))
			return false;
	return true;
}

static bool delete_items(
        struct journal *journal, const struct ending *e, const struct db_rows *items, GError **error)
{
	AUTO(values) ids = values_new(1);
	for (unsigned i = 0; i < db_rows_count(items); i++)
		values_int(ids, db_rows_int(items, i, 0));
	json_t *leaves = leaves_of(journal, ids, error);
	if (!leaves)
		return false;
	JSON_AUTO detail = json_object();
	json_set_int(detail, "before", e->cutoff);
	json_set_int(detail, "items", e->n);
	json_object_set_new(detail, "leaves", leaves);
	const struct record record = {.event = RECORD_EVIDENCE_DELETED, .detail = detail};
	return delete_rows(journal, ids, error) && record_write(journal, &record, 1, error);
}

static bool end_batch(struct journal *journal, void *data, GError **error)
{
	struct ending *e = data;
	if (!privacy_lock(journal, error))
		return false;
	AUTO(db_rows) items = past_their_term(journal, e, error);
	e->n = items ? db_rows_count(items) : 0;
	if (!items || !e->n)
		return items != NULL;
	e->received = db_rows_int(items, e->n - 1, 1);
	e->id = db_rows_int(items, e->n - 1, 0);
	return delete_items(journal, e, items, error);
}

/* Roles may delete no record; the owner may. */
static bool may_delete(struct journal *journal, bool *may, GError **error)
{
	*may = true;
	if (db_dialect(journal->db) == DB_SQLITE)
		return true;
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT CASE WHEN has_table_privilege('record', 'DELETE') THEN 1 ELSE 0 END", NULL, 0, error);
	if (rows)
		*may = db_rows_int(rows, 0, 0) != 0;
	return rows != NULL;
}

static bool count_left(struct journal *journal, const struct ending *e, int64_t *count, GError **error)
{
	struct db_value args[] = {db_int(e->cutoff)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT count(*) FROM item WHERE received <= $1 AND closed <= $1", args,
	        1, error);
	if (rows)
		*count = db_rows_int(rows, 0, 0);
	return rows != NULL;
}

bool privacy_end_evidence(struct journal *journal, const struct expire_options *options,
        struct expire_result *result, GError **error)
{
	struct ending e = {.options = options,
	        .result = result,
	        .cutoff = options->now - options->terms->evidence * INSTANT_SECOND,
	        .received = INT64_MIN,
	        .n = 1};
	bool may;
	if (!may_delete(journal, &may, error) || (may && !find_sealed(journal, &e, error)))
		return false;
	while (may && !options->dry_run && e.n && !(options->stop && g_atomic_int_get(options->stop))) {
		if (!journal_transact(journal, end_batch, &e, error))
			return false;
		result->ended += e.n;
	}
	return count_left(journal, &e, &result->evidence, error);
}
