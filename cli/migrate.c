/* migrate.c - `posteingang migrate`: brings the journal's schema up to date. */
#include "cli/commands.h"
#include "cli/world.h"
#include "core/error.h"

int run_migrate(struct invocation *invocation, GError **error)
{
	AUTO(world) world = world_load(invocation_config(invocation), stderr, error);
	unsigned done = 0;
	if (!world || !journal_settings_prepare(&world->journal, error) || !world_ready(world, error) ||
	        !journal_migrate(&world->options.db, &done, error))
		return 1;
	fprintf(stderr, "schema %d, %u migration%s run\n", journal_schema_version(), done,
	        done == 1 ? "" : "s");
	return 0;
}
