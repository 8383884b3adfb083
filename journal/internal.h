/* internal.h - what the files of the room share; nobody else includes it. */
#ifndef JOURNAL_INTERNAL_H
#define JOURNAL_INTERNAL_H

#include "core/json.h"
#include "journal/journal.h"
#include "journal/values.h"

struct journal {
	struct db *db;
	struct db_options options; /* own copies */
	GBytes *key;
	char *instance, *worker, *actor;
};

/* Reads instance and actor from the open database. */
bool journal_identify(struct journal *journal, GError **error);
/* Frees instance, worker and actor. */
void journal_forget(struct journal *journal);

/* Begins, calls `work`, commits; rolls back if either fails. */
bool journal_transact(struct journal *journal, bool (*work)(struct journal *, void *, GError **), void *data,
        GError **error);

/* The same with db_begin_lease(). */
bool journal_transact_lease(struct journal *journal, bool (*work)(struct journal *, void *, GError **),
        void *data, GError **error);

/* Appended to a SELECT that claims rows: " FOR UPDATE SKIP LOCKED" on PostgreSQL. `sql` is chosen whole, so
 * that statements stay fixed texts: SQL_CLAIM(journal, "SELECT …"). */
#define SQL_CLAIM(journal, sql) (db_dialect((journal)->db) == DB_SQLITE ? sql : sql " FOR UPDATE SKIP LOCKED")
#define SQL_LOCK(journal, sql)  (db_dialect((journal)->db) == DB_SQLITE ? sql : sql " FOR UPDATE")
#define SQL_SHARE(journal, sql) (db_dialect((journal)->db) == DB_SQLITE ? sql : sql " FOR SHARE")

/* Canonical text of an object; NULL gives NULL (`otherwise` as given). Free with g_free. */
char *journal_json_text(const json_t *value);
/* The object in a text column, or a new empty one. New reference. */
json_t *journal_json_read(const char *text);

#endif
