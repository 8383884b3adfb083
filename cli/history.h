/* history.h - the journal's history against a candidate bundle, for `replay` and the gate of `activate`. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "classifiers/replay.h"
#include "cli/world.h"

struct history_options {
	const struct pipeline *candidate;
	const struct journal_options *journal; /* of world_connect(): each thread opens its own */
	int64_t since;                         /* time of receipt, µs; 0 = all */
	const char *resume;                    /* file to go on from and to note progress in, or NULL */
	bool follow; /* shadow: goes on with what is decided meanwhile, until a signal */
};

/* Replays with a progress bar. ERROR_AGAIN if a signal ended it before the end. */
struct replay_report *history_replay(const struct history_options *options, GError **error);

#endif
