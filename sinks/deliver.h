/* deliver.h - the deliver phase: what is due goes out, once, and the journal learns what became of it.
 *
 * claim → (at-most-once: `sending` is committed first) → effect → results in one transaction a batch. Safe to
 * kill anywhere and to run on any number of threads and machines. A sink that is down stops only itself.
 */
#ifndef SINKS_DELIVER_H
#define SINKS_DELIVER_H

#include "config/deployment.h"
#include "config/template.h"
#include "facts/provider.h"
#include "sinks/sink.h"

struct deliver_options {
	const struct sinks *sinks;
	const struct templates *templates; /* of the active bundle */
	struct facts_source *facts;        /* NULL: nothing is known */
	const struct limits *limits;
	/* The journal is behind its witness (restored): no reply and no call leaves; they become
	 * reply_uncertain and klaerung. Everything else goes on. */
	bool hold_effects;
	const volatile gint *stop; /* raised: the batch in hand ends, then the round; may be NULL */
};

/* How a round went; zeroed by the caller, added to. */
struct deliver_counts {
	int64_t confirmed, retried, failed, uncertain, cancelled, suppressed;
	int64_t returned;    /* given back untried: sink down or stop */
	int64_t lost;        /* another worker has them */
	unsigned sinks_down; /* bits 1 << enum sink_role */
};

struct deliver; /* sessions and scratch of one thread */

/* Options are borrowed. Opens nothing yet. */
struct deliver *deliver_new(const struct deliver_options *options);
void deliver_free(struct deliver *deliver);
AUTO_FREE(deliver);

/* One round: everything that is due at `now` (business time), until nothing is left that can go out, or stop.
 * ERROR_UNAVAILABLE if a sink was down (others were served; after everything else is done); errors of the
 * journal as db.h says, at once. */
bool deliver_round(struct deliver *deliver, struct journal *journal, int64_t now,
        struct deliver_counts *counts, GError **error);

/* Wait before attempt n + 1 after n failed ones (n ≥ 1), µs: doubling from retry_first, at most retry_most,
 * with a jitter of −25 % … +25 % taken from `random`. Never below 0. */
int64_t deliver_backoff(const struct limits *limits, int attempts, uint32_t random);

#endif
