/* input.c - reading what a command line names. */
#include "cli/input.h"

#include "core/error.h"
#include "core/file.h"

#include <string.h>

GBytes *input_read(const char *path, size_t max, GError **error)
{
	g_autoptr(GError) failure = NULL;
	GBytes *bytes = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, max, &failure);
	if (!bytes)
		fail(error, ERROR_INPUT, "%s", failure->message);
	return bytes;
}
