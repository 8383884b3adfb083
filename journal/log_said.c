/* log_said.c - see log_said.h. */
#include "journal/log_said.h"
#include "core/json.h"

#include <string.h>

static void item_free_said(void *data)
{
	struct said_item *item = data;
	json_decref(item->received);
	g_free(item->relevance);
	g_free(item->contact_code);
	g_free(item->person);
	g_free(item);
}

static void decision_free(void *data)
{
	struct said_decision *decision = data;
	json_decref(decision->detail);
	g_free(decision);
}

static void delivery_free_said(void *data)
{
	struct said_delivery *delivery = data;
	g_free(delivery->handler);
	g_free(delivery->state);
	g_free(delivery->reason);
	json_decref(delivery->receipt);
	g_free(delivery);
}

static void task_free_said(void *data)
{
	struct said_task *task = data;
	g_free(task->kind);
	g_free(task->state);
	g_free(task->outcome);
	g_free(task->actor);
	g_free(task->concern);
	g_free(task->reason);
	g_free(task->reason_commitment);
	g_free(task);
}

struct said *said_new(const struct journal *journal, bool blind)
{
	struct said *said = g_new0(struct said, 1);
	said->journal = journal;
	said->blind = blind;
	said->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	said->items = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, item_free_said);
	said->decisions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, decision_free);
	said->deliveries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, delivery_free_said);
	said->tasks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, task_free_said);
	return said;
}

void said_free(struct said *said)
{
	if (!said)
		return;
	g_hash_table_unref(said->items);
	g_hash_table_unref(said->decisions);
	g_hash_table_unref(said->deliveries);
	g_hash_table_unref(said->tasks);
	g_hash_table_unref(said->lines);
	g_free(said);
}

void said_count(struct said *said, char *line, int by)
{
	int sum = GPOINTER_TO_INT(g_hash_table_lookup(said->lines, line)) + by;
	g_hash_table_insert(said->lines, line, GINT_TO_POINTER(sum));
}

char *said_alias_line(const struct said *said, int64_t item, int64_t time, const char *keyed_key)
{
	return g_strdup_printf("item %" G_GINT64_FORMAT " known again at %" G_GINT64_FORMAT " as %s", item,
	        time, said->blind || !keyed_key ? "" : keyed_key);
}

static void set(char **slot, const char *text)
{
	g_free(*slot);
	*slot = g_strdup(text);
}

static struct said_item *item_of(struct said *said, int64_t number)
{
	struct said_item *item = g_hash_table_lookup(said->items, &number);
	if (!item) {
		item = g_new0(struct said_item, 1);
		item->number = number;
		g_hash_table_insert(said->items, &item->number, item);
	}
	return item;
}

static struct said_delivery *delivery_of(struct said *said, int64_t item, const char *key)
{
	struct said_delivery *delivery = g_hash_table_lookup(said->deliveries, key);
	if (!delivery) {
		delivery = g_new0(struct said_delivery, 1);
		delivery->item = item;
		g_hash_table_insert(said->deliveries, g_strdup(key), delivery);
	}
	return delivery;
}

static struct said_task *task_of(struct said *said, int64_t item, int64_t number)
{
	struct said_task *task = g_hash_table_lookup(said->tasks, &number);
	if (!task) {
		task = g_new0(struct said_task, 1);
		task->number = number;
		task->item = item;
		g_hash_table_insert(said->tasks, &task->number, task);
	}
	return task;
}

static void hear_opened(struct said *said, int64_t item, const json_t *detail, int64_t time)
{
	int64_t number = json_get_int(detail, "task", 0);
	if (!number)
		return; /* a call that is linked to another */
	struct said_task *task = task_of(said, item, number);
	set(&task->kind, json_get_string(detail, "kind"));
	set(&task->concern, json_get_string(detail, "concern"));
	set(&task->state, "open");
	task->created = time;
}

static void hear_planned(struct said *said, int64_t item, const json_t *detail, int64_t time)
{
	const char *key = json_get_string(detail, "key"), *state = json_get_string(detail, "state");
	if (!key || !state || strcmp(state, "planned_before") == 0)
		return;
	struct said_delivery *delivery = delivery_of(said, item, key);
	set(&delivery->handler, json_get_string(detail, "handler"));
	set(&delivery->state, state);
	set(&delivery->reason, strcmp(state, "suppressed") == 0 ? "window" : NULL);
	delivery->created = time;
	delivery->not_before = json_get_int(detail, "not_before", 0);
	delivery->at_most_once = json_get_bool(detail, "at_most_once", false);
}

static void hear_decided(struct said *said, struct said_item *item, json_t *detail, int64_t time)
{
	size_t i;
	json_t *entry;
	item->round = json_get_int(detail, "round", 1);
	item->decided = time;
	item->is_decided = true;
	set(&item->relevance, json_get_string(detail, "payment_relevant"));
	set(&item->contact_code, json_get_string(detail, "contact_code"));
	if (json_get_string(detail, "person"))
		set(&item->person, json_get_string(detail, "person"));
	struct said_decision *decision = g_new0(struct said_decision, 1);
	*decision = (struct said_decision){.detail = json_incref(detail), .time = time};
	g_hash_table_insert(said->decisions,
	        g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, item->number, item->round),
	        decision);
	json_array_foreach (json_object_get(detail, "deliveries"), i, entry)
		hear_planned(said, item->number, entry, time);
	json_array_foreach (json_object_get(detail, "tasks"), i, entry)
		hear_opened(said, item->number, entry, time);
}

static const char *const delivery_states[][2] = {
        {"delivery.sending", "sending"},
        {"delivery.confirmed", "confirmed"},
        {"delivery.retry", "due"},
        {"delivery.failed", "failed"},
        {"delivery.uncertain", "uncertain"},
        {"delivery.suppressed", "suppressed"},
        {"delivery.cancelled", "cancelled"},
};

static void hear_delivery(
        struct said *said, int64_t item, const struct text_span *event, const json_t *detail)
{
	const char *key = json_get_string(detail, "key");
	for (size_t i = 0; key && i < G_N_ELEMENTS(delivery_states); i++) {
		if (!text_span_equal(event, delivery_states[i][0]))
			continue;
		struct said_delivery *delivery = delivery_of(said, item, key);
		json_t *receipt = json_object_get(detail, "receipt");
		set(&delivery->state, delivery_states[i][1]);
		if (i) /* `sending` says nothing of how it ended */
			set(&delivery->reason, json_get_string(detail, "reason"));
		delivery->attempts = json_get_int(detail, "attempt", delivery->attempts);
		if (receipt) {
			json_decref(delivery->receipt);
			delivery->receipt = json_incref(receipt);
		}
	}
}

static char *text_of(const struct text_span *span)
{
	if (!span->start || !memchr(span->start, '\\', span->size))
		return span->start ? g_strndup(span->start, span->size) : NULL;
	g_autofree char *quoted = g_strdup_printf("\"%.*s\"", (int)span->size, span->start);
	JSON_AUTO value = json_read(quoted, strlen(quoted), NULL);
	return g_strdup(json_string_value(value));
}

static void hear_task(struct said *said, int64_t item, const struct record_view *record, const json_t *detail)
{
	if (text_span_equal(&record->event, "task.opened")) {
		hear_opened(said, item, detail, record->time);
		return;
	}
	int64_t number = json_get_int(detail, "task", 0);
	bool attempted = text_span_equal(&record->event, "task.attempted");
	if (!number)
		return;
	struct said_task *task = task_of(said, item, number);
	const char *state = json_get_string(detail, "state");
	set(&task->state, attempted || !state ? "done" : state);
	if (attempted)
		set(&task->outcome, json_get_string(detail, "outcome"));
	set(&task->reason, json_get_string(detail, "reason"));
	set(&task->reason_commitment, json_get_string(detail, "reason_commitment"));
	g_free(task->actor);
	task->actor = text_of(&record->actor);
	task->closed = record->time;
}

static bool starts(const struct text_span *span, const char *prefix)
{
	size_t size = strlen(prefix);
	return span->size > size && memcmp(span->start, prefix, size) == 0;
}

static void hear_item(
        struct said *said, struct said_item *item, const struct record_view *record, json_t *detail)
{
	if (text_span_equal(&record->event, "received")) {
		json_decref(item->received);
		item->received = json_incref(detail);
		item->taken = record->time;
	} else if (text_span_equal(&record->event, "decided")) {
		hear_decided(said, item, detail, record->time);
		item->worked = record->time;
	} else if (text_span_equal(&record->event, "reprocessed")) {
		item->is_decided = false;
	} else if (text_span_equal(&record->event, "relinked")) {
		said_count(said,
		        said_alias_line(said, item->number, record->time, json_get_string(detail, "key")), 1);
	} else if (text_span_equal(&record->event, "contact_code")) {
		set(&item->contact_code, json_get_string(detail, "to"));
	} else if (text_span_equal(&record->event, "content.deleted")) {
		item->deleted = record->time;
	}
}

void said_hear(struct said *said, int64_t item, const struct record_view *record)
{
	bool delivery = starts(&record->event, "delivery."), task = starts(&record->event, "task.");
	if (!item && !delivery && !task)
		return;
	JSON_AUTO detail = json_read(record->detail.start, record->detail.size, NULL);
	struct said_item *whose = item ? item_of(said, item) : NULL;
	if (delivery)
		hear_delivery(said, item, &record->event, detail);
	else if (task)
		hear_task(said, item, record, detail);
	else
		hear_item(said, whose, record, detail);
	if (whose && (delivery || task))
		whose->worked = record->time;
}

void said_report_lines(
        const struct said *said, const struct verify_options *options, struct verify_report *report)
{
	GHashTableIter iter;
	gpointer line, value;
	g_hash_table_iter_init(&iter, said->lines);
	while (g_hash_table_iter_next(&iter, &line, &value)) {
		bool only_said = GPOINTER_TO_INT(value) > 0;
		if (GPOINTER_TO_INT(value))
			verify_add(report, options, only_said ? FINDING_NO_ROW : FINDING_NO_RECORD,
			        g_strdup(line), g_strdup(only_said ? NO_ROW_TEXT : "has no record"));
	}
}
