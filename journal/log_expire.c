/* log_expire.c - content whose time is over goes, in bounded batches; what goes leaves a record. */
#include "core/date.h"
#include "journal/content_rows.h"
#include "journal/internal.h"
#include "journal/log_privacy.h"
#include "journal/log_privacy_rows.h"
#include "journal/record.h"

#include <string.h>

enum { DEFAULT_BATCH = 100, PRIVACY_LOCK = 0x504f5345, ORPHANS_AGE = 86400 };

bool privacy_lock(struct journal *journal, GError **error)
{
	if (db_dialect(journal->db) == DB_SQLITE)
		return true;
	struct db_value args[] = {db_int(PRIVACY_LOCK)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT pg_advisory_xact_lock($1)", args, 1, error);
	return rows != NULL;
}

/* Takes the rows first: an item that was opened again meanwhile (`reprocess`) keeps its content. Returns in
 * items[0…*n) those that are ours to delete. */
static bool take_rows(struct journal *journal, struct doomed *items, unsigned *n, GError **error)
{
	int64_t now;
	unsigned kept = 0;
	g_autofree int64_t *changed = g_new0(int64_t, *n + 1);
	if (!db_now(journal->db, &now, error))
		return false;
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < *n; i++) {
		values_int(rows, items[i].item);
		values_int(rows, now);
	}
	if (!values_exec(rows, journal,
	            "UPDATE item SET salt = NULL, fields = NULL, content_deleted = $2 WHERE id = $1"
	            " AND closed IS NOT NULL AND content_deleted IS NULL",
	            changed, error))
		return false;
	for (unsigned i = 0; i < *n; i++)
		if (changed[i])
			items[kept++] = items[i];
	*n = kept;
	return true;
}

static bool delete_rows(struct journal *journal, const struct doomed *items, unsigned n, GError **error)
{
	AUTO(values) ids = values_new(1);
	for (unsigned i = 0; i < n; i++) {
		if (!content_delete(journal, items[i].item, error))
			return false;
		values_int(ids, items[i].item);
	}
	return values_exec(ids, journal, "UPDATE delivery SET params = NULL WHERE item = $1", NULL, error) &&
	       values_exec(ids, journal,
	               "UPDATE task SET text = NULL, params = NULL, reason = NULL WHERE item = $1", NULL,
	               error);
}

bool privacy_delete(struct journal *journal, struct doomed *items, unsigned *n, GError **error)
{
	if (!take_rows(journal, items, n, error))
		return false;
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autofree struct record *records = g_new0(struct record, *n + 1);
	for (unsigned i = 0; i < *n; i++) {
		json_t *detail = json_object();
		json_set_int(detail, "size", items[i].size);
		json_set_string(detail, "why", items[i].why);
		g_ptr_array_add(details, detail);
		records[i] = (struct record){RECORD_CONTENT_DELETED, items[i].item, detail};
	}
	return delete_rows(journal, items, *n, error) && record_write(journal, records, *n, error);
}

/* ---- the erasure list ---- */

struct erasing {
	unsigned max, n;
};

static bool erase_batch(struct journal *journal, void *data, GError **error)
{
	struct erasing *erasing = data;
	struct db_value args[] = {db_int(erasing->max)};
	if (!privacy_lock(journal, error))
		return false;
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT DISTINCT i.id, i.size FROM erasure e JOIN item i ON i.person = e.person"
	        " WHERE i.received <= e.time AND i.content_deleted IS NULL AND i.closed IS NOT NULL"
	        " AND NOT " SQL_HELD " ORDER BY i.id LIMIT $1",
	        args, 1, error);
	if (!rows)
		return false;
	erasing->n = db_rows_count(rows);
	g_autofree struct doomed *items = g_new0(struct doomed, erasing->n + 1);
	for (unsigned i = 0; i < erasing->n; i++)
		items[i] = (struct doomed){db_rows_int(rows, i, 0), db_rows_int(rows, i, 1), 0, "erased"};
	return privacy_delete(journal, items, &erasing->n, error);
}

bool privacy_erase_batch(struct journal *journal, unsigned max, unsigned *n, GError **error)
{
	struct erasing erasing = {.max = max};
	bool ok = journal_transact(journal, erase_batch, &erasing, error);
	*n = erasing.n;
	return ok;
}

/* ---- terms ---- */

struct expiring {
	const struct expire_options *options;
	struct expire_result *result;
	int64_t after_closed, after_id; /* where to go on */
	unsigned looked;                /* rows of the batch in hand */
};

static int64_t shortest(const struct retention *terms)
{
	return MIN(terms->content, MIN(terms->klaerung, terms->automatic));
}

static struct db_rows *candidates(struct journal *journal, const struct expiring *e, GError **error)
{
	const struct expire_options *o = e->options;
	struct db_value args[] = {db_int(o->now - shortest(o->terms) * INSTANT_SECOND),
	        db_int(e->after_closed), db_int(e->after_id), db_int(o->batch ? o->batch : DEFAULT_BATCH)};
	return db_query(journal->db,
	        "SELECT i.id, i.closed, i.size, c.findings,"
	        " CASE WHEN EXISTS (SELECT 1 FROM task t WHERE t.item = i.id AND t.kind = 'klaerung')"
	        " THEN 1 ELSE 0 END, CASE WHEN " SQL_HELD " THEN 1 ELSE 0 END,"
	        " CASE WHEN EXISTS (SELECT 1 FROM erasure e WHERE e.person = i.person AND i.received <= "
	        "e.time)"
	        " THEN 1 ELSE 0 END FROM item i"
	        " LEFT JOIN decision c ON c.item = i.id AND c.round = i.round"
	        " WHERE i.closed IS NOT NULL AND i.content_deleted IS NULL AND i.closed <= $1"
	        " AND (i.closed > $2 OR (i.closed = $2 AND i.id > $3)) ORDER BY i.closed, i.id LIMIT $4",
	        args, 4, error);
}

/* Which term holds for the item, as the log says it. */
static const char *term_of(
        const struct db_rows *rows, unsigned r, const struct retention *terms, int64_t *term)
{
	JSON_AUTO findings = journal_json_read(db_rows_text(rows, r, 3));
	const char *automatic = json_get_string(findings, "automatic");
	if (db_rows_int(rows, r, 6)) {
		*term = 0;
		return "erased";
	}
	if (db_rows_int(rows, r, 4)) {
		*term = terms->klaerung;
		return "klaerung";
	}
	bool is_automatic = automatic && strcmp(automatic, "no") != 0;
	*term = is_automatic ? terms->automatic : terms->content;
	return is_automatic ? "automatic" : "content";
}

static void tell(struct journal *journal, const struct expiring *e, const struct doomed *item)
{
	if (!e->options->each)
		return;
	g_autofree char *name = journal_item_name(journal, item->item);
	e->options->each(e->options->data, name, item->why, item->closed, item->size);
}

/* The rows whose time is over and that no hold keeps. */
static unsigned choose(
        const struct db_rows *rows, const struct expiring *e, struct doomed *items, int64_t *held)
{
	unsigned doomed = 0;
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		int64_t term;
		struct doomed item = {
		        db_rows_int(rows, r, 0), db_rows_int(rows, r, 2), db_rows_int(rows, r, 1), NULL};
		item.why = term_of(rows, r, e->options->terms, &term);
		if (item.closed + term * INSTANT_SECOND > e->options->now)
			continue;
		if (db_rows_int(rows, r, 5))
			++*held;
		else
			items[doomed++] = item;
	}
	return doomed;
}

static bool expire_batch(struct journal *journal, void *data, GError **error)
{
	struct expiring *e = data;
	if (!privacy_lock(journal, error))
		return false;
	AUTO(db_rows) rows = candidates(journal, e, error);
	if (!rows)
		return false;
	e->looked = db_rows_count(rows);
	g_autofree struct doomed *items = g_new0(struct doomed, e->looked + 1);
	unsigned n = choose(rows, e, items, &e->result->held);
	if (!e->options->dry_run && !privacy_delete(journal, items, &n, error))
		return false;
	for (unsigned i = 0; i < n; i++) {
		e->result->items++;
		e->result->bytes += items[i].size;
		tell(journal, e, &items[i]);
	}
	if (e->looked) {
		e->after_closed = db_rows_int(rows, e->looked - 1, 1);
		e->after_id = db_rows_int(rows, e->looked - 1, 0);
	}
	return true;
}

/* Erasures first: a term of 90 days does not keep what somebody had erased. */
static bool erase_all(struct journal *journal, struct expire_result *result, GError **error)
{
	unsigned n = 1;
	while (n) {
		if (!privacy_erase_batch(journal, DEFAULT_BATCH, &n, error))
			return false;
		result->items += n;
	}
	return true;
}

static bool stopped(const struct expire_options *options)
{
	return options->stop && g_atomic_int_get(options->stop);
}

bool journal_expire(struct journal *journal, const struct expire_options *options,
        struct expire_result *result, GError **error)
{
	struct expiring e = {.options = options, .result = result, .after_closed = INT64_MIN, .looked = 1};
	*result = (struct expire_result){0};
	if (!options->dry_run &&
	        (!erase_all(journal, result, error) ||
	                !journal_sweep_content(journal, ORPHANS_AGE * INSTANT_SECOND, error)))
		return false;
	while (e.looked && !stopped(options))
		if (!journal_transact(journal, expire_batch, &e, error))
			return false;
	return privacy_end_evidence(journal, options, result, error);
}

bool journal_scrub(struct journal *journal, bool *clean, GError **error)
{
	*clean = true;
	if (db_dialect(journal->db) != DB_SQLITE)
		return true;
	if (!db_script(journal->db, "PRAGMA incremental_vacuum", error))
		return false;
	AUTO(db_rows) rows = db_query(journal->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0, error);
	if (rows)
		*clean = db_rows_count(rows) == 1 && db_rows_int(rows, 0, 0) == 0;
	return rows != NULL;
}
