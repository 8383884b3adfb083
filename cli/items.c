/* items.c - `posteingang items`: what came in, what it is about, what was decided and what became of it.
 *
 * One row an item, from the decision in force; no text of the customer's.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/deliveries.h"
#include "journal/items.h"
#include "journal/tasks.h"

#include <string.h>

static const struct output_column columns[] = {
        {"item", "ITEM", false},
        {"channel", "CHANNEL", false},
        {"received", "RECEIVED", false},
        {"concerns", "CONCERNS", false},
        {"ruleset", "RULE SET", false},
        {"basis", "BASIS", false},
        {"payment_relevant", "PAYMENT", false},
        {"contact_code", "CODE", false},
        {"actions", "ACTIONS (RULE)", false},
        {"deliveries", "DELIVERIES", false},
        {"tasks", "TASKS", true},
        {"accounted", "ACCOUNTED", false},
        {"source", "SOURCE", false},
        {"key", "KEY", false},
        {NULL, NULL, false},
};

enum { PAGE = 500, TASKS_MAX = 100 };

/* "umzug, zahlungsverbindung"; in doubt the candidates with a question mark. */
static char *concerns_of(const json_t *decision)
{
	GString *text = g_string_new(NULL);
	bool doubt = json_get_bool(decision, "doubt", false);
	size_t i;
	json_t *concern;
	json_array_foreach (json_object_get(decision, "concerns"), i, concern)
		g_string_append_printf(
		        text, "%s%s%s", i ? ", " : "", json_get_string(concern, "id"), doubt ? "?" : "");
	if (doubt && !text->len)
		g_string_append(text, "?");
	return g_string_free(text, FALSE);
}

/* "eakte (5), task process_notice (H)" */
static char *actions_of(const json_t *decision)
{
	GString *text = g_string_new(NULL);
	size_t i;
	json_t *action;
	json_array_foreach (json_object_get(decision, "actions"), i, action) {
		const char *kind = json_get_string(action, "kind"), *rule = json_get_string(action, "rule");
		g_string_append_printf(text, "%s%s%s%s (%s)", i ? ", " : "",
		        json_get_string(action, "handler"), kind ? " " : "", kind ? kind : "",
		        rule ? rule : "");
	}
	return g_string_free(text, FALSE);
}

static char *deliveries_of(const GPtrArray *deliveries)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < deliveries->len; i++) {
		const struct delivery_view *d = deliveries->pdata[i];
		g_string_append_printf(text, "%s%s %s", i ? ", " : "", d->handler, d->state);
	}
	return g_string_free(text, FALSE);
}

/* Tasks of the item in any state. */
static bool count_tasks(struct journal *journal, int64_t item, int64_t *n, GError **error)
{
	static const char *const states[] = {"open", "done", "failed"};
	*n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
		const struct task_filter filter = {.state = states[i], .item = item, .max = TASKS_MAX};
		g_autoptr(GPtrArray) tasks = journal_tasks(journal, &filter, error);
		if (!tasks)
			return false;
		*n += tasks->len;
	}
	return true;
}

static bool decides_nothing(const json_t *decision)
{
	size_t i;
	json_t *action;
	json_array_foreach (json_object_get(decision, "actions"), i, action)
		if (g_strcmp0(json_get_string(action, "handler"), "none") == 0)
			return true;
	return false;
}

static void put_item(
        struct output *out, const struct item_view *view, const GPtrArray *deliveries, int64_t tasks)
{
	g_autofree char *concerns = concerns_of(view->decision), *actions = actions_of(view->decision);
	g_autofree char *made = deliveries_of(deliveries);
	output_text(out, view->name);
	output_text(out, channel_name(view->item->channel));
	output_time(out, view->item->received);
	output_text(out, concerns);
	output_text(out, view->ruleset);
	output_text(out, json_get_string(view->decision, "basis"));
	output_text(out, json_get_string(view->decision, "payment_relevant"));
	output_text(out, view->contact_code);
	output_text(out, actions);
	output_text(out, made);
	output_int(out, tasks);
	output_bool(out, deliveries->len > 0 || tasks > 0 || decides_nothing(view->decision));
	output_text(out, view->item->source);
	output_text(out, view->item->key);
	output_row(out);
}

static bool list_item(struct journal *journal, int64_t id, struct output *out, GError **error)
{
	AUTO(item_view) view = journal_item(journal, id, error);
	g_autoptr(GPtrArray) deliveries = view ? journal_item_deliveries(journal, id, error) : NULL;
	int64_t tasks;
	if (!deliveries || !count_tasks(journal, id, &tasks, error))
		return false;
	put_item(out, view, deliveries, tasks);
	return true;
}

static bool list(struct journal *journal, int64_t since, int64_t left, struct output *out, GError **error)
{
	int64_t after = 0;
	while (left > 0) {
		unsigned max = (unsigned)MIN(left, PAGE);
		g_autoptr(GArray) page = journal_decided_items(journal, since, G_MAXINT64, after, max, error);
		if (!page)
			return false;
		for (guint i = 0; i < page->len; i++) {
			after = g_array_index(page, int64_t, i);
			if (!list_item(journal, after, out, error))
				return false;
		}
		if (page->len < max)
			break;
		left -= page->len;
	}
	return output_end(out, error);
}

static bool read_options(const struct invocation *inv, int64_t *since, int64_t *max, GError **error)
{
	const char *since_text = invocation_option(inv, "since"), *max_text = invocation_option(inv, "max");
	gint64 number = G_MAXINT64;
	if (since_text && !instant_parse(since_text, since)) {
		fail(error, ERROR_USAGE, "items: --since %s, expected a date or time (RFC 3339)", since_text);
		return false;
	}
	if (max_text && !g_ascii_string_to_signed(max_text, 10, 1, G_MAXINT64, &number, NULL)) {
		fail(error, ERROR_USAGE, "items: --max %s, expected a number", max_text);
		return false;
	}
	*max = number;
	return true;
}

int run_items(struct invocation *invocation, GError **error)
{
	int64_t since = G_MININT64 / 2, max;
	if (!read_options(invocation, &since, &max, error))
		return 1;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	const char *one = invocation_argument(invocation, 0);
	int64_t id = 0;
	if (one && !journal_item_parse(journal, one, &id, error))
		return 1;
	AUTO(output) out = output_new(stdout, invocation_format(invocation), columns);
	bool ok = one ? list_item(journal, id, out, error) && output_end(out, error)
	              : list(journal, since, max, out, error);
	return ok ? 0 : 1;
}
