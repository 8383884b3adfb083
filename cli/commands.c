/* commands.c - the one table of subcommands, in the order the manual shows them. */
#include "cli/commands.h"

const struct command commands[] = {
        {.name = "inspect",
                .arguments = "FILE.eml",
                .summary = "Show what the decoder sees in a mail, as one JSON object",
                .details = "Needs no configuration and no journal. FILE may be - for standard input.",
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_inspect},
        {.name = "version", .arguments = "", .summary = "Print the release", .run = run_version},
        {.name = NULL},
};
