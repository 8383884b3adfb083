/* seal.c - `posteingang seal`: one round of the sequencer. A host without the key has nothing to do. */
#include "cli/commands.h"
#include "cli/daemon.h"

int run_seal(struct invocation *invocation, GError **error)
{
	static const struct daemon_work work = {.phases = {PHASE_SEAL}, .n = 1};
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	g_clear_pointer(&journal, journal_close);
	return daemon_once(world, &work);
}
