/* rules_why.c - explanation from a trace: rows that acted, and for what did not happen the nearest row. */
#include "classifiers/rules_why.h"
#include "classifiers/rules_why_internal.h"
#include "core/date.h"

#include <string.h>

/* "task fraud_check", "ticket os_alg_plus", "forward sgb2", "eakte" */
static char *action_word(const struct then *then)
{
	const char *what = then->kind ? then->kind : then->queue ? then->queue : then->to;
	return what ? g_strdup_printf("%s %s", handler_name(then->handler), what)
	            : g_strdup(handler_name(then->handler));
}

static json_t *cites_of(const struct row *row)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < row->cite_count; i++) {
		json_t *cite = json_object();
		json_set_string(cite, "source", row->cites[i]->source);
		json_set_string(cite, "section", row->cites[i]->section);
		json_set_string(cite, "basis", basis_name(row->cites[i]->basis));
		json_array_append_new(list, cite);
	}
	return list;
}

static const char *concern_id(const struct trace *trace, int concern)
{
	if (concern < 0)
		return NULL;
	return catalogue_get(trace->e.rules->catalogue, trace->e.concerns[concern])->id;
}

static json_t *row_to_json(const struct row *row, const char *action)
{
	json_t *json = json_object();
	json_set_string(json, "action", action);
	json_set_string(json, "rule", row->id);
	json_set_string(json, "row", row->name);
	json_set_string(json, "title", row->title);
	json_object_set_new(json, "cites", cites_of(row));
	return json;
}

/* ---- what was done ---- */

/* One object for all concerns for which the row does it: `known` finds it by the action's template. */
static void add_taken(struct trace *trace, json_t *list, GHashTable *known, const struct trace_entry *entry)
{
	json_t *taken = g_hash_table_lookup(known, entry->then);
	if (!taken) {
		g_autofree char *action = action_word(entry->then);
		g_autoptr(GString) when = g_string_new(NULL);
		cond_print(entry->row->when, trace->e.rules->vars, when);
		taken = row_to_json(entry->row, action);
		json_set_string(taken, "when", when->str);
		json_object_set_new(taken, "concerns", json_array());
		json_array_append_new(list, taken);
		g_hash_table_insert(known, (void *)entry->then, taken);
	}
	if (entry->concern >= 0)
		json_add_string(json_object_get(taken, "concerns"), concern_id(trace, entry->concern));
}

static json_t *taken_to_json(struct trace *trace)
{
	json_t *list = json_array();
	g_autoptr(GHashTable) known = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		if (!entry->bar)
			add_taken(trace, list, known, entry);
	}
	return list;
}

/* ---- what was not done ---- */

/* The entry of such an action that happens, else one that is barred, else NULL. */
static const struct trace_entry *find_entry(const struct trace *trace, const char *action)
{
	const struct trace_entry *found = NULL;
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		g_autofree char *word = action_word(entry->then);
		if (strcmp(word, action) == 0 && (!found || !entry->bar))
			found = entry;
	}
	return found;
}

static void add_barred(struct trace *trace, json_t *list, const struct trace_entry *entry, const char *action)
{
	json_t *json = row_to_json(entry->row, action);
	g_autofree char *bar =
	        g_strdup_printf("%s%s%s", entry->bar->id, *entry->bar->name ? "/" : "", entry->bar->name);
	g_autofree char *missing = g_strdup_printf(
	        "applies, but is barred by rule %s (%s): %s", bar, entry->bar->title, entry->bar->reason);
	json_set_string(json, "missing", missing);
	json_set_string(json, "barred_by", bar);
	json_set_string(json, "concern", concern_id(trace, entry->concern));
	json_object_set_new(json, "cites", cites_of(entry->bar));
	json_array_append_new(list, json);
}

static void print_missing(struct trace *trace, const struct row *row, int concern, GString *out)
{
	g_autoptr(GPtrArray) tests = g_ptr_array_new();
	if (concern >= 0)
		evaluation_enter(&trace->e, (unsigned)concern);
	cond_failing(row->when, trace->e.env, true, row->on_unknown, tests);
	for (guint i = 0; i < tests->len; i++) {
		g_string_append(out, i ? "; " : "needs ");
		cond_print_failed(g_ptr_array_index(tests, i), trace->e.rules->vars, trace->e.env, out);
	}
}

/* An action that some row of the set causes. */
struct possible {
	const struct row *row;
	const struct then *then;
};

static void add_nearest(
        struct trace *trace, json_t *list, const struct possible *possible, const char *action)
{
	int concern = -1;
	const struct row *row = trace_nearest_like(trace, possible->then, &concern);
	g_autoptr(GString) missing = g_string_new(NULL);
	if (row)
		print_missing(trace, row, concern, missing);
	else
		g_string_append(missing, "has no concern to look at");
	json_t *json = row_to_json(row ? row : possible->row, action);
	json_set_string(json, "missing", missing->str);
	json_set_string(json, "barred_by", NULL);
	json_set_string(json, "concern", concern_id(trace, concern));
	json_array_append_new(list, json);
}

static void add_absent(struct trace *trace, json_t *list, GHashTable *told, const struct possible *possible)
{
	char *action = action_word(possible->then);
	if (!g_hash_table_add(told, action))
		return;
	const struct trace_entry *entry = find_entry(trace, action);
	if (!entry)
		add_nearest(trace, list, possible, action);
	else if (entry->bar)
		add_barred(trace, list, entry, action);
}

static int by_handler(const void *a, const void *b)
{
	const struct possible *x = a, *y = b;
	g_autofree char *left = action_word(x->then), *right = action_word(y->then);
	return x->then->handler != y->then->handler ? (int)x->then->handler - (int)y->then->handler
	                                            : strcmp(left, right);
}

static json_t *absent_to_json(struct trace *trace)
{
	json_t *list = json_array();
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct possible));
	for (guint i = 0; i < trace->e.set->rows->len; i++) {
		struct possible possible = {.row = g_ptr_array_index(trace->e.set->rows, i)};
		for (unsigned a = 0; a < possible.row->then_count; a++) {
			possible.then = possible.row->then[a];
			g_array_append_val(all, possible);
		}
	}
	g_array_sort(all, by_handler);
	for (guint i = 0; i < all->len; i++)
		add_absent(trace, list, told, &g_array_index(all, struct possible, i));
	return list;
}

json_t *rules_why(const struct rules *rules, const struct rule_input *input)
{
	const struct ruleset *set =
	        calendar_find(rules, berlin_day(input->received), input->received_in_future);
	struct trace trace;
	trace_init(&trace, rules, set, input);
	json_t *json = json_object();
	json_set_string(json, "ruleset", set->id);
	json_set_string(json, "title", set->title);
	json_set_string(json, "basis", basis_name(set->basis));
	json_object_set_new(json, "taken", taken_to_json(&trace));
	json_object_set_new(json, "nearest", absent_to_json(&trace));
	trace_clear(&trace);
	return json;
}

json_t *rules_why_as_of(const struct rules *rules, const struct rule_input *input, int32_t day)
{
	struct rule_input other = *input; /* borrows everything */
	other.received = berlin_instant(day, 12);
	return rules_why(rules, &other);
}

/* ---- text ---- */

static void print_cites(const json_t *cites, FILE *out)
{
	size_t i;
	json_t *cite;
	json_array_foreach (cites, i, cite)
		fprintf(out, "%s%s %s (%s)", i ? "; " : "", json_get_string(cite, "source"),
		        json_get_string(cite, "section"), json_get_string(cite, "basis"));
	fputc('\n', out);
}

static void print_rule(const json_t *entry, FILE *out)
{
	const char *row = json_get_string(entry, "row");
	fprintf(out, "  %s\n    rule %s%s%s: %s\n", json_get_string(entry, "action"),
	        json_get_string(entry, "rule"), *row ? "/" : "", row, json_get_string(entry, "title"));
}

static void print_evidence(const json_t *entry, const struct findings *findings, FILE *out)
{
	size_t i;
	json_t *id;
	json_array_foreach (json_object_get(entry, "concerns"), i, id) {
		const struct finding *finding =
		        findings ? findings_find(findings, json_string_value(id)) : NULL;
		fprintf(out, "    for   %s\n", json_string_value(id));
		for (guint e = 0; finding && e < finding->evidence->len; e++) {
			const struct evidence *evidence = g_ptr_array_index(finding->evidence, e);
			fprintf(out, "          %s at %u+%u: %s\n", evidence->field, evidence->offset,
			        evidence->length, evidence->by);
		}
	}
}

void rules_why_print(const json_t *why, const struct findings *findings, FILE *out)
{
	size_t i;
	json_t *entry;
	fprintf(out, "%s: %s (%s)\n\nDone\n", json_get_string(why, "ruleset"), json_get_string(why, "title"),
	        json_get_string(why, "basis"));
	json_array_foreach (json_object_get(why, "taken"), i, entry) {
		print_rule(entry, out);
		fprintf(out, "    when  %s\n    cites ", json_get_string(entry, "when"));
		print_cites(json_object_get(entry, "cites"), out);
		print_evidence(entry, findings, out);
	}
	fprintf(out, "\nNot done\n");
	json_array_foreach (json_object_get(why, "nearest"), i, entry) {
		const char *concern = json_get_string(entry, "concern");
		print_rule(entry, out);
		fprintf(out, "    %s%s%s\n", concern ? concern : "", concern ? ": " : "",
		        json_get_string(entry, "missing"));
	}
}

/* "reply — rule R/email" for each action taken, sorted and each once. */
static GPtrArray *taken_lines(const json_t *why)
{
	size_t i;
	json_t *entry;
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	json_array_foreach (json_object_get(why, "taken"), i, entry) {
		const char *row = json_get_string(entry, "row");
		g_ptr_array_add(lines, g_strdup_printf("%s (rule %s%s%s)", json_get_string(entry, "action"),
		                               json_get_string(entry, "rule"), *row ? "/" : "", row));
	}
	return lines;
}

static bool has_line(const GPtrArray *lines, const char *line)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)lines, line, g_str_equal, NULL);
}

/* Cells by characters, not bytes: umlauts must not shift the columns. */
static void print_pair(const char *left, const char *right, FILE *out)
{
	long width = g_utf8_strlen(left, -1);
	fprintf(out, "%s%*s | %s\n", left, (int)MAX(0, 46 - width), "", right);
}

void rules_why_print_beside(const json_t *left, const char *left_heading, const json_t *right,
        const char *right_heading, FILE *out)
{
	g_autoptr(GPtrArray) a = taken_lines(left), b = taken_lines(right);
	print_pair(left_heading, right_heading, out);
	print_pair(json_get_string(left, "ruleset"), json_get_string(right, "ruleset"), out);
	for (guint i = 0; i < a->len; i++) {
		const char *line = g_ptr_array_index(a, i);
		print_pair(line, has_line(b, line) ? line : "-", out);
	}
	for (guint i = 0; i < b->len; i++)
		if (!has_line(a, g_ptr_array_index(b, i)))
			print_pair("-", g_ptr_array_index(b, i), out);
}
