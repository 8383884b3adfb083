/* rules_table.c - the renderings of rule sets: text, CSV and HTML from the same cells. */
#include "classifiers/rules_table.h"
#include "classifiers/rules_internal.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

static const char *const headings[] = {"Rule", "Title", "Looks at", "When", "Unknown", "Does", "Cites", NULL};
enum { COLUMNS = 7, LIST_COLUMNS = 6 };
static const char *const list_headings[] = {"Rule set", "From", "To", "Basis", "Rules", "Title", NULL};

/* ---- cells ---- */

static void print_params(const struct then *then, GString *out)
{
	const char *parts[] = {
	        then->kind, then->queue, then->to, then->channel, then->template, then->mode, then->reason};
	const char *separator = ": ";
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (!parts[i])
			continue;
		g_string_append_printf(out, "%s%s", separator, parts[i]);
		separator = ", ";
	}
	if (then->handler != HANDLER_TICKET)
		return;
	g_string_append_printf(out, ", dated %s",
	        then->dated == TICKET_DATE_CLAIM_START ? "expected_claim_start" : "received");
	if (then->after_days)
		g_string_append_printf(out, ", not before day +%d", then->after_days);
}

static void print_targets(const char *verb, const struct target_list *list, GString *out)
{
	g_string_append_printf(out, "%s%s %s", out->len ? "; " : "", verb, list->all_but ? "all but " : "");
	for (unsigned i = 0; i < list->count; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", list->names[i]);
}

static char *effects_of(const struct row *row)
{
	GString *out = g_string_new(NULL);
	for (unsigned i = 0; i < row->then_count; i++) {
		g_string_append_printf(out, "%s%s", i ? "; " : "", handler_name(row->then[i]->handler));
		print_params(row->then[i], out);
	}
	if (row->bars) {
		print_targets("bars", row->bars, out);
		g_string_append_printf(out, " (%s)", row->reason);
	}
	if (row->adds) {
		g_autofree char *verb = g_strdup_printf("adds block %s to", row->block);
		print_targets(verb, row->adds, out);
	}
	return g_string_free(out, FALSE);
}

static char *cites_of(const struct row *row)
{
	GString *out = g_string_new(NULL);
	for (unsigned i = 0; i < row->cite_count; i++)
		g_string_append_printf(out, "%s%s %s (%s)", i ? "; " : "", row->cites[i]->source,
		        row->cites[i]->section, basis_name(row->cites[i]->basis));
	return g_string_free(out, FALSE);
}

static char *name_of(const struct row *row)
{
	return g_strdup_printf("%s%s%s", row->id, *row->name ? "/" : "", row->name);
}

/* The cells of one row; free with g_strfreev. */
static char **cells_of(const struct rules *rules, const struct row *row)
{
	char **cells = g_new0(char *, COLUMNS + 1);
	g_autoptr(GString) when = g_string_new(NULL);
	bool unknown = cond_can_be_unknown(row->when, rules->vars);
	cond_print(row->when, rules->vars, when);
	cells[0] = name_of(row);
	cells[1] = g_strdup(row->title);
	cells[2] = g_strdup(row->per_item ? "item" : "concern");
	cells[3] = g_strdup(when->str);
	cells[4] = g_strdup(!unknown ? "-" : row->on_unknown == ON_UNKNOWN_APPLIES ? "applies" : "skips");
	cells[5] = effects_of(row);
	cells[6] = cites_of(row);
	return cells;
}

/* 02.01.2020, or "-" */
static char *german_day(int32_t day)
{
	int y, m, d;
	if (day == DAY_NONE)
		return g_strdup("-");
	day_to_civil(day, &y, &m, &d);
	return g_strdup_printf("%02d.%02d.%04d", d, m, y);
}

static char **list_cells(const struct ruleset *set)
{
	char **cells = g_new0(char *, LIST_COLUMNS + 1);
	cells[0] = g_strdup(set->id);
	cells[1] = german_day(set->from);
	cells[2] = german_day(set->until == DAY_NONE ? DAY_NONE : set->until - 1);
	cells[3] = g_strdup(basis_name(set->basis));
	cells[4] = g_strdup_printf("%u", set->rows->len);
	cells[5] = g_strdup(set->title);
	return cells;
}

/* ---- writing cells ---- */

static void write_csv_cell(const char *text, FILE *out)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			fputc('"', out);
		fputc(*p, out);
	}
	fputc('"', out);
}

static void write_csv(const char *const *cells, FILE *out)
{
	for (int i = 0; cells[i]; i++) {
		if (i)
			fputc(',', out);
		write_csv_cell(cells[i], out);
	}
	fputs("\r\n", out);
}

static void write_html(const char *const *cells, const char *tag, FILE *out)
{
	fputs("<tr>", out);
	for (int i = 0; cells[i]; i++) {
		g_autofree char *text = g_markup_escape_text(cells[i], -1);
		bool head = strcmp(tag, "th") == 0;
		const char *name = head || i == 0 ? "th" : "td";
		const char *scope = head ? " scope=\"col\"" : i == 0 ? " scope=\"row\"" : "";
		fprintf(out, "<%s%s>%s</%s>", name, scope, text, name);
	}
	fputs("</tr>\n", out);
}

static void begin_html(const char *caption, const char *const *columns, FILE *out)
{
	g_autofree char *title = g_markup_escape_text(caption, -1);
	fprintf(out,
	        "<!DOCTYPE html>\n<html lang=\"de\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	        "<title>%s</title>\n<style>\n"
	        "body { font-family: sans-serif; margin: 1rem; }\n"
	        "table { border-collapse: collapse; }\n"
	        "caption { font-weight: bold; text-align: left; padding-bottom: 0.5rem; }\n"
	        "th, td { border: 1px solid #767676; padding: 0.3rem; text-align: left; vertical-align: top; "
	        "}\n"
	        "</style>\n</head>\n<body>\n<table>\n<caption>%s</caption>\n<thead>\n",
	        title, title);
	write_html(columns, "th", out);
	fputs("</thead>\n<tbody>\n", out);
}

static void end_html(FILE *out)
{
	fputs("</tbody>\n</table>\n</body>\n</html>\n", out);
}

/* One block a row: long conditions do not fit into columns of a terminal. */
static void write_block(char *const *cells, FILE *out)
{
	fprintf(out, "%s  %s\n", cells[0], cells[1]);
	fprintf(out, "    per   %s\n    when  %s\n", cells[2], cells[3]);
	if (strcmp(cells[4], "-") != 0)
		fprintf(out, "    unknown %s\n", cells[4]);
	fprintf(out, "    does  %s\n    cites %s\n", cells[5], cells[6]);
}

/* ---- finding sets ---- */

static const struct ruleset *require_set(const struct rules *rules, const char *id, GError **error)
{
	const struct ruleset *set = ruleset_find(rules, id);
	g_autoptr(GString) known = g_string_new(NULL);
	if (set)
		return set;
	for (guint i = 0; i < rules->sets->len; i++)
		g_string_append_printf(known, "%s%s", i ? ", " : "",
		        ((struct ruleset *)g_ptr_array_index(rules->sets, i))->id);
	fail(error, ERROR_USAGE, "there is no rule set \"%s\"; known: %s", id, known->str);
	return NULL;
}

static char *caption_of(const struct ruleset *set)
{
	g_autofree char *from = german_day(set->from);
	g_autofree char *to = german_day(set->until == DAY_NONE ? DAY_NONE : set->until - 1);
	if (set->outside)
		return g_strdup_printf("%s: %s", set->id, set->title);
	return g_strdup_printf(
	        "%s: %s (%s bis %s, %s)", set->id, set->title, from, to, basis_name(set->basis));
}

/* ---- the four views ---- */

void rules_list_print(const struct rules *rules, enum rules_format format, FILE *out)
{
	if (format == RULES_FORMAT_CSV)
		write_csv(list_headings, out);
	if (format == RULES_FORMAT_HTML)
		begin_html("Regelwerke", list_headings, out);
	for (guint i = 0; i < rules->sets->len; i++) {
		g_auto(GStrv) cells = list_cells(g_ptr_array_index(rules->sets, i));
		if (format == RULES_FORMAT_CSV)
			write_csv((const char *const *)cells, out);
		else if (format == RULES_FORMAT_HTML)
			write_html((const char *const *)cells, "td", out);
		else
			fprintf(out, "%-12s %-10s  %-10s  %-9s %3s  %s\n", cells[0], cells[1], cells[2],
			        cells[3], cells[4], cells[5]);
	}
	if (format == RULES_FORMAT_HTML)
		end_html(out);
}

bool rules_table_print(
        const struct rules *rules, const char *id, enum rules_format format, FILE *out, GError **error)
{
	const struct ruleset *set = require_set(rules, id, error);
	if (!set)
		return false;
	g_autofree char *caption = caption_of(set);
	if (format == RULES_FORMAT_CSV)
		write_csv(headings, out);
	else if (format == RULES_FORMAT_HTML)
		begin_html(caption, headings, out);
	else
		fprintf(out, "%s\n\n", caption);
	for (guint i = 0; i < set->rows->len; i++) {
		g_auto(GStrv) cells = cells_of(rules, g_ptr_array_index(set->rows, i));
		if (format == RULES_FORMAT_CSV)
			write_csv((const char *const *)cells, out);
		else if (format == RULES_FORMAT_HTML)
			write_html((const char *const *)cells, "td", out);
		else
			write_block(cells, out);
	}
	if (format == RULES_FORMAT_HTML)
		end_html(out);
	return true;
}

static void print_head(const struct rules *rules, const struct ruleset *set, FILE *out)
{
	g_autofree char *caption = caption_of(set);
	fprintf(out, "%s\n", caption);
	if (set->note)
		fprintf(out, "%s\n", set->note);
	if (set->extends)
		fprintf(out, "extends %s, cited as %s\n", set->extends, basis_name(set->inherited_basis));
	fprintf(out, "\nSources\n");
	for (const struct ruleset *s = set; s; s = s->extends ? ruleset_find(rules, s->extends) : NULL)
		for (guint i = 0; i < s->sources->len; i++) {
			const struct source *source = g_ptr_array_index(s->sources, i);
			fprintf(out, "  %s: %s\n", source->id, source->title);
		}
	fprintf(out, "\nInvariants, proved over all inputs\n");
	for (guint i = 0; i < set->invariants->len; i++) {
		const struct invariant *invariant = g_ptr_array_index(set->invariants, i);
		fprintf(out, "  %s: %s\n", invariant->id, invariant->title);
	}
	fprintf(out, "\nRules\n");
}

static void print_row_in_full(const struct rules *rules, const struct row *row, FILE *out)
{
	g_auto(GStrv) cells = cells_of(rules, row);
	write_block(cells, out);
	for (unsigned i = 0; i < row->then_count; i++)
		if (row->then[i]->text)
			fprintf(out, "    text  %s\n", row->then[i]->text);
	fprintf(out, "    from  %s (%s:%d)\n", row->origin, row->file, row->line);
}

bool rules_show_print(const struct rules *rules, const char *id, const char *rule, FILE *out, GError **error)
{
	const struct ruleset *set = require_set(rules, id, error);
	unsigned shown = 0;
	if (!set)
		return false;
	if (!rule)
		print_head(rules, set, out);
	for (guint i = 0; i < set->rows->len; i++) {
		const struct row *row = g_ptr_array_index(set->rows, i);
		g_autofree char *name = name_of(row);
		if (rule && strcmp(rule, row->id) != 0 && strcmp(rule, name) != 0)
			continue;
		print_row_in_full(rules, row, out);
		shown++;
	}
	if (shown || !rule)
		return true;
	fail(error, ERROR_USAGE, "rule set \"%s\" has no rule \"%s\"", id, rule);
	return false;
}

/* ---- differences ---- */

static const struct row *find_row(const struct ruleset *set, const struct row *row)
{
	for (guint i = 0; i < set->rows->len; i++) {
		const struct row *other = g_ptr_array_index(set->rows, i);
		if (row_compare(&row, &other) == 0)
			return other;
	}
	return NULL;
}

static bool print_change(const struct rules *rules, const struct row *a, const struct row *b, FILE *out)
{
	g_auto(GStrv) left = cells_of(rules, a), right = cells_of(rules, b);
	bool changed = false;
	for (int i = 1; i < COLUMNS; i++) {
		if (strcmp(left[i], right[i]) == 0)
			continue;
		if (!changed)
			fprintf(out, "~ %s\n", left[0]);
		changed = true;
		fprintf(out, "    %-8s - %s\n    %-8s + %s\n", headings[i], left[i], "", right[i]);
	}
	return changed;
}

static void print_one_sided(const struct rules *rules, char sign, const struct row *row, FILE *out)
{
	g_auto(GStrv) cells = cells_of(rules, row);
	fprintf(out, "%c %s  %s\n    when  %s\n    does  %s\n    cites %s\n", sign, cells[0], cells[1],
	        cells[3], cells[5], cells[6]);
}

bool rules_diff_print(const struct rules *rules, const char *a, const char *b, FILE *out, GError **error)
{
	const struct ruleset *left = require_set(rules, a, error);
	const struct ruleset *right = left ? require_set(rules, b, error) : NULL;
	unsigned same = 0;
	if (!right)
		return false;
	g_autofree char *before = caption_of(left), *after = caption_of(right);
	fprintf(out, "--- %s\n+++ %s\n", before, after);
	for (guint i = 0; i < left->rows->len; i++) {
		const struct row *row = g_ptr_array_index(left->rows, i), *other = find_row(right, row);
		if (!other)
			print_one_sided(rules, '-', row, out);
		else
			same += !print_change(rules, row, other, out);
	}
	for (guint i = 0; i < right->rows->len; i++)
		if (!find_row(left, g_ptr_array_index(right->rows, i)))
			print_one_sided(rules, '+', g_ptr_array_index(right->rows, i), out);
	fprintf(out, "%u rules without a change\n", same);
	return true;
}
