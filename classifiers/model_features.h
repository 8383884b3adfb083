/* model_features.h - what the model sees of a message: hashed features, per sentence.
 *
 * Words, pairs of words and five-letter pieces; cues and classes of the lexicon, alone, by zone, with the
 * sentence's speech acts, and in order within ten words; terms that fired. A feature is a 32-bit hash;
 * weights are kept only for those that training met in at least two messages.
 */
#ifndef CLASSIFIERS_MODEL_FEATURES_H
#define CLASSIFIERS_MODEL_FEATURES_H

#include "classifiers/prepare.h"
#include "classifiers/speech.h"
#include "classifiers/terms.h"

#define FEATURES_VERSION 2
#define FEATURES_MAX     120000 /* of one message: the rest is not listed */

/* A message as it is read. All borrowed, and of the same message. */
struct reading {
	const struct prepared *prepared;
	const struct terms *terms;
	const struct term_matches *matches;
	const struct speech *speech;
};

struct feature {
	uint32_t hash;
	uint16_t sentence;
	uint16_t count; /* times its weight in counting */
	uint32_t first; /* token it begins at */
	uint16_t last;  /* last token, as distance from `first` */
	uint16_t kind;  /* enum feature_kind */
};

enum feature_kind {
	FEATURE_WORD,
	FEATURE_ZONE_WORD,
	FEATURE_PAIR,
	FEATURE_PIECE,
	FEATURE_CLASS,
	FEATURE_ZONE_CLASS,
	FEATURE_ACT,
	FEATURE_CLASS_ACT,
	FEATURE_CLASS_ORDER,
	FEATURE_TERM,
	FEATURE_KINDS
};

const char *feature_kind_name(enum feature_kind kind);

/* The features of all sentences, sentence by sentence; within one, a hash may come more than once. What `out`
 * held is replaced. For training and evidence: the score needs no list (model_reader_score). */
void features_extract(const struct reading *reading, GArray *out);
/* Those of one sentence. */
void features_of_sentence(const struct reading *reading, uint32_t sentence, GArray *out);

#endif
