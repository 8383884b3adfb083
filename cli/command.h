/* command.h - one row a subcommand: name, options, help and function; parsing and --help come from the row.
 *
 * The table is in commands.c; each subcommand has a file of its own, `cli/NAME.c`, with one function
 * run_NAME().
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "core/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

/* How data is printed (--format). */
enum output_format { OUTPUT_TABLE, OUTPUT_JSONL, OUTPUT_CSV };

struct command_option {
	const char *name;  /* without the dashes */
	const char *value; /* placeholder such as "FILE"; NULL: a switch */
	const char *help;
};

/* Options that many commands share; a command names them in its `takes`. */
enum command_takes {
	TAKES_CONFIG = 1 << 0, /* --config F */
	TAKES_FORMAT = 1 << 1, /* --format table|jsonl|csv */
};

struct invocation; /* one parsed command line */

struct command {
	const char *name;
	const char *arguments; /* "FILE.eml", "[ITEM|FILE]", "" */
	const char *summary;   /* one line, no full stop */
	const char *details;   /* paragraph for --help and the manual, or NULL */
	unsigned takes;
	const struct command_option *options; /* ended by a NULL name; may be NULL */
	int min_arguments, max_arguments;     /* -1: any number */
	bool hidden;                          /* for our own scripts: not in help, manual and completion */
	/* Returns the exit code; with *error set, the code is taken from it and the message is printed. */
	int (*run)(struct invocation *invocation, GError **error);
};

extern const struct command commands[]; /* ended by a NULL name */

const struct command *command_find(const char *name);

/* Accessors. Strings are borrowed from the command line. */
const char *invocation_option(const struct invocation *invocation, const char *name); /* NULL if not given */
bool invocation_switch(const struct invocation *invocation, const char *name);
const char *invocation_argument(const struct invocation *invocation, int index); /* NULL beyond the end */
int invocation_arguments(const struct invocation *invocation);
enum output_format invocation_format(const struct invocation *invocation);
/* The value of --config, or NULL. */
const char *invocation_config(const struct invocation *invocation);
const struct command *invocation_command(const struct invocation *invocation);

/* Parses and runs `posteingang ARGV…`; returns the exit code. Words go to standard error. */
int command_main(int argc, char **argv);

/* All options of a command, the shared ones first: GPtrArray of const struct command_option, free with
 * g_ptr_array_unref. */
GPtrArray *command_options(const struct command *command);

void command_help(const struct command *command, FILE *out);
void command_overview(FILE *out);

#endif
