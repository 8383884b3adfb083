/* deliver_document.c - eAkte and archive: the original bytes, out of the journal and into the sink.
 *
 * Small contents are read ahead, many in one round trip; large ones go chunk by chunk. Memory stays bounded
 * either way.
 */
#include "journal/content.h"
#include "sinks/deliver_private.h"

enum { AHEAD_ITEMS = 100, AHEAD_BYTES = 4 << 20 };

struct source;

/* What one job's giver holds. */
struct giver {
	struct source *source;
	int64_t item, size;
	GBytes *first; /* read ahead, for the next call */
};

struct source {
	struct journal *journal;
	struct giver *givers;
	unsigned n;
};

/* Reads the contents of this job and of those behind it, as far as the bounds go. */
static bool read_ahead(struct giver *from, GError **error)
{
	struct source *source = from->source;
	int64_t items[AHEAD_ITEMS], bytes = 0;
	GBytes *chunks[AHEAD_ITEMS] = {NULL};
	unsigned n = 0, left = source->n - (unsigned)(from - source->givers);
	for (; n < AHEAD_ITEMS && n < left && from[n].size <= CONTENT_CHUNK; n++) {
		bytes += from[n].size;
		if (n > 0 && bytes > AHEAD_BYTES)
			break;
		items[n] = from[n].item;
	}
	if (n == 0 || !journal_first_chunks(source->journal, items, n, chunks, error))
		return n == 0;
	for (unsigned i = 0; i < n; i++) {
		g_clear_pointer(&from[i].first, g_bytes_unref);
		from[i].first = chunks[i];
	}
	return true;
}

static bool give_bytes(GBytes *bytes, content_taker take, void *context, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);
	return size == 0 || take(context, data, size, error);
}

/* A content_giver. */
static bool give(void *data, content_taker take, void *context, GError **error)
{
	struct giver *giver = data;
	if (!giver->first && !read_ahead(giver, error))
		return false;
	g_autoptr(GBytes) first = g_steal_pointer(&giver->first);
	if (first && giver->size <= CONTENT_CHUNK)
		return give_bytes(first, take, context, error);
	for (unsigned n = 0;; n++) {
		g_autoptr(GBytes) chunk = NULL;
		if (!journal_content_chunk(giver->source->journal, giver->item, n, &chunk, error))
			return false;
		if (!chunk)
			return true;
		if (!give_bytes(chunk, take, context, error))
			return false;
	}
}

void deliver_documents(struct deliver *deliver, struct work *works, unsigned n)
{
	g_autofree struct giver *givers = g_new0(struct giver, n);
	struct source source = {deliver->journal, givers, n};
	for (unsigned i = 0; i < n; i++) {
		const struct item *item = works[i].delivery->item;
		givers[i] = (struct giver){&source, item ? item->id : 0, works[i].delivery->item_size, NULL};
		works[i].job.content = give;
		works[i].job.content_giver_data = &givers[i];
	}
	deliver_jobs(deliver, works, n);
	for (unsigned i = 0; i < n; i++)
		g_clear_pointer(&givers[i].first, g_bytes_unref);
}
