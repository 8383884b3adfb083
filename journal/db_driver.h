/* db_driver.h - what a database driver fills in. Contract of each slot: db.h, function of the same name.
 *
 * Drivers embed `struct db` first. db.c keeps track of the transaction and checks misuse; a driver need not.
 */
#ifndef JOURNAL_DB_DRIVER_H
#define JOURNAL_DB_DRIVER_H

#include "journal/db.h"

#define DB_MAX_ARGS 32

struct db_statement {
	const char *sql;
	const struct db_value *args;
	unsigned n, rows;
};

struct db_driver {
	enum db_dialect dialect;
	struct db *(*open)(
	        const struct db_options *options, GError **error); /* may block until the time limit */
	void (*close)(struct db *db);
	bool (*begin)(struct db *db, int64_t *now, GError **error);
	bool (*commit)(struct db *db, GError **error);
	void (*rollback)(struct db *db); /* never fails: a lost connection has rolled back by itself */
	bool (*now)(struct db *db, int64_t *now, GError **error);
	/* One statement for rows × n values. results: NULL, or an array that gets one struct db_rows a row;
	 * changed: NULL, or one count a row. */
	bool (*run)(struct db *db, const struct db_statement *statement, GPtrArray *results, int64_t *changed,
	        GError **error);
	bool (*script)(struct db *db, const char *sql, GError **error);
	bool (*numbers)(struct db *db, const char *name, unsigned n, int64_t *out, GError **error);
};

struct db {
	const struct db_driver *driver;
	bool in_transaction;
	bool relaxed;  /* SQLite: commits do not wait for the disk */
	int64_t begun; /* database time of the transaction */
};

extern const struct db_driver db_sqlite, db_postgres;

/* A result being filled: cells row after row. Text and blobs are either copied (db_rows_copy) or borrowed
 * from `keep`, which db_rows_free() releases with keep_free. */
struct db_rows {
	unsigned columns, rows;
	GArray *cells;     /* of struct db_value */
	GPtrArray *copies; /* what db_rows_copy made; may be NULL */
	void *keep;
	void (*keep_free)(void *keep);
};
struct db_rows *db_rows_new(unsigned columns);
void db_rows_add(struct db_rows *rows, struct db_value value);
/* Adds a copy, with a NUL behind it. */
void db_rows_copy(struct db_rows *rows, enum db_type type, const void *data, size_t size);

#endif
