/* settings.h - the `journal:` section of the deployment file.
 *
 * The embedded default needs nothing but a path: its pseudonym key is made at the first run, mode 0600,
 * beside the database. PostgreSQL needs the key from the administrator, the same for all workers.
 */
#ifndef JOURNAL_SETTINGS_H
#define JOURNAL_SETTINGS_H

#include "config/option.h"
#include "journal/journal.h"

struct journal_settings {
	int type; /* enum db_dialect */
	char *path;
	char *conninfo;
	char *password;
	char *pseudonym_key; /* as text, or NULL: the file beside the database */
	char *business_now;  /* as written, or NULL */
	int64_t fixed_now;   /* from business_now; 0: the clock */
	int64_t busy;        /* seconds */
	int64_t time_limit;  /* seconds */
};

extern const struct option journal_settings_options[];

/* Fills `out` (zeroed); `map` may be NULL: the embedded default. Mistakes go to diag. No I/O but for secrets.
 */
void journal_settings_read(const struct yaml_node *map, struct journal_settings *out, struct diag *diag);
void journal_settings_clear(struct journal_settings *settings);

/* The embedded default: makes folder and key if neither key nor database is there yet. Does nothing for
 * PostgreSQL. Safe beside others that do the same. */
bool journal_settings_prepare(const struct journal_settings *settings, GError **error);

/* The embedded default: is there a database? Else ERROR_CONFIG, which says how it is made. */
bool journal_settings_exists(const struct journal_settings *settings, GError **error);

/* What journal_open() takes; strings are borrowed from the settings. The key file is read here:
 * ERROR_CONFIG if there is none. *options is to be cleared with journal_options_clear(). */
bool journal_settings_options_of(
        const struct journal_settings *settings, struct journal_options *options, GError **error);
void journal_options_clear(struct journal_options *options);

/* True if both lead to the same journal in the same way. */
bool journal_settings_equal(const struct journal_settings *a, const struct journal_settings *b);

#endif
