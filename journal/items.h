/* items.h - the route phase: claim items, write decisions. */
#ifndef JOURNAL_ITEMS_H
#define JOURNAL_ITEMS_H

#include "core/finding.h"
#include "core/item.h"
#include "journal/journal.h"

#define ITEM_POISON_ATTEMPTS 3

struct item_claim {
	struct item *item; /* raw is NULL if larger than `max_raw` (read it in chunks, content.h) or gone */
	char *name;        /* public name */
	int64_t fence;
	int64_t size;
	int64_t duplicate_of; /* earlier item with equal content, or 0 */
	int attempts;         /* earlier claims that ended without a decision */
	bool poisoned; /* attempts reached ITEM_POISON_ATTEMPTS: do not touch the bytes, decide as doubt */
	bool received_in_future;
};
void item_claim_free(struct item_claim *claim);
AUTO_FREE(item_claim);

struct item_claim_options {
	unsigned max;      /* items */
	int64_t duration;  /* of the lease, µs */
	int64_t max_bytes; /* of raw in all; at least one item is given; 0 = 8 MiB */
	int64_t max_raw;   /* of one item's raw; 0 = 16 MiB */
};

/* Oldest first. An item that was claimed before without a decision comes alone, so that one that kills its
 * worker takes no other with it. GPtrArray of struct item_claim, empty if nothing is due. */
GPtrArray *journal_claim_items(
        struct journal *journal, const struct item_claim_options *options, GError **error);

/* Gives items back undecided: due again after `delay` µs. With `counts` the attempt counts towards poisoning.
 */
bool journal_release_items(
        struct journal *journal, const GPtrArray *claims, int64_t delay, bool counts, GError **error);

/* A delivery to be made. The idempotency key is "<item name>/<handler>[/<suffix>]", unique in the journal:
 * the same key is never planned twice. */
struct new_delivery {
	const char *handler; /* "eakte", "reply", "archive", "ticket", … */
	const char *suffix;  /* tells several deliveries of one handler apart, or NULL */
	json_t *params;      /* object, borrowed; may hold personal data, never logged */
	int64_t not_before;  /* 0: at once */
	bool at_most_once;   /* reply: committed as `sending` before the effect */
	/* For replies: at most one per (window_key, window_concern) in `window` µs; a further one is written
	 * as `suppressed`. window_key is a keyed hash (journal_pseudonym "sender"); NULL: no window. */
	const char *window_key, *window_concern;
	int64_t window;
	/* out */
	int64_t id;      /* 0: the key was there already */
	bool suppressed; /* by the window */
};

/* A task to be done by a person. */
struct new_task {
	const char *kind;
	const char *text;   /* for clerks; may hold personal data, never logged; or NULL */
	json_t *params;     /* object, borrowed, or NULL; never logged */
	int64_t not_before; /* shown from then on; 0: at once */
	bool post;          /* also as a delivery of handler "post" to the external ticket system */
	/* For kind "call": one call per (case_key, concern) in `window` µs. A further registration makes no
	 * task: it is linked to the first. case_key is a keyed hash of the Kundennummer, or NULL: the case is
	 * the item. */
	const char *case_key, *concern;
	int64_t window;
	/* out */
	int64_t id;             /* 0: linked */
	int64_t linked_to;      /* the task that stands for this one, or 0 */
	int64_t linked_to_item; /* and its item */
};

struct new_decision {
	int64_t item, fence; /* from the claim */
	/* Objects, borrowed. `decision` as `classify` prints it; `record` is what the log may hold of it (no
	 * personal data; the journal adds bundle, engine, ruleset, tasks and deliveries). */
	json_t *decision, *findings, *facts, *record;
	const char *engine, *ruleset;
	enum relevance relevance;
	const char *contact_code;
	const char *person; /* keyed hash of the Kundennummer, or NULL */
	struct new_delivery *deliveries;
	unsigned n_deliveries;
	struct new_task *tasks;
	unsigned n_tasks;
	/* out */
	bool lost; /* the lease was lost: nothing of this item was written */
};

/* ONE transaction for the whole batch. If `bundle` is no longer the active one: ERROR_AGAIN (WHEN_NOW),
 * nothing is written; load the active bundle and decide again. A late worker's items are marked `lost`, the
 * others go on. `now` is business time: windows. */
bool journal_commit_decisions(struct journal *journal, const char *bundle, struct new_decision *decisions,
        unsigned n, int64_t now, GError **error);

/* What is known of one item (explain, task show, log). NULL with ERROR_INPUT if there is none. */
struct item_view {
	struct item *item; /* raw is NULL; fields NULL once the content is gone */
	char *name;
	int64_t size, taken, decided, closed, content_deleted; /* times, 0: not (yet) */
	int64_t duplicate_of;
	bool received_in_future;
	char *state; /* "received", "decided" */
	/* of the decision in force; NULL before */
	json_t *decision, *findings, *facts;
	char *bundle, *engine, *ruleset, *contact_code;
};
struct item_view *journal_item(struct journal *journal, int64_t item, GError **error);
void item_view_free(struct item_view *view);
AUTO_FREE(item_view);

/* Numbers of decided items with a time of receipt in [from, to), by number, after `after`; at most `max`
 * (replay, export). GArray of int64_t. */
GArray *journal_decided_items(
        struct journal *journal, int64_t from, int64_t to, int64_t after, unsigned max, GError **error);

/* Sends a decided item through routing again (`reprocess`): its old decision stays as history; deliveries
 * whose key is there already are not made again. */
bool journal_reprocess(struct journal *journal, int64_t item, const char *reason, GError **error);

#endif
