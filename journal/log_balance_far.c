/* log_balance_far.c - documents at the far side against receipts in the journal, both ways.
 *
 * What was met is kept as delivery numbers, 8 bytes each; everything else is asked of the journal in batches.
 */
#include "journal/internal.h"
#include "journal/log_balance_rows.h"

#include <string.h>

enum { BATCH = 500, PAGE = 5000 };

struct document {
	char *key, *sha256;
};

struct balance_far {
	struct balancing b;
	GArray *pending; /* of struct document */
	GArray *met;     /* of int64_t: deliveries whose document was seen */
};

static void document_clear(void *data)
{
	struct document *document = data;
	g_free(document->key);
	g_free(document->sha256);
}

struct balance_far *balance_far_new(
        struct journal *journal, const struct balance_options *options, struct balance_report *report)
{
	struct balance_far *far = g_new0(struct balance_far, 1);
	far->b = (struct balancing){.journal = journal, .options = options, .report = report};
	balance_period(&far->b);
	far->pending = g_array_new(FALSE, FALSE, sizeof(struct document));
	g_array_set_clear_func(far->pending, document_clear);
	far->met = g_array_new(FALSE, FALSE, sizeof(int64_t));
	return far;
}

void balance_far_free(struct balance_far *far)
{
	if (!far)
		return;
	g_array_unref(far->pending);
	g_array_unref(far->met);
	g_free(far);
}

/* "<8 hex digits>-…" of another installation that shares the far side. */
static bool is_foreign(const struct balance_far *far, const char *key)
{
	const char *instance = journal_instance(far->b.journal);
	size_t size = strlen(instance);
	return strspn(key, "0123456789abcdef") == size && key[size] == '-' &&
	       strncmp(key, instance, size) != 0;
}

static void differ(struct balance_far *far, const char *kind, const char *key, const char *text)
{
	balance_add(&far->b, kind, g_strdup(key), g_strdup(text));
}

/* `row`: delivery id, state, content hash of its item, time of taking in; no row: there is no such delivery.
 */
static void judge(struct balance_far *far, const struct document *document, const struct db_rows *row)
{
	if (!db_rows_count(row)) {
		differ(far, BALANCE_ORPHAN, document->key, "no delivery of this journal made this document");
		return;
	}
	int64_t id = db_rows_int(row, 0, 0), taken = db_rows_int(row, 0, 3);
	const char *state = db_rows_text(row, 0, 1);
	g_array_append_val(far->met, id);
	if (taken < far->b.since || taken >= far->b.until)
		return;
	bool open = strcmp(state, "due") == 0 || strcmp(state, "sending") == 0;
	if (strcmp(state, "confirmed") != 0 && !open)
		balance_add(&far->b, BALANCE_ORPHAN, g_strdup(document->key),
		        g_strdup_printf("the document is there, its delivery is \"%s\"", state));
	if (!document->sha256)
		differ(far, BALANCE_DIFFERS, document->key, "the document is damaged or only half there");
	else if (g_strcmp0(document->sha256, db_rows_text(row, 0, 2)) != 0)
		differ(far, BALANCE_DIFFERS, document->key, "other bytes than were received");
}

static bool judge_pending(struct balance_far *far, GError **error)
{
	AUTO(values) keys = values_new(1);
	for (guint i = 0; i < far->pending->len; i++)
		values_text(keys, g_array_index(far->pending, struct document, i).key);
	g_autoptr(GPtrArray) rows = values_query(keys, far->b.journal,
	        "SELECT d.id, d.state, i.sha256, i.taken FROM delivery d JOIN item i ON i.id = d.item"
	        " WHERE d.key = $1 AND d.handler = 'eakte'",
	        error);
	for (guint i = 0; rows && i < rows->len; i++)
		judge(far, &g_array_index(far->pending, struct document, i), rows->pdata[i]);
	g_array_set_size(far->pending, 0);
	return rows != NULL;
}

bool balance_far_add(
        struct balance_far *far, const char *key, const char *sha256, int64_t size, GError **error)
{
	(void)size;
	far->b.report->documents++;
	if (is_foreign(far, key)) {
		far->b.report->foreign++;
		return true;
	}
	struct document document = {g_strdup(key), g_strdup(sha256)};
	g_array_append_val(far->pending, document);
	return far->pending->len < BATCH || judge_pending(far, error);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void find_doubles(struct balance_far *far)
{
	for (guint i = 1; i < far->met->len; i++) {
		int64_t id = g_array_index(far->met, int64_t, i);
		if (g_array_index(far->met, int64_t, i - 1) == id)
			balance_add(&far->b, BALANCE_TWICE, g_strdup_printf("delivery %" G_GINT64_FORMAT, id),
			        g_strdup("two documents of one delivery"));
	}
}

static bool was_met(const struct balance_far *far, int64_t id)
{
	return far->met->len && bsearch(&id, far->met->data, far->met->len, sizeof id, by_number);
}

static bool find_missing(struct balance_far *far, GError **error)
{
	for (int64_t after = 0;;) {
		struct db_value args[] = {
		        db_int(after), db_int(far->b.since), db_int(far->b.until), db_int(PAGE)};
		AUTO(db_rows)
		rows = db_query(far->b.journal->db,
		        "SELECT d.id, d.key FROM delivery d JOIN item i ON i.id = d.item WHERE d.id > $1"
		        " AND d.handler = 'eakte' AND d.state = 'confirmed' AND i.taken >= $2 AND i.taken < "
		        "$3"
		        " ORDER BY d.id LIMIT $4",
		        args, 4, error);
		if (!rows)
			return false;
		unsigned n = db_rows_count(rows);
		for (unsigned r = 0; r < n; r++)
			if (!was_met(far, db_rows_int(rows, r, 0)))
				differ(far, BALANCE_MISSING, db_rows_text(rows, r, 1),
				        "the journal has a receipt, the eAkte has no document");
		if (n < PAGE)
			return true;
		after = db_rows_int(rows, n - 1, 0);
	}
}

bool balance_far_end(struct balance_far *far, GError **error)
{
	if (!judge_pending(far, error))
		return false;
	g_array_sort(far->met, by_number);
	find_doubles(far);
	return find_missing(far, error);
}
