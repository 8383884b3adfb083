/* suggest.c - counts words and pairs per concern over labelled messages and weighs them against today's
 * errors. */
#include "classifiers/suggest.h"
#include "classifiers/analyse_internal.h"
#include "classifiers/evaluate.h"

#include <string.h>

#define MIN_MESSAGES 3
#define MAX_CONCERNS 32

/* Messages a word or pair stands in. */
struct candidate {
	unsigned with[MAX_CONCERNS], missed[MAX_CONCERNS], all;
	unsigned right_without[MAX_CONCERNS]; /* without the concern, and right today */
	guint last;                           /* message counted last + 1 */
};

void suggestion_free(void *data)
{
	struct suggestion *suggestion = data;
	g_free(suggestion->concern);
	g_free(suggestion->term);
	g_free(suggestion);
}

static void count_candidate(GHashTable *candidates, const char *text, guint message,
        const struct outcome *outcome, guint concerns)
{
	struct candidate *candidate = g_hash_table_lookup(candidates, text);
	if (!candidate) {
		candidate = g_new0(struct candidate, 1);
		g_hash_table_insert(candidates, g_strdup(text), candidate);
	}
	if (candidate->last == message + 1)
		return;
	candidate->last = message + 1;
	candidate->all++;
	for (guint c = 0; c < concerns; c++) {
		bool truth = outcome->truth >> c & 1, found = outcome->found >> c & 1;
		candidate->with[c] += truth;
		candidate->missed[c] += truth && !found;
		candidate->right_without[c] += !truth && !found && !(outcome->optional >> c & 1);
	}
}

static void count_message(GHashTable *candidates, const struct prepared *prepared, guint message,
        const struct outcome *outcome, guint concerns)
{
	for (guint s = 0; s < prepared->sentences->len; s++) {
		const struct sentence *sentence = prepared_sentence(prepared, s);
		for (uint32_t i = 0; i < sentence->count; i++) {
			const struct token *a = prepared_token(prepared, sentence->first + i);
			if (a->cue)
				continue;
			g_autofree char *word =
			        g_strndup(prepared->stream->str + a->stream, a->stream_length);
			if (a->stream_length > 3)
				count_candidate(candidates, word, message, outcome, concerns);
			const struct token *b = i + 1 < sentence->count ? a + 1 : NULL;
			if (!b || b->cue)
				continue;
			g_autofree char *pair = g_strdup_printf(
			        "%s %.*s", word, b->stream_length, prepared->stream->str + b->stream);
			count_candidate(candidates, pair, message, outcome, concerns);
		}
	}
}

/* Ten times the binary logarithm of the odds against the base rate, in integers. */
static int log_odds(unsigned with, unsigned all, unsigned concern, unsigned messages)
{
	uint64_t a = (uint64_t)(2 * with + 1) * messages * 16, b = (uint64_t)(2 * all + 2) * MAX(concern, 1u);
	int bits = 0;
	for (uint64_t ratio = a / MAX(b, 1u); ratio > 1; ratio >>= 1)
		bits++;
	return CLAMP((bits - 4) * 10, 0, 60);
}

static int by_gain(const void *a, const void *b)
{
	const struct suggestion *x = *(struct suggestion *const *)a, *y = *(struct suggestion *const *)b;
	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return strcmp(x->term, y->term);
}

static GPtrArray *suggest_concern(
        GHashTable *candidates, guint concern, const char *id, unsigned labelled, unsigned messages)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(suggestion_free);
	GHashTableIter iter;
	gpointer key, value;
	g_hash_table_iter_init(&iter, candidates);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct candidate *c = value;
		int gain = (int)c->missed[concern] - (int)c->right_without[concern];
		if (c->with[concern] < MIN_MESSAGES || gain <= 0)
			continue;
		struct suggestion *suggestion = g_new0(struct suggestion, 1);
		*suggestion = (struct suggestion){g_strdup(id), g_strdup(key), c->with[concern],
		        c->all - c->with[concern], c->missed[concern], gain,
		        log_odds(c->with[concern], c->all, labelled, messages)};
		g_ptr_array_add(found, suggestion);
	}
	g_ptr_array_sort(found, by_gain);
	return found;
}

GPtrArray *suggest_run(const struct bundle *bundle, const struct labels *labels, unsigned max, GError **error)
{
	struct evaluate_options options = {0};
	AUTO(evaluation) today = evaluate_run(bundle, labels, &options, error);
	if (!today)
		return NULL;
	g_autoptr(GHashTable) candidates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	guint concerns = MIN(today->catalogue->concerns->len, MAX_CONCERNS);
	unsigned labelled[MAX_CONCERNS] = {0};
	struct prepared prepared;
	prepared_init(&prepared);
	for (guint i = 0; i < today->outcomes->len; i++) {
		const struct outcome *outcome = g_ptr_array_index(today->outcomes, i);
		prepare_message(&prepared, outcome->labelled->message);
		count_message(candidates, &prepared, i, outcome, concerns);
		for (guint c = 0; c < concerns; c++)
			labelled[c] += outcome->truth >> c & 1;
	}
	prepared_clear(&prepared);
	GPtrArray *all = g_ptr_array_new_with_free_func(suggestion_free);
	for (guint c = 0; c < concerns; c++) {
		g_autoptr(GPtrArray) found = suggest_concern(candidates, c,
		        catalogue_get(today->catalogue, (int)c)->id, labelled[c], today->outcomes->len);
		while (found->len > max)
			g_ptr_array_remove_index(found, found->len - 1);
		while (found->len)
			g_ptr_array_add(all, g_ptr_array_steal_index(found, 0));
	}
	return all;
}
