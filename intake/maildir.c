/* maildir.c - a Maildir (new/ → cur/) or a drop folder of .eml and .json files (→ done/).
 *
 * A file is moved only after the journal holds it. What cannot be read is recorded as refused and stays where
 * it is; it blocks nothing.
 */
#include "core/date.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "intake/header.h"
#include "intake/members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum layout { LAYOUT_MAILDIR, LAYOUT_DROP };
enum envelope { ENVELOPE_UNKNOWN, ENVELOPE_HEADER };

static const char *const layout_words[] = {"maildir", "drop", NULL};
static const char *const envelope_words[] = {"unknown", "header", NULL};

struct maildir {
	char *path, *mailbox;
	int layout, envelope_from, json_channel;
	GPtrArray *trusted_hosts;
};

static const char *const channel_words[] = {"email", "postbox", "eservice", NULL};

static const struct option maildir_options[] = {
        {.name = "path",
                .type = OPTION_PATH,
                .offset = offsetof(struct maildir, path),
                .flags = OPTION_REQUIRED,
                .help = "The folder: with layout maildir the one that holds new/ and cur/, with layout drop "
                        "the "
                        "one that files are dropped into."},
        {.name = "layout",
                .type = OPTION_ENUM,
                .fallback = "maildir",
                .words = layout_words,
                .offset = offsetof(struct maildir, layout),
                .help = "maildir: messages are taken from new/ and moved to cur/. drop: files *.eml and "
                        "*.json "
                        "are taken and moved to done/; producers rename them into place."},
        {.name = "mailbox",
                .type = OPTION_STRING,
                .fallback = "",
                .offset = offsetof(struct maildir, mailbox),
                .help = "Name of the mailbox the messages came to, as the rules see it."},
        {.name = "trusted_hosts",
                .type = OPTION_LIST,
                .offset = offsetof(struct maildir, trusted_hosts),
                .help = "Hosts whose topmost Received: field gives the time of receipt; without one it is "
                        "the "
                        "time the file was written."},
        {.name = "envelope_from",
                .type = OPTION_ENUM,
                .fallback = "unknown",
                .words = envelope_words,
                .offset = offsetof(struct maildir, envelope_from),
                .help = "header: the delivering server writes the envelope sender to Return-Path, so replies "
                        "are "
                        "possible (RFC 3834)."},
        {.name = "json_channel",
                .type = OPTION_ENUM,
                .fallback = "postbox",
                .words = channel_words,
                .offset = offsetof(struct maildir, json_channel),
                .help = "Channel of a .json file that names none itself."},
        OPTION_END,
};

/* A file waiting. */
struct waiting {
	char *name, *key;
	int64_t mtime; /* µs */
	int64_t size;
};

struct connection {
	const struct source *source;
	const struct maildir *settings;
	struct intake_world world;
	int folder; /* fd of new/ or of the drop folder */
	char *folder_path, *done_path;
	GPtrArray *waiting; /* of struct waiting, oldest first; NULL: not listed yet */
	unsigned next;      /* index into waiting */
};

enum { LIST_MAX = 50000, WHOLE_MAX = 4 << 20, JSON_SETTLING_SECONDS = 60 };

static void free_waiting(gpointer data)
{
	struct waiting *waiting = data;
	g_free(waiting->name);
	g_free(waiting->key);
	g_free(waiting);
}

static void fail_errno(GError **error, const char *what, const char *path)
{
	fail_as(error, ERROR_UNAVAILABLE, SCOPE_MAILBOX, WHEN_LATER, "%s %s: %s", what, path,
	        g_strerror(errno));
}

static bool is_candidate(const struct maildir *settings, const char *name)
{
	if (*name == '.' || strchr(name, '\n'))
		return false;
	return settings->layout == LAYOUT_MAILDIR || g_str_has_suffix(name, ".eml") ||
	       g_str_has_suffix(name, ".json");
}

/* In a Maildir names are unique for ever; a dropped name may come again with other content. */
static char *key_of(const struct maildir *settings, const char *name, const struct stat *st)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	if (settings->layout == LAYOUT_MAILDIR) {
		char *info = strstr(valid, ":2,");
		return info ? g_strndup(valid, (size_t)(info - valid)) : g_steal_pointer(&valid);
	}
	return g_strdup_printf("%s;%" G_GINT64_FORMAT ".%09ld;%" G_GINT64_FORMAT, valid,
	        (gint64)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (gint64)st->st_size);
}

static struct waiting *look_at(const struct connection *c, const char *name)
{
	struct stat st;
	if (fstatat(c->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
		return NULL;
	struct waiting *waiting = g_new0(struct waiting, 1);
	waiting->name = g_strdup(name);
	waiting->key = key_of(c->settings, name, &st);
	waiting->mtime = st.st_mtim.tv_sec * INSTANT_SECOND + st.st_mtim.tv_nsec / 1000;
	waiting->size = st.st_size;
	return waiting;
}

static int by_age(gconstpointer a, gconstpointer b)
{
	const struct waiting *x = *(struct waiting *const *)a, *y = *(struct waiting *const *)b;
	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool list_folder(struct connection *c, GError **error)
{
	int fd = openat(c->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fail_errno(error, "list", c->folder_path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	g_clear_pointer(&c->waiting, g_ptr_array_unref);
	c->waiting = g_ptr_array_new_with_free_func(free_waiting);
	c->next = 0;
	for (struct dirent *entry; c->waiting->len < LIST_MAX && (entry = readdir(dir)) != NULL;) {
		struct waiting *waiting =
		        is_candidate(c->settings, entry->d_name) ? look_at(c, entry->d_name) : NULL;
		if (waiting)
			g_ptr_array_add(c->waiting, waiting);
	}
	closedir(dir);
	g_ptr_array_sort(c->waiting, by_age);
	return true;
}

static GPtrArray *maildir_mailboxes(const struct source *source)
{
	const struct maildir *settings = source->settings;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(names, g_strdup(settings->mailbox));
	return names;
}

static void maildir_close(struct connection *c)
{
	if (!c)
		return;
	if (c->folder >= 0)
		close(c->folder);
	if (c->waiting)
		g_ptr_array_unref(c->waiting);
	g_free(c->folder_path);
	g_free(c->done_path);
	g_free(c);
}

static struct connection *maildir_open(const struct source *source, const char *mailbox, const json_t *state,
        const struct intake_world *world, GError **error)
{
	(void)mailbox, (void)state;
	const struct maildir *settings = source->settings;
	bool drop = settings->layout == LAYOUT_DROP;
	struct connection *c = g_new0(struct connection, 1);
	c->source = source;
	c->settings = settings;
	c->world = *world;
	c->folder_path = drop ? g_strdup(settings->path) : g_build_filename(settings->path, "new", NULL);
	c->done_path = g_build_filename(settings->path, drop ? "done" : "cur", NULL);
	c->folder = open(c->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->folder < 0)
		fail_errno(error, "open", c->folder_path);
	else if (mkdir(c->done_path, 0750) != 0 && errno != EEXIST)
		fail_errno(error, "create", c->done_path);
	else
		return c;
	maildir_close(c);
	return NULL;
}

/* Opens a regular file and nothing else; -1 if it cannot be read. */
static int open_regular(const struct connection *c, const char *name, struct stat *st)
{
	int fd = openat(c->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* Reads up to `max` bytes; NULL on an I/O error. */
static GBytes *read_some(int fd, size_t max)
{
	g_autoptr(GByteArray) data = g_byte_array_new();
	char buffer[65536];
	while (data->len < max) {
		ssize_t n = read(fd, buffer, MIN(sizeof buffer, max - data->len));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		g_byte_array_append(data, (const guint8 *)buffer, (guint)n);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&data));
}

static void describe_mail(const struct connection *c, struct item *item, GBytes *head)
{
	gsize size;
	const char *raw = g_bytes_get_data(head, &size);
	item->channel = CHANNEL_EMAIL;
	item->fields = json_object();
	header_received(raw, size, c->settings->trusted_hosts, &item->received);
	if (c->settings->envelope_from != ENVELOPE_HEADER)
		return;
	g_autofree char *sender = header_return_path(raw, size);
	if (sender)
		json_set_string(item->fields, "envelope_from", sender);
}

/* A line as `classify` reads it. What is no JSON object becomes an undecodable item: doubt, never a loss. */
static void describe_json(const struct connection *c, struct item *item, GBytes *raw)
{
	gsize size;
	const char *text = g_bytes_get_data(raw, &size);
	item->channel = (enum channel)c->settings->json_channel;
	item->fields = json_read(text, size, NULL);
	if (!json_is_object(item->fields)) {
		json_decref(item->fields);
		item->fields = json_object();
		json_set_bool(item->fields, "undecodable", true);
		return;
	}
	const char *channel = json_get_string(item->fields, "channel");
	if (!channel || !channel_parse(channel, &item->channel))
		json_set_string(item->fields, "channel", channel_name(item->channel));
	const char *received = json_get_string(item->fields, "received");
	if (received)
		instant_parse(received, &item->received);
}

static struct item *item_of(const struct waiting *waiting)
{
	struct item *item = item_new();
	item->key = g_strdup(waiting->key);
	item->received = waiting->mtime;
	return item;
}

static bool is_known(const struct connection *c, const char *key)
{
	bool known = false;
	if (!c->world.known || !c->world.known(c->world.known_context, &key, 1, &known, NULL))
		return false;
	return known;
}

/* Recorded once; it stays in the folder. */
static void refuse(
        struct connection *c, struct batch *batch, const struct waiting *waiting, const char *reason)
{
	if (is_known(c, waiting->key))
		return;
	struct fetched *fetched = batch_add(batch, FETCHED_REFUSED, item_of(waiting));
	fetched->reason = reason;
	fetched->size = waiting->size;
	batch->seen++;
}

static void take_large(struct connection *c, struct batch *batch, const struct waiting *waiting, int fd)
{
	g_autoptr(GBytes) head = read_some(fd, HEADER_MAX);
	struct item *item = item_of(waiting);
	if (head)
		describe_mail(c, item, head);
	batch_add(batch, FETCHED_LARGE, item)->size = waiting->size;
	batch->seen++;
}

static void take_whole(struct connection *c, struct batch *batch, const struct waiting *waiting, int fd)
{
	GBytes *raw = read_some(fd, WHOLE_MAX);
	if (!raw) {
		refuse(c, batch, waiting, "unreadable");
		return;
	}
	struct item *item = item_of(waiting);
	item->raw = raw;
	if (g_str_has_suffix(waiting->name, ".json") && c->settings->layout == LAYOUT_DROP)
		describe_json(c, item, raw);
	else
		describe_mail(c, item, raw);
	batch_add(batch, FETCHED_ITEM, item)->size = (int64_t)g_bytes_get_size(raw);
	batch->seen++;
}

/* A producer that does not rename into place may still be writing. */
static bool is_settling(const struct connection *c, const struct waiting *waiting)
{
	int64_t age = c->world.now() - waiting->mtime;
	return c->settings->layout == LAYOUT_DROP && waiting->size == 0 && age >= 0 &&
	       age < JSON_SETTLING_SECONDS * INSTANT_SECOND;
}

/* Takes one file; returns the bytes it put into memory. */
static int64_t take_file(struct connection *c, struct batch *batch, const struct waiting *waiting)
{
	struct stat st;
	int fd = open_regular(c, waiting->name, &st);
	if (fd < 0) {
		if (errno != ENOENT)
			refuse(c, batch, waiting, "unreadable");
		return 0;
	}
	if (st.st_size > c->world.limits->hard_cap)
		refuse(c, batch, waiting, "too_large");
	else if (st.st_size > MIN(c->world.limits->item_size, WHOLE_MAX))
		take_large(c, batch, waiting, fd);
	else
		take_whole(c, batch, waiting, fd);
	close(fd);
	return st.st_size;
}

static bool is_large(const struct connection *c, const struct waiting *waiting)
{
	return waiting->size > MIN(c->world.limits->item_size, WHOLE_MAX);
}

static bool maildir_next(struct connection *c, struct batch *batch, GError **error)
{
	if (!c->waiting && !list_folder(c, error))
		return false;
	int64_t bytes = 0;
	while (c->next < c->waiting->len && batch->entries->len < (unsigned)c->world.limits->batch) {
		const struct waiting *waiting = c->waiting->pdata[c->next];
		bool full = bytes + waiting->size > INTAKE_BATCH_BYTES || is_large(c, waiting);
		if (full && batch->entries->len > 0)
			break;
		c->next++;
		if (!is_settling(c, waiting))
			bytes += take_file(c, batch, waiting);
		if (is_large(c, waiting) && batch->entries->len > 0)
			break;
	}
	batch->more = c->next < c->waiting->len;
	return true;
}

static const struct waiting *find_waiting(const struct connection *c, const char *key)
{
	for (unsigned i = 0; i < c->waiting->len; i++) {
		const struct waiting *waiting = c->waiting->pdata[i];
		if (strcmp(waiting->key, key) == 0)
			return waiting;
	}
	return NULL;
}

static bool maildir_stream(
        struct connection *c, const struct fetched *entry, stream_sink sink, void *context, GError **error)
{
	const struct waiting *waiting = find_waiting(c, entry->item->key);
	struct stat st;
	int fd = waiting ? open_regular(c, waiting->name, &st) : -1;
	bool ok = fd >= 0;
	if (!ok)
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_LATER, "%s: cannot be read", c->folder_path);
	while (ok) {
		char buffer[65536];
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_LATER, "%s: %s", c->folder_path,
			        g_strerror(errno));
		if (n <= 0) {
			ok = n == 0;
			break;
		}
		ok = sink(context, buffer, (size_t)n, error);
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

/* A name in done/ that is free: NAME, NAME.1, NAME.2, … */
static bool move_to_done(const struct connection *c, const char *name)
{
	bool maildir = c->settings->layout == LAYOUT_MAILDIR;
	bool has_info = strstr(name, ":2,") != NULL;
	for (unsigned n = 0; n < 10000; n++) {
		g_autofree char *to = NULL;
		if (maildir)
			to = g_strdup_printf("%s/%s%s", c->done_path, name, has_info ? "" : ":2,");
		else if (n == 0)
			to = g_strdup_printf("%s/%s", c->done_path, name);
		else
			to = g_strdup_printf("%s/%s.%u", c->done_path, name, n);
		if (renameat2(c->folder, name, AT_FDCWD, to, maildir ? 0 : RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			return errno == ENOENT; /* gone: settled by somebody else */
	}
	return false;
}

static GHashTable *names_by_key(const struct connection *c)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < c->waiting->len; i++) {
		const struct waiting *waiting = c->waiting->pdata[i];
		g_hash_table_insert(names, waiting->key, waiting->name);
	}
	return names;
}

static bool maildir_settle(struct connection *c, GPtrArray *keys, GError **error)
{
	if (!c->waiting && !list_folder(c, error))
		return false;
	g_autoptr(GHashTable) names = names_by_key(c);
	bool ok = true;
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < keys->len; i++) {
		const char *name = g_hash_table_lookup(names, keys->pdata[i]);
		if (name && !move_to_done(c, name)) {
			if (ok)
				fail_errno(error, "move into", c->done_path);
			ok = false;
			g_ptr_array_add(left, g_strdup(keys->pdata[i]));
		}
	}
	if (ok && !(folder_sync(c->done_path, error) && folder_sync(c->folder_path, error)))
		return false;
	g_ptr_array_set_size(keys, 0);
	for (unsigned i = 0; i < left->len; i++)
		g_ptr_array_add(keys, g_strdup(left->pdata[i]));
	return ok;
}

static bool maildir_oldest(struct connection *c, struct oldest *out, GError **error)
{
	if (!list_folder(c, error))
		return false;
	const struct waiting *first = c->waiting->len ? c->waiting->pdata[0] : NULL;
	*out = (struct oldest){.count = c->waiting->len, .received = first ? first->mtime : 0};
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
