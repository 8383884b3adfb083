/* commands.c - the one table of subcommands, in the order the manual shows them. */
#include "cli/commands.h"

const struct command commands[] = {
	{.name = "version", .arguments = "", .summary = "Print the release", .run = run_version},
	{.name = NULL},
};
