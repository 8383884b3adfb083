/* log_restore.h - a journal that came out of a backup: what the world has seen meanwhile, and accepting that.
 *
 * Until it is accepted, a journal behind its witness takes nothing in and decides nothing: its next item
 * numbers were given before, and keys would meet other people's documents. Accepting
 *   - gives the log a new epoch and signs the gap (record restore.accepted, then `seal`),
 *   - moves all numbers beyond those that can have been given,
 *   - remembers what far sides have: content that is taken in again gets the number it had, so that its keys
 *     find the documents that are there,
 *   - turns open calls into klaerung, and from then on every reply and call of an item received before the
 *     acceptance: nobody knows whether it was made.
 */
#ifndef JOURNAL_LOG_RESTORE_H
#define JOURNAL_LOG_RESTORE_H

#include "journal/journal.h"
#include "journal/log_seal.h"

/* The stretch of time that the journal does not know. */
struct journal_gap {
	int64_t until; /* database time of the last acceptance; 0: there was none */
	int64_t first; /* numbers of items, tasks and deliveries from here on were given after it */
};
bool journal_gap(struct journal *journal, struct journal_gap *out, GError **error);
/* Whether what follows from an item received then may have happened already. */
static inline bool gap_holds(const struct journal_gap *gap, int64_t received)
{
	return gap->until && received <= gap->until;
}

/* ---- what far sides have beyond the journal ---- */

struct restore_sent {
	const char *role; /* the sink, borrowed */
	char *key, *sha256;
	const char *why; /* "no_item", "no_delivery", "not_confirmed" */
};

struct restoring;
struct restoring *restoring_new(struct journal *journal);
/* One thing at the far side; keys of other journals are left out. */
bool restoring_add(
        struct restoring *restoring, const char *role, const char *key, const char *sha256, GError **error);
/* After the last one: all that the journal does not know to be sent. GPtrArray of struct restore_sent,
 * borrowed. */
const GPtrArray *restoring_sent(struct restoring *restoring, GError **error);
void restoring_free(struct restoring *restoring);
AUTO_FREE(restoring);

/* Time of the journal's newest record: the backup point. */
bool journal_backup_point(struct journal *journal, int64_t *time, GError **error);

struct restore_result {
	int64_t epoch, first, calls; /* new epoch; first new number; calls turned into klaerung */
};
/* `check` as journal_check_witness() gave it. ERROR_USAGE unless the journal is behind its witness or forked
 * from it. One transaction. Seal afterwards, and journal_reapply_erasures(). */
bool journal_restore_accept(struct journal *journal, const struct witness_check *check,
        struct restoring *restoring, struct restore_result *result, GError **error);

#endif
