/* combine.h - the rule that turns scores into concerns or doubt; itself configuration (combine.yaml).
 *
 *     accept   from this score (0 … 1000000) on a concern is found
 *     lower    in doubt, from this score on a concern is a candidate
 *     risk     a payment-relevant concern that was not found but reaches this makes the item doubtful, unless
 *              another payment-relevant concern was found (it is in the eAkte then anyway)
 *     sure     a concern that was found but stays below this makes the item doubtful
 *     terms    points of a logit/1000 that one point of term weight adds to a concern
 */
#ifndef CLASSIFIERS_COMBINE_H
#define CLASSIFIERS_COMBINE_H

#include "classifiers/model.h"
#include "config/bundle.h"
#include "config/catalogue.h"
#include "core/diag.h"

#define COMBINE_MAX_CONCERNS 32
#define COMBINE_MAX_MAILBOX  32

struct combine_concern {
	char *id;
	int output; /* of the model, -1: terms alone */
	int accept, lower, risk, sure, terms;
	bool payment; /* payment-relevant whatever the facts say */
};

struct combine_mailbox {
	char *part; /* the mailbox's name holds this */
	enum rechtskreis rechtskreis;
};

struct combination {
	struct combine_concern concerns[COMBINE_MAX_CONCERNS];
	unsigned count;
	int fallback;                      /* index of the concern that stands alone (sonstiges), -1: none */
	int split_from, split_output;      /* a concern that is told apart by a second output, -1: none */
	char *split_into;                  /* its other name */
	int split_at;                      /* from this score of the second output on */
	int third_output, resolved_output; /* outputs of the marks, -1: none */
	int third_at, resolved_at;
	struct combine_mailbox mailboxes[COMBINE_MAX_MAILBOX];
	unsigned mailbox_count;
};

/* `model` may be NULL. NULL if combine.yaml is missing or wrong. */
struct combination *combination_load(const struct bundle *bundle, const struct catalogue *catalogue,
        const struct concern_model *model, struct diag *diag);
void combination_free(struct combination *combination);
AUTO_FREE(combination);

/* What comes out for one text. */
struct verdict {
	int score[COMBINE_MAX_CONCERNS];  /* 0 … SCORE_MAX */
	bool found[COMBINE_MAX_CONCERNS]; /* concerns; in doubt: candidates */
	bool doubt;
	const char *reason; /* static word, if doubt */
	bool third_party, resolved, split;
	int third_score, resolved_score, split_score;
};

/* `scores` may be NULL (no model); term_points: sum of term weights per concern. */
void combine(const struct combination *combination, const struct model_scores *scores, const int *term_points,
        struct verdict *out);

#endif
