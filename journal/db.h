/* db.h - a thin layer over one SQL connection: SQLite and PostgreSQL behind one contract.
 *
 * SQL stands once for both, with placeholders $1, $2, … bound by number wherever they stand in the text.
 * PostgreSQL infers the type of a placeholder from its place: write CAST($1 AS BIGINT) where it cannot.
 * One handle per thread. Statements are prepared once and cached under their text, so the text must be fixed:
 * values never go into it.
 *
 * Errors (core/error.h), with scope and time set:
 *   ERROR_DENIED/SCOPE_ITEM    a constraint was violated (db_is_conflict)
 *   ERROR_DENIED/SCOPE_SOURCE  the database user may not do this
 *   ERROR_AGAIN                locked, deadlock, time limit, disk full, too many connections: nothing was
 * written ERROR_UNAVAILABLE          the connection is lost or refused; close the handle and open a new one
 *   ERROR_UNCERTAIN            the connection was lost while committing: whether it took effect is not known
 *   ERROR_CONFIG               the file is no database, the address or certificate is wrong
 *   ERROR_INTERNAL             the statement itself is wrong
 * After a failed statement inside a transaction only db_rollback() is allowed.
 */
#ifndef JOURNAL_DB_H
#define JOURNAL_DB_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum db_dialect { DB_SQLITE, DB_POSTGRES };

struct db_options {
	enum db_dialect dialect;
	const char *path;     /* SQLite: the file; it is created with mode 0600 */
	const char *conninfo; /* PostgreSQL: libpq connection string or URI without password */
	const char *password; /* PostgreSQL: or NULL */
	int busy_ms;          /* how long a statement waits for locks; 0 = 10000 */
	int statement_ms;     /* PostgreSQL: time limit of one statement; 0 = 60000 */
};

struct db;

/* SQLite: WAL, synchronous=FULL, secure_delete, foreign_keys. PostgreSQL: a host that is neither a socket nor
 * loopback must show a certificate for its name (sslmode=verify-full) unless conninfo or PGSSLMODE says else.
 */
struct db *db_open(const struct db_options *options, GError **error);
void db_close(struct db *db); /* rolls back what is open; takes NULL */
enum db_dialect db_dialect(const struct db *db);

/* A value to bind. Text and bytes are borrowed until the call returns. */
enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };
struct db_value {
	enum db_type type;
	int64_t integer;
	const void *data;
	size_t size;
};
struct db_value db_null(void);
struct db_value db_int(int64_t value);
struct db_value db_text(const char *text); /* NULL binds null */
struct db_value db_blob(const void *data, size_t size);
struct db_value db_bytes(GBytes *bytes); /* NULL binds null */

/* BEGIN IMMEDIATE on SQLite, BEGIN (read committed) on PostgreSQL; no nesting. */
bool db_begin(struct db *db, GError **error);
/* For leases without an effect of their own: on SQLite the commit does not wait for the disk. A power cut,
 * which ends all workers as well, may take it back; the next durable commit makes it durable, too. PostgreSQL
 * as db_begin(): there workers outlive the server, and a fence that is taken back would be given out twice.
 */
bool db_begin_lease(struct db *db, GError **error);
/* A transaction that only reads and sees one moment throughout (verify, export); ended by db_rollback(). */
bool db_begin_reading(struct db *db, GError **error);
bool db_commit(struct db *db, GError **error); /* on failure the transaction is gone */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* The database's clock, µs UTC: inside a transaction the time of its begin, else asked now. */
bool db_now(struct db *db, int64_t *now, GError **error);

/* One statement, once. `changed` (may be NULL): rows inserted, updated or deleted. */
bool db_exec(struct db *db, const char *sql, const struct db_value *args, unsigned n, int64_t *changed,
        GError **error);

/* One statement for `rows` rows of `n` values each, laid out row after row; pipelined on PostgreSQL. Inside a
 * transaction only. `changed` (may be NULL) has room for one count per row. */
bool db_exec_many(struct db *db, const char *sql, const struct db_value *args, unsigned n, unsigned rows,
        int64_t *changed, GError **error);

/* Several statements in one text, without values (migrations). */
bool db_script(struct db *db, const char *sql, GError **error);

struct db_rows; /* a whole result in memory: bound it with LIMIT */

struct db_rows *db_query(
        struct db *db, const char *sql, const struct db_value *args, unsigned n, GError **error);
/* As db_exec_many, for reading also outside a transaction; one result per row. GPtrArray of struct db_rows,
 * which owns them. */
GPtrArray *db_query_many(struct db *db, const char *sql, const struct db_value *args, unsigned n,
        unsigned rows, GError **error);
void db_rows_free(struct db_rows *rows);
AUTO_FREE(db_rows);
unsigned db_rows_count(const struct db_rows *rows);
/* SQLite holds whatever somebody wrote into a column: a value of another type reads as null. */
bool db_rows_is_null(const struct db_rows *rows, unsigned row, unsigned column);
int64_t db_rows_int(const struct db_rows *rows, unsigned row, unsigned column); /* null is 0 */
const char *db_rows_text(
        const struct db_rows *rows, unsigned row, unsigned column);               /* null is NULL; borrowed */
GBytes *db_rows_bytes(const struct db_rows *rows, unsigned row, unsigned column); /* null is NULL; new */

/* `n` fresh numbers of the sequence `name` ("item", "task", "delivery"), ascending; gaps are normal. Inside a
 * transaction only. */
bool db_numbers(struct db *db, const char *name, unsigned n, int64_t *out, GError **error);

/* True for a violated constraint (ERROR_DENIED of SCOPE_ITEM). */
bool db_is_conflict(const GError *error);

#endif
