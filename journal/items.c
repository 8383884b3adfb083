/* items.c - claiming items for routing and giving them back. */
#include "journal/items.h"
#include "journal/claim_sql.h"
#include "journal/content_rows.h"
#include "journal/internal.h"
#include "journal/item_rows.h"
#include "core/error.h"

#include <string.h>

#define MAX_BYTES INT64_C(8388608)
#define MAX_RAW   INT64_C(16777216)

G_STATIC_ASSERT(CONTENT_MAX_CHUNKS == 4096); /* stands in the SQL below */

void item_claim_free(struct item_claim *claim)
{
	if (!claim)
		return;
	item_free(claim->item);
	g_free(claim->name);
	g_free(claim);
}

static void claim_free(gpointer claim)
{
	item_claim_free(claim);
}

struct item *item_read(const struct db_rows *rows, unsigned r, unsigned column)
{
	struct item *item = item_new();
	item->id = db_rows_int(rows, r, column);
	item->source = g_strdup(db_rows_text(rows, r, column + 1));
	item->mailbox = g_strdup(db_rows_text(rows, r, column + 2));
	item->key = g_strdup(db_rows_text(rows, r, column + 3));
	channel_parse(db_rows_text(rows, r, column + 4), &item->channel);
	item->received = db_rows_int(rows, r, column + 5);
	g_strlcpy(item->sha256, db_rows_text(rows, r, column + 6), sizeof item->sha256);
	const char *fields = db_rows_text(rows, r, column + 7);
	json_decref(item->fields);
	item->fields = fields ? journal_json_read(fields) : NULL;
	return item;
}

struct claiming {
	const struct item_claim_options *options;
	int64_t now;
	GPtrArray *claims;
};

/* What fits: in order, until the budget of bytes is used up; a retried item alone. */
static void choose(const struct db_rows *due, const struct claiming *claiming, struct values *chosen)
{
	int64_t budget = claiming->options->max_bytes ? claiming->options->max_bytes : MAX_BYTES;
	for (unsigned r = 0; r < db_rows_count(due); r++) {
		bool retried = db_rows_int(due, r, 2) > 0;
		if (retried && values_rows(chosen))
			continue;
		budget -= db_rows_int(due, r, 1);
		if (budget < 0 && values_rows(chosen))
			return;
		values_int(chosen, db_rows_int(due, r, 0));
		values_int(chosen, claiming->now + claiming->options->duration);
		if (retried)
			return;
	}
}

static struct item_claim *read_claim(const struct db_rows *row)
{
	struct item_claim *claim = g_new0(struct item_claim, 1);
	claim->item = item_read(row, 0, 0);
	claim->fence = db_rows_int(row, 0, 8);
	claim->size = db_rows_int(row, 0, 9);
	claim->duplicate_of = db_rows_int(row, 0, 10);
	claim->attempts = (int)db_rows_int(row, 0, 11) - 1;
	claim->poisoned = claim->attempts >= ITEM_POISON_ATTEMPTS;
	claim->received_in_future = db_rows_int(row, 0, 12) != 0;
	claim->item->raw = db_rows_bytes(row, 0, 13);
	return claim;
}

static int64_t max_raw(const struct claiming *claiming)
{
	return claiming->options->max_raw ? claiming->options->max_raw : MAX_RAW;
}

/* Content in one row comes with the item. What is not there stays NULL: it must not block others. */
static bool take_items(
        struct journal *journal, struct claiming *claiming, struct values *chosen, GError **error)
{
	AUTO(values) marks = values_new(4);
	for (unsigned i = 0; i < values_rows(chosen); i++) {
		values_int(marks, values_get_int(chosen, i, 0));
		values_int(marks, values_get_int(chosen, i, 1));
		values_text(marks, journal->worker);
		values_int(marks, MIN(CONTENT_CHUNK, max_raw(claiming)));
	}
	g_autoptr(GPtrArray) taken = values_query(marks, journal,
	        "UPDATE item SET wake = $2, worker = $3, fence = fence + 1, attempts = attempts + 1"
	        " WHERE id = $1 RETURNING id, (SELECT source FROM mailbox m WHERE m.id = item.mailbox),"
	        " (SELECT name FROM mailbox m WHERE m.id = item.mailbox), key, channel, received, sha256, "
	        "fields,"
	        " fence, size, duplicate_of, attempts, future,"
	        " (SELECT bytes FROM content c WHERE c.id = item.id * 4096 AND item.size <= $4)",
	        error);
	for (guint i = 0; taken && i < taken->len; i++) {
		struct item_claim *claim = read_claim(g_ptr_array_index(taken, i));
		claim->name = journal_item_name(journal, claim->item->id);
		g_ptr_array_add(claiming->claims, claim);
	}
	return taken != NULL;
}

static bool fetch_large(struct journal *journal, const struct claiming *claiming, GError **error)
{
	for (guint i = 0; i < claiming->claims->len; i++) {
		struct item_claim *claim = g_ptr_array_index(claiming->claims, i);
		if (claim->item->raw || claim->size <= CONTENT_CHUNK || claim->size > max_raw(claiming))
			continue;
		g_autoptr(GError) why = NULL;
		claim->item->raw = journal_content(journal, claim->item->id, (size_t)claim->size, &why);
		if (why && error_class(why) != ERROR_INPUT) {
			g_propagate_error(error, g_steal_pointer(&why));
			return false;
		}
	}
	return true;
}

static bool claim_items(struct journal *journal, void *data, GError **error)
{
	struct claiming *claiming = data;
	if (!db_now(journal->db, &claiming->now, error))
		return false;
	struct db_value args[] = {db_int(claiming->now), db_int(claiming->options->max)};
	AUTO(db_rows)
	due = db_query(journal->db, SQL_CLAIM(journal, SQL_DUE_ITEMS), args, 2, error);
	if (!due)
		return false;
	AUTO(values) chosen = values_new(2);
	choose(due, claiming, chosen);
	return take_items(journal, claiming, chosen, error) && fetch_large(journal, claiming, error);
}

GPtrArray *journal_claim_items(
        struct journal *journal, const struct item_claim_options *options, GError **error)
{
	g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func(claim_free);
	struct claiming claiming = {.options = options, .claims = claims};
	if (!journal_transact_lease(journal, claim_items, &claiming, error))
		return NULL;
	return g_steal_pointer(&claims);
}

struct releasing {
	const GPtrArray *claims;
	int64_t delay;
	bool counts;
};

static bool release_items(struct journal *journal, void *data, GError **error)
{
	const struct releasing *releasing = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	AUTO(values) rows = values_new(4);
	for (guint i = 0; i < releasing->claims->len; i++) {
		const struct item_claim *claim = g_ptr_array_index(releasing->claims, i);
		values_int(rows, claim->item->id);
		values_int(rows, claim->fence);
		values_int(rows, now + releasing->delay);
		values_int(rows, releasing->counts ? 0 : 1);
	}
	return values_exec(rows, journal,
	        "UPDATE item SET wake = $3, worker = NULL, fence = fence + 1, attempts = attempts - $4"
	        " WHERE id = $1 AND fence = $2 AND state = 'received'",
	        NULL, error);
}

bool journal_release_items(
        struct journal *journal, const GPtrArray *claims, int64_t delay, bool counts, GError **error)
{
	struct releasing releasing = {.claims = claims, .delay = delay, .counts = counts};
	return journal_transact(journal, release_items, &releasing, error);
}
