/* charset.h - bytes of any declared charset to UTF-8, even where the declaration lies.
 *
 * gmime and iconv drop or refuse what does not fit; a benefit office must not lose an umlaut of a street
 * name. What is valid UTF-8 is taken as UTF-8 whatever a Western charset name says; stray bytes count as
 * windows-1252; names are mapped to the superset that mailers really mean (iso-8859-1 → windows-1252, gb2312
 * → gb18030, ks_c_5601 → cp949). Without a name that holds, Japanese, Korean, Chinese and Russian are told by
 * their letters (charset_guess.h).
 */
#ifndef CORE_CHARSET_H
#define CORE_CHARSET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Never NULL; NUL bytes are dropped, so that the result is a C string. `declared` may be NULL. *repaired
 * (may be NULL) is set to true, never to false, if the bytes were not what was declared. Free with g_free. */
char *charset_to_utf8(const void *bytes, size_t size, const char *declared, size_t *out_size, bool *repaired);

/* Valid UTF-8 that holds at least one byte above 127? */
bool charset_is_utf8(const void *bytes, size_t size);

#endif
