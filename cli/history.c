/* history.c - replay on the command line: progress, signals, and going on where it stopped. */
#include "cli/history.h"

#include "cli/progress.h"
#include "cli/stop.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json.h"

#include <string.h>

enum { RESUME_MAX = 4 * 1024 * 1024, NOTE_EVERY_ITEMS = 4096, SHADOW_POLL_MS = 2000 };

struct history {
	const struct history_options *options;
	struct progress *progress;
	int64_t before, total; /* items done in earlier runs; all of them, 0 = not counted */
	int64_t noted;         /* items when the file was written last */
};

/* What must be equal for a file to be gone on from. */
static json_t *resume_head(const struct history_options *options)
{
	json_t *head = json_object();
	json_set_string(head, "bundle", bundle_hash(pipeline_bundle(options->candidate)));
	json_set_string(head, "engine", pipeline_engine(options->candidate));
	json_set_int(head, "since", options->since);
	return head;
}

static bool note(const struct history_options *options, const struct replay_report *report, GError **error)
{
	JSON_AUTO file = resume_head(options);
	json_object_set_new(file, "report", replay_report_to_json(report));
	g_autofree char *text = json_canonical(file);
	return file_write_durable(options->resume, text, strlen(text), 0640, error);
}

/* The report of an earlier run over the same candidate, or an empty one. */
static struct replay_report *begin(const struct history_options *options, GError **error)
{
	if (!options->resume || !g_file_test(options->resume, G_FILE_TEST_EXISTS))
		return replay_report_new();
	g_autoptr(GBytes) bytes = file_read(options->resume, RESUME_MAX, error);
	if (!bytes)
		return NULL;
	JSON_AUTO file = json_read(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	JSON_AUTO head = resume_head(options);
	const char *key;
	json_t *value;
	if (!file)
		return NULL;
	json_object_foreach (head, key, value) {
		if (!json_equal(value, json_object_get(file, key))) {
			fail(error, ERROR_INPUT, "%s is of another replay (its %s differs): remove it",
			        options->resume, key);
			return NULL;
		}
	}
	return replay_report_from_json(json_object_get(file, "report"), error);
}

static bool on_progress(void *context, const struct replay_report *report, GError **error)
{
	struct history *history = context;
	progress_show(history->progress, report->items, history->total);
	if (!history->options->resume || report->items - history->noted < NOTE_EVERY_ITEMS)
		return true;
	history->noted = report->items;
	return note(history->options, report, error);
}

static bool count(struct history *history, const struct replay_report *report, GError **error)
{
	int64_t rest = 0;
	if (!progress_is_shown(history->progress))
		return true;
	AUTO(journal) journal = journal_open(history->options->journal, error);
	if (!journal || !replay_count(journal, history->options->since, report->last, &rest, error))
		return false;
	history->total = report->items + rest;
	return true;
}

/* Shadow: sleeps a while; false once a signal came. */
static bool wait_for_more(const volatile gint *stop)
{
	for (int i = 0; i < SHADOW_POLL_MS / 100 && !g_atomic_int_get(stop); i++)
		g_usleep(100 * 1000);
	return !g_atomic_int_get(stop);
}

struct replay_report *history_replay(const struct history_options *options, GError **error)
{
	AUTO(replay_report) report = begin(options, error);
	AUTO(progress) progress = progress_new("replay");
	struct history history = {.options = options, .progress = progress};
	if (!report || !count(&history, report, error))
		return NULL;
	const struct replay_options replay = {
	        .candidate = options->candidate,
	        .journal = options->journal,
	        .since = options->since,
	        .stop = stop_flag(),
	        .progress = on_progress,
	        .context = &history,
	};
	bool ok = replay_run(&replay, report, error);
	while (ok && options->follow && wait_for_more(replay.stop))
		ok = replay_run(&replay, report, error);
	if (options->resume && !note(options, report, ok ? error : NULL))
		return NULL;
	if (ok && !options->follow && g_atomic_int_get(replay.stop)) {
		fail(error, ERROR_AGAIN, "stopped after %" G_GINT64_FORMAT " items%s", report->items,
		        options->resume ? "; the same command goes on from there" : "");
		return NULL;
	}
	return ok ? g_steal_pointer(&report) : NULL;
}
