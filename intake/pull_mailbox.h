/* pull_mailbox.h - one mailbox from lease to release; shared by pull.c and pull_mailbox.c only. */
#ifndef INTAKE_PULL_MAILBOX_H
#define INTAKE_PULL_MAILBOX_H

#include "intake/pull.h"
#include "journal/sources.h"

struct mailbox_run {
	const struct pull_options *options;
	struct journal *journal;
	const struct source *source;
	const char *mailbox;
	struct pull_report report;

	GMutex journal_lock; /* one journal handle, two threads while fetching ahead */
	struct mailbox_lease *lease;
	int64_t renew_at; /* g_get_monotonic_time() */
	struct connection *connection;
	json_t *connector_state; /* as committed; NULL at first */
	GPtrArray *unsettled;    /* of char *: keys in the journal, not yet settled at the source */
	bool dirty;              /* connector_state or unsettled differ from the lease's state */
	bool relisted;
	int64_t pending;
};

void mailbox_run_init(struct mailbox_run *run, const struct pull_options *options, struct journal *journal,
        const struct source *source, const char *mailbox);
void mailbox_run_clear(struct mailbox_run *run);

/* Lease, open (or go on with the open connection), all batches, settle, release. The connection stays open on
 * success, for mailbox_run_wait(). */
bool mailbox_run_round(struct mailbox_run *run, GError **error);

/* Until something may be new, `seconds` are over or stop; without a lease. */
void mailbox_run_wait(struct mailbox_run *run, int seconds);

/* Lease, ask, release. */
bool mailbox_run_oldest(struct mailbox_run *run, struct oldest *out, GError **error);

bool pull_is_stopped(const struct pull_options *options);
int64_t pull_now(const struct pull_options *options);

#endif
