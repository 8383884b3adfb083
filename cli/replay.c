/* replay.c - `posteingang replay`: what a candidate bundle would change in the journal's history. */
#include "cli/commands.h"
#include "cli/history.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

static const struct output_column columns[] = {
        {"change", "CHANGE", false},
        {"items", "ITEMS", true},
        {"eakte_lost", "LEAVE THE EAKTE", true},
        {"samples", "FIRST ITEMS", false},
        {NULL, NULL, false},
};

/* Public names of items; text for people, a list for programs. */
static json_t *names(const struct journal *journal, const GArray *items)
{
	json_t *list = json_array();
	for (guint i = 0; i < items->len; i++) {
		g_autofree char *name = journal_item_name(journal, g_array_index(items, int64_t, i));
		json_add_string(list, name);
	}
	return list;
}

static void print_names(struct output *out, enum output_format format, const json_t *list)
{
	g_autoptr(GString) text = g_string_new(NULL);
	size_t i;
	json_t *name;
	if (format == OUTPUT_JSONL) {
		output_json(out, list);
		return;
	}
	json_array_foreach (list, i, name)
		g_string_append_printf(text, "%s%s", i ? " " : "", json_string_value(name));
	output_text(out, text->str);
}

static bool print_changes(const struct journal *journal, const struct replay_report *report,
        enum output_format format, GError **error)
{
	AUTO(output) out = output_new(stdout, format, columns);
	for (guint i = 0; i < report->changes->len; i++) {
		const struct replay_change *change = report->changes->pdata[i];
		JSON_AUTO samples = names(journal, change->samples);
		output_text(out, change->kind);
		output_int(out, change->items);
		output_int(out, change->eakte_lost);
		print_names(out, format, samples);
		output_row(out);
	}
	return output_end(out, error);
}

static void print_summary(const struct replay_report *report)
{
	fprintf(stderr, "%" G_GINT64_FORMAT " items:", report->items);
	for (int i = 0; i < REPLAY_OUTCOMES; i++)
		fprintf(stderr, "%s %" G_GINT64_FORMAT " %s", i ? "," : "", report->outcomes[i],
		        replay_outcome_name((enum replay_outcome)i));
	fprintf(stderr, "; %" G_GINT64_FORMAT " decided by another engine\n", report->engine_differs);
}

static void print_losses(const struct journal *journal, const struct replay_report *report)
{
	JSON_AUTO list = names(journal, report->losses);
	size_t i;
	json_t *name;
	fprintf(stderr, "%" G_GINT64_FORMAT " payment-relevant items would leave the eAkte:\n", report->lost);
	json_array_foreach (list, i, name)
		fprintf(stderr, "  %s\n", json_string_value(name));
}

static bool read_since(const struct invocation *invocation, int64_t *since, GError **error)
{
	const char *text = invocation_option(invocation, "since");
	int32_t day;
	*since = 0;
	if (!text)
		return true;
	if (day_parse(text, &day))
		*since = berlin_instant(day, 0);
	else if (!instant_parse(text, since)) {
		fail(error, ERROR_USAGE, "--since %s: expected a date (YYYY-MM-DD) or a time with offset",
		        text);
		return false;
	}
	return true;
}

static int report_result(struct journal *journal, const struct invocation *invocation,
        const struct replay_report *report, GError **error)
{
	if (!print_changes(journal, report, invocation_format(invocation), error))
		return 1;
	print_summary(report);
	if (report->lost)
		print_losses(journal, report);
	return report->lost || report->outcomes[REPLAY_BROKEN] ? 1 : 0;
}

int run_replay(struct invocation *invocation, GError **error)
{
	struct history_options options = {.resume = invocation_option(invocation, "resume")};
	const char *folder = invocation_option(invocation, "candidate");
	if (!folder) {
		fail(error, ERROR_USAGE, "replay: --candidate DIR is missing");
		return 64;
	}
	if (!read_since(invocation, &options.since, error))
		return 64;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	struct bundle *bundle = world ? bundle_read(folder, error) : NULL;
	AUTO(pipeline) candidate = bundle ? pipeline_open(bundle, error) : NULL;
	if (!candidate)
		return 1;
	options.journal = &world->options;
	options.candidate = candidate;
	options.follow = invocation_switch(invocation, "shadow");
	AUTO(replay_report) report = history_replay(&options, error);
	return report ? report_result(journal, invocation, report, error) : 1;
}
