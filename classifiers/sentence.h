/* sentence.h - where sentences end, in folded text; cues are never cut. */
#ifndef CLASSIFIERS_SENTENCE_H
#define CLASSIFIERS_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

struct sentence_reader {
	const char *text; /* folded */
	size_t size;
};

/* What follows text[at] … : is there an end of a sentence at the punctuation or line end text[at]?
 * `upper_next` says whether the next word starts with a capital in the original. `line` is the number of
 * bytes since the line began. */
enum sentence_end { SENTENCE_GOES_ON, SENTENCE_ENDS, SENTENCE_ENDS_AS_QUESTION };
enum sentence_end sentence_end_at(const struct sentence_reader *in, size_t at, bool upper_next, size_t line);

#endif
