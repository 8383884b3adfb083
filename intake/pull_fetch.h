/* pull_fetch.h - a thread that fetches ahead: the source works while the journal commits.
 *
 * The connection serves one call at a time. It belongs to this thread, which goes on by itself until a batch
 * is the last one, failed, or holds something to be streamed; or to the pull phase, after such a batch until
 * fetcher_go_on(), and between fetcher_hold() and fetcher_release().
 */
#ifndef INTAKE_PULL_FETCH_H
#define INTAKE_PULL_FETCH_H

#include "core/auto.h"
#include "intake/connector.h"

struct fetch {
	struct batch batch; /* contents of whole items are hashed */
	bool ok;            /* next() succeeded */
	bool large;         /* something is to be streamed */
	GError *failure;
};
void fetch_free(struct fetch *fetch);
AUTO_FREE(fetch);

struct fetcher;

/* The connection is borrowed; `stop` may be NULL: once raised, nothing new is fetched. */
struct fetcher *fetcher_new(
        const struct connector *connector, struct connection *connection, const volatile gint *stop);
/* Waits for the call in hand; what was fetched and not taken is dropped. */
void fetcher_free(struct fetcher *fetcher);
AUTO_FREE(fetcher);

/* What was fetched, in order: all that waits and fits into one commit. NULL at the end. */
struct fetch *fetcher_take(struct fetcher *fetcher);

/* After a batch that was to be streamed, if there is more. */
void fetcher_go_on(struct fetcher *fetcher);

void fetcher_hold(struct fetcher *fetcher);
void fetcher_release(struct fetcher *fetcher);

#endif
