/* reply_token.h - the token by which a bounce finds the reply it is about.
 *
 * The token stands in the Message-ID of a reply (`<TOKEN@host>`) and in its envelope sender
 * (`bounce+TOKEN@host`, VERP). It is derived from the delivery's key alone, so it is the same on every
 * attempt and every machine: "r.<item name>.<16 hex digits of a keyed hash>". Nobody without the pseudonym
 * key can make one up.
 */
#ifndef JOURNAL_REPLY_TOKEN_H
#define JOURNAL_REPLY_TOKEN_H

#include "journal/journal.h"

/* Of the delivery key "<item name>/reply[/…]". Free with g_free. */
char *journal_reply_token(const struct journal *journal, const char *delivery_key);

/* Finds a token in a Message-ID or an address (either may be NULL) and the delivery it belongs to. False and
 * no error: it is not about a reply of ours. `item` is set on success, `delivery` too. */
bool journal_reply_of(struct journal *journal, const char *message_id, const char *address, int64_t *item,
        int64_t *delivery, GError **error);

#endif
