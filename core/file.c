/* file.c - the visible steps of durability in one place. */
#include "core/file.h"
#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail_errno(GError **error, const char *what, const char *path)
{
	int saved = errno;
	bool full = saved == ENOSPC || saved == EDQUOT || saved == EMFILE || saved == ENFILE;
	fail(error, full ? ERROR_AGAIN : ERROR_UNAVAILABLE, "%s %s: %s", what, path, g_strerror(saved));
}

static bool read_all(int fd, GByteArray *into, size_t max, const char *path, GError **error)
{
	char buffer[65536];
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail_errno(error, "read", path);
			return false;
		}
		if (n == 0)
			return true;
		if (into->len + (size_t)n > max) {
			fail(error, ERROR_INPUT, "%s: larger than %zu bytes", path, max);
			return false;
		}
		g_byte_array_append(into, (const guint8 *)buffer, (guint)n);
	}
}

GBytes *file_read(const char *path, size_t max, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail_errno(error, "open", path);
		return NULL;
	}
	GByteArray *data = g_byte_array_new();
	bool ok = read_all(fd, data, MIN(max, (size_t)G_MAXUINT - 65536), path, error);
	close(fd);
	if (ok)
		return g_byte_array_free_to_bytes(data);
	g_byte_array_unref(data);
	return NULL;
}

static bool write_all(int fd, const void *data, size_t size)
{
	for (const char *p = data; size > 0;) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

bool folder_sync(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		fail_errno(error, "sync", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool fill_and_sync(int fd, const void *data, size_t size, int mode)
{
	bool ok = fchmod(fd, (mode_t)mode) == 0 && write_all(fd, data, size) && fsync(fd) == 0;
	int saved = errno;
	if (close(fd) != 0)
		return false;
	errno = saved;
	return ok;
}

bool file_write_durable(const char *path, const void *data, size_t size, int mode, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *temporary = g_strdup_printf("%s/.%s.tmp-XXXXXX", folder, name);
	int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail_errno(error, "create", temporary);
		return false;
	}
	if (!fill_and_sync(fd, data, size, mode) || rename(temporary, path) != 0) {
		fail_errno(error, "write", path);
		unlink(temporary);
		return false;
	}
	return folder_sync(folder, error);
}

bool file_rename_durable(const char *from, const char *to, GError **error)
{
	g_autofree char *from_folder = g_path_get_dirname(from);
	g_autofree char *to_folder = g_path_get_dirname(to);
	if (rename(from, to) != 0) {
		fail_errno(error, "rename", from);
		return false;
	}
	if (strcmp(from_folder, to_folder) != 0 && !folder_sync(from_folder, error))
		return false;
	return folder_sync(to_folder, error);
}

char *secret_read(const char *path, GError **error)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 007)) {
		fail(error, ERROR_CONFIG,
		        "%s: a secret that others can read (mode %03o), expected 0600 or 0640", path,
		        (unsigned)(st.st_mode & 0777));
		return NULL;
	}
	g_autoptr(GBytes) bytes = file_read(path, 65536, error);
	if (!bytes)
		return NULL;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	return g_strchomp(g_strndup(data, size));
}
