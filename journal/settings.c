/* settings.c - from the `journal:` section to what opens a journal, and the key of the embedded default. */
#include "journal/settings.h"
#include "core/date.h"
#include "core/error.h"
#include "core/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { KEY_BYTES = 32, KEY_MIN = 16 };

static const char *const type_words[] = {[DB_SQLITE] = "sqlite", [DB_POSTGRES] = "postgres", NULL};

const struct option journal_settings_options[] = {
        {.name = "type",
                .type = OPTION_ENUM,
                .words = type_words,
                .fallback = "sqlite",
                .offset = offsetof(struct journal_settings, type),
                .help = "sqlite: the embedded default, a file of this machine. postgres: PostgreSQL 14 or "
                        "newer, shared by all workers."},
        {.name = "path",
                .type = OPTION_PATH,
                .fallback = "/var/lib/posteingang/journal.db",
                .offset = offsetof(struct journal_settings, path),
                .help = "sqlite: the database file. It is made at the first run, mode 0600."},
        {.name = "conninfo",
                .type = OPTION_STRING,
                .offset = offsetof(struct journal_settings, conninfo),
                .help = "postgres: connection string or address as libpq takes it, without password. A host "
                        "that is neither a socket nor loopback must show a certificate for its name "
                        "(sslmode=verify-full) unless the string says else."},
        {.name = "password",
                .type = OPTION_SECRET,
                .offset = offsetof(struct journal_settings, password),
                .help = "postgres: the password of the database user."},
        {.name = "pseudonym_key",
                .type = OPTION_SECRET,
                .offset = offsetof(struct journal_settings, pseudonym_key),
                .help = "Key of the hashes under which persons stand in the log, at least 16 bytes; the same "
                        "for all workers, never to be changed. Default with sqlite: a file beside the "
                        "database, made at the first run."},
        {.name = "busy",
                .type = OPTION_DURATION,
                .fallback = "10s",
                .min = 1,
                .max = 600,
                .offset = offsetof(struct journal_settings, busy),
                .help = "How long a statement waits for locks of others."},
        {.name = "time_limit",
                .type = OPTION_DURATION,
                .fallback = "60s",
                .min = 1,
                .max = 3600,
                .offset = offsetof(struct journal_settings, time_limit),
                .help = "postgres: longest time one statement may take."},
        {.name = "business_now",
                .type = OPTION_STRING,
                .offset = offsetof(struct journal_settings, business_now),
                .help = "sqlite, for demonstrations and rehearsals only: the time (RFC 3339) that counts as "
                        "now for everything that is decided or due."},
        OPTION_END,
};

static void check_business_now(
        const struct yaml_node *map, struct journal_settings *settings, struct diag *diag)
{
	const struct yaml_node *place = yaml_get(map, "business_now");
	if (!settings->business_now || !place)
		return;
	if (settings->type != DB_SQLITE)
		yaml_error(diag, place,
		        "business_now is for demonstrations on type sqlite, never for a "
		        "shared journal");
	else if (!instant_parse(settings->business_now, &settings->fixed_now))
		yaml_error(diag, place,
		        "business_now is \"%s\", expected a time like "
		        "2026-06-01T08:00:00+02:00",
		        settings->business_now);
}

static void check_postgres(
        const struct yaml_node *map, const struct journal_settings *settings, struct diag *diag)
{
	if (!settings->conninfo)
		yaml_error(diag, map,
		        "missing key \"conninfo\": type postgres needs an address, such as "
		        "\"host=/run/postgresql dbname=posteingang\"");
	if (settings->conninfo && strstr(settings->conninfo, "password"))
		yaml_error(diag, yaml_get(map, "conninfo"),
		        "no password here: write password_file or "
		        "password_env");
	if (!settings->pseudonym_key && !yaml_get(map, "pseudonym_key_file") &&
	        !yaml_get(map, "pseudonym_key_env"))
		yaml_error(diag, map,
		        "missing key \"pseudonym_key_file\": all workers of a shared journal "
		        "need the same key");
}

void journal_settings_read(const struct yaml_node *map, struct journal_settings *out, struct diag *diag)
{
	options_read(map, journal_settings_options, NULL, out, diag);
	if (!map)
		return;
	check_business_now(map, out, diag);
	if (out->type == DB_POSTGRES)
		check_postgres(map, out, diag);
	if (out->type == DB_SQLITE && (out->conninfo || out->password))
		yaml_error(diag, map, "conninfo and password belong to type postgres");
	if (out->pseudonym_key && strlen(out->pseudonym_key) < KEY_MIN)
		yaml_error(diag, map, "the pseudonym key is too short: at least %d bytes", KEY_MIN);
}

void journal_settings_clear(struct journal_settings *settings)
{
	options_clear(journal_settings_options, settings);
}

static char *key_path(const struct journal_settings *settings)
{
	return g_strconcat(settings->path, ".key", NULL);
}

/* link(2) makes it appear whole, once: who comes second takes the first one's. */
static bool make_key(const char *path, GError **error)
{
	guint8 key[KEY_BYTES];
	char hex[HASH_HEX_SIZE];
	random_bytes(key, sizeof key);
	G_STATIC_ASSERT(KEY_BYTES == HASH_SIZE);
	hash_to_hex(key, hex);
	explicit_bzero(key, sizeof key);
	g_autofree char *own = g_strdup_printf("%s.%d", path, (int)getpid());
	g_autofree char *folder = g_path_get_dirname(path);
	if (!file_write_durable(own, hex, strlen(hex), 0600, error))
		return false;
	int failed = link(own, path) == 0 || errno == EEXIST ? 0 : errno;
	unlink(own);
	explicit_bzero(hex, sizeof hex);
	if (failed) {
		fail(error, ERROR_CONFIG, "%s: %s", path, g_strerror(failed));
		return false;
	}
	return folder_sync(folder, error);
}

bool journal_settings_prepare(const struct journal_settings *settings, GError **error)
{
	if (settings->type != DB_SQLITE)
		return true;
	g_autofree char *folder = g_path_get_dirname(settings->path);
	if (g_mkdir_with_parents(folder, 0750) != 0) {
		fail(error, ERROR_CONFIG, "%s: %s", folder, g_strerror(errno));
		return false;
	}
	g_autofree char *key = key_path(settings);
	if (settings->pseudonym_key || g_file_test(key, G_FILE_TEST_EXISTS))
		return true;
	if (g_file_test(settings->path, G_FILE_TEST_EXISTS)) {
		fail(error, ERROR_CONFIG,
		        "%s is there but its key %s is not: bring it back from a copy, a new "
		        "one would part the journal from its past",
		        settings->path, key);
		return false;
	}
	return make_key(key, error);
}

bool journal_settings_exists(const struct journal_settings *settings, GError **error)
{
	if (settings->type != DB_SQLITE || g_file_test(settings->path, G_FILE_TEST_EXISTS))
		return true;
	fail(error, ERROR_CONFIG,
	        "%s: no journal there yet; `posteingang run` or `posteingang migrate` makes it",
	        settings->path);
	return false;
}

static GBytes *read_key(const struct journal_settings *settings, GError **error)
{
	if (settings->pseudonym_key)
		return g_bytes_new(settings->pseudonym_key, strlen(settings->pseudonym_key));
	if (settings->type != DB_SQLITE) {
		fail(error, ERROR_CONFIG, "the journal needs a pseudonym_key");
		return NULL;
	}
	g_autofree char *path = key_path(settings);
	char *text = secret_read(path, error);
	return text ? g_bytes_new_take(text, strlen(text)) : NULL;
}

bool journal_settings_options_of(
        const struct journal_settings *settings, struct journal_options *options, GError **error)
{
	GBytes *key = read_key(settings, error);
	if (!key)
		return false;
	*options = (struct journal_options){
	        .db = {.dialect = (enum db_dialect)settings->type,
	                .path = settings->path,
	                .conninfo = settings->conninfo,
	                .password = settings->password,
	                .busy_ms = (int)settings->busy * 1000,
	                .statement_ms = (int)settings->time_limit * 1000},
	        .pseudonym_key = key,
	};
	return true;
}

void journal_options_clear(struct journal_options *options)
{
	g_clear_pointer(&options->pseudonym_key, g_bytes_unref);
}

bool journal_settings_equal(const struct journal_settings *a, const struct journal_settings *b)
{
	return a->type == b->type && g_strcmp0(a->path, b->path) == 0 &&
	       g_strcmp0(a->conninfo, b->conninfo) == 0 &&
	       g_strcmp0(a->pseudonym_key, b->pseudonym_key) == 0 && a->fixed_now == b->fixed_now;
}
