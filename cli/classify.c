/* classify.c - `posteingang classify`: JSON Lines of items in, JSON Lines of decisions out.
 *
 * Lines are decided in batches by all cores and printed in the order they came in. A batch that is not full
 * is sent on as soon as the input pauses, so that a program at the other end of a pipe is never left waiting.
 */
#include "cli/commands.h"
#include "cli/id_set.h"
#include "cli/lines.h"
#include "cli/load.h"
#include "core/error.h"
#include "core/json.h"
#include "core/mail.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
	BATCH_LINES = 64,
	BATCH_BYTES = 512 * 1024,
	IN_FLIGHT_BYTES = 48 * 1024 * 1024,
	MAX_THREADS = 16,
};

/* One line on its way. */
struct job {
	uint64_t line;
	char *text; /* NULL: too long to be read */
	size_t size;
	char *id;     /* canonical JSON of the id, or NULL: it has none */
	char *result; /* the line to print, or NULL: */
	char *error;  /* … why not */
};

struct batch {
	GPtrArray *jobs; /* of struct job */
	size_t bytes;
	bool done;
};

struct classify {
	struct pipeline *pipeline;
	struct lines *lines;
	GThreadPool *pool;
	GAsyncQueue *scratches; /* one a thread, lent for a batch */
	GMutex lock;
	GCond finished;
	GQueue in_flight; /* of struct batch, oldest first */
	size_t bytes;     /* in flight */
	unsigned threads;
	struct id_set *ids;
	uint64_t printed, bad;
};

static void job_free(void *data)
{
	struct job *job = data;
	g_free(job->text);
	g_free(job->id);
	g_free(job->result);
	g_free(job->error);
	g_free(job);
}

static void batch_free(struct batch *batch)
{
	g_ptr_array_unref(batch->jobs);
	g_free(batch);
}

/* -- deciding one line: any thread -- */

static bool read_id(const json_t *line, json_t **id, GError **error)
{
	json_t *value = json_object_get(line, "id");
	if (!value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0)) {
		fail(error, ERROR_INPUT, "id is missing");
		return false;
	}
	if (!json_is_string(value) && !json_is_integer(value)) {
		fail(error, ERROR_INPUT, "id: expected a string");
		return false;
	}
	*id = value;
	return true;
}

static char *decide_line(const struct classify *classify, struct analyser_scratch *scratch, json_t *line,
        json_t *id, GError **error)
{
	struct facts facts;
	json_t *stated = json_object_get(line, "facts");
	AUTO(message) message = message_from_json(line, error);
	if (!message || !facts_from_json(json_is_null(stated) ? NULL : stated, &facts, error))
		return NULL;
	const struct circumstances circumstances = {.facts = &facts};
	AUTO(verdict) verdict = pipeline_decide(classify->pipeline, scratch, message, &circumstances);
	JSON_AUTO result = verdict_to_json(classify->pipeline, verdict, id);
	return json_dumps(result, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

static void do_job(const struct classify *classify, struct analyser_scratch *scratch, struct job *job)
{
	g_autoptr(GError) error = NULL;
	json_t *id = NULL;
	JSON_AUTO line = job->text ? json_read(job->text, job->size, &error) : NULL;
	if (!job->text)
		fail(&error, ERROR_INPUT, "the line is longer than %d MiB", LINES_MAX >> 20);
	else if (line && !json_is_object(line))
		fail(&error, ERROR_INPUT, "expected an object");
	else if (line && read_id(line, &id, &error)) {
		job->id = json_dumps(id, JSON_ENCODE_ANY);
		job->result = decide_line(classify, scratch, line, id, &error);
	}
	if (!job->result)
		job->error = g_strdup(error ? error->message : "cannot be read");
	g_clear_pointer(&job->text, g_free);
}

static void do_batch(void *data, void *context)
{
	struct batch *batch = data;
	struct classify *classify = context;
	struct analyser_scratch *scratch = g_async_queue_pop(classify->scratches);
	for (guint i = 0; i < batch->jobs->len; i++)
		do_job(classify, scratch, batch->jobs->pdata[i]);
	g_async_queue_push(classify->scratches, scratch);
	g_mutex_lock(&classify->lock);
	batch->done = true;
	g_cond_signal(&classify->finished);
	g_mutex_unlock(&classify->lock);
}

/* -- printing in order: the main thread -- */

static void print_error(const struct job *job, const char *text)
{
	JSON_AUTO object = json_object();
	json_set_int(object, "line", (int64_t)job->line);
	json_set_string(object, "error", text);
	char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	puts(line);
	free(line);
}

static void print_job(struct classify *classify, const struct job *job)
{
	bool repeated = job->id && !id_set_add(classify->ids, job->id);
	classify->printed++;
	if (job->result && !repeated) {
		puts(job->result);
		return;
	}
	classify->bad++;
	print_error(job, repeated ? "id is repeated: an earlier line has it" : job->error);
}

/* Prints the oldest batches: those that are done; with `all`, every one. */
static void print_done(struct classify *classify, bool all)
{
	for (;;) {
		struct batch *batch = g_queue_peek_head(&classify->in_flight);
		bool full = classify->in_flight.length >= 2 * classify->threads + 2 ||
		            classify->bytes > IN_FLIGHT_BYTES;
		if (!batch)
			return;
		g_mutex_lock(&classify->lock);
		while (!batch->done && (all || full))
			g_cond_wait(&classify->finished, &classify->lock);
		bool done = batch->done;
		g_mutex_unlock(&classify->lock);
		if (!done)
			return;
		g_queue_pop_head(&classify->in_flight);
		classify->bytes -= batch->bytes;
		for (guint i = 0; i < batch->jobs->len; i++)
			print_job(classify, batch->jobs->pdata[i]);
		batch_free(batch);
	}
}

/* -- reading: the main thread -- */

static struct batch *batch_new(void)
{
	struct batch *batch = g_new0(struct batch, 1);
	batch->jobs = g_ptr_array_new_with_free_func(job_free);
	return batch;
}

static void batch_add(struct batch *batch, uint64_t line, const char *text, size_t size)
{
	struct job *job = g_new0(struct job, 1);
	job->line = line;
	job->size = size;
	if (text) {
		job->text = g_malloc(size + 1);
		memcpy(job->text, text, size);
		job->text[size] = '\0';
	}
	batch->bytes += size;
	g_ptr_array_add(batch->jobs, job);
}

/* Hands the batch to the threads; the caller gets a new one. */
static void send_batch(struct classify *classify, struct batch **batch)
{
	if ((*batch)->jobs->len == 0)
		return;
	g_queue_push_tail(&classify->in_flight, *batch);
	classify->bytes += (*batch)->bytes;
	g_thread_pool_push(classify->pool, *batch, NULL);
	*batch = batch_new();
	print_done(classify, false);
}

static bool output_is_well(GError **error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	fail(error, ERROR_AGAIN, "cannot write the output: %s", g_strerror(errno));
	return false;
}

static bool read_all(struct classify *classify, GError **error)
{
	struct batch *batch = batch_new();
	enum lines_state state = LINES_ONE;
	bool well = true;
	while (well && state != LINES_END && state != LINES_BROKEN) {
		const char *text = NULL;
		size_t size = 0;
		state = lines_next(classify->lines, state == LINES_WAIT, &text, &size, error);
		if (state == LINES_ONE || state == LINES_LONG)
			batch_add(batch, lines_number(classify->lines), text, size);
		bool full = batch->jobs->len >= BATCH_LINES || batch->bytes >= BATCH_BYTES;
		if (full || state == LINES_WAIT)
			send_batch(classify, &batch);
		if (state == LINES_WAIT) {
			print_done(classify, true);
			fflush(stdout);
		}
		well = !ferror(stdout);
	}
	send_batch(classify, &batch);
	print_done(classify, true);
	batch_free(batch);
	return state != LINES_BROKEN && output_is_well(error);
}

static void start_threads(struct classify *classify)
{
	classify->threads = MIN(g_get_num_processors(), MAX_THREADS);
	classify->scratches = g_async_queue_new();
	for (unsigned i = 0; i < classify->threads; i++)
		g_async_queue_push(
		        classify->scratches, analyser_scratch_new(pipeline_analyser(classify->pipeline)));
	classify->pool = g_thread_pool_new(do_batch, classify, (int)classify->threads, FALSE, NULL);
}

static void stop_threads(struct classify *classify)
{
	struct analyser_scratch *scratch;
	g_thread_pool_free(classify->pool, FALSE, TRUE);
	while ((scratch = g_async_queue_try_pop(classify->scratches)))
		analyser_scratch_free(scratch);
	g_async_queue_unref(classify->scratches);
}

int run_classify(struct invocation *invocation, GError **error)
{
	AUTO(lines) lines = lines_open(invocation_argument(invocation, 0), error);
	AUTO(pipeline) pipeline = lines ? load_pipeline(invocation, error) : NULL;
	if (!pipeline)
		return 1;
	struct classify classify = {.pipeline = pipeline, .lines = lines, .ids = id_set_new()};
	g_mutex_init(&classify.lock);
	g_cond_init(&classify.finished);
	start_threads(&classify);
	bool well = read_all(&classify, error);
	stop_threads(&classify);
	id_set_free(classify.ids);
	g_cond_clear(&classify.finished);
	g_mutex_clear(&classify.lock);
	if (well && classify.bad)
		fail(error, ERROR_INPUT, "%" PRIu64 " of %" PRIu64 " lines could not be decided",
		        classify.bad, classify.printed);
	return well && !classify.bad ? 0 : 65;
}
