/* bundles.h - all configuration that decides, stored by hash; one is active. */
#ifndef JOURNAL_BUNDLES_H
#define JOURNAL_BUNDLES_H

#include "journal/journal.h"

/* Stores packed bytes under their hash (config/bundle.h makes both); a stored one stays as it is. */
bool journal_store_bundle(struct journal *journal, const char *hash, GBytes *packed, GError **error);
/* ERROR_INPUT if there is none. */
GBytes *journal_bundle(struct journal *journal, const char *hash, GError **error);

/* Makes a stored bundle the one all workers run. Waits for decisions that are being committed. */
bool journal_activate_bundle(struct journal *journal, const char *hash, GError **error);
/* Hash of the active bundle, free with g_free; ERROR_CONFIG if none was ever activated. */
char *journal_active_bundle(struct journal *journal, GError **error);

struct activation {
	char *hash, *actor;
	int64_t time;
};
/* Latest first. GPtrArray of struct activation. */
GPtrArray *journal_activations(struct journal *journal, unsigned max, GError **error);

#endif
