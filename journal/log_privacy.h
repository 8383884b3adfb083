/* log_privacy.h - content goes when its time is over, when a person asks for it (Art. 17 GDPR), and not while
 * a legal hold stands. Log and evidence without content stay their own, longer term; the log stays
 * verifiable.
 *
 * Deleting the content of an item deletes its original bytes, the source's fields, the salt of its
 * commitment, what deliveries and tasks say in words, and leaves one record. An item with anything open is
 * never touched. Order of precedence: hold, erasure, term.
 */
#ifndef JOURNAL_LOG_PRIVACY_H
#define JOURNAL_LOG_PRIVACY_H

#include "config/retention.h"
#include "journal/journal.h"
#include "journal/log_witness.h"

struct expire_options {
	const struct retention *terms;
	int64_t now;    /* business time */
	bool dry_run;   /* count and tell, change nothing */
	unsigned batch; /* items a transaction; 0 = 100 */
	/* Told of each item; `why` is "content", "klaerung", "automatic" or "erased". May be NULL. */
	void (*each)(void *data, const char *item, const char *why, int64_t closed, int64_t size);
	void *data;
	const volatile gint *stop; /* raised: ends after the batch in hand; may be NULL */
};

struct expire_result {
	int64_t items, bytes; /* deleted, or to be deleted */
	int64_t held;         /* their time is over, a hold keeps them */
	int64_t ended;        /* items whose evidence was past its term and went, with their records */
	int64_t evidence; /* past its term and still there: held, not under a checkpoint of that age, or this
	                     database user may delete no record (only the owner may) */
};

/* In bounded batches, each its own transaction. */
bool journal_expire(struct journal *journal, const struct expire_options *options,
        struct expire_result *result, GError **error);

/* SQLite: takes freed pages out of the file and empties the write-ahead log, so that deleted bytes are gone
 * from the disk's files. *clean is false if a reader holds them up: call again. PostgreSQL: true; its
 * (auto)vacuum does this. */
bool journal_scrub(struct journal *journal, bool *clean, GError **error);

/* ---- holds ---- */

struct hold {
	int64_t id, item; /* item 0: of a person */
	char *item_name, *person, *reason, *actor;
	int64_t created, released; /* 0: stands */
};
/* Of an item, or (item 0) of a person's keyed hash. `reason` is never logged. */
bool journal_hold_add(struct journal *journal, int64_t item, const char *person, const char *reason,
        int64_t *id, GError **error);
/* ERROR_INPUT if no hold of that number stands. */
bool journal_hold_release(struct journal *journal, int64_t id, GError **error);
/* All that stand, or all. GPtrArray of struct hold. */
GPtrArray *journal_holds(struct journal *journal, bool released_too, GError **error);

/* ---- persons: always by keyed hash (journal_pseudonym "kundennummer") ---- */

/* Items of a person, by number. GArray of int64_t. */
GArray *journal_person_items(struct journal *journal, const char *person, GError **error);
/* The record of an export (Art. 15). */
bool journal_person_exported(struct journal *journal, const char *person, int64_t items, GError **error);

struct erase_result {
	int64_t erased; /* items whose content went now */
	int64_t open;   /* left: something is still to be done; `expire` erases them when it is done */
	int64_t held;   /* left: a hold stands */
	int64_t facts;  /* imported facts that went */
};
/* Art. 17. The witness hears of it first, so that a restored backup cannot bring the content back; NULL: only
 * the journal remembers. */
bool journal_person_erase(struct journal *journal, const char *person, struct witness *witness,
        struct erase_result *result, GError **error);
/* What the witness remembers and this journal does not: put on the journal's list and carried out. */
bool journal_reapply_erasures(
        struct journal *journal, struct witness *witness, struct erase_result *result, GError **error);

#endif
