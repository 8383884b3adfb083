/* command.c - parsing a command line against the table, and printing help from it. */
#include "cli/command.h"
#include "core/diag.h"
#include "core/error.h"
#include "core/version.h"

#include <errno.h>
#include <string.h>

struct invocation {
	const struct command *command;
	GHashTable *options; /* name → value ("" for a switch), all borrowed */
	GPtrArray *arguments;
	enum output_format format;
};

static const struct command_option config_option = {"config", "F",
        "Deployment file, or a folder with one or with a bundle. Default: $POSTEINGANG_CONFIG, ./config/, "
        "/etc/posteingang/, else the shipped bundle."};
static const struct command_option format_option = {
        "format", "table|jsonl|csv", "Form of the output. Default: table on a terminal and elsewhere."};
static const struct command_option help_option = {"help", NULL, "Show this help."};

static const char *const format_words[] = {"table", "jsonl", "csv", NULL};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

GPtrArray *command_options(const struct command *command)
{
	GPtrArray *all = g_ptr_array_new();
	if (command->takes & TAKES_CONFIG)
		g_ptr_array_add(all, (gpointer)&config_option);
	if (command->takes & TAKES_FORMAT)
		g_ptr_array_add(all, (gpointer)&format_option);
	for (const struct command_option *o = command->options; o && o->name; o++)
		g_ptr_array_add(all, (gpointer)o);
	g_ptr_array_add(all, (gpointer)&help_option);
	return all;
}

static void unknown_option(const struct command *command, const char *name, GError **error)
{
	g_autoptr(GPtrArray) all = command_options(command);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < all->len; i++)
		g_ptr_array_add(names, (gpointer)((const struct command_option *)all->pdata[i])->name);
	g_ptr_array_add(names, NULL);
	const char *hint = did_you_mean(name, (const char *const *)names->pdata);
	fail(error, ERROR_USAGE, "%s: unknown option --%s%s%s%s", command->name, name,
	        hint ? ", did you mean --" : "", hint ? hint : "", hint ? "?" : "");
}

static const struct command_option *find_option(const struct command *command, const char *name)
{
	g_autoptr(GPtrArray) all = command_options(command);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		if (strcmp(option->name, name) == 0)
			return option;
	}
	return NULL;
}

/* One "--name", "--name=value" or "--name value" at argv[*i]. */
static bool parse_option(struct invocation *inv, char **argv, int argc, int *i, GError **error)
{
	const char *word = argv[*i] + 2;
	const char *equals = strchr(word, '=');
	g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
	const struct command_option *option = find_option(inv->command, name);
	if (!option) {
		unknown_option(inv->command, name, error);
		return false;
	}
	if (!option->value && equals) {
		fail(error, ERROR_USAGE, "%s: --%s takes no value", inv->command->name, name);
		return false;
	}
	const char *value = equals ? equals + 1 : "";
	if (option->value && !equals) {
		if (*i + 1 >= argc) {
			fail(error, ERROR_USAGE, "%s: --%s needs a value: %s", inv->command->name, name,
			        option->value);
			return false;
		}
		value = argv[++*i];
	}
	g_hash_table_replace(inv->options, (gpointer)option->name, (gpointer)value);
	return true;
}

static bool parse_words(struct invocation *inv, int argc, char **argv, GError **error)
{
	bool options = true;
	for (int i = 0; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && g_str_has_prefix(argv[i], "--")) {
			if (!parse_option(inv, argv, argc, &i, error))
				return false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			fail(error, ERROR_USAGE, "%s: unknown option %s; options are written --name",
			        inv->command->name, argv[i]);
			return false;
		} else {
			g_ptr_array_add(inv->arguments, argv[i]);
		}
	}
	return true;
}

static bool check_words(struct invocation *inv, GError **error)
{
	const struct command *command = inv->command;
	int n = (int)inv->arguments->len;
	if (n < command->min_arguments) {
		fail(error, ERROR_USAGE, "%s: missing argument, expected %s", command->name,
		        command->arguments);
		return false;
	}
	if (command->max_arguments >= 0 && n > command->max_arguments) {
		fail(error, ERROR_USAGE, "%s: unexpected argument \"%s\"", command->name,
		        (const char *)inv->arguments->pdata[command->max_arguments]);
		return false;
	}
	const char *format = invocation_option(inv, "format");
	for (int i = 0; format && command->takes & TAKES_FORMAT; i++) {
		if (!format_words[i]) {
			fail(error, ERROR_USAGE, "%s: --format %s, expected table, jsonl or csv",
			        command->name, format);
			return false;
		}
		if (strcmp(format_words[i], format) == 0) {
			inv->format = (enum output_format)i;
			break;
		}
	}
	return true;
}

static int finish(int code, GError *error)
{
	if (error) {
		fprintf(stderr, "posteingang: %s\n", error->message);
		code = error_exit_code(error);
	}
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != 0)
		return code;
	g_autoptr(GError) why = NULL;
	fail(&why, ERROR_AGAIN, "cannot write the output: %s", errno ? g_strerror(errno) : "write error");
	fprintf(stderr, "posteingang: %s\n", why->message);
	return error_exit_code(why);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	g_autoptr(GHashTable) options = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	struct invocation inv = {command, options, arguments, OUTPUT_TABLE};
	g_autoptr(GError) error = NULL;
	if (!parse_words(&inv, argc, argv, &error))
		return finish(64, error);
	if (invocation_switch(&inv, "help")) {
		command_help(command, stdout);
		return finish(0, NULL);
	}
	if (!check_words(&inv, &error))
		return finish(64, error);
	int code = command->run(&inv, &error);
	return finish(code, error);
}

static int unknown_command(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (const struct command *command = commands; command->name; command++)
		if (!command->hidden)
			g_ptr_array_add(names, (gpointer)command->name);
	g_ptr_array_add(names, NULL);
	const char *hint = did_you_mean(name, (const char *const *)names->pdata);
	fprintf(stderr, "posteingang: unknown command \"%s\"", name);
	if (hint)
		fprintf(stderr, ", did you mean \"%s\"?", hint);
	fprintf(stderr, "\nSee posteingang --help.\n");
	return 64;
}

int command_main(int argc, char **argv)
{
	if (argc < 2) {
		command_overview(stderr);
		return 64;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		command_overview(stdout);
		return finish(0, NULL);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("posteingang " POSTEINGANG_VERSION);
		return finish(0, NULL);
	}
	const struct command *command = command_find(argv[1]);
	return command ? run_command(command, argc - 2, argv + 2) : unknown_command(argv[1]);
}

const char *invocation_option(const struct invocation *invocation, const char *name)
{
	return g_hash_table_lookup(invocation->options, name);
}

bool invocation_switch(const struct invocation *invocation, const char *name)
{
	return g_hash_table_contains(invocation->options, name);
}

const char *invocation_argument(const struct invocation *invocation, int index)
{
	return index < invocation_arguments(invocation) ? invocation->arguments->pdata[index] : NULL;
}

int invocation_arguments(const struct invocation *invocation)
{
	return (int)invocation->arguments->len;
}

enum output_format invocation_format(const struct invocation *invocation)
{
	return invocation->format;
}

const char *invocation_config(const struct invocation *invocation)
{
	return invocation_option(invocation, "config");
}

const struct command *invocation_command(const struct invocation *invocation)
{
	return invocation->command;
}

/* Wraps at 78 columns, each line behind `indent` spaces. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	int column = 0;
	for (char **word = words; *word; word++) {
		int length = (int)g_utf8_strlen(*word, -1);
		if (column && column + 1 + length > 78) {
			fputc('\n', out);
			column = 0;
		}
		column += column ? fprintf(out, " ") : fprintf(out, "%*s", indent, "");
		fputs(*word, out);
		column += length;
	}
	fputc('\n', out);
}

void command_help(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: posteingang %s [options] %s\n\n", command->name, command->arguments);
	g_autofree char *sentence = g_strdup_printf("%s.", command->summary);
	print_wrapped(out, sentence, 0);
	if (command->details) {
		fputc('\n', out);
		print_wrapped(out, command->details, 0);
	}
	fprintf(out, "\nOptions:\n");
	g_autoptr(GPtrArray) all = command_options(command);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		fprintf(out, "  --%s%s%s\n", option->name, option->value ? " " : "",
		        option->value ? option->value : "");
		print_wrapped(out, option->help, 8);
	}
}

void command_overview(FILE *out)
{
	fprintf(out, "Usage: posteingang COMMAND [options] [arguments]\n\nCommands:\n");
	for (const struct command *command = commands; command->name; command++)
		if (!command->hidden)
			fprintf(out, "  %-11s %s\n", command->name, command->summary);
	fprintf(out, "\nposteingang COMMAND --help tells more; posteingang --version prints the version.\n");
}
