/* commands.c - the one table of subcommands, in the order the manual shows them. */
#include "cli/commands.h"

static const struct command_option rules_options[] = {
        {"html", NULL, "list and table: one HTML page."},
        {NULL, NULL, NULL},
};

const struct command commands[] = {
        {.name = "rules",
                .arguments = "list|show SET [RULE]|table SET|diff SET SET",
                .summary = "Show the rule sets: calendar, sentences, decision table, differences",
                .details = "Reads the bundle alone. Inherited rules are shown with the set, so that one "
                           "table is "
                           "the whole law of its days.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = rules_options,
                .min_arguments = 1,
                .max_arguments = 3,
                .run = run_rules},
        {.name = "inspect",
                .arguments = "FILE.eml",
                .summary = "Show what the decoder sees in a mail, as one JSON object",
                .details = "Needs no configuration and no journal. FILE may be - for standard input.",
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_inspect},
        {.name = "completion",
                .arguments = "bash|zsh|fish",
                .summary = "Print a completion script for a shell",
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_completion},
        {.name = "document",
                .arguments = "commands|options|sample",
                .summary = "Print the generated parts of manual and sample",
                .min_arguments = 1,
                .max_arguments = 1,
                .hidden = true,
                .run = run_document},
        {.name = "help",
                .arguments = "[COMMAND]",
                .summary = "Show the commands, or one of them",
                .max_arguments = 1,
                .run = run_help},
        {.name = "version", .arguments = "", .summary = "Print the release", .run = run_version},
        {.name = NULL},
};
