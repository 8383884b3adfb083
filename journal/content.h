/* content.h - the original bytes of an item, in chunks, so that memory stays bounded.
 *
 * Content of normal size is one row, written by journal_take_in(). Larger content is streamed in before the
 * item exists: each chunk is its own transaction, the item row comes last; what a crash leaves behind is
 * swept.
 */
#ifndef JOURNAL_CONTENT_H
#define JOURNAL_CONTENT_H

#include "journal/journal.h"

#define CONTENT_CHUNK (1024 * 1024)

struct content; /* being streamed in */

/* `cap`: hard limit in bytes; going over it is ERROR_INPUT of SCOPE_ITEM. */
struct content *content_begin(struct journal *journal, int64_t cap, GError **error);
bool content_append(struct content *content, const void *data, size_t size, GError **error);
/* Writes the rest. Then hand it to journal_take_in() as intake_entry.content. */
bool content_finish(struct content *content, GError **error);
int64_t content_size(const struct content *content);
const char *content_sha256(const struct content *content); /* after finish */
/* Frees the handle; deletes the chunks unless an item was made of them. */
void content_free(struct content *content);
AUTO_FREE(content);

/* The chunks of an item's content; *bytes is NULL behind the last one. ERROR_INPUT if the content is gone. */
bool journal_content_chunk(struct journal *journal, int64_t item, unsigned n, GBytes **bytes, GError **error);
/* The first chunks of several items in one round trip; bytes[i] is NULL where the content is gone. The caller
 * bounds their number and size. */
bool journal_first_chunks(
        struct journal *journal, const int64_t *items, unsigned n, GBytes **bytes, GError **error);
/* All of it; more than `max` bytes is ERROR_INPUT of SCOPE_ITEM. */
GBytes *journal_content(struct journal *journal, int64_t item, size_t max, GError **error);

/* Deletes what crashed uploads left behind, older than `age` µs. */
bool journal_sweep_content(struct journal *journal, int64_t age, GError **error);

#endif
