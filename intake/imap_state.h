/* imap_state.h - what must be remembered of a mailbox between two connections.
 *
 *     {"validity": UIDVALIDITY, "last": highest UID dealt with, "pending": [[uid, tries, last try], …]}
 *
 * Every UID ≤ last is in the journal, refused, vanished, or pending. A pending one is tried again at once,
 * then after 10 minutes, an hour, and daily; from the fourth time on it counts as refused.
 */
#ifndef INTAKE_IMAP_STATE_H
#define INTAKE_IMAP_STATE_H

#include "core/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define IMAP_TRIES_REFUSED 4

struct imap_pending {
	uint32_t uid;
	unsigned tries;
	int64_t last_try; /* s UTC */
};

struct imap_state {
	uint32_t validity, last;
	GArray *pending; /* of struct imap_pending, by UID */
};

/* Nonsense in `json` counts as absent. */
void imap_state_init(struct imap_state *state, const json_t *json);
void imap_state_clear(struct imap_state *state);
json_t *imap_state_json(const struct imap_state *state);

struct imap_pending *imap_state_find(const struct imap_state *state, uint32_t uid);
/* The entry of that UID, added if it is not there. */
struct imap_pending *imap_state_add(struct imap_state *state, uint32_t uid);
void imap_state_remove(struct imap_state *state, uint32_t uid);
/* Not fetched, once more. True if it has just become a refused one. */
bool imap_state_failed(struct imap_state *state, uint32_t uid, int64_t now);
/* Will not change soon (too large): refused at once. */
void imap_state_refuse(struct imap_state *state, uint32_t uid, int64_t now);
bool imap_pending_is_due(const struct imap_pending *pending, int64_t now);

#endif
