/* installation.c - sections of the deployment file on demand. */
#include "cli/installation.h"

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { KEY_MIN = 16 };

static const char *const type_words[] = {"sqlite", "postgresql", NULL};

struct journal_settings {
	int type; /* index into type_words */
	char *path, *address, *password, *pseudonym_key;
	int64_t lock_wait, statement_limit;
};

#define FIELD(name) offsetof(struct journal_settings, name)

const struct option journal_section[] = {
        {.name = "type",
                .type = OPTION_ENUM,
                .words = type_words,
                .fallback = "sqlite",
                .offset = FIELD(type),
                .help = "The database: a file of this machine, or a PostgreSQL server that many machines "
                        "share."},
        {.name = "path",
                .type = OPTION_PATH,
                .fallback = "/var/lib/posteingang/journal.db",
                .offset = FIELD(path),
                .help = "sqlite: the file. It is created on the first run."},
        {.name = "address",
                .type = OPTION_STRING,
                .offset = FIELD(address),
                .help = "postgresql: libpq connection string or URI, without password. A server that is not "
                        "local must show a certificate for its name."},
        {.name = "password",
                .type = OPTION_SECRET,
                .offset = FIELD(password),
                .help = "postgresql: password of the database user."},
        {.name = "pseudonym_key",
                .type = OPTION_SECRET,
                .offset = FIELD(pseudonym_key),
                .help = "Key of the hashes under which persons appear in the log, at least 16 bytes; the "
                        "same "
                        "on all machines. sqlite: made once, beside the file, if it is not given."},
        {.name = "lock_wait",
                .type = OPTION_DURATION,
                .fallback = "10s",
                .min = 1,
                .max = 3600,
                .offset = FIELD(lock_wait),
                .help = "How long a statement waits for another worker's lock."},
        {.name = "statement_limit",
                .type = OPTION_DURATION,
                .fallback = "60s",
                .min = 1,
                .max = 86400,
                .offset = FIELD(statement_limit),
                .help = "postgresql: time limit of one statement."},
        OPTION_END,
};

struct installation {
	struct deployment *deployment;
	bool has_settings;
	struct journal_settings settings;
	struct journal_options options;
	struct facts_config *facts;
	struct sinks *sinks;
	GPtrArray *sources;
};

struct installation *installation_open(const struct invocation *invocation, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(deployment) deployment = deployment_load(invocation_config(invocation), diag, error);
	if (!deployment || !diag_ok(diag, error))
		return NULL;
	if (!deployment->file) {
		fail(error, ERROR_CONFIG,
		        "no deployment file: name one with --config or $POSTEINGANG_CONFIG, or put %s into "
		        "./config/ or /etc/posteingang/",
		        DEPLOYMENT_FILE);
		return NULL;
	}
	log_setup((enum log_level)deployment->log_level, (enum log_format)deployment->log_format);
	struct installation *installation = g_new0(struct installation, 1);
	installation->deployment = g_steal_pointer(&deployment);
	return installation;
}

void installation_free(struct installation *installation)
{
	if (!installation)
		return;
	options_clear(journal_section, &installation->settings);
	g_clear_pointer(&installation->options.pseudonym_key, g_bytes_unref);
	facts_config_free(installation->facts);
	sinks_free(installation->sinks);
	if (installation->sources)
		g_ptr_array_unref(installation->sources);
	deployment_free(installation->deployment);
	g_free(installation);
}

const struct deployment *installation_deployment(const struct installation *installation)
{
	return installation->deployment;
}

/* -- journal -- */

static void check_journal(
        const struct journal_settings *settings, const struct yaml_node *map, struct diag *diag)
{
	if (settings->type == DB_POSTGRES && !settings->address)
		yaml_error(diag, map, "postgresql needs an address");
	if (settings->type == DB_POSTGRES && !settings->pseudonym_key)
		yaml_error(diag, map, "postgresql needs a pseudonym_key_file, the same on all machines");
	if (settings->pseudonym_key && strlen(settings->pseudonym_key) < KEY_MIN)
		yaml_error(diag, map, "pseudonym_key: at least %d bytes expected", KEY_MIN);
}

static void read_journal(
        const struct deployment *deployment, struct journal_settings *settings, struct diag *diag)
{
	options_read(deployment->journal, journal_section, NULL, settings, diag);
	if (deployment->journal)
		check_journal(settings, deployment->journal, diag);
}

/* Writes the key under another name and links it: whoever is first makes it, and nobody sees half of it. */
static bool make_key(const char *path, GError **error)
{
	uint8_t random[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	random_bytes(random, sizeof random);
	hash_to_hex(random, hex);
	g_autofree char *temporary = g_strdup_printf("%s.%.16s", path, hex + 48);
	if (!file_write_durable(temporary, hex, strlen(hex), 0600, error))
		return false;
	bool made = link(temporary, path) == 0 || errno == EEXIST;
	if (!made)
		fail(error, ERROR_CONFIG, "cannot write %s: %s", path, g_strerror(errno));
	unlink(temporary);
	g_autofree char *folder = g_path_get_dirname(path);
	return made && folder_sync(folder, error);
}

static bool pseudonym_key(struct journal_settings *settings, GError **error)
{
	if (settings->pseudonym_key)
		return true;
	g_autofree char *path = g_strdup_printf("%s.key", settings->path);
	if (!g_file_test(path, G_FILE_TEST_EXISTS) && !make_key(path, error))
		return false;
	settings->pseudonym_key = secret_read(path, error);
	if (settings->pseudonym_key && strlen(settings->pseudonym_key) >= KEY_MIN)
		return true;
	if (settings->pseudonym_key)
		fail(error, ERROR_CONFIG, "%s: at least %d bytes expected", path, KEY_MIN);
	return false;
}

const struct journal_options *installation_journal_options(struct installation *installation, GError **error)
{
	struct journal_settings *settings = &installation->settings;
	struct journal_options *options = &installation->options;
	AUTO(diag) diag = diag_new();
	if (installation->has_settings)
		return options;
	options_clear(journal_section, settings);
	read_journal(installation->deployment, settings, diag);
	if (!diag_ok(diag, error) || !pseudonym_key(settings, error))
		return NULL;
	options->db = (struct db_options){
	        .dialect = settings->type == DB_POSTGRES ? DB_POSTGRES : DB_SQLITE,
	        .path = settings->path,
	        .conninfo = settings->address,
	        .password = settings->password,
	        .busy_ms = (int)(settings->lock_wait * 1000),
	        .statement_ms = (int)(settings->statement_limit * 1000),
	};
	options->pseudonym_key = g_bytes_new(settings->pseudonym_key, strlen(settings->pseudonym_key));
	options->migrate = options->db.dialect == DB_SQLITE;
	installation->has_settings = true;
	return options;
}

struct journal *installation_journal(struct installation *installation, GError **error)
{
	const struct journal_options *options = installation_journal_options(installation, error);
	return options ? journal_open(options, error) : NULL;
}

/* -- the other sections -- */

const struct facts_config *installation_facts(struct installation *installation, GError **error)
{
	AUTO(diag) diag = diag_new();
	if (!installation->facts)
		installation->facts = facts_config_load(installation->deployment->facts, diag);
	return diag_ok(diag, error) ? installation->facts : NULL;
}

const struct sinks *installation_sinks(struct installation *installation, GError **error)
{
	AUTO(diag) diag = diag_new();
	if (!installation->sinks)
		installation->sinks = sinks_load(installation->deployment->sinks, diag);
	return diag_ok(diag, error) ? installation->sinks : NULL;
}

const GPtrArray *installation_sources(struct installation *installation, GError **error)
{
	AUTO(diag) diag = diag_new();
	if (!installation->sources)
		installation->sources = sources_read(installation->deployment->sources, diag);
	return diag_ok(diag, error) ? installation->sources : NULL;
}

void installation_check(const struct deployment *deployment, struct diag *diag)
{
	struct journal_settings settings = {0};
	read_journal(deployment, &settings, diag);
	options_clear(journal_section, &settings);
	AUTO(facts_config) facts = facts_config_load(deployment->facts, diag);
	AUTO(sinks) sinks = sinks_load(deployment->sinks, diag);
	g_autoptr(GPtrArray) sources = sources_read(deployment->sources, diag);
}
