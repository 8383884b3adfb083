/* route_plan.h - from a verdict to what is written: decision, deliveries, tasks, log record.
 *
 * Pure but for the keyed hashes of the journal. Private to the route phase.
 */
#ifndef CLASSIFIERS_ROUTE_PLAN_H
#define CLASSIFIERS_ROUTE_PLAN_H

#include "classifiers/route.h"

/* What is known of the item beside the verdict. All borrowed. */
struct plan_input {
	const struct pipeline *pipeline;
	struct journal *journal; /* for keyed hashes only */
	const struct item_claim *claim;
	const struct message *message;
	const struct verdict *verdict;
	int64_t asked;        /* when the facts were asked */
	bool facts_answered;  /* somebody knew the case */
	bool untouched;       /* decided without looking at the bytes */
	int64_t bounced_item; /* 0, or the item whose reply came back */
	int64_t bounced_delivery;
	bool post_tasks;
	bool hold_calls;
};

struct plan {
	struct new_decision decision; /* points into what follows */
	GArray *deliveries;           /* of struct new_delivery */
	GArray *tasks;                /* of struct new_task */
	GPtrArray *strings;           /* of char *: owned */
	GPtrArray *values;            /* of json_t: owned */
};

struct plan *plan_new(const struct plan_input *input);
void plan_free(struct plan *plan);
AUTO_FREE(plan);

#endif
