/* record.h - one event is one log record: canonical JSON, without personal data, written with its cause.
 *
 *     {"actor":…,"detail":{…},"event":"decided","item":"1f3a…-17","time":1712527200000000,"v":1}
 *
 * The bytes stored are the bytes hashed; they carry no position. Leaf numbers are given later by one
 * sequencer (log_*.c): on PostgreSQL it takes rows in the order (xid, id) and only those whose xid is below
 * pg_snapshot_xmin(pg_current_snapshot()), so a transaction that commits late is never behind a sealed
 * position; on SQLite there is one writer, xid is 0 and id order is commit order.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "journal/journal.h"

#include <jansson.h>

#define RECORD_VERSION 1

/* Closed list; the names are those of docs/log-format.md. */
enum record_event {
	RECORD_RECEIVED,
	RECORD_RELINKED,
	RECORD_REFUSED,
	RECORD_VANISHED,
	RECORD_DECIDED,
	RECORD_REPROCESSED,
	RECORD_OVERRIDDEN,
	RECORD_CONTACT_CODE,
	RECORD_DELIVERY_SENDING,
	RECORD_DELIVERY_CONFIRMED,
	RECORD_DELIVERY_RETRY,
	RECORD_DELIVERY_FAILED,
	RECORD_DELIVERY_UNCERTAIN,
	RECORD_DELIVERY_SUPPRESSED,
	RECORD_DELIVERY_CANCELLED,
	RECORD_TASK_OPENED,
	RECORD_TASK_ATTEMPTED,
	RECORD_TASK_CLOSED,
	RECORD_CONTENT_DELETED,
	RECORD_PERSON_EXPORTED,
	RECORD_PERSON_ERASED,
	RECORD_HOLD,
	RECORD_BUNDLE_ACTIVATED,
	RECORD_FACTS_IMPORTED,
	RECORD_LOG_READ,
	RECORD_RESTORE_ACCEPTED,
	RECORD_EVIDENCE_DELETED,
	RECORD_MIGRATED,
	RECORD_EVENTS /* their number */
};
const char *record_event_name(enum record_event event); /* "received", "delivery.confirmed", … */

struct record {
	enum record_event event;
	int64_t item;   /* 0: none */
	json_t *detail; /* object, or NULL for {}; borrowed; integers, strings, true, false, null only */
};

/* The bytes of a record. */
GBytes *record_bytes(const struct journal *journal, const struct record *record, int64_t time);

/* Writes records in the transaction that is open; time is the database's. */
bool record_write(struct journal *journal, const struct record *records, unsigned n, GError **error);

/* A commitment that hides its value: SHA-256(salt ‖ sha256), hex. The salt goes with the content. */
void record_commitment(const void *salt, size_t salt_size, const char *sha256, char out[HASH_HEX_SIZE]);
/* The same of the SHA-256 of a text; *out is empty without salt or text. */
void record_text_commitment(GBytes *salt, const char *text, char out[HASH_HEX_SIZE]);

/* What a decision has planned, in words that are not logged: one piece a delivery (its key and parameters) or
 * task (its number, text and parameters), in the order of the record. The record holds the commitment of the
 * whole. */
void record_add_work(GString *work, const char *name, const char *text, const char *params);

#endif
