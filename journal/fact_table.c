/* fact_table.c - imported facts under keyed hashes. */
#include "journal/fact_table.h"
#include "journal/internal.h"
#include "journal/record.h"
#include "core/error.h"

#include <string.h>

#define IMPORT_MAX 1000

struct rows {
	struct fact_row *rows;
	const struct fact_row *constant;
	unsigned n;
};

static void add_key(struct values *values, const struct journal *journal, const struct fact_row *row)
{
	char key[HASH_HEX_SIZE];
	journal_pseudonym(journal, row->kind, row->value, key);
	values_text(values, row->kind);
	values_take(values, g_strdup(key));
}

static bool import(struct journal *journal, void *data, GError **error)
{
	const struct rows *rows = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	AUTO(values) values = values_new(4);
	for (unsigned i = 0; i < rows->n; i++) {
		add_key(values, journal, &rows->constant[i]);
		values_json(values, rows->constant[i].facts);
		values_int(values, now);
	}
	return values_exec(values, journal,
	        "INSERT INTO fact_row (kind, key, facts, written) VALUES ($1, $2, $3, $4)"
	        " ON CONFLICT (kind, key) DO UPDATE SET facts = excluded.facts, written = excluded.written",
	        NULL, error);
}

bool journal_import_facts(struct journal *journal, const struct fact_row *rows, unsigned n, GError **error)
{
	g_return_val_if_fail(n <= IMPORT_MAX, false);
	struct rows import_rows = {.constant = rows, .n = n};
	return journal_transact(journal, import, &import_rows, error);
}

struct finishing {
	int64_t started, kept;
	bool drop_others;
};

static bool finish(struct journal *journal, void *data, GError **error)
{
	struct finishing *finishing = data;
	int64_t dropped = 0;
	struct db_value args[] = {db_int(finishing->started)};
	if (finishing->drop_others &&
	        !db_exec(journal->db, "DELETE FROM fact_row WHERE written < $1", args, 1, &dropped, error))
		return false;
	AUTO(db_rows) rows = db_query(journal->db, "SELECT count(*) FROM fact_row", NULL, 0, error);
	if (!rows)
		return false;
	finishing->kept = db_rows_int(rows, 0, 0);
	JSON_AUTO detail = json_object();
	json_set_int(detail, "dropped", dropped);
	json_set_int(detail, "rows", finishing->kept);
	struct record record = {.event = RECORD_FACTS_IMPORTED, .detail = detail};
	return record_write(journal, &record, 1, error);
}

bool journal_finish_import(
        struct journal *journal, int64_t started, bool drop_others, int64_t *kept, GError **error)
{
	struct finishing finishing = {.started = started, .drop_others = drop_others};
	if (!journal_transact(journal, finish, &finishing, error))
		return false;
	if (kept)
		*kept = finishing.kept;
	return true;
}

static bool look_up(struct journal *journal, void *data, GError **error)
{
	const struct rows *rows = data;
	AUTO(values) values = values_new(2);
	for (unsigned i = 0; i < rows->n; i++)
		add_key(values, journal, &rows->rows[i]);
	g_autoptr(GPtrArray) found = values_query(
	        values, journal, "SELECT facts FROM fact_row WHERE kind = $1 AND key = $2", error);
	for (guint i = 0; found && i < found->len; i++) {
		const struct db_rows *row = g_ptr_array_index(found, i);
		rows->rows[i].facts = db_rows_count(row) ? journal_json_read(db_rows_text(row, 0, 0)) : NULL;
	}
	return found != NULL;
}

/* Reads only: no need to wait for a writer of the embedded database. */
bool journal_look_up_facts(struct journal *journal, struct fact_row *rows, unsigned n, GError **error)
{
	struct rows look_up_rows = {.rows = rows, .n = n};
	for (unsigned i = 0; i < n; i++)
		rows[i].facts = NULL;
	return look_up(journal, &look_up_rows, error);
}
