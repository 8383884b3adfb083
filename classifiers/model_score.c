/* model_score.c - scores from a list of features, the second layer, and what spoke most for an output. */
#include "classifiers/model.h"
#include "classifiers/model_sum.h"

#include <string.h>

int32_t concern_model_row(const struct concern_model *model, uint32_t hash)
{
	return model_row(model, hash);
}

/* Features `from` … of one sentence; returns where the next sentence begins. */
static guint add_sentence(struct model_scratch *scratch, const GArray *features, guint from)
{
	const struct feature *all = (const struct feature *)(const void *)features->data;
	guint i = from;
	for (; i < features->len && all[i].sentence == all[from].sentence; i++) {
		int32_t row = model_row(scratch->model, all[i].hash);
		if (row >= 0)
			model_sum_add(scratch, row, all[i].count);
	}
	return i;
}

void concern_model_score(const struct concern_model *model, struct model_scratch *scratch,
        const struct prepared *prepared, const GArray *features, struct model_scores *out)
{
	model_sum_begin(scratch, out);
	for (guint i = 0; i < features->len;) {
		uint32_t sentence = g_array_index(features, struct feature, i).sentence;
		i = add_sentence(scratch, features, i);
		model_sum_sentence(
		        scratch, sentence, prepared_joins(prepared, scratch->previous, sentence), out);
	}
	model_sum_message(scratch, out);
	concern_model_finish(model, out);
}

void concern_model_score_vector(const struct concern_model *model, const GArray *features, int32_t *out)
{
	struct sum sum = {0};
	for (guint i = 0; i < features->len; i++) {
		const struct feature *feature = &g_array_index(features, struct feature, i);
		int32_t row = model_row(model, feature->hash);
		if (row >= 0)
			model_sum_row(&sum, model, row, feature->count);
	}
	uint32_t root = model_square_root(sum.square);
	for (unsigned o = 0; o < model->outputs; o++)
		out[o] = model_sum_score(&sum, model, o, root);
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
		int32_t row = model_row(model, feature->hash);
		int weight = row < 0 ? 0 : model->weight[(size_t)row * MODEL_ROW + output];
		if (weight <= 0)
			continue;
		struct contribution new = {feature->first, feature->first + feature->last, feature->kind,
		        (int64_t)weight * model_log(feature->count)};
		insert_contribution(out, &n, max, &new);
	}
	return n;
}
