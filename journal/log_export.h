/* log_export.h - the log as a folder that anybody can check offline (docs/log-format.md).
 *
 *     manifest.json      format, instance, size, root, times
 *     records.jsonl      record n on line n + 1: the very bytes that were sealed; {"leaf":"base64"} once
 *                        its term was over
 *     checkpoints.jsonl  {"note":"…"} a line, ascending
 *     proofs.jsonl       {"from":…,"to":…,"proof":["base64",…]}: each checkpoint is part of the newest
 *     keys.txt           public keys (a stranger should have them from elsewhere)
 *     bundles/HASH       every bundle that decided, packed (config/bundle.h)
 */
#ifndef JOURNAL_LOG_EXPORT_H
#define JOURNAL_LOG_EXPORT_H

#include "journal/journal.h"
#include "journal/log_verify.h"

#define LOG_EXPORT_FORMAT 1

struct log_export_options {
	const char *folder;    /* is made; must be empty or not there */
	const GPtrArray *keys; /* of char *: public keys for keys.txt, or NULL */
};

/* Writes everything up to the newest checkpoint. `leaves` (may be NULL): how many records. */
bool journal_export_log(
        struct journal *journal, const struct log_export_options *options, uint64_t *leaves, GError **error);

/* Checks such a folder without a journal: hashes, root, signatures, proofs, and `kept` as in log_verify.h.
 * NULL only if it cannot be read; verifiers as there. */
struct verify_report *log_verify_export(
        const char *folder, const struct verify_options *options, GError **error);

#endif
