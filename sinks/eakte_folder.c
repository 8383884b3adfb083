/* eakte_folder.c - the eAkte as a drop folder: one document an item, whole or not at all, and read back.
 *
 *     PATH/<item number / 1000>/<item>.eml          the original bytes (.json for postbox and eService)
 *     PATH/<item number / 1000>/<item>.meta.json    what it is; comes last: a document is there when this is
 *     PATH/.staging/                                what is being written; never to be read
 *
 * The name comes from the idempotency key, so a repetition meets its own document. An importer that takes
 * files away moves them into `taken`, where they are looked for too. Many small files share one barrier
 * (syncfs); rename comes after it, so a power cut leaves no half document.
 */
#include "sinks/folder.h"
#include "sinks/members.h"
#include "core/date.h"
#include "core/error.h"
#include "core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 500 };

struct folder_settings {
	char *path, *taken;
};

static const struct option eakte_folder_options[] = {
        {.name = "path",
                .type = OPTION_PATH,
                .offset = offsetof(struct folder_settings, path),
                .flags = OPTION_REQUIRED,
                .help = "Folder into which documents are put; made if it is not there. One file system."},
        {.name = "taken",
                .type = OPTION_PATH,
                .offset = offsetof(struct folder_settings, taken),
                .help = "Folder into which the importer moves what it has taken (same subfolders). A "
                        "document "
                        "found there is not put down again."},
        OPTION_END,
};

struct sink_session {
	int root, taken; /* folder descriptors; taken is -1 if there is none */
};

/* One job on its way. */
struct document {
	struct sink_job *job;
	char *content, *meta;               /* final names, relative to the root */
	char *staged_content, *staged_meta; /* NULL: not (or no longer) there */
	bool placed;
};

static void folder_close(struct sink_session *session)
{
	if (!session)
		return;
	if (session->root >= 0)
		close(session->root);
	if (session->taken >= 0)
		close(session->taken);
	g_free(session);
}

static struct sink_session *folder_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	(void)world;
	const struct folder_settings *settings = outlet->settings;
	struct sink_session *session = g_new0(struct sink_session, 1);
	session->taken = -1;
	session->root = folder_make(settings->path, error);
	bool ok = session->root >= 0 && folder_make_staging(session->root, error);
	if (ok && settings->taken)
		ok = (session->taken = folder_make(settings->taken, error)) >= 0;
	if (ok)
		return session;
	folder_close(session);
	return NULL;
}

static json_t *document_meta(const struct document *document)
{
	static const char *const copied[] = {
	        "reason", "concerns", "payment_relevant", "rechtskreis", "contact_code", "cites", NULL};
	const struct delivery *delivery = document->job->delivery;
	const struct item *item = delivery->item;
	json_t *meta = json_object();
	g_autofree char *received = instant_format_berlin(item->received);
	g_autofree char *file = g_path_get_basename(document->content);
	json_set_int(meta, "version", 1);
	json_set_string(meta, "key", delivery->key);
	json_set_string(meta, "item", delivery->item_name);
	json_set_string(meta, "channel", channel_name(item->channel));
	json_set_string(meta, "source", item->source);
	json_set_string(meta, "mailbox", item->mailbox);
	json_set_string(meta, "source_key", item->key);
	json_set_string(meta, "received", received);
	json_set_string(meta, "content", file);
	json_set_string(meta, "sha256", item->sha256);
	json_set_int(meta, "size", delivery->item_size);
	for (int i = 0; copied[i]; i++) {
		json_t *value = json_object_get(delivery->params, copied[i]);
		if (value && !json_is_null(value))
			json_object_set(meta, copied[i], value);
	}
	return meta;
}

struct writer {
	int fd;
	struct hash_stream *hash;
	int64_t size;
};

static bool write_piece(void *context, const void *data, size_t size, GError **error)
{
	struct writer *writer = context;
	hash_stream_add(writer->hash, data, size);
	writer->size += (int64_t)size;
	return folder_write(writer->fd, data, size, error);
}

static bool stage_content(
        const struct sink_session *session, struct document *document, bool sync, GError **error)
{
	const struct delivery *delivery = document->job->delivery;
	struct writer writer = {.fd = folder_stage(session->root, &document->staged_content, error)};
	if (writer.fd < 0)
		return false;
	writer.hash = hash_stream_new();
	bool ok = document->job->content(document->job->content_giver_data, write_piece, &writer, error);
	char sha256[HASH_HEX_SIZE];
	hash_stream_end(writer.hash, sha256);
	ok = folder_end(writer.fd, ok, sync, error);
	if (ok && (strcmp(sha256, delivery->item->sha256) != 0 || writer.size != delivery->item_size)) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER,
		        "the journal's bytes have not the hash of receipt");
		return false;
	}
	return ok;
}

static bool stage_meta(
        const struct sink_session *session, struct document *document, bool sync, GError **error)
{
	int fd = folder_stage(session->root, &document->staged_meta, error);
	if (fd < 0)
		return false;
	JSON_AUTO meta = document_meta(document);
	g_autofree char *text = json_canonical(meta);
	bool ok = folder_write(fd, text, strlen(text), error) && folder_write(fd, "\n", 1, error);
	return folder_end(fd, ok, sync, error);
}

/* The receipt of what stands under `name` in `root`: the hash of the bytes read back. *receipt stays NULL if
 * nothing is there. */
static bool read_back(int root, const char *content, const char *meta, json_t **receipt, GError **error)
{
	struct stat st;
	if (fstatat(root, meta, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return true;
		return folder_fail(error, "look at", meta);
	}
	char sha256[HASH_HEX_SIZE];
	int64_t size = 0;
	if (!folder_hash(root, content, sha256, &size, error))
		return false;
	*receipt = json_object();
	json_set_string(*receipt, "document", content);
	json_set_string(*receipt, "sha256", sha256);
	json_set_int(*receipt, "size", size);
	return true;
}

/* A document with other bytes under our name is never overwritten: a person must look. */
static bool accept_receipt(struct document *document, json_t *receipt, GError **error)
{
	const struct delivery *delivery = document->job->delivery;
	const char *sha256 = json_get_string(receipt, "sha256");
	if (g_strcmp0(sha256, delivery->item->sha256) != 0) {
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER,
		        "other bytes stand in the eAkte under this key");
		return false;
	}
	document->job->receipt = json_incref(receipt);
	document->job->done = true;
	return true;
}

static bool find_earlier(const struct sink_session *session, struct document *document, GError **error)
{
	JSON_AUTO receipt = NULL;
	if (!read_back(session->root, document->content, document->meta, &receipt, error))
		return false;
	if (!receipt && session->taken >= 0 &&
	        !read_back(session->taken, document->content, document->meta, &receipt, error))
		return false;
	return !receipt || accept_receipt(document, receipt, error);
}

static void stage(const struct sink_session *session, struct document *document, bool sync)
{
	GError **error = &document->job->error;
	if (!document->job->delivery->item)
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "no item to put into the eAkte");
	else if (find_earlier(session, document, error) && !document->job->done &&
	         stage_content(session, document, sync, error))
		stage_meta(session, document, sync, error);
}

static bool place(const struct sink_session *session, struct document *document, GError **error)
{
	document->placed = folder_place(session->root, &document->staged_content, document->content, error) &&
	                   folder_place(session->root, &document->staged_meta, document->meta, error);
	return document->placed;
}

static void confirm(const struct sink_session *session, struct document *document)
{
	JSON_AUTO receipt = NULL;
	GError **error = &document->job->error;
	if (!read_back(session->root, document->content, document->meta, &receipt, error))
		return;
	if (receipt)
		accept_receipt(document, receipt, error);
	else
		fail_as(error, ERROR_UNCERTAIN, SCOPE_ITEM, WHEN_LATER, "gone before it could be read back");
}

static void document_init(struct document *document, struct sink_job *job)
{
	g_autofree char *name = folder_name(job->delivery->key);
	const struct item *item = job->delivery->item;
	const char *ending = item && item->channel == CHANNEL_EMAIL ? "eml" : "json";
	*document = (struct document){.job = job,
	        .content = g_strdup_printf("%s.%s", name, ending),
	        .meta = g_strdup_printf("%s.meta.json", name)};
}

static void document_clear(const struct sink_session *session, struct document *document)
{
	folder_unstage(session->root, &document->staged_content);
	folder_unstage(session->root, &document->staged_meta);
	g_free(document->content);
	g_free(document->meta);
}

static bool job_is_open(const struct sink_job *job)
{
	return !job->done && !job->error;
}

/* Stages all, until one fails for a reason that is not its own. Returns how many were looked at. */
static unsigned stage_all(const struct sink_session *session, struct document *documents,
        struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		document_init(&documents[i], jobs[i]);
		stage(session, &documents[i], n <= FOLDER_SYNC_ALONE);
		if (jobs[i]->error && error_scope(jobs[i]->error) == SCOPE_SOURCE)
			return i + 1;
	}
	return n;
}

/* From the barrier to the folder's own sync; a failure reaches all that is not done. */
static bool place_all(
        const struct sink_session *session, struct document *documents, unsigned n, GError **error)
{
	if (n > FOLDER_SYNC_ALONE && !folder_barrier(session->root, error))
		return false;
	g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (unsigned i = 0; i < n; i++) {
		if (!job_is_open(documents[i].job))
			continue;
		char *folder = g_path_get_dirname(documents[i].content);
		bool ok = g_hash_table_contains(folders, folder) || folder_sub(session->root, folder, error);
		g_hash_table_add(folders, folder);
		if (!ok || !place(session, &documents[i], error))
			return false;
	}
	return folder_sync_all(session->root, folders, error);
}

static void folder_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	g_autofree struct document *documents = g_new0(struct document, n);
	unsigned staged = stage_all(session, documents, jobs, n);
	g_autoptr(GError) error = NULL;
	bool placed = place_all(session, documents, staged, &error);
	for (unsigned i = 0; i < staged; i++) {
		if (!job_is_open(jobs[i]))
			continue;
		if (placed)
			confirm(session, &documents[i]);
		else
			jobs[i]->error = g_error_copy(error);
	}
	for (unsigned i = 0; i < staged; i++)
		document_clear(session, &documents[i]);
}

static bool folder_find(struct sink_session *session, const char *key, json_t **receipt, GError **error)
{
	static const char *const endings[] = {"eml", "json", NULL};
	g_autofree char *name = folder_name(key);
	g_autofree char *meta = g_strdup_printf("%s.meta.json", name);
	const int roots[] = {session->root, session->taken};
	*receipt = NULL;
	for (int i = 0; i < 2 && !*receipt; i++) {
		for (int j = 0; endings[j] && !*receipt && roots[i] >= 0; j++) {
			g_autofree char *content = g_strdup_printf("%s.%s", name, endings[j]);
			struct stat st;
			if (fstatat(roots[i], content, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			        !read_back(roots[i], content, meta, receipt, error))
				return false;
		}
	}
	return true;
}

static bool list_one(int folder, const char *name, sink_lister lister, void *context)
{
	g_autoptr(GBytes) bytes = folder_read(folder, name, 1 << 20, NULL);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
	JSON_AUTO meta = data ? json_read(data, size, NULL) : NULL;
	struct sink_entry entry = {
	        .key = json_get_string(meta, "key"),
	        .sha256 = json_get_string(meta, "sha256"),
	        .size = json_get_int(meta, "size", -1),
	};
	const char *content = json_get_string(meta, "content");
	struct stat st;
	if (!content || strchr(content, '/') || fstatat(folder, content, &st, AT_SYMLINK_NOFOLLOW) != 0)
		entry.sha256 = NULL; /* a damaged or half document: balance finds it */
	else if (st.st_size != entry.size)
		entry = (struct sink_entry){.key = entry.key, .size = st.st_size};
	if (!entry.key)
		entry.key = name;
	return lister(context, &entry);
}

struct listing {
	sink_lister lister;
	void *context;
};

static bool list_folder(int folder, const char *name, void *data)
{
	const struct listing *listing = data;
	return !g_str_has_suffix(name, ".meta.json") ||
	       list_one(folder, name, listing->lister, listing->context);
}

static bool folder_list(struct sink_session *session, sink_lister lister, void *context, GError **error)
{
	struct listing listing = {lister, context};
	return folder_walk(session->root, list_folder, &listing, error) &&
	       (session->taken < 0 || folder_walk(session->taken, list_folder, &listing, error));
}

static char *folder_describe(const struct outlet *outlet)
{
	return g_strdup_printf("folder %s", ((const struct folder_settings *)outlet->settings)->path);
}

const struct sink sink_eakte_folder = {
        .name = "folder",
        .roles = 1 << SINK_EAKTE,
        .summary = "A drop folder: original bytes and metadata, written durably and read back.",
        .options = eakte_folder_options,
        .settings_size = sizeof(struct folder_settings),
        .repeatable = true,
        .batch = BATCH,
        .wants_bytes = true,
        .open = folder_open,
        .deliver = folder_deliver,
        .find = folder_find,
        .list = folder_list,
        .close = folder_close,
        .describe = folder_describe,
};
