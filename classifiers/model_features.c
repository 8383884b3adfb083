/* model_features.c - hashes features; each kind has its own salt, so that kinds never meet. */
#include "classifiers/model_features.h"

#include <string.h>

#define CLASS_WEIGHT 3  /* a class counts as three words */
#define ORDER_WINDOW 10 /* tokens between two classes in order */
#define PIECE        5  /* letters of a piece */
#define MAX_TARGETS  48 /* distinct classes of one sentence that are paired */

static const char *const kind_names[FEATURE_KINDS] = {
        "word", "word", "words", "piece", "class", "class", "act", "class+act", "order", "term"};

const char *feature_kind_name(enum feature_kind kind)
{
	return kind_names[kind];
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = a * 0x9e3779b97f4a7c15u ^ (b + 0x632be59bd9b4e019u);
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	return h ^ h >> 32;
}

struct extractor {
	const struct prepared *prepared;
	const struct terms *terms;
	const struct speech *speech;
	const struct hit *hits; /* of the sentence */
	uint32_t hit_count;
	const struct sentence *sentence;
	uint32_t index;           /* of the sentence */
	struct feature *features; /* room for FEATURES_MAX */
	guint count;
};

static void put(struct extractor *e, enum feature_kind kind, uint64_t value, uint16_t count, uint32_t first,
        uint32_t last)
{
	if (e->count >= FEATURES_MAX)
		return;
	e->features[e->count++] = (struct feature){.hash = (uint32_t)(mix((uint64_t)kind + 1, value) >> 16),
	        .sentence = (uint16_t)e->index,
	        .count = count,
	        .first = first,
	        .last = (uint16_t)(last - first),
	        .kind = (uint16_t)kind};
}

/* Pieces of "^word$". */
static void put_pieces(struct extractor *e, const struct token *token, uint32_t index)
{
	char buffer[80];
	size_t n = MIN((size_t)token->stream_length, sizeof buffer - 2);
	buffer[0] = '^';
	memcpy(buffer + 1, e->prepared->stream->str + token->stream, n);
	buffer[n + 1] = '$';
	for (size_t i = 0; i + PIECE <= n + 2; i++) {
		uint64_t value = 0;
		memcpy(&value, buffer + i, PIECE);
		put(e, FEATURE_PIECE, GUINT64_TO_LE(value), 1, index, index);
	}
}

static void put_words(struct extractor *e)
{
	uint32_t begin = e->sentence->first, end = begin + e->sentence->count;
	uint64_t zone = e->sentence->field == FIELD_SUBJECT ? 1 : 2;
	for (uint32_t i = begin; i < end; i++) {
		const struct token *token = prepared_token(e->prepared, i);
		put(e, FEATURE_WORD, token->hash, 1, i, i);
		put(e, FEATURE_ZONE_WORD, mix(zone, token->hash), 1, i, i);
		if (i + 1 < end)
			put(e, FEATURE_PAIR, mix(token->hash, prepared_token(e->prepared, i + 1)->hash), 1, i,
			        i + 1);
		if (!token->cue)
			put_pieces(e, token, i);
	}
}

/* The stable name of a target. */
static uint64_t target_hash(const struct extractor *e, target_id target)
{
	if (target < CUE_COUNT)
		return mix(7, target);
	return terms_class_hash(e->terms, target - CUE_COUNT);
}

/* Behind the classes stand the terms' own patterns: they have no name of their own. */
static bool has_name(const struct extractor *e, target_id target)
{
	return target < CUE_COUNT + terms_classes(e->terms);
}

static bool is_content(const struct extractor *e, target_id target)
{
	return has_name(e, target) && !speech_is_act(e->speech, target);
}

/* The distinct content targets of the sentence, each with its first place. */
static unsigned distinct(const struct extractor *e, const struct hit *out[MAX_TARGETS])
{
	unsigned n = 0;
	for (uint32_t h = 0; h < e->hit_count && n < MAX_TARGETS; h++) {
		bool known = !is_content(e, e->hits[h].target);
		for (unsigned i = 0; i < n && !known; i++)
			known = out[i]->target == e->hits[h].target;
		if (!known)
			out[n++] = &e->hits[h];
	}
	return n;
}

static void put_class(struct extractor *e, const struct hit *hit, unsigned acts)
{
	uint64_t name = target_hash(e, hit->target);
	uint64_t zone = e->sentence->field == FIELD_SUBJECT ? 1 : 2;
	put(e, FEATURE_CLASS, name, CLASS_WEIGHT, hit->first, hit->last);
	put(e, FEATURE_ZONE_CLASS, mix(zone, name), CLASS_WEIGHT, hit->first, hit->last);
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			put(e, FEATURE_CLASS_ACT, mix(act_hash((enum act)act), name), CLASS_WEIGHT,
			        hit->first, hit->last);
}

static void put_classes(struct extractor *e)
{
	const struct hit *seen[MAX_TARGETS];
	unsigned n = distinct(e, seen), acts = speech_acts(e->speech, e->index);
	uint32_t first = e->sentence->first, last = first + e->sentence->count - 1;
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			put(e, FEATURE_ACT, act_hash((enum act)act), CLASS_WEIGHT, first, last);
	for (unsigned i = 0; i < n; i++)
		put_class(e, seen[i], acts);
}

#define ORDER_SLOTS 2048 /* a power of two */
#define ORDER_MAX   1200 /* ordered pairs of one sentence that count */

/* The pairs of a sentence that were seen. */
struct pair_set {
	uint32_t slot[ORDER_SLOTS];
	unsigned count;
};

/* True if the pair is new and there is room. */
static bool pair_add(struct pair_set *set, target_id a, target_id b)
{
	uint32_t key = (uint32_t)a << 16 | b; /* never 0: b is a cue or class */
	uint32_t at = (key * 2654435761u) >> 21;
	for (; set->slot[at]; at = (at + 1) & (ORDER_SLOTS - 1))
		if (set->slot[at] == key)
			return false;
	if (set->count == ORDER_MAX)
		return false;
	set->slot[at] = key;
	set->count++;
	return true;
}

/* Classes that follow one another within the window, once per ordered pair. */
static void put_order(struct extractor *e)
{
	struct pair_set seen = {{0}, 0};
	for (uint32_t a = 0; a < e->hit_count; a++) {
		const struct hit *x = &e->hits[a];
		if (!has_name(e, x->target))
			continue;
		for (uint32_t b = a + 1; b < e->hit_count && e->hits[b].first <= x->first + ORDER_WINDOW;
		        b++) {
			const struct hit *y = &e->hits[b];
			if (y->first == x->first || y->target == x->target || !has_name(e, y->target) ||
			        !pair_add(&seen, x->target, y->target))
				continue;
			put(e, FEATURE_CLASS_ORDER, mix(target_hash(e, x->target), target_hash(e, y->target)),
			        CLASS_WEIGHT, x->first, MAX(x->last, y->last));
		}
	}
}

static guint put_terms(struct extractor *e, const struct term_matches *matches, guint at)
{
	for (; at < matches->terms->len; at++) {
		const struct term_hit *hit = &g_array_index(matches->terms, struct term_hit, at);
		if (hit->sentence != e->index)
			break;
		put(e, FEATURE_TERM, terms_get(e->terms, hit->term)->feature, CLASS_WEIGHT, hit->first,
		        hit->last);
	}
	return at;
}

void features_extract(const struct prepared *prepared, const struct terms *terms,
        const struct term_matches *matches, const struct speech *speech, GArray *out)
{
	struct extractor e = {.prepared = prepared, .terms = terms, .speech = speech};
	const struct hit *all = (const struct hit *)(const void *)matches->hits->data;
	uint32_t at = 0;
	guint term = 0;
	g_array_set_size(out, FEATURES_MAX);
	e.features = (struct feature *)(void *)out->data;
	for (e.index = 0; e.index < prepared->sentences->len; e.index++) {
		e.sentence = prepared_sentence(prepared, e.index);
		e.hits = all + at;
		uint32_t begin = at;
		while (at < matches->hits->len && all[at].sentence == e.index)
			at++;
		e.hit_count = at - begin;
		put_words(&e);
		put_classes(&e);
		put_order(&e);
		term = put_terms(&e, matches, term);
	}
	g_array_set_size(out, e.count);
}
