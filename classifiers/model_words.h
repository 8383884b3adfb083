/* model_words.h - what the words of the language weigh: the rows of each word, kept once they were looked up;
 * internal to model*.c.
 *
 * A saving of time only. When the table is full it starts anew, so its memory (2 MB) is bounded whatever is
 * written.
 */
#ifndef CLASSIFIERS_MODEL_WORDS_H
#define CLASSIFIERS_MODEL_WORDS_H

#include "classifiers/feature_hash.h"
#include "classifiers/model_internal.h"

/* Rows of the features that one word has alone. Valid until the next look-up. */
struct word_rows {
	const int32_t *zone; /* zone[0]: as a word of the subject, zone[1]: of the body; -1: no row */
	const int32_t *rows; /* wherever it stands: itself and its pieces, without those that have no row */
	unsigned count;
};

struct model_words;
struct model_words *model_words_new(const struct concern_model *model);
void model_words_free(struct model_words *words);
/* Fetches memory ahead: that of the word's slot; then, when that has come, that of its rows. */
void model_words_expect(const struct model_words *words, const struct token *token);
void model_words_expect_rows(const struct model_words *words, const struct token *token);
struct word_rows model_words_get(
        struct model_words *words, const struct prepared *prepared, const struct token *token);

#endif
