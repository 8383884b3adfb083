/* intake.c - taking a batch in: identity, links between equal contents, gaps, counters, records; one
 * transaction.
 *
 * The row of the mailbox is locked first, so nobody else writes keys of this mailbox meanwhile.
 */
#include "journal/content_rows.h"
#include "journal/internal.h"
#include "journal/log_restore.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "journal/sources.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

#define KEY_MAX   500 /* bytes; longer keys are stored as their hash */
#define SALT_SIZE 16

struct taking {
	struct journal *journal;
	const struct mailbox_lease *lease;
	struct intake_batch *batch;
	int64_t now;
	GPtrArray *keys;        /* as stored, beside the entries */
	GHashTable *by_key;     /* key → entry that made or found the item in this batch */
	GHashTable *by_sha256;  /* content → first new entry of this batch */
	GHashTable *candidates; /* content → struct db_rows of items to re-link */
	GHashTable *relinked;   /* items that got an alias in this batch */
	GArray *news;           /* of struct intake_entry *: new items */
	bool gaps, restored;    /* rows of that kind to be asked about */
	GPtrArray *details;     /* json_t * of records */
	GArray *records;
	uint8_t (*salts)[SALT_SIZE];
	int64_t refused, vanished;
};

/* Any bytes become a key the database can hold, different ones different keys. */
static char *stored_key(const char *key)
{
	size_t size = strlen(key);
	if (size > KEY_MAX || !g_utf8_validate(key, (gssize)size, NULL)) {
		char hash[HASH_HEX_SIZE];
		hash_hex(key, size, hash);
		return g_strconcat("sha256:", hash, NULL);
	}
	return g_strdup(key);
}

static int64_t digest(const char *sha256)
{
	char first[17];
	g_strlcpy(first, sha256, sizeof first);
	return (int64_t)g_ascii_strtoull(first, NULL, 16);
}

static const char *sha256_of(const struct intake_entry *entry)
{
	return entry->content ? content_sha256(entry->content) : entry->item->sha256;
}

static int64_t size_of(const struct intake_entry *entry)
{
	return entry->content ? content_size(entry->content) : (int64_t)g_bytes_get_size(entry->item->raw);
}

static const char *key_of(const struct taking *taking, unsigned i)
{
	return g_ptr_array_index(taking->keys, i);
}

static void add_record(struct taking *taking, enum record_event event, int64_t item, json_t *detail)
{
	g_ptr_array_add(taking->details, detail);
	struct record record = {.event = event, .item = item, .detail = detail};
	g_array_append_val(taking->records, record);
}

/* ---- the mailbox ---- */

static bool write_state(struct taking *taking, GError **error)
{
	const struct intake_batch *batch = taking->batch;
	g_autofree char *state = journal_json_text(batch->state);
	struct db_value args[] = {db_int(taking->lease->mailbox), db_int(taking->lease->fence),
	        db_text(state), db_int(batch->relisted ? taking->now : 0), db_int(batch->oldest_waiting),
	        db_int(batch->waiting)};
	int64_t changed = 0;
	if (!db_exec(taking->journal->db,
	            "UPDATE mailbox SET state = COALESCE($3, state),"
	            " relisted = CASE WHEN CAST($4 AS bigint) = 0 THEN relisted ELSE CAST($4 AS bigint) END,"
	            " oldest_waiting = $5, waiting = $6 WHERE id = $1 AND fence = $2",
	            args, 6, &changed, error))
		return false;
	if (changed)
		return true;
	fail_as(error, ERROR_LOST_LEASE, SCOPE_MAILBOX, WHEN_LATER, "another worker has taken over %s/%s",
	        taking->lease->source, taking->lease->name);
	return false;
}

static bool count_day(struct taking *taking, GError **error)
{
	int64_t taken = (int64_t)taking->news->len;
	if (!taking->batch->seen && !taken && !taking->refused && !taking->vanished)
		return true;
	struct db_value args[] = {db_int(taking->lease->mailbox), db_int(berlin_day(taking->now)),
	        db_int(taking->batch->seen), db_int(taken), db_int(taking->refused),
	        db_int(taking->vanished)};
	return db_exec(taking->journal->db,
	        "INSERT INTO source_day (mailbox, day, seen, taken, refused, vanished)"
	        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mailbox, day) DO UPDATE SET"
	        " seen = source_day.seen + excluded.seen, taken = source_day.taken + excluded.taken,"
	        " refused = source_day.refused + excluded.refused,"
	        " vanished = source_day.vanished + excluded.vanished",
	        args, 6, NULL, error);
}

/* ---- identity ---- */

static const char known_sql[] = "SELECT id FROM item WHERE mailbox = $1 AND key = $2"
                                " UNION ALL SELECT item FROM item_alias WHERE mailbox = $1 AND key = $2"
                                " UNION ALL SELECT item FROM expired_key WHERE mailbox = $1 AND key = $2";

static GPtrArray *look_up_keys(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < taking->batch->n_entries; i++) {
		values_int(rows, taking->lease->mailbox);
		values_text(rows, key_of(taking, i));
	}
	return values_query(rows, taking->journal, known_sql, error);
}

/* The oldest item with the same content, beside each entry. */
static GPtrArray *look_up_contents(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < taking->batch->n_entries; i++) {
		const struct intake_entry *entry = &taking->batch->entries[i];
		values_int(rows, digest(sha256_of(entry)));
		values_text(rows, sha256_of(entry));
	}
	return values_query(rows, taking->journal,
	        "SELECT id FROM item WHERE digest = $1 AND sha256 = $2 ORDER BY digest, id LIMIT 1", error);
}

/* Items of this mailbox that known content under a key of a new generation may stand for, by content: those
 * of another generation that have no alias in this one yet. Asked once for each content. */
static const struct db_rows *relinkable(
        struct taking *taking, const struct intake_entry *entry, GError **error)
{
	struct db_rows *known = g_hash_table_lookup(taking->candidates, sha256_of(entry));
	if (known)
		return known;
	struct db_value args[] = {db_int(digest(sha256_of(entry))), db_text(sha256_of(entry)),
	        db_text(entry->generation), db_int(taking->lease->mailbox), db_int(INTAKE_BATCH_MAX)};
	known = db_query(taking->journal->db,
	        "SELECT id FROM item WHERE digest = $1 AND sha256 = $2 AND mailbox = $4"
	        " AND generation IS NOT NULL AND generation <> $3 AND NOT EXISTS"
	        " (SELECT 1 FROM item_alias a WHERE a.item = item.id AND a.generation = $3)"
	        " ORDER BY digest, id LIMIT $5",
	        args, 5, error);
	if (known)
		g_hash_table_insert(taking->candidates, (gpointer)sha256_of(entry), known);
	return known;
}

/* The known item that an unknown key stands for; *item is 0 if it is news. */
static bool find_relink(struct taking *taking, const struct intake_entry *entry, const struct db_rows *same,
        int64_t *item, GError **error)
{
	*item = 0;
	if (!entry->generation || !db_rows_count(same))
		return true;
	const struct db_rows *candidates = relinkable(taking, entry, error);
	if (!candidates)
		return false;
	for (unsigned r = 0; !*item && r < db_rows_count(candidates); r++) {
		int64_t id = db_rows_int(candidates, r, 0);
		if (!g_hash_table_contains(taking->relinked, &id))
			*item = id;
	}
	return true;
}

static void remember_relinked(struct taking *taking, int64_t item)
{
	int64_t *copy = g_new(int64_t, 1);
	*copy = item;
	g_hash_table_add(taking->relinked, copy);
}

static void classify_new(struct taking *taking, struct intake_entry *entry, const struct db_rows *same)
{
	struct intake_entry *twin = g_hash_table_lookup(taking->by_sha256, sha256_of(entry));
	entry->duplicate_of = db_rows_count(same) ? db_rows_int(same, 0, 0) : 0;
	entry->result = twin || entry->duplicate_of ? INTAKE_DUPLICATE : INTAKE_NEW;
	if (!twin)
		g_hash_table_insert(taking->by_sha256, (gpointer)sha256_of(entry), entry);
	g_array_append_val(taking->news, entry);
}

static bool classify_entry(struct taking *taking, unsigned i, const struct db_rows *known,
        const struct db_rows *same, GError **error)
{
	struct intake_entry *entry = &taking->batch->entries[i];
	struct intake_entry *earlier = g_hash_table_lookup(taking->by_key, key_of(taking, i));
	entry->id = entry->duplicate_of = 0;
	if (earlier || db_rows_count(known)) {
		entry->result = INTAKE_KNOWN;
		entry->id = earlier ? 0 : db_rows_int(known, 0, 0);
		return true;
	}
	g_hash_table_insert(taking->by_key, (gpointer)key_of(taking, i), entry);
	if (!find_relink(taking, entry, same, &entry->id, error))
		return false;
	if (entry->id) {
		entry->result = INTAKE_RELINKED;
		remember_relinked(taking, entry->id);
	} else {
		classify_new(taking, entry, same);
	}
	return true;
}

/* After a restored journal was accepted: content that a far side already has takes the number it had then, so
 * that its idempotency keys are the same and nothing goes there twice (log_restore.h). */
static bool find_old_number(
        struct taking *taking, struct intake_entry *entry, const struct journal_gap *gap, GError **error)
{
	struct db_value args[] = {db_text(sha256_of(entry))};
	if (!gap_holds(gap, entry->item->received))
		return true;
	AUTO(db_rows)
	rows = db_query(taking->journal->db,
	        "DELETE FROM restored WHERE item = (SELECT min(item) FROM restored r WHERE r.sha256 = $1"
	        " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.id = r.item)) RETURNING item",
	        args, 1, error);
	if (!rows || !db_rows_count(rows))
		return rows != NULL;
	entry->id = db_rows_int(rows, 0, 0);
	return !entry->content ||
	       content_renumber(taking->journal, content_item(entry->content), entry->id, error);
}

static bool find_old_numbers(struct taking *taking, GError **error)
{
	struct journal_gap gap;
	if (!taking->restored)
		return true;
	if (!journal_gap(taking->journal, &gap, error))
		return false;
	for (guint i = 0; i < taking->news->len; i++)
		if (!find_old_number(
		            taking, g_array_index(taking->news, struct intake_entry *, i), &gap, error))
			return false;
	return true;
}

/* Numbers for new items; a streamed one has its number already. */
static bool give_numbers(struct taking *taking, GError **error)
{
	unsigned need = 0;
	if (!find_old_numbers(taking, error))
		return false;
	for (guint i = 0; i < taking->news->len; i++) {
		const struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		need += !entry->content && !entry->id;
	}
	g_autofree int64_t *numbers = g_new0(int64_t, need + 1);
	if (!db_numbers(taking->journal->db, "item", need, numbers, error))
		return false;
	for (guint i = 0, next = 0; i < taking->news->len; i++) {
		struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		if (!entry->id)
			entry->id = entry->content ? content_item(entry->content) : numbers[next++];
	}
	for (guint i = 0; i < taking->news->len; i++) {
		struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		const struct intake_entry *first = g_hash_table_lookup(taking->by_sha256, sha256_of(entry));
		if (!entry->duplicate_of && first != entry)
			entry->duplicate_of = first->id;
	}
	return true;
}

/* Keys that stood twice in the batch. */
static void resolve_repeated(struct taking *taking)
{
	for (unsigned i = 0; i < taking->batch->n_entries; i++) {
		struct intake_entry *entry = &taking->batch->entries[i];
		if (entry->result == INTAKE_KNOWN && !entry->id) {
			const struct intake_entry *first =
			        g_hash_table_lookup(taking->by_key, key_of(taking, i));
			entry->id = first->id;
		}
	}
}

static bool identify(struct taking *taking, GError **error)
{
	g_autoptr(GPtrArray) known = look_up_keys(taking, error);
	g_autoptr(GPtrArray) same = known ? look_up_contents(taking, error) : NULL;
	if (!same)
		return false;
	for (unsigned i = 0; i < taking->batch->n_entries; i++)
		if (!classify_entry(
		            taking, i, g_ptr_array_index(known, i), g_ptr_array_index(same, i), error))
			return false;
	if (!give_numbers(taking, error))
		return false;
	resolve_repeated(taking);
	return true;
}

/* ---- rows ---- */

static void record_received(
        struct taking *taking, const struct intake_entry *entry, const uint8_t *salt, const char *key)
{
	char commitment[HASH_HEX_SIZE], pseudonym[HASH_HEX_SIZE];
	record_commitment(salt, SALT_SIZE, sha256_of(entry), commitment);
	journal_pseudonym(taking->journal, "key", key, pseudonym);
	json_t *detail = json_object();
	json_set_string(detail, "channel", channel_name(entry->item->channel));
	json_set_string(detail, "commitment", commitment);
	json_set_string(detail, "key", pseudonym);
	json_set_string(detail, "mailbox", taking->lease->name);
	json_set_int(detail, "received", entry->item->received);
	json_set_int(detail, "size", size_of(entry));
	json_set_string(detail, "source", taking->lease->source);
	if (entry->item->fields) {
		g_autofree char *fields = journal_json_text(entry->item->fields);
		char sha256[HASH_HEX_SIZE], sealed[HASH_HEX_SIZE];
		hash_hex(fields, strlen(fields), sha256);
		record_commitment(salt, SALT_SIZE, sha256, sealed);
		json_set_string(detail, "fields", sealed);
	}
	if (entry->received_in_future)
		json_set_bool(detail, "received_in_future", true);
	if (entry->duplicate_of) {
		g_autofree char *name = journal_item_name(taking->journal, entry->duplicate_of);
		json_set_string(detail, "duplicate_of", name);
	}
	add_record(taking, RECORD_RECEIVED, entry->id, detail);
}

static void add_item_row(struct taking *taking, struct values *rows, const struct intake_entry *entry,
        const uint8_t *salt, const char *key)
{
	const struct item *item = entry->item;
	values_int(rows, entry->id);
	values_int(rows, taking->lease->mailbox);
	values_text(rows, key);
	values_text(rows, entry->generation);
	values_text(rows, channel_name(item->channel));
	values_int(rows, item->received);
	values_int(rows, taking->now);
	values_int(rows, size_of(entry));
	values_text(rows, sha256_of(entry));
	values_int(rows, digest(sha256_of(entry)));
	values_blob(rows, salt, SALT_SIZE);
	values_json(rows, item->fields);
	values_int(rows, entry->received_in_future);
	values_int_or_null(rows, entry->duplicate_of);
}

static bool write_items(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(14);
	for (guint i = 0; i < taking->news->len; i++) {
		const struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		const char *key = key_of(taking, (unsigned)(entry - taking->batch->entries));
		add_item_row(taking, rows, entry, taking->salts[i], key);
		record_received(taking, entry, taking->salts[i], key);
	}
	return values_exec(rows, taking->journal,
	        "INSERT INTO item (id, mailbox, key, generation, channel, received, taken, size, sha256, "
	        "digest,"
	        " salt, fields, future, duplicate_of, wake)"
	        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $7)",
	        NULL, error);
}

/* An upload that was swept meanwhile has no content any more. */
static bool end_uploads(struct taking *taking, struct values *uploads, GError **error)
{
	g_autofree int64_t *changed = g_new0(int64_t, values_rows(uploads) + 1);
	if (!values_exec(uploads, taking->journal, "DELETE FROM upload WHERE item = $1", changed, error))
		return false;
	for (unsigned i = 0; i < values_rows(uploads); i++) {
		if (!changed[i]) {
			fail(error, ERROR_AGAIN, "streamed content was swept before it was taken in");
			return false;
		}
	}
	return true;
}

static bool write_contents(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(2);
	AUTO(values) uploads = values_new(1);
	for (guint i = 0; i < taking->news->len; i++) {
		const struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		if (entry->content) {
			values_int(uploads, content_item(entry->content));
			continue;
		}
		values_int(rows, content_row(entry->id, 0));
		values_bytes(rows, entry->item->raw);
	}
	return values_exec(rows, taking->journal, "INSERT INTO content (id, bytes) VALUES ($1, $2)", NULL,
	               error) &&
	       end_uploads(taking, uploads, error);
}

static bool write_aliases(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(5);
	for (unsigned i = 0; i < taking->batch->n_entries; i++) {
		const struct intake_entry *entry = &taking->batch->entries[i];
		if (entry->result != INTAKE_RELINKED)
			continue;
		values_int(rows, taking->lease->mailbox);
		values_text(rows, key_of(taking, i));
		values_text(rows, entry->generation);
		values_int(rows, entry->id);
		values_int(rows, taking->now);
		char pseudonym[HASH_HEX_SIZE];
		journal_pseudonym(taking->journal, "key", key_of(taking, i), pseudonym);
		json_t *detail = json_object();
		json_set_string(detail, "key", pseudonym);
		add_record(taking, RECORD_RELINKED, entry->id, detail);
	}
	return values_exec(rows, taking->journal,
	        "INSERT INTO item_alias (mailbox, key, generation, item, time) VALUES ($1, $2, $3, $4, $5)",
	        NULL, error);
}

/* ---- gaps ---- */

static const char *gap_name(enum gap_kind kind)
{
	return kind == GAP_REFUSED ? "refused" : "vanished";
}

static void record_gap(struct taking *taking, const struct intake_gap *gap, const char *key)
{
	char pseudonym[HASH_HEX_SIZE];
	journal_pseudonym(taking->journal, "key", key, pseudonym);
	json_t *detail = json_object();
	json_set_string(detail, "key", pseudonym);
	json_set_string(detail, "mailbox", taking->lease->name);
	json_set_string(detail, "reason", gap->reason);
	json_set_int(detail, "size", gap->size);
	json_set_string(detail, "source", taking->lease->source);
	add_record(taking, gap->kind == GAP_REFUSED ? RECORD_REFUSED : RECORD_VANISHED, 0, detail);
}

/* A refused key gets a task that stands until somebody has looked or the key is taken in after all. */
static bool open_gap_task(
        struct taking *taking, const struct intake_gap *gap, const char *key, int64_t *id, GError **error)
{
	if (!db_numbers(taking->journal->db, "task", 1, id, error))
		return false;
	JSON_AUTO params = json_object();
	json_set_string(params, "source", taking->lease->source);
	json_set_string(params, "mailbox", taking->lease->name);
	json_set_string(params, "key", key);
	json_set_string(params, "reason", gap->reason);
	json_set_int(params, "size", gap->size);
	struct new_task task = {.kind = "dead_letter", .params = params, .id = *id};
	AUTO(values) rows = task_rows_new();
	task_rows_add(rows, 0, &task, taking->now, NULL);
	json_t *detail = json_object();
	json_set_string(detail, "kind", task.kind);
	json_set_string(detail, "reason", gap->reason);
	json_set_int(detail, "task", *id);
	add_record(taking, RECORD_TASK_OPENED, 0, detail);
	return task_rows_write(rows, taking->journal, error);
}

/* True in *counts if the gap is news: not known with this kind before. */
static bool write_gap(struct taking *taking, const struct intake_gap *gap, bool *counts, GError **error)
{
	g_autofree char *key = stored_key(gap->key);
	struct db_value args[] = {db_int(taking->lease->mailbox), db_text(key), db_text(gap_name(gap->kind)),
	        db_text(gap->reason), db_int(gap->size), db_int(taking->now), db_null()};
	AUTO(db_rows)
	known = db_query(taking->journal->db,
	        "SELECT kind FROM gap WHERE mailbox = $1 AND key = $2 AND cleared IS NULL", args, 2, error);
	if (!known)
		return false;
	*counts = !db_rows_count(known) || strcmp(db_rows_text(known, 0, 0), gap_name(gap->kind)) != 0;
	if (!*counts)
		return true;
	int64_t task = 0;
	if (gap->kind == GAP_REFUSED && !open_gap_task(taking, gap, key, &task, error))
		return false;
	if (task)
		args[6] = db_int(task);
	record_gap(taking, gap, key);
	return db_exec(taking->journal->db,
	        "INSERT INTO gap (mailbox, key, kind, reason, size, time, task)"
	        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mailbox, key) DO UPDATE SET"
	        " kind = excluded.kind, reason = excluded.reason, size = excluded.size, time = excluded.time,"
	        " task = COALESCE(excluded.task, gap.task), cleared = NULL",
	        args, 7, NULL, error);
}

static bool write_gaps(struct taking *taking, GError **error)
{
	for (unsigned i = 0; i < taking->batch->n_gaps; i++) {
		const struct intake_gap *gap = &taking->batch->gaps[i];
		bool counts;
		if (!write_gap(taking, gap, &counts, error))
			return false;
		if (gap->kind == GAP_REFUSED)
			taking->refused += counts;
		else
			taking->vanished += counts;
	}
	return true;
}

static bool close_gap_task(struct taking *taking, int64_t task, GError **error)
{
	struct db_value args[] = {db_int(task), db_int(taking->now), db_text(taking->journal->actor)};
	int64_t changed = 0;
	if (!db_exec(taking->journal->db,
	            "UPDATE task SET state = 'done', closed = $2, actor = $3, reason = 'taken_in'"
	            " WHERE id = $1 AND state = 'open'",
	            args, 3, &changed, error))
		return false;
	if (changed) {
		json_t *detail = json_object();
		json_set_string(detail, "reason", "taken_in");
		json_set_string(detail, "state", "done");
		json_set_int(detail, "task", task);
		add_record(taking, RECORD_TASK_CLOSED, 0, detail);
	}
	return true;
}

/* What was refused or vanished before and is taken in now: its gap and its task close. */
static bool clear_gaps(struct taking *taking, GError **error)
{
	AUTO(values) rows = values_new(3);
	for (guint i = 0; i < taking->news->len; i++) {
		const struct intake_entry *entry = g_array_index(taking->news, struct intake_entry *, i);
		values_int(rows, taking->lease->mailbox);
		values_text(rows, key_of(taking, (unsigned)(entry - taking->batch->entries)));
		values_int(rows, taking->now);
	}
	g_autoptr(GPtrArray) cleared = values_query(rows, taking->journal,
	        "UPDATE gap SET cleared = $3 WHERE mailbox = $1 AND key = $2 AND cleared IS NULL RETURNING "
	        "task",
	        error);
	for (guint i = 0; cleared && i < cleared->len; i++) {
		const struct db_rows *row = g_ptr_array_index(cleared, i);
		if (db_rows_count(row) && !db_rows_is_null(row, 0, 0) &&
		        !close_gap_task(taking, db_rows_int(row, 0, 0), error))
			return false;
	}
	return cleared != NULL;
}

/* Most mailboxes have no gap, most journals were never restored: one look spares the rest. */
static bool look_around(struct taking *taking, GError **error)
{
	struct db_value args[] = {db_int(taking->lease->mailbox)};
	AUTO(db_rows)
	any = db_query(taking->journal->db,
	        "SELECT CASE WHEN EXISTS (SELECT 1 FROM gap WHERE mailbox = $1 AND cleared IS NULL) THEN 1 "
	        "ELSE 0 "
	        "END, CASE WHEN EXISTS (SELECT 1 FROM restored) THEN 1 ELSE 0 END",
	        args, 1, error);
	if (!any)
		return false;
	taking->gaps = db_rows_int(any, 0, 0) != 0;
	taking->restored = db_rows_int(any, 0, 1) != 0;
	return true;
}

/* ---- the whole ---- */

static bool take_in(struct journal *journal, void *data, GError **error)
{
	struct taking *taking = data;
	if (!db_now(journal->db, &taking->now, error) || !write_state(taking, error) ||
	        !look_around(taking, error) || !identify(taking, error))
		return false;
	taking->salts = g_malloc0(SALT_SIZE * (taking->news->len + 1));
	random_bytes(taking->salts, SALT_SIZE * taking->news->len);
	return write_items(taking, error) && write_contents(taking, error) && write_aliases(taking, error) &&
	       (!taking->gaps || clear_gaps(taking, error)) && write_gaps(taking, error) &&
	       count_day(taking, error) &&
	       record_write(journal, (const struct record *)(void *)taking->records->data,
	               taking->records->len, error);
}

static void free_rows(gpointer rows)
{
	db_rows_free(rows);
}

static void start(struct taking *taking)
{
	taking->keys = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < taking->batch->n_entries; i++)
		g_ptr_array_add(taking->keys, stored_key(taking->batch->entries[i].item->key));
	taking->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	taking->by_sha256 = g_hash_table_new(g_str_hash, g_str_equal);
	taking->candidates = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_rows);
	taking->relinked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	taking->news = g_array_new(FALSE, FALSE, sizeof(struct intake_entry *));
	taking->details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	taking->records = g_array_new(FALSE, FALSE, sizeof(struct record));
}

static void end(struct taking *taking)
{
	g_ptr_array_unref(taking->keys);
	g_hash_table_unref(taking->by_key);
	g_hash_table_unref(taking->by_sha256);
	g_hash_table_unref(taking->candidates);
	g_hash_table_unref(taking->relinked);
	g_array_unref(taking->news);
	g_ptr_array_unref(taking->details);
	g_array_unref(taking->records);
	g_free(taking->salts);
}

bool journal_take_in(struct journal *journal, const struct mailbox_lease *lease, struct intake_batch *batch,
        GError **error)
{
	g_return_val_if_fail(batch->n_entries <= INTAKE_BATCH_MAX, false);
	struct taking taking = {.journal = journal, .lease = lease, .batch = batch};
	start(&taking);
	bool ok = journal_transact(journal, take_in, &taking, error);
	for (guint i = 0; ok && i < taking.news->len; i++) {
		struct intake_entry *entry = g_array_index(taking.news, struct intake_entry *, i);
		if (entry->content)
			content_use(entry->content);
	}
	end(&taking);
	return ok;
}

/* Reads only: no need to wait for a writer of the embedded database. */
bool journal_known_keys(struct journal *journal, const struct mailbox_lease *lease, const char *const *keys,
        unsigned n, bool *known, GError **error)
{
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < n; i++) {
		values_int(rows, lease->mailbox);
		values_take(rows, stored_key(keys[i]));
	}
	g_autoptr(GPtrArray) found = values_query(rows, journal,
	        "SELECT 1 FROM item WHERE mailbox = $1 AND key = $2"
	        " UNION ALL SELECT 1 FROM item_alias WHERE mailbox = $1 AND key = $2"
	        " UNION ALL SELECT 1 FROM expired_key WHERE mailbox = $1 AND key = $2"
	        " UNION ALL SELECT 1 FROM gap WHERE mailbox = $1 AND key = $2 AND cleared IS NULL",
	        error);
	for (guint i = 0; found && i < found->len; i++)
		known[i] = db_rows_count(g_ptr_array_index(found, i)) > 0;
	return found != NULL;
}
