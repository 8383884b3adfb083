/* content_rows.h - the room's own view of content: row numbers, deletion, uploads. */
#ifndef JOURNAL_CONTENT_ROWS_H
#define JOURNAL_CONTENT_ROWS_H

#include "journal/content.h"

#define CONTENT_MAX_CHUNKS 4096

int64_t content_row(int64_t item, unsigned chunk);
/* In an open transaction. */
bool content_delete(struct journal *journal, int64_t item, GError **error);
/* In an open transaction: the chunks of an upload become those of another item. */
bool content_renumber(struct journal *journal, int64_t from, int64_t to, GError **error);
/* The number reserved for the item that an upload becomes. */
int64_t content_item(const struct content *content);
/* The item is committed: keep the chunks. */
void content_use(struct content *content);

#endif
