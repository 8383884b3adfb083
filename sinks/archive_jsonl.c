/* archive_jsonl.c - the event history as JSON Lines on disk: the embedded default.
 *
 *     PATH/2024-04-08.jsonl    entries of items received that day (Berlin), one a line
 *
 * The day comes from the item, so a repetition looks into the same file and finds its own entry. Writers take
 * turns by flock(2). A last line without its end is what a crash left: it was never confirmed and is cut off.
 */
#include "core/date.h"
#include "core/error.h"
#include "core/hash.h"
#include "sinks/archive_entry.h"
#include "sinks/folder.h"
#include "sinks/members.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH = 200,
	KNOWN_DAYS = 8,
	LOCK_TRIES = 1000,
	LOCK_PAUSE = 10000,
	PIECE = 1 << 16,
	LINES_MAX = 32 << 20
};

struct jsonl_settings {
	char *path;
};

static const struct option archive_jsonl_options[] = {
        {.name = "path",
                .type = OPTION_PATH,
                .offset = offsetof(struct jsonl_settings, path),
                .flags = OPTION_REQUIRED,
                .help = "Folder of the event history; made if it is not there."},
        OPTION_END,
};

/* What is known of one day's file: which keys stand in its first `read` bytes. */
struct day_file {
	dev_t device;
	ino_t inode;
	int64_t read;
	GHashTable *keys; /* key → sha256 */
};

struct sink_session {
	int root;
	GHashTable *days; /* file name → struct day_file */
};

static void day_file_free(void *data)
{
	struct day_file *day = data;
	g_hash_table_unref(day->keys);
	g_free(day);
}

static void jsonl_close(struct sink_session *session)
{
	if (!session)
		return;
	if (session->root >= 0)
		close(session->root);
	g_hash_table_unref(session->days);
	g_free(session);
}

static struct sink_session *jsonl_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	(void)world;
	struct sink_session *session = g_new0(struct sink_session, 1);
	session->days = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, day_file_free);
	session->root = folder_make(((const struct jsonl_settings *)outlet->settings)->path, error);
	if (session->root >= 0)
		return session;
	jsonl_close(session);
	return NULL;
}

static bool lock(int fd, const char *name, GError **error)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return folder_fail(error, "lock", name);
		g_usleep(LOCK_PAUSE);
	}
	fail(error, ERROR_AGAIN, "%s: locked by another process", name);
	return false;
}

static void learn_line(struct day_file *day, const char *line, size_t size)
{
	JSON_AUTO entry = json_read(line, size, NULL);
	const char *key = json_get_string(entry, "key"), *sha256 = json_get_string(entry, "sha256");
	if (key)
		g_hash_table_replace(day->keys, g_strdup(key), g_strdup(sha256 ? sha256 : ""));
}

/* Takes whole lines out of `pending`; what is left is the beginning of one. */
static void learn_lines(struct day_file *day, GByteArray *pending)
{
	guint from = 0;
	for (const guint8 *end; (end = memchr(pending->data + from, '\n', pending->len - from)) != NULL;) {
		guint length = (guint)(end - pending->data) - from;
		learn_line(day, (const char *)pending->data + from, length);
		from += length + 1;
		day->read += length + 1;
		if (from == pending->len)
			break;
	}
	g_byte_array_remove_range(pending, 0, from);
}

/* Reads what others (or we) have appended since, and cuts off a torn last line. */
static bool catch_up(struct day_file *day, int fd, const char *name, GError **error)
{
	g_autoptr(GByteArray) pending = g_byte_array_new();
	int64_t at = day->read;
	char piece[PIECE];
	ssize_t n;
	while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
		at += n;
		g_byte_array_append(pending, (const guint8 *)piece, (guint)n);
		learn_lines(day, pending);
	}
	if (n < 0)
		return folder_fail(error, "read", name);
	if (pending->len > 0 && ftruncate(fd, day->read) != 0)
		return folder_fail(error, "cut", name);
	return true;
}

static struct day_file *known_day(struct sink_session *session, int fd, const char *name)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		memset(&st, 0, sizeof st);
	struct day_file *day = g_hash_table_lookup(session->days, name);
	if (day && day->device == st.st_dev && day->inode == st.st_ino && day->read <= st.st_size)
		return day;
	if (g_hash_table_size(session->days) >= KNOWN_DAYS)
		g_hash_table_remove_all(session->days);
	day = g_new0(struct day_file, 1);
	day->device = st.st_dev;
	day->inode = st.st_ino;
	day->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_replace(session->days, g_strdup(name), day);
	return day;
}

static void set_receipt(struct sink_job *job, const char *name)
{
	job->receipt = json_object();
	json_set_string(job->receipt, "entry", name);
	json_set_string(job->receipt, "sha256", job->delivery->item->sha256);
	job->done = true;
}

/* The entry's line appended to `lines`; true unless the job failed or is there already. */
static bool add_line(struct day_file *day, struct sink_job *job, const char *name, GString *lines)
{
	const char *there = g_hash_table_lookup(day->keys, job->delivery->key);
	if (there) {
		if (strcmp(there, job->delivery->item->sha256) == 0)
			set_receipt(job, name);
		else
			fail_as(&job->error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER,
			        "the archive holds other bytes under this key");
		return false;
	}
	JSON_AUTO entry = archive_entry(job, &job->error);
	if (!entry)
		return false;
	json_set_string(entry, "key", job->delivery->key);
	json_set_int(entry, "size", job->delivery->item_size);
	g_autofree char *line = json_canonical(entry);
	g_string_append(lines, line);
	g_string_append_c(lines, '\n');
	return true;
}

static bool append(int fd, int64_t at, const GString *lines, const char *name, GError **error)
{
	g_autofree char *back = g_malloc(lines->len);
	if (lseek(fd, at, SEEK_SET) < 0 || !folder_write(fd, lines->str, lines->len, error))
		return false;
	if (fdatasync(fd) != 0)
		return folder_fail(error, "sync", name);
	if (pread(fd, back, lines->len, at) == (ssize_t)lines->len &&
	        memcmp(back, lines->str, lines->len) == 0)
		return true;
	fail(error, ERROR_UNAVAILABLE, "%s: what was written does not read back", name);
	return false;
}

/* Writes the lines of jobs[0…n) that belong to the locked file. */
static bool write_jobs(struct sink_session *session, int fd, struct sink_job *const *jobs, unsigned n,
        const char *name, GError **error)
{
	struct day_file *day = known_day(session, fd, name);
	if (!catch_up(day, fd, name, error))
		return false;
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autofree bool *written = g_new0(bool, n);
	for (unsigned i = 0; i < n && lines->len < LINES_MAX; i++) /* the rest stays untried for now */
		written[i] = add_line(day, jobs[i], name, lines);
	if (lines->len > 0 && !append(fd, day->read, lines, name, error)) {
		if (ftruncate(fd, day->read) != 0)
			g_hash_table_remove(session->days, name);
		return false;
	}
	day->read += (int64_t)lines->len;
	for (unsigned i = 0; i < n; i++) {
		if (!written[i])
			continue;
		const char *sha256 = jobs[i]->delivery->item->sha256;
		g_hash_table_replace(day->keys, g_strdup(jobs[i]->delivery->key), g_strdup(sha256));
		set_receipt(jobs[i], name);
	}
	return true;
}

static bool write_day(struct sink_session *session, struct sink_job *const *jobs, unsigned n,
        const char *name, GError **error)
{
	int fd = openat(session->root, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return folder_fail(error, "open", name);
	bool ok = lock(fd, name, error) && write_jobs(session, fd, jobs, n, name, error);
	close(fd); /* and unlocks */
	return ok && (fsync(session->root) == 0 || folder_fail(error, "sync", "folder"));
}

static char *file_of(const struct item *item)
{
	g_autofree char *day = day_format(berlin_day(item->received));
	return g_strdup_printf("%s.jsonl", day);
}

/* A source that archives itself needs no entry, if it said so; a silent one gets one here. */
static bool is_settled(struct sink_job *job)
{
	const struct delivery *delivery = job->delivery;
	if (!delivery->item)
		fail_as(&job->error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "no item to archive");
	else if (archive_is_asserted(delivery))
		job->receipt = archive_assertion(delivery);
	job->done = job->receipt != NULL;
	return job->done || job->error;
}

static void jsonl_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	g_autoptr(GHashTable) days =
	        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	for (unsigned i = 0; i < n; i++) {
		if (is_settled(jobs[i]))
			continue;
		char *name = file_of(jobs[i]->delivery->item);
		GPtrArray *list = g_hash_table_lookup(days, name);
		if (!list)
			g_hash_table_insert(days, g_strdup(name), list = g_ptr_array_new());
		g_ptr_array_add(list, jobs[i]);
		g_free(name);
	}
	GHashTableIter iter;
	gpointer name, list;
	g_hash_table_iter_init(&iter, days);
	while (g_hash_table_iter_next(&iter, &name, &list)) {
		const GPtrArray *of_day = list;
		g_autoptr(GError) error = NULL;
		if (write_day(session, (struct sink_job *const *)of_day->pdata, of_day->len, name, &error))
			continue;
		for (guint i = 0; i < of_day->len; i++) {
			struct sink_job *job = g_ptr_array_index(of_day, i);
			if (!job->error) {
				g_clear_pointer(&job->receipt, json_decref);
				job->done = false;
				job->error = g_error_copy(error);
			}
		}
		return;
	}
}

struct lister_state {
	sink_lister lister;
	void *context;
	bool go_on;
};

static void list_line(struct lister_state *state, const char *line, size_t size)
{
	JSON_AUTO entry = json_read(line, size, NULL);
	const char *key = json_get_string(entry, "key");
	struct sink_entry out = {
	        key ? key : "", json_get_string(entry, "sha256"), json_get_int(entry, "size", -1)};
	state->go_on = state->lister(state->context, &out);
}

static bool list_file(struct lister_state *state, int fd, const char *name, GError **error)
{
	FILE *file = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n = 0;
	while (state->go_on && (n = getline(&line, &room, file)) > 0)
		if (line[n - 1] == '\n')
			list_line(state, line, (size_t)n);
	bool ok = n >= 0 || !ferror(file) || folder_fail(error, "read", name);
	free(line);
	fclose(file);
	return ok;
}

static bool jsonl_list(struct sink_session *session, sink_lister lister, void *context, GError **error)
{
	struct lister_state state = {lister, context, true};
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", session->root);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && state.go_on && (name = g_dir_read_name(dir)) != NULL) {
		if (!g_str_has_suffix(name, ".jsonl"))
			continue;
		int fd = openat(session->root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return folder_fail(error, "open", name);
		if (!list_file(&state, fd, name, error))
			return false;
	}
	return dir || folder_fail(error, "list", "archive");
}

static char *jsonl_describe(const struct outlet *outlet)
{
	return g_strdup_printf("jsonl %s", ((const struct jsonl_settings *)outlet->settings)->path);
}

const struct sink sink_archive_jsonl = {
        .name = "jsonl",
        .roles = 1 << SINK_ARCHIVE,
        .summary = "The event history as JSON Lines, a file a day.",
        .options = archive_jsonl_options,
        .settings_size = sizeof(struct jsonl_settings),
        .repeatable = true,
        .batch = BATCH,
        .wants_bytes = true,
        .open = jsonl_open,
        .deliver = jsonl_deliver,
        .list = jsonl_list,
        .close = jsonl_close,
        .describe = jsonl_describe,
};
