/* evaluate_print.c - the report as text and as JSON lines. */
#include "classifiers/evaluate.h"
#include "core/json.h"

#include <string.h>

/* A share of 0 … 1000 as "0.987". */
static void print_share3(FILE *out, const char *before, unsigned share)
{
	fprintf(out, "%s%u.%03u", before, share / 1000, share % 1000);
}

static void print_counts(FILE *out, const char *name, const struct counts *counts)
{
	fprintf(out, "%-30s %6u %6u %6u", name, counts->tp, counts->fp, counts->fn);
	print_share3(out, "   ", counts_precision(counts));
	print_share3(out, "  ", counts_recall(counts));
	print_share3(out, "  ", counts_f1(counts));
	fputc('\n', out);
}

static void print_share(FILE *out, const char *name, unsigned part, unsigned whole)
{
	unsigned scaled = whole ? (unsigned)(((uint64_t)part * 20000 + whole) / (2 * (uint64_t)whole)) : 0;
	fprintf(out, "%-30s %6u of %u (%u.%02u %%)\n", name, part, whole, scaled / 100, scaled % 100);
}

static void print_totals(const struct evaluation *evaluation, FILE *out)
{
	struct figures f;
	evaluate_figures(evaluation, NULL, NULL, &f);
	fprintf(out, "%-30s %6s %6s %6s   %5s  %5s  %5s\n", "", "right", "wrong", "missed", "prec", "rec",
	        "F1");
	for (guint i = 0; i < evaluation->catalogue->concerns->len; i++)
		if (f.concerns[i].tp + f.concerns[i].fp + f.concerns[i].fn)
			print_counts(out, catalogue_get(evaluation->catalogue, (int)i)->id, &f.concerns[i]);
	print_counts(out, "all concerns (micro)", &f.all);
	print_counts(out, "third_party", &f.third_party);
	print_counts(out, "resolved", &f.resolved);
	fputc('\n', out);
	print_share(out, "missed payment-relevant", f.missed_payment, f.messages);
	print_share(out, "wrong replies", f.wrong_reply, f.messages);
	print_share(out, "klaerung from doubt", f.doubt, f.messages);
	fputs("\ncalibration: findings by score, share that is right\n", out);
	for (unsigned b = 0; b < EVALUATE_BINS; b++)
		if (f.bin_count[b])
			fprintf(out, "  %3u-%3u %%  %5u findings, %3u %% right\n", b * 100 / EVALUATE_BINS,
			        (b + 1) * 100 / EVALUATE_BINS, f.bin_count[b],
			        f.bin_right[b] * 100 / f.bin_count[b]);
}

static bool in_file(const struct outcome *outcome, const void *data)
{
	return outcome->labelled->file == *(const unsigned *)data;
}

static bool of_difficulty(const struct outcome *outcome, const void *data)
{
	return g_strcmp0(outcome->labelled->difficulty, data) == 0;
}

static void print_group(FILE *out, const char *name, const struct figures *f)
{
	if (!f->messages)
		return;
	fprintf(out, "%-30s %5u messages", name, f->messages);
	print_share3(out, "  F1 ", counts_f1(&f->all));
	fprintf(out, "  missed %u  wrong replies %u  doubt %u\n", f->missed_payment, f->wrong_reply,
	        f->doubt);
}

static void print_groups(const struct evaluation *evaluation, FILE *out)
{
	static const char *const difficulties[] = {"easy", "medium", "hard"};
	struct figures f;
	fputs("\nby file and difficulty\n", out);
	for (unsigned i = 0; i < evaluation->labels->files->len; i++) {
		evaluate_figures(evaluation, in_file, &i, &f);
		print_group(out, g_ptr_array_index(evaluation->labels->files, i), &f);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(difficulties); i++) {
		evaluate_figures(evaluation, of_difficulty, difficulties[i], &f);
		print_group(out, difficulties[i], &f);
	}
}

/* Rows: labelled and missed; columns: what was found instead ("-": nothing wrong besides). */
static void print_confusion(const struct evaluation *evaluation, FILE *out)
{
	guint n = evaluation->catalogue->concerns->len;
	g_autofree unsigned *table = g_new0(unsigned, (size_t)(n + 1) * (n + 1));
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *o = g_ptr_array_index(evaluation->outcomes, i);
		uint32_t missed = o->truth & ~o->found, wrong = o->found & ~o->truth & ~o->optional;
		for (guint a = 0; a <= n; a++)
			for (guint b = 0; b <= n; b++)
				table[a * (n + 1) + b] += (a < n ? missed >> a & 1 : !missed && wrong) &&
				                          (b < n ? wrong >> b & 1 : !wrong && missed);
	}
	fputs("\nconfusion: labelled and missed -> found instead\n", out);
	for (guint a = 0; a <= n; a++)
		for (guint b = 0; b <= n; b++)
			if (table[a * (n + 1) + b])
				fprintf(out, "  %-30s -> %-30s %4u\n",
				        a < n ? catalogue_get(evaluation->catalogue, (int)a)->id : "-",
				        b < n ? catalogue_get(evaluation->catalogue, (int)b)->id : "-",
				        table[a * (n + 1) + b]);
}

static char *names(const struct catalogue *catalogue, uint32_t bits)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < catalogue->concerns->len; i++)
		if (bits >> i & 1)
			g_string_append_printf(
			        text, "%s%s", text->len ? "," : "", catalogue_get(catalogue, (int)i)->id);
	return g_string_free(text, FALSE);
}

static void print_faults(const struct evaluation *evaluation, FILE *out)
{
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *o = g_ptr_array_index(evaluation->outcomes, i);
		g_autofree char *truth = names(evaluation->catalogue, o->truth);
		g_autofree char *found = names(evaluation->catalogue, o->found);
		if (o->missed_payment)
			fprintf(out, "missed payment-relevant: %s labelled %s, found %s\n", o->labelled->id,
			        truth, found);
		if (o->wrong_reply)
			fprintf(out, "wrong reply: %s labelled %s, found %s\n", o->labelled->id, truth,
			        found);
	}
}

void evaluate_print(const struct evaluation *evaluation, FILE *out)
{
	print_totals(evaluation, out);
	print_groups(evaluation, out);
	print_confusion(evaluation, out);
	fputc('\n', out);
	print_faults(evaluation, out);
}

static json_t *name_list(const struct catalogue *catalogue, uint32_t bits)
{
	json_t *list = json_array();
	for (guint i = 0; i < catalogue->concerns->len; i++)
		if (bits >> i & 1)
			json_add_string(list, catalogue_get(catalogue, (int)i)->id);
	return list;
}

static json_t *model_scores(const struct evaluation *evaluation, const struct outcome *outcome)
{
	json_t *out = json_object();
	for (guint i = 0; i < MIN(outcome->model->len, evaluation->outputs->len); i++)
		json_set_int(out, g_ptr_array_index(evaluation->outputs, i),
		        g_array_index(outcome->model, int, i));
	return out;
}

void evaluate_print_jsonl(const struct evaluation *evaluation, FILE *out)
{
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *o = g_ptr_array_index(evaluation->outcomes, i);
		JSON_AUTO line = json_object();
		json_set_string(line, "id", o->labelled->id);
		json_object_set_new(line, "labelled", name_list(evaluation->catalogue, o->truth));
		json_object_set_new(line, "found", name_list(evaluation->catalogue, o->found));
		json_set_bool(line, "doubt", o->doubt);
		json_set_string(line, "reason", o->reason);
		json_set_int(line, "errors", outcome_errors(o));
		json_set_bool(line, "missed_payment", o->missed_payment);
		json_set_bool(line, "wrong_reply", o->wrong_reply);
		json_set_bool(line, "third_party", o->third_party);
		json_set_bool(line, "resolved", o->resolved);
		json_object_set_new(line, "scores", model_scores(evaluation, o));
		g_autofree char *text = json_canonical(line);
		fprintf(out, "%s\n", text);
	}
}

static void print_pair(FILE *out, const char *name, unsigned a, unsigned b)
{
	fprintf(out, "%-30s %8u %8u   %+d\n", name, a, b, (int)b - (int)a);
}

static void print_changes(const struct evaluation *a, const struct evaluation *b, bool gained, FILE *out)
{
	for (guint i = 0; i < MIN(a->outcomes->len, b->outcomes->len); i++) {
		const struct outcome *x = g_ptr_array_index(a->outcomes, i),
		                     *y = g_ptr_array_index(b->outcomes, i);
		unsigned before = outcome_errors(x), after = outcome_errors(y);
		if (gained ? after >= before : after <= before)
			continue;
		g_autofree char *truth = names(a->catalogue, x->truth), *old = names(a->catalogue, x->found),
		                *new = names(b->catalogue, y->found);
		fprintf(out, "%s %s labelled %s: %s -> %s\n", gained ? "gained" : "lost", x->labelled->id,
		        truth, *old ? old : "-", *new ? new : "-");
	}
}

void evaluate_compare(const struct evaluation *a, const struct evaluation *b, FILE *out)
{
	struct figures x, y;
	evaluate_figures(a, NULL, NULL, &x);
	evaluate_figures(b, NULL, NULL, &y);
	fprintf(out, "%-30s %8s %8s\n", "per mille, or number", "A", "B");
	for (guint i = 0; i < a->catalogue->concerns->len; i++) {
		const char *id = catalogue_get(a->catalogue, (int)i)->id;
		int other = catalogue_find(b->catalogue, id);
		if (other >= 0 && x.concerns[i].tp + x.concerns[i].fn)
			print_pair(out, id, counts_f1(&x.concerns[i]), counts_f1(&y.concerns[other]));
	}
	print_pair(out, "all concerns (micro-F1)", counts_f1(&x.all), counts_f1(&y.all));
	print_pair(out, "third_party F1", counts_f1(&x.third_party), counts_f1(&y.third_party));
	print_pair(out, "resolved F1", counts_f1(&x.resolved), counts_f1(&y.resolved));
	print_pair(out, "missed payment-relevant", x.missed_payment, y.missed_payment);
	print_pair(out, "wrong replies", x.wrong_reply, y.wrong_reply);
	print_pair(out, "klaerung from doubt", x.doubt, y.doubt);
	print_changes(a, b, true, out);
	print_changes(a, b, false, out);
}
