/* deliver_ticket.c - deferred tickets ask the facts again when due (rule 1); tasks are posted outside. */
#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "sinks/deliver_private.h"

#include <string.h>

#define ASK_AGAIN (6 * INT64_C(3600) * INSTANT_SECOND)
#define ASK_LIMIT (3 * INSTANT_DAY) /* of "unknown"; then it goes out, marked */

static const char *param(const struct work *work, const char *key)
{
	return json_get_string(work->delivery->params, key);
}

/* ---- asking ---- */

struct question {
	struct facts_query query;
	GPtrArray *numbers;
};

static struct question question_of(const struct work *work)
{
	struct question question = {.numbers = g_ptr_array_new()};
	const json_t *keys = json_object_get(work->delivery->params, "keys");
	json_t *numbers = json_object_get(keys, "kundennummer"), *number;
	size_t i;
	json_array_foreach (numbers, i, number)
		if (json_is_string(number))
			g_ptr_array_add(question.numbers, (char *)json_string_value(number));
	question.query = (struct facts_query){.kundennummern = question.numbers,
	        .email = json_get_string(keys, "email"),
	        .item = work->delivery->item_name};
	return question;
}

/* Since when "unknown" counts: due, and asked once by the decision. */
static int64_t asked_since(const struct work *work)
{
	return MAX(work->delivery->not_before, json_get_int(work->delivery->facts, "asked", 0));
}

static void conclude(struct deliver *deliver, struct work *work, const struct facts *facts)
{
	JSON_AUTO values = facts_to_json(facts);
	const char *value = json_get_string(values, param(work, "ask"));
	if (g_strcmp0(value, "yes") == 0) {
		work_decide(work, DELIVERY_CANCELLED, "processed");
		return;
	}
	if (g_strcmp0(value, "no") == 0)
		return;
	int64_t until = asked_since(work) + ASK_LIMIT;
	if (deliver->now >= until) {
		work->job.processed_unknown = true;
		return;
	}
	work_decide(work, DELIVERY_RETURNED, NULL);
	work->result.retry_at = MIN(deliver->now + ASK_AGAIN, until);
}

static void ask_all(struct deliver *deliver, struct work *works, unsigned n)
{
	g_autofree struct facts_query *queries = g_new0(struct facts_query, n);
	g_autofree unsigned *at = g_new0(unsigned, n);
	g_autoptr(GPtrArray) numbers = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	unsigned m = 0;
	for (unsigned i = 0; i < n; i++) {
		if (works[i].decided || works[i].lost || !param(&works[i], "ask"))
			continue;
		struct question question = question_of(&works[i]);
		g_ptr_array_add(numbers, question.numbers);
		queries[m] = question.query;
		at[m++] = i;
	}
	g_autoptr(GError) error = NULL;
	if (!facts_look_up(deliver->options.facts, queries, m, &error) && !deliver->facts_failed) {
		deliver->facts_failed = true;
		log_error("deliver.facts", error);
	}
	for (unsigned i = 0; i < m; i++)
		conclude(deliver, &works[at[i]], &queries[i].facts);
}

/* ---- without an external system: a task of the journal ---- */

static char *ticket_text(const struct work *work)
{
	GString *text = g_string_new(
	        param(work, "text") ? param(work, "text") : "Anliegen ist noch nicht bearbeitet.");
	if (param(work, "queue"))
		g_string_append_printf(text, "\n\nTicket an: %s", param(work, "queue"));
	if (param(work, "dated"))
		g_string_append_printf(text, "\nDatiert auf: %s", param(work, "dated"));
	if (work->job.processed_unknown)
		g_string_append(text, "\n\nOb der Antrag inzwischen bearbeitet ist, war drei Tage lang nicht "
		                      "festzustellen. Bitte zuerst prüfen.");
	return g_string_free(text, FALSE);
}

static void as_task(struct work *work)
{
	static const char *const copied[] = {
	        "queue", "dated", "not_before", "concern", "rule", "cites", NULL};
	json_t *params = json_object();
	for (int i = 0; copied[i]; i++) {
		json_t *value = json_object_get(work->delivery->params, copied[i]);
		if (value)
			json_object_set(params, copied[i], value);
	}
	if (work->job.processed_unknown)
		json_set_bool(params, "processed_unknown", true);
	json_set_string(params, "delivery", work->delivery->key);
	work_decide(work, DELIVERY_CONFIRMED, work->job.processed_unknown ? "processed_unknown" : NULL);
	work_open_task(work, "ticket", params, ticket_text(work));
}

/* After a restore: an item that got a new number has new keys, so the far side would not know the ticket that
 * it may have already. */
static void hold_ticket(struct work *work)
{
	json_t *params = json_object();
	json_set_string(params, "delivery", work->delivery->key);
	json_set_string(params, "reason", "restored");
	work_decide(work, DELIVERY_UNCERTAIN, "restored");
	work_open_task(work, "klaerung", params,
	        g_strdup("Das Journal wurde wiederhergestellt: bitte prüfen, ob es das Ticket schon gibt."));
}

static void hold_tickets(const struct deliver *deliver, struct work *works, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct item *item = works[i].delivery->item;
		bool doubtful =
		        item && item->id >= deliver->gap.first && gap_holds(&deliver->gap, item->received);
		if (doubtful && !works[i].decided && !works[i].lost)
			hold_ticket(&works[i]);
	}
}

void deliver_tickets(struct deliver *deliver, struct work *works, unsigned n)
{
	ask_all(deliver, works, n);
	if (deliver_has(deliver, SINK_TICKETS)) {
		hold_tickets(deliver, works, n);
		deliver_jobs(deliver, works, n);
		for (unsigned i = 0; i < n; i++)
			if (works[i].job.done && works[i].job.processed_unknown)
				works[i].result.reason = "processed_unknown";
		return;
	}
	for (unsigned i = 0; i < n; i++)
		if (!works[i].decided && !works[i].lost)
			as_task(&works[i]);
}

/* ---- posting ---- */

/* A call that may have been made before the restore must not be made again unseen. */
static void hold_call(struct work *work)
{
	json_t *params = json_object();
	json_set_string(params, "reason", "restored");
	json_set_int(params, "task", work->posted->id);
	work_decide(work, DELIVERY_SUPPRESSED, "restored");
	work_open_task(work, "klaerung", params,
	        g_strdup("Das Journal wurde wiederhergestellt: bitte prüfen, ob der Anruf schon geschehen "
	                 "ist."));
}

static bool prepare_post(struct deliver *deliver, struct work *work, GError **error)
{
	g_autoptr(GError) failure = NULL;
	work->posted = journal_task(deliver->journal, work->delivery->task, &failure);
	if (!work->posted && error_class(failure) != ERROR_INPUT) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	work->job.task = work->posted;
	if (!work->posted || strcmp(work->posted->state, "open") != 0)
		work_decide(work, DELIVERY_CANCELLED, "closed");
	else if (deliver->options.hold_effects && strcmp(work->posted->kind, "call") == 0)
		hold_call(work);
	else if (!deliver_has(deliver, SINK_TICKETS))
		work_decide(work, DELIVERY_CANCELLED, "no_sink");
	return true;
}

bool deliver_posts(struct deliver *deliver, struct work *works, unsigned n, GError **error)
{
	for (unsigned i = 0; i < n; i++)
		if (!works[i].decided && !works[i].lost && !prepare_post(deliver, &works[i], error))
			return false;
	deliver_jobs(deliver, works, n);
	return true;
}
