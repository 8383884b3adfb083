/* terms.h - words and phrases that speak for a concern, matched in one linear pass (Vectorscan).
 *
 * classifiers/lexicon.yaml names classes of words; classifiers/terms_*.yaml the terms of a concern: patterns,
 * classes (@name) and cues (#name) with weight, nearness, and what the sentence must or must not hold
 * besides. The language is described in docs/classification.md. Patterns are matched in the word stream of
 * prepare.h, so spelling variants are folded away. A pattern that could blow up the matcher is refused while
 * loading.
 */
#ifndef CLASSIFIERS_TERMS_H
#define CLASSIFIERS_TERMS_H

#include "classifiers/prepare.h"
#include "config/bundle.h"
#include "core/auto.h"
#include "core/diag.h"

#include <stdbool.h>
#include <stdint.h>

#define TERMS_MAX_PATTERNS 200000
#define TERMS_MAX_TARGETS  4000 /* classes and terms together */
#define TERMS_MAX_WEIGHT   100
#define TERMS_MAX_HITS     40000 /* of one message */

/* What a pattern, a class or a cue is known by: 0 … CUE_COUNT-1 are cues, then the classes, then one for the
 * own patterns of each term. */
typedef uint16_t target_id;

struct term {
	char *concern, *id;                       /* "umzug", "neue-adresse" */
	char *name;                               /* "term:umzug.neue-adresse": what evidence calls it */
	int weight;                               /* -100 … 100 */
	int within;                               /* words between `any` and `near` */
	GArray *any, *near, *requires, *excludes; /* of target_id */
	uint64_t feature;                         /* hash of its name */
	const char *file;
	int line, column;
};

struct terms;

/* Both kinds of files of the bundle. Errors with file:line:column in `diag`; NULL if there was any.
 * `cache`: folder for compiled patterns, or NULL. */
struct terms *terms_load(const struct bundle *bundle, const char *cache, struct diag *diag);
void terms_free(struct terms *terms);
AUTO_FREE(terms);

unsigned terms_count(const struct terms *terms);
const struct term *terms_get(const struct terms *terms, unsigned index);
unsigned terms_patterns(const struct terms *terms);
size_t terms_size(const struct terms *terms); /* bytes of the compiled patterns */

/* Classes: index 0 … count-1; the target of class i is CUE_COUNT + i. */
unsigned terms_classes(const struct terms *terms);
const char *terms_class_name(const struct terms *terms, unsigned index);
uint64_t terms_class_hash(const struct terms *terms, unsigned index);
/* The target of a class, or 0. */
target_id terms_class(const struct terms *terms, const char *name);

/* A place where a pattern or cue was found. */
struct hit {
	uint32_t first, last; /* tokens */
	uint32_t sentence;
	target_id target;
	uint32_t pattern; /* index, UINT32_MAX for a cue */
};

/* A term that fired, where it was first seen. */
struct term_hit {
	unsigned term;
	uint32_t first, last, sentence;
};

struct term_matches {
	GArray *hits;  /* of struct hit, by sentence, first token, target */
	GArray *terms; /* of struct term_hit, by sentence, then term */
};

struct terms_scratch; /* one per thread */
struct terms_scratch *terms_scratch_new(const struct terms *terms);
void terms_scratch_free(struct terms_scratch *scratch);
AUTO_FREE(terms_scratch);

void term_matches_init(struct term_matches *matches);
void term_matches_clear(struct term_matches *matches);

/* Index of the first hit (term hit) in `sentence` or behind it. */
guint term_matches_hits_from(const struct term_matches *matches, uint32_t sentence);
guint term_matches_terms_from(const struct term_matches *matches, uint32_t sentence);

void terms_match(const struct terms *terms, struct terms_scratch *scratch, const struct prepared *prepared,
        struct term_matches *out);

/* The pattern as written, for explanations. Borrowed. */
const char *terms_pattern_text(const struct terms *terms, uint32_t pattern);

/* "terms 1 vectorscan 5.4.x": what can change a match. Free with g_free. */
char *terms_engine(void);

#endif
