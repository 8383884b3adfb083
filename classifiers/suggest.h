/* suggest.h - proposes terms: words and pairs of words of labelled messages with the gain each would bring.
 *
 * The gain is what a term would add where the bundle is wrong today: messages with the concern that it misses
 * and the term stands in, less messages without the concern that the term stands in and that are right today.
 */
#ifndef CLASSIFIERS_SUGGEST_H
#define CLASSIFIERS_SUGGEST_H

#include "classifiers/train_labels.h"
#include "config/bundle.h"

#include <stdbool.h>

struct suggestion {
	char *concern;
	char *term;             /* as it would be written in `any` (folded spelling) */
	unsigned with, without; /* messages with and without the concern that hold it */
	unsigned missed;        /* of `with`: messages in which the concern is missed today */
	int gain;
	int weight; /* proposed weight, from the log-odds */
};

/* Best first, at most `max` per concern. GPtrArray of struct suggestion. */
GPtrArray *suggest_run(
        const struct bundle *bundle, const struct labels *labels, unsigned max, GError **error);
void suggestion_free(void *suggestion);

#endif
