/* guard.h - RFC 3834 once more, at the moment of sending: may this mail be answered by a machine?
 *
 * Routing has decided it already; this is the second lock on the same door, and it looks at nothing but the
 * original header. It errs towards silence: a person reads the item anyway.
 */
#ifndef SINKS_GUARD_H
#define SINKS_GUARD_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a header that are looked at. */
#define MAIL_HEAD_MAX (256 * 1024)

struct mail_head; /* the fields of a header, unfolded */

/* Of the beginning of a mail. Never fails: what is no field is skipped. */
struct mail_head *mail_head_read(const void *data, size_t size);
void mail_head_free(struct mail_head *head);
AUTO_FREE(mail_head);
/* The first field of that name (any case), or NULL. Borrowed. */
const char *mail_head_get(const struct mail_head *head, const char *name);

/* Why there must be no automatic reply to `to`, as a short fixed word, or NULL. `own`: our own addresses (of
 * char *), empty: not looked at. `loop`: value of our loop marker. */
const char *guard_reply(const struct mail_head *head, const char *to, const GPtrArray *own);

/* The same for an address alone (no mail: eService). */
const char *guard_address(const char *to);

#endif
