/* progress.h - a line that says how far long work has come; on a terminal only. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct progress;

/* `what` is borrowed: "replay". Silent unless standard error is a terminal. */
struct progress *progress_new(const char *what);
/* Ends the line. */
void progress_free(struct progress *progress);
AUTO_FREE(progress);
bool progress_is_shown(const struct progress *progress);
/* total 0: not known. Draws at most ten times a second. */
void progress_show(struct progress *progress, int64_t done, int64_t total);

#endif
