/* model_reader.c - from a message to its scores without listing features: words by the table of words,
 * classes and terms by rows that were looked up when the reader was made, pairs of classes by a bit that says
 * whether the pair weighs anything. What counts, and how often, is what model_features.c lists. */
#include "classifiers/feature_hash.h"
#include "classifiers/model_sum.h"
#include "classifiers/model_words.h"

/* Rows of a cue or class; -1: none. */
struct target_rows {
	int32_t class, zone[2], act[ACT_COUNT];
	bool counts_alone; /* not a speech act itself */
};

struct model_reader {
	const struct concern_model *model;
	const struct terms *terms;
	struct model_scratch *sums;
	struct model_words *words;
	unsigned named;
	struct target_rows *targets;     /* named */
	int32_t acts[ACT_COUNT], *fired; /* rows of acts and of terms */
	uint64_t *weighing, *seen; /* named × named bits: ordered pairs with a row; those of the sentence */
	uint32_t *rank;            /* per word of `weighing`: set bits before it */
	GArray *order;             /* of int32_t: rows of the set bits */
	GArray *pairs;             /* of uint32_t: bits set in `seen` */
	uint32_t *target_in;       /* named: the sentence + 1 that a target was last counted in */
};

static bool has_bit(const uint64_t *bits, uint32_t bit)
{
	return bits[bit >> 6] >> (bit & 63) & 1;
}

static void set_bit(uint64_t *bits, uint32_t bit)
{
	bits[bit >> 6] |= UINT64_C(1) << (bit & 63);
}

static int32_t row_of(const struct model_reader *reader, enum feature_kind kind, uint64_t value)
{
	return model_row(reader->model, feature_hash(kind, value));
}

/* The row of a pair that weighs something. */
static int32_t order_row(const struct model_reader *reader, uint32_t bit)
{
	uint64_t before = reader->weighing[bit >> 6] & ((UINT64_C(1) << (bit & 63)) - 1);
	uint32_t index = reader->rank[bit >> 6] + (uint32_t)__builtin_popcountll(before);
	return g_array_index(reader->order, int32_t, index);
}

static void find_pairs(struct model_reader *reader)
{
	unsigned n = reader->named;
	for (uint32_t bit = 0; bit < n * n; bit++) {
		uint64_t first = target_name(reader->terms, (target_id)(bit / n));
		uint64_t second = target_name(reader->terms, (target_id)(bit % n));
		int32_t row = row_of(reader, FEATURE_CLASS_ORDER, feature_mix(first, second));
		if (bit % 64 == 0)
			reader->rank[bit >> 6] = reader->order->len;
		if (row < 0)
			continue;
		set_bit(reader->weighing, bit);
		g_array_append_val(reader->order, row);
	}
}

static void find_target(struct model_reader *reader, const struct speech *speech, target_id target)
{
	struct target_rows *rows = &reader->targets[target];
	uint64_t name = target_name(reader->terms, target);
	rows->counts_alone = !speech_is_act(speech, target);
	rows->class = row_of(reader, FEATURE_CLASS, name);
	for (unsigned zone = ZONE_SUBJECT; zone <= ZONE_BODY; zone++)
		rows->zone[zone - 1] = row_of(reader, FEATURE_ZONE_CLASS, feature_mix(zone, name));
	for (int act = 0; act < ACT_COUNT; act++)
		rows->act[act] =
		        row_of(reader, FEATURE_CLASS_ACT, feature_mix(act_hash((enum act)act), name));
}

struct model_reader *model_reader_new(const struct concern_model *model, const struct terms *terms)
{
	struct model_reader *reader = g_new0(struct model_reader, 1);
	unsigned named = named_targets(terms);
	size_t words = (size_t)named * named / 64 + 1;
	struct speech speech;
	reader->model = model;
	reader->terms = terms;
	reader->sums = model_scratch_new(model);
	reader->words = model_words_new(model);
	reader->named = named;
	reader->targets = g_new0(struct target_rows, named);
	reader->target_in = g_new0(uint32_t, named);
	reader->weighing = g_new0(uint64_t, words);
	reader->seen = g_new0(uint64_t, words);
	reader->rank = g_new0(uint32_t, words);
	reader->order = g_array_new(FALSE, FALSE, sizeof(int32_t));
	reader->pairs = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	reader->fired = g_new0(int32_t, terms_count(terms) + 1);
	speech_init(&speech, terms);
	for (unsigned target = 0; target < named; target++)
		find_target(reader, &speech, (target_id)target);
	speech_clear(&speech);
	find_pairs(reader);
	for (int act = 0; act < ACT_COUNT; act++)
		reader->acts[act] = row_of(reader, FEATURE_ACT, act_hash((enum act)act));
	for (unsigned i = 0; i < terms_count(terms); i++)
		reader->fired[i] = row_of(reader, FEATURE_TERM, terms_get(terms, i)->feature);
	return reader;
}

void model_reader_free(struct model_reader *reader)
{
	if (!reader)
		return;
	model_scratch_free(reader->sums);
	model_words_free(reader->words);
	g_free(reader->targets);
	g_free(reader->target_in);
	g_free(reader->weighing);
	g_free(reader->seen);
	g_free(reader->rank);
	g_array_unref(reader->order);
	g_array_unref(reader->pairs);
	g_free(reader->fired);
	g_free(reader);
}

/* One sentence of a message. */
struct view {
	const struct reading *reading;
	const struct sentence *sentence;
	uint32_t index;
	const struct hit *hits;
	uint32_t hit_count;
};

static void add(struct model_reader *reader, int32_t row, unsigned count)
{
	if (row >= 0)
		model_sum_add(reader->sums, row, count);
}

/* Words are taken in runs: memory that the whole run needs is fetched before it is read. */
#define RUN 64

static void add_run(
        struct model_reader *reader, const struct view *view, const struct token *token, unsigned n)
{
	const struct prepared *prepared = view->reading->prepared;
	unsigned zone = sentence_zone(view->sentence) - 1;
	for (unsigned i = 0; i < n; i++)
		model_words_expect(reader->words, &token[i]);
	for (unsigned i = 0; i < n; i++)
		model_words_expect_rows(reader->words, &token[i]);
	for (unsigned i = 0; i < n; i++) {
		struct word_rows word = model_words_get(reader->words, prepared, &token[i]);
		add(reader, word.zone[zone], 1);
		for (unsigned r = 0; r < word.count; r++)
			add(reader, word.rows[r], 1);
	}
}

/* Pairs of token[0 … n], n of them. */
static void add_pairs(struct model_reader *reader, const struct token *token, unsigned n)
{
	const struct concern_model *model = reader->model;
	uint32_t hashes[RUN];
	unsigned known = 0;
	for (unsigned i = 0; i < n; i++) {
		hashes[i] = feature_hash(FEATURE_PAIR, pair_value(&token[i], &token[i + 1]));
		__builtin_prefetch(&model->present[hashes[i] >> model->present_shift >> 6]);
	}
	for (unsigned i = 0; i < n; i++) {
		if (!model_may_have(model, hashes[i]))
			continue;
		__builtin_prefetch(&model->slots[hashes[i] & model->mask]);
		hashes[known++] = hashes[i];
	}
	for (unsigned i = 0; i < known; i++)
		add(reader, model_row(model, hashes[i]), 1);
}

static void add_words(struct model_reader *reader, const struct view *view)
{
	const struct token *token = prepared_token(view->reading->prepared, view->sentence->first);
	for (uint32_t left = view->sentence->count; left;) {
		unsigned n = MIN(left, RUN);
		add_run(reader, view, token, n);
		add_pairs(reader, token, n < left ? n : n - 1);
		left -= n;
		token += n;
	}
}

static void add_class(
        struct model_reader *reader, const struct view *view, const struct target_rows *rows, unsigned acts)
{
	add(reader, rows->class, CLASS_WEIGHT);
	add(reader, rows->zone[sentence_zone(view->sentence) - 1], CLASS_WEIGHT);
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			add(reader, rows->act[act], CLASS_WEIGHT);
}

static void add_classes(struct model_reader *reader, const struct view *view)
{
	unsigned acts = speech_acts(view->reading->speech, view->index), n = 0;
	for (unsigned act = 0; act < ACT_COUNT; act++)
		if (acts & 1u << act)
			add(reader, reader->acts[act], CLASS_WEIGHT);
	for (uint32_t h = 0; h < view->hit_count && n < MAX_TARGETS; h++) {
		target_id target = view->hits[h].target;
		if (target >= reader->named || !reader->targets[target].counts_alone ||
		        reader->target_in[target] == view->index + 1)
			continue;
		reader->target_in[target] = view->index + 1;
		add_class(reader, view, &reader->targets[target], acts);
		n++;
	}
}

static void add_order(struct model_reader *reader, const struct view *view)
{
	const struct hit *end = view->hits + view->hit_count;
	for (const struct hit *x = view->hits; x < end; x++) {
		if (x->target >= reader->named)
			continue;
		for (const struct hit *y = x + 1; y < end && y->first <= x->first + ORDER_WINDOW; y++) {
			uint32_t bit = x->target * reader->named + y->target;
			if (y->target >= reader->named || !has_bit(reader->weighing, bit) ||
			        !in_order(x, y) || has_bit(reader->seen, bit))
				continue;
			set_bit(reader->seen, bit);
			g_array_append_val(reader->pairs, bit);
			add(reader, order_row(reader, bit), CLASS_WEIGHT);
		}
	}
	for (guint i = 0; i < reader->pairs->len; i++)
		reader->seen[g_array_index(reader->pairs, uint32_t, i) >> 6] = 0;
	g_array_set_size(reader->pairs, 0);
}

static guint add_terms(struct model_reader *reader, const struct view *view, guint at)
{
	const GArray *terms = view->reading->matches->terms;
	for (; at < terms->len; at++) {
		const struct term_hit *hit = &g_array_index(terms, struct term_hit, at);
		if (hit->sentence != view->index)
			break;
		add(reader, reader->fired[hit->term], CLASS_WEIGHT);
	}
	return at;
}

static void next_hits(struct view *view, const struct term_matches *matches)
{
	const struct hit *end = (const struct hit *)(const void *)matches->hits->data + matches->hits->len;
	view->hits += view->hit_count;
	view->hit_count = 0;
	while (view->hits + view->hit_count < end && view->hits[view->hit_count].sentence == view->index)
		view->hit_count++;
}

void model_reader_score(struct model_reader *reader, const struct reading *reading, struct model_scores *out)
{
	const struct prepared *prepared = reading->prepared;
	struct view view = {.reading = reading, .hits = (const void *)reading->matches->hits->data};
	guint term = 0;
	model_sum_begin(reader->sums, out);
	memset(reader->target_in, 0, reader->named * sizeof *reader->target_in);
	for (view.index = 0; view.index < prepared->sentences->len; view.index++) {
		view.sentence = prepared_sentence(prepared, view.index);
		next_hits(&view, reading->matches);
		add_words(reader, &view);
		add_classes(reader, &view);
		add_order(reader, &view);
		term = add_terms(reader, &view, term);
		model_sum_sentence(reader->sums, view.index,
		        prepared_joins(prepared, reader->sums->previous, view.index), out);
	}
	model_sum_message(reader->sums, out);
	concern_model_finish(reader->model, out);
}
