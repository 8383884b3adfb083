/* log_balance.h - does everything that came in add up?
 *
 * Four balances over items taken in on the days from…to (Berlin), and each difference by name:
 *   sources   every key seen at a source is an item, known content under a new key, refused with its reason,
 *             vanished, or still there; the day's counters are those of the rows
 *   payment   an item that is or may be payment-relevant is in the eAkte by receipt, on its way, or explained
 *             by a task of a person
 *   eAkte     (with a far side that can be listed) each receipt has its document with the same bytes, and
 *             each document of this journal its receipt
 *   effects   replies only for absence and relocation, at most one call attempt a task and a case
 */
#ifndef JOURNAL_LOG_BALANCE_H
#define JOURNAL_LOG_BALANCE_H

#include "journal/journal.h"

/* Closed list of words in `kind`. */
#define BALANCE_COUNTERS "counters"   /* a day's counters are not those of its rows */
#define BALANCE_SOURCE   "source"     /* seen, but neither item nor refused, vanished, still there */
#define BALANCE_EAKTE    "no_eakte"   /* payment-relevant, and no delivery to the eAkte */
#define BALANCE_RECEIPT  "no_receipt" /* confirmed without receipt, or ended and nobody told */
#define BALANCE_MISSING  "missing"    /* receipt, but no document at the far side */
#define BALANCE_ORPHAN   "orphan"     /* document of this journal without its receipt */
#define BALANCE_DIFFERS  "differs"    /* document with other bytes than were received */
#define BALANCE_TWICE    "twice"      /* two documents of one key, two calls of one case */
#define BALANCE_REPLY    "reply"      /* a reply to something else than absence or relocation */

struct balance_difference {
	const char *kind;
	char *place, *text;
};

/* One (source, mailbox) over the period; `still` over all time: what is seen and not yet accounted for. */
struct balance_source {
	char *source, *mailbox;
	int32_t day; /* DAY_NONE: the sum over all time */
	int64_t seen, taken, relinked, refused, vanished, still;
};

struct balance_report {
	GPtrArray *differences; /* of struct balance_difference */
	bool more;              /* the list was cut */
	GPtrArray *sources;     /* of struct balance_source, days first, then the sum of each mailbox */
	int64_t items, undecided;
	int64_t relevant;                  /* yes or unknown */
	int64_t receipts, open, explained; /* of them */
	int64_t replies, calls;
	int64_t documents, foreign; /* at the far side; of other journals */
};
void balance_report_free(struct balance_report *report);
AUTO_FREE(balance_report);

struct balance_options {
	int32_t from, to;         /* days of taking in, inclusive; DAY_NONE: no bound */
	unsigned max_differences; /* 0 = 10000 */
};

/* Reads one moment of the journal. NULL only if it cannot be read. */
struct balance_report *journal_balance(
        struct journal *journal, const struct balance_options *options, GError **error);

/* The far side, document by document: begin, add each, end. Only receipts and documents of items taken in on
 * the report's days count, for both directions; documents of items that are not there always do. */
struct balance_far;
struct balance_far *balance_far_new(
        struct journal *journal, const struct balance_options *options, struct balance_report *report);
/* `key`: idempotency key or, if unreadable, the document's name. False: the journal failed. */
bool balance_far_add(
        struct balance_far *far, const char *key, const char *sha256, int64_t size, GError **error);
bool balance_far_end(struct balance_far *far, GError **error);
void balance_far_free(struct balance_far *far);
AUTO_FREE(balance_far);

#endif
