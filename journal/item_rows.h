/* item_rows.h - reading items from results; the room's own. */
#ifndef JOURNAL_ITEM_ROWS_H
#define JOURNAL_ITEM_ROWS_H

#include "core/item.h"
#include "journal/db.h"

/* From eight columns at `column`: id, source, mailbox, key, channel, received, sha256, fields. */
struct item *item_read(const struct db_rows *rows, unsigned row, unsigned column);

#endif
