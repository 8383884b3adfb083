/* bundles.c - stored by hash; which one is active is one row that every decision reads under a shared lock.
 */
#include "journal/bundles.h"
#include "journal/internal.h"
#include "journal/record.h"
#include "core/error.h"

struct storing {
	const char *hash;
	GBytes *packed;
};

static bool store(struct journal *journal, void *data, GError **error)
{
	const struct storing *storing = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {
	        db_text(storing->hash), db_bytes(storing->packed), db_int(now), db_text(journal->actor)};
	return db_exec(journal->db,
	        "INSERT INTO bundle (hash, packed, stored, actor) VALUES ($1, $2, $3, $4)"
	        " ON CONFLICT (hash) DO NOTHING",
	        args, 4, NULL, error);
}

bool journal_store_bundle(struct journal *journal, const char *hash, GBytes *packed, GError **error)
{
	struct storing storing = {.hash = hash, .packed = packed};
	return journal_transact(journal, store, &storing, error);
}

GBytes *journal_bundle(struct journal *journal, const char *hash, GError **error)
{
	struct db_value args[] = {db_text(hash)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT packed FROM bundle WHERE hash = $1", args, 1, error);
	if (!rows)
		return NULL;
	if (db_rows_count(rows))
		return db_rows_bytes(rows, 0, 0);
	fail(error, ERROR_INPUT, "no bundle %s in the journal", hash);
	return NULL;
}

static bool is_stored(struct journal *journal, const char *hash, GError **error)
{
	struct db_value args[] = {db_text(hash)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT 1 FROM bundle WHERE hash = $1", args, 1, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows))
		fail(error, ERROR_INPUT, "no bundle %s in the journal", hash);
	return db_rows_count(rows) > 0;
}

static bool activate(struct journal *journal, void *data, GError **error)
{
	const char *hash = data;
	int64_t now;
	if (!is_stored(journal, hash, error) || !db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_text(hash), db_text(journal->actor), db_int(now)};
	if (!db_exec(journal->db,
	            "INSERT INTO active (one, hash) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET"
	            " hash = excluded.hash",
	            args, 1, NULL, error) ||
	        !db_exec(journal->db, "INSERT INTO activation (hash, actor, time) VALUES ($1, $2, $3)", args,
	                3, NULL, error))
		return false;
	JSON_AUTO detail = json_object();
	json_set_string(detail, "bundle", hash);
	struct record record = {.event = RECORD_BUNDLE_ACTIVATED, .detail = detail};
	return record_write(journal, &record, 1, error);
}

bool journal_activate_bundle(struct journal *journal, const char *hash, GError **error)
{
	return journal_transact(journal, activate, (void *)hash, error);
}

char *journal_active_bundle(struct journal *journal, GError **error)
{
	AUTO(db_rows) rows = db_query(journal->db, "SELECT hash FROM active WHERE one = 1", NULL, 0, error);
	if (!rows)
		return NULL;
	if (db_rows_count(rows))
		return g_strdup(db_rows_text(rows, 0, 0));
	fail(error, ERROR_CONFIG, "no bundle is active: run `posteingang activate DIR`");
	return NULL;
}

static void activation_free(gpointer data)
{
	struct activation *activation = data;
	g_free(activation->hash);
	g_free(activation->actor);
	g_free(activation);
}

GPtrArray *journal_activations(struct journal *journal, unsigned max, GError **error)
{
	struct db_value args[] = {db_int(max)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT hash, actor, time FROM activation ORDER BY id DESC LIMIT $1",
	        args, 1, error);
	if (!rows)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func(activation_free);
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		struct activation *activation = g_new0(struct activation, 1);
		activation->hash = g_strdup(db_rows_text(rows, r, 0));
		activation->actor = g_strdup(db_rows_text(rows, r, 1));
		activation->time = db_rows_int(rows, r, 2);
		g_ptr_array_add(list, activation);
	}
	return list;
}
