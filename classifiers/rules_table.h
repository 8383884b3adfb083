/* rules_table.h - rule sets as a page a lawyer reads: `posteingang rules list|show|diff|table`.
 *
 * Inherited rules are shown with the set, so that one table is the whole law of its days. Everything comes
 * from the configuration: no content of items.
 */
#ifndef CLASSIFIERS_RULES_TABLE_H
#define CLASSIFIERS_RULES_TABLE_H

#include "classifiers/rules.h"

#include <stdio.h>

enum rules_format { RULES_FORMAT_TEXT, RULES_FORMAT_CSV, RULES_FORMAT_HTML };

/* The calendar: one line a rule set with its days, basis, number of rules and title. */
void rules_list_print(const struct rules *rules, enum rules_format format, FILE *out);

/* One rule set (NULL rule), or one rule of it with all its rows, in full sentences. ERROR_USAGE names the
 * known ids. */
bool rules_show_print(
        const struct rules *rules, const char *set, const char *rule, FILE *out, GError **error);

/* What set `b` changes against set `a`: rows gone, new, and changed with both wordings. */
bool rules_diff_print(const struct rules *rules, const char *a, const char *b, FILE *out, GError **error);

/* The decision table: one line a row of a rule. CSV is RFC 4180 with a heading; HTML is one whole page. */
bool rules_table_print(
        const struct rules *rules, const char *set, enum rules_format format, FILE *out, GError **error);

#endif
