/* model_internal.h - a loaded model in memory; internal to model*.c. */
#ifndef CLASSIFIERS_MODEL_INTERNAL_H
#define CLASSIFIERS_MODEL_INTERNAL_H

#include "classifiers/model.h"

#define MODEL_ROW 16 /* outputs of a row in memory: one cache line of 32 bytes */

struct model_slot {
	uint32_t key;
	int32_t row; /* -1: empty */
};

struct concern_model {
	char **names;
	char *training;
	unsigned outputs, keys;
	uint32_t mask;
	struct model_slot *slots; /* open addressing by key */
	int16_t *weight;          /* keys × MODEL_ROW */
	int32_t *bias;
	int32_t *second;
};

#endif
