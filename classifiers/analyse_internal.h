/* analyse_internal.h - the analyser's parts; internal to analyse*.c, and to train and evaluate. */
#ifndef CLASSIFIERS_ANALYSE_INTERNAL_H
#define CLASSIFIERS_ANALYSE_INTERNAL_H

#include "classifiers/analyse.h"
#include "classifiers/combine.h"
#include "classifiers/model.h"
#include "classifiers/speech.h"
#include "classifiers/terms.h"

struct analyser {
	struct catalogue *catalogue;
	struct terms *terms;
	struct concern_model *model; /* NULL: terms alone */
	struct combination *combination;
	target_id authority, away, returning, negation; /* classes the marks need, 0 if not in the lexicon */
	char *engine;
};

struct analyser_scratch {
	struct prepared prepared;
	struct terms_scratch *terms;
	struct term_matches matches;
	struct speech speech;
	GArray *features; /* of struct feature: by analyse_features() all, else of a sentence that is
	                     explained */
	struct model_reader *model;
	struct model_scores scores;
	int *points; /* per concern of the combination */
};

/* The same with another model file than the bundle's (NULL: the bundle's). */
struct analyser *analyser_load_with(const struct bundle *bundle, GBytes *model, struct diag *diag);

/* Without any model, for training: whatever model the bundle has is not looked at. */
struct analyser *analyser_load_bare(const struct bundle *bundle, struct diag *diag);

/* Prepares and matches; false if there is no own word in the message. */
bool analyse_read(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message);

/* The same, and lists all features. */
bool analyse_features(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message);

/* The message as the model reads it. */
struct reading analyse_reading(const struct analyser *analyser, const struct analyser_scratch *scratch);

/* Evidence of concern `index` of the combination: terms, cues, model. */
void analyse_evidence(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, unsigned index, int output, struct finding *finding);

/* Marks, numbers, absence, Rechtskreis. */
void analyse_marks(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, struct findings *findings);

/* Sets doubt, keeping the first reason. */
void findings_doubt(struct findings *findings, const char *reason);

#endif
