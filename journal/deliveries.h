/* deliveries.h - the deliver phase: claim what is due, say how it ended. */
#ifndef JOURNAL_DELIVERIES_H
#define JOURNAL_DELIVERIES_H

#include "core/item.h"
#include "journal/items.h"
#include "journal/journal.h"

struct delivery {
	int64_t id, fence;
	char *handler;
	char *key; /* idempotency key */
	json_t *params;
	int64_t created, not_before;
	int attempts; /* earlier ones */
	bool at_most_once;
	int64_t task;      /* the task to post outside, or 0 */
	char *item_name;   /* NULL if it belongs to no item */
	struct item *item; /* raw NULL: read it with content.h; NULL if it belongs to no item */
	int64_t item_size;
	json_t *facts; /* as frozen with the decision */
	GBytes *salt;  /* of its item's commitments, or NULL */
};
void delivery_free(struct delivery *delivery);
AUTO_FREE(delivery);

struct delivery_claim_options {
	unsigned max;
	int64_t duration;            /* of the lease, µs */
	int64_t now;                 /* business time: what is due */
	const char *const *handlers; /* NULL-terminated; NULL: all */
};

/* Oldest due first. Also turns deliveries that a crashed worker left in `sending` into `uncertain`, with a
 * task reply_uncertain. GPtrArray of struct delivery. */
GPtrArray *journal_claim_deliveries(
        struct journal *journal, const struct delivery_claim_options *options, GError **error);

/* At-most-once handlers: commits `sending` BEFORE the effect. lost[i]: not ours any more, do not send. */
bool journal_mark_sending(
        struct journal *journal, struct delivery *const *deliveries, unsigned n, bool *lost, GError **error);

/* Longer work: renews the lease. ERROR_LOST_LEASE. */
bool journal_renew_delivery(
        struct journal *journal, const struct delivery *delivery, int64_t duration, GError **error);

enum delivery_outcome {
	DELIVERY_CONFIRMED,  /* receipt is what the far side gave */
	DELIVERY_RETRY,      /* again at `retry_at`; attempts + 1 */
	DELIVERY_FAILED,     /* for good: a task dead_letter is opened unless `tasks` brings another */
	DELIVERY_UNCERTAIN,  /* at-most-once and not known: a task reply_uncertain, likewise */
	DELIVERY_CANCELLED,  /* no longer wanted (found processed when due) */
	DELIVERY_SUPPRESSED, /* barred (window, restored journal) */
	DELIVERY_RETURNED, /* not tried: give it back, due at `retry_at` (0: as before); counts no attempt */
};

struct delivery_result {
	const struct delivery *delivery;
	enum delivery_outcome outcome;
	/* Object or NULL, borrowed; stored and logged: no personal data. Of a hash of content ("sha256") the
	 * commitment is kept, of the source's own key ("id") its keyed hash. */
	json_t *receipt;
	const char *reason; /* short, no personal data; or NULL */
	int64_t retry_at;
	struct new_task *tasks; /* opened in the same transaction (a ticket that became due, …) */
	unsigned n_tasks;
	bool lost; /* out: a late worker; nothing was written for it */
};

/* All results, their records and tasks in ONE transaction. */
bool journal_delivery_results(
        struct journal *journal, struct delivery_result *results, unsigned n, int64_t now, GError **error);

/* Deliveries of an item, in order (explain, balance). GPtrArray of struct delivery_view. */
struct delivery_view {
	int64_t id;
	char *handler, *key, *state; /* due, sending, confirmed, failed, uncertain, cancelled, suppressed */
	char *reason;
	json_t *receipt, *params;
	int64_t not_before, changed;
	int attempts;
};
GPtrArray *journal_item_deliveries(struct journal *journal, int64_t item, GError **error);

#endif
