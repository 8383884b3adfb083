/* days.h - --since and --until as commands about history take them. */
#ifndef CLI_DAYS_H
#define CLI_DAYS_H

#include "cli/command.h"

#include <stdint.h>

#define DAYS_OPTIONS                                                                                         \
	{"since", "DATE", "From the beginning of that day (Berlin) on; or a time with offset."},             \
	{                                                                                                    \
		"until", "DATE", "To the end of that day; or up to a time with offset."                      \
	}

/* [*since, *until) in µs; without the options all of time. ERROR_USAGE. */
bool days_read(const struct invocation *invocation, int64_t *since, int64_t *until, GError **error);

#endif
