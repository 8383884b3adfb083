/* Small bundles in memory for tests of terms, model and analyser. */
#ifndef TESTS_CLASSIFIER_SUPPORT_H
#define TESTS_CLASSIFIER_SUPPORT_H

#include "config/bundle.h"
#include "core/diag.h"
#include "core/item.h"

/* A folder that holds the shipped catalogue, switches and combination, and the given lexicon and terms (NULL:
 * none); read as a bundle. The folder is gone afterwards. */
struct bundle *small_bundle(const char *lexicon, const char *terms, const char *combine);

/* The shipped bundle. */
struct bundle *shipped_bundle(void);

/* A postbox message received on 15 January 2024. */
struct message *text_message(const char *subject, const char *text);

/* All entries of `diag` as text, for asserting on parts of it. Free with g_free. */
char *diag_text(const struct diag *diag);

#endif
