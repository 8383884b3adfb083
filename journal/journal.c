/* journal.c - opening, names and pseudonyms, and the transaction wrapper. */
#include "journal/internal.h"
#include "journal/migrations.h"
#include "core/error.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define KEY_MIN 16

static void copy_options(struct journal *journal, const struct journal_options *options)
{
	journal->options = options->db;
	journal->options.path = g_strdup(options->db.path);
	journal->options.conninfo = g_strdup(options->db.conninfo);
	journal->options.password = g_strdup(options->db.password);
	journal->key = g_bytes_ref(options->pseudonym_key);
}

static char *worker_name(const char *given)
{
	if (given)
		return g_strdup(given);
	return g_strdup_printf("%s:%d:%d", g_get_host_name(), (int)getpid(), (int)gettid());
}

static char *os_user(void)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found)
		return g_strdup_printf("os:%s", found->pw_name);
	return g_strdup_printf("os:%u", (unsigned)geteuid());
}

static char *session_user(struct db *db, GError **error)
{
	if (db_dialect(db) == DB_SQLITE)
		return os_user();
	AUTO(db_rows) rows = db_query(db, "SELECT CAST(session_user AS text)", NULL, 0, error);
	return rows ? g_strdup_printf("db:%s", db_rows_text(rows, 0, 0)) : NULL;
}

bool journal_identify(struct journal *journal, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT value FROM meta WHERE name = 'instance'", NULL, 0, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail(error, ERROR_CONFIG, "the journal has no instance name");
		return false;
	}
	g_free(journal->instance);
	journal->instance = g_strdup(db_rows_text(rows, 0, 0));
	g_free(journal->actor);
	journal->actor = session_user(journal->db, error);
	return journal->actor != NULL;
}

void journal_forget(struct journal *journal)
{
	g_free(journal->instance);
	g_free(journal->worker);
	g_free(journal->actor);
}

bool journal_migrate(const struct db_options *options, unsigned *done, GError **error)
{
	struct db_options patient = *options;
	patient.statement_ms = 4 * 3600 * 1000;
	patient.busy_ms = 300 * 1000;
	struct db *db = db_open(&patient, error);
	bool ok = db && migrations_run(db, done, error);
	db_close(db);
	return ok;
}

static bool connect_and_check(struct journal *journal, GError **error)
{
	journal->db = db_open(&journal->options, error);
	return journal->db && migrations_check(journal->db, error) && journal_identify(journal, error);
}

struct journal *journal_open(const struct journal_options *options, GError **error)
{
	if (!options->pseudonym_key || g_bytes_get_size(options->pseudonym_key) < KEY_MIN) {
		fail(error, ERROR_CONFIG, "the pseudonym key must have at least %d bytes", KEY_MIN);
		return NULL;
	}
	if (options->migrate && !journal_migrate(&options->db, NULL, error))
		return NULL;
	struct journal *journal = g_new0(struct journal, 1);
	copy_options(journal, options);
	journal->worker = worker_name(options->worker);
	if (connect_and_check(journal, error))
		return journal;
	journal_close(journal);
	return NULL;
}

bool journal_reopen(struct journal *journal, GError **error)
{
	db_close(journal->db);
	journal->db = NULL;
	g_autofree char *before = g_strdup(journal->instance);
	if (!connect_and_check(journal, error)) {
		db_close(g_steal_pointer(&journal->db));
		return false;
	}
	if (strcmp(before, journal->instance) == 0)
		return true;
	db_close(g_steal_pointer(&journal->db));
	fail(error, ERROR_CONFIG, "another journal answers at this address");
	return false;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	db_close(journal->db);
	g_free((char *)journal->options.path);
	g_free((char *)journal->options.conninfo);
	g_free((char *)journal->options.password);
	g_bytes_unref(journal->key);
	journal_forget(journal);
	g_free(journal);
}

const char *journal_instance(const struct journal *journal)
{
	return journal->instance;
}

char *journal_item_name(const struct journal *journal, int64_t item)
{
	return g_strdup_printf("%s-%" G_GINT64_FORMAT, journal->instance, item);
}

bool journal_item_parse(const struct journal *journal, const char *name, int64_t *item, GError **error)
{
	const char *dash = strrchr(name, '-');
	size_t prefix = dash ? (size_t)(dash - name) : 0;
	bool ours = !dash ||
	            (prefix == strlen(journal->instance) && strncmp(name, journal->instance, prefix) == 0);
	gint64 number;
	if (ours &&
	        g_ascii_string_to_signed(dash ? dash + 1 : name, 10, 1, G_MAXINT64 / 4096, &number, NULL)) {
		*item = number;
		return true;
	}
	fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "“%s” is no item of this journal (%s-NUMBER)",
	        name, journal->instance);
	return false;
}

const char *journal_worker(const struct journal *journal)
{
	return journal->worker;
}

const char *journal_actor(const struct journal *journal)
{
	return journal->actor;
}

void journal_pseudonym(
        const struct journal *journal, const char *kind, const char *value, char out[HASH_HEX_SIZE])
{
	gsize key_size;
	const void *key = g_bytes_get_data(journal->key, &key_size);
	g_autoptr(GByteArray) input = g_byte_array_new();
	g_byte_array_append(input, (const guint8 *)kind, (guint)strlen(kind) + 1); /* with NUL: no mix-up */
	g_byte_array_append(input, (const guint8 *)value, (guint)strlen(value));
	hash_keyed_hex(key, key_size, input->data, input->len, out);
}

struct db *journal_db(struct journal *journal)
{
	return journal->db;
}

static bool transact(struct journal *journal, bool (*begin)(struct db *, GError **),
        bool (*work)(struct journal *, void *, GError **), void *data, GError **error)
{
	if (!journal->db) {
		fail(error, ERROR_UNAVAILABLE, "the journal is not open");
		return false;
	}
	if (!begin(journal->db, error))
		return false;
	if (work(journal, data, error) && db_commit(journal->db, error))
		return true;
	db_rollback(journal->db);
	return false;
}

bool journal_transact(struct journal *journal, bool (*work)(struct journal *, void *, GError **), void *data,
        GError **error)
{
	return transact(journal, db_begin, work, data, error);
}

bool journal_transact_lease(struct journal *journal, bool (*work)(struct journal *, void *, GError **),
        void *data, GError **error)
{
	return transact(journal, db_begin_lease, work, data, error);
}
