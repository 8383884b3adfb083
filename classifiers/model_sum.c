/* model_sum.c - adds rows of weights: 16-bit weights times 16-bit values in loops that compilers turn into
 * vector instructions, widened before they could overflow. */
#include "classifiers/model_sum.h"

#include <string.h>

/* Values of one run of 32-bit sums: 32768 times this stays below 2^31. */
#define RUN_VALUES 65535u

struct model_scratch *model_scratch_new(const struct concern_model *model)
{
	struct model_scratch *scratch = g_new0(struct model_scratch, 1);
	scratch->model = model;
	scratch->rows = g_new0(struct row_state, model->keys);
	scratch->touched = g_array_new(FALSE, FALSE, sizeof(int32_t));
	return scratch;
}

void model_scratch_free(struct model_scratch *scratch)
{
	if (!scratch)
		return;
	g_free(scratch->rows);
	g_free(scratch->arrivals);
	g_free(scratch->here);
	g_free(scratch->values);
	g_array_unref(scratch->touched);
	g_free(scratch);
}

void model_sum_grow(struct model_scratch *scratch)
{
	scratch->room = scratch->room ? scratch->room * 2 : 1024;
	scratch->arrivals = g_renew(struct arrival, scratch->arrivals, scratch->room);
	scratch->here = g_renew(int32_t, scratch->here, scratch->room);
	scratch->values = g_renew(int16_t, scratch->values, scratch->room);
}

void model_sum_begin(struct model_scratch *scratch, struct model_scores *out)
{
	*out = (struct model_scores){0};
	for (unsigned o = 0; o < MODEL_MAX_OUTPUTS; o++)
		out->sentence[o] = -20000;
	scratch->message = scratch->before = (struct sum){0};
	scratch->previous = UINT32_MAX;
}

/* Adds rows[i] × values[i]. */
static void add_rows(struct sum *sum, const struct concern_model *model, const int32_t *rows,
        const int16_t *values, unsigned n)
{
	for (unsigned i = 0; i < n;) {
		int32_t run[MODEL_ROW] = {0};
		for (unsigned size = 0; i < n && size + (unsigned)ABS(values[i]) <= RUN_VALUES; i++) {
			const int16_t *weight = model->weight + (size_t)rows[i] * MODEL_ROW;
			const int16_t value = values[i];
			for (unsigned o = 0; o < MODEL_ROW; o++)
				run[o] += value * weight[o];
			size += (unsigned)ABS(value);
		}
		for (unsigned o = 0; o < MODEL_ROW; o++)
			sum->score[o] += run[o];
	}
}

/* The same for one row and a value of any size. */
static void add_wide(struct sum *sum, const struct concern_model *model, int32_t row, int64_t value)
{
	const int16_t *weight = model->weight + (size_t)row * MODEL_ROW;
	for (unsigned o = 0; o < MODEL_ROW; o++)
		sum->score[o] += value * weight[o];
}

void model_sum_row(struct sum *sum, const struct concern_model *model, int32_t row, unsigned count)
{
	int value = model_value(count);
	add_wide(sum, model, row, value);
	sum->square += (uint64_t)((int64_t)value * value);
}

/* Each row once, in `here`; returns how many. */
static unsigned count_arrivals(struct model_scratch *scratch)
{
	unsigned n = 0;
	for (unsigned i = 0; i < scratch->arrived; i++) {
		struct arrival arrival = scratch->arrivals[i];
		struct row_state *state = &scratch->rows[arrival.row];
		scratch->here[n] = arrival.row;
		n += state->in_sentence == 0;
		state->in_sentence = (uint16_t)MIN(state->in_sentence + arrival.count, MODEL_MAX_COUNT);
	}
	scratch->arrived = 0;
	return n;
}

/* What came in the sentence, as values; the counts go over to the message. */
static uint64_t settle_counts(struct model_scratch *scratch, unsigned n)
{
	uint64_t square = 0;
	for (unsigned i = 0; i < n; i++) {
		int32_t row = scratch->here[i];
		struct row_state *state = &scratch->rows[row];
		unsigned value = model_log(state->in_sentence);
		if (!state->in_message)
			g_array_append_val(scratch->touched, row);
		state->in_message = (uint16_t)MIN(state->in_message + state->in_sentence, MODEL_MAX_COUNT);
		state->in_sentence = 0;
		state->values += value;
		scratch->values[i] = (int16_t)value;
		square += (uint64_t)value * value;
	}
	return square;
}

uint32_t model_square_root(uint64_t value)
{
	uint64_t root = 0;
	if (!value)
		return 0;
	for (uint64_t bit = UINT64_C(1) << ((63 - __builtin_clzll(value)) & ~1); bit; bit >>= 2) {
		if (value >= root + bit) {
			value -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return (uint32_t)root;
}

int32_t model_sum_score(
        const struct sum *sum, const struct concern_model *model, unsigned output, uint32_t root)
{
	int64_t z = root ? sum->score[output] * 1000 / ((int64_t)root * MODEL_UNIT) : 0;
	return (int32_t)CLAMP(z, -100000, 100000) + model->bias[output];
}

/* Without a division: false only if score / length + bias, as model_sum_score() rounds it, is not above
 * `best`. */
static bool may_exceed(int64_t score, int64_t length, int32_t bias, int32_t best)
{
	int64_t least = (int64_t)best - bias; /* to be exceeded by the quotient, which is cut towards 0 */
	if (least < -100000 || least > 100000)
		return true;
	return least >= 0 ? score * 1000 >= (least + 1) * length : score * 1000 > least * length;
}

static void keep_best(
        const struct concern_model *model, const struct sum *sum, uint32_t sentence, struct model_scores *out)
{
	uint32_t root = model_square_root(sum->square);
	int64_t length = (int64_t)root * MODEL_UNIT;
	for (unsigned o = 0; o < model->outputs && root; o++) {
		if (!may_exceed(sum->score[o], length, model->bias[o], out->sentence[o]))
			continue;
		int32_t z = model_sum_score(sum, model, o, root);
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

void model_sum_sentence(
        struct model_scratch *scratch, uint32_t sentence, bool joins, struct model_scores *out)
{
	const struct concern_model *model = scratch->model;
	unsigned n = count_arrivals(scratch);
	struct sum sum = {.square = settle_counts(scratch, n)};
	add_rows(&sum, model, scratch->here, scratch->values, n);
	keep_best(model, &sum, sentence, out);
	if (joins) {
		sum_join(&scratch->before, &sum);
		keep_best(model, &scratch->before, sentence, out);
	}
	sum_join(&scratch->message, &sum);
	scratch->before = sum;
	scratch->previous = sentence;
}

/* A row that came in several sentences was counted too often: its value is that of all its times together. */
static void correct_message(struct model_scratch *scratch, struct sum *sum)
{
	const int32_t *touched = (const int32_t *)(void *)scratch->touched->data;
	unsigned n = 0;
	sum->square = 0;
	for (guint i = 0; i < scratch->touched->len; i++) {
		struct row_state *state = &scratch->rows[touched[i]];
		int64_t value = model_log(state->in_message), correction = value - (int64_t)state->values;
		sum->square += (uint64_t)(value * value);
		*state = (struct row_state){0};
		if (correction < INT16_MIN) {
			add_wide(sum, scratch->model, touched[i], correction);
		} else if (correction) {
			if (n == scratch->room)
				model_sum_grow(scratch);
			scratch->here[n] = touched[i];
			scratch->values[n++] = (int16_t)correction;
		}
	}
	add_rows(sum, scratch->model, scratch->here, scratch->values, n);
	g_array_set_size(scratch->touched, 0);
}

void model_sum_message(struct model_scratch *scratch, struct model_scores *out)
{
	const struct concern_model *model = scratch->model;
	correct_message(scratch, &scratch->message);
	uint32_t root = model_square_root(scratch->message.square);
	for (unsigned o = 0; o < model->outputs; o++)
		out->document[o] = model_sum_score(&scratch->message, model, o, root);
}
