/* replay_report.c - what a replay found, added up; and the same as JSON, to go on from. */
#include "classifiers/replay_report.h"

#include "core/error.h"
#include "core/json.h"

#include <string.h>

static const char *const outcome_names[REPLAY_OUTCOMES] = {
        [REPLAY_IDENTICAL] = "identical",
        [REPLAY_SAME] = "same",
        [REPLAY_CHANGED] = "changed",
        [REPLAY_BROKEN] = "broken",
        [REPLAY_GONE] = "not_possible",
};

const char *replay_outcome_name(enum replay_outcome outcome)
{
	return outcome_names[outcome];
}

static void change_free(void *data)
{
	struct replay_change *change = data;
	g_free(change->kind);
	g_array_unref(change->samples);
	g_free(change);
}

struct replay_report *replay_report_new(void)
{
	struct replay_report *report = g_new0(struct replay_report, 1);
	report->changes = g_ptr_array_new_with_free_func(change_free);
	report->losses = g_array_new(FALSE, FALSE, sizeof(int64_t));
	return report;
}

void replay_report_free(struct replay_report *report)
{
	if (!report)
		return;
	g_ptr_array_unref(report->changes);
	g_array_unref(report->losses);
	g_free(report);
}

/* The change of that kind; made, in its sorted place, if it is new. */
static struct replay_change *change_of(struct replay_report *report, const char *kind)
{
	guint i = 0;
	for (; i < report->changes->len; i++) {
		struct replay_change *change = report->changes->pdata[i];
		int order = strcmp(change->kind, kind);
		if (order == 0)
			return change;
		if (order > 0)
			break;
	}
	struct replay_change *change = g_new0(struct replay_change, 1);
	change->kind = g_strdup(kind);
	change->samples = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_ptr_array_insert(report->changes, (gint)i, change);
	return change;
}

void replay_report_add(struct replay_report *report, const struct replay_comparison *comparison)
{
	report->items++;
	report->outcomes[comparison->outcome]++;
	report->engine_differs += comparison->engine_differs;
	report->last = MAX(report->last, comparison->item);
	for (guint i = 0; comparison->kinds && i < comparison->kinds->len; i++) {
		struct replay_change *change = change_of(report, comparison->kinds->pdata[i]);
		change->items++;
		change->eakte_lost += comparison->leaves_eakte;
		if (change->samples->len < REPLAY_SAMPLES)
			g_array_append_val(change->samples, comparison->item);
	}
	report->lost += comparison->leaves_eakte;
	if (comparison->leaves_eakte && report->losses->len < REPLAY_MAX_LOSSES)
		g_array_append_val(report->losses, comparison->item);
}

static json_t *numbers_json(const GArray *numbers)
{
	json_t *list = json_array();
	for (guint i = 0; i < numbers->len; i++)
		json_array_append_new(list, json_integer(g_array_index(numbers, int64_t, i)));
	return list;
}

json_t *replay_report_to_json(const struct replay_report *report)
{
	json_t *object = json_object();
	json_t *changes = json_array();
	json_set_int(object, "items", report->items);
	for (int i = 0; i < REPLAY_OUTCOMES; i++)
		json_set_int(object, outcome_names[i], report->outcomes[i]);
	json_set_int(object, "engine_differs", report->engine_differs);
	json_set_int(object, "last", report->last);
	json_set_int(object, "lost", report->lost);
	json_object_set_new(object, "losses", numbers_json(report->losses));
	for (guint i = 0; i < report->changes->len; i++) {
		const struct replay_change *change = report->changes->pdata[i];
		json_t *entry = json_object();
		json_set_string(entry, "kind", change->kind);
		json_set_int(entry, "items", change->items);
		json_set_int(entry, "eakte_lost", change->eakte_lost);
		json_object_set_new(entry, "samples", numbers_json(change->samples));
		json_array_append_new(changes, entry);
	}
	json_object_set_new(object, "changes", changes);
	return object;
}

static void read_numbers(const json_t *list, GArray *into, unsigned most)
{
	size_t i;
	json_t *number;
	json_array_foreach (list, i, number) {
		int64_t value = json_integer_value(number);
		if (into->len < most)
			g_array_append_val(into, value);
	}
}

struct replay_report *replay_report_from_json(const json_t *json, GError **error)
{
	if (!json_is_object(json) || !json_is_array(json_object_get(json, "changes"))) {
		fail(error, ERROR_INPUT, "this is no report of a replay");
		return NULL;
	}
	struct replay_report *report = replay_report_new();
	report->items = json_get_int(json, "items", 0);
	for (int i = 0; i < REPLAY_OUTCOMES; i++)
		report->outcomes[i] = json_get_int(json, outcome_names[i], 0);
	report->engine_differs = json_get_int(json, "engine_differs", 0);
	report->last = json_get_int(json, "last", 0);
	report->lost = json_get_int(json, "lost", 0);
	read_numbers(json_object_get(json, "losses"), report->losses, REPLAY_MAX_LOSSES);
	size_t i;
	json_t *entry;
	json_array_foreach (json_object_get(json, "changes"), i, entry) {
		const char *kind = json_get_string(entry, "kind");
		struct replay_change *change = change_of(report, kind ? kind : "?");
		change->items = json_get_int(entry, "items", 0);
		change->eakte_lost = json_get_int(entry, "eakte_lost", 0);
		read_numbers(json_object_get(entry, "samples"), change->samples, REPLAY_SAMPLES);
	}
	return report;
}
