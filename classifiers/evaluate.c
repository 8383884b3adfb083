/* evaluate.c - runs labelled messages through analysis and rules, and counts. */
#include "classifiers/evaluate.h"
#include "classifiers/analyse_internal.h"
#include "classifiers/rules.h"
#include "classifiers/train.h"
#include "core/error.h"

#include <string.h>

static void outcome_free(void *data)
{
	struct outcome *outcome = data;
	g_array_unref(outcome->scores);
	g_array_unref(outcome->model);
	g_free(outcome->reason);
	g_free(outcome);
}

void evaluation_free(struct evaluation *evaluation)
{
	if (!evaluation)
		return;
	g_ptr_array_unref(evaluation->outcomes);
	g_ptr_array_unref(evaluation->outputs);
	catalogue_free(evaluation->catalogue);
	g_free(evaluation);
}

/* Where a file does not tell the two registrations apart, they are one. */
static uint32_t merge_registrations(const struct catalogue *catalogue, uint32_t bits)
{
	int one = catalogue_find(catalogue, "arbeitslosmeldung"),
	    other = catalogue_find(catalogue, "arbeitsuchendmeldung");
	if (one < 0 || other < 0 || !(bits >> one & 1))
		return bits;
	return (bits & ~(UINT32_C(1) << one)) | UINT32_C(1) << other;
}

static void read_findings(
        const struct catalogue *catalogue, const struct findings *findings, struct outcome *out)
{
	out->scores = g_array_sized_new(FALSE, FALSE, sizeof(int), catalogue->concerns->len);
	for (guint i = 0; i < catalogue->concerns->len; i++) {
		int none = -1;
		g_array_append_val(out->scores, none);
	}
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = g_ptr_array_index(findings->concerns, i);
		int index = catalogue_find(catalogue, finding->concern);
		if (index < 0)
			continue;
		out->found |= UINT32_C(1) << index;
		g_array_index(out->scores, int, index) = finding->score;
	}
	out->doubt = findings->doubt;
	out->reason = g_strdup(findings->doubt_reason);
	out->third_party = findings->third_party;
	out->resolved = findings->resolved;
}

struct judge {
	struct analyser *analyser;
	struct analyser_scratch *scratch;
	struct rules *rules;
};

static GArray *read_model(const struct judge *judge)
{
	const struct concern_model *model = judge->analyser->model;
	GArray *out = g_array_new(FALSE, FALSE, sizeof(int));
	for (unsigned o = 0; model && o < concern_model_outputs(model); o++) {
		int score = model_probability(judge->scratch->scores.final[o]);
		g_array_append_val(out, score);
	}
	return out;
}

static bool labelled_payment(const struct catalogue *catalogue, uint32_t bits)
{
	for (guint i = 0; i < catalogue->concerns->len; i++)
		if ((bits >> i & 1) && catalogue_get(catalogue, (int)i)->payment == PAYMENT_KIND_YES)
			return true;
	return false;
}

static bool labelled_reply(const struct catalogue *catalogue, uint32_t bits)
{
	int absence = catalogue_find(catalogue, "ortsabwesenheit"), move = catalogue_find(catalogue, "umzug");
	return (absence >= 0 && (bits >> absence & 1)) || (move >= 0 && (bits >> move & 1));
}

static void judge_clear(struct judge *judge)
{
	analyser_scratch_free(judge->scratch);
	analyser_free(judge->analyser);
	rules_free(judge->rules);
	*judge = (struct judge){0};
}

static bool judge_init(struct judge *judge, const struct bundle *bundle, GBytes *model, GError **error)
{
	AUTO(diag) diag = diag_new();
	*judge = (struct judge){
	        .analyser = analyser_load_with(bundle, model, diag), .rules = rules_read(bundle, diag)};
	if (!diag_ok(diag, error)) {
		judge_clear(judge);
		return false;
	}
	judge->scratch = analyser_scratch_new(judge->analyser);
	return true;
}

static struct outcome *judge_message(
        const struct judge *judge, const struct labels *labels, const struct labelled *labelled)
{
	const struct catalogue *catalogue = judge->analyser->catalogue;
	struct outcome *out = g_new0(struct outcome, 1);
	struct facts facts;
	facts_init(&facts);
	AUTO(findings) findings = analyse(judge->analyser, judge->scratch, labelled->message);
	AUTO(rule_input) input = rule_input_from(judge->rules, labelled->message, findings, &facts);
	AUTO(decision) decision = rules_decide(judge->rules, input);
	read_findings(catalogue, findings, out);
	out->model = read_model(judge);
	bool apart = g_array_index(labels->apart, bool, labelled->file);
	out->labelled = labelled;
	out->truth = apart ? labelled->concerns : merge_registrations(catalogue, labelled->concerns);
	out->optional = apart ? labelled->optional : merge_registrations(catalogue, labelled->optional);
	out->found = apart ? out->found : merge_registrations(catalogue, out->found);
	out->eakte = decision_find(decision, HANDLER_EAKTE, NULL) != NULL;
	out->reply = decision_find(decision, HANDLER_REPLY, NULL) != NULL;
	out->klaerung = decision_find(decision, HANDLER_KLAERUNG, NULL) != NULL;
	out->missed_payment = labelled_payment(catalogue, labelled->concerns) && !out->eakte;
	out->wrong_reply = out->reply && !labelled_reply(catalogue, labelled->concerns | labelled->optional);
	return out;
}

static void name_outputs(const struct concern_model *model, GPtrArray *names)
{
	for (unsigned o = names->len; model && o < concern_model_outputs(model); o++)
		g_ptr_array_add(names, g_strdup(concern_model_output(model, o)));
}

/* Judges the messages of a group of files (all if UINT_MAX) into their places. */
static bool judge_messages(const struct bundle *bundle, GBytes *model, unsigned group,
        struct evaluation *evaluation, GPtrArray *outcomes, GError **error)
{
	const struct labels *labels = evaluation->labels;
	struct judge judge;
	if (!judge_init(&judge, bundle, model, error))
		return false;
	name_outputs(judge.analyser->model, evaluation->outputs);
	for (guint i = 0; i < labels->messages->len; i++) {
		const struct labelled *labelled = g_ptr_array_index(labels->messages, i);
		if (group == UINT_MAX || labelled->file % train_groups(labels) == group)
			g_ptr_array_index(outcomes, i) = judge_message(&judge, labels, labelled);
	}
	judge_clear(&judge);
	return true;
}

static bool judge_folds(const struct bundle *bundle, const struct evaluate_options *options,
        struct evaluation *evaluation, GPtrArray *outcomes, GError **error)
{
	struct train_options how = {.cost = options->cost,
	        .folds = true,
	        .only_folds = !options->model,
	        .progress = options->progress,
	        .data = options->data};
	struct trained trained;
	bool ok = train_run(bundle, evaluation->labels, &how, &trained, error);
	for (guint f = 0; ok && f < trained.without->len; f++)
		ok = judge_messages(
		        bundle, g_ptr_array_index(trained.without, f), f, evaluation, outcomes, error);
	if (ok && options->model)
		*options->model = g_bytes_ref(trained.model);
	trained_clear(&trained);
	return ok;
}

struct evaluation *evaluate_run(const struct bundle *bundle, const struct labels *labels,
        const struct evaluate_options *options, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(evaluation) evaluation = g_new0(struct evaluation, 1);
	evaluation->labels = labels;
	evaluation->catalogue = catalogue_load(bundle, diag);
	evaluation->outcomes = g_ptr_array_new_with_free_func(outcome_free);
	evaluation->outputs = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) places = g_ptr_array_new();
	g_ptr_array_set_size(places, (gint)labels->messages->len);
	bool ok = options->cross_validate ? judge_folds(bundle, options, evaluation, places, error)
	                                  : judge_messages(bundle, NULL, UINT_MAX, evaluation, places, error);
	for (guint i = 0; i < places->len; i++)
		if (g_ptr_array_index(places, i))
			g_ptr_array_add(evaluation->outcomes, g_ptr_array_index(places, i));
	return ok ? g_steal_pointer(&evaluation) : NULL;
}

static void count(struct counts *counts, bool truth, bool found)
{
	counts->tp += truth && found;
	counts->fp += !truth && found;
	counts->fn += truth && !found;
}

static void count_bins(const struct outcome *outcome, guint index, bool right, struct figures *out)
{
	int score = g_array_index(outcome->scores, int, index);
	if (score < 0)
		return;
	unsigned bin = MIN((unsigned)score * EVALUATE_BINS / SCORE_MAX, EVALUATE_BINS - 1u);
	out->bin_count[bin]++;
	out->bin_right[bin] += right;
}

static void count_outcome(
        const struct evaluation *evaluation, const struct outcome *outcome, struct figures *out)
{
	for (guint i = 0; i < evaluation->catalogue->concerns->len; i++) {
		bool truth = outcome->truth >> i & 1, found = outcome->found >> i & 1;
		if (!truth && (outcome->optional >> i & 1))
			continue;
		count(&out->all, truth, found);
		count(&out->concerns[i], truth, found);
		if (found)
			count_bins(outcome, i, truth, out);
	}
	count(&out->third_party, outcome->labelled->third_party, outcome->third_party);
	count(&out->resolved, outcome->labelled->resolved, outcome->resolved);
	out->messages++;
	out->missed_payment += outcome->missed_payment;
	out->wrong_reply += outcome->wrong_reply;
	out->doubt += outcome->doubt;
}

void evaluate_figures(
        const struct evaluation *evaluation, outcome_filter filter, const void *data, struct figures *out)
{
	*out = (struct figures){0};
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *outcome = g_ptr_array_index(evaluation->outcomes, i);
		if (!filter || filter(outcome, data))
			count_outcome(evaluation, outcome, out);
	}
}

static unsigned per_mille(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned)((part * 2000 + whole) / (whole * 2)) : 1000;
}

unsigned counts_precision(const struct counts *counts)
{
	return per_mille(counts->tp, (uint64_t)counts->tp + counts->fp);
}

unsigned counts_recall(const struct counts *counts)
{
	return per_mille(counts->tp, (uint64_t)counts->tp + counts->fn);
}

unsigned counts_f1(const struct counts *counts)
{
	return per_mille((uint64_t)2 * counts->tp, (uint64_t)2 * counts->tp + counts->fp + counts->fn);
}

unsigned outcome_errors(const struct outcome *outcome)
{
	uint32_t missed = outcome->truth & ~outcome->found;
	uint32_t wrong = outcome->found & ~outcome->truth & ~outcome->optional;
	return (unsigned)__builtin_popcount(missed) + (unsigned)__builtin_popcount(wrong);
}
