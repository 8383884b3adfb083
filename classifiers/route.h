/* route.h - the route phase: what was taken in is decided, and the decision is written with all it entails.
 *
 *     claim → decode → findings → facts, frozen → rule set in force at receipt → commit
 *
 * Item state, decision, deliveries, tasks and log records are one transaction a batch. Safe to kill anywhere
 * and to run on any number of threads and machines. An item that cannot be read, classified or decided is
 * never dropped and never holds up its neighbours: it becomes doubt, `klaerung` and `eakte`.
 */
#ifndef CLASSIFIERS_ROUTE_H
#define CLASSIFIERS_ROUTE_H

#include "classifiers/pipeline.h"
#include "classifiers/pipeline_active.h"
#include "config/deployment.h"
#include "facts/provider.h"
#include "journal/items.h"
#include "journal/journal.h"

#define ROUTE_REPLY_WINDOW INSTANT_DAY        /* one reply per sender and concern (RFC 3834 section 2) */
#define ROUTE_CALL_WINDOW  (30 * INSTANT_DAY) /* one call per case and concern */
/* Of content larger than this only the beginning is decoded. A constant: routing depends on no deployment. */
#define ROUTE_MAX_RAW (8 * 1024 * 1024)

/* Key of the frozen facts: the item was decided without looking at its bytes, and is again. */
#define ROUTE_UNTOUCHED "untouched"

struct route_options {
	struct pipeline_active *active;   /* shared by all threads */
	const struct facts_config *facts; /* NULL: nothing is known */
	const struct limits *limits;      /* batch, lease */
	bool post_tasks;                  /* tasks also go to the external ticket system */
	bool hold_calls;                  /* restored journal: a call becomes klaerung */
	const volatile gint *stop;        /* raised: the batch in hand ends, then the round; may be NULL */
};

/* How a round went; zeroed by the caller, added to. */
struct route_counts {
	int64_t decided;  /* items */
	int64_t doubt;    /* of them in doubt */
	int64_t poisoned; /* of them: had ended their workers before */
	int64_t lost;     /* another worker has them */
	int64_t returned; /* given back undecided: cannot be committed now */
};

struct route; /* one thread's: journal handle, scratch, facts session */

/* Options and journal are borrowed. */
struct route *route_new(const struct route_options *options, struct journal *journal, GError **error);
void route_free(struct route *route);
AUTO_FREE(route);

/* Decides what is there until nothing is left, or stop. `now` is business time (windows). Errors of the
 * journal as db.h says: nothing is lost, the leases end by themselves. */
bool route_round(struct route *route, int64_t now, struct route_counts *counts, GError **error);
/* One batch; *n is how many items were claimed. */
bool route_batch(struct route *route, int64_t now, struct route_counts *counts, unsigned *n, GError **error);

/* -- shared with explain and replay -- */

/* Decodes an item (`raw` NULL if there is none; may be its beginning only). Never NULL: what cannot be read
 * is `undecodable`. Channel and time of receipt are the item's. */
struct message *route_message(const struct item *item, GBytes *raw);
/* The message of an item whose bytes are not looked at: undecodable. */
struct message *route_unread(const struct item *item);
/* Bytes of a stored item as routing sees them, *raw NULL if it has none. ERROR_INPUT if they are gone. */
bool route_content(struct journal *journal, int64_t item, int64_t size, GBytes **raw, GError **error);

#endif
