/* evaluate.h - how well a bundle classifies labelled messages, by the definitions of DESIGN.md section 5.
 *
 * Every message goes the real way (analyse(), then rules_decide() with no facts known); with
 * cross-validation each file is scored by a model trained without it. */
#ifndef CLASSIFIERS_EVALUATE_H
#define CLASSIFIERS_EVALUATE_H

#include "classifiers/train_labels.h"
#include "config/bundle.h"

#include <stdbool.h>
#include <stdio.h>

#define EVALUATE_BINS 10

struct outcome { /* of one message */
	const struct labelled *labelled;
	uint32_t found;           /* concerns as predicted, bits of catalogue indices */
	uint32_t truth, optional; /* as labelled; not told apart where the file does not */
	bool doubt, third_party, resolved, eakte, reply, klaerung;
	bool missed_payment, wrong_reply;
	char *reason;   /* of doubt, or NULL */
	GArray *scores; /* int per catalogue concern: score of a finding, -1 if there is none */
	GArray *model;  /* int per output of the model: its score, found or not; empty without a model */
};

struct counts {
	unsigned tp, fp, fn;
};

struct evaluation {
	const struct labels *labels;
	struct catalogue *catalogue;
	GPtrArray *outcomes; /* of struct outcome, in order of the messages */
	GPtrArray *outputs;  /* char *: names of the model's outputs */
};

struct evaluate_options {
	bool cross_validate; /* train a model without each file and score the file with it */
	double cost;         /* as train_options */
	GBytes **model;      /* with cross_validate: also the model of all messages; NULL: not wanted */
	void (*progress)(unsigned done, unsigned all, void *data);
	void *data;
};

/* ERROR_CONFIG with all that is wrong in the bundle. `labels` must outlive the evaluation. */
struct evaluation *evaluate_run(const struct bundle *bundle, const struct labels *labels,
        const struct evaluate_options *options, GError **error);
void evaluation_free(struct evaluation *evaluation);
AUTO_FREE(evaluation);

/* A choice of messages: all (NULL), or those for which it says true. */
typedef bool (*outcome_filter)(const struct outcome *outcome, const void *data);

struct figures {
	unsigned messages;
	struct counts all;
	struct counts concerns[32]; /* by catalogue index */
	struct counts third_party, resolved;
	unsigned missed_payment, wrong_reply, doubt;
	unsigned bin_count[EVALUATE_BINS],
	        bin_right[EVALUATE_BINS]; /* findings by score, and how many were right */
};
void evaluate_figures(
        const struct evaluation *evaluation, outcome_filter filter, const void *data, struct figures *out);

/* Per mille, rounded; 1000 where nothing could be wrong. */
unsigned counts_precision(const struct counts *counts);
unsigned counts_recall(const struct counts *counts);
unsigned counts_f1(const struct counts *counts);

/* Text report: totals, per concern, per file and difficulty, confusion, calibration, missed payment-relevant
 * items and wrong replies by id. */
void evaluate_print(const struct evaluation *evaluation, FILE *out);
/* One JSON object a message: id, labels, findings, what was wrong, and what the model gave every concern
 * (what the thresholds of combine.yaml are chosen by). */
void evaluate_print_jsonl(const struct evaluation *evaluation, FILE *out);
/* A page with the same figures and plots (inline SVG, no script, nothing from outside). */
void evaluate_print_html(const struct evaluation *evaluation, FILE *out);

/* Two evaluations of the same labels side by side: figures, then every message that only one of them got
 * right.
 */
void evaluate_compare(const struct evaluation *a, const struct evaluation *b, FILE *out);

/* 0 only if nothing is wrong with the message: findings as labelled (optional ones do not count). */
unsigned outcome_errors(const struct outcome *outcome);

#endif
