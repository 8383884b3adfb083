/* fold.h - text made comparable with tables of phrases: lower case, single blanks, nothing invisible. */
#ifndef CORE_FOLD_H
#define CORE_FOLD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends `text`, folded, to `out`; at most `max` bytes more. Runs of white space (no-break ones too) become
 * one blank, none at the ends but one between what is there and what comes. "*" and marks without width go; a
 * full-width colon becomes ":". Bytes that are not UTF-8 become U+FFFD. */
void fold_text_append(GString *out, const char *text, size_t size, size_t max);

/* The same into a new string; NULL counts as "". Free with g_free. */
char *fold_text(const char *text, size_t max);

/* Is one of the NULL-terminated words in the folded text, at its start; how many are in it? */
bool fold_has(const char *text, const char *const *words);
bool fold_starts(const char *text, const char *const *words);
unsigned fold_count(const char *text, const char *const *words);

#endif
