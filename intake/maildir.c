/* maildir.c - the shortest connector: a Maildir (new/ → cur/) or a drop folder of .eml and .json files (→
 * done/).
 *
 * A file is moved only after the journal holds it. What cannot be read is recorded as refused and stays where
 * it is; it blocks nothing. The folder itself is in spool.c, what a file says in spool_item.c.
 */
#include "core/date.h"
#include "core/error.h"
#include "intake/header.h"
#include "intake/members.h"
#include "intake/spool_item.h"

#include <errno.h>
#include <unistd.h>

enum envelope { ENVELOPE_UNKNOWN, ENVELOPE_HEADER };
enum { WHOLE_MAX = 4 << 20, SETTLING_SECONDS = 60 };

struct maildir {
	char *path, *mailbox;
	int layout, envelope_from, json_channel;
	GPtrArray *trusted_hosts;
};

static const char *const layout_words[] = {"maildir", "drop", NULL}; /* as enum spool_layout */
static const char *const envelope_words[] = {"unknown", "header", NULL};
static const char *const channel_words[] = {"email", "postbox", "eservice", NULL};

#define OPTION(key, kind, words)                                                                             \
	.name = #key, .type = kind, .offset = offsetof(struct maildir, key), .help = words

static const struct option maildir_options[] = {
        {OPTION(path, OPTION_PATH,
                 "The folder: with layout maildir the one that holds new/ and cur/, with layout drop the one "
                 "that "
                 "files are dropped into."),
                .flags = OPTION_REQUIRED},
        {OPTION(layout, OPTION_ENUM,
                 "maildir: messages are taken from new/ and moved to cur/. drop: files *.eml and *.json are "
                 "taken "
                 "and moved to done/; producers rename them into place."),
                .fallback = "maildir", .words = layout_words},
        {OPTION(mailbox, OPTION_STRING, "Name of the mailbox the messages came to, as the rules see it."),
                .fallback = ""},
        {OPTION(trusted_hosts, OPTION_LIST,
                "Hosts whose topmost Received: field gives the time of receipt; without one it is the time "
                "the "
                "file was written.")},
        {OPTION(envelope_from, OPTION_ENUM,
                 "header: the delivering server writes the envelope sender to Return-Path, so replies are "
                 "possible (RFC 3834)."),
                .fallback = "unknown", .words = envelope_words},
        {OPTION(json_channel, OPTION_ENUM, "Channel of a .json file that names none itself."),
                .fallback = "postbox", .words = channel_words},
        OPTION_END,
};

struct connection {
	const struct maildir *settings;
	struct intake_world world;
	struct spool *spool;
	unsigned next; /* index into spool->files */
};

static GPtrArray *maildir_mailboxes(const struct source *source)
{
	const struct maildir *settings = source->settings;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(names, g_strdup(settings->mailbox));
	return names;
}

static void maildir_close(struct connection *c)
{
	if (c)
		spool_free(c->spool);
	g_free(c);
}

/* There is no state to go on from: what waits is what is in the folder. */
static struct connection *maildir_open(const struct source *source, const char *mailbox, const json_t *state,
        const struct intake_world *world, GError **error)
{
	(void)mailbox, (void)state;
	const struct maildir *settings = source->settings;
	struct spool *spool = spool_open(settings->path, (enum spool_layout)settings->layout, error);
	if (!spool)
		return NULL;
	struct connection *c = g_new0(struct connection, 1);
	*c = (struct connection){.settings = settings, .world = *world, .spool = spool};
	return c;
}

/* Recorded once; it stays in the folder. */
static void refuse(
        struct connection *c, struct batch *batch, const struct spool_file *file, const char *reason)
{
	const char *key = file->key;
	bool known = false;
	if (c->world.known && c->world.known(c->world.known_context, &key, 1, &known, NULL) && known)
		return;
	struct fetched *fetched = batch_add(batch, FETCHED_REFUSED, spool_item(file));
	fetched->reason = reason;
	fetched->size = file->size;
	batch->seen++;
}

static bool is_large(const struct connection *c, int64_t size)
{
	return size > MIN(c->world.limits->item_size, WHOLE_MAX);
}

/* A small file whole, of a large one the head: its bytes come by stream(). */
static void take_file(
        struct connection *c, struct batch *batch, const struct spool_file *file, int fd, int64_t size)
{
	bool large = is_large(c, size);
	g_autoptr(GBytes) bytes = spool_read(fd, large ? HEADER_MAX : WHOLE_MAX);
	if (!bytes) {
		refuse(c, batch, file, "unreadable");
		return;
	}
	struct item *item = spool_item(file);
	if (g_str_has_suffix(file->name, ".json") && c->settings->layout == SPOOL_DROP && !large)
		spool_item_json(item, bytes, (enum channel)c->settings->json_channel);
	else
		spool_item_mail(item, bytes, c->settings->trusted_hosts,
		        c->settings->envelope_from == ENVELOPE_HEADER);
	if (!large)
		item->raw = g_bytes_ref(bytes);
	batch_add(batch, large ? FETCHED_LARGE : FETCHED_ITEM, item)->size =
	        large ? size : (int64_t)g_bytes_get_size(bytes);
	batch->seen++;
}

/* Returns the bytes it put into memory. */
static int64_t look_into(struct connection *c, struct batch *batch, const struct spool_file *file)
{
	int64_t size = 0;
	int fd = spool_open_file(c->spool, file, &size);
	if (fd < 0) {
		if (errno != ENOENT)
			refuse(c, batch, file, "unreadable");
		return 0;
	}
	if (size > c->world.limits->hard_cap)
		refuse(c, batch, file, "too_large");
	else
		take_file(c, batch, file, fd, size);
	close(fd);
	return size;
}

/* A producer that does not rename into place may still be writing. */
static bool is_settling(const struct connection *c, const struct spool_file *file)
{
	int64_t age = c->world.now() - file->mtime;
	return c->settings->layout == SPOOL_DROP && file->size == 0 && age >= 0 &&
	       age < SETTLING_SECONDS * INSTANT_SECOND;
}

static bool maildir_next(struct connection *c, struct batch *batch, GError **error)
{
	if (!c->spool->files && !spool_list(c->spool, error))
		return false;
	const GPtrArray *files = c->spool->files;
	int64_t bytes = 0;
	while (c->next < files->len && batch->entries->len < (unsigned)c->world.limits->batch) {
		const struct spool_file *file = files->pdata[c->next];
		bool large = is_large(c, file->size);
		if (batch->entries->len > 0 && (large || bytes + file->size > INTAKE_BATCH_BYTES))
			break;
		c->next++;
		if (!is_settling(c, file))
			bytes += look_into(c, batch, file);
		if (large && batch->entries->len > 0)
			break;
	}
	batch->more = c->next < files->len;
	return true;
}

static bool maildir_stream(
        struct connection *c, const struct fetched *entry, stream_sink sink, void *context, GError **error)
{
	return spool_stream(c->spool, entry->item->key, sink, context, error);
}

static bool maildir_settle(struct connection *c, GPtrArray *keys, GError **error)
{
	return spool_settle(c->spool, keys, error);
}

static bool maildir_oldest(struct connection *c, struct oldest *out, GError **error)
{
	c->next = 0;
	if (!spool_list(c->spool, error))
		return false;
	const GPtrArray *files = c->spool->files;
	const struct spool_file *first = files->len ? files->pdata[0] : NULL;
	*out = (struct oldest){.count = files->len, .received = first ? first->mtime : 0};
	return true;
}

static char *maildir_describe(const struct source *source, const char *mailbox)
{
	const struct maildir *settings = source->settings;
	return g_strdup_printf(
	        "%s %s%s%s", layout_words[settings->layout], settings->path, *mailbox ? " " : "", mailbox);
}

const struct connector connector_maildir = {
        .name = "maildir",
        .channel = CHANNEL_EMAIL,
        .summary = "a Maildir or a drop folder of .eml and .json files",
        .options = maildir_options,
        .settings_size = sizeof(struct maildir),
        .mailboxes = maildir_mailboxes,
        .open = maildir_open,
        .next = maildir_next,
        .stream = maildir_stream,
        .settle = maildir_settle,
        .oldest = maildir_oldest,
        .close = maildir_close,
        .describe = maildir_describe,
};
