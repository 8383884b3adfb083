/* log_privacy.c - holds, and what a person may ask for: export and erasure by keyed hash. */
#include "journal/log_privacy.h"
#include "core/error.h"
#include "journal/internal.h"
#include "journal/log_privacy_rows.h"
#include "journal/record.h"

#include <string.h>

enum { BATCH = 100, MOST_HOLDS = 100000 };

static void hold_free(void *data)
{
	struct hold *hold = data;
	g_free(hold->item_name);
	g_free(hold->person);
	g_free(hold->reason);
	g_free(hold->actor);
	g_free(hold);
}

/* ---- holds ---- */

static bool record_hold(struct journal *journal, const struct hold *hold, const char *state, GError **error)
{
	JSON_AUTO detail = json_object();
	json_set_int(detail, "hold", hold->id);
	if (hold->person)
		json_set_string(detail, "person", hold->person);
	json_set_string(detail, "state", state);
	struct record record = {.event = RECORD_HOLD, .item = hold->item, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool item_is_there(struct journal *journal, int64_t item, GError **error)
{
	struct db_value args[] = {db_int(item)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT 1 FROM item WHERE id = $1", args, 1, error);
	if (rows && !db_rows_count(rows))
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "there is no item %" G_GINT64_FORMAT,
		        item);
	return rows && db_rows_count(rows);
}

static bool add_hold(struct journal *journal, void *data, GError **error)
{
	struct hold *hold = data;
	int64_t now;
	if (!privacy_lock(journal, error) || (hold->item && !item_is_there(journal, hold->item, error)) ||
	        !db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {hold->item ? db_int(hold->item) : db_null(), db_text(hold->person),
	        db_text(hold->reason), db_text(journal->actor), db_int(now)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "INSERT INTO hold (item, person, reason, actor, created) VALUES ($1, $2, $3, $4, $5)"
	        " RETURNING id",
	        args, 5, error);
	if (!rows)
		return false;
	hold->id = db_rows_int(rows, 0, 0);
	return record_hold(journal, hold, "added", error);
}

bool journal_hold_add(struct journal *journal, int64_t item, const char *person, const char *reason,
        int64_t *id, GError **error)
{
	struct hold hold = {.item = item, .person = (char *)person, .reason = (char *)reason};
	g_return_val_if_fail((item != 0) != (person != NULL), false);
	if (!reason || !*reason) {
		fail(error, ERROR_USAGE, "a hold needs a reason");
		return false;
	}
	if (!journal_transact(journal, add_hold, &hold, error))
		return false;
	*id = hold.id;
	return true;
}

static bool release_hold(struct journal *journal, void *data, GError **error)
{
	struct hold hold = {.id = *(const int64_t *)data};
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(hold.id), db_int(now)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "UPDATE hold SET released = $2 WHERE id = $1 AND released IS NULL RETURNING item, person",
	        args, 2, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "no hold %" G_GINT64_FORMAT " stands (any more)", hold.id);
		return false;
	}
	hold.item = db_rows_int(rows, 0, 0);
	hold.person = (char *)db_rows_text(rows, 0, 1);
	return record_hold(journal, &hold, "released", error);
}

bool journal_hold_release(struct journal *journal, int64_t id, GError **error)
{
	return journal_transact(journal, release_hold, &id, error);
}

GPtrArray *journal_holds(struct journal *journal, bool released_too, GError **error)
{
	struct db_value args[] = {db_int(released_too ? 1 : 0), db_int(MOST_HOLDS)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT id, item, person, reason, actor, created, released FROM hold"
	        " WHERE released IS NULL OR CAST($1 AS bigint) = 1 ORDER BY id LIMIT $2",
	        args, 2, error);
	if (!rows)
		return NULL;
	GPtrArray *holds = g_ptr_array_new_with_free_func(hold_free);
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		struct hold *hold = g_new0(struct hold, 1);
		hold->id = db_rows_int(rows, r, 0);
		hold->item = db_rows_int(rows, r, 1);
		hold->item_name = hold->item ? journal_item_name(journal, hold->item) : NULL;
		hold->person = g_strdup(db_rows_text(rows, r, 2));
		hold->reason = g_strdup(db_rows_text(rows, r, 3));
		hold->actor = g_strdup(db_rows_text(rows, r, 4));
		hold->created = db_rows_int(rows, r, 5);
		hold->released = db_rows_int(rows, r, 6);
		g_ptr_array_add(holds, hold);
	}
	return holds;
}

/* ---- persons ---- */

GArray *journal_person_items(struct journal *journal, const char *person, GError **error)
{
	struct db_value args[] = {db_text(person)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT id FROM item WHERE person = $1 AND person IS NOT NULL ORDER BY id", args, 1, error);
	if (!rows)
		return NULL;
	GArray *items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		int64_t item = db_rows_int(rows, r, 0);
		g_array_append_val(items, item);
	}
	return items;
}

struct exporting {
	const char *person;
	int64_t items;
};

static bool record_export(struct journal *journal, void *data, GError **error)
{
	const struct exporting *exporting = data;
	JSON_AUTO detail = json_object();
	json_set_int(detail, "items", exporting->items);
	json_set_string(detail, "person", exporting->person);
	struct record record = {.event = RECORD_PERSON_EXPORTED, .detail = detail};
	return record_write(journal, &record, 1, error);
}

bool journal_person_exported(struct journal *journal, const char *person, int64_t items, GError **error)
{
	struct exporting exporting = {person, items};
	return journal_transact(journal, record_export, &exporting, error);
}

struct erasing {
	const char *person;
	int64_t time;
	int64_t facts;
	bool known; /* stands on the list already, with this time or a later one */
};

static bool is_listed(struct journal *journal, struct erasing *erasing, GError **error)
{
	struct db_value args[] = {db_text(erasing->person), db_int(erasing->time)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT 1 FROM erasure WHERE person = $1 AND time >= $2 LIMIT 1", args,
	        2, error);
	if (rows)
		erasing->known = db_rows_count(rows) > 0;
	return rows != NULL;
}

/* Puts a person on the journal's own list; facts imported about him go at once. */
static bool list_person(struct journal *journal, void *data, GError **error)
{
	struct erasing *erasing = data;
	if (!is_listed(journal, erasing, error))
		return false;
	if (erasing->known)
		return true;
	struct db_value row[] = {db_text(erasing->person), db_text(journal->actor), db_int(erasing->time)};
	struct db_value fact[] = {db_text("kundennummer"), db_text(erasing->person)};
	JSON_AUTO detail = json_object();
	json_set_string(detail, "person", erasing->person);
	json_set_int(detail, "time", erasing->time);
	struct record record = {.event = RECORD_PERSON_ERASED, .detail = detail};
	return db_exec(journal->db, "INSERT INTO erasure (person, actor, time) VALUES ($1, $2, $3)", row, 3,
	               NULL, error) &&
	       db_exec(journal->db, "DELETE FROM fact_row WHERE kind = $1 AND key = $2", fact, 2,
	               &erasing->facts, error) &&
	       record_write(journal, &record, 1, error);
}

static bool carry_out(struct journal *journal, struct erase_result *result, GError **error)
{
	unsigned n = 1;
	while (n) {
		if (!privacy_erase_batch(journal, BATCH, &n, error))
			return false;
		result->erased += n;
	}
	return true;
}

static bool count_left(
        struct journal *journal, const char *person, struct erase_result *result, GError **error)
{
	struct db_value args[] = {db_text(person)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT COALESCE(sum(CASE WHEN i.closed IS NULL THEN 1 ELSE 0 END), 0),"
	        " COALESCE(sum(CASE WHEN i.closed IS NOT NULL AND " SQL_HELD " THEN 1 ELSE 0 END), 0)"
	        " FROM item i WHERE i.person = $1 AND i.content_deleted IS NULL",
	        args, 1, error);
	if (!rows)
		return false;
	result->open = db_rows_int(rows, 0, 0);
	result->held = db_rows_int(rows, 0, 1);
	return true;
}

bool journal_person_erase(struct journal *journal, const char *person, struct witness *witness,
        struct erase_result *result, GError **error)
{
	struct erasing erasing = {.person = person};
	*result = (struct erase_result){0};
	if (!db_now(journal->db, &erasing.time, error) ||
	        (witness && !witness_add_erasure(witness, "person", person, erasing.time, error)) ||
	        !journal_transact(journal, list_person, &erasing, error) ||
	        !carry_out(journal, result, error))
		return false;
	result->facts = erasing.facts;
	return count_left(journal, person, result, error);
}

bool journal_reapply_erasures(
        struct journal *journal, struct witness *witness, struct erase_result *result, GError **error)
{
	*result = (struct erase_result){0};
	g_autoptr(GPtrArray) erasures = witness_erasures(witness, error);
	for (guint i = 0; erasures && i < erasures->len; i++) {
		const struct erasure *erasure = erasures->pdata[i];
		struct erasing erasing = {.person = erasure->hash, .time = erasure->time};
		if (strcmp(erasure->kind, "person") != 0)
			continue;
		if (!journal_transact(journal, list_person, &erasing, error))
			return false;
		result->facts += erasing.facts;
	}
	return erasures && carry_out(journal, result, error);
}
