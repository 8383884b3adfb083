/* log_settings.h - the `seal:` section of the deployment file: key, witness, and whose signatures count. */
#ifndef JOURNAL_LOG_SETTINGS_H
#define JOURNAL_LOG_SETTINGS_H

#include "config/option.h"
#include "journal/log_note.h"
#include "journal/log_witness.h"

struct log_settings {
	char *signing_key;    /* PRIVATE+KEY+…; NULL: this host does not seal */
	GPtrArray *verifiers; /* of char *: public keys */
	char *verifiers_file; /* one a line, or NULL */
	char *witness;        /* path, "-" or https://…, or NULL */
	char *witness_ca_file, *witness_bearer;
	int64_t every; /* seconds between two seals of the daemon */
};

extern const struct option log_options[];

/* `map` may be NULL (no section): nothing is sealed here. */
void log_settings_read(const struct yaml_node *map, struct log_settings *out, struct diag *diag);
void log_settings_clear(struct log_settings *settings);

/* NULL without error if this host has no key. */
struct log_signer *log_settings_signer(const struct log_settings *settings, GError **error);
/* NULL without error if there is none. */
struct witness *log_settings_witness(const struct log_settings *settings, GError **error);
/* All public keys that count: the listed ones, those of the file, and our own. GPtrArray of struct
 * log_verifier. */
GPtrArray *log_settings_verifiers(const struct log_settings *settings, GError **error);
/* Public keys of a file, one a line; blank lines and lines with # are left out. */
bool log_verifiers_read(const char *path, GPtrArray *into, GError **error);

#endif
