/* train.c - the order of training: one first layer without each file, the second layer on what those say, at
 * last the first layer on everything. */
#include "classifiers/train.h"
#include "classifiers/train_internal.h"

#include <string.h>

#define DEFAULT_COST        20.0
#define DEFAULT_SECOND_COST 0.03

void trained_clear(struct trained *trained)
{
	if (trained->model)
		g_bytes_unref(trained->model);
	if (trained->without)
		g_ptr_array_unref(trained->without);
	*trained = (struct trained){0};
}

unsigned train_groups(const struct labels *labels)
{
	return MIN(labels->files->len, TRAIN_MAX_GROUPS);
}

struct training {
	struct corpus corpus;
	const struct train_options *options;
	double cost, second_cost;
	struct first_layer *without; /* per group of files */
	int32_t *scores;             /* messages × 2 outputs: of models that had not seen them */
	bool *use;                   /* per message */
	int32_t *second;
	unsigned done, steps;
};

static void step(struct training *t)
{
	t->done++;
	if (t->options->progress)
		t->options->progress(t->done, t->steps, t->options->data);
}

static GBytes *write_model(const struct training *t, const struct first_layer *layer, const int32_t *second)
{
	const struct corpus *corpus = &t->corpus;
	struct model_parts parts = {.outputs = corpus->outputs,
	        .keys = layer->keys,
	        .documents = corpus->labels->messages->len,
	        .names = (char *const *)corpus->names,
	        .key = layer->key,
	        .weight = layer->weight,
	        .bias = layer->bias,
	        .second = second,
	        .training = corpus->labels->hash};
	return concern_model_write(&parts);
}

/* All messages but those of `group` (all if it is out of range). */
static void use_without(struct training *t, unsigned group)
{
	for (guint i = 0; i < t->corpus.labels->messages->len; i++) {
		const struct labelled *labelled = g_ptr_array_index(t->corpus.labels->messages, i);
		t->use[i] = labelled->file % train_groups(t->corpus.labels) != group;
	}
}

/* Scores the messages of `group` with the first layer that has not seen them. */
static bool score_group(struct training *t, unsigned group, GError **error)
{
	const struct corpus *corpus = &t->corpus;
	unsigned k = corpus->outputs;
	g_autoptr(GBytes) bytes = write_model(t, &t->without[group], t->second);
	AUTO(concern_model) model = concern_model_load(bytes, "model in training", error);
	if (!model)
		return false;
	struct model_scratch *scratch = model_scratch_new(model);
	AUTO(analyser_scratch) work = analyser_scratch_new(corpus->analyser);
	for (guint i = 0; i < corpus->labels->messages->len; i++) {
		const struct labelled *labelled = g_ptr_array_index(corpus->labels->messages, i);
		struct model_scores scores;
		if (labelled->file % train_groups(corpus->labels) != group)
			continue;
		analyse_features(corpus->analyser, work, labelled->message);
		concern_model_score(model, scratch, &work->prepared, work->features, &scores);
		memcpy(t->scores + (size_t)i * 2 * k, scores.document, k * sizeof(int32_t));
		memcpy(t->scores + (size_t)i * 2 * k + k, scores.sentence, k * sizeof(int32_t));
	}
	model_scratch_free(scratch);
	return true;
}

static bool train_without(struct training *t, GError **error)
{
	for (unsigned f = 0; f < train_groups(t->corpus.labels); f++) {
		use_without(t, f);
		if (!first_layer_fit(&t->corpus, t->use, t->cost, &t->without[f], error) ||
		        !score_group(t, f, error))
			return false;
		step(t);
	}
	return true;
}

static void keep_folds(struct training *t, GPtrArray *out)
{
	for (unsigned f = 0; f < train_groups(t->corpus.labels); f++) {
		use_without(t, f);
		second_layer_fit(&t->corpus, t->scores, t->use, t->second_cost, t->second);
		g_ptr_array_add(out, write_model(t, &t->without[f], t->second));
	}
}

static bool train_all(struct training *t, GBytes **out, GError **error)
{
	struct first_layer layer = {0};
	use_without(t, UINT_MAX);
	second_layer_fit(&t->corpus, t->scores, t->use, t->second_cost, t->second);
	if (!first_layer_fit(&t->corpus, t->use, t->cost, &layer, error))
		return false;
	*out = write_model(t, &layer, t->second);
	first_layer_clear(&layer);
	step(t);
	return true;
}

static void training_clear(struct training *t)
{
	for (unsigned f = 0; t->without && f < TRAIN_MAX_GROUPS; f++)
		first_layer_clear(&t->without[f]);
	g_free(t->without);
	g_free(t->scores);
	g_free(t->use);
	g_free(t->second);
	corpus_clear(&t->corpus);
}

bool train_run(const struct bundle *bundle, const struct labels *labels, const struct train_options *options,
        struct trained *out, GError **error)
{
	struct training t = {.options = options,
	        .cost = options->cost > 0 ? options->cost : DEFAULT_COST,
	        .second_cost = options->second_cost > 0 ? options->second_cost : DEFAULT_SECOND_COST,
	        .steps = train_groups(labels) + !options->only_folds};
	bool ok = corpus_build(&t.corpus, bundle, labels, error);
	*out = (struct trained){.without = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
	if (ok) {
		unsigned k = t.corpus.outputs;
		t.without = g_new0(struct first_layer, TRAIN_MAX_GROUPS);
		t.scores = g_new0(int32_t, (size_t)t.corpus.messages->len * 2 * k);
		t.use = g_new0(bool, t.corpus.messages->len);
		t.second = g_new0(int32_t, (size_t)k * (1 + 2 * (size_t)k));
		ok = train_without(&t, error);
	}
	if (ok && options->folds)
		keep_folds(&t, out->without);
	if (ok && !options->only_folds)
		ok = train_all(&t, &out->model, error);
	training_clear(&t);
	if (!ok)
		trained_clear(out);
	return ok;
}
