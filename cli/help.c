/* help.c - `posteingang help`: the overview, or one command's help. */
#include "cli/commands.h"
#include "core/error.h"

int run_help(struct invocation *invocation, GError **error)
{
	const char *name = invocation_argument(invocation, 0);
	if (!name) {
		command_overview(stdout);
		return 0;
	}
	const struct command *command = command_find(name);
	if (!command) {
		fail(error, ERROR_USAGE, "no command \"%s\"; posteingang help lists them", name);
		return 1;
	}
	command_help(command, stdout);
	return 0;
}
