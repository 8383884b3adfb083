/* task.c - `posteingang task`: work for people, listed, shown and closed. Who acts is the user, never a flag.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/tasks.h"

#include <string.h>

static const struct output_column columns[] = {
        {"id", "TASK", true},
        {"kind", "KIND", false},
        {"item", "ITEM", false},
        {"received", "RECEIVED", false},
        {"created", "CREATED", false},
        {"not_before", "NOT BEFORE", false},
        {"state", "STATE", false},
        {"outcome", "OUTCOME", false},
        {"contact_code", "CODE", false},
        {"posted", "POSTED", false},
        {NULL, NULL, false},
};

static void put_task(struct output *out, const struct task *task)
{
	output_int(out, task->id);
	output_text(out, task->kind);
	output_text(out, task->item_name);
	output_time(out, task->first_received);
	output_time(out, task->created);
	output_time(out, task->not_before);
	output_text(out, task->state);
	output_text(out, task->outcome);
	output_text(out, task->contact_code);
	output_text(out, task->posted);
	output_row(out);
}

static bool number_option(
        const struct invocation *inv, const char *name, int64_t max, int64_t *out, GError **error)
{
	const char *text = invocation_option(inv, name);
	gint64 value = 0;
	if (text && !g_ascii_string_to_signed(text, 10, 1, max, &value, NULL)) {
		fail(error, ERROR_USAGE, "task: --%s %s, expected a number from 1 to %" G_GINT64_FORMAT, name,
		        text, (gint64)max);
		return false;
	}
	*out = value;
	return true;
}

static bool read_filter(
        const struct invocation *inv, struct journal *journal, struct task_filter *filter, GError **error)
{
	static const char *const states[] = {"open", "done", "failed", NULL};
	int64_t max = 0;
	filter->kind = invocation_option(inv, "kind");
	filter->state = invocation_option(inv, "state");
	const char *item = invocation_option(inv, "item");
	if (filter->state && !g_strv_contains(states, filter->state)) {
		fail(error, ERROR_USAGE, "task: --state %s, expected open, done or failed", filter->state);
		return false;
	}
	if (item && !journal_item_parse(journal, item, &filter->item, error))
		return false;
	if (!number_option(inv, "max", 100000, &max, error))
		return false;
	filter->max = (unsigned)max;
	return true;
}

enum { PAGE = 500 };

/* Page by page, so that any number can be listed in bounded memory. */
static bool list(struct journal *journal, struct task_filter filter, struct output *out, GError **error)
{
	unsigned left = filter.max ? filter.max : G_MAXUINT;
	while (left) {
		filter.max = MIN(left, PAGE);
		g_autoptr(GPtrArray) tasks = journal_tasks(journal, &filter, error);
		if (!tasks)
			return false;
		for (guint i = 0; i < tasks->len; i++)
			put_task(out, tasks->pdata[i]);
		if (tasks->len < filter.max)
			break;
		filter.after = ((const struct task *)tasks->pdata[tasks->len - 1])->id;
		left -= tasks->len;
	}
	return output_end(out, error);
}

static bool do_list(
        const struct invocation *inv, struct world *world, struct journal *journal, GError **error)
{
	struct task_filter filter = {0};
	if (!read_filter(inv, journal, &filter, error))
		return false;
	if (invocation_switch(inv, "due"))
		filter.due = world_now(world);
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	return list(journal, filter, out, error);
}

static json_t *task_to_json(const struct task *task)
{
	json_t *object = json_object();
	json_set_int(object, "id", task->id);
	json_set_string(object, "kind", task->kind);
	json_set_string(object, "item", task->item_name);
	json_set_string(object, "state", task->state);
	json_set_string(object, "text", task->text);
	json_object_set(object, "params", task->params);
	json_set_string(object, "contact_code", task->contact_code);
	json_set_string(object, "outcome", task->outcome);
	json_set_string(object, "reason", task->reason);
	json_set_string(object, "actor", task->actor);
	json_set_string(object, "posted", task->posted);
	const struct {
		const char *key;
		int64_t time;
	} times[] = {{"received", task->first_received}, {"created", task->created},
	        {"not_before", task->not_before}, {"closed", task->closed}};
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		g_autofree char *text = times[i].time ? instant_format_berlin(times[i].time) : NULL;
		json_set_string(object, times[i].key, text);
	}
	return object;
}

/* One task as lines for a person; keys without a value are left out. */
static void show_lines(const json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)object, key, value) {
		if (json_is_null(value) || (json_is_object(value) && !json_object_size(value)))
			continue;
		g_autofree char *text = json_is_string(value)
		                                ? g_strdup(json_string_value(value))
		                                : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		g_autofree char *clean = output_clean(text, true);
		bool block = strchr(clean, '\n') != NULL;
		printf("%-13s%s%s\n", key, block ? "\n" : "", clean);
	}
}

static bool do_show(const struct invocation *inv, struct journal *journal, int64_t id, GError **error)
{
	AUTO(task) task = journal_task(journal, id, error);
	if (!task)
		return false;
	JSON_AUTO object = task_to_json(task);
	if (invocation_format(inv) == OUTPUT_TABLE)
		show_lines(object);
	else
		output_json_line(stdout, object);
	return true;
}

static bool do_close(
        const struct invocation *inv, struct journal *journal, int64_t id, bool failed, GError **error)
{
	const struct task_closing closing = {
	        .failed = failed,
	        .reason = invocation_option(inv, "reason"),
	        .contact_code = invocation_option(inv, "contact-code"),
	        .instead = invocation_option(inv, "instead"),
	        .rule = invocation_option(inv, "rule"),
	};
	if ((failed || closing.instead) && (!closing.reason || !*closing.reason)) {
		fail(error, ERROR_USAGE, "task: %s needs a --reason", failed ? "fail" : "--instead");
		return false;
	}
	return journal_close_task(journal, id, &closing, error);
}

static bool do_attempt(const struct invocation *inv, struct journal *journal, int64_t id, GError **error)
{
	const char *outcome = invocation_option(inv, "outcome");
	bool reached = g_strcmp0(outcome, "reached") == 0;
	if (!reached && g_strcmp0(outcome, "not_reached") != 0) {
		fail(error, ERROR_USAGE, "task: attempt needs --outcome reached or not_reached");
		return false;
	}
	return journal_attempt_task(journal, id, reached, invocation_option(inv, "reason"), error);
}

static bool task_number(const struct invocation *inv, const char *verb, int64_t *id, GError **error)
{
	const char *text = invocation_argument(inv, 1);
	gint64 value;
	if (!text || !g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &value, NULL)) {
		fail(error, ERROR_USAGE, "task: %s needs the number of a task%s%s", verb,
		        text ? ", not " : "", text ? text : "");
		return false;
	}
	*id = value;
	return true;
}

static const char *const verbs[] = {"list", "show", "done", "fail", "attempt", NULL};
enum verb { VERB_LIST, VERB_SHOW, VERB_DONE, VERB_FAIL, VERB_ATTEMPT, VERBS };

static bool read_verb(const struct invocation *inv, enum verb *verb, int64_t *id, GError **error)
{
	const char *word = invocation_argument(inv, 0);
	int i = 0;
	while (verbs[i] && strcmp(verbs[i], word) != 0)
		i++;
	if (!verbs[i]) {
		const char *hint = did_you_mean(word, verbs);
		fail(error, ERROR_USAGE, "task: no \"%s\", expected list, show, done, fail or attempt%s%s%s",
		        word, hint ? "; did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
		return false;
	}
	*verb = (enum verb)i;
	if (i != VERB_LIST)
		return task_number(inv, word, id, error);
	if (invocation_argument(inv, 1)) {
		fail(error, ERROR_USAGE, "task: list takes no number");
		return false;
	}
	return true;
}

static bool act(const struct invocation *inv, struct world *world, struct journal *journal, enum verb verb,
        int64_t id, GError **error)
{
	switch (verb) {
	case VERB_LIST:
		return do_list(inv, world, journal, error);
	case VERB_SHOW:
		return do_show(inv, journal, id, error);
	case VERB_DONE:
	case VERB_FAIL:
		return do_close(inv, journal, id, verb == VERB_FAIL, error);
	case VERB_ATTEMPT:
		return do_attempt(inv, journal, id, error);
	case VERBS:
		break;
	}
	g_assert_not_reached();
}

int run_task(struct invocation *invocation, GError **error)
{
	enum verb verb;
	int64_t id = 0;
	if (!read_verb(invocation, &verb, &id, error))
		return 1;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	return world && act(invocation, world, journal, verb, id, error) ? 0 : 1;
}
