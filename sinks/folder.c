/* folder.c - the steps of a durable write, apart, so that many files can share the slow ones. */
#include "sinks/folder.h"
#include "core/error.h"
#include "core/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STAGING ".staging"
enum { SHARD = 1000, STALE_SECONDS = 86400 };

bool folder_fail(GError **error, const char *what, const char *name)
{
	int saved = errno;
	bool full = saved == ENOSPC || saved == EDQUOT || saved == EMFILE || saved == ENFILE;
	fail(error, full ? ERROR_AGAIN : ERROR_UNAVAILABLE, "%s %s: %s", what, name, g_strerror(saved));
	return false;
}

int folder_make(const char *path, GError **error)
{
	int fd = -1;
	if (g_mkdir_with_parents(path, 0750) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		folder_fail(error, "open folder", path);
	return fd;
}

static void sweep(int staging)
{
	DIR *dir = fdopendir(dup(staging));
	for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		struct stat st;
		if (entry->d_name[0] != '.' &&
		        fstatat(staging, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		        st.st_mtime < time(NULL) - STALE_SECONDS)
			unlinkat(staging, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

bool folder_make_staging(int root, GError **error)
{
	if (!folder_sub(root, STAGING, error))
		return false;
	int staging = openat(root, STAGING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (staging < 0)
		return folder_fail(error, "open", STAGING);
	sweep(staging);
	close(staging);
	return true;
}

bool folder_sub(int root, const char *name, GError **error)
{
	return mkdirat(root, name, 0750) == 0 || errno == EEXIST || folder_fail(error, "make folder", name);
}

int folder_stage(int root, char **name, GError **error)
{
	uint8_t token[12];
	random_bytes(token, sizeof token);
	GString *path = g_string_new(STAGING "/");
	for (size_t i = 0; i < sizeof token; i++)
		g_string_append_printf(path, "%02x", token[i]);
	int fd = openat(root, path->str, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0) {
		folder_fail(error, "create", path->str);
		g_string_free(path, TRUE);
		return -1;
	}
	*name = g_string_free(path, FALSE);
	return fd;
}

bool folder_write(int fd, const void *data, size_t size, GError **error)
{
	for (const char *p = data; size > 0;) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return folder_fail(error, "write", "file");
		p += n;
		size -= (size_t)n;
	}
	return true;
}

bool folder_end(int fd, bool ok, bool sync, GError **error)
{
	if (ok && sync && fsync(fd) != 0)
		ok = folder_fail(error, "sync", "file");
	if (close(fd) != 0 && ok)
		ok = folder_fail(error, "close", "file");
	return ok;
}

void folder_unstage(int root, char **name)
{
	if (*name)
		unlinkat(root, *name, 0);
	g_clear_pointer(name, g_free);
}

bool folder_barrier(int root, GError **error)
{
	return syncfs(root) == 0 || folder_fail(error, "sync", "file system");
}

bool folder_place(int root, char **staged, const char *name, GError **error)
{
	if (renameat(root, *staged, root, name) != 0)
		return folder_fail(error, "rename to", name);
	g_clear_pointer(staged, g_free);
	return true;
}

static bool sync_folder(int root, const char *name, GError **error)
{
	int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		folder_fail(error, "sync folder", name);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool folder_sync_all(int root, GHashTable *names, GError **error)
{
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!sync_folder(root, name, error))
			return false;
	return g_hash_table_size(names) == 0 || sync_folder(root, ".", error);
}

static bool hash_fd(int fd, struct hash_stream *hash, int64_t *size)
{
	char buffer[64 * 1024];
	*size = 0;
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		hash_stream_add(hash, buffer, (size_t)n);
		*size += n;
	}
}

bool folder_hash(int root, const char *name, char sha256[65], int64_t *size, GError **error)
{
	int fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return folder_fail(error, "open", name);
	struct hash_stream *hash = hash_stream_new();
	bool ok = hash_fd(fd, hash, size);
	if (!ok)
		folder_fail(error, "read", name);
	hash_stream_end(hash, sha256);
	close(fd);
	return ok;
}

GBytes *folder_read(int root, const char *name, size_t max, GError **error)
{
	int fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		folder_fail(error, "open", name);
		return NULL;
	}
	char *data = g_malloc(max + 1);
	ssize_t n = read(fd, data, max + 1);
	close(fd);
	if (n < 0 || (size_t)n > max) {
		if (n >= 0)
			fail(error, ERROR_INPUT, "%s: larger than %zu bytes", name, max);
		else
			folder_fail(error, "read", name);
		g_free(data);
		return NULL;
	}
	return g_bytes_new_take(data, (gsize)n);
}

static bool walk_one(int folder, folder_visitor visit, void *context)
{
	bool go_on = true;
	DIR *dir = fdopendir(folder);
	for (const struct dirent *entry; go_on && dir && (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.')
			go_on = visit(dirfd(dir), entry->d_name, context);
	if (dir)
		closedir(dir);
	return go_on;
}

bool folder_walk(int root, folder_visitor visit, void *context, GError **error)
{
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return folder_fail(error, "list", "folder");
	bool go_on = true;
	for (const struct dirent *entry; go_on && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		int sub = openat(root, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (sub >= 0)
			go_on = walk_one(sub, visit, context);
	}
	closedir(dir);
	return true;
}

/* "<instance>-<number>/…": neighbours in number share a folder, so that a batch touches few. */
static char *shard_of(const char *key)
{
	g_autofree char *item = g_strndup(key, strcspn(key, "/"));
	const char *dash = strrchr(item, '-');
	char *end = NULL;
	guint64 number = dash && g_ascii_isdigit(dash[1]) ? g_ascii_strtoull(dash + 1, &end, 10) : 0;
	return end && *end == '\0' ? g_strdup_printf("%" G_GUINT64_FORMAT, number / SHARD)
	                           : g_strdup("other");
}

char *folder_name(const char *key)
{
	g_autofree char *shard = shard_of(key);
	g_autofree char *plain = g_strdup(key);
	bool lossy = strlen(key) > 120 || key[0] == '.';
	for (char *p = plain; *p; p++) {
		if (*p == '/')
			*p = '_';
		else if (!g_ascii_isalnum(*p) && !strchr("-.", *p)) {
			*p = '-';
			lossy = true;
		}
	}
	if (!lossy)
		return g_strdup_printf("%s/%s", shard, plain);
	char hash[HASH_HEX_SIZE];
	hash_hex(key, strlen(key), hash);
	return g_strdup_printf("%s/%.100s_%s", shard, plain[0] == '.' ? "" : plain, hash);
}
