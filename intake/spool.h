/* spool.h - a folder that files come into: what waits there, oldest first, and how one leaves it.
 *
 * Maildir: new/ → cur/. Drop folder: *.eml and *.json → done/. Only regular files are ever opened. Failures
 * have SCOPE_MAILBOX, WHEN_LATER.
 */
#ifndef INTAKE_SPOOL_H
#define INTAKE_SPOOL_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum spool_layout { SPOOL_MAILDIR, SPOOL_DROP };

struct spool_file {
	char *name;
	char *key;     /* the same as long as name and content are */
	int64_t mtime; /* µs UTC */
	int64_t size;
};

struct spool {
	enum spool_layout layout;
	int folder; /* file descriptor */
	char *folder_path, *done_path;
	GPtrArray *files; /* of struct spool_file, oldest first, at most 50,000; NULL: not listed yet */
};

/* Opens the folder and creates the one beside it. NULL on failure. */
struct spool *spool_open(const char *path, enum spool_layout layout, GError **error);
void spool_free(struct spool *spool);
AUTO_FREE(spool);

bool spool_list(struct spool *spool, GError **error);

/* A file descriptor, and what the file's size is now; -1 with errno: EINVAL if it is no regular file. */
int spool_open_file(const struct spool *spool, const struct spool_file *file, int64_t *size);
/* The next bytes, at most `max`; NULL on an I/O error. */
GBytes *spool_read(int fd, size_t max);

/* The whole content of the file with that key, piece by piece. Failures of the file have SCOPE_ITEM. */
bool spool_stream(const struct spool *spool, const char *key,
        bool (*sink)(void *context, const void *data, size_t size, GError **error), void *context,
        GError **error);

/* Moves these files into cur/ or done/, durably. The keys of those that could not be moved stay in `keys`;
 * what is gone counts as moved. */
bool spool_settle(struct spool *spool, GPtrArray *keys, GError **error);

#endif
