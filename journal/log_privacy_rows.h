/* log_privacy_rows.h - deleting the content of items inside a transaction; the room's own. */
#ifndef JOURNAL_LOG_PRIVACY_ROWS_H
#define JOURNAL_LOG_PRIVACY_ROWS_H

#include "journal/log_privacy.h"

/* No hold may appear between looking and deleting: whoever adds one or deletes takes this lock first. */
bool privacy_lock(struct journal *journal, GError **error);

struct doomed {
	int64_t item, size, closed;
	const char *why; /* a word of the log */
};
/* Content, salts, fields and words of these items, and a record for each. Items that are no longer closed are
 * left out: what is deleted stands in items[0…*n) afterwards. */
bool privacy_delete(struct journal *journal, struct doomed *items, unsigned *n, GError **error);

/* One batch of what the erasure list demands and can go now. */
bool privacy_erase_batch(struct journal *journal, unsigned max, unsigned *n, GError **error);

/* The last step of journal_expire(): evidence past its term (log_evidence.c). */
bool privacy_end_evidence(struct journal *journal, const struct expire_options *options,
        struct expire_result *result, GError **error);

/* Appended to a WHERE about item i. */
#define SQL_HELD                                                                                             \
	"EXISTS (SELECT 1 FROM hold h WHERE h.released IS NULL AND (h.item = i.id OR h.person = i.person))"

#endif
