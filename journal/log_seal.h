/* log_seal.h - the sequencer: records get leaf numbers without gaps, the tree a signed checkpoint.
 *
 * Only a host that holds the signing key seals; one at a time (advisory lock), and without holding up
 * writers. On PostgreSQL only records of transactions older than the oldest one running are taken, in the
 * order (xid, id): a transaction that commits late can never appear behind a sealed position. On SQLite
 * commits are in id order.
 */
#ifndef JOURNAL_LOG_SEAL_H
#define JOURNAL_LOG_SEAL_H

#include "journal/journal.h"
#include "journal/log_note.h"
#include "journal/log_witness.h"

struct seal_options {
	const struct log_signer *signer;
	struct witness *witness; /* or NULL: only the journal keeps the checkpoint */
	unsigned batch;          /* records a transaction; 0 = 5000 */
};

struct seal_result {
	uint64_t size;   /* leaves sealed in all */
	uint64_t sealed; /* by this call */
};

/* Seals all that can be sealed. A journal behind its witness is not sealed (ERROR_CONFIG: run `restore`): it
 * would fork the log. ERROR_UNAVAILABLE if the witness does not answer; what was sealed stays and is sent
 * next time. */
bool journal_seal(struct journal *journal, const struct seal_options *options, struct seal_result *result,
        GError **error);

/* Origin of the checkpoints: "<key name>/<instance>/<epoch>"; free with g_free. */
char *journal_log_origin(struct journal *journal, const char *key_name, GError **error);

/* How the journal stands to its witness. */
enum witness_state {
	WITNESS_AGREES, /* equal, or the witness lacks only the newest checkpoints */
	WITNESS_EMPTY,  /* nothing there yet, or it cannot answer */
	WITNESS_AHEAD,  /* the journal is older than its witness: a restored backup */
	WITNESS_FORKED, /* the same size with another root, or not consistent: not the same log */
};
struct witness_check {
	enum witness_state state;
	struct checkpoint witness; /* its newest of this origin's epoch or later; origin NULL: none */
	uint64_t size;             /* sealed in the journal */
	struct log_hash root;      /* of it */
};
void witness_check_clear(struct witness_check *check);
bool journal_check_witness(struct journal *journal, struct witness *witness,
        struct log_verifier *const *verifiers, unsigned n, struct witness_check *out, GError **error);

#endif
