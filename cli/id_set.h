/* id_set.h - have we seen this id before? 16 bytes an id, whatever its length.
 *
 * Ids are known by the first 128 bits of their SHA-256: telling two apart wrongly is less likely than a fault
 * of the memory they stand in.
 */
#ifndef CLI_ID_SET_H
#define CLI_ID_SET_H

#include <stdbool.h>

struct id_set;

struct id_set *id_set_new(void);
void id_set_free(struct id_set *set);
/* False if it was there already. */
bool id_set_add(struct id_set *set, const char *id);

#endif
