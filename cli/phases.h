/* phases.h - the phases over one world: one round each for timers, or threads without end for the daemon.
 *
 * A `struct phases` lives from one deployment file to the next: SIGHUP and the end raise its stop flag, its
 * threads finish the batch in hand and are joined. All functions may be called from any thread.
 */
#ifndef CLI_PHASES_H
#define CLI_PHASES_H

#include "cli/world.h"

enum phase { PHASE_PULL, PHASE_ROUTE, PHASE_DELIVER, PHASE_SEAL, PHASES };
const char *phase_name(enum phase phase); /* "pull", … */

/* What this process has done since it started. */
struct tally {
	int64_t taken, duplicates, relinked, refused, vanished, unsettled, pending;
	int64_t mailboxes, mailboxes_failed, mailboxes_busy;
	int64_t decided, doubt, poisoned;
	int64_t confirmed, retried, failed, uncertain, cancelled, suppressed, returned;
	int64_t sealed;
	int64_t errors[PHASES]; /* rounds that ended with a failure */
};

struct phases;

/* The world is borrowed. `base` (may be NULL): counting goes on from there. */
struct phases *phases_new(struct world *world, const struct tally *base);
void phases_free(struct phases *phases); /* joins threads that still run */
AUTO_FREE(phases);

/* Raises the stop flag; returns at once. */
void phases_stop(struct phases *phases);
bool phases_stopped(const struct phases *phases);

/* One round of one phase, with as many threads as the deployment says. Failures of single sources and sinks
 * are logged where they happen; the gravest comes back as *error, after everything else was served. */
bool phases_round(struct phases *phases, enum phase phase, const char *only_source, GError **error);

/* Starts the threads of all phases; they run until phases_stop(). */
void phases_start(struct phases *phases);
void phases_join(struct phases *phases);

void phases_tally(struct phases *phases, struct tally *out);

/* Which of two failures says more about what an administrator has to do. Either may be NULL. */
bool phases_is_graver(const GError *error, const GError *than);

#endif
