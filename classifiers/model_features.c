/* model_features.c - lists the features of sentences, each with the place that it comes from. */
#include "classifiers/model_features.h"
#include "classifiers/feature_hash.h"

static const char *const kind_names[FEATURE_KINDS] = {
        "word", "word", "words", "piece", "class", "class", "act", "class+act", "order", "term"};

const char *feature_kind_name(enum feature_kind kind)
{
	return kind_names[kind];
}

struct extractor {
	const struct reading *reading;
	const struct hit *hits; /* of the sentence */
	uint32_t hit_count;
	const struct sentence *sentence;
	uint32_t index;           /* of the sentence */
	struct feature *features; /* room for FEATURES_MAX */
	guint count;
	unsigned named;  /* targets with a name */
	uint64_t *pairs; /* named × named bits: ordered pairs of this sentence that were seen */
	GArray *seen;    /* of uint32_t: the bits that are set */
};

static void put(struct extractor *e, enum feature_kind kind, uint64_t value, uint16_t count, uint32_t first,
        uint32_t last)
{
	if (e->count >= FEATURES_MAX)
		return;
	e->features[e->count++] = (struct feature){.hash = feature_hash(kind, value),
	        .sentence = (uint16_t)e->index,
	        .count = count,
	        .first = first,
	        .last = (uint16_t)(last - first),
	        .kind = (uint16_t)kind};
}

static void put_pieces(struct extractor *e, const struct token *token, uint32_t index)
{
	uint64_t values[FEATURE_PIECES];
	unsigned n =
	        word_pieces(e->reading->prepared->stream->str + token->stream, token->stream_length, values);
	for (unsigned i = 0; i < n; i++)
		put(e, FEATURE_PIECE, values[i], 1, index, index);
}

static void put_words(struct extractor *e)
{
	const struct prepared *prepared = e->reading->prepared;
	uint32_t begin = e->sentence->first, end = begin + e->sentence->count;
	unsigned zone = sentence_zone(e->sentence);
	for (uint32_t i = begin; i < end; i++) {
		const struct token *token = prepared_token(prepared, i);
		put(e, FEATURE_WORD, token->hash, 1, i, i);
		put(e, FEATURE_ZONE_WORD, feature_mix(zone, token->hash), 1, i, i);
		if (i + 1 < end)
			put(e, FEATURE_PAIR, pair_value(token, prepared_token(prepared, i + 1)), 1, i, i + 1);
		if (!token->cue)
			put_pieces(e, token, i);
	}
}

static uint64_t name_of(const struct extractor *e, target_id target)
{
	return target_name(e->reading->terms, target);
}

/* The distinct targets of the sentence that are no speech act, each with its first place. */
static unsigned distinct(const struct extractor *e, const struct hit *out[MAX_TARGETS])
{
	unsigned n = 0;
	for (uint32_t h = 0; h < e->hit_count && n < MAX_TARGETS; h++) {
		target_id target = e->hits[h].target;
		bool known = target >= e->named || speech_is_act(e->reading->speech, target);
		for (unsigned i = 0; i < n && !known; i++)
			known = out[i]->target == target;
		if (!known)
			out[n++] = &e->hits[h];
	}
	return n;
}

static void put_class(struct extractor *e, const struct hit *hit, unsigned acts)
{
	uint64_t name = name_of(e, hit->target);
	put(e, FEATURE_CLASS, name, CLASS_WEIGHT, hit->first, hit->last);
	put(e, FEATURE_ZONE_CLASS, feature_mix(sentence_zone(e->sentence), name), CLASS_WEIGHT, hit->first,
	        hit->last);
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			put(e, FEATURE_CLASS_ACT, feature_mix(act_hash((enum act)act), name), CLASS_WEIGHT,
			        hit->first, hit->last);
}

static void put_classes(struct extractor *e)
{
	const struct hit *seen[MAX_TARGETS];
	unsigned n = distinct(e, seen), acts = speech_acts(e->reading->speech, e->index);
	uint32_t first = e->sentence->first, last = first + e->sentence->count - 1;
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			put(e, FEATURE_ACT, act_hash((enum act)act), CLASS_WEIGHT, first, last);
	for (unsigned i = 0; i < n; i++)
		put_class(e, seen[i], acts);
}

/* True if the pair is new in this sentence. */
static bool pair_add(struct extractor *e, target_id a, target_id b)
{
	uint32_t bit = (uint32_t)a * e->named + b;
	uint64_t mask = UINT64_C(1) << (bit & 63);
	if (e->pairs[bit >> 6] & mask)
		return false;
	e->pairs[bit >> 6] |= mask;
	g_array_append_val(e->seen, bit);
	return true;
}

/* Classes that follow one another within the window, once per ordered pair. */
static void put_order(struct extractor *e)
{
	for (uint32_t a = 0; a < e->hit_count; a++) {
		const struct hit *x = &e->hits[a];
		if (x->target >= e->named)
			continue;
		for (uint32_t b = a + 1; b < e->hit_count && e->hits[b].first <= x->first + ORDER_WINDOW;
		        b++) {
			const struct hit *y = &e->hits[b];
			if (y->target < e->named && in_order(x, y) && pair_add(e, x->target, y->target))
				put(e, FEATURE_CLASS_ORDER,
				        feature_mix(name_of(e, x->target), name_of(e, y->target)),
				        CLASS_WEIGHT, x->first, MAX(x->last, y->last));
		}
	}
	for (guint i = 0; i < e->seen->len; i++)
		e->pairs[g_array_index(e->seen, uint32_t, i) >> 6] = 0;
	g_array_set_size(e->seen, 0);
}

static guint put_terms(struct extractor *e, guint at)
{
	const GArray *terms = e->reading->matches->terms;
	for (; at < terms->len; at++) {
		const struct term_hit *hit = &g_array_index(terms, struct term_hit, at);
		if (hit->sentence != e->index)
			break;
		put(e, FEATURE_TERM, terms_get(e->reading->terms, hit->term)->feature, CLASS_WEIGHT,
		        hit->first, hit->last);
	}
	return at;
}

/* Sentences [begin, end). */
static void extract(const struct reading *reading, uint32_t begin, uint32_t end, GArray *out)
{
	const struct term_matches *matches = reading->matches;
	unsigned named = named_targets(reading->terms);
	g_autofree uint64_t *pairs = g_new0(uint64_t, (size_t)named * named / 64 + 1);
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	struct extractor e = {.reading = reading, .named = named, .pairs = pairs, .seen = seen};
	guint at = term_matches_hits_from(matches, begin), term = term_matches_terms_from(matches, begin);
	g_array_set_size(out, FEATURES_MAX);
	e.features = (struct feature *)(void *)out->data;
	for (e.index = begin; e.index < end; e.index++) {
		e.sentence = prepared_sentence(reading->prepared, e.index);
		e.hits = &g_array_index(matches->hits, struct hit, at);
		e.hit_count = term_matches_hits_from(matches, e.index + 1) - at;
		at += e.hit_count;
		put_words(&e);
		put_classes(&e);
		put_order(&e);
		term = put_terms(&e, term);
	}
	g_array_set_size(out, e.count);
}

void features_extract(const struct reading *reading, GArray *out)
{
	extract(reading, 0, reading->prepared->sentences->len, out);
}

void features_of_sentence(const struct reading *reading, uint32_t sentence, GArray *out)
{
	extract(reading, sentence, sentence + 1, out);
}
