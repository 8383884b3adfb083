/* migrations.h - the schema, as numbered steps that are never changed once released.
 *
 * Numbers 1…9 belong to the journal, 10…19 to the log (leaf, checkpoint, …), 20… to what comes later. A step
 * must leave the tables usable for workers of the release before (they run beside it): add, do not rename.
 *
 * In `sql` stand for both databases: @PK@ (given number), @AUTO@ (own number), @BLOB@, @XID@ (id of the
 * writing transaction). Integers are bigint, everything else is text.
 */
#ifndef JOURNAL_MIGRATIONS_H
#define JOURNAL_MIGRATIONS_H

#include "journal/db.h"

struct migration {
	int number;
	const char *name;
	const char *sql;          /* for both */
	const char *sqlite_sql;   /* besides, or NULL */
	const char *postgres_sql; /* besides, or NULL */
};

extern const struct migration migration_base;
extern const struct migration migration_log;
extern const struct migration migration_restore;
extern const struct migration migration_evidence;

/* All of them, ascending, NULL at the end. */
extern const struct migration *const migrations[];

/* ERROR_CONFIG if the schema is unknown to this program or older than it. */
bool migrations_check(struct db *db, GError **error);
/* Runs what is missing. */
bool migrations_run(struct db *db, unsigned *done, GError **error);

#endif
