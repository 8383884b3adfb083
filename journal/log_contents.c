/* log_contents.c - the original bytes that are still there against the hash they were received with. */
#include "core/error.h"
#include "journal/content.h"
#include "journal/internal.h"
#include "journal/log_rows.h"

#include <string.h>

enum { ITEMS_A_READ = 200 };

/* Hash and size of what stands in the chunks; *there false: not even the first. */
static bool hash_content(struct journal *journal, int64_t item, bool *there, int64_t *size,
        char sha256[HASH_HEX_SIZE], GError **error)
{
	struct hash_stream *stream = hash_stream_new();
	bool ok = true;
	*size = 0;
	for (unsigned n = 0; ok; n++) {
		g_autoptr(GBytes) chunk = NULL;
		g_autoptr(GError) why = NULL;
		ok = journal_content_chunk(journal, item, n, &chunk, &why);
		bool gone = why && error_class(why) == ERROR_INPUT;
		if (!ok && !gone)
			g_propagate_error(error, g_steal_pointer(&why));
		*there = n > 0 || !gone;
		ok |= gone;
		if (!chunk)
			break;
		hash_stream_add(stream, g_bytes_get_data(chunk, NULL), g_bytes_get_size(chunk));
		*size += (int64_t)g_bytes_get_size(chunk);
	}
	hash_stream_end(stream, sha256);
	return ok;
}

static bool check_page(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, const struct db_rows *rows, GError **error)
{
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		char sha256[HASH_HEX_SIZE];
		bool there = false;
		int64_t size = 0, item = db_rows_int(rows, r, 0);
		if (!hash_content(journal, item, &there, &size, sha256, error))
			return false;
		bool same = there && size == db_rows_int(rows, r, 2) &&
		            g_strcmp0(sha256, db_rows_text(rows, r, 1)) == 0;
		if (!same)
			verify_add(report, options, FINDING_DISAGREES,
			        g_strdup_printf("item %" G_GINT64_FORMAT, item),
			        g_strdup(there ? "its content is not the bytes that were received"
			                       : "its content is gone, and no record says so"));
	}
	return true;
}

bool verify_contents(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, GError **error)
{
	for (int64_t after = INT64_MIN;;) {
		struct db_value args[] = {db_int(after), db_int(ITEMS_A_READ)};
		AUTO(db_rows)
		rows = db_query(journal->db,
		        "SELECT id, sha256, size FROM item WHERE id > $1 AND content_deleted IS NULL ORDER "
		        "BY id LIMIT $2",
		        args, 2, error);
		unsigned n = rows ? db_rows_count(rows) : 0;
		if (!rows || !check_page(journal, options, report, rows, error))
			return false;
		if (n < ITEMS_A_READ)
			return true;
		after = db_rows_int(rows, n - 1, 0);
	}
}
