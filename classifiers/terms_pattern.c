/* terms_pattern.c - one pattern: from what the admin wrote to an expression over the word stream.
 *
 * The stream puts blanks around words, so "whole word", "starts with", "ends with" and "holds" are plain
 * strings with or without a blank. Only patterns between slashes are regular expressions; each of those is
 * compiled alone first, so that a bad one is named by its own line. */
#include "classifiers/terms_internal.h"
#include "classifiers/fold.h"

#include <string.h>

#define MAX_PATTERN  120
#define MAX_REGEX    400         /* bytes a regular expression may have to match at least */
#define MAX_DATABASE (64 * 1024) /* a regular expression that needs more would blow up */
#define MIN_STEM     3           /* letters beside a star */

void pattern_clear(struct pattern *pattern)
{
	g_free(pattern->text);
	g_free(pattern->expression);
	*pattern = (struct pattern){0};
}

/* One word of a pattern. */
struct piece {
	char word[MAX_PATTERN + 1];
	bool open_left, open_right;
};

static bool add_piece(struct piece *pieces, unsigned *n, const char *bytes, size_t size)
{
	if (*n == PATTERN_MAX_WORDS || size > MAX_PATTERN)
		return false;
	pieces[*n] = (struct piece){0};
	memcpy(pieces[*n].word, bytes, size);
	(*n)++;
	return true;
}

/* The words of one blank-separated part, cues replaced as the tokenizer does. */
static const char *cut_part(const char *folded, bool left, bool right, struct piece *pieces, unsigned *n)
{
	size_t size = strlen(folded);
	unsigned before = *n;
	for (size_t i = 0; i < size;) {
		struct cue cue;
		size_t begin = i;
		if (!fold_is_word(folded[i])) {
			i++;
			continue;
		}
		bool is_cue = cue_at(folded, size, i, 0, &cue);
		if (is_cue && (cue.kind == CUE_NUMBER || cue.kind == CUE_YEAR))
			return "a bare number cannot be part of a term: use #number, #year or a unit";
		if (is_cue)
			i += cue.length;
		while (!is_cue && i < size && fold_is_word(folded[i]))
			i++;
		const char *word = is_cue ? cue_word(cue.kind) : folded + begin;
		if (!add_piece(pieces, n, word, is_cue ? strlen(word) : i - begin))
			return "a term has at most 8 words of at most 120 bytes";
	}
	if (*n > before) {
		pieces[before].open_left = left;
		pieces[*n - 1].open_right = right;
	}
	return NULL;
}

static const char *cut_pattern(const char *text, struct piece *pieces, unsigned *n)
{
	g_auto(GStrv) parts = g_strsplit(text, " ", -1);
	if (!strchr(text, '*')) {
		g_autofree char *folded = fold_string(text);
		return cut_part(folded, false, false, pieces, n);
	}
	for (char **part = parts; *part; part++) {
		size_t size = strlen(*part);
		bool left = size > 1 && **part == '*', right = size > 1 && (*part)[size - 1] == '*';
		g_autofree char *bare = g_strndup(*part + left, size - left - right);
		if (strchr(bare, '*'))
			return "a star stands only at the begin or end of a word";
		g_autofree char *folded = fold_string(bare);
		const char *wrong = cut_part(folded, left, right, pieces, n);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *build_expression(const struct piece *pieces, unsigned n, struct pattern *out)
{
	g_autoptr(GString) expression = g_string_new(NULL);
	for (unsigned i = 0; i < n; i++) {
		const struct piece *piece = &pieces[i];
		bool open = piece->open_left || piece->open_right;
		if (open && strlen(piece->word) < MIN_STEM)
			return "a stem beside a star needs at least 3 letters";
		if (i == 0)
			g_string_append(expression, piece->open_left ? "" : " ");
		else
			g_string_append(expression, piece->open_left ? " [^ \\n]{0,40}" : " ");
		g_string_append(expression, piece->word);
		if (piece->open_right && i + 1 < n)
			g_string_append(expression, "[^ \\n]{0,40}");
	}
	out->blank_end = !pieces[n - 1].open_right;
	if (out->blank_end)
		g_string_append_c(expression, ' ');
	out->words = (uint8_t)n;
	out->expression = g_string_free(g_steal_pointer(&expression), FALSE);
	return NULL;
}

/* Compiles a regular expression alone: its own error, its own size. */
static bool regex_is_fit(const struct yaml_node *node, const char *expression, struct diag *diag)
{
	hs_compile_error_t *wrong = NULL;
	hs_expr_info_t *info = NULL;
	if (hs_expression_info(expression, 0, &info, &wrong) != HS_SUCCESS) {
		yaml_error(diag, node, "the expression cannot be matched in linear time: %s", wrong->message);
		hs_free_compile_error(wrong);
		return false;
	}
	bool empty = info->min_width == 0, wide = info->min_width > MAX_REGEX;
	free(info);
	if (empty) {
		yaml_error(diag, node,
		        "the expression matches nothing at all as well, so it would always match");
		return false;
	}
	if (wide) {
		yaml_error(diag, node,
		        "the expression would blow up the matcher: it needs more than %d bytes of text",
		        MAX_REGEX);
		return false;
	}
	hs_database_t *database = NULL;
	if (hs_compile(expression, 0, HS_MODE_BLOCK, NULL, &database, &wrong) != HS_SUCCESS) {
		yaml_error(diag, node, "the expression cannot be matched in linear time: %s", wrong->message);
		hs_free_compile_error(wrong);
		return false;
	}
	size_t size = 0;
	hs_database_size(database, &size);
	hs_free_database(database);
	if (size > MAX_DATABASE)
		yaml_error(diag, node,
		        "the expression would blow up the matcher (%zu bytes, %d allowed): shorten repeats",
		        size, MAX_DATABASE);
	return size <= MAX_DATABASE;
}

static bool parse_regex(const struct yaml_node *node, struct pattern *out, struct diag *diag)
{
	size_t size = strlen(node->text);
	if (size < 3 || node->text[size - 1] != '/') {
		yaml_error(diag, node, "a regular expression ends with a slash");
		return false;
	}
	g_autofree char *expression = g_strndup(node->text + 1, size - 2);
	if (!regex_is_fit(node, expression, diag))
		return false;
	*out = (struct pattern){.text = g_strdup(node->text),
	        .expression = g_steal_pointer(&expression),
	        .regex = true,
	        .words = 1};
	return true;
}

bool pattern_parse(const struct yaml_node *node, struct pattern *out, struct diag *diag)
{
	if (node->text[0] == '/')
		return parse_regex(node, out, diag);
	struct piece pieces[PATTERN_MAX_WORDS];
	unsigned n = 0;
	struct pattern pattern = {0};
	const char *wrong = strlen(node->text) > MAX_PATTERN ? "a term has at most 120 bytes" : NULL;
	if (!wrong)
		wrong = cut_pattern(node->text, pieces, &n);
	if (!wrong && n == 0)
		wrong = "a term needs at least one letter";
	if (!wrong)
		wrong = build_expression(pieces, n, &pattern);
	if (wrong) {
		yaml_error(diag, node, "\"%s\": %s", node->text, wrong);
		return false;
	}
	pattern.text = g_strdup(node->text);
	*out = pattern;
	return true;
}
