/* rounds.h - deciding an item a second time (`reprocess`); the room's own. */
#ifndef JOURNAL_ROUNDS_H
#define JOURNAL_ROUNDS_H

#include "journal/items.h"

/* Idempotency key of a delivery of the item of that name. Free with g_free. */
char *delivery_key(const char *item_name, const struct new_delivery *delivery);

/* In the transaction of a further decision: deliveries planned before keep their row (new ones of that key
 * get id 0); what is still due and no longer planned is cancelled; open tasks are closed as superseded, calls
 * stay. */
bool round_supersede(struct journal *journal, struct new_decision *decision, int64_t now, GError **error);

#endif
