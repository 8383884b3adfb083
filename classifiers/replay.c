/* replay.c - history in parts, decided by all cores, added up in order. */
#include "classifiers/replay.h"

#include "classifiers/replay_report.h"
#include "classifiers/route.h"
#include "core/error.h"
#include "journal/content.h"
#include "journal/items.h"

#include <string.h>

enum { PART_ITEMS = 64, MAX_THREADS = 64 };

/* One thread's. */
struct worker {
	struct journal *journal;
	struct analyser_scratch *scratch;
};

struct part {
	GArray *items;       /* of int64_t */
	GArray *comparisons; /* of struct replay_comparison */
	GError *error;
	bool done;
};

struct replay {
	const struct replay_options *options;
	GThreadPool *pool;
	GAsyncQueue *workers;
	GPtrArray *all_workers;
	GMutex lock;
	GCond finished;
	GQueue in_flight; /* of struct part, oldest first */
};

static void comparison_clear(void *data)
{
	struct replay_comparison *comparison = data;
	g_clear_pointer(&comparison->kinds, g_ptr_array_unref);
}

static void part_free(struct part *part)
{
	g_array_unref(part->items);
	g_array_unref(part->comparisons);
	g_clear_error(&part->error);
	g_free(part);
}

static void worker_free(void *data)
{
	struct worker *worker = data;
	analyser_scratch_free(worker->scratch);
	journal_close(worker->journal);
	g_free(worker);
}

/* -- one item: any thread -- */

struct verdict *replay_item(const struct pipeline *candidate, struct analyser_scratch *scratch,
        struct journal *journal, const struct item_view *view, GError **error)
{
	struct facts facts;
	g_autoptr(GBytes) raw = NULL;
	bool untouched = json_get_bool(view->facts, ROUTE_UNTOUCHED, false);
	if (view->content_deleted || !facts_from_json(view->facts, &facts, error))
		return NULL;
	if (!untouched && view->size > 0 && !route_content(journal, view->item->id, view->size, &raw, error))
		return NULL;
	const struct circumstances circumstances = {
	        .facts = &facts,
	        .received_in_future = view->received_in_future,
	        .own_bounce = json_get_bool(view->findings, "own_bounce", false),
	};
	AUTO(message) message = untouched ? route_unread(view->item) : route_message(view->item, raw);
	if (untouched)
		return pipeline_doubt(candidate, message, "undecodable", &circumstances);
	return pipeline_decide(candidate, scratch, message, &circumstances);
}

static bool same_bytes(const json_t *a, const json_t *b)
{
	g_autofree char *left = json_canonical(a), *right = json_canonical(b);
	return strcmp(left, right) == 0;
}

static void compare(const struct pipeline *candidate, const struct item_view *view,
        const struct verdict *verdict, struct replay_comparison *out)
{
	JSON_AUTO id = json_string(view->name);
	JSON_AUTO fresh = verdict_to_json(candidate, verdict, id);
	bool same_engine = g_strcmp0(view->engine, pipeline_engine(candidate)) == 0;
	bool same_bundle = g_strcmp0(view->bundle, bundle_hash(pipeline_bundle(candidate))) == 0;
	out->engine_differs = !same_engine;
	out->kinds = replay_differences(view->decision, fresh);
	out->leaves_eakte = replay_leaves_eakte(view->decision, fresh);
	if (same_engine && same_bundle)
		out->outcome = same_bytes(view->decision, fresh) ? REPLAY_IDENTICAL : REPLAY_BROKEN;
	else
		out->outcome = out->kinds->len ? REPLAY_CHANGED : REPLAY_SAME;
}

/* Content that goes away while we look is "not possible" like any other. */
static bool replay_one(const struct replay *replay, struct worker *worker, int64_t item,
        struct replay_comparison *out, GError **error)
{
	g_autoptr(GError) failure = NULL;
	AUTO(item_view) view = journal_item(worker->journal, item, error);
	if (!view)
		return false;
	out->item = item;
	out->outcome = REPLAY_GONE;
	if (!view->decision)
		return true;
	AUTO(verdict)
	verdict = replay_item(replay->options->candidate, worker->scratch, worker->journal, view, &failure);
	if (verdict)
		compare(replay->options->candidate, view, verdict, out);
	else if (failure && error_class(failure) != ERROR_INPUT) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	return true;
}

static bool stopped(const struct replay *replay)
{
	return replay->options->stop && g_atomic_int_get(replay->options->stop);
}

static void do_part(void *data, void *context)
{
	struct part *part = data;
	struct replay *replay = context;
	struct worker *worker = g_async_queue_pop(replay->workers);
	for (guint i = 0; i < part->items->len && !part->error && !stopped(replay); i++) {
		struct replay_comparison comparison = {0};
		if (replay_one(replay, worker, g_array_index(part->items, int64_t, i), &comparison,
		            &part->error))
			g_array_append_val(part->comparisons, comparison);
	}
	g_async_queue_push(replay->workers, worker);
	g_mutex_lock(&replay->lock);
	part->done = true;
	g_cond_signal(&replay->finished);
	g_mutex_unlock(&replay->lock);
}

/* -- the calling thread -- */

static bool start(struct replay *replay, unsigned threads, GError **error)
{
	for (unsigned i = 0; i < threads; i++) {
		struct journal *journal = journal_open(replay->options->journal, error);
		if (!journal)
			return false;
		struct worker *worker = g_new0(struct worker, 1);
		worker->journal = journal;
		worker->scratch = analyser_scratch_new(pipeline_analyser(replay->options->candidate));
		g_ptr_array_add(replay->all_workers, worker);
		g_async_queue_push(replay->workers, worker);
	}
	replay->pool = g_thread_pool_new(do_part, replay, (int)threads, FALSE, NULL);
	return true;
}

static void finish(struct replay *replay)
{
	struct part *part;
	if (replay->pool)
		g_thread_pool_free(replay->pool, FALSE, TRUE);
	while ((part = g_queue_pop_head(&replay->in_flight)))
		part_free(part);
	g_ptr_array_unref(replay->all_workers);
	g_async_queue_unref(replay->workers);
	g_mutex_clear(&replay->lock);
	g_cond_clear(&replay->finished);
}

/* Waits for the oldest part and adds it up. */
static bool collect(struct replay *replay, struct replay_report *report, GError **error)
{
	struct part *part = g_queue_pop_head(&replay->in_flight);
	g_mutex_lock(&replay->lock);
	while (!part->done)
		g_cond_wait(&replay->finished, &replay->lock);
	g_mutex_unlock(&replay->lock);
	for (guint i = 0; i < part->comparisons->len; i++)
		replay_report_add(report, &g_array_index(part->comparisons, struct replay_comparison, i));
	bool whole = !part->error && part->comparisons->len == part->items->len;
	if (part->error)
		g_propagate_error(error, g_steal_pointer(&part->error));
	part_free(part);
	if (whole && replay->options->progress)
		return replay->options->progress(replay->options->context, report, error);
	return whole;
}

/* The next part of the history behind *after; NULL without error: there is none. */
static struct part *next_part(struct replay *replay, struct journal *journal, int64_t *after, GError **error)
{
	GArray *items =
	        journal_decided_items(journal, replay->options->since, INT64_MAX, *after, PART_ITEMS, error);
	if (!items || items->len == 0) {
		if (items)
			g_array_unref(items);
		return NULL;
	}
	struct part *part = g_new0(struct part, 1);
	part->items = items;
	part->comparisons = g_array_new(FALSE, FALSE, sizeof(struct replay_comparison));
	g_array_set_clear_func(part->comparisons, comparison_clear);
	*after = g_array_index(items, int64_t, items->len - 1);
	return part;
}

/* False without error: the stop flag. */
static bool run(struct replay *replay, struct journal *journal, struct replay_report *report,
        unsigned threads, GError **error)
{
	int64_t after = report->last;
	g_autoptr(GError) failure = NULL;
	struct part *part;
	while (!stopped(replay) && (part = next_part(replay, journal, &after, &failure))) {
		g_queue_push_tail(&replay->in_flight, part);
		g_thread_pool_push(replay->pool, part, NULL);
		if (replay->in_flight.length > 2 * threads && !collect(replay, report, error))
			return false;
	}
	while (!failure && replay->in_flight.length)
		if (!collect(replay, report, error))
			return false;
	if (!failure)
		return true;
	g_propagate_error(error, g_steal_pointer(&failure));
	return false;
}

bool replay_run(const struct replay_options *options, struct replay_report *report, GError **error)
{
	unsigned threads = options->threads ? options->threads : g_get_num_processors();
	struct replay replay = {.options = options,
	        .workers = g_async_queue_new(),
	        .all_workers = g_ptr_array_new_with_free_func(worker_free)};
	g_autoptr(GError) failure = NULL;
	g_mutex_init(&replay.lock);
	g_cond_init(&replay.finished);
	threads = MIN(threads, MAX_THREADS);
	AUTO(journal) journal = journal_open(options->journal, &failure);
	if (journal && start(&replay, threads, &failure))
		run(&replay, journal, report, threads, &failure);
	finish(&replay);
	if (!failure)
		return true;
	g_propagate_error(error, g_steal_pointer(&failure));
	return false;
}

bool replay_count(struct journal *journal, int64_t since, int64_t after, int64_t *items, GError **error)
{
	int64_t count = 0;
	for (;;) {
		g_autoptr(GArray) part =
		        journal_decided_items(journal, since, INT64_MAX, after, 10000, error);
		if (!part)
			return false;
		if (!part->len)
			break;
		count += part->len;
		after = g_array_index(part, int64_t, part->len - 1);
	}
	*items = count;
	return true;
}
