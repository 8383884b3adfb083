/* diag.h - what is wrong in a configuration, and where: all of it, not only the first.
 *
 * A loader adds findings to a `struct diag` while it walks and goes on; the caller looks at the counts at
 * the end. Printed as `file:line:column: error: text`.
 */
#ifndef CORE_DIAG_H
#define CORE_DIAG_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct diag_entry {
	enum severity severity;
	char *file;
	int line, column; /* 1-based; 0 = not known */
	char *text;
};

struct diag; /* the collected findings */

struct diag *diag_new(void);
void diag_free(struct diag *diag);
AUTO_FREE(diag);

/* Copies `file`. */
void diag_add(struct diag *diag, enum severity severity, const char *file, int line, int column,
        const char *format, ...) G_GNUC_PRINTF(6, 7);

unsigned diag_count(const struct diag *diag, enum severity severity);
unsigned diag_total(const struct diag *diag);
const struct diag_entry *diag_get(const struct diag *diag, unsigned index);

/* One line per finding, sorted by file, line, column. */
void diag_print(const struct diag *diag, FILE *out);

/* The same without notes, which are worth knowing and no mistakes. */
void diag_print_mistakes(const struct diag *diag, FILE *out);

/* Turns "there were errors" into a GError of class ERROR_CONFIG whose message holds all lines; true if none.
 */
bool diag_ok(const struct diag *diag, GError **error);

/* The nearest of `candidates` (NULL-terminated) to `word` within an edit distance that suggests a slip, or
 * NULL. */
const char *did_you_mean(const char *word, const char *const *candidates);

#endif
