/* world.h - from the deployment file to everything a phase needs, checked as a whole before anything starts.
 *
 * Read-only once loaded, shared by threads; each thread opens its own journal handle. SIGHUP makes a new one
 * and drops the old when its threads have ended.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

#include "cli/command.h"
#include "config/deployment.h"
#include "config/retention.h"
#include "core/auto.h"
#include "facts/provider.h"
#include "intake/sources.h"
#include "journal/log_settings.h"
#include "journal/settings.h"
#include "sinks/sink.h"

struct world {
	char *wanted; /* the value of --config, or NULL */
	struct deployment *deployment;
	struct journal_settings journal;
	struct log_settings log;
	struct retention retention;
	GPtrArray *sources; /* of struct source */
	struct sinks *sinks;
	struct facts_config *facts;
	/* After world_connect(): for journal_open(), borrowed by the threads. */
	struct journal_options options;
};

/* Reads the deployment file and all its sections. All findings at once: ERROR_CONFIG holds the errors as
 * file:line:column lines; warnings go to `warnings` (may be NULL). ERROR_CONFIG too if there is no deployment
 * file. No I/O beside it. */
struct world *world_load(const char *wanted, FILE *warnings, GError **error);
void world_free(struct world *world);
AUTO_FREE(world);

enum world_access {
	WORLD_READ,  /* a journal that is there already */
	WORLD_MAKE,  /* makes what the embedded default lacks: folder, key, schema */
	WORLD_START, /* and the active bundle */
};

/* All sections of a deployment file into `diag`, for `check`. */
void world_check(const struct deployment *deployment, struct diag *diag);

/* Fills `options` without opening anything. */
bool world_ready(struct world *world, GError **error);

/* The journal, opened for this thread; close with journal_close(). Fills `options` for further ones. */
struct journal *world_connect(struct world *world, enum world_access access, GError **error);

/* Business time: the clock, or what journal.business_now says. */
int64_t world_now(const struct world *world);
/* The same as a plain function, for the pull phase: the time of the world that was loaded last. */
int64_t world_clock(void);

/* For most commands that need a journal: load and connect, warnings to standard error. The journal belongs to
 * the caller. */
struct world *world_open(const struct invocation *invocation, enum world_access access,
        struct journal **journal, GError **error);

#endif
