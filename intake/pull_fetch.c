/* pull_fetch.c - fetching ahead, within bounds: however slow the journal is, two batches and what is being
 * fetched are in memory, and a journal that lags behind gets larger commits.
 */
#include "intake/pull_fetch.h"

#include "core/hash.h"
#include "journal/sources.h"

enum { AHEAD_BYTES = INTAKE_BATCH_BYTES / 2, AHEAD_ENTRIES = 400 };

struct fetcher {
	const struct connector *connector;
	struct connection *connection;
	const volatile gint *stop;
	GThread *thread;
	GMutex lock;
	GCond changed;
	GQueue ready;     /* of struct fetch * */
	int64_t bytes;    /* of what is ready */
	unsigned entries; /* likewise */
	bool busy;        /* next() is running */
	bool held, ended, quit;
};

void fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return;
	batch_clear(&fetch->batch);
	g_clear_error(&fetch->failure);
	g_free(fetch);
}

static bool is_stopped(const struct fetcher *fetcher)
{
	return fetcher->stop && g_atomic_int_get(fetcher->stop) != 0;
}

static void hash_items(const struct batch *batch)
{
	for (unsigned i = 0; i < batch->entries->len; i++) {
		struct item *item = ((struct fetched *)batch->entries->pdata[i])->item;
		gsize size;
		const void *data = item->raw ? g_bytes_get_data(item->raw, &size) : NULL;
		if (item->raw)
			hash_hex(data, size, item->sha256);
	}
}

static bool has_large(const struct batch *batch)
{
	for (unsigned i = 0; i < batch->entries->len; i++)
		if (((const struct fetched *)batch->entries->pdata[i])->kind == FETCHED_LARGE)
			return true;
	return false;
}

static struct fetch *fetch_one(const struct fetcher *fetcher)
{
	struct fetch *fetch = g_new0(struct fetch, 1);
	batch_init(&fetch->batch);
	fetch->ok = fetcher->connector->next(fetcher->connection, &fetch->batch, &fetch->failure);
	fetch->large = has_large(&fetch->batch);
	hash_items(&fetch->batch);
	return fetch;
}

static int64_t bytes_of(const struct batch *batch)
{
	int64_t bytes = 0;
	for (unsigned i = 0; i < batch->entries->len; i++) {
		const struct item *item = ((const struct fetched *)batch->entries->pdata[i])->item;
		bytes += item->raw ? (int64_t)g_bytes_get_size(item->raw) : 0;
	}
	return bytes;
}

static void put(struct fetcher *fetcher, struct fetch *fetch)
{
	fetcher->bytes += bytes_of(&fetch->batch);
	fetcher->entries += fetch->batch.entries->len;
	fetcher->ended = !fetch->ok || !fetch->batch.more || fetch->large;
	g_queue_push_tail(&fetcher->ready, fetch);
}

static bool may_fetch(const struct fetcher *fetcher)
{
	return !fetcher->held && !fetcher->ended && fetcher->bytes < AHEAD_BYTES &&
	       fetcher->entries < AHEAD_ENTRIES;
}

static gpointer run(gpointer data)
{
	struct fetcher *fetcher = data;
	g_mutex_lock(&fetcher->lock);
	while (!fetcher->quit) {
		if (!may_fetch(fetcher)) {
			g_cond_wait(&fetcher->changed, &fetcher->lock);
			continue;
		}
		if (is_stopped(fetcher)) {
			fetcher->ended = true;
			g_cond_broadcast(&fetcher->changed);
			continue;
		}
		fetcher->busy = true;
		g_mutex_unlock(&fetcher->lock);
		struct fetch *fetch = fetch_one(fetcher);
		g_mutex_lock(&fetcher->lock);
		fetcher->busy = false;
		put(fetcher, fetch);
		g_cond_broadcast(&fetcher->changed);
	}
	g_mutex_unlock(&fetcher->lock);
	return NULL;
}

struct fetcher *fetcher_new(
        const struct connector *connector, struct connection *connection, const volatile gint *stop)
{
	struct fetcher *fetcher = g_new0(struct fetcher, 1);
	fetcher->connector = connector;
	fetcher->connection = connection;
	fetcher->stop = stop;
	g_mutex_init(&fetcher->lock);
	g_cond_init(&fetcher->changed);
	g_queue_init(&fetcher->ready);
	fetcher->thread = g_thread_new("fetch", run, fetcher);
	return fetcher;
}

static void drop(gpointer fetch)
{
	fetch_free(fetch);
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	g_mutex_lock(&fetcher->lock);
	fetcher->quit = true;
	g_cond_broadcast(&fetcher->changed);
	g_mutex_unlock(&fetcher->lock);
	g_thread_join(fetcher->thread);
	g_queue_clear_full(&fetcher->ready, drop);
	g_mutex_clear(&fetcher->lock);
	g_cond_clear(&fetcher->changed);
	g_free(fetcher);
}

/* --- taking --- */

static struct fetch *pop(struct fetcher *fetcher)
{
	struct fetch *fetch = g_queue_pop_head(&fetcher->ready);
	fetcher->bytes -= bytes_of(&fetch->batch);
	fetcher->entries -= fetch->batch.entries->len;
	return fetch;
}

/* A failure and a stream stand alone: the phase does more about them than to commit. */
static bool is_plain(const struct fetch *fetch)
{
	return fetch->ok && !fetch->large;
}

static bool fits(const struct fetch *fetch, const struct fetch *next)
{
	return next && is_plain(fetch) && is_plain(next) &&
	       fetch->batch.entries->len + next->batch.entries->len <= INTAKE_BATCH_MAX;
}

/* The state is that after the later one; an unchanged state (NULL) is that of the earlier. */
static void append(struct batch *batch, struct batch *later)
{
	g_ptr_array_extend_and_steal(batch->entries, g_steal_pointer(&later->entries));
	if (later->state) {
		json_decref(batch->state);
		batch->state = g_steal_pointer(&later->state);
	}
	batch->more = later->more;
	batch->seen += later->seen;
	batch->relisted |= later->relisted;
	batch->pending = later->pending;
}

struct fetch *fetcher_take(struct fetcher *fetcher)
{
	struct fetch *fetch = NULL;
	g_mutex_lock(&fetcher->lock);
	while (g_queue_is_empty(&fetcher->ready) && !(fetcher->ended && !fetcher->busy))
		g_cond_wait(&fetcher->changed, &fetcher->lock);
	if (!g_queue_is_empty(&fetcher->ready))
		fetch = pop(fetcher);
	while (fetch && fits(fetch, g_queue_peek_head(&fetcher->ready))) {
		AUTO(fetch) next = pop(fetcher);
		append(&fetch->batch, &next->batch);
	}
	g_cond_broadcast(&fetcher->changed);
	g_mutex_unlock(&fetcher->lock);
	return fetch;
}

void fetcher_go_on(struct fetcher *fetcher)
{
	g_mutex_lock(&fetcher->lock);
	fetcher->ended = false;
	g_cond_broadcast(&fetcher->changed);
	g_mutex_unlock(&fetcher->lock);
}

void fetcher_hold(struct fetcher *fetcher)
{
	g_mutex_lock(&fetcher->lock);
	fetcher->held = true;
	while (fetcher->busy)
		g_cond_wait(&fetcher->changed, &fetcher->lock);
	g_mutex_unlock(&fetcher->lock);
}

void fetcher_release(struct fetcher *fetcher)
{
	g_mutex_lock(&fetcher->lock);
	fetcher->held = false;
	g_cond_broadcast(&fetcher->changed);
	g_mutex_unlock(&fetcher->lock);
}
