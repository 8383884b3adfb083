/* terms_tool.h - what an admin sees of terms: hits in a text, unit tests beside the terms, unused terms. */
#ifndef CLASSIFIERS_TERMS_TOOL_H
#define CLASSIFIERS_TERMS_TOOL_H

#include "classifiers/train_labels.h"
#include "config/bundle.h"
#include "core/diag.h"

#include <stdbool.h>
#include <stdio.h>

/* `terms test "text…"`: sentences with their speech acts, every class, cue and term found with byte offsets,
 * and what the analyser makes of it. */
bool terms_test_print(const struct bundle *bundle, const char *text, FILE *out, GError **error);

struct terms_tests {
	unsigned tests, failed;
	unsigned terms, covered; /* terms that fire in at least one test */
};

/* Runs the `tests:` of all terms_*.yaml (text → expected concerns): failures are errors in `diag` at their
 * place, terms that no test reaches are notes. */
void terms_tests_run(const struct bundle *bundle, struct diag *diag, struct terms_tests *out);

/* How often each term and class was found in messages. */
struct terms_usage;
struct terms_usage *terms_usage_new(const struct bundle *bundle, GError **error);
void terms_usage_free(struct terms_usage *usage);
AUTO_FREE(terms_usage);
void terms_usage_add(struct terms_usage *usage, const struct message *message);
/* `terms hot`: most found first, with messages and hits; `terms unused`: terms and patterns never found. */
void terms_usage_print_hot(const struct terms_usage *usage, unsigned max, FILE *out);
void terms_usage_print_unused(const struct terms_usage *usage, FILE *out);

#endif
