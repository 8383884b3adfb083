/* completion.c - `posteingang completion`: scripts for shells, printed from the table of commands. */
#include "cli/commands.h"
#include "core/error.h"

#include <string.h>

/* Options of one command, names with dashes, separated by blanks. */
static char *option_words(const struct command *command)
{
	GString *words = g_string_new(NULL);
	g_autoptr(GPtrArray) all = command_options(command);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		g_string_append_printf(words, "%s--%s", i ? " " : "", option->name);
	}
	return g_string_free(words, FALSE);
}

static char *command_words(void)
{
	GString *words = g_string_new(NULL);
	for (const struct command *c = commands; c->name; c++)
		if (!c->hidden)
			g_string_append_printf(words, "%s%s", words->len ? " " : "", c->name);
	return g_string_free(words, FALSE);
}

/* The words of "a|b|c", or NULL if the value is no such choice. */
static char *choice_words(const struct command_option *option)
{
	if (!option->value || !strchr(option->value, '|'))
		return NULL;
	return g_strdelimit(g_strdup(option->value), "|", ' ');
}

static void bash_values(const struct command *command)
{
	g_autoptr(GPtrArray) all = command_options(command);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		g_autofree char *choices = choice_words(option);
		if (choices)
			printf("  %s:--%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
			        command->name, option->name, choices);
		else if (option->value)
			printf("  %s:--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", command->name,
			        option->name);
	}
}

static void print_bash(void)
{
	g_autofree char *names = command_words();
	printf("# bash completion for posteingang\n_posteingang() {\n"
	       "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
	       "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '%s --help --version' -- "
	       "\"$cur\")); return; fi\n  case \"${COMP_WORDS[1]}:$prev\" in\n",
	        names);
	for (const struct command *c = commands; c->name; c++)
		bash_values(c);
	printf("  esac\n  case \"${COMP_WORDS[1]}:$cur\" in\n");
	for (const struct command *c = commands; c->name; c++) {
		g_autofree char *options = option_words(c);
		printf("  %s:-*) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n", c->name, options);
	}
	printf("  *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n  esac\n}\n"
	       "complete -o filenames -F _posteingang posteingang\n");
}

/* For zsh and fish: in single quotes, so a quote has to be left out. */
static char *unquoted(const char *text)
{
	return g_strdelimit(g_strdup(text), "'[]:\\", ' ');
}

static void zsh_options(const struct command *command)
{
	g_autoptr(GPtrArray) all = command_options(command);
	printf("      %s) _arguments", command->name);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		g_autofree char *help = unquoted(option->help);
		g_autofree char *choices = choice_words(option);
		printf(" '--%s[%s]", option->name, help);
		if (choices)
			printf(":%s:(%s)", option->name, choices);
		else if (option->value)
			printf(":%s:_files", option->name);
		printf("'");
	}
	printf(" '*:file:_files' ;;\n");
}

static void print_zsh(void)
{
	printf("#compdef posteingang\n_posteingang() {\n  local -a names\n  names=(\n");
	for (const struct command *c = commands; c->name; c++) {
		g_autofree char *summary = unquoted(c->summary);
		if (!c->hidden)
			printf("    '%s:%s'\n", c->name, summary);
	}
	printf("  )\n  _arguments -C '1: :->command' '*:: :->rest'\n  case $state in\n"
	       "  command) _describe command names ;;\n  rest)\n    case $words[1] in\n");
	for (const struct command *c = commands; c->name; c++)
		zsh_options(c);
	printf("    esac ;;\n  esac\n}\n_posteingang \"$@\"\n");
}

static void fish_options(const struct command *command)
{
	g_autoptr(GPtrArray) all = command_options(command);
	for (guint i = 0; i < all->len; i++) {
		const struct command_option *option = all->pdata[i];
		g_autofree char *help = unquoted(option->help);
		g_autofree char *choices = choice_words(option);
		printf("complete -c posteingang -n '__fish_seen_subcommand_from %s' -l %s%s", command->name,
		        option->name, option->value ? " -r" : "");
		if (choices)
			printf(" -f -a '%s'", choices);
		printf(" -d '%s'\n", help);
	}
}

static void print_fish(void)
{
	printf("# fish completion for posteingang\n");
	for (const struct command *c = commands; c->name; c++) {
		g_autofree char *summary = unquoted(c->summary);
		if (!c->hidden)
			printf("complete -c posteingang -n __fish_use_subcommand -f -a %s -d '%s'\n", c->name,
			        summary);
		fish_options(c);
	}
}

int run_completion(struct invocation *invocation, GError **error)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
	const char *wanted = invocation_argument(invocation, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(shells); i++) {
		if (strcmp(shells[i].name, wanted) != 0)
			continue;
		shells[i].print();
		return 0;
	}
	fail(error, ERROR_USAGE, "completion: \"%s\", expected bash, zsh or fish", wanted);
	return 1;
}
