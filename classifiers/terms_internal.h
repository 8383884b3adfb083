/* terms_internal.h - how patterns and terms are kept; internal to terms*.c. */
#ifndef CLASSIFIERS_TERMS_INTERNAL_H
#define CLASSIFIERS_TERMS_INTERNAL_H

#include "classifiers/terms.h"
#include "config/yaml.h"

#include <hs.h>

#define PATTERN_MAX_WORDS 8

struct pattern {
	char *text;       /* as written */
	char *expression; /* what the matcher gets */
	bool regex;       /* written between slashes */
	uint8_t words;    /* tokens that it covers */
	bool blank_end;   /* the expression ends with the blank behind a word */
	target_id target;
};

/* What a match needs to know of its pattern. */
struct pattern_shape {
	target_id target;
	uint8_t words;
	bool blank_end;
};

struct term_class {
	char *name;
	uint64_t hash;
};

struct terms {
	GArray *patterns;        /* of struct pattern */
	GArray *classes;         /* of struct term_class */
	GArray *terms;           /* of struct term */
	GPtrArray *files;        /* of char *: names that terms refer to */
	GHashTable *class_index; /* name → index + 1 */
	GPtrArray *by_target; /* target → GArray of term indices (unsigned) whose `any` names it, or NULL */
	struct pattern_shape *shapes; /* per pattern */
	hs_database_t *database;
};

/* Parses one pattern into *out (without target); false and an error in `diag` if it is wrong. */
bool pattern_parse(const struct yaml_node *node, struct pattern *out, struct diag *diag);
void pattern_clear(struct pattern *pattern);

/* Reads lexicon.yaml and terms_*.yaml into `terms`. */
void terms_read(struct terms *terms, const struct bundle *bundle, struct diag *diag);

/* Compiles all patterns, or takes them from the cache folder. */
bool terms_compile(struct terms *terms, const char *cache, struct diag *diag);

#endif
