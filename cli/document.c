/* document.c - `posteingang document` (hidden): the parts of manual and sample that stand in the tables.
 *
 * script/man puts them between their marks in docs/; a test compares. So an option that is added, renamed or
 * dropped cannot be missing in the manual, the sample or --help.
 */
#include "cli/commands.h"
#include "cli/sections.h"
#include "core/error.h"

#include <string.h>

/* mdoc: a line must not begin with a dot or apostrophe, a backslash is \e. */
static void mdoc_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			fputs("\\e", stdout);
		else
			putchar(*p);
	}
}

/* One line a sentence, as mdoc wants it. */
static void mdoc_sentences(const char *text)
{
	const char *from = text;
	for (const char *p = text; *p; p++) {
		if (*p != '.' || p[1] != ' ' || !g_ascii_isupper(p[2]))
			continue;
		g_autofree char *sentence = g_strndup(from, (gsize)(p + 1 - from));
		mdoc_text(sentence);
		putchar('\n');
		from = p + 2;
	}
	mdoc_text(from);
	putchar('\n');
}

/* A word for a macro line: what mdoc would take for punctuation or a macro is protected. */
static char *mdoc_word(const char *text)
{
	return g_strdup_printf("\\&%s", text);
}

static void mdoc_command_option(const struct command_option *option)
{
	printf(".It Fl Fl %s", option->name);
	if (option->value) {
		g_autofree char *word = mdoc_word(option->value);
		printf(" Ar %s", word);
	}
	putchar('\n');
	mdoc_sentences(option->help);
}

static void mdoc_command(const struct command *command)
{
	g_autoptr(GPtrArray) all = command_options(command);
	printf(".Ss %s\n.Nm\n.Cm %s", command->name, command->name);
	if (all->len > 1)
		printf("\n.Op Ar options");
	if (*command->arguments) {
		g_autofree char *word = mdoc_word(command->arguments);
		printf("\n.Ar %s", word);
	}
	printf("\n.Pp\n%s.\n", command->summary);
	if (command->details)
		mdoc_sentences(command->details);
	if (all->len <= 1)
		return;
	printf(".Bl -tag -width Ds\n");
	for (guint i = 0; i + 1 < all->len; i++) /* the last is --help */
		mdoc_command_option(all->pdata[i]);
	printf(".El\n");
}

static void print_commands(void)
{
	for (const struct command *c = commands; c->name; c++)
		if (!c->hidden)
			mdoc_command(c);
}

static void mdoc_option(const struct option *option)
{
	g_autofree char *type = option_describe(option);
	printf(".It Cm %s", option->name);
	if (option->type == OPTION_SECRET)
		printf("_file , Cm %s_env", option->name);
	printf("\n(");
	mdoc_text(type);
	printf(")\n");
	mdoc_sentences(option->help);
}

static void mdoc_section(const struct section *section)
{
	printf(".Ss %s", *section->path ? section->path : "Top level");
	if (section->type)
		printf(" (type: %s)", section->type);
	putchar('\n');
	if (section->summary) {
		g_autofree char *text = g_strconcat(
		        section->summary, g_str_has_suffix(section->summary, ".") ? "" : ".", NULL);
		mdoc_sentences(text);
	}
	if (!section->options || !section->options->name)
		return;
	printf(".Bl -tag -width Ds\n");
	for (const struct option *o = section->options; o->name; o++)
		mdoc_option(o);
	printf(".El\n");
}

static void print_options(void)
{
	g_autoptr(GPtrArray) list = sections_list();
	for (guint i = 0; i < list->len; i++)
		mdoc_section(list->pdata[i]);
}

static void wrap_comment(const char *text, int indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	int column = 0;
	for (char **word = words; *word; word++) {
		int length = (int)g_utf8_strlen(*word, -1);
		if (column && column + 1 + length > 96) {
			putchar('\n');
			column = 0;
		}
		if (column)
			column += printf(" %s", *word);
		else
			column = printf("#%*s# %s", indent, "", *word);
	}
	putchar('\n');
}

static const char *sample_value(const struct option *option)
{
	if (option->fallback)
		return *option->fallback ? option->fallback : "\"\"";
	switch (option->type) {
	case OPTION_URL:
		return "https://service.example/";
	case OPTION_PATH:
		return "PATH";
	case OPTION_DATE:
		return "2025-01-01";
	case OPTION_POINTER:
		return "/field";
	case OPTION_LIST:
		return "[ONE, OTHER]";
	case OPTION_BOOL:
		return "false";
	case OPTION_ENUM:
		return option->words[0];
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return "0";
	case OPTION_STRING:
	case OPTION_SECRET:
	case OPTION_GROUP:
		break;
	}
	return "TEXT";
}

static void sample_option(const struct option *option, int indent)
{
	if (option->type == OPTION_GROUP)
		return;
	g_autofree char *type = option_describe(option);
	g_autofree char *comment = g_strdup_printf("%s (%s)", option->help, type);
	wrap_comment(comment, indent);
	if (option->type == OPTION_SECRET)
		printf("#%*s%s_file: PATH   # or %s_env: VARIABLE\n", indent, "", option->name, option->name);
	else
		printf("#%*s%s: %s\n", indent, "", option->name, sample_value(option));
}

/* "sources.NAME" opens `sources:` and, below it, `NAME:`; what the section before has opened is not repeated.
 */
static int sample_path(const char *path, const char *before)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", -1);
	g_auto(GStrv) old = g_strsplit(before, ".", -1);
	int indent = 1;
	bool same = true;
	for (int i = 0; parts[i] && *path; i++, indent += 2) {
		same = same && old[i] && strcmp(old[i], parts[i]) == 0;
		if (!same || !parts[i + 1])
			printf("#%*s%s:\n", indent, "", parts[i]);
	}
	return indent;
}

static void print_sample(void)
{
	g_autoptr(GPtrArray) list = sections_list();
	const char *before = "";
	for (guint i = 0; i < list->len; i++) {
		const struct section *section = list->pdata[i];
		puts("#");
		int indent = sample_path(section->path, before);
		if (section->summary)
			wrap_comment(section->summary, indent);
		if (section->type)
			printf("#%*stype: %s\n", indent, "", section->type);
		for (const struct option *o = section->options; o && o->name; o++)
			sample_option(o, indent);
		before = section->path;
	}
}

int run_document(struct invocation *invocation, GError **error)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} parts[] = {{"commands", print_commands}, {"options", print_options}, {"sample", print_sample}};
	const char *wanted = invocation_argument(invocation, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (strcmp(parts[i].name, wanted) != 0)
			continue;
		parts[i].print();
		return 0;
	}
	fail(error, ERROR_USAGE, "document: \"%s\", expected commands, options or sample", wanted);
	return 1;
}
