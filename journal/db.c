/* db.c - values, results and the funnel through which every statement goes to its driver. */
#include "journal/db_driver.h"
#include "core/error.h"

#include <string.h>

struct db_value db_null(void)
{
	return (struct db_value){.type = DB_NULL};
}

struct db_value db_int(int64_t value)
{
	return (struct db_value){.type = DB_INT, .integer = value};
}

struct db_value db_text(const char *text)
{
	if (!text)
		return db_null();
	return (struct db_value){.type = DB_TEXT, .data = text, .size = strlen(text)};
}

struct db_value db_blob(const void *data, size_t size)
{
	return (struct db_value){.type = DB_BLOB, .data = size ? data : "", .size = size};
}

struct db_value db_bytes(GBytes *bytes)
{
	if (!bytes)
		return db_null();
	size_t size;
	const void *data = g_bytes_get_data(bytes, &size);
	return db_blob(data, size);
}

struct db *db_open(const struct db_options *options, GError **error)
{
	const struct db_driver *driver = options->dialect == DB_SQLITE ? &db_sqlite : &db_postgres;
	return driver->open(options, error);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_rollback(db);
	db->driver->close(db);
}

enum db_dialect db_dialect(const struct db *db)
{
	return db->driver->dialect;
}

bool db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

/* SQLite changes this only outside a transaction. */
static bool set_relaxed(struct db *db, bool relaxed, GError **error)
{
	if (db->relaxed == relaxed)
		return true;
	const char *sql = relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL";
	if (!db->driver->script(db, sql, error))
		return false;
	db->relaxed = relaxed;
	return true;
}

static bool begin(struct db *db, bool relaxed, GError **error)
{
	g_return_val_if_fail(!db->in_transaction, false);
	if (!set_relaxed(db, relaxed, error) || !db->driver->begin(db, &db->begun, error))
		return false;
	db->in_transaction = true;
	return true;
}

bool db_begin(struct db *db, GError **error)
{
	return begin(db, false, error);
}

bool db_begin_lease(struct db *db, GError **error)
{
	return begin(db, db_dialect(db) == DB_SQLITE, error);
}

bool db_begin_reading(struct db *db, GError **error)
{
	g_return_val_if_fail(!db->in_transaction, false);
	const char *begin = db_dialect(db) == DB_SQLITE ? "BEGIN DEFERRED"
	                                                : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	if (!db->driver->now(db, &db->begun, error) || !db->driver->script(db, begin, error))
		return false;
	db->in_transaction = true;
	return true;
}

bool db_commit(struct db *db, GError **error)
{
	g_return_val_if_fail(db->in_transaction, false);
	db->in_transaction = false;
	bool ok = db->driver->commit(db, error);
	set_relaxed(db, false, NULL); /* or at the next db_begin() */
	return ok;
}

void db_rollback(struct db *db)
{
	if (db->in_transaction)
		db->driver->rollback(db);
	db->in_transaction = false;
	set_relaxed(db, false, NULL);
}

bool db_now(struct db *db, int64_t *now, GError **error)
{
	if (!db->in_transaction)
		return db->driver->now(db, now, error);
	*now = db->begun;
	return true;
}

static bool is_open(const struct db *db, GError **error)
{
	if (!db)
		fail(error, ERROR_UNAVAILABLE, "the database is not open");
	return db != NULL;
}

static struct db_statement once(const char *sql, const struct db_value *args, unsigned n)
{
	g_assert(n <= DB_MAX_ARGS);
	return (struct db_statement){.sql = sql, .args = args, .n = n, .rows = 1};
}

bool db_exec(struct db *db, const char *sql, const struct db_value *args, unsigned n, int64_t *changed,
        GError **error)
{
	struct db_statement statement = once(sql, args, n);
	return is_open(db, error) && db->driver->run(db, &statement, NULL, changed, error);
}

bool db_exec_many(struct db *db, const char *sql, const struct db_value *args, unsigned n, unsigned rows,
        int64_t *changed, GError **error)
{
	g_return_val_if_fail(db->in_transaction, false);
	if (!rows)
		return true;
	struct db_statement statement = once(sql, args, n);
	statement.rows = rows;
	return db->driver->run(db, &statement, NULL, changed, error);
}

bool db_script(struct db *db, const char *sql, GError **error)
{
	return db->driver->script(db, sql, error);
}

static void rows_free(gpointer rows)
{
	db_rows_free(rows);
}

static GPtrArray *query(struct db *db, const struct db_statement *statement, GError **error)
{
	g_autoptr(GPtrArray) results = g_ptr_array_new_full(statement->rows, rows_free);
	if (!is_open(db, error))
		return NULL;
	if (statement->rows && !db->driver->run(db, statement, results, NULL, error))
		return NULL;
	return g_steal_pointer(&results);
}

struct db_rows *db_query(
        struct db *db, const char *sql, const struct db_value *args, unsigned n, GError **error)
{
	struct db_statement statement = once(sql, args, n);
	g_autoptr(GPtrArray) results = query(db, &statement, error);
	return results ? g_ptr_array_steal_index(results, 0) : NULL;
}

GPtrArray *db_query_many(struct db *db, const char *sql, const struct db_value *args, unsigned n,
        unsigned rows, GError **error)
{
	struct db_statement statement = once(sql, args, n);
	statement.rows = rows;
	return query(db, &statement, error);
}

bool db_numbers(struct db *db, const char *name, unsigned n, int64_t *out, GError **error)
{
	g_return_val_if_fail(db->in_transaction, false);
	return n == 0 || db->driver->numbers(db, name, n, out, error);
}

struct db_rows *db_rows_new(unsigned columns)
{
	struct db_rows *rows = g_new0(struct db_rows, 1);
	rows->columns = columns;
	rows->cells = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	return rows;
}

void db_rows_add(struct db_rows *rows, struct db_value value)
{
	g_array_append_val(rows->cells, value);
}

void db_rows_copy(struct db_rows *rows, enum db_type type, const void *data, size_t size)
{
	if (!rows->copies)
		rows->copies = g_ptr_array_new_with_free_func(g_free);
	char *copy = g_malloc(size + 1);
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	g_ptr_array_add(rows->copies, copy);
	db_rows_add(rows, (struct db_value){.type = type, .data = copy, .size = size});
}

void db_rows_free(struct db_rows *rows)
{
	if (!rows)
		return;
	g_array_unref(rows->cells);
	if (rows->copies)
		g_ptr_array_unref(rows->copies);
	if (rows->keep)
		rows->keep_free(rows->keep);
	g_free(rows);
}

unsigned db_rows_count(const struct db_rows *rows)
{
	return rows->rows;
}

static const struct db_value *cell(const struct db_rows *rows, unsigned row, unsigned column)
{
	g_assert(row < rows->rows && column < rows->columns);
	return &g_array_index(rows->cells, struct db_value, row * rows->columns + column);
}

bool db_rows_is_null(const struct db_rows *rows, unsigned row, unsigned column)
{
	return cell(rows, row, column)->type == DB_NULL;
}

int64_t db_rows_int(const struct db_rows *rows, unsigned row, unsigned column)
{
	const struct db_value *value = cell(rows, row, column);
	return value->type == DB_INT ? value->integer : 0;
}

const char *db_rows_text(const struct db_rows *rows, unsigned row, unsigned column)
{
	const struct db_value *value = cell(rows, row, column);
	return value->type == DB_TEXT ? value->data : NULL;
}

GBytes *db_rows_bytes(const struct db_rows *rows, unsigned row, unsigned column)
{
	const struct db_value *value = cell(rows, row, column);
	bool bytes = value->type == DB_TEXT || value->type == DB_BLOB;
	return bytes ? g_bytes_new(value->data, value->size) : NULL;
}

bool db_is_conflict(const GError *error)
{
	return error_class(error) == ERROR_DENIED && error_scope(error) == SCOPE_ITEM;
}
