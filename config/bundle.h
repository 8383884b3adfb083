/* bundle.h - all configuration that decides, as one content-addressed set of files.
 *
 *     catalogue.yaml switches.yaml contact_codes.yaml classifiers/ rulesets/ templates/
 *
 * Everything that decides is loaded from a bundle, never straight from disk: a worker gets the active bundle
 * from the journal, `classify` reads a folder. The hash is over the sorted list of (path, size, bytes), so it
 * is the same wherever the files lie. Training data and the deployment file are not part of it.
 */
#ifndef CONFIG_BUNDLE_H
#define CONFIG_BUNDLE_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>

#define BUNDLE_MAX_FILE (64 * 1024 * 1024)

struct bundle;

/* Reads the folder's bundle files. ERROR_CONFIG if it is no bundle (no catalogue.yaml). */
struct bundle *bundle_read(const char *folder, GError **error);
/* A file of the configuration, bundle or deployment: one that cannot be read is ERROR_CONFIG. */
GBytes *config_file_read(const char *path, size_t max, GError **error);
/* One byte string for the journal, and back (checks the hash inside). */
GBytes *bundle_pack(const struct bundle *bundle);
struct bundle *bundle_unpack(GBytes *packed, GError **error);
void bundle_free(struct bundle *bundle);
AUTO_FREE(bundle);

const char *bundle_hash(const struct bundle *bundle); /* 64 hex digits */
/* Name for error messages: the folder plus path, or "bundle <hash8>/path". Borrowed until the bundle goes. */
const char *bundle_file_name(const struct bundle *bundle, const char *path);
/* The file's bytes, borrowed, or NULL. */
GBytes *bundle_get(const struct bundle *bundle, const char *path);
/* Sorted paths that start with `prefix` and end with `suffix`; borrowed strings. Free with g_ptr_array_unref.
 */
GPtrArray *bundle_list(const struct bundle *bundle, const char *prefix, const char *suffix);

#endif
