/* train.h - makes the model file from labelled messages (liblinear), and the models of cross-validation.
 *
 * First layer: per output a binary L2-regularised logistic regression over whole messages and over sentences
 * (of messages without the label all sentences are counter-examples; of those with it the best-scoring one is
 * an example). Second layer: logistic regression over first-layer scores of messages that the first layer had
 * not seen (each file scored by a model trained without it and
 * without the other files of its group). Needs no GPU, no network; minutes on two cores.
 *
 * Training may use floating point: only its quantised result decides. The same files, program and libraries
 * give the same model, byte for byte. */
#ifndef CLASSIFIERS_TRAIN_H
#define CLASSIFIERS_TRAIN_H

#include "classifiers/train_labels.h"
#include "config/bundle.h"

#include <glib.h>
#include <stdbool.h>

struct train_options {
	double cost;        /* C of the first layer; 0: default */
	double second_cost; /* C of the second layer; 0: default */
	bool folds;         /* also keep, for every group of files, the model trained without it */
	bool only_folds;    /* no final model */
	void (*progress)(unsigned done, unsigned all, void *data); /* may be NULL */
	void *data;
};

struct trained {
	GBytes *model;      /* bytes of classifiers/concerns.model; NULL with only_folds */
	GPtrArray *without; /* of GBytes *, per group of files; empty unless folds */
};

/* Files are left out in groups, at most this many: file f belongs to group f % train_groups(). */
#define TRAIN_MAX_GROUPS 8
unsigned train_groups(const struct labels *labels);

void trained_clear(struct trained *trained);

/* The bundle gives catalogue, lexicon and terms; its own model is not looked at. */
bool train_run(const struct bundle *bundle, const struct labels *labels, const struct train_options *options,
        struct trained *out, GError **error);

#endif
