/* input.h - files that a command line names. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <glib.h>
#include <stddef.h>

#define INPUT_MAX_MAIL (512 * 1024 * 1024)

/* A whole file, or standard input for "-"; whatever is wrong is bad input (exit 65), not a server that does
 * not answer. */
GBytes *input_read(const char *path, size_t max, GError **error);

#endif
