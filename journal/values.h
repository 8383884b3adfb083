/* values.h - rows of values for db_exec_many and db_query_many; the room's own.
 *
 * Values are appended one by one; what is `taken` is kept alive and freed by the list, everything else is
 * borrowed until the list has been used.
 */
#ifndef JOURNAL_VALUES_H
#define JOURNAL_VALUES_H

#include "journal/journal.h"

#include <jansson.h>

struct values;
struct values *values_new(unsigned columns);
void values_free(struct values *values);
AUTO_FREE(values);
void values_int(struct values *values, int64_t value);
void values_int_or_null(struct values *values, int64_t value); /* 0 is null */
void values_text(struct values *values, const char *text);
void values_take(struct values *values, char *text);
void values_json(struct values *values, const json_t *value); /* canonical text; NULL is null */
void values_bytes(struct values *values, GBytes *bytes);
void values_blob(struct values *values, const void *data, size_t size);
unsigned values_rows(const struct values *values);
int64_t values_get_int(const struct values *values, unsigned row, unsigned column);
bool values_exec(
        struct values *values, struct journal *journal, const char *sql, int64_t *changed, GError **error);
/* GPtrArray of struct db_rows, one a row of values. */
GPtrArray *values_query(struct values *values, struct journal *journal, const char *sql, GError **error);

#endif
