/* spool.c - listing, opening and moving files of a spool folder. */
#include "intake/spool.h"

#include "core/date.h"
#include "core/error.h"
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 50000, NAMES_MAX = 10000 };

static void file_free(gpointer data)
{
	struct spool_file *file = data;
	g_free(file->name);
	g_free(file->key);
	g_free(file);
}

static void fail_errno(GError **error, const char *what, const char *path)
{
	fail_as(error, ERROR_UNAVAILABLE, SCOPE_MAILBOX, WHEN_LATER, "%s %s: %s", what, path,
	        g_strerror(errno));
}

struct spool *spool_open(const char *path, enum spool_layout layout, GError **error)
{
	bool drop = layout == SPOOL_DROP;
	AUTO(spool) spool = g_new0(struct spool, 1);
	spool->layout = layout;
	spool->folder_path = drop ? g_strdup(path) : g_build_filename(path, "new", NULL);
	spool->done_path = g_build_filename(path, drop ? "done" : "cur", NULL);
	spool->folder = open(spool->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder < 0)
		fail_errno(error, "open", spool->folder_path);
	else if (mkdir(spool->done_path, 0750) != 0 && errno != EEXIST)
		fail_errno(error, "create", spool->done_path);
	else
		return g_steal_pointer(&spool);
	return NULL;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->folder >= 0)
		close(spool->folder);
	if (spool->files)
		g_ptr_array_unref(spool->files);
	g_free(spool->folder_path);
	g_free(spool->done_path);
	g_free(spool);
}

/* --- listing --- */

static bool is_candidate(const struct spool *spool, const char *name)
{
	if (*name == '.' || strchr(name, '\n'))
		return false;
	return spool->layout == SPOOL_MAILDIR || g_str_has_suffix(name, ".eml") ||
	       g_str_has_suffix(name, ".json");
}

/* In a Maildir names are unique for ever; a dropped name may come again with other content. */
static char *key_of(const struct spool *spool, const char *name, const struct stat *st)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	if (spool->layout == SPOOL_MAILDIR) {
		char *info = strstr(valid, ":2,");
		return info ? g_strndup(valid, (size_t)(info - valid)) : g_steal_pointer(&valid);
	}
	return g_strdup_printf("%s;%" G_GINT64_FORMAT ".%09ld;%" G_GINT64_FORMAT, valid,
	        (gint64)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (gint64)st->st_size);
}

static struct spool_file *look_at(const struct spool *spool, const char *name)
{
	struct stat st;
	if (fstatat(spool->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
		return NULL;
	struct spool_file *file = g_new0(struct spool_file, 1);
	file->name = g_strdup(name);
	file->key = key_of(spool, name, &st);
	file->mtime = st.st_mtim.tv_sec * INSTANT_SECOND + st.st_mtim.tv_nsec / 1000;
	file->size = st.st_size;
	return file;
}

static int by_age(gconstpointer a, gconstpointer b)
{
	const struct spool_file *x = *(struct spool_file *const *)a, *y = *(struct spool_file *const *)b;
	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	return strcmp(x->name, y->name);
}

static DIR *open_dir(const struct spool *spool, GError **error)
{
	int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir)
		return dir;
	fail_errno(error, "list", spool->folder_path);
	if (fd >= 0)
		close(fd);
	return NULL;
}

bool spool_list(struct spool *spool, GError **error)
{
	DIR *dir = open_dir(spool, error);
	if (!dir)
		return false;
	g_clear_pointer(&spool->files, g_ptr_array_unref);
	spool->files = g_ptr_array_new_with_free_func(file_free);
	for (struct dirent *entry; spool->files->len < LIST_MAX && (entry = readdir(dir)) != NULL;) {
		struct spool_file *file =
		        is_candidate(spool, entry->d_name) ? look_at(spool, entry->d_name) : NULL;
		if (file)
			g_ptr_array_add(spool->files, file);
	}
	closedir(dir);
	g_ptr_array_sort(spool->files, by_age);
	return true;
}

/* --- reading --- */

int spool_open_file(const struct spool *spool, const struct spool_file *file, int64_t *size)
{
	struct stat st;
	int fd = openat(spool->folder, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = st.st_size;
		return fd;
	}
	close(fd);
	errno = EINVAL;
	return -1;
}

GBytes *spool_read(int fd, size_t max)
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

static const struct spool_file *find(const struct spool *spool, const char *key)
{
	for (unsigned i = 0; spool->files && i < spool->files->len; i++) {
		const struct spool_file *file = spool->files->pdata[i];
		if (strcmp(file->key, key) == 0)
			return file;
	}
	return NULL;
}

bool spool_stream(const struct spool *spool, const char *key,
        bool (*sink)(void *context, const void *data, size_t size, GError **error), void *context,
        GError **error)
{
	int64_t size;
	const struct spool_file *file = find(spool, key);
	int fd = file ? spool_open_file(spool, file, &size) : -1;
	bool ok = fd >= 0, end = false;
	if (!ok)
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_LATER, "%s: cannot be read", spool->folder_path);
	while (ok && !end) {
		g_autoptr(GBytes) piece = spool_read(fd, 65536);
		gsize length = 0;
		const void *data = piece ? g_bytes_get_data(piece, &length) : NULL;
		if (!piece)
			fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_LATER, "%s: %s", spool->folder_path,
			        g_strerror(errno));
		end = piece && length == 0;
		ok = piece && (end || sink(context, data, length, error));
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

/* --- moving --- */

/* In done/ under a name that is free: NAME, NAME.1, NAME.2, … */
static bool move_away(const struct spool *spool, const char *name)
{
	bool maildir = spool->layout == SPOOL_MAILDIR;
	bool has_info = strstr(name, ":2,") != NULL;
	for (unsigned n = 0; n < NAMES_MAX; n++) {
		g_autofree char *to = NULL;
		if (maildir)
			to = g_strdup_printf("%s/%s%s", spool->done_path, name, has_info ? "" : ":2,");
		else if (n == 0)
			to = g_strdup_printf("%s/%s", spool->done_path, name);
		else
			to = g_strdup_printf("%s/%s.%u", spool->done_path, name, n);
		if (renameat2(spool->folder, name, AT_FDCWD, to, maildir ? 0 : RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			return errno == ENOENT; /* gone: settled by somebody else */
	}
	return false;
}

static GHashTable *names_by_key(const struct spool *spool)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < spool->files->len; i++) {
		const struct spool_file *file = spool->files->pdata[i];
		g_hash_table_insert(names, file->key, file->name);
	}
	return names;
}

bool spool_settle(struct spool *spool, GPtrArray *keys, GError **error)
{
	if (!spool->files && !spool_list(spool, error))
		return false;
	g_autoptr(GHashTable) names = names_by_key(spool);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < keys->len; i++) {
		const char *name = g_hash_table_lookup(names, keys->pdata[i]);
		if (!name || move_away(spool, name))
			continue;
		if (left->len == 0)
			fail_errno(error, "move into", spool->done_path);
		g_ptr_array_add(left, g_strdup(keys->pdata[i]));
	}
	if (left->len == 0 &&
	        !(folder_sync(spool->done_path, error) && folder_sync(spool->folder_path, error)))
		return false;
	bool ok = left->len == 0;
	g_ptr_array_set_size(keys, 0);
	g_ptr_array_extend_and_steal(keys, g_steal_pointer(&left));
	return ok;
}
