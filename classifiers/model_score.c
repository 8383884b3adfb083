/* model_score.c - one pass over the features of a message: sentences first, then the message as a whole. */
#include "classifiers/model.h"
#include "classifiers/model_internal.h"

#include <string.h>

/* A vector of feature values while it is being summed up. */
struct sum {
	int64_t score[MODEL_ROW];
	uint64_t square; /* of its length */
};

struct row_state {
	uint16_t in_message, in_sentence;
	uint32_t sentence; /* + 1: the sentence `in_sentence` counts for */
};

struct model_scratch {
	struct row_state *rows;
	GArray *touched, *here; /* int32_t: rows seen in the message, in the sentence */
	GArray *row_of;         /* int32_t per feature */
};

struct model_scratch *model_scratch_new(const struct concern_model *model)
{
	struct model_scratch *scratch = g_new0(struct model_scratch, 1);
	scratch->rows = g_new0(struct row_state, model->keys);
	scratch->touched = g_array_new(FALSE, FALSE, sizeof(int32_t));
	scratch->here = g_array_new(FALSE, FALSE, sizeof(int32_t));
	scratch->row_of = g_array_new(FALSE, FALSE, sizeof(int32_t));
	return scratch;
}

void model_scratch_free(struct model_scratch *scratch)
{
	if (!scratch)
		return;
	g_free(scratch->rows);
	g_array_unref(scratch->touched);
	g_array_unref(scratch->here);
	g_array_unref(scratch->row_of);
	g_free(scratch);
}

int32_t concern_model_row(const struct concern_model *model, uint32_t hash)
{
	uint32_t at = hash & model->mask;
	while (model->slots[at].row >= 0) {
		if (model->slots[at].key == hash)
			return model->slots[at].row;
		at = (at + 1) & model->mask;
	}
	return -1;
}

#define AHEAD 12 /* features whose table lines are fetched early */

/* The row of each feature, -1 where it has no weight. */
static void find_rows(
        const struct concern_model *model, struct model_scratch *scratch, const GArray *features)
{
	const struct feature *all = (const struct feature *)(const void *)features->data;
	g_array_set_size(scratch->row_of, features->len);
	int32_t *rows = (int32_t *)(void *)scratch->row_of->data;
	for (guint i = 0; i < features->len; i++) {
		if (i + AHEAD < features->len)
			__builtin_prefetch(&model->slots[all[i + AHEAD].hash & model->mask]);
		rows[i] = concern_model_row(model, all[i].hash);
		if (rows[i] >= 0) {
			__builtin_prefetch(model->weight + (size_t)rows[i] * MODEL_ROW);
			__builtin_prefetch(&scratch->rows[rows[i]]);
		}
	}
}

static void sum_add(struct sum *sum, const struct concern_model *model, int32_t row, unsigned count)
{
	int value = model_value(count);
	const int16_t *weight = model->weight + (size_t)row * MODEL_ROW;
	for (unsigned o = 0; o < MODEL_ROW; o++)
		sum->score[o] += (int64_t)(value * weight[o]);
	sum->square += (uint64_t)((int64_t)value * value);
}

static uint32_t square_root(uint64_t value)
{
	uint64_t root = 0, bit = (uint64_t)1 << 62;
	while (bit > value)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (value >= root + bit) {
			value -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return (uint32_t)root;
}

static int32_t sum_score(
        const struct sum *sum, const struct concern_model *model, unsigned output, uint32_t root)
{
	int64_t z = root ? sum->score[output] * 1000 / ((int64_t)root * MODEL_UNIT) : 0;
	return (int32_t)CLAMP(z, -100000, 100000) + model->bias[output];
}

/* Features `from` … of one sentence; returns where the next sentence begins. */
static guint add_sentence(const struct concern_model *model, struct model_scratch *scratch,
        const GArray *features, guint from, struct sum *sum)
{
	const struct feature *all = (const struct feature *)(const void *)features->data;
	uint32_t sentence = all[from].sentence;
	guint i = from;
	*sum = (struct sum){0};
	g_array_set_size(scratch->here, 0);
	for (; i < features->len && all[i].sentence == sentence; i++) {
		int32_t row = g_array_index(scratch->row_of, int32_t, i);
		if (row < 0)
			continue;
		struct row_state *state = &scratch->rows[row];
		if (!state->in_message)
			g_array_append_val(scratch->touched, row);
		state->in_message = (uint16_t)MIN(state->in_message + all[i].count, 60000);
		if (state->sentence != sentence + 1) {
			state->sentence = sentence + 1;
			state->in_sentence = 0;
			g_array_append_val(scratch->here, row);
		}
		state->in_sentence = (uint16_t)MIN(state->in_sentence + all[i].count, 60000);
	}
	for (guint j = 0; j < scratch->here->len; j++) {
		int32_t row = g_array_index(scratch->here, int32_t, j);
		sum_add(sum, model, row, scratch->rows[row].in_sentence);
	}
	return i;
}

static void keep_best(
        const struct concern_model *model, const struct sum *sum, uint32_t sentence, struct model_scores *out)
{
	uint32_t root = square_root(sum->square);
	for (unsigned o = 0; o < model->outputs && root; o++) {
		int32_t z = sum_score(sum, model, o, root);
		if (z > out->sentence[o]) {
			out->sentence[o] = z;
			out->best[o] = sentence;
		}
	}
}

static void sum_join(struct sum *sum, const struct sum *other)
{
	for (unsigned o = 0; o < MODEL_ROW; o++)
		sum->score[o] += other->score[o];
	sum->square += other->square;
}

static void score_message(
        const struct concern_model *model, struct model_scratch *scratch, struct model_scores *out)
{
	struct sum sum = {0};
	for (guint j = 0; j < scratch->touched->len; j++) {
		int32_t row = g_array_index(scratch->touched, int32_t, j);
		sum_add(&sum, model, row, scratch->rows[row].in_message);
		scratch->rows[row] = (struct row_state){0};
	}
	g_array_set_size(scratch->touched, 0);
	uint32_t root = square_root(sum.square);
	for (unsigned o = 0; o < model->outputs; o++)
		out->document[o] = sum_score(&sum, model, o, root);
}

void concern_model_score(const struct concern_model *model, struct model_scratch *scratch,
        const struct prepared *prepared, const GArray *features, struct model_scores *out)
{
	const struct feature *all = (const struct feature *)(const void *)features->data;
	struct sum before = {0}, sum;
	uint32_t previous = UINT32_MAX;
	*out = (struct model_scores){0};
	for (unsigned o = 0; o < MODEL_MAX_OUTPUTS; o++)
		out->sentence[o] = -20000;
	find_rows(model, scratch, features);
	for (guint i = 0; i < features->len;) {
		uint32_t sentence = all[i].sentence;
		i = add_sentence(model, scratch, features, i, &sum);
		keep_best(model, &sum, sentence, out);
		bool neighbours = previous != UINT32_MAX && previous + 1 == sentence &&
		                  prepared_sentence(prepared, previous)->field ==
		                          prepared_sentence(prepared, sentence)->field;
		if (neighbours) {
			sum_join(&before, &sum);
			keep_best(model, &before, sentence, out);
		}
		before = sum;
		previous = sentence;
	}
	score_message(model, scratch, out);
	concern_model_finish(model, out);
}

void concern_model_score_vector(const struct concern_model *model, const GArray *features, int32_t *out)
{
	struct sum sum = {0};
	for (guint i = 0; i < features->len; i++) {
		const struct feature *feature = &g_array_index(features, struct feature, i);
		int32_t row = concern_model_row(model, feature->hash);
		if (row >= 0)
			sum_add(&sum, model, row, feature->count);
	}
	uint32_t root = square_root(sum.square);
	for (unsigned o = 0; o < model->outputs; o++)
		out[o] = sum_score(&sum, model, o, root);
}

void concern_model_finish(const struct concern_model *model, struct model_scores *scores)
{
	unsigned k = model->outputs;
	for (unsigned o = 0; o < k; o++) {
		const int32_t *row = model->second + (size_t)o * (1 + 2 * (size_t)k);
		int64_t z = 0;
		for (unsigned i = 0; i < k; i++)
			z += (int64_t)row[1 + i] * scores->document[i] +
			     (int64_t)row[1 + k + i] * scores->sentence[i];
		scores->final[o] = (int32_t)CLAMP(row[0] + z / MODEL_SECOND_UNIT, -100000, 100000);
	}
}

/* Keeps `out` sorted by weight; one entry per place. */
static void insert_contribution(
        struct contribution *out, unsigned *n, unsigned max, const struct contribution *new)
{
	unsigned end = *n;
	for (unsigned i = 0; i < *n; i++) {
		if (out[i].first != new->first || out[i].last != new->last)
			continue;
		if (out[i].weight >= new->weight)
			return;
		end = i;
		break;
	}
	if (end == *n)
		end = *n < max ? (*n)++ : max - 1;
	if (end == max - 1 && out[end].weight >= new->weight)
		return;
	for (; end > 0 && out[end - 1].weight < new->weight; end--)
		out[end] = out[end - 1];
	out[end] = *new;
}

unsigned concern_model_explain(const struct concern_model *model, const GArray *features, uint32_t sentence,
        unsigned output, struct contribution *out, unsigned max)
{
	unsigned n = 0;
	memset(out, 0, max * sizeof *out);
	for (guint i = 0; i < features->len; i++) {
		const struct feature *feature = &g_array_index(features, struct feature, i);
		if (feature->sentence != sentence)
			continue;
		int32_t row = concern_model_row(model, feature->hash);
		int weight = row < 0 ? 0 : model->weight[(size_t)row * MODEL_ROW + output];
		if (weight <= 0)
			continue;
		struct contribution new = {feature->first, feature->first + feature->last, feature->kind,
		        (int64_t)weight * model_value(feature->count)};
		insert_contribution(out, &n, max, &new);
	}
	return n;
}
