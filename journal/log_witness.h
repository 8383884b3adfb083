/* log_witness.h - where checkpoints go that the journal's own disk cannot take back.
 *
 * A witness is a file (best on another disk or host), standard output, or an HTTPS address. A file and an
 * address can be asked for the newest checkpoint, so that a restored journal is recognised; standard output
 * cannot. The erasure list lives beside it: what was erased stays erased after a backup is restored.
 *
 * File: one JSON object a line, {"note":"…"} or {"erased":"<keyed hash>","kind":"person"|"item","time":…},
 * append-only. Address: POST of such a line appends it, GET gives all lines.
 */
#ifndef JOURNAL_LOG_WITNESS_H
#define JOURNAL_LOG_WITNESS_H

#include "core/auto.h"
#include "core/json.h"

#include <glib.h>
#include <stdbool.h>

#define WITNESS_MAX (256 * 1024 * 1024) /* bytes read of a witness */

struct witness_settings {
	const char *place;   /* path, "-" or https://… */
	const char *ca_file; /* of the address, or NULL */
	const char *bearer;  /* of the address, or NULL */
};

struct witness;

/* No I/O. ERROR_CONFIG. */
struct witness *witness_new(const struct witness_settings *settings, GError **error);
void witness_free(struct witness *witness);
AUTO_FREE(witness);
bool witness_can_answer(const struct witness *witness);

/* Appends durably (file: one write, fsync). */
bool witness_add_note(struct witness *witness, const char *note, GError **error);
bool witness_add_erasure(
        struct witness *witness, const char *kind, const char *hash, int64_t time, GError **error);

/* What the witness holds; empty if it is new or cannot answer. Broken lines (a torn write at the end) are
 * skipped and counted. GPtrArray of char *, oldest first. */
GPtrArray *witness_notes(struct witness *witness, unsigned *broken, GError **error);
/* The same from the last 64 KiB of a file: enough for the newest checkpoint, at any age of the witness. */
GPtrArray *witness_newest_notes(struct witness *witness, unsigned *broken, GError **error);

struct erasure {
	char *kind, *hash;
	int64_t time;
};
GPtrArray *witness_erasures(struct witness *witness, GError **error);

#endif
