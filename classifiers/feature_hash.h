/* feature_hash.h - what a feature is called: the one definition for those who list features and for the one
 * who goes straight to their weights; internal to model*.c.
 *
 * A change here changes the feature space: FEATURES_VERSION goes up and models are trained anew.
 */
#ifndef CLASSIFIERS_FEATURE_HASH_H
#define CLASSIFIERS_FEATURE_HASH_H

#include "classifiers/model_features.h"

#include <string.h>

#define CLASS_WEIGHT   3  /* a class counts as three words */
#define ORDER_WINDOW   10 /* tokens between two classes in order */
#define MAX_TARGETS    48 /* distinct classes of one sentence that count alone */
#define FEATURE_PIECES 64 /* at most, of one word */

enum { ZONE_SUBJECT = 1, ZONE_BODY = 2 };

static inline uint64_t feature_mix(uint64_t a, uint64_t b)
{
	uint64_t h = a * 0x9e3779b97f4a7c15u ^ (b + 0x632be59bd9b4e019u);
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	return h ^ h >> 32;
}

/* Each kind has its own salt, so that kinds never meet. */
static inline uint32_t feature_hash(enum feature_kind kind, uint64_t value)
{
	return (uint32_t)(feature_mix((uint64_t)kind + 1, value) >> 16);
}

static inline unsigned sentence_zone(const struct sentence *sentence)
{
	return sentence->field == FIELD_SUBJECT ? ZONE_SUBJECT : ZONE_BODY;
}

/* Pieces: five letters each of "^word$"; a cue has none. Returns how many. */
static inline unsigned word_pieces(const char *word, size_t size, uint64_t out[FEATURE_PIECES])
{
	enum { LETTERS = 5 };
	char buffer[FEATURE_PIECES + LETTERS];
	unsigned n = 0;
	size = MIN(size, (size_t)FEATURE_PIECES);
	buffer[0] = '^';
	memcpy(buffer + 1, word, size);
	buffer[size + 1] = '$';
	for (size_t i = 0; i + LETTERS <= size + 2; i++) {
		uint64_t value = 0;
		memcpy(&value, buffer + i, LETTERS);
		out[n++] = GUINT64_TO_LE(value);
	}
	return n;
}

static inline uint64_t pair_value(const struct token *first, const struct token *second)
{
	return feature_mix(first->hash, second->hash);
}

/* Behind cues and classes stand the terms' own patterns: they have no name of their own. */
static inline unsigned named_targets(const struct terms *terms)
{
	return CUE_COUNT + terms_classes(terms);
}

/* The stable name of a named target. */
static inline uint64_t target_name(const struct terms *terms, target_id target)
{
	return target < CUE_COUNT ? feature_mix(7, target) : terms_class_hash(terms, target - CUE_COUNT);
}

/* Two hits that make a feature of order; `second` stands behind `first` in the list of hits. */
static inline bool in_order(const struct hit *first, const struct hit *second)
{
	return second->first != first->first && second->target != first->target;
}

#endif
