/* daemon.h - the process around the phases: signals, reload, progress, the end within its time. */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "cli/phases.h"

/* Time from SIGTERM to the end. What is not done by then is left to the leases: being killed at any
 * instruction is safe. */
#define DAEMON_STOP_SECONDS 9

struct daemon_work {
	enum phase phases[PHASES]; /* served in this order */
	unsigned n;
	const char *only_source; /* for the pull phase, or NULL */
};

/* One round of each phase. Returns the exit code: that of the gravest failure (all are logged), 75 if a
 * signal ended it early. */
int daemon_once(struct world *world, const struct daemon_work *work);

/* Serves all phases until SIGTERM or SIGINT; SIGHUP takes a changed deployment file whole or not at all.
 * Takes the world over. *error: could not start. */
int daemon_run(struct world *world, GError **error);

#endif
