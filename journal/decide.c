/* decide.c - a batch of decisions with all that follows from them, in one transaction.
 *
 * Order of locks, the same in every worker: active bundle, own items, call windows by key, reply windows by
 * key.
 */
#include "journal/internal.h"
#include "journal/items.h"
#include "journal/open_tasks.h"
#include "journal/record.h"
#include "journal/rounds.h"
#include "core/error.h"

#include <string.h>

/* Columns of a decision as text: written into the row, and their hashes into the record. */
struct column_texts {
	char *decision, *findings, *facts;
};

struct deciding {
	struct journal *journal;
	const char *bundle;
	struct new_decision *decisions;
	unsigned n;
	int64_t business;             /* time of the windows */
	int64_t now;                  /* database time */
	int64_t *rounds;              /* beside decisions: round of this decision */
	GBytes **salts;               /* beside decisions */
	struct column_texts *columns; /* beside decisions */
	GPtrArray *texts;             /* keys of windows */
	GPtrArray *posts;             /* struct new_task * to post outside, beside post_ids */
	GArray *post_items;
};

static bool lives(const struct deciding *deciding, unsigned i)
{
	return !deciding->decisions[i].lost;
}

static char *column_text(const json_t *value)
{
	return value ? journal_json_text(value) : g_strdup("{}");
}

static struct column_texts *column_texts_new(const struct new_decision *decisions, unsigned n)
{
	struct column_texts *columns = g_new0(struct column_texts, n + 1);
	for (unsigned i = 0; i < n; i++)
		columns[i] = (struct column_texts){column_text(decisions[i].decision),
		        column_text(decisions[i].findings), column_text(decisions[i].facts)};
	return columns;
}

static void column_texts_free(struct column_texts *columns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		g_free(columns[i].decision);
		g_free(columns[i].findings);
		g_free(columns[i].facts);
	}
	g_free(columns);
}

/* ---- checks ---- */

static bool check_bundle(struct deciding *deciding, GError **error)
{
	AUTO(db_rows)
	rows = db_query(deciding->journal->db,
	        SQL_SHARE(deciding->journal, "SELECT hash FROM active WHERE one = 1"), NULL, 0, error);
	if (!rows)
		return false;
	if (db_rows_count(rows) && strcmp(db_rows_text(rows, 0, 0), deciding->bundle) == 0)
		return true;
	fail_as(error, ERROR_AGAIN, SCOPE_SOURCE, WHEN_NOW, "another bundle is active now");
	return false;
}

static bool check_fences(struct deciding *deciding, GError **error)
{
	AUTO(values) rows = values_new(2);
	for (unsigned i = 0; i < deciding->n; i++) {
		values_int(rows, deciding->decisions[i].item);
		values_int(rows, deciding->decisions[i].fence);
	}
	g_autoptr(GPtrArray) found = values_query(rows, deciding->journal,
	        SQL_LOCK(deciding->journal,
	                "SELECT round, salt FROM item WHERE id = $1 AND fence = $2 AND state = 'received'"),
	        error);
	for (guint i = 0; found && i < found->len; i++) {
		const struct db_rows *row = g_ptr_array_index(found, i);
		deciding->decisions[i].lost = db_rows_count(row) == 0;
		deciding->rounds[i] = db_rows_count(row) ? db_rows_int(row, 0, 0) + 1 : 0;
		deciding->salts[i] = db_rows_count(row) ? db_rows_bytes(row, 0, 1) : NULL;
	}
	return found != NULL;
}

/* ---- numbers ---- */

/* The same key twice in one decision is one delivery: the first. */
static bool stands_before(const struct new_decision *decision, unsigned d)
{
	const struct new_delivery *delivery = &decision->deliveries[d];
	for (unsigned i = 0; i < d; i++) {
		const struct new_delivery *other = &decision->deliveries[i];
		if (strcmp(other->handler, delivery->handler) == 0 &&
		        g_strcmp0(other->suffix, delivery->suffix) == 0)
			return true;
	}
	return false;
}

static bool give_delivery_numbers(struct deciding *deciding, GError **error)
{
	unsigned need = 0, next = 0;
	for (unsigned i = 0; i < deciding->n; i++)
		need += lives(deciding, i) ? deciding->decisions[i].n_deliveries : 0;
	g_autofree int64_t *numbers = g_new0(int64_t, need + 1);
	if (!db_numbers(deciding->journal->db, "delivery", need, numbers, error))
		return false;
	for (unsigned i = 0; i < deciding->n; i++) {
		struct new_decision *decision = &deciding->decisions[i];
		for (unsigned d = 0; lives(deciding, i) && d < decision->n_deliveries; d++) {
			decision->deliveries[d].id = stands_before(decision, d) ? 0 : numbers[next];
			next++;
			decision->deliveries[d].suppressed = false;
		}
	}
	return true;
}

static bool give_task_numbers(struct deciding *deciding, GError **error)
{
	unsigned need = 0, next = 0;
	for (unsigned i = 0; i < deciding->n; i++)
		need += lives(deciding, i) ? deciding->decisions[i].n_tasks : 0;
	g_autofree int64_t *numbers = g_new0(int64_t, need + 1);
	if (!db_numbers(deciding->journal->db, "task", need, numbers, error))
		return false;
	for (unsigned i = 0; i < deciding->n; i++) {
		struct new_decision *decision = &deciding->decisions[i];
		for (unsigned t = 0; lives(deciding, i) && t < decision->n_tasks; t++) {
			decision->tasks[t].id = numbers[next++];
			decision->tasks[t].linked_to = decision->tasks[t].linked_to_item = 0;
		}
	}
	return true;
}

/* ---- windows ---- */

struct window_entry {
	const char *key, *concern;
	int64_t id, item, window;
	struct new_task *task; /* or */
	struct new_delivery *delivery;
};

/* By key, so that two workers never wait for each other; the older registration first. */
static int by_window_key(const void *a, const void *b)
{
	const struct window_entry *x = a, *y = b;
	int order = strcmp(x->key, y->key);
	if (!order)
		order = strcmp(x->concern, y->concern);
	return order ? order : x->id < y->id ? -1 : x->id > y->id;
}

static const char *case_of(struct deciding *deciding, int64_t item, const char *case_key)
{
	if (case_key)
		return case_key;
	char *key = journal_item_name(deciding->journal, item);
	g_ptr_array_add(deciding->texts, key);
	return key;
}

static GArray *calls(struct deciding *deciding)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct window_entry));
	for (unsigned i = 0; i < deciding->n; i++) {
		struct new_decision *decision = &deciding->decisions[i];
		for (unsigned t = 0; lives(deciding, i) && t < decision->n_tasks; t++) {
			struct new_task *task = &decision->tasks[t];
			if (strcmp(task->kind, "call") != 0)
				continue;
			struct window_entry entry = {.key = case_of(deciding, decision->item, task->case_key),
			        .concern = task->concern ? task->concern : "",
			        .id = task->id,
			        .item = decision->item,
			        .window = task->window,
			        .task = task};
			g_array_append_val(entries, entry);
		}
	}
	g_array_sort(entries, by_window_key);
	return entries;
}

static const char call_sql[] =
        "INSERT INTO call_window (case_key, concern, task, item, time) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (case_key, concern) DO UPDATE SET task = excluded.task, item = excluded.item,"
        " time = excluded.time WHERE call_window.time + CAST($6 AS bigint) <= excluded.time RETURNING task";

static struct values *window_rows(const struct deciding *deciding, const GArray *entries, bool with_item)
{
	struct values *rows = values_new(with_item ? 6 : 5);
	for (guint i = 0; i < entries->len; i++) {
		const struct window_entry *entry = &g_array_index(entries, struct window_entry, i);
		values_text(rows, entry->key);
		values_text(rows, entry->concern);
		values_int(rows, entry->id);
		if (with_item)
			values_int(rows, entry->item);
		values_int(rows, deciding->business);
		values_int(rows, entry->window);
	}
	return rows;
}

/* The call that stands for one that is not made. */
static bool link_call(struct deciding *deciding, const struct window_entry *entry, GError **error)
{
	struct db_value args[] = {db_text(entry->key), db_text(entry->concern)};
	AUTO(db_rows)
	rows = db_query(deciding->journal->db,
	        "SELECT task, item FROM call_window WHERE case_key = $1 AND concern = $2", args, 2, error);
	if (!rows)
		return false;
	entry->task->id = 0;
	entry->task->linked_to = db_rows_int(rows, 0, 0);
	entry->task->linked_to_item = db_rows_int(rows, 0, 1);
	return true;
}

static bool register_calls(struct deciding *deciding, GError **error)
{
	g_autoptr(GArray) entries = calls(deciding);
	AUTO(values) rows = window_rows(deciding, entries, true);
	g_autoptr(GPtrArray) results = values_query(rows, deciding->journal, call_sql, error);
	for (guint i = 0; results && i < results->len; i++) {
		const struct window_entry *entry = &g_array_index(entries, struct window_entry, i);
		if (!db_rows_count(g_ptr_array_index(results, i)) && !link_call(deciding, entry, error))
			return false;
	}
	return results != NULL;
}

static GArray *replies(struct deciding *deciding)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct window_entry));
	for (unsigned i = 0; i < deciding->n; i++) {
		struct new_decision *decision = &deciding->decisions[i];
		for (unsigned d = 0; lives(deciding, i) && d < decision->n_deliveries; d++) {
			struct new_delivery *delivery = &decision->deliveries[d];
			if (!delivery->window_key || !delivery->id)
				continue;
			struct window_entry entry = {.key = delivery->window_key,
			        .concern = delivery->window_concern ? delivery->window_concern : "",
			        .id = delivery->id,
			        .window = delivery->window,
			        .delivery = delivery};
			g_array_append_val(entries, entry);
		}
	}
	g_array_sort(entries, by_window_key);
	return entries;
}

static const char reply_sql[] =
        "INSERT INTO reply_window (sender, concern, delivery, time) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (sender, concern) DO UPDATE SET delivery = excluded.delivery, time = excluded.time"
        " WHERE reply_window.time + CAST($5 AS bigint) <= excluded.time RETURNING delivery";

static bool register_replies(struct deciding *deciding, GError **error)
{
	g_autoptr(GArray) entries = replies(deciding);
	AUTO(values) rows = window_rows(deciding, entries, false);
	g_autoptr(GPtrArray) results = values_query(rows, deciding->journal, reply_sql, error);
	for (guint i = 0; results && i < results->len; i++) {
		const struct window_entry *entry = &g_array_index(entries, struct window_entry, i);
		entry->delivery->suppressed = db_rows_count(g_ptr_array_index(results, i)) == 0;
	}
	return results != NULL;
}

/* ---- rows ---- */

static void add_delivery_rows(
        struct deciding *deciding, struct values *rows, const struct new_decision *decision)
{
	g_autofree char *name = journal_item_name(deciding->journal, decision->item);
	for (unsigned d = 0; d < decision->n_deliveries; d++) {
		const struct new_delivery *delivery = &decision->deliveries[d];
		if (!delivery->id)
			continue;
		struct delivery_row row = {.id = delivery->id,
		        .item = decision->item,
		        .not_before = delivery->not_before,
		        .handler = delivery->handler,
		        .state = delivery->suppressed ? "suppressed" : "due",
		        .reason = delivery->suppressed ? "window" : NULL,
		        .key = delivery_key(name, delivery),
		        .params = delivery->params,
		        .at_most_once = delivery->at_most_once};
		delivery_rows_add(rows, &row, deciding->now);
	}
}

static void add_task_rows(struct deciding *deciding, struct values *rows, const struct new_decision *decision)
{
	for (unsigned t = 0; t < decision->n_tasks; t++) {
		const struct new_task *task = &decision->tasks[t];
		if (!task->id)
			continue;
		task_rows_add(rows, decision->item, task, deciding->now, NULL);
		if (task->post) {
			g_ptr_array_add(deciding->posts, (gpointer)task);
			g_array_append_val(deciding->post_items, decision->item);
		}
	}
}

static bool add_post_rows(struct deciding *deciding, struct values *rows, GError **error)
{
	guint n = deciding->posts->len;
	g_autofree int64_t *numbers = g_new0(int64_t, n + 1);
	if (!db_numbers(deciding->journal->db, "delivery", n, numbers, error))
		return false;
	for (guint i = 0; i < n; i++)
		delivery_rows_add_post(rows, deciding->journal, numbers[i],
		        g_array_index(deciding->post_items, int64_t, i),
		        g_ptr_array_index(deciding->posts, i), deciding->now);
	return true;
}

static bool write_work(struct deciding *deciding, GError **error)
{
	AUTO(values) deliveries = delivery_rows_new();
	AUTO(values) tasks = task_rows_new();
	for (unsigned i = 0; i < deciding->n; i++) {
		if (!lives(deciding, i))
			continue;
		add_delivery_rows(deciding, deliveries, &deciding->decisions[i]);
		add_task_rows(deciding, tasks, &deciding->decisions[i]);
	}
	return add_post_rows(deciding, deliveries, error) &&
	       task_rows_write(tasks, deciding->journal, error) &&
	       delivery_rows_write(deliveries, deciding->journal, error);
}

static bool write_decisions(struct deciding *deciding, GError **error)
{
	AUTO(values) rows = values_new(11);
	for (unsigned i = 0; i < deciding->n; i++) {
		const struct new_decision *decision = &deciding->decisions[i];
		if (!lives(deciding, i))
			continue;
		values_int(rows, decision->item);
		values_int(rows, deciding->rounds[i]);
		values_int(rows, deciding->now);
		values_text(rows, deciding->bundle);
		values_text(rows, decision->engine ? decision->engine : "");
		values_text(rows, decision->ruleset ? decision->ruleset : "");
		values_text(rows, relevance_name(decision->relevance));
		values_text(rows, decision->contact_code ? decision->contact_code : "");
		values_text(rows, deciding->columns[i].decision);
		values_text(rows, deciding->columns[i].findings);
		values_text(rows, deciding->columns[i].facts);
	}
	return values_exec(rows, deciding->journal,
	        "INSERT INTO decision (item, round, time, bundle, engine, ruleset, relevance, contact_code,"
	        " decision, findings, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	        NULL, error);
}

static int64_t open_of(const struct new_decision *decision)
{
	int64_t open = 0;
	for (unsigned d = 0; d < decision->n_deliveries; d++)
		open += decision->deliveries[d].id && !decision->deliveries[d].suppressed;
	for (unsigned t = 0; t < decision->n_tasks; t++)
		if (decision->tasks[t].id)
			open += decision->tasks[t].post ? 2 : 1;
	return open;
}

static bool write_items(struct deciding *deciding, GError **error)
{
	AUTO(values) rows = values_new(7);
	for (unsigned i = 0; i < deciding->n; i++) {
		const struct new_decision *decision = &deciding->decisions[i];
		if (!lives(deciding, i))
			continue;
		values_int(rows, decision->item);
		values_int(rows, deciding->now);
		values_int(rows, deciding->rounds[i]);
		values_text(rows, relevance_name(decision->relevance));
		values_text(rows, decision->contact_code);
		values_text(rows, decision->person);
		values_int(rows, open_of(decision));
	}
	return values_exec(rows, deciding->journal,
	        "UPDATE item SET state = 'decided', worker = NULL, attempts = 0, fence = fence + 1, decided "
	        "= $2,"
	        " round = $3, relevance = $4, contact_code = $5, person = COALESCE($6, person),"
	        " open = open + CAST($7 AS bigint), closed = CASE WHEN open + CAST($7 AS bigint) = 0"
	        " THEN CAST($2 AS bigint) END WHERE id = $1",
	        NULL, error);
}

/* ---- records ---- */

static json_t *delivery_detail(const char *name, const struct new_delivery *delivery)
{
	g_autofree char *key = delivery_key(name, delivery);
	json_t *detail = json_object();
	json_set_string(detail, "handler", delivery->handler);
	json_set_string(detail, "key", key);
	json_set_string(detail, "state",
	        !delivery->id          ? "planned_before"
	        : delivery->suppressed ? "suppressed"
	                               : "due");
	if (delivery->not_before)
		json_set_int(detail, "not_before", delivery->not_before);
	if (delivery->at_most_once)
		json_set_bool(detail, "at_most_once", true);
	return detail;
}

static json_t *task_detail(const struct journal *journal, const struct new_task *task)
{
	json_t *detail = json_object();
	json_set_string(detail, "kind", task->kind);
	if (task->id)
		json_set_int(detail, "task", task->id);
	if (task->id && task->post)
		json_set_bool(detail, "post", true);
	if (task->concern)
		json_set_string(detail, "concern", task->concern);
	if (task->linked_to) {
		g_autofree char *item = journal_item_name(journal, task->linked_to_item);
		json_set_int(detail, "linked_to", task->linked_to);
		json_set_string(detail, "linked_to_item", item);
	}
	return detail;
}

/* What the decision row holds, so that a changed row is noticed. */
static void set_hash(json_t *detail, const char *key, const char *text)
{
	char hash[HASH_HEX_SIZE];
	hash_hex(text, strlen(text), hash);
	json_set_string(detail, key, hash);
}

/* Parameters and texts stay out of the log; that they are changed later would not. */
static void set_work(const struct deciding *deciding, unsigned i, const char *name, json_t *detail)
{
	const struct new_decision *decision = &deciding->decisions[i];
	g_autoptr(GString) work = g_string_new(NULL);
	for (unsigned d = 0; d < decision->n_deliveries; d++) {
		const struct new_delivery *delivery = &decision->deliveries[d];
		g_autofree char *key = delivery->id ? delivery_key(name, delivery) : NULL;
		g_autofree char *params = journal_json_text(delivery->params);
		if (key)
			record_add_work(work, key, NULL, params);
	}
	for (unsigned t = 0; t < decision->n_tasks; t++) {
		const struct new_task *task = &decision->tasks[t];
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, task->id);
		g_autofree char *params = journal_json_text(task->params);
		if (task->id)
			record_add_work(work, number, task->text, params);
	}
	char sealed[HASH_HEX_SIZE];
	record_text_commitment(deciding->salts[i], work->str, sealed);
	if (*sealed)
		json_set_string(detail, "work", sealed);
}

static json_t *decided_detail(const struct deciding *deciding, unsigned i)
{
	const struct new_decision *decision = &deciding->decisions[i];
	g_autofree char *name = journal_item_name(deciding->journal, decision->item);
	json_t *detail = decision->record ? json_copy(decision->record) : json_object();
	json_set_string(detail, "bundle", deciding->bundle);
	json_set_string(detail, "engine", decision->engine);
	json_set_string(detail, "ruleset", decision->ruleset);
	json_set_string(detail, "payment_relevant", relevance_name(decision->relevance));
	json_set_string(detail, "contact_code", decision->contact_code);
	json_set_int(detail, "round", deciding->rounds[i]);
	if (decision->person)
		json_set_string(detail, "person", decision->person);
	json_t *deliveries = json_array(), *tasks = json_array();
	for (unsigned d = 0; d < decision->n_deliveries; d++)
		json_array_append_new(deliveries, delivery_detail(name, &decision->deliveries[d]));
	for (unsigned t = 0; t < decision->n_tasks; t++)
		json_array_append_new(tasks, task_detail(deciding->journal, &decision->tasks[t]));
	json_object_set_new(detail, "deliveries", deliveries);
	json_object_set_new(detail, "tasks", tasks);
	set_work(deciding, i, name, detail);
	set_hash(detail, "decision_sha256", deciding->columns[i].decision);
	set_hash(detail, "findings_sha256", deciding->columns[i].findings);
	set_hash(detail, "facts_sha256", deciding->columns[i].facts);
	return detail;
}

static bool write_records(struct deciding *deciding, GError **error)
{
	g_autoptr(GPtrArray) details = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
	for (unsigned i = 0; i < deciding->n; i++) {
		if (!lives(deciding, i))
			continue;
		json_t *detail = decided_detail(deciding, i);
		g_ptr_array_add(details, detail);
		struct record record = {
		        .event = RECORD_DECIDED, .item = deciding->decisions[i].item, .detail = detail};
		g_array_append_val(records, record);
	}
	return record_write(
	        deciding->journal, (const struct record *)(void *)records->data, records->len, error);
}

/* ---- the whole ---- */

static bool supersede_earlier(struct deciding *deciding, GError **error)
{
	for (unsigned i = 0; i < deciding->n; i++)
		if (lives(deciding, i) && deciding->rounds[i] > 1 &&
		        !round_supersede(deciding->journal, &deciding->decisions[i], deciding->now, error))
			return false;
	return true;
}

static bool commit_decisions(struct journal *journal, void *data, GError **error)
{
	struct deciding *deciding = data;
	return db_now(journal->db, &deciding->now, error) && check_bundle(deciding, error) &&
	       check_fences(deciding, error) && give_delivery_numbers(deciding, error) &&
	       give_task_numbers(deciding, error) && supersede_earlier(deciding, error) &&
	       register_calls(deciding, error) && register_replies(deciding, error) &&
	       write_decisions(deciding, error) && write_work(deciding, error) &&
	       write_items(deciding, error) && write_records(deciding, error);
}

bool journal_commit_decisions(struct journal *journal, const char *bundle, struct new_decision *decisions,
        unsigned n, int64_t now, GError **error)
{
	struct deciding deciding = {
	        .journal = journal, .bundle = bundle, .decisions = decisions, .n = n, .business = now};
	deciding.rounds = g_new0(int64_t, n + 1);
	deciding.columns = column_texts_new(decisions, n);
	deciding.salts = g_new0(GBytes *, n + 1);
	deciding.texts = g_ptr_array_new_with_free_func(g_free);
	deciding.posts = g_ptr_array_new();
	deciding.post_items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	bool ok = journal_transact(journal, commit_decisions, &deciding, error);
	for (unsigned i = 0; i < n; i++)
		g_bytes_unref(deciding.salts[i]);
	g_free(deciding.salts);
	g_free(deciding.rounds);
	column_texts_free(deciding.columns, n);
	g_ptr_array_unref(deciding.texts);
	g_ptr_array_unref(deciding.posts);
	g_array_unref(deciding.post_items);
	return ok;
}
