/* file.h - reading with a bound, writing so that it survives a power cut. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads a whole regular file, at most `max` bytes (more is ERROR_INPUT). The caller owns the bytes. */
GBytes *file_read(const char *path, size_t max, GError **error);

/* Writes tmp in the same folder → fsync → rename → fsync folder. mode e.g. 0640. A crash leaves the old file
 * or the new one, never a part; left-over temporaries are named `.NAME.tmp-XXXXXX`. */
bool file_write_durable(const char *path, const void *data, size_t size, int mode, GError **error);

/* rename(2), then fsync of both folders. */
bool file_rename_durable(const char *from, const char *to, GError **error);

bool folder_sync(const char *path, GError **error);

/* A secret: the file's content without trailing newline. Refuses files that others can read (mode & 007). */
char *secret_read(const char *path, GError **error);

#endif
