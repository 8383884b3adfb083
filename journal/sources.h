/* sources.h - the pull phase: leases on mailboxes, their state, and taking items in.
 *
 * The state of a (source, mailbox) is a JSON object that only the connector reads (UIDVALIDITY, last UID,
 * pending, unsettled …). It is written in the transaction that takes the items in, never apart from them.
 */
#ifndef JOURNAL_SOURCES_H
#define JOURNAL_SOURCES_H

#include "core/item.h"
#include "journal/content.h"
#include "journal/journal.h"

/* A lease on one (source, mailbox), held by this worker. */
struct mailbox_lease {
	int64_t mailbox; /* number in the journal */
	int64_t fence;   /* token: grows with each claim; whoever holds an older one writes no more */
	char *source, *name;
	json_t *state;       /* as last written; {} at first */
	int64_t now;         /* database time of the claim */
	int64_t last_relist; /* when all ids were last compared (set by intake_batch.relisted); 0 = never */
};

/* Claims for `duration` µs. ERROR_AGAIN (SCOPE_MAILBOX) if another worker holds it. */
struct mailbox_lease *journal_lease_mailbox(
        struct journal *journal, const char *source, const char *mailbox, int64_t duration, GError **error);
/* ERROR_LOST_LEASE if somebody else has claimed it meanwhile. */
bool journal_renew_mailbox(
        struct journal *journal, struct mailbox_lease *lease, int64_t duration, GError **error);
/* Gives it back; a lost lease is no error. */
bool journal_release_mailbox(struct journal *journal, struct mailbox_lease *lease, GError **error);
void mailbox_lease_free(struct mailbox_lease *lease);
AUTO_FREE(mailbox_lease);

enum intake_result {
	INTAKE_NEW,
	INTAKE_DUPLICATE, /* new item; the same content is there under another key: linked to it */
	INTAKE_RELINKED,  /* no new item: known content of this mailbox under a new generation of keys */
	INTAKE_KNOWN,     /* no new item: this key is there already */
};

struct intake_entry {
	/* in */
	struct item *item; /* id 0; source and mailbox are the lease's; raw unless `content`; borrowed */
	struct content
	        *content; /* or: what was streamed (finished); borrowed; is dropped if no item came of it */
	const char *generation;  /* UIDVALIDITY as text; NULL: keys never change generation. Known content
	                            of another generation of the same mailbox is re-linked */
	bool received_in_future; /* frozen into the item */
	/* out, valid on success */
	enum intake_result result;
	int64_t id;           /* the item; for KNOWN and RELINKED the known one */
	int64_t duplicate_of; /* 0: none */
};

enum gap_kind { GAP_REFUSED, GAP_VANISHED };
/* A key that was seen at the source and does not become an item: refused (too large, cannot be fetched: it
 * stays at the source, a standing task says so, closed by itself if it is taken in later) or vanished there.
 */
struct intake_gap {
	enum gap_kind kind;
	const char *key;
	const char *reason; /* short fixed word: "too_large", "unfetchable", … */
	int64_t size;       /* if known, else 0 */
};

struct intake_batch {
	struct intake_entry *entries; /* up to INTAKE_BATCH_MAX */
	unsigned n_entries;
	const struct intake_gap *gaps;
	unsigned n_gaps;
	const json_t *state;    /* new state of the mailbox; NULL keeps it; borrowed */
	int64_t seen;           /* ids listed at the source for the first time with this batch (balance) */
	bool relisted;          /* all ids of the source were compared in this run */
	int64_t oldest_waiting; /* time of the oldest message not yet taken in; 0: none, -1: not known */
	int64_t waiting;        /* how many are still there and not taken in; -1: not known */
};

#define INTAKE_BATCH_MAX 500

/* Takes the batch in: items, contents, `received` records, gaps, counters and state in ONE transaction, if
 * the lease is still ours (else ERROR_LOST_LEASE, nothing written). Business day of the counters is that of
 * the database's time in Berlin. */
bool journal_take_in(struct journal *journal, const struct mailbox_lease *lease, struct intake_batch *batch,
        GError **error);

/* Which of these keys are known (items, re-linked keys, gaps not cleared): known[i] is set for each. */
bool journal_known_keys(struct journal *journal, const struct mailbox_lease *lease, const char *const *keys,
        unsigned n, bool *known, GError **error);

/* How a run ended, for `status`: success, or failure with the error's class (no personal data). Needs no
 * lease. */
bool journal_note_run(struct journal *journal, const char *source, const char *mailbox, const GError *failure,
        GError **error);

struct source_status {
	char *source, *mailbox;
	int64_t last_success, last_failure; /* 0: never */
	char *failure;                      /* class of the last failure, or NULL */
	int64_t oldest_waiting, waiting;    /* as last told by take_in */
	int64_t gaps;                       /* refused and still not taken in */
	int64_t unsettled;                  /* in the journal, but the source has not been told */
	int64_t leased_until;               /* 0: free */
	char *worker;                       /* who holds it, or NULL */
};
/* All mailboxes ever leased. GPtrArray of struct source_status, sorted. */
GPtrArray *journal_sources(struct journal *journal, GError **error);

struct source_day {
	char *source, *mailbox;
	int32_t day;
	int64_t seen, taken, refused, vanished;
};
/* The counters of the days from…to (inclusive). GPtrArray of struct source_day, sorted. */
GPtrArray *journal_source_days(struct journal *journal, int32_t from, int32_t to, GError **error);

#endif
