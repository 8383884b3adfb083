/* The boundary tables in tables/ (see its README), line by line. */
#include "rules_support.h"
#include "classifiers/rules_internal.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#define TABLES SOURCE_DIR "/tests/unit/classifiers/tables"

struct table {
	char name[64];
};

struct state {
	char *prefix;
	struct rules *own; /* of a changed bundle, or NULL */
};

static void free_params(struct criterion_test_params *params)
{
	cr_free(params->params);
}

ParameterizedTestParameters(rules_tables, every_line_is_decided_as_written)
{
	g_autoptr(GDir) dir = g_dir_open(TABLES, 0, NULL);
	struct table *tables = cr_malloc(64 * sizeof *tables);
	size_t count = 0;
	const char *name;
	while (dir && (name = g_dir_read_name(dir)) != NULL && count < 64)
		if (g_str_has_suffix(name, ".txt"))
			g_strlcpy(tables[count++].name, name, sizeof tables[0].name);
	return cr_make_param_array(struct table, tables, count, free_params);
}

static void change_bundle(struct state *state, const char *words)
{
	rules_free(state->own);
	state->own = NULL;
	if (!*words)
		return;
	g_auto(GStrv) parts = g_strsplit(words, " ~ ", 3);
	g_autofree char *from = g_strcompress(parts[1]), *to = g_strcompress(parts[2]);
	AUTO(bundle) bundle = shipped_bundle_with(parts[0], from, to);
	AUTO(diag) diag = diag_new();
	state->own = rules_read(bundle, diag);
	if (!state->own)
		diag_print(diag, stderr);
	cr_assert_not_null(state->own, "%s", words);
}

/* "actions ## cites" */
static char *decide_line(const struct state *state, const char *input)
{
	const struct rules *rules = state->own ? state->own : shipped_rules();
	g_autofree char *words = g_strdup_printf("%s %s", state->prefix ? state->prefix : "", input);
	AUTO(rule_input) item = input_of(words);
	AUTO(decision) decision = rules_decide(rules, item);
	g_autofree char *actions = decision_in_short(decision), *cites = decision_cites(decision);
	return g_strdup_printf("[%s %s %s %s] %s ## %s", decision->ruleset,
	        rechtskreis_name(decision->rechtskreis), relevance_name(decision->payment_relevant),
	        decision->contact_code, actions, cites);
}

static bool directive(struct state *state, const char *line)
{
	if (!*line || *line == '#')
		return true;
	if (g_str_has_prefix(line, "with:")) {
		g_free(state->prefix);
		state->prefix = g_strdup(line + 5);
		return true;
	}
	if (!g_str_has_prefix(line, "change:"))
		return false;
	change_bundle(state, line[7] ? line + 8 : "");
	return true;
}

/* Returns the line as it should stand; counts those that do not. */
static char *check_line(struct state *state, const char *line, const char *file, unsigned *wrong)
{
	if (directive(state, line))
		return g_strdup(line);
	g_auto(GStrv) parts = g_strsplit(line, " => ", 2);
	g_autofree char *got = decide_line(state, parts[0]);
	if (g_strcmp0(parts[1], got) != 0) {
		(*wrong)++;
		fprintf(stderr, "%s: %s\n  expected %s\n  got      %s\n", file, parts[0],
		        parts[1] ? parts[1] : "-", got);
	}
	return g_strdup_printf("%s => %s", parts[0], got);
}

ParameterizedTest(struct table *table, rules_tables, every_line_is_decided_as_written)
{
	g_autofree char *path = g_build_filename(TABLES, table->name, NULL);
	g_autofree char *text = NULL;
	struct state state = {0};
	unsigned wrong = 0;
	bool update = g_getenv("POSTEINGANG_UPDATE_TABLES") != NULL;
	cr_assert(g_file_get_contents(path, &text, NULL, NULL));
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *right = check_line(&state, *line, table->name, &wrong);
		g_string_append_printf(out, "%s%s", line == lines ? "" : "\n", right);
	}
	g_free(state.prefix);
	rules_free(state.own);
	if (update)
		g_file_set_contents(path, out->str, -1, NULL);
	else
		cr_assert_eq(wrong, 0, "%s: %u lines", table->name, wrong);
}
