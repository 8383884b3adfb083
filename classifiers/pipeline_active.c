/* pipeline_active.c - one loaded bundle shared by the threads of a process. */
#include "classifiers/pipeline_active.h"

#include "core/error.h"
#include "journal/bundles.h"

#include <string.h>

struct pipeline_active {
	GMutex lock; /* held while loading: the other threads would need the same bundle */
	struct pipeline *pipeline;
};

struct pipeline_active *pipeline_active_new(void)
{
	struct pipeline_active *active = g_new0(struct pipeline_active, 1);
	g_mutex_init(&active->lock);
	return active;
}

void pipeline_active_free(struct pipeline_active *active)
{
	if (!active)
		return;
	pipeline_free(active->pipeline);
	g_mutex_clear(&active->lock);
	g_free(active);
}

static struct pipeline *load(struct journal *journal, const char *hash, GError **error)
{
	g_autoptr(GBytes) packed = journal_bundle(journal, hash, error);
	struct bundle *bundle = packed ? bundle_unpack(packed, error) : NULL;
	if (!bundle)
		return NULL;
	struct pipeline *pipeline = pipeline_open(bundle, error);
	if (!pipeline)
		g_prefix_error(error, "active bundle %.8s: ", hash);
	return pipeline;
}

struct pipeline *pipeline_active_get(struct pipeline_active *active, struct journal *journal, GError **error)
{
	g_autofree char *hash = journal_active_bundle(journal, error);
	if (!hash)
		return NULL;
	g_mutex_lock(&active->lock);
	bool same = active->pipeline && strcmp(bundle_hash(pipeline_bundle(active->pipeline)), hash) == 0;
	struct pipeline *fresh = same ? NULL : load(journal, hash, error);
	if (fresh) {
		pipeline_free(active->pipeline);
		active->pipeline = fresh;
	}
	struct pipeline *pipeline = same || fresh ? pipeline_ref(active->pipeline) : NULL;
	g_mutex_unlock(&active->lock);
	return pipeline;
}

bool pipeline_activate(const struct pipeline *pipeline, struct journal *journal, GError **error)
{
	const struct bundle *bundle = pipeline_bundle(pipeline);
	g_autoptr(GBytes) packed = bundle_pack(bundle);
	return journal_store_bundle(journal, bundle_hash(bundle), packed, error) &&
	       journal_activate_bundle(journal, bundle_hash(bundle), error);
}
