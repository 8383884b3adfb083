/* evaluate_html.c - the report as one page: figures, bars per concern, confusion as a heat map, calibration.
 *
 * Inline SVG, no script, nothing from outside. Ids and figures only: a page may be passed on, the messages
 * may not. */
#include "classifiers/evaluate.h"

#include <string.h>

#define BAR_WIDTH 360
#define CELL      34
#define LABEL     230

static void escape(FILE *out, const char *text)
{
	g_autofree char *safe = g_markup_escape_text(text ? text : "", -1);
	fputs(safe, out);
}

static void print_head(const struct evaluation *evaluation, const struct figures *f, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>posteingang "
	      "evaluate</title>\n"
	      "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 "
	      "1em;color:#1b1f24}"
	      "table{border-collapse:collapse}td,th{padding:.15em .8em .15em "
	      "0;text-align:right}td:first-child,"
	      "th:first-child{text-align:left}h2{margin-top:2em}.big{font-size:1.6em}.warn{color:#a40000}"
	      "svg text{font:12px "
	      "system-ui,sans-serif;fill:#1b1f24}</style></head><body>\n<h1>Classification of labelled "
	      "messages</h1>\n",
	        out);
	fprintf(out, "<p class=\"big\">micro-F1 %u.%u %% over %u messages, %u files</p>\n",
	        counts_f1(&f->all) / 10, counts_f1(&f->all) % 10, f->messages,
	        evaluation->labels->files->len);
	fprintf(out,
	        "<p>Missed payment-relevant: <b class=\"%s\">%u</b>. Wrong replies: <b>%u</b>. Klärung from "
	        "doubt: <b>%u</b>. "
	        "third_party F1 %u ‰, resolved F1 %u ‰.</p>\n<p><small>labels %s</small></p>\n",
	        f->missed_payment ? "warn" : "", f->missed_payment, f->wrong_reply, f->doubt,
	        counts_f1(&f->third_party), counts_f1(&f->resolved), evaluation->labels->hash);
}

static void print_bar(FILE *out, unsigned row, const char *name, const struct counts *counts)
{
	static const char *const colours[] = {"#7aa6c2", "#c2a67a", "#2f6f4f"};
	const unsigned values[] = {counts_precision(counts), counts_recall(counts), counts_f1(counts)};
	unsigned y = 20 + row * 46;
	fprintf(out, "<text x=\"0\" y=\"%u\">", y + 22);
	escape(out, name);
	fputs("</text>", out);
	for (unsigned i = 0; i < 3; i++)
		fprintf(out,
		        "<rect x=\"%d\" y=\"%u\" width=\"%u\" height=\"10\" fill=\"%s\"/><text x=\"%u\" "
		        "y=\"%u\">%u.%u</text>\n",
		        LABEL, y + i * 13, values[i] * BAR_WIDTH / 1000, colours[i],
		        LABEL + values[i] * BAR_WIDTH / 1000 + 6, y + i * 13 + 9, values[i] / 10,
		        values[i] % 10);
}

static void print_bars(const struct evaluation *evaluation, const struct figures *f, FILE *out)
{
	unsigned rows = evaluation->catalogue->concerns->len, row = 0;
	fprintf(out,
	        "<h2>Per concern</h2><p>blue precision, ochre recall, green F1 (per cent)</p>\n<svg "
	        "width=\"%d\" height=\"%u\" role=\"img\">\n",
	        LABEL + BAR_WIDTH + 60, 30 + rows * 46);
	for (guint i = 0; i < rows; i++)
		if (f->concerns[i].tp + f->concerns[i].fp + f->concerns[i].fn)
			print_bar(out, row++, catalogue_get(evaluation->catalogue, (int)i)->id,
			        &f->concerns[i]);
	fputs("</svg>\n", out);
}

/* How often b was found where a was labelled and missed. */
static unsigned confused(const struct evaluation *evaluation, guint a, guint b)
{
	unsigned n = 0;
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *o = g_ptr_array_index(evaluation->outcomes, i);
		uint32_t wrong = o->found & ~o->truth & ~o->optional, missed = o->truth & ~o->found;
		n += a == b ? (o->truth & o->found) >> a & 1 : (missed >> a & 1) && (wrong >> b & 1);
	}
	return n;
}

static void print_matrix(const struct evaluation *evaluation, FILE *out)
{
	guint n = evaluation->catalogue->concerns->len;
	fprintf(out,
	        "<h2>Confusion</h2><p>rows: labelled; columns: found instead; diagonal: right</p>\n<svg "
	        "width=\"%u\" height=\"%u\" role=\"img\">\n",
	        LABEL + n * CELL, 160 + n * CELL);
	for (guint a = 0; a < n; a++) {
		const char *id = catalogue_get(evaluation->catalogue, (int)a)->id;
		fprintf(out, "<text x=\"0\" y=\"%u\">%s</text>", 160 + a * CELL + 22, id);
		fprintf(out, "<text transform=\"translate(%u,155) rotate(-60)\">%s</text>\n",
		        LABEL + a * CELL + 20, id);
		for (guint b = 0; b < n; b++) {
			unsigned count = confused(evaluation, a, b);
			unsigned shade = count == 0 ? 0 : a == b ? 30 : MIN(90u, 15 + count * 5);
			fprintf(out,
			        "<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" fill=\"%s\" "
			        "fill-opacity=\"0.%02u\" stroke=\"#ddd\"/>",
			        LABEL + b * CELL, 160 + a * CELL, CELL, CELL, a == b ? "#2f6f4f" : "#a40000",
			        shade);
			if (count)
				fprintf(out, "<text x=\"%u\" y=\"%u\">%u</text>", LABEL + b * CELL + 5,
				        160 + a * CELL + 22, count);
		}
		fputc('\n', out);
	}
	fputs("</svg>\n", out);
}

static void print_calibration(const struct figures *f, FILE *out)
{
	fputs("<h2>Calibration</h2><p>share of findings that are right (points) against their score; the "
	      "line is perfect</p>\n"
	      "<svg width=\"360\" height=\"340\" role=\"img\"><line x1=\"40\" y1=\"300\" x2=\"340\" y2=\"0\" "
	      "stroke=\"#999\"/>"
	      "<line x1=\"40\" y1=\"300\" x2=\"340\" y2=\"300\" stroke=\"#333\"/><line x1=\"40\" y1=\"0\" "
	      "x2=\"40\" y2=\"300\" stroke=\"#333\"/>\n",
	        out);
	for (unsigned b = 0; b < EVALUATE_BINS; b++) {
		if (!f->bin_count[b])
			continue;
		unsigned x = 40 + (2 * b + 1) * 300 / (2 * EVALUATE_BINS),
		         y = 300 - f->bin_right[b] * 300 / f->bin_count[b];
		unsigned r = f->bin_count[b] > 1000 ? 9 : f->bin_count[b] > 100 ? 6 : 4;
		fprintf(out,
		        "<circle cx=\"%u\" cy=\"%u\" r=\"%u\" fill=\"#2f6f4f\"><title>%u findings, %u "
		        "right</title></circle>\n",
		        x, y, r, f->bin_count[b], f->bin_right[b]);
	}
	fputs("<text x=\"35\" y=\"318\">0</text><text x=\"325\" y=\"318\">100 %</text><text x=\"0\" "
	      "y=\"12\">100 %</text></svg>\n",
	        out);
}

static bool in_file(const struct outcome *outcome, const void *data)
{
	return outcome->labelled->file == *(const unsigned *)data;
}

static bool of_difficulty(const struct outcome *outcome, const void *data)
{
	return g_strcmp0(outcome->labelled->difficulty, data) == 0;
}

static void print_row(FILE *out, const char *name, const struct figures *f)
{
	fputs("<tr><td>", out);
	escape(out, name);
	fprintf(out, "</td><td>%u</td><td>%u.%u</td><td>%u</td><td>%u</td><td>%u</td></tr>\n", f->messages,
	        counts_f1(&f->all) / 10, counts_f1(&f->all) % 10, f->missed_payment, f->wrong_reply,
	        f->doubt);
}

static void print_groups(const struct evaluation *evaluation, FILE *out)
{
	static const char *const difficulties[] = {"easy", "medium", "hard"};
	struct figures f;
	fputs("<h2>By file and difficulty</h2><table><tr><th></th><th>messages</th><th>F1 "
	      "%</th><th>missed</th><th>wrong replies</th>"
	      "<th>doubt</th></tr>\n",
	        out);
	for (unsigned i = 0; i < evaluation->labels->files->len; i++) {
		evaluate_figures(evaluation, in_file, &i, &f);
		print_row(out, g_ptr_array_index(evaluation->labels->files, i), &f);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(difficulties); i++) {
		evaluate_figures(evaluation, of_difficulty, difficulties[i], &f);
		print_row(out, difficulties[i], &f);
	}
	fputs("</table>\n", out);
}

static void print_faults(const struct evaluation *evaluation, FILE *out)
{
	fputs("<h2>Missed payment-relevant items and wrong replies</h2><ul>\n", out);
	for (guint i = 0; i < evaluation->outcomes->len; i++) {
		const struct outcome *o = g_ptr_array_index(evaluation->outcomes, i);
		if (!o->missed_payment && !o->wrong_reply)
			continue;
		fputs("<li>", out);
		escape(out, o->labelled->id);
		fputs(o->missed_payment ? ": missed payment-relevant" : ": wrong reply", out);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

void evaluate_print_html(const struct evaluation *evaluation, FILE *out)
{
	struct figures f;
	evaluate_figures(evaluation, NULL, NULL, &f);
	print_head(evaluation, &f, out);
	print_bars(evaluation, &f, out);
	print_matrix(evaluation, out);
	print_calibration(&f, out);
	print_groups(evaluation, out);
	print_faults(evaluation, out);
	fputs("</body></html>\n", out);
}
