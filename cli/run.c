/* run.c - `posteingang run`, `pull`, `route` and `deliver`. */
#include "cli/commands.h"
#include "cli/daemon.h"
#include "core/error.h"

static int once(const struct invocation *invocation, const struct daemon_work *work, GError **error)
{
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_START, &journal, error);
	if (!world)
		return 1;
	g_clear_pointer(&journal, journal_close);
	if (work->only_source && !sources_find(world->sources, work->only_source)) {
		fail(error, ERROR_USAGE, "%s: no source \"%s\" in %s", invocation_command(invocation)->name,
		        work->only_source, world->deployment->file);
		return 1;
	}
	return daemon_once(world, work);
}

int run_run(struct invocation *invocation, GError **error)
{
	static const struct daemon_work all = {
	        .phases = {PHASE_PULL, PHASE_ROUTE, PHASE_DELIVER, PHASE_SEAL}, .n = PHASES};
	if (invocation_switch(invocation, "once"))
		return once(invocation, &all, error);
	AUTO(journal) journal = NULL;
	struct world *world = world_open(invocation, WORLD_START, &journal, error);
	g_clear_pointer(&journal, journal_close);
	return world ? daemon_run(world, error) : 1;
}

int run_pull(struct invocation *invocation, GError **error)
{
	const struct daemon_work work = {
	        .phases = {PHASE_PULL}, .n = 1, .only_source = invocation_option(invocation, "source")};
	return once(invocation, &work, error);
}

int run_route(struct invocation *invocation, GError **error)
{
	static const struct daemon_work work = {.phases = {PHASE_ROUTE}, .n = 1};
	return once(invocation, &work, error);
}

int run_deliver(struct invocation *invocation, GError **error)
{
	static const struct daemon_work work = {.phases = {PHASE_DELIVER}, .n = 1};
	return once(invocation, &work, error);
}
