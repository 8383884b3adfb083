/* commands.c - the one table of subcommands, in the order the manual shows them. */
#include "cli/commands.h"

static const struct command_option check_options[] = {
        {"strict", NULL, "Warnings count: exit code 1."},
        {"notes", NULL,
                "Also print what is worth knowing and no mistake, such as rules that a switch turns off."},
        {NULL, NULL, NULL},
};

static const struct command_option activate_options[] = {
        {"accept", "ITEM,…", "Items that would leave the eAkte and that a person has looked at."},
        {NULL, NULL, NULL},
};

static const struct command_option explain_options[] = {
        {"as-of", "DATE", "Show beside it what the instruction of that day would have decided."},
        {"received", "TIME",
                "When a mail from a file came in: a date, or a time with offset. Default: the file's own "
                "time."},
        {"text", NULL, "Quote the item's words where the evidence stands. That they were read is logged."},
        {NULL, NULL, NULL},
};

static const struct command_option replay_options[] = {
        {"candidate", "DIR", "The bundle to try."},
        {"since", "DATE", "Only items received from that day (or time with offset) on."},
        {"resume", "FILE", "Note the progress there, and go on from it if it is there already."},
        {"shadow", NULL, "Go on with what is decided from now on, until a signal; then print."},
        {NULL, NULL, NULL},
};

static const struct command_option reprocess_options[] = {
        {"reason", "TEXT", "Why; kept with the items."},
        {NULL, NULL, NULL},
};

static const struct command_option evaluate_options[] = {
        {"cross-validate", NULL, "Score each file with a model trained without it."},
        {"html", "FILE", "Also write a page with figures and plots."},
        {"compare", "DIR", "Put another bundle beside it: what each got right that the other did not."},
        {NULL, NULL, NULL},
};

static const struct command_option train_options[] = {
        {"output", "FILE", "Where the model goes. Default: into the bundle folder of the configuration."},
        {NULL, NULL, NULL},
};

static const struct command_option suggest_options[] = {
        {"max", "N", "Most proposals for one concern. Default: 20."},
        {NULL, NULL, NULL},
};

static const struct command_option terms_options[] = {
        {"since", "DATE", "hot and unused: only items received from that day on."},
        {"max", "N", "hot: how many. Default: 100."},
        {NULL, NULL, NULL},
};

static const struct command_option run_options[] = {
        {"once", NULL, "One round of each phase, for timers."},
        {NULL, NULL, NULL},
};

static const struct command_option pull_options[] = {
        {"source", "NAME", "Only that source."},
        {NULL, NULL, NULL},
};

static const struct command_option rules_options[] = {
        {"html", NULL, "list and table: one HTML page."},
        {NULL, NULL, NULL},
};

const struct command commands[] = {
        {.name = "check",
                .arguments = "",
                .summary = "Check configuration, calendar and invariants; errors as file:line:column",
                .details =
                        "Reads the deployment file with all its sections, and the bundle: catalogue, "
                        "switches, "
                        "contact codes, terms and their tests, model, rule sets, templates. Every invariant "
                        "of "
                        "every rule set is proved over all inputs. Touches no source, sink or journal. Exit "
                        "code 78 if there is an error.",
                .takes = TAKES_CONFIG,
                .options = check_options,
                .run = run_check},
        {.name = "activate",
                .arguments = "DIR",
                .summary = "Check a bundle, try it on history, and make it the one all workers run",
                .details =
                        "The bundle is stored by its hash. If a payment-relevant item of the history would "
                        "leave the eAkte, it is not activated and the exit code is 1.",
                .takes = TAKES_CONFIG,
                .options = activate_options,
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_activate},
        {.name = "classify",
                .arguments = "[FILE|-]",
                .summary = "Decide JSON Lines of items; nothing is sent or stored",
                .details =
                        "Reads one JSON object a line and prints one decision a line, in the same order. A "
                        "line "
                        "that cannot be decided gives {\"line\":N,\"error\":…} in its place, the rest goes "
                        "on, and the exit code is 65. Blank lines are passed over. Needs no deployment file "
                        "and "
                        "no journal.",
                .takes = TAKES_CONFIG,
                .max_arguments = 1,
                .run = run_classify},
        {.name = "explain",
                .arguments = "ITEM|FILE.eml|FILE.json",
                .summary = "Tell a decision: evidence, rules that fired, rules that did not and why",
                .details = "A file is decided now, with the configured bundle, and nothing is stored. An "
                           "item of "
                           "the journal is told as it was decided, with the bundle that decided it.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = explain_options,
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_explain},
        {.name = "replay",
                .arguments = "",
                .summary = "Decide the history again with a candidate bundle and show what would change",
                .details =
                        "Compares every decided item whose content is still kept, on all cores, and writes "
                        "nothing to the journal. Exit code 1 if a payment-relevant item would leave the "
                        "eAkte.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = replay_options,
                .run = run_replay},
        {.name = "reprocess",
                .arguments = "ITEM…",
                .summary = "Send decided items through routing again",
                .details = "The old decision stays as history. What was delivered already is not delivered "
                           "again.",
                .takes = TAKES_CONFIG,
                .options = reprocess_options,
                .min_arguments = 1,
                .max_arguments = -1,
                .run = run_reprocess},
        {.name = "evaluate",
                .arguments = "LABELS",
                .summary = "Score a bundle on labelled messages, by the definitions of the manual",
                .details =
                        "LABELS is a JSON Lines file or a folder of such files. Prints per concern "
                        "precision, "
                        "recall and F1, the confusion table, calibration, and every missed payment-relevant "
                        "item and wrong reply by id. Takes labelled files only, never the journal.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = evaluate_options,
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_evaluate},
        {.name = "train",
                .arguments = "LABELS",
                .summary = "Make the model of a bundle from labelled messages",
                .details = "The same files, program and libraries give the same model, byte for byte.",
                .takes = TAKES_CONFIG,
                .options = train_options,
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_train},
        {.name = "terms",
                .arguments = "test TEXT|hot|unused",
                .summary = "Show what the terms find in a text, and which are found often or never",
                .details =
                        "test shows sentences, cues and terms with byte offsets, and what comes of them. hot "
                        "and unused count over the journal's history whose content is still kept; only "
                        "counts "
                        "are printed.",
                .takes = TAKES_CONFIG,
                .options = terms_options,
                .min_arguments = 1,
                .max_arguments = 2,
                .run = run_terms},
        {.name = "suggest",
                .arguments = "LABELS",
                .summary = "Propose terms with the gain each would bring",
                .details = "Takes labelled files only, never the journal.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = suggest_options,
                .min_arguments = 1,
                .max_arguments = 1,
                .run = run_suggest},
        {.name = "run",
                .arguments = "",
                .summary = "Run all phases: pull, route, deliver, seal",
                .details = "Without --once until SIGTERM or SIGINT; SIGHUP takes a changed deployment file, "
                           "whole "
                           "or not at all.",
                .takes = TAKES_CONFIG,
                .options = run_options,
                .run = run_run},
        {.name = "pull",
                .arguments = "",
                .summary = "Run one round of the pull phase",
                .takes = TAKES_CONFIG,
                .options = pull_options,
                .run = run_pull},
        {.name = "route",
                .arguments = "",
                .summary = "Run one round of the route phase",
                .takes = TAKES_CONFIG,
                .run = run_route},
        {.name = "deliver",
                .arguments = "",
                .summary = "Run one round of the deliver phase",
                .takes = TAKES_CONFIG,
                .run = run_deliver},
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
