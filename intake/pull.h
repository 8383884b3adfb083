/* pull.h - phase 1: connector → journal → settle (DESIGN.md section 1).
 *
 * Each mailbox is leased alone. A batch is one journal transaction: items, refusals, counters and the
 * mailbox's new state. Only then the source is told; what could not be settled stands in the state and is
 * settled first next time. Safe to kill at any instruction, and to run on any number of machines at once.
 */
#ifndef INTAKE_PULL_H
#define INTAKE_PULL_H

#include "config/deployment.h"
#include "intake/sources.h"
#include "journal/journal.h"

struct pull_options {
	const GPtrArray *sources; /* of struct source; borrowed for the whole run */
	const char *only;         /* name of the one source to serve, or NULL */
	const struct limits *limits;
	const struct journal_options *journal; /* each thread opens its own */
	unsigned threads;                      /* mailboxes served at once; 0 = 4 */
	const volatile gint *stop;             /* raised by SIGTERM: the batch in hand is finished */
	int64_t (*now)(void);                  /* NULL = instant_now */
	/* Called after each batch that brought items, from the thread that took them (wakes the route phase);
	 * may be NULL. */
	void (*on_taken)(void *context, const char *source, unsigned items);
	void *on_taken_context;
};

struct pull_report {
	unsigned mailboxes; /* served to the end */
	unsigned failed;    /* not, or not wholly, served */
	unsigned busy;      /* leased by another worker: nothing to do */
	int64_t seen, taken, duplicates, relinked, refused, vanished;
	int64_t unsettled; /* still to be settled at the source */
	int64_t pending;   /* remembered because they could not be fetched */
};

/* One round over all mailboxes. False: the journal failed, or at least one source or mailbox did (the others
 * were served): *error is the gravest failure, the report says what was done either way. Failures of single
 * mailboxes are logged and noted in the journal here. */
bool pull_once(const struct pull_options *options, struct pull_report *report, GError **error);

/* Rounds until the stop flag: waits by IDLE where the source can, else `poll` seconds. Sources that fail are
 * tried again with growing distance, up to 16 × poll. False only if it could not start. */
bool pull_forever(const struct pull_options *options, GError **error);

/* Asks a source what waits, with the mailbox's state from the journal. ERROR_AGAIN if another worker holds
 * the mailbox: then the journal's last word (journal_sources()) is the best there is. */
bool pull_oldest(const struct pull_options *options, struct journal *journal, const struct source *source,
        const char *mailbox, struct oldest *out, GError **error);

#endif
