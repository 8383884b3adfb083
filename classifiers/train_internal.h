/* train_internal.h - vectors and fitting; internal to train*.c. */
#ifndef CLASSIFIERS_TRAIN_INTERNAL_H
#define CLASSIFIERS_TRAIN_INTERNAL_H

#include "classifiers/analyse_internal.h"
#include "classifiers/train.h"

#define TRAIN_MIN_MESSAGES 2 /* messages a feature must stand in */

/* One feature of a vector. */
struct entry {
	int32_t row;
	uint16_t count;
};

/* A message or a window (one sentence, or two neighbours: then both sentences' entries, one after the other).
 */
struct vector {
	uint32_t begin, end; /* entries */
	uint32_t owner;      /* message */
};

struct corpus {
	const struct labels *labels;
	struct analyser *analyser;
	unsigned outputs;
	char *names[MODEL_MAX_OUTPUTS];
	int merged;                       /* output that holds two concerns told apart by `split`, or -1 */
	int split;                        /* that second output, or -1 */
	int third, resolved;              /* outputs of the marks */
	uint32_t bits[MODEL_MAX_OUTPUTS]; /* catalogue bits of each concern output */
	GArray *keys;                     /* uint32_t: feature of each row, ascending */
	GArray *entries;                  /* of struct entry */
	GArray *messages;                 /* of struct vector, one per message */
	GArray *windows;                  /* of struct vector */
	int8_t *labels_of;                /* messages × outputs: 1, 0, or -1 (not known, optional) */
};

bool corpus_build(
        struct corpus *corpus, const struct bundle *bundle, const struct labels *labels, GError **error);
void corpus_clear(struct corpus *corpus);

/* Weights of the first layer from the messages with use[i] true. */
struct first_layer {
	unsigned keys; /* rows that had enough messages among those used */
	uint32_t *key;
	int16_t *weight; /* keys × outputs */
	int32_t bias[MODEL_MAX_OUTPUTS];
};
bool first_layer_fit(
        const struct corpus *corpus, const bool *use, double cost, struct first_layer *out, GError **error);
void first_layer_clear(struct first_layer *layer);

/* scores: messages × (2 × outputs), first layer, milli-logits; use[i]: messages to learn from.
 * out: outputs × (1 + 2 × outputs). */
void second_layer_fit(
        const struct corpus *corpus, const int32_t *scores, const bool *use, double cost, int32_t *out);

#endif
