/* fact_table.h - facts that were imported as a table (`posteingang facts import`). */
#ifndef JOURNAL_FACT_TABLE_H
#define JOURNAL_FACT_TABLE_H

#include "journal/journal.h"

#include <jansson.h>

/* Keys are kind ("kundennummer", "email", …) and normalised value; only their keyed hash is stored. */
struct fact_row {
	const char *kind, *value;
	json_t *facts; /* object; borrowed on import, owned by the array on look-up; NULL: nothing known */
};

/* Adds or replaces rows, at most 1000 a call, one transaction. */
bool journal_import_facts(struct journal *journal, const struct fact_row *rows, unsigned n, GError **error);
/* Ends an import: rows not written since `started` (database time) go, one record tells the counts. */
bool journal_finish_import(
        struct journal *journal, int64_t started, bool drop_others, int64_t *kept, GError **error);
/* Fills rows[i].facts (new references, NULL where nothing is known). */
bool journal_look_up_facts(struct journal *journal, struct fact_row *rows, unsigned n, GError **error);

#endif
