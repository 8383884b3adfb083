/* record.c - from an event to the bytes that are stored and later hashed. */
#include "journal/record.h"
#include "journal/internal.h"

#include <string.h>

static const char *const event_names[] = {
        [RECORD_RECEIVED] = "received",
        [RECORD_RELINKED] = "relinked",
        [RECORD_REFUSED] = "refused",
        [RECORD_VANISHED] = "vanished",
        [RECORD_DECIDED] = "decided",
        [RECORD_REPROCESSED] = "reprocessed",
        [RECORD_OVERRIDDEN] = "overridden",
        [RECORD_CONTACT_CODE] = "contact_code",
        [RECORD_DELIVERY_SENDING] = "delivery.sending",
        [RECORD_DELIVERY_CONFIRMED] = "delivery.confirmed",
        [RECORD_DELIVERY_RETRY] = "delivery.retry",
        [RECORD_DELIVERY_FAILED] = "delivery.failed",
        [RECORD_DELIVERY_UNCERTAIN] = "delivery.uncertain",
        [RECORD_DELIVERY_SUPPRESSED] = "delivery.suppressed",
        [RECORD_DELIVERY_CANCELLED] = "delivery.cancelled",
        [RECORD_TASK_OPENED] = "task.opened",
        [RECORD_TASK_ATTEMPTED] = "task.attempted",
        [RECORD_TASK_CLOSED] = "task.closed",
        [RECORD_CONTENT_DELETED] = "content.deleted",
        [RECORD_PERSON_EXPORTED] = "person.exported",
        [RECORD_PERSON_ERASED] = "person.erased",
        [RECORD_HOLD] = "hold",
        [RECORD_BUNDLE_ACTIVATED] = "bundle.activated",
        [RECORD_FACTS_IMPORTED] = "facts.imported",
        [RECORD_LOG_READ] = "log.read",
        [RECORD_RESTORE_ACCEPTED] = "restore.accepted",
        [RECORD_EVIDENCE_DELETED] = "evidence.deleted",
        [RECORD_MIGRATED] = "migrated",
};
G_STATIC_ASSERT(G_N_ELEMENTS(event_names) == RECORD_EVENTS);

const char *record_event_name(enum record_event event)
{
	return event_names[event];
}

GBytes *record_bytes(const struct journal *journal, const struct record *record, int64_t time)
{
	JSON_AUTO whole = json_object();
	json_set_string(whole, "actor", journal->actor);
	json_object_set_new(whole, "detail", record->detail ? json_incref(record->detail) : json_object());
	json_set_string(whole, "event", event_names[record->event]);
	if (record->item) {
		g_autofree char *name = journal_item_name(journal, record->item);
		json_set_string(whole, "item", name);
	}
	json_set_int(whole, "time", time);
	json_set_int(whole, "v", RECORD_VERSION);
	return json_canonical_bytes(whole);
}

bool record_write(struct journal *journal, const struct record *records, unsigned n, GError **error)
{
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	AUTO(values) values = values_new(4);
	g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	for (unsigned i = 0; i < n; i++) {
		GBytes *body = record_bytes(journal, &records[i], now);
		g_ptr_array_add(bodies, body);
		values_int(values, now);
		values_int_or_null(values, records[i].item);
		values_text(values, event_names[records[i].event]);
		values_bytes(values, body);
	}
	return values_exec(values, journal,
	        "INSERT INTO record (time, item, event, body) VALUES ($1, $2, $3, $4)", NULL, error);
}

void record_text_commitment(GBytes *salt, const char *text, char out[HASH_HEX_SIZE])
{
	char sha256[HASH_HEX_SIZE];
	*out = '\0';
	if (!salt || !text)
		return;
	hash_hex(text, strlen(text), sha256);
	record_commitment(g_bytes_get_data(salt, NULL), g_bytes_get_size(salt), sha256, out);
}

void record_add_work(GString *work, const char *name, const char *text, const char *params)
{
	const char *const parts[] = {name, text, params};
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		size_t size = parts[i] ? strlen(parts[i]) : 0;
		g_string_append_printf(work, "%" G_GSIZE_FORMAT ":", size);
		g_string_append_len(work, parts[i] ? parts[i] : "", (gssize)size);
	}
}

void record_commitment(const void *salt, size_t salt_size, const char *sha256, char out[HASH_HEX_SIZE])
{
	struct hash_stream *stream = hash_stream_new();
	hash_stream_add(stream, salt, salt_size);
	hash_stream_add(stream, sha256, HASH_HEX_SIZE - 1);
	hash_stream_end(stream, out);
}
