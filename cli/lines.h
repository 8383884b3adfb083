/* lines.h - reading lines of hostile length from a file or pipe, in bounded memory, without waiting
 * needlessly.
 *
 * For JSON Lines on standard input: a program that sends one line and waits for the answer gets it, since the
 * reader tells when the next line would have to be waited for.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_MAX (16 * 1024 * 1024) /* bytes of one line */

struct lines;

/* `path` NULL or "-" is standard input. ERROR_INPUT if it cannot be opened. */
struct lines *lines_open(const char *path, GError **error);
void lines_free(struct lines *lines);
AUTO_FREE(lines);

enum lines_state {
	LINES_ONE,   /* a line: text and size, without its end; valid until the next call */
	LINES_LONG,  /* a line longer than LINES_MAX was skipped */
	LINES_WAIT,  /* only if not `wait`: nothing to read just now */
	LINES_END,   /* behind the last line */
	LINES_BROKEN /* reading failed: error is set */
};

/* The next line that holds more than blanks. A byte order mark in front of the first is dropped. */
enum lines_state lines_next(struct lines *lines, bool wait, const char **text, size_t *size, GError **error);
/* Its number, from 1; blank lines count. */
uint64_t lines_number(const struct lines *lines);

#endif
