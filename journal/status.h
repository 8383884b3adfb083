/* status.h - how the journal stands: open work per phase, and statistics. Cheap at any size of history. */
#ifndef JOURNAL_STATUS_H
#define JOURNAL_STATUS_H

#include "journal/journal.h"

#include <jansson.h>

struct journal_status {
	int64_t received, oldest_received; /* items not yet decided; time of receipt of the oldest, 0: none */
	int64_t due, oldest_due;           /* deliveries due at `now`; since when */
	int64_t deferred;                  /* deliveries for later */
	int64_t sending;                   /* at-most-once deliveries under way */
	int64_t tasks_open, oldest_task;
	int64_t poisoned;
	json_t *tasks;      /* open ones: {"<kind>":count} */
	json_t *deliveries; /* open ones: {"<handler>":count} */
	char *bundle;       /* active one, or NULL */
	int64_t now;        /* database time */
};
struct journal_status *journal_status(struct journal *journal, int64_t now, GError **error);
void journal_status_free(struct journal_status *status);
AUTO_FREE(journal_status);

/* Decided items by contact code for items received in [from, to): {"<code>":count}. New reference. */
json_t *journal_contact_codes(struct journal *journal, int64_t from, int64_t to, GError **error);

#endif
