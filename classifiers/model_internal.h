/* model_internal.h - a loaded model in memory; internal to model*.c. */
#ifndef CLASSIFIERS_MODEL_INTERNAL_H
#define CLASSIFIERS_MODEL_INTERNAL_H

#include "classifiers/model.h"

#define MODEL_ROW        16 /* outputs of a row in memory: half a cache line of 32 bytes */
#define MODEL_LOG_COUNTS 256

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
	uint64_t *present;        /* a bit per upper bits of a hash: 0 says that no key has them */
	unsigned present_shift;   /* hash >> present_shift is the bit */
	int16_t *weight;          /* keys × MODEL_ROW, aligned to a row */
	int32_t *bias;
	int32_t *second;
};

/* 256 × (1 + ln n) at n = 0, 1 … 255. */
extern const uint16_t model_log_table[MODEL_LOG_COUNTS];

static inline unsigned model_log(unsigned count)
{
	return model_log_table[MIN(count, MODEL_LOG_COUNTS - 1)];
}

/* Row of a feature, or -1; most features have none and are told by a bit. */
static inline bool model_may_have(const struct concern_model *model, uint32_t hash)
{
	uint32_t bit = hash >> model->present_shift;
	return model->present[bit >> 6] >> (bit & 63) & 1;
}

static inline int32_t model_row(const struct concern_model *model, uint32_t hash)
{
	if (!model_may_have(model, hash))
		return -1;
	uint32_t at = hash & model->mask;
	while (model->slots[at].row >= 0) {
		if (model->slots[at].key == hash)
			return model->slots[at].row;
		at = (at + 1) & model->mask;
	}
	return -1;
}

#endif
