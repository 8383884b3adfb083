/* model.h - the linear model: integer weights of hashed features, scored without a floating-point number.
 *
 * File `classifiers/concerns.model`: "posteingang-model-1\n", one line of JSON (features, outputs, training:
 * SHA-256 of the training data, documents, keys), then little-endian: keys (uint32, ascending), weights
 * (int16, a row of outputs per key), then for each output its biases and its row of the second layer (int32).
 *
 * First layer: a vector of integer feature values (logarithm of the count, in 1/256) is scored per output and
 * divided by its length, for the whole message and for each sentence and each two neighbouring sentences.
 * Second layer: from the message's scores and the best sentence's scores of all outputs, one calibrated score
 * per output. Units: 1/1000 of a logit.
 */
#ifndef CLASSIFIERS_MODEL_H
#define CLASSIFIERS_MODEL_H

#include "classifiers/model_features.h"

#define MODEL_MAX_OUTPUTS 24
#define MODEL_UNIT        512  /* weights of the first layer: 1/512 of a logit */
#define MODEL_SECOND_UNIT 4096 /* of the second */
#define MODEL_NO_SCORE    INT32_MIN

struct concern_model;

/* ERROR_CONFIG with what is wrong; `name` is for the message. */
struct concern_model *concern_model_load(GBytes *bytes, const char *name, GError **error);
void concern_model_free(struct concern_model *model);
AUTO_FREE(concern_model);

unsigned concern_model_outputs(const struct concern_model *model);
const char *concern_model_output(const struct concern_model *model, unsigned output);
int concern_model_find(const struct concern_model *model, const char *output); /* -1: none */
unsigned concern_model_keys(const struct concern_model *model);
const char *concern_model_training(const struct concern_model *model); /* hash of the training data */

/* What a model file is made of; rows and second layer are borrowed. */
struct model_parts {
	unsigned outputs, keys, documents;
	char *const *names;
	const uint32_t *key;   /* ascending */
	const int16_t *weight; /* keys × outputs */
	const int32_t *bias;   /* outputs, 1/1000 logit, first layer */
	const int32_t *second; /* outputs × (1 + 2 × outputs): bias in 1/1000 logit, then 1/4096 */
	const char *training;
};
GBytes *concern_model_write(const struct model_parts *parts);

/* Value of a feature that counts `count` times, 1/256. */
int model_value(unsigned count);

/* Row of a feature, or -1. */
int32_t concern_model_row(const struct concern_model *model, uint32_t hash);

struct model_scratch; /* one per thread */
struct model_scratch *model_scratch_new(const struct concern_model *model);
void model_scratch_free(struct model_scratch *scratch);

struct model_scores {
	int32_t document[MODEL_MAX_OUTPUTS], sentence[MODEL_MAX_OUTPUTS]; /* first layer */
	uint32_t best[MODEL_MAX_OUTPUTS];                                 /* the sentence that scored best */
	int32_t final[MODEL_MAX_OUTPUTS];                                 /* second layer */
};

/* `features` as features_extract() gives them. For training and tests; routing reads without a list. */
void concern_model_score(const struct concern_model *model, struct model_scratch *scratch,
        const struct prepared *prepared, const GArray *features, struct model_scores *out);

/* Reads messages with one model and one set of terms: what words and classes weigh is looked up once and
 * kept, so that its memory grows to a bound and most words cost no look-up. One per thread; both are
 * borrowed. */
struct model_reader;
struct model_reader *model_reader_new(const struct concern_model *model, const struct terms *terms);
void model_reader_free(struct model_reader *reader);
AUTO_FREE(model_reader);

/* The same scores, bit for bit, as concern_model_score() from the message's list of features.
 * `reading->terms` are the reader's. */
void model_reader_score(struct model_reader *reader, const struct reading *reading, struct model_scores *out);

/* The first layer's scores of one vector whose features are given once each; out: one per output. */
void concern_model_score_vector(const struct concern_model *model, const GArray *features, int32_t *out);

/* The second layer alone, for training and evaluation. */
void concern_model_finish(const struct concern_model *model, struct model_scores *scores);

/* The features of a sentence that speak most for an output, best first; returns how many (at most `max`). */
struct contribution {
	uint32_t first, last; /* tokens */
	enum feature_kind kind;
	int64_t weight;
};
unsigned concern_model_explain(const struct concern_model *model, const GArray *features, uint32_t sentence,
        unsigned output, struct contribution *out, unsigned max);

/* 1/(1+exp(-z/1000)) × 1,000,000 in integers. */
int model_probability(int32_t z);

#endif
