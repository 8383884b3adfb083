/* content.c - original bytes in chunks: row number = item * 4096 + chunk. */
#include "journal/content.h"
#include "journal/content_rows.h"
#include "journal/internal.h"
#include "core/error.h"

#include <string.h>

struct content {
	struct journal *journal; /* borrowed */
	int64_t item, cap, size;
	unsigned chunks;
	GByteArray *buffer;
	struct hash_stream *hash;
	char sha256[HASH_HEX_SIZE];
	bool finished, used;
};

int64_t content_row(int64_t item, unsigned chunk)
{
	return item * CONTENT_MAX_CHUNKS + chunk;
}

static bool begin_upload(struct journal *journal, void *data, GError **error)
{
	int64_t *item = data, now;
	if (!db_numbers(journal->db, "item", 1, item, error) || !db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(*item), db_int(now)};
	return db_exec(
	        journal->db, "INSERT INTO upload (item, started) VALUES ($1, $2)", args, 2, NULL, error);
}

struct content *content_begin(struct journal *journal, int64_t cap, GError **error)
{
	int64_t item;
	if (!journal_transact(journal, begin_upload, &item, error))
		return NULL;
	struct content *content = g_new0(struct content, 1);
	content->journal = journal;
	content->item = item;
	content->cap = MIN(cap, (int64_t)CONTENT_CHUNK * CONTENT_MAX_CHUNKS);
	content->buffer = g_byte_array_sized_new(CONTENT_CHUNK);
	content->hash = hash_stream_new();
	return content;
}

static bool write_chunk(struct journal *journal, void *data, GError **error)
{
	const struct content *content = data;
	struct db_value args[] = {db_int(content_row(content->item, content->chunks)),
	        db_blob(content->buffer->data, content->buffer->len)};
	return db_exec(journal->db, "INSERT INTO content (id, bytes) VALUES ($1, $2)", args, 2, NULL, error);
}

static bool flush(struct content *content, GError **error)
{
	if (!journal_transact(content->journal, write_chunk, content, error))
		return false;
	content->chunks++;
	g_byte_array_set_size(content->buffer, 0);
	return true;
}

bool content_append(struct content *content, const void *data, size_t size, GError **error)
{
	g_return_val_if_fail(!content->finished, false);
	if (size > (uint64_t)(content->cap - content->size)) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "larger than the cap of %" G_GINT64_FORMAT " bytes", content->cap);
		return false;
	}
	hash_stream_add(content->hash, data, size);
	content->size += (int64_t)size;
	for (const char *at = data; size;) {
		size_t part = MIN(size, CONTENT_CHUNK - content->buffer->len);
		g_byte_array_append(content->buffer, (const guint8 *)at, (guint)part);
		at += part;
		size -= part;
		if (content->buffer->len == CONTENT_CHUNK && !flush(content, error))
			return false;
	}
	return true;
}

bool content_finish(struct content *content, GError **error)
{
	g_return_val_if_fail(!content->finished, false);
	if ((content->buffer->len || !content->chunks) && !flush(content, error))
		return false;
	hash_stream_end(g_steal_pointer(&content->hash), content->sha256);
	content->finished = true;
	return true;
}

int64_t content_size(const struct content *content)
{
	return content->size;
}

const char *content_sha256(const struct content *content)
{
	return content->sha256;
}

int64_t content_item(const struct content *content)
{
	return content->item;
}

void content_use(struct content *content)
{
	content->used = true;
}

bool content_delete(struct journal *journal, int64_t item, GError **error)
{
	struct db_value args[] = {
	        db_int(content_row(item, 0)), db_int(content_row(item, CONTENT_MAX_CHUNKS - 1))};
	return db_exec(journal->db, "DELETE FROM content WHERE id BETWEEN $1 AND $2", args, 2, NULL, error);
}

bool content_renumber(struct journal *journal, int64_t from, int64_t to, GError **error)
{
	struct db_value args[] = {db_int(content_row(from, 0)),
	        db_int(content_row(from, CONTENT_MAX_CHUNKS - 1)),
	        db_int(content_row(to, 0) - content_row(from, 0))};
	return db_exec(journal->db,
	               "INSERT INTO content (id, bytes) SELECT id + CAST($3 AS bigint), bytes FROM content"
	               " WHERE id BETWEEN $1 AND $2",
	               args, 3, NULL, error) &&
	       content_delete(journal, from, error);
}

/* Only what is still an upload: an item may have been made of it by a commit whose outcome nobody saw. */
static bool drop_upload(struct journal *journal, void *data, GError **error)
{
	const int64_t *item = data;
	struct db_value args[] = {db_int(*item)};
	int64_t changed = 0;
	if (!db_exec(journal->db, "DELETE FROM upload WHERE item = $1", args, 1, &changed, error))
		return false;
	return !changed || content_delete(journal, *item, error);
}

/* What cannot be deleted now is swept later. */
void content_free(struct content *content)
{
	if (!content)
		return;
	if (!content->used)
		journal_transact(content->journal, drop_upload, &content->item, NULL);
	if (content->hash) {
		char ignored[HASH_HEX_SIZE];
		hash_stream_end(content->hash, ignored);
	}
	g_byte_array_unref(content->buffer);
	g_free(content);
}

bool journal_content_chunk(struct journal *journal, int64_t item, unsigned n, GBytes **bytes, GError **error)
{
	struct db_value args[] = {db_int(content_row(item, n))};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT bytes FROM content WHERE id = $1", args, 1, error);
	if (!rows)
		return false;
	bool there = n < CONTENT_MAX_CHUNKS && db_rows_count(rows);
	if (!there && n == 0) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "the content of item %" G_GINT64_FORMAT " is not there (any more)", item);
		return false;
	}
	*bytes = there ? db_rows_bytes(rows, 0, 0) : NULL;
	return true;
}

bool journal_first_chunks(
        struct journal *journal, const int64_t *items, unsigned n, GBytes **bytes, GError **error)
{
	AUTO(values) ids = values_new(1);
	for (unsigned i = 0; i < n; i++)
		values_int(ids, content_row(items[i], 0));
	g_autoptr(GPtrArray) found =
	        values_query(ids, journal, "SELECT bytes FROM content WHERE id = $1", error);
	for (unsigned i = 0; found && i < n; i++) {
		const struct db_rows *row = g_ptr_array_index(found, i);
		bytes[i] = db_rows_count(row) ? db_rows_bytes(row, 0, 0) : NULL;
	}
	return found != NULL;
}

static bool append_chunk(GByteArray *whole, GBytes *chunk, size_t max, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(chunk, &size);
	if (size > max - whole->len) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "content larger than %zu bytes", max);
		return false;
	}
	g_byte_array_append(whole, data, (guint)size);
	return true;
}

GBytes *journal_content(struct journal *journal, int64_t item, size_t max, GError **error)
{
	max = MIN(max, (size_t)G_MAXUINT32 / 2);
	GByteArray *whole = g_byte_array_new();
	for (unsigned n = 0;; n++) {
		g_autoptr(GBytes) chunk = NULL;
		if (!journal_content_chunk(journal, item, n, &chunk, error))
			break;
		if (!chunk)
			return g_byte_array_free_to_bytes(whole);
		if (!append_chunk(whole, chunk, max, error))
			break;
	}
	g_byte_array_unref(whole);
	return NULL;
}

struct sweep {
	int64_t age;
	GArray *items;
};

static bool old_uploads(struct journal *journal, void *data, GError **error)
{
	struct sweep *sweep = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(now - sweep->age)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT item FROM upload WHERE started < $1 ORDER BY item LIMIT 100",
	        args, 1, error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		int64_t item = db_rows_int(rows, i, 0);
		g_array_append_val(sweep->items, item);
	}
	return rows != NULL;
}

bool journal_sweep_content(struct journal *journal, int64_t age, GError **error)
{
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct sweep sweep = {.age = age, .items = items};
	bool ok = journal_transact(journal, old_uploads, &sweep, error);
	for (guint i = 0; ok && i < items->len; i++)
		ok = journal_transact(journal, drop_upload, &g_array_index(items, int64_t, i), error);
	return ok;
}
