/* phases_internal.h - shared by phases.c (rounds) and phases_threads.c (the daemon). */
#ifndef CLI_PHASES_INTERNAL_H
#define CLI_PHASES_INTERNAL_H

#include "classifiers/route.h"
#include "cli/phases.h"
#include "intake/pull.h"
#include "sinks/deliver.h"

/* Wakes a waiting phase: something was put into its queue, or the end has come. */
struct bell {
	GMutex lock;
	GCond rung;
	uint64_t count;
};

struct phases {
	struct world *world;
	struct pipeline_active *active;
	gint stop;
	struct bell bells[PHASES]; /* [PHASE_ROUTE] is rung by pull, [PHASE_DELIVER] by route … */
	GMutex lock;               /* guards tally */
	struct tally tally;
	bool witness_agrees; /* asked and found so; guarded by lock */
	GPtrArray *threads;  /* of GThread */
};

void bell_ring(struct bell *bell);

struct pull_options phases_pull_options(struct phases *phases, const char *only_source);
struct route_options phases_route_options(struct phases *phases);

/* pull_options.on_taken: counts what arrives as it comes, for the progress line, and wakes the route phase.
 */
void phases_note_taken(void *context, const char *source, unsigned items);
/* Add to the tally; what was taken stands there already. */
void phases_count_pull(struct phases *phases, const struct pull_report *report);
void phases_count_route(struct phases *phases, const struct route_counts *counts);
void phases_count_deliver(struct phases *phases, const struct deliver_counts *counts);
void phases_count_sealed(struct phases *phases, int64_t sealed);
void phases_count_error(struct phases *phases, enum phase phase);

/* One thread's part of a round, on a journal handle of its own. `did` (may be NULL): something was done. */
bool phases_route_here(struct phases *phases, struct journal *journal, bool *did, GError **error);
bool phases_deliver_here(struct phases *phases, struct journal *journal, bool *did, GError **error);
bool phases_seal_here(struct phases *phases, struct journal *journal, bool *did, GError **error);

/* True while the journal is behind its witness, or the witness cannot be asked: no reply and no call may
 * leave (DESIGN.md section 6). Asks until the witness agrees once. */
bool phases_hold(struct phases *phases, struct journal *journal);
/* True while it is known to be behind: its next item numbers were given before, so nothing is taken in and
 * nothing decided (journal/log_restore.h). */
bool phases_behind(struct phases *phases, struct journal *journal);
/* The same for the pull phase, which has no journal handle of its own. */
bool phases_may_pull(struct phases *phases, bool *may, GError **error);

#endif
