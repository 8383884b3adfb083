/* commands.c - the one table of subcommands, in the order the manual shows them. */
#include "cli/commands.h"
#include "cli/days.h"
#include "cli/person_number.h"

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
        {"model", "FILE", "With --cross-validate: also write the model of all messages."},
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

static const struct command_option rules_options[] = {
        {"html", NULL, "list and table: one HTML page."},
        {NULL, NULL, NULL},
};

/* ---- log, audit and privacy ---- */

static const struct command_option keys_options[] = {
        {"name", "NAME", "Name of a new key, such as posteingang.example.org: no blank, no plus sign."},
        {NULL, NULL, NULL},
};

static const struct command_option verify_options[] = {
        {"bundle", "DIR", "Check an exported log (export --bundle) offline; needs no journal."},
        {"keys", "FILE", "Public keys to trust, one a line, instead of those of the deployment file."},
        {"kept", "FILE",
                "Checkpoints kept from earlier, as a witness holds them: all must still be part of the log."},
        {"log-only", NULL, "Check the log alone, not the journal's rows against it."},
        {"content", NULL,
                "Also read every original that is still there and compare it with the hash it was received "
                "with. "
                "An auditor's role may not."},
        {NULL, NULL, NULL},
};

static const struct command_option audit_options[] = {
        {"sample", "N", "Draw N decided items by the newest checkpoint: neither side can choose them."},
        {"checkpoint", "SIZE",
                "Draw by the newest checkpoint of at most so many records, to repeat a sample."},
        {"rules-only", NULL, "Leave the classifier alone."},
        {NULL, NULL, NULL},
};

static const struct command_option balance_options[] = {
        {"since", "DATE", "Items and counters from that day on."},
        {"until", "DATE", "Up to that day, included."},
        {"sources", NULL, "Print the counters of each source and day instead of the differences."},
        {NULL, NULL, NULL},
};

static const struct command_option log_options[] = {
        DAYS_OPTIONS,
        {"event", "NAME", "Only records of that event; `delivery` finds all that happened to deliveries."},
        {"max", "N", "At most so many records."},
        {NULL, NULL, NULL},
};

static const struct command_option export_options[] = {
        {"bundle", "DIR", "Write the sealed log as a folder that anybody can verify offline."},
        DAYS_OPTIONS,
        {"item", "ITEM", "Only that item."},
        {"channel", "CHANNEL", "Only items of that channel: email, postbox or eservice."},
        {"rule", "RULE", "Only items for which that rule acted."},
        {"cite", "CITE", "Only items with an action that cites it: SOURCE, or SOURCE SECTION."},
        {"concern", "CONCERN", "Only items with that concern."},
        {"action", "ACTION", "Only items with that action: a handler, or the kind of a task."},
        {NULL, NULL, NULL},
};

static const struct command_option expire_options[] = {
        {"dry-run", NULL, "Print what would go, and change nothing."},
        {NULL, NULL, NULL},
};

static const struct command_option hold_options[] = {
        PERSON_FROM_OPTION,
        {"reason", "TEXT", "Why; kept with the hold, never logged."},
        {"all", NULL, "list: released holds, too."},
        {NULL, NULL, NULL},
};

static const struct command_option person_options[] = {
        PERSON_FROM_OPTION,
        {"out", "DIR", "export: a new folder for person.json and the original messages."},
        {NULL, NULL, NULL},
};

static const struct command_option restore_options[] = {
        {"accept", NULL, "Accept the gap: a new epoch of the log is begun and signed."},
        {NULL, NULL, NULL},
};

static const struct command_option run_options[] = {
        {"once", NULL, "One round of all phases, then the end: for timers. Without it: a daemon."},
        {NULL, NULL, NULL},
};

static const struct command_option pull_options[] = {
        {"source", "NAME", "Serve only this source."},
        {NULL, NULL, NULL},
};

static const struct command_option status_options[] = {
        {"quiet", NULL, "Print nothing; the exit code tells."},
        {"offline", NULL, "Do not ask the sources; what the journal last heard of them counts."},
        {NULL, NULL, NULL},
};

static const struct command_option task_options[] = {
        {"state", "open|done|failed", "list: tasks in this state. Default: open."},
        {"kind", "KIND", "list: tasks of this kind only."},
        {"item", "ITEM", "list: tasks of this item only."},
        {"due", NULL, "list: leave out what is set to a later day."},
        {"max", "N", "list: at most so many."},
        {"reason", "TEXT", "done, fail, attempt: why; kept beside the task."},
        {"contact-code", "CODE", "done: the item's contact code becomes this one (logged)."},
        {"instead", "WHAT",
                "done: what was done against the program's decision (logged as an override; needs a "
                "--reason)."},
        {"rule", "ID", "done with --instead: the rule that was overridden."},
        {"outcome", "reached|not_reached", "attempt: how the one call attempt ended."},
        {NULL, NULL, NULL},
};

static const struct command_option facts_options[] = {
        {"replace", NULL, "Rows of earlier imports that the file does not name are dropped."},
        {"check", NULL, "Only check the file."},
        {NULL, NULL, NULL},
};

static const struct command_option items_options[] = {
        {"since", "TIME", "Only items received since then (RFC 3339 or a date)."},
        {"max", "N", "At most so many."},
        {NULL, NULL, NULL},
};

const struct command commands[] = {
        {.name = "run",
                .arguments = "",
                .summary = "Take in, decide and deliver: all phases",
                .details = "Any number of processes on any number of machines may run at once; what one of "
                           "them holds the others leave alone. On the embedded default the first run makes "
                           "the journal and activates the bundle.",
                .takes = TAKES_CONFIG,
                .options = run_options,
                .run = run_run},
        {.name = "pull",
                .arguments = "",
                .summary = "Take in what waits at the sources, once",
                .takes = TAKES_CONFIG,
                .options = pull_options,
                .run = run_pull},
        {.name = "route",
                .arguments = "",
                .summary = "Decide what was taken in, once",
                .takes = TAKES_CONFIG,
                .run = run_route},
        {.name = "deliver",
                .arguments = "",
                .summary = "Carry out what is due, once",
                .takes = TAKES_CONFIG,
                .run = run_deliver},
        {.name = "status",
                .arguments = "",
                .summary = "Show what waits, asked of the sources themselves",
                .details = "For every source the oldest message not yet taken in, the last round that served "
                           "it, gaps and messages the source has not been told of; for every phase what is "
                           "open. Exits 1 if a source is silent or stuck for longer than its silent_after.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = status_options,
                .run = run_status},
        {.name = "task",
                .arguments = "list|show|done|fail|attempt [TASK]",
                .summary = "List, show and close the tasks of clerks",
                .details = "Who acts is the user of the database or of the operating system. A call task has "
                           "one attempt: the second caller is refused.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = task_options,
                .min_arguments = 1,
                .max_arguments = 2,
                .run = run_task},
        {.name = "items",
                .arguments = "[ITEM]",
                .summary = "List decided items: what they are about, what was decided, what became of it",
                .details = "An item is accounted for if its decision has a delivery or a task, or says that "
                           "nothing is to be done.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = items_options,
                .max_arguments = 1,
                .run = run_items},
        {.name = "facts",
                .arguments = "import FILE",
                .summary = "Import the table of what is known of cases",
                .details = "FILE is CSV with a heading (kundennummer, email and names of facts) or JSON "
                           "Lines. It is checked to its end before anything is written.",
                .takes = TAKES_CONFIG,
                .options = facts_options,
                .min_arguments = 2,
                .max_arguments = 2,
                .run = run_facts},
        {.name = "migrate",
                .arguments = "",
                .summary = "Bring the journal's schema up to date",
                .details = "May run beside workers of the release before. On PostgreSQL the owner of the "
                           "schema runs it.",
                .takes = TAKES_CONFIG,
                .run = run_migrate},
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
        /* log, audit and privacy */
        {.name = "seal",
                .arguments = "",
                .summary = "Seal what is new in the routing log, once",
                .details = "Only a host that has the signing key seals; elsewhere this does nothing.",
                .takes = TAKES_CONFIG,
                .run = run_seal},
        {.name = "keys",
                .arguments = "new FILE|rotate FILE|show",
                .summary = "Make, rotate or show the key that signs the log",
                .details = "The private key goes to FILE (mode 0600, never overwritten), the public one to "
                           "standard output.",
                .takes = TAKES_CONFIG,
                .options = keys_options,
                .min_arguments = 1,
                .max_arguments = 2,
                .run = run_keys},
        {.name = "verify",
                .arguments = "",
                .summary = "Check that the routing log is whole and that the journal agrees with it",
                .details = "Reads leaves, tree, signatures, the witness, and every item, decision, delivery "
                           "and task against its records, both ways. Exits 1 if there is a finding. Reading "
                           "leaves a record.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = verify_options,
                .run = run_verify},
        {.name = "audit",
                .arguments = "redecide [ITEM…]",
                .summary = "Decide items again from what was archived with them, and compare",
                .details = "The rules decide again from archived findings, frozen facts and the archived "
                           "bundle: any difference is a finding (exit 1). The classifier runs again where "
                           "this program is the engine of then and the content is kept.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = audit_options,
                .min_arguments = 1,
                .max_arguments = -1,
                .run = run_audit},
        {.name = "balance",
                .arguments = "",
                .summary = "Check that everything that came in adds up",
                .details = "Sources against items, payment-relevant items against receipts, receipts against "
                           "the documents in the eAkte and back, replies and calls against the rules. Days "
                           "are those of taking in. Exits 1 on any difference.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = balance_options,
                .run = run_balance},
        {.name = "log",
                .arguments = "[ITEM|overrides|contact-codes]",
                .summary = "List records of an item or of a time; count overrides by rule, items by code",
                .details = "Reading leaves a record.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = log_options,
                .max_arguments = 1,
                .run = run_log},
        {.name = "export",
                .arguments = "",
                .summary = "Print decisions as CSV or JSON Lines, or write the log as a folder",
                .details =
                        "The columns are described in docs/log-format.md; --since and --until are times of "
                        "receipt. No text of an item is exported.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = export_options,
                .run = run_export},
        {.name = "expire",
                .arguments = "",
                .summary = "Delete content, and much later evidence, whose time is over; the log stays "
                           "verifiable",
                .details = "Terms stand in the section retention of the deployment file. Legal holds beat "
                           "them; what persons had erased goes first.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = expire_options,
                .run = run_expire},
        {.name = "hold",
                .arguments = "add [ITEM]|release HOLD|list",
                .summary = "Keep the content of an item or a person from being deleted",
                .details = "add without ITEM holds all items of the person whose number --from names.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = hold_options,
                .min_arguments = 1,
                .max_arguments = 2,
                .run = run_hold},
        {.name = "person",
                .arguments = "export|erase [KUNDENNUMMER]",
                .summary = "Hand out or erase what is kept of a person (Art. 15 and 17 GDPR)",
                .details = "Items are found by the keyed hash of the Kundennummer they state. What is erased "
                           "stands on the witness's list, too, so that a restored backup does not bring it "
                           "back.",
                .takes = TAKES_CONFIG,
                .options = person_options,
                .min_arguments = 1,
                .max_arguments = 2,
                .run = run_person},
        {.name = "restore",
                .arguments = "",
                .summary = "Show what went out after a restored backup, and accept the gap",
                .details = "Compares the journal with its witness and lists what the far sides have beyond "
                           "it. Until it is accepted nothing is taken in or decided. Exits 1 while the "
                           "journal is behind.",
                .takes = TAKES_CONFIG | TAKES_FORMAT,
                .options = restore_options,
                .run = run_restore},
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
