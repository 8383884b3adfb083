/* terms_tool.c - shows hits where they stand, runs the tests beside the terms, counts use. */
#include "classifiers/terms_tool.h"
#include "classifiers/analyse_internal.h"
#include "classifiers/terms_internal.h"
#include "config/yaml.h"
#include "core/error.h"

#include <string.h>

static struct message *message_of(const char *text)
{
	struct message *message = message_new();
	message->channel = CHANNEL_POSTBOX;
	message->received = berlin_instant(day_from_civil(2024, 1, 15), 12);
	message->text = g_strdup(text);
	message->reply_text = g_strdup(text);
	return message;
}

static struct analyser *load(const struct bundle *bundle, GError **error)
{
	AUTO(diag) diag = diag_new();
	struct analyser *analyser = analyser_load(bundle, diag);
	if (!analyser)
		diag_ok(diag, error);
	return analyser;
}

static void print_hit(const struct analyser *analyser, const struct prepared *prepared, const struct hit *hit,
        const char *text, FILE *out)
{
	struct place place = prepared_place(prepared, hit->first, hit->last);
	unsigned class = hit->target - CUE_COUNT;
	const char *kind = hit->target < CUE_COUNT                  ? "cue"
	                   : class < terms_classes(analyser->terms) ? "class"
	                                                            : "term";
	const char *name = hit->target < CUE_COUNT ? cue_name((enum cue_kind)hit->target)
	                   : class < terms_classes(analyser->terms)
	                           ? terms_class_name(analyser->terms, class)
	                           : terms_get(analyser->terms, class - terms_classes(analyser->terms))->id;
	const char *pattern =
	        hit->pattern == UINT32_MAX ? "" : terms_pattern_text(analyser->terms, hit->pattern);
	fprintf(out, "  %5u %4u  %-5s %-24s %-28s \"%.*s\"\n", place.offset, place.length, kind, name,
	        pattern, (int)place.length, text + place.offset);
}

static void print_sentence(const struct analyser *analyser, const struct analyser_scratch *scratch,
        uint32_t index, const char *text, FILE *out)
{
	fprintf(out, "sentence %u:", index + 1);
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (speech_acts(&scratch->speech, index) & 1u << act)
			fprintf(out, " %s", act_name((enum act)act));
	fputc('\n', out);
	for (guint i = 0; i < scratch->matches.hits->len; i++) {
		const struct hit *hit = &g_array_index(scratch->matches.hits, struct hit, i);
		if (hit->sentence == index)
			print_hit(analyser, &scratch->prepared, hit, text, out);
	}
	for (guint i = 0; i < scratch->matches.terms->len; i++) {
		const struct term_hit *hit = &g_array_index(scratch->matches.terms, struct term_hit, i);
		const struct term *term = terms_get(analyser->terms, hit->term);
		if (hit->sentence == index)
			fprintf(out, "  fires %s (%+d)\n", term->name, term->weight);
	}
}

bool terms_test_print(const struct bundle *bundle, const char *text, FILE *out, GError **error)
{
	AUTO(analyser) analyser = load(bundle, error);
	if (!analyser)
		return false;
	AUTO(analyser_scratch) scratch = analyser_scratch_new(analyser);
	AUTO(message) message = message_of(text);
	analyse_features(analyser, scratch, message);
	fprintf(out, "  %5s %4s  %-5s %-24s %-28s\n", "at", "len", "kind", "name", "pattern");
	for (uint32_t i = 0; i < scratch->prepared.sentences->len; i++)
		print_sentence(analyser, scratch, i, text, out);
	AUTO(findings) findings = analyse(analyser, scratch, message);
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = g_ptr_array_index(findings->concerns, i);
		fprintf(out, "found %s (%d)\n", finding->concern, finding->score);
	}
	if (findings->doubt)
		fprintf(out, "doubt: %s\n", findings->doubt_reason);
	return true;
}

static void note_terms(const struct term_matches *matches, bool *covered)
{
	for (guint i = 0; i < matches->terms->len; i++)
		covered[g_array_index(matches->terms, struct term_hit, i).term] = true;
}

static bool as_expected(const struct findings *findings, const GPtrArray *expected)
{
	bool same = findings->concerns->len == expected->len;
	for (guint i = 0; i < expected->len; i++)
		same = same && findings_find(findings, g_ptr_array_index(expected, i));
	return same;
}

static void run_test(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct yaml_node *node, struct diag *diag, struct terms_tests *out, bool *covered)
{
	static const char *const known[] = {"text", "expect", NULL};
	if (!yaml_expect(node, YAML_MAP, diag))
		return;
	yaml_check_keys(node, known, diag);
	const char *text = yaml_required(node, "text", diag);
	g_autoptr(GPtrArray) expected = yaml_strings(node, "expect", diag);
	if (!text)
		return;
	AUTO(message) message = message_of(text);
	AUTO(findings) findings = analyse(analyser, scratch, message);
	note_terms(&scratch->matches, covered);
	out->tests++;
	if (as_expected(findings, expected))
		return;
	out->failed++;
	g_autoptr(GString) found = g_string_new(NULL);
	for (guint i = 0; i < findings->concerns->len; i++)
		g_string_append_printf(found, "%s%s", i ? ", " : "",
		        ((const struct finding *)g_ptr_array_index(findings->concerns, i))->concern);
	yaml_error(diag, node, "the test fails: found %s%s", found->len ? found->str : "nothing",
	        findings->doubt ? " (in doubt)" : "");
}

static void run_file(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct bundle *bundle, const char *path, struct diag *diag, struct terms_tests *out,
        bool *covered)
{
	AUTO(yaml_file) yaml = yaml_load(bundle_file_name(bundle, path), bundle_get(bundle, path), diag);
	const struct yaml_node *tests = yaml ? yaml_get(yaml_root(yaml), "tests") : NULL;
	if (!tests || !yaml_expect(tests, YAML_LIST, diag))
		return;
	for (guint i = 0; i < tests->children->len; i++)
		run_test(analyser, scratch, g_ptr_array_index(tests->children, i), diag, out, covered);
}

void terms_tests_run(const struct bundle *bundle, struct diag *diag, struct terms_tests *out)
{
	*out = (struct terms_tests){0};
	AUTO(analyser) analyser = analyser_load(bundle, diag);
	if (!analyser)
		return;
	AUTO(analyser_scratch) scratch = analyser_scratch_new(analyser);
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "classifiers/terms_", ".yaml");
	out->terms = terms_count(analyser->terms);
	g_autofree bool *covered = g_new0(bool, out->terms + 1);
	for (guint i = 0; i < paths->len; i++)
		run_file(analyser, scratch, bundle, g_ptr_array_index(paths, i), diag, out, covered);
	for (unsigned i = 0; i < out->terms; i++) {
		const struct term *term = terms_get(analyser->terms, i);
		out->covered += covered[i];
		if (!covered[i])
			diag_add(diag, SEVERITY_NOTE, term->file, term->line, term->column,
			        "no test reaches %s", term->name);
	}
}

struct use {
	unsigned index; /* of the term */
	unsigned messages, hits;
};

struct terms_usage {
	struct analyser *analyser;
	struct analyser_scratch *scratch;
	struct use *terms, *patterns;
	unsigned messages;
	unsigned *seen; /* per pattern: message + 1 it was seen in last */
};

struct terms_usage *terms_usage_new(const struct bundle *bundle, GError **error)
{
	struct analyser *analyser = load(bundle, error);
	if (!analyser)
		return NULL;
	struct terms_usage *usage = g_new0(struct terms_usage, 1);
	usage->analyser = analyser;
	usage->scratch = analyser_scratch_new(analyser);
	usage->terms = g_new0(struct use, terms_count(analyser->terms) + 1);
	usage->patterns = g_new0(struct use, terms_patterns(analyser->terms) + 1);
	usage->seen = g_new0(unsigned, terms_patterns(analyser->terms) + 1);
	for (unsigned i = 0; i < terms_count(analyser->terms); i++)
		usage->terms[i].index = i;
	for (unsigned i = 0; i < terms_patterns(analyser->terms); i++)
		usage->patterns[i].index = i;
	return usage;
}

void terms_usage_free(struct terms_usage *usage)
{
	if (!usage)
		return;
	analyser_scratch_free(usage->scratch);
	analyser_free(usage->analyser);
	g_free(usage->terms);
	g_free(usage->patterns);
	g_free(usage->seen);
	g_free(usage);
}

void terms_usage_add(struct terms_usage *usage, const struct message *message)
{
	analyse_features(usage->analyser, usage->scratch, message);
	usage->messages++;
	const struct term_matches *matches = &usage->scratch->matches;
	g_autoptr(GHashTable) terms = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < matches->terms->len; i++) {
		unsigned term = g_array_index(matches->terms, struct term_hit, i).term;
		usage->terms[term].hits++;
		usage->terms[term].messages += g_hash_table_add(terms, GUINT_TO_POINTER(term + 1)) ? 1u : 0u;
	}
	for (guint i = 0; i < matches->hits->len; i++) {
		uint32_t pattern = g_array_index(matches->hits, struct hit, i).pattern;
		if (pattern == UINT32_MAX)
			continue;
		usage->patterns[pattern].hits++;
		usage->patterns[pattern].messages += usage->seen[pattern] != usage->messages;
		usage->seen[pattern] = usage->messages;
	}
}

static int by_use(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	if (x->messages != y->messages)
		return x->messages > y->messages ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

void terms_usage_print_hot(const struct terms_usage *usage, unsigned max, FILE *out)
{
	unsigned n = terms_count(usage->analyser->terms);
	g_autofree struct use *sorted = g_memdup2(usage->terms, n * sizeof *sorted);
	if (n)
		qsort(sorted, n, sizeof *sorted, by_use);
	fprintf(out, "%-44s %9s %9s  of %u messages\n", "term", "messages", "hits", usage->messages);
	for (unsigned i = 0; i < MIN(n, max) && sorted[i].messages; i++)
		fprintf(out, "%-44s %9u %9u\n", terms_get(usage->analyser->terms, sorted[i].index)->name,
		        sorted[i].messages, sorted[i].hits);
}

void terms_usage_print_unused(const struct terms_usage *usage, FILE *out)
{
	for (unsigned i = 0; i < terms_count(usage->analyser->terms); i++) {
		const struct term *term = terms_get(usage->analyser->terms, i);
		if (!usage->terms[i].hits)
			fprintf(out, "%s:%d: %s\n", term->file, term->line, term->name);
	}
	for (unsigned i = 0; i < terms_patterns(usage->analyser->terms); i++)
		if (!usage->patterns[i].hits)
			fprintf(out, "pattern \"%s\"\n", terms_pattern_text(usage->analyser->terms, i));
}
