/* db_sqlite.c - the embedded database: WAL, every commit on the disk, deleted content overwritten.
 *
 * SQLite numbers `$1` by first appearance, so values are bound through the looked-up index of their name.
 */
#include "journal/db_driver.h"
#include "journal/db_sqlite_log.h"
#include "core/date.h"
#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

struct sqlite_db {
	struct db base;
	sqlite3 *handle;
	struct sqlite_log *log;
	GHashTable *statements; /* text → struct prepared */
};

struct prepared {
	sqlite3_stmt *stmt;
	int index[DB_MAX_ARGS]; /* of $1, $2, …; 0: not in the text */
};

static struct sqlite_db *self(struct db *db)
{
	return (struct sqlite_db *)db;
}

static bool refuse(sqlite3 *handle, int status, const char *doing, GError **error)
{
	const char *why = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(status);
	switch (status & 0xff) {
	case SQLITE_CONSTRAINT:
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "%s: %s", doing, why);
		return false;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		fail(error, ERROR_AGAIN, "%s: %s", doing, why);
		return false;
	case SQLITE_CANTOPEN:
		fail(error, ERROR_UNAVAILABLE, "%s: %s", doing, why);
		return false;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		fail(error, ERROR_DENIED, "%s: %s", doing, why);
		return false;
	case SQLITE_NOTADB:
		fail(error, ERROR_CONFIG, "%s: %s", doing, why);
		return false;
	default:
		fail(error, ERROR_INTERNAL, "%s: %s", doing, why);
		return false;
	}
}

static void prepared_free(gpointer data)
{
	struct prepared *prepared = data;
	sqlite3_finalize(prepared->stmt);
	g_free(prepared);
}

static void sqlite_close(struct db *db)
{
	struct sqlite_db *sqlite = self(db);
	sqlite_log_free(sqlite->log);
	g_hash_table_unref(sqlite->statements);
	sqlite3_close(sqlite->handle);
	g_free(sqlite);
}

static bool sqlite_script(struct db *db, const char *sql, GError **error)
{
	int status = sqlite3_exec(self(db)->handle, sql, NULL, NULL, NULL);
	return status == SQLITE_OK || refuse(self(db)->handle, status, "SQL script", error);
}

static bool cannot_create(const char *path, GError **error)
{
	enum error_class class = errno == EACCES || errno == ENOENT ? ERROR_CONFIG : ERROR_AGAIN;
	fail(error, class, "%s: %s", path, g_strerror(errno));
	return false;
}

/* The file appears with mode 0600; -wal and -shm take over the mode of the file. It is made under another
 * name and linked: closing any descriptor of the database itself would drop the locks that other threads of
 * this process hold on it (POSIX), and another process could take the log away from under them. */
static bool create_file(const char *path, GError **error)
{
	if (access(path, F_OK) == 0)
		return true;
	g_autofree char *fresh = g_strconcat(path, ".new-XXXXXX", NULL);
	int fd = g_mkstemp_full(fresh, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return cannot_create(path, error);
	close(fd);
	bool made = link(fresh, path) == 0 || errno == EEXIST || cannot_create(path, error);
	unlink(fresh);
	return made;
}

/* The page size counts for a new file only: a mail of usual length is a page and a half, and half as many
 * pages are half as many writes. */
static bool configure(struct sqlite_db *sqlite, int busy_ms, GError **error)
{
	sqlite3_extended_result_codes(sqlite->handle, 1);
	sqlite3_busy_timeout(sqlite->handle, busy_ms ? busy_ms : 10000);
	return sqlite_script(&sqlite->base,
	        "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA "
	        "synchronous=FULL;"
	        "PRAGMA secure_delete=ON;"
	        "PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16000;"
	        "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;",
	        error);
}

static struct db *sqlite_open(const struct db_options *options, GError **error)
{
	if (!create_file(options->path, error))
		return NULL;
	struct sqlite_db *sqlite = g_new0(struct sqlite_db, 1);
	sqlite->base.driver = &db_sqlite;
	sqlite->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, prepared_free);
	int status = sqlite3_open_v2(
	        options->path, &sqlite->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (status != SQLITE_OK) {
		refuse(sqlite->handle, status, options->path, error);
		sqlite_close(&sqlite->base);
		return NULL;
	}
	if (!configure(sqlite, options->busy_ms, error)) {
		sqlite_close(&sqlite->base);
		return NULL;
	}
	sqlite->log = sqlite_log_new(sqlite->handle, options->path);
	return &sqlite->base;
}

static struct prepared *prepare(struct sqlite_db *sqlite, const char *sql, GError **error)
{
	struct prepared *prepared = g_hash_table_lookup(sqlite->statements, sql);
	if (prepared)
		return prepared;
	sqlite3_stmt *stmt;
	int status = sqlite3_prepare_v3(sqlite->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (status != SQLITE_OK) {
		refuse(sqlite->handle, status, sql, error);
		return NULL;
	}
	prepared = g_new0(struct prepared, 1);
	prepared->stmt = stmt;
	for (int i = 0; i < DB_MAX_ARGS; i++) {
		char name[8];
		g_snprintf(name, sizeof name, "$%d", i + 1);
		prepared->index[i] = sqlite3_bind_parameter_index(stmt, name);
	}
	g_hash_table_insert(sqlite->statements, g_strdup(sql), prepared);
	return prepared;
}

static int bind(sqlite3_stmt *stmt, int index, const struct db_value *value)
{
	switch (value->type) {
	case DB_INT:
		return sqlite3_bind_int64(stmt, index, value->integer);
	case DB_TEXT:
		return sqlite3_bind_text64(stmt, index, value->data, value->size, SQLITE_STATIC, SQLITE_UTF8);
	case DB_BLOB:
		return sqlite3_bind_blob64(stmt, index, value->data, value->size, SQLITE_STATIC);
	case DB_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, index);
}

static int bind_row(const struct prepared *prepared, const struct db_value *args, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int status =
		        prepared->index[i] ? bind(prepared->stmt, prepared->index[i], &args[i]) : SQLITE_OK;
		if (status != SQLITE_OK)
			return status;
	}
	return SQLITE_OK;
}

static void read_cell(struct db_rows *rows, sqlite3_stmt *stmt, int column)
{
	int type = sqlite3_column_type(stmt, column);
	if (type == SQLITE_NULL)
		db_rows_add(rows, db_null());
	else if (type == SQLITE_INTEGER)
		db_rows_add(rows, db_int(sqlite3_column_int64(stmt, column)));
	else {
		const void *data = type == SQLITE_BLOB ? sqlite3_column_blob(stmt, column)
		                                       : sqlite3_column_text(stmt, column);
		db_rows_copy(rows, type == SQLITE_BLOB ? DB_BLOB : DB_TEXT, data,
		        (size_t)sqlite3_column_bytes(stmt, column));
	}
}

/* Steps to the end; the rows go to `rows` unless that is NULL. */
static int step_all(sqlite3_stmt *stmt, struct db_rows *rows)
{
	int status;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!rows)
			continue;
		for (unsigned c = 0; c < rows->columns; c++)
			read_cell(rows, stmt, (int)c);
		rows->rows++;
	}
	return status;
}

static int run_row(
        const struct prepared *prepared, const struct db_value *args, unsigned n, struct db_rows *rows)
{
	sqlite3_stmt *stmt = prepared->stmt;
	int status = bind_row(prepared, args, n);
	if (status == SQLITE_OK)
		status = step_all(stmt, rows);
	if (status == SQLITE_DONE)
		status = sqlite3_reset(stmt);
	return status;
}

static bool sqlite_run(struct db *db, const struct db_statement *statement, GPtrArray *results,
        int64_t *changed, GError **error)
{
	struct sqlite_db *sqlite = self(db);
	struct prepared *prepared = prepare(sqlite, statement->sql, error);
	if (!prepared)
		return false;
	bool ok = true;
	for (unsigned r = 0; ok && r < statement->rows; r++) {
		struct db_rows *rows = NULL;
		if (results) {
			rows = db_rows_new((unsigned)sqlite3_column_count(prepared->stmt));
			g_ptr_array_add(results, rows);
		}
		int status =
		        run_row(prepared, statement->args + (size_t)r * statement->n, statement->n, rows);
		ok = status == SQLITE_OK || refuse(sqlite->handle, status, "SQL", error);
		if (ok && changed)
			changed[r] = sqlite3_changes64(sqlite->handle);
	}
	sqlite3_reset(prepared->stmt);
	sqlite3_clear_bindings(prepared->stmt);
	return ok;
}

static bool simple(struct db *db, const char *sql, GError **error)
{
	struct db_statement statement = {.sql = sql, .rows = 1};
	return sqlite_run(db, &statement, NULL, NULL, error);
}

static bool sqlite_now(struct db *db, int64_t *now, GError **error)
{
	(void)db, (void)error;
	*now = instant_now(); /* one machine, one clock */
	return true;
}

static bool sqlite_begin(struct db *db, int64_t *now, GError **error)
{
	return simple(db, "BEGIN IMMEDIATE", error) && sqlite_now(db, now, error);
}

/* A full disk may have rolled back by itself already. */
static void sqlite_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(self(db)->handle))
		simple(db, "ROLLBACK", NULL);
}

static bool sqlite_commit(struct db *db, GError **error)
{
	if (simple(db, "COMMIT", error))
		return true;
	sqlite_rollback(db);
	return false;
}

static bool sqlite_numbers(struct db *db, const char *name, unsigned n, int64_t *out, GError **error)
{
	struct db_value args[] = {db_text(name), db_int(n)};
	AUTO(db_rows)
	rows = db_query(
	        db, "UPDATE number SET value = value + $2 WHERE name = $1 RETURNING value", args, 2, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail(error, ERROR_INTERNAL, "no sequence %s", name);
		return false;
	}
	int64_t last = db_rows_int(rows, 0, 0);
	for (unsigned i = 0; i < n; i++)
		out[i] = last - (int64_t)n + 1 + (int64_t)i;
	return true;
}

const struct db_driver db_sqlite = {
        .dialect = DB_SQLITE,
        .open = sqlite_open,
        .close = sqlite_close,
        .begin = sqlite_begin,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
        .now = sqlite_now,
        .run = sqlite_run,
        .script = sqlite_script,
        .numbers = sqlite_numbers,
};
