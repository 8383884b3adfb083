/* log_note.h - checkpoints as C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) with
 * Ed25519.
 *
 *     posteingang.example/1f3a9c02       origin
 *     1234                               tree size
 *     qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=   root, base64
 *     time 1712527200000000              extension line of ours
 *
 *     — posteingang.example/1f3a9c02 Az3grl…   signature line: base64(key id ‖ signature)
 */
#ifndef JOURNAL_LOG_NOTE_H
#define JOURNAL_LOG_NOTE_H

#include "core/auto.h"
#include "journal/log_tree.h"

#include <glib.h>
#include <stdbool.h>

struct log_signer;   /* a private key and its name */
struct log_verifier; /* a public key and its name */

struct checkpoint {
	char *origin;
	uint64_t size;
	struct log_hash root;
	int64_t time; /* µs UTC, of the extension line; 0 if there is none */
};
void checkpoint_clear(struct checkpoint *checkpoint);

/* Makes a key for `name` (no space, no plus sign). */
struct log_signer *log_signer_generate(const char *name, GError **error);
/* "PRIVATE+KEY+<name>+<key id>+<base64(1 ‖ seed)>": the content of the key file. Wiped by the caller. */
char *log_signer_export(const struct log_signer *signer);
struct log_signer *log_signer_parse(const char *text, GError **error);
/* "<name>+<key id>+<base64(1 ‖ public key)>": what an auditor keeps. */
char *log_signer_verifier(const struct log_signer *signer);
const char *log_signer_name(const struct log_signer *signer);
void log_signer_free(struct log_signer *signer);
AUTO_FREE(log_signer);

struct log_verifier *log_verifier_parse(const char *text, GError **error);
const char *log_verifier_name(const struct log_verifier *verifier);
void log_verifier_free(struct log_verifier *verifier);
AUTO_FREE(log_verifier);

/* The signed text. Free with g_free. */
char *checkpoint_sign(const struct log_signer *signer, const struct checkpoint *checkpoint, GError **error);

/* Reads a note; does not check the signature. ERROR_INPUT. */
bool checkpoint_parse(const char *note, struct checkpoint *out, GError **error);

/* True if the note carries a valid signature of one of `verifiers` (n of them). ERROR_INPUT otherwise,
 * telling "unknown key" from "wrong signature". */
bool checkpoint_verify(const char *note, struct log_verifier *const *verifiers, unsigned n, GError **error);

#endif
