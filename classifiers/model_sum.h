/* model_sum.h - sums of a message's weights, sentence by sentence; internal to model*.c.
 *
 *     model_sum_begin → { model_sum_add … → model_sum_sentence } … → model_sum_message
 *
 * A row counts once per sentence and once per message, with the logarithm of how often it came. Rows that
 * stand in one sentence only are summed once: the message is the sum of its sentences, put right at the end
 * for the rows that came again.
 */
#ifndef CLASSIFIERS_MODEL_SUM_H
#define CLASSIFIERS_MODEL_SUM_H

#include "classifiers/model_internal.h"

#define MODEL_MAX_COUNT 60000

/* A vector of feature values while it is being summed up. */
struct sum {
	int64_t score[MODEL_ROW];
	uint64_t square; /* of its length */
};

struct row_state {
	uint16_t in_sentence, in_message; /* how often it came */
	uint32_t values;                  /* sum of its values in the sentences that are over */
};

/* What came in the sentence, in order; its state and weights are on their way from memory. */
struct arrival {
	int32_t row;
	uint32_t count;
};

struct model_scratch {
	const struct concern_model *model;
	struct row_state *rows; /* all zero between messages */
	struct arrival *arrivals;
	unsigned arrived, room;
	int32_t *here;   /* rows of the sentence, each once */
	int16_t *values; /* beside `here` */
	GArray *touched; /* of int32_t: rows of the message, each once */
	struct sum message, before;
	uint32_t previous; /* sentence that `before` is of, UINT32_MAX: none */
};

void model_sum_begin(struct model_scratch *scratch, struct model_scores *out);
void model_sum_grow(struct model_scratch *scratch);
/* Ends the sentence; with `joins` it is also scored together with the one before. */
void model_sum_sentence(
        struct model_scratch *scratch, uint32_t sentence, bool joins, struct model_scores *out);
void model_sum_message(struct model_scratch *scratch, struct model_scores *out);

/* The first layer's score of an output; `root` is the square root of sum->square. */
int32_t model_sum_score(
        const struct sum *sum, const struct concern_model *model, unsigned output, uint32_t root);
uint32_t model_square_root(uint64_t value);
void model_sum_row(struct sum *sum, const struct concern_model *model, int32_t row, unsigned count);

/* A feature of this sentence came `count` times more. */
static inline void model_sum_add(struct model_scratch *scratch, int32_t row, unsigned count)
{
	if (scratch->arrived == scratch->room)
		model_sum_grow(scratch);
	scratch->arrivals[scratch->arrived++] = (struct arrival){row, count};
	__builtin_prefetch(&scratch->rows[row]);
	__builtin_prefetch(scratch->model->weight + (size_t)row * MODEL_ROW);
}

#endif
