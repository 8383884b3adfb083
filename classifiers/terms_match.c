/* terms_match.c - one scan over the word stream, then the conditions of terms over the hits. */
#include "classifiers/terms_internal.h"

#include <stdlib.h>
#include <string.h>

struct terms_scratch {
	hs_scratch_t *hs;
	GArray *found;   /* of struct hit, as the matcher tells them */
	GArray *begins;  /* uint32_t per token: where its hits begin while they are sorted */
	uint32_t *fired; /* per term: sentence + 1 it fired in last */
};

struct terms_scratch *terms_scratch_new(const struct terms *terms)
{
	struct terms_scratch *scratch = g_new0(struct terms_scratch, 1);
	scratch->found = g_array_new(FALSE, FALSE, sizeof(struct hit));
	scratch->begins = g_array_new(FALSE, TRUE, sizeof(uint32_t));
	scratch->fired = g_new0(uint32_t, terms->terms->len + 1);
	if (terms->database && hs_alloc_scratch(terms->database, &scratch->hs) != HS_SUCCESS)
		g_error("out of memory for matching terms");
	return scratch;
}

void terms_scratch_free(struct terms_scratch *scratch)
{
	if (!scratch)
		return;
	hs_free_scratch(scratch->hs);
	g_array_unref(scratch->found);
	g_array_unref(scratch->begins);
	g_free(scratch->fired);
	g_free(scratch);
}

void term_matches_init(struct term_matches *matches)
{
	matches->hits = g_array_new(FALSE, FALSE, sizeof(struct hit));
	matches->terms = g_array_new(FALSE, FALSE, sizeof(struct term_hit));
}

void term_matches_clear(struct term_matches *matches)
{
	if (matches->hits)
		g_array_unref(matches->hits);
	if (matches->terms)
		g_array_unref(matches->terms);
	*matches = (struct term_matches){0};
}

guint term_matches_hits_from(const struct term_matches *matches, uint32_t sentence)
{
	guint low = 0, high = matches->hits->len;
	while (low < high) {
		guint middle = (low + high) / 2;
		if (g_array_index(matches->hits, struct hit, middle).sentence < sentence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

guint term_matches_terms_from(const struct term_matches *matches, uint32_t sentence)
{
	guint at = 0;
	while (at < matches->terms->len &&
	        g_array_index(matches->terms, struct term_hit, at).sentence < sentence)
		at++;
	return at;
}

struct scan {
	const struct terms *terms;
	const struct prepared *prepared;
	GArray *hits;
	uint32_t token; /* of the last hit: the next is not far */
};

static int on_match(
        unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)from;
	(void)flags;
	struct scan *scan = context;
	const struct pattern_shape shape = scan->terms->shapes[id];
	if (to < 2u + shape.blank_end || scan->hits->len >= TERMS_MAX_HITS)
		return scan->hits->len >= TERMS_MAX_HITS;
	uint32_t last = prepared_token_at(scan->prepared, to - 1 - shape.blank_end, scan->token);
	if (last + 1u < shape.words || last >= scan->prepared->tokens->len)
		return 0;
	scan->token = last;
	struct hit hit = {
	        .first = last + 1u - shape.words, .last = last, .target = shape.target, .pattern = id};
	g_array_append_val(scan->hits, hit);
	return 0;
}

static void add_cues(const struct prepared *prepared, GArray *hits)
{
	for (uint32_t i = 0; i < prepared->tokens->len; i++) {
		uint16_t cue = prepared_token(prepared, i)->cue;
		struct hit hit = {.first = i, .last = i, .target = cue, .pattern = UINT32_MAX};
		if (cue)
			g_array_append_val(hits, hit);
	}
}

/* Order of hits that begin at one token. */
static bool stands_before(const struct hit *x, const struct hit *y)
{
	if (x->target != y->target)
		return x->target < y->target;
	if (x->last != y->last)
		return x->last > y->last; /* the longest first */
	return x->pattern < y->pattern;
}

static int by_place(const void *a, const void *b)
{
	return stands_before(a, b) ? -1 : stands_before(b, a);
}

/* Hits of one token. */
static void sort_place(struct hit *hits, guint n)
{
	enum { FEW = 32 };
	if (n > FEW) {
		qsort(hits, n, sizeof *hits, by_place);
		return;
	}
	for (guint i = 1; i < n; i++) {
		struct hit hit = hits[i];
		guint at = i;
		for (; at > 0 && stands_before(&hit, &hits[at - 1]); at--)
			hits[at] = hits[at - 1];
		hits[at] = hit;
	}
}

static void sort_places(struct hit *hits, guint n)
{
	for (guint begin = 0, end; begin < n; begin = end) {
		for (end = begin + 1; end < n && hits[end].first == hits[begin].first;)
			end++;
		sort_place(hits + begin, end - begin);
	}
}

/* By first token, by counting; then by stands_before(). */
static void sort_hits(struct terms_scratch *scratch, uint32_t tokens, GArray *out)
{
	const struct hit *found = (const struct hit *)(const void *)scratch->found->data;
	guint n = scratch->found->len;
	g_array_set_size(out, n);
	g_array_set_size(scratch->begins, 0);
	g_array_set_size(scratch->begins, tokens + 1);
	struct hit *sorted = (struct hit *)(void *)out->data;
	uint32_t *begins = (uint32_t *)(void *)scratch->begins->data;
	for (guint i = 0; i < n; i++)
		begins[found[i].first + 1]++;
	for (uint32_t t = 0; t < tokens; t++)
		begins[t + 1] += begins[t];
	for (guint i = 0; i < n; i++)
		sorted[begins[found[i].first]++] = found[i];
	sort_places(sorted, n);
}

/* One hit per place and target (the longest), each with its sentence. */
static void settle_hits(const struct prepared *prepared, GArray *hits)
{
	uint32_t kept = 0, sentence = 0;
	struct hit *all = (struct hit *)(void *)hits->data;
	for (uint32_t i = 0; i < hits->len; i++) {
		if (kept && all[kept - 1].first == all[i].first && all[kept - 1].target == all[i].target)
			continue;
		while (sentence + 1 < prepared->sentences->len &&
		        prepared_sentence(prepared, sentence + 1)->first <= all[i].first)
			sentence++;
		all[kept] = all[i];
		all[kept++].sentence = sentence;
	}
	g_array_set_size(hits, kept);
}

/* Which hits lie in one sentence. */
struct range {
	const struct hit *hits;
	uint32_t count;
};

static const struct hit *find_target(struct range range, target_id target)
{
	for (uint32_t i = 0; i < range.count; i++)
		if (range.hits[i].target == target)
			return &range.hits[i];
	return NULL;
}

static bool holds_all(struct range range, const GArray *targets)
{
	for (guint i = 0; i < targets->len; i++)
		if (!find_target(range, g_array_index(targets, target_id, i)))
			return false;
	return true;
}

static bool holds_any(struct range range, const GArray *targets)
{
	for (guint i = 0; i < targets->len; i++)
		if (find_target(range, g_array_index(targets, target_id, i)))
			return true;
	return false;
}

static bool is_one_of(target_id target, const GArray *targets)
{
	for (guint i = 0; i < targets->len; i++)
		if (g_array_index(targets, target_id, i) == target)
			return true;
	return false;
}

static bool has_near(struct range range, const struct hit *hit, const struct term *term)
{
	if (term->near->len == 0)
		return true;
	for (uint32_t i = 0; i < range.count; i++) {
		const struct hit *other = &range.hits[i];
		uint32_t gap = other->first > hit->last   ? other->first - hit->last - 1
		               : hit->first > other->last ? hit->first - other->last - 1
		                                          : 0;
		bool apart = other->first > hit->last || hit->first > other->last;
		if (apart && gap <= (uint32_t)term->within && is_one_of(other->target, term->near))
			return true;
	}
	return false;
}

static void try_terms(const struct terms *terms, struct terms_scratch *scratch, const struct hit *hit,
        struct range range, GArray *out)
{
	const GArray *candidates = g_ptr_array_index(terms->by_target, hit->target);
	for (guint i = 0; candidates && i < candidates->len; i++) {
		unsigned index = g_array_index(candidates, unsigned, i);
		const struct term *term = &g_array_index(terms->terms, struct term, index);
		if (scratch->fired[index] == hit->sentence + 1 || !has_near(range, hit, term) ||
		        !holds_all(range, term->requires) || holds_any(range, term->excludes))
			continue;
		scratch->fired[index] = hit->sentence + 1;
		struct term_hit found = {index, hit->first, hit->last, hit->sentence};
		g_array_append_val(out, found);
	}
}

static int by_term(const void *a, const void *b)
{
	const struct term_hit *x = a, *y = b;
	if (x->sentence != y->sentence)
		return x->sentence < y->sentence ? -1 : 1;
	return x->term < y->term ? -1 : x->term > y->term;
}

static void match_terms(const struct terms *terms, struct terms_scratch *scratch, struct term_matches *out)
{
	memset(scratch->fired, 0, (terms->terms->len + 1) * sizeof *scratch->fired);
	const struct hit *all = (const struct hit *)(const void *)out->hits->data;
	for (uint32_t begin = 0; begin < out->hits->len;) {
		uint32_t end = begin;
		while (end < out->hits->len && all[end].sentence == all[begin].sentence)
			end++;
		for (uint32_t i = begin; i < end; i++)
			try_terms(terms, scratch, &all[i], (struct range){all + begin, end - begin},
			        out->terms);
		begin = end;
	}
	g_array_sort(out->terms, by_term);
}

void terms_match(const struct terms *terms, struct terms_scratch *scratch, const struct prepared *prepared,
        struct term_matches *out)
{
	g_array_set_size(scratch->found, 0);
	g_array_set_size(out->terms, 0);
	struct scan scan = {terms, prepared, scratch->found, 0};
	if (terms->database && prepared->tokens->len)
		hs_scan(terms->database, prepared->stream->str, (unsigned)prepared->stream->len, 0,
		        scratch->hs, on_match, &scan);
	add_cues(prepared, scratch->found);
	sort_hits(scratch, prepared->tokens->len, out->hits);
	settle_hits(prepared, out->hits);
	match_terms(terms, scratch, out);
}
