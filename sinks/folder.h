/* folder.h - durable steps below one folder, for the sinks that write files: stage, barrier, place, sync.
 *
 * All names are relative to a folder descriptor; symbolic links at the end of a name are not followed.
 * Failures: disk full is ERROR_AGAIN, all else ERROR_UNAVAILABLE, scope SOURCE.
 */
#ifndef SINKS_FOLDER_H
#define SINKS_FOLDER_H

#include "sinks/sink.h"

/* Up to so many files a batch are synced one by one; more share one barrier. */
#define FOLDER_SYNC_ALONE 4

/* Opens a folder, making it (0750) if needed. Descriptor or -1. */
int folder_make(const char *path, GError **error);
/* Makes `.staging` and removes what a crash left there more than a day ago. */
bool folder_make_staging(int root, GError **error);
/* Makes a subfolder unless it is there. */
bool folder_sub(int root, const char *name, GError **error);

/* A new file in `.staging`; *name is its name, owned by the caller. Descriptor or -1. */
int folder_stage(int root, char **name, GError **error);
bool folder_write(int fd, const void *data, size_t size, GError **error);
/* Closes; with `sync` fsync first. `ok`: how writing went; true only if all went well. */
bool folder_end(int fd, bool ok, bool sync, GError **error);
/* Removes a staged file and frees *name; NULL is nothing. */
void folder_unstage(int root, char **name);

/* All files written so far below the file system of root are on disk afterwards. */
bool folder_barrier(int root, GError **error);
/* rename of a staged file to its final name; frees *staged. */
bool folder_place(int root, char **staged, const char *name, GError **error);
/* fsync of the subfolders (set of names) and of root. */
bool folder_sync_all(int root, GHashTable *names, GError **error);

bool folder_hash(int root, const char *name, char sha256[65], int64_t *size, GError **error);
GBytes *folder_read(int root, const char *name, size_t max, GError **error);

/* Calls visit(folder, name) for each file in each subfolder that is not hidden, until it returns false. */
typedef bool (*folder_visitor)(int folder, const char *name, void *context);
bool folder_walk(int root, folder_visitor visit, void *context, GError **error);

/* File name without ending for an idempotency key: "<shard>/<name>"; different keys give different names. */
char *folder_name(const char *key);

/* Sets *error from errno; always false. */
bool folder_fail(GError **error, const char *what, const char *name);

#endif
