/* db_postgres.c - PostgreSQL through libpq: prepared statements, batches in pipeline mode.
 *
 * Values go as text (blobs as binary) and the server infers their types; results come back in binary form.
 */
#include "journal/db_driver.h"
#include "core/error.h"

#include <libpq-fe.h>
#include <string.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_XID8 = 5069 };

struct postgres_db {
	struct db base;
	PGconn *conn;
	GHashTable *statements; /* text → name at the server */
	unsigned named;
};

static struct postgres_db *self(struct db *db)
{
	return (struct postgres_db *)db;
}

static bool is_lost(PGconn *conn)
{
	return PQstatus(conn) != CONNECTION_OK;
}

static bool refuse_lost(PGconn *conn, const char *doing, GError **error)
{
	g_autofree char *why = g_strchomp(g_strdup(PQerrorMessage(conn)));
	fail(error, ERROR_UNAVAILABLE, "%s: %s", doing, *why ? why : "connection lost");
	return false;
}

struct state_class {
	const char *prefix; /* of the SQLSTATE */
	enum error_class class;
	enum error_scope scope;
	enum error_when when;
};

/* First match counts. */
static const struct state_class state_classes[] = {
        {"23", ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER},         /* constraint */
        {"40", ERROR_AGAIN, SCOPE_SOURCE, WHEN_NOW},          /* deadlock, serialization */
        {"55P03", ERROR_AGAIN, SCOPE_SOURCE, WHEN_LATER},     /* lock_timeout */
        {"57014", ERROR_AGAIN, SCOPE_SOURCE, WHEN_LATER},     /* statement_timeout */
        {"53", ERROR_AGAIN, SCOPE_SOURCE, WHEN_LATER},        /* disk full, memory, connections */
        {"58", ERROR_AGAIN, SCOPE_SOURCE, WHEN_LATER},        /* I/O at the server */
        {"57P", ERROR_UNAVAILABLE, SCOPE_SOURCE, WHEN_LATER}, /* shutting down, starting */
        {"08", ERROR_UNAVAILABLE, SCOPE_SOURCE, WHEN_LATER},
        {"25006", ERROR_UNAVAILABLE, SCOPE_SOURCE, WHEN_LATER}, /* a standby */
        {"25P03", ERROR_UNAVAILABLE, SCOPE_SOURCE, WHEN_LATER}, /* idle in transaction */
        {"42501", ERROR_DENIED, SCOPE_SOURCE, WHEN_NEVER},
        {"28", ERROR_DENIED, SCOPE_SOURCE, WHEN_NEVER},
};

/* Without DETAIL, which quotes values. */
static bool refuse(PGconn *conn, const PGresult *result, const char *doing, GError **error)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	if (!state)
		return refuse_lost(conn, doing, error);
	const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	for (size_t i = 0; i < G_N_ELEMENTS(state_classes); i++) {
		const struct state_class *s = &state_classes[i];
		if (g_str_has_prefix(state, s->prefix)) {
			fail_as(error, s->class, s->scope, s->when, "%s: %s (%s)", doing, why, state);
			return false;
		}
	}
	fail(error, ERROR_INTERNAL, "%s: %s (%s)", doing, why, state);
	return false;
}

static bool succeeded(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void result_clear(PGresult **result)
{
	PQclear(*result);
}
#define AUTO_RESULT __attribute__((cleanup(result_clear))) PGresult *

static bool postgres_script(struct db *db, const char *sql, GError **error)
{
	AUTO_RESULT result = PQexec(self(db)->conn, sql);
	return succeeded(result) || refuse(self(db)->conn, result, "SQL script", error);
}

static void postgres_close(struct db *db)
{
	struct postgres_db *postgres = self(db);
	g_hash_table_unref(postgres->statements);
	PQfinish(postgres->conn);
	g_free(postgres);
}

/* ---- connecting ---- */

static const char *option_value(const PQconninfoOption *options, const char *name)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val && *options->val ? options->val : NULL;
	return NULL;
}

static bool is_local(const char *host)
{
	return !host || host[0] == '/' || host[0] == '@' || strcmp(host, "localhost") == 0 ||
	       g_str_has_prefix(host, "127.") || strcmp(host, "::1") == 0;
}

/* Every host of a list must be local for the list to be so. */
static bool all_local(const char *hosts)
{
	g_auto(GStrv) list = g_strsplit(hosts ? hosts : "", ",", -1);
	for (char **host = list; *host; host++)
		if (**host && !is_local(*host))
			return false;
	return true;
}

static bool wants_certificate(const PQconninfoOption *options)
{
	if (option_value(options, "sslmode") || g_getenv("PGSSLMODE") || option_value(options, "service"))
		return false;
	const char *host = option_value(options, "host"), *address = option_value(options, "hostaddr");
	return !all_local(host ? host : g_getenv("PGHOST")) ||
	       !all_local(address ? address : g_getenv("PGHOSTADDR"));
}

struct parameters {
	const char *keys[16], *values[16];
	unsigned n;
};

static void set(struct parameters *parameters, const char *key, const char *value)
{
	parameters->keys[parameters->n] = key;
	parameters->values[parameters->n++] = value;
}

/* What comes before "dbname" are defaults that conninfo may override; what comes behind it holds. */
static PGconn *connect_with(const struct db_options *options, bool certificate)
{
	struct parameters p = {.n = 0};
	set(&p, "connect_timeout", "10");
	set(&p, "application_name", "posteingang");
	set(&p, "keepalives_idle", "30");
	set(&p, "tcp_user_timeout", "60000");
	if (certificate)
		set(&p, "sslrootcert", "/etc/ssl/certs/ca-certificates.crt");
	set(&p, "dbname", options->conninfo ? options->conninfo : "");
	if (certificate)
		set(&p, "sslmode", "verify-full");
	if (options->password)
		set(&p, "password", options->password);
	set(&p, "client_encoding", "UTF8");
	return PQconnectdbParams(p.keys, p.values, 1);
}

static bool open_connection(struct postgres_db *postgres, const struct db_options *options, GError **error)
{
	char *why = NULL;
	PQconninfoOption *parsed = PQconninfoParse(options->conninfo ? options->conninfo : "", &why);
	if (!parsed) {
		/* libpq quotes the string, and a password may stand in it */
		fail(error, ERROR_CONFIG, "the connection string of the journal cannot be read");
		PQfreemem(why);
		return false;
	}
	bool certificate = wants_certificate(parsed);
	PQconninfoFree(parsed);
	postgres->conn = connect_with(options, certificate);
	return !is_lost(postgres->conn) || refuse_lost(postgres->conn, "journal", error);
}

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg, (void)result;
}

static bool configure(struct postgres_db *postgres, const struct db_options *options, GError **error)
{
	if (PQserverVersion(postgres->conn) < 140000) {
		fail(error, ERROR_CONFIG, "the journal needs PostgreSQL 14 or newer, found %d",
		        PQserverVersion(postgres->conn) / 10000);
		return false;
	}
	PQsetNoticeReceiver(postgres->conn, ignore_notice, NULL);
	g_autofree char *sql =
	        g_strdup_printf("SET statement_timeout=%d; SET lock_timeout=%d; SET "
	                        "idle_in_transaction_session_timeout=120000;"
	                        "SET default_transaction_isolation='read committed'; SET timezone='UTC';"
	                        "SELECT set_config('synchronous_commit', 'on', false)"
	                        " WHERE current_setting('synchronous_commit') = 'off'",
	                options->statement_ms ? options->statement_ms : 60000,
	                options->busy_ms ? options->busy_ms : 10000);
	return postgres_script(&postgres->base, sql, error);
}

static struct db *postgres_open(const struct db_options *options, GError **error)
{
	struct postgres_db *postgres = g_new0(struct postgres_db, 1);
	postgres->base.driver = &db_postgres;
	postgres->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (open_connection(postgres, options, error) && configure(postgres, options, error))
		return &postgres->base;
	postgres_close(&postgres->base);
	return NULL;
}

/* ---- statements ---- */

static const char *prepare(struct postgres_db *postgres, const char *sql, GError **error)
{
	const char *known = g_hash_table_lookup(postgres->statements, sql);
	if (known)
		return known;
	char *name = g_strdup_printf("s%u", postgres->named++);
	AUTO_RESULT result = PQprepare(postgres->conn, name, sql, 0, NULL);
	if (!succeeded(result)) {
		refuse(postgres->conn, result, sql, error);
		g_free(name);
		return NULL;
	}
	g_hash_table_insert(postgres->statements, g_strdup(sql), name);
	return name;
}

struct bound {
	const char *values[DB_MAX_ARGS];
	int lengths[DB_MAX_ARGS], formats[DB_MAX_ARGS];
	char numbers[DB_MAX_ARGS][24];
};

static void bind_row(struct bound *bound, const struct db_value *args, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bound->formats[i] = args[i].type == DB_BLOB;
		bound->lengths[i] = (int)args[i].size;
		bound->values[i] = args[i].data;
		if (args[i].type == DB_NULL)
			bound->values[i] = NULL;
		if (args[i].type == DB_INT) {
			g_snprintf(bound->numbers[i], sizeof bound->numbers[i], "%" G_GINT64_FORMAT,
			        args[i].integer);
			bound->values[i] = bound->numbers[i];
		}
	}
}

static struct db_value read_integer(const char *data, int size)
{
	uint64_t value = 0;
	for (int i = 0; i < size; i++)
		value = value << 8 | (unsigned char)data[i];
	if (size < 8 && size > 1 && (data[0] & 0x80)) /* sign */
		value |= ~UINT64_C(0) << (8 * size);
	return db_int((int64_t)value);
}

static struct db_value read_cell(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column))
		return db_null();
	const char *data = PQgetvalue(result, row, column);
	int size = PQgetlength(result, row, column);
	switch (PQftype(result, column)) {
	case OID_BOOL:
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_XID8:
		return read_integer(data, size);
	case OID_BYTEA:
		return (struct db_value){.type = DB_BLOB, .data = data, .size = (size_t)size};
	default:
		return (struct db_value){.type = DB_TEXT, .data = data, .size = (size_t)size};
	}
}

static void keep_clear(void *result)
{
	PQclear(result);
}

/* Takes the result over. */
static struct db_rows *read_rows(PGresult *result)
{
	struct db_rows *rows = db_rows_new((unsigned)PQnfields(result));
	rows->rows = (unsigned)PQntuples(result);
	for (int r = 0; r < PQntuples(result); r++)
		for (int c = 0; c < PQnfields(result); c++)
			db_rows_add(rows, read_cell(result, r, c));
	rows->keep = result;
	rows->keep_free = keep_clear;
	return rows;
}

static void take(PGresult *result, GPtrArray *results, int64_t *changed)
{
	if (changed)
		*changed = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
	if (results)
		g_ptr_array_add(results, read_rows(result));
	else
		PQclear(result);
}

static bool run_once(struct postgres_db *postgres, const char *name, const struct db_statement *statement,
        GPtrArray *results, int64_t *changed, GError **error)
{
	struct bound bound;
	bind_row(&bound, statement->args, statement->n);
	PGresult *result = PQexecPrepared(
	        postgres->conn, name, (int)statement->n, bound.values, bound.lengths, bound.formats, 1);
	if (succeeded(result)) {
		take(result, results, changed);
		return true;
	}
	refuse(postgres->conn, result, "SQL", error);
	PQclear(result);
	return false;
}

/* ---- pipelines ---- */

/* Rows between two synchronisation points: bounds what the server has to hold back. */
#define PIPELINE_ROWS 256

/* libpq reads while it sends, so a full socket cannot block both sides. */
static bool pipeline_send(struct postgres_db *postgres, const char *name,
        const struct db_statement *statement, unsigned from, unsigned to)
{
	struct bound bound;
	for (unsigned r = from; r < to; r++) {
		bind_row(&bound, statement->args + (size_t)r * statement->n, statement->n);
		if (!PQsendQueryPrepared(postgres->conn, name, (int)statement->n, bound.values, bound.lengths,
		            bound.formats, 1))
			return false;
	}
	return PQpipelineSync(postgres->conn) == 1;
}

/* Reads up to and with the synchronisation point; the first refusal is the error. */
static bool pipeline_read(struct postgres_db *postgres, GPtrArray *results, int64_t *changed, GError **error)
{
	bool ok = true;
	unsigned row = 0, ends = 0;
	for (;;) {
		PGresult *result = PQgetResult(postgres->conn);
		if (!result) { /* one NULL ends each statement; two in a row: nothing is left to come */
			if (++ends > 1 || is_lost(postgres->conn))
				return ok && refuse_lost(postgres->conn, "SQL batch", error);
			continue;
		}
		ends = 0;
		ExecStatusType status = PQresultStatus(result);
		if (status == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			return ok;
		}
		if (ok && succeeded(result)) {
			take(result, results, changed ? &changed[row] : NULL);
			row++;
			continue;
		}
		if (ok)
			ok = refuse(postgres->conn, result, "SQL batch", error);
		PQclear(result);
	}
}

static bool run_pipeline(struct postgres_db *postgres, const char *name, const struct db_statement *statement,
        GPtrArray *results, int64_t *changed, GError **error)
{
	if (!PQenterPipelineMode(postgres->conn))
		return refuse_lost(postgres->conn, "SQL batch", error);
	bool ok = true;
	for (unsigned from = 0; ok && from < statement->rows; from += PIPELINE_ROWS) {
		unsigned to = MIN(from + PIPELINE_ROWS, statement->rows);
		ok = pipeline_send(postgres, name, statement, from, to)
		             ? pipeline_read(postgres, results, changed ? changed + from : NULL, error)
		             : refuse_lost(postgres->conn, "SQL batch", error);
	}
	if (!PQexitPipelineMode(postgres->conn) && ok)
		ok = refuse_lost(postgres->conn, "SQL batch", error);
	return ok;
}

static bool postgres_run(struct db *db, const struct db_statement *statement, GPtrArray *results,
        int64_t *changed, GError **error)
{
	struct postgres_db *postgres = self(db);
	const char *name = prepare(postgres, statement->sql, error);
	if (!name)
		return false;
	if (statement->rows == 1)
		return run_once(postgres, name, statement, results, changed, error);
	return run_pipeline(postgres, name, statement, results, changed, error);
}

/* ---- transactions ---- */

#define CLOCK "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"

static bool ask_clock(struct db *db, const char *sql, int64_t *now, GError **error)
{
	AUTO_RESULT result = PQexec(self(db)->conn, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return refuse(self(db)->conn, result, "SQL", error);
	*now = g_ascii_strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	return true;
}

static bool postgres_now(struct db *db, int64_t *now, GError **error)
{
	return ask_clock(db, CLOCK, now, error);
}

static void postgres_rollback(struct db *db)
{
	PQclear(PQexec(self(db)->conn, "ROLLBACK"));
}

static bool postgres_begin(struct db *db, int64_t *now, GError **error)
{
	if (ask_clock(db, "BEGIN; " CLOCK, now, error))
		return true;
	if (PQtransactionStatus(self(db)->conn) == PQTRANS_INERROR)
		postgres_rollback(db);
	return false;
}

static bool postgres_commit(struct db *db, GError **error)
{
	PGconn *conn = self(db)->conn;
	AUTO_RESULT result = PQexec(conn, "COMMIT");
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		if (strcmp(PQcmdStatus(result), "COMMIT") == 0)
			return true;
		fail(error, ERROR_INTERNAL, "commit of a failed transaction");
		return false;
	}
	if (!is_lost(conn))
		return refuse(conn, result, "commit", error);
	fail(error, ERROR_UNCERTAIN, "the connection was lost while committing");
	return false;
}

static bool postgres_numbers(struct db *db, const char *name, unsigned n, int64_t *out, GError **error)
{
	g_autofree char *sequence = g_strconcat(name, "_number", NULL);
	struct db_value args[] = {db_text(sequence), db_int(n)};
	AUTO(db_rows)
	rows = db_query(db,
	        "SELECT nextval(CAST($1 AS regclass)) FROM generate_series(1, CAST($2 AS integer))", args, 2,
	        error);
	for (unsigned i = 0; rows && i < n; i++)
		out[i] = db_rows_int(rows, i, 0);
	return rows != NULL;
}

const struct db_driver db_postgres = {
        .dialect = DB_POSTGRES,
        .open = postgres_open,
        .close = postgres_close,
        .begin = postgres_begin,
        .commit = postgres_commit,
        .rollback = postgres_rollback,
        .now = postgres_now,
        .run = postgres_run,
        .script = postgres_script,
        .numbers = postgres_numbers,
};
