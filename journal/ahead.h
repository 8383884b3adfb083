/* ahead.h - reads on in a thread of its own while the caller works on what was read before.
 *
 * While it runs, the database connection that `next` uses belongs to that thread.
 */
#ifndef JOURNAL_AHEAD_H
#define JOURNAL_AHEAD_H

#include "core/auto.h"

#include <glib.h>

struct ahead;

/* The next thing read; NULL at the end (no error) or on failure. */
typedef void *(*ahead_reader)(void *data, GError **error);

/* `free_thing` frees what is not fetched; at most `depth` things wait. */
struct ahead *ahead_start(ahead_reader next, void *data, GDestroyNotify free_thing, unsigned depth);
/* In order; the caller's. NULL at the end, or on failure with `error` set. */
void *ahead_next(struct ahead *ahead, GError **error);
/* Waits until the thread is done with the connection; takes NULL. */
void ahead_free(struct ahead *ahead);
AUTO_FREE(ahead);

#endif
