/* import.h - a table of facts from a file into the journal: CSV or JSON Lines.
 *
 * CSV (RFC 4180, UTF-8, comma or semicolon): a heading line with `kundennummer` and/or `email` and names of
 * facts; an empty cell is unknown. JSON Lines: objects with the same keys, or the facts in `facts`. A row
 * with both keys is found by either. The whole file is checked before anything is written; findings carry the
 * line and never the value of a key.
 */
#ifndef FACTS_IMPORT_H
#define FACTS_IMPORT_H

#include "core/diag.h"
#include "journal/journal.h"

#include <stdint.h>

struct facts_import_result {
	int64_t rows, keys,
	        kept; /* lines with facts; keys written; rows that stand in the table afterwards */
};

/* `path` ends in .csv or .jsonl; a regular file. With `replace`, rows of earlier imports that this file does
 * not name are dropped. ERROR_INPUT if `diag` has errors: nothing was written. */
bool facts_import(struct journal *journal, const char *path, bool replace, struct facts_import_result *result,
        struct diag *diag, GError **error);

/* The check alone. */
bool facts_import_check(
        const char *path, struct facts_import_result *result, struct diag *diag, GError **error);

#endif
