/* reprocess.c - `posteingang reprocess ITEM…`: sends decided items through routing again. */
#include "cli/commands.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/items.h"

int run_reprocess(struct invocation *invocation, GError **error)
{
	const char *reason = invocation_option(invocation, "reason");
	if (!reason || !*reason) {
		fail(error, ERROR_USAGE, "reprocess: --reason TEXT is missing; it is kept with the item");
		return 64;
	}
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	for (int i = 0; i < invocation_arguments(invocation); i++) {
		const char *name = invocation_argument(invocation, i);
		int64_t item;
		if (!journal_item_parse(journal, name, &item, error) ||
		        !journal_reprocess(journal, item, reason, error))
			return 1;
		g_autofree char *full = journal_item_name(journal, item);
		printf("%s\n", full);
	}
	return 0;
}
