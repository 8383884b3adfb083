/* proof_model.c - a rule set made ready for the search: cells of every variable, conditions over cells. */
#include "classifiers/proof_internal.h"
#include "core/date.h"

#include <string.h>

/* ---- cells ---- */

static void add_cut(GArray *cuts, int32_t value)
{
	g_array_append_val(cuts, value);
}

static void cut_condition(const struct cond *cond, GArray **cuts)
{
	if (cond->op == COND_TEST && !cond->set && !cond->asks_unknown && !cond->definite) {
		add_cut(cuts[cond->var], cond->low);
		add_cut(cuts[cond->var], cond->high);
	}
	for (unsigned i = 0; i < cond->count; i++)
		cut_condition(cond->parts[i], cuts);
}

/* Days on which a switch or the closing of a mailbox changes what rules see. */
static void cut_switches(const struct rules *rules, GArray *cuts)
{
	for (guint i = 0; i < rules->switches->all->len; i++) {
		const struct dated_switch *dated = switches_get(rules->switches, (int)i);
		if (dated->from != DAY_NONE)
			add_cut(cuts, dated->from);
		if (dated->until != DAY_NONE)
			add_cut(cuts, dated->until);
	}
	for (guint i = 0; i < rules->switches->closed->len; i++) {
		const struct closed_mailbox *closed = g_ptr_array_index(rules->switches->closed, i);
		add_cut(cuts, closed->from);
	}
}

static int by_value(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return x < y ? -1 : x > y;
}

/* "unknown" first where it can be; then one value of each stretch between two cuts. */
static void cut_range(
        struct cells *cells, const struct var_info *info, GArray *cuts, int32_t low, int32_t high)
{
	g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(int32_t));
	if (info->unknowable)
		add_cut(values, RULES_UNKNOWN);
	add_cut(values, low);
	g_array_sort(cuts, by_value);
	for (guint i = 0; i < cuts->len; i++) {
		int32_t cut = g_array_index(cuts, int32_t, i);
		bool inside = cut > low && cut < high;
		if (inside && cut != g_array_index(values, int32_t, values->len - 1))
			add_cut(values, cut);
	}
	cells->overflow = values->len > RULES_MAX_WORDS;
	cells->count = MIN(values->len, RULES_MAX_WORDS);
	cells->values = g_memdup2(values->data, values->len * sizeof(int32_t));
}

static void word_cells(struct cells *cells, const struct var_info *info)
{
	cells->count = info->words->len;
	cells->values = g_new(int32_t, cells->count);
	for (unsigned i = 0; i < cells->count; i++)
		cells->values[i] = (int32_t)i;
}

/* Bounds of what a variable can be in this set: days of receipt within its validity. */
static void cut_variable(struct model *model, int var, GArray *cuts)
{
	const struct var_info *info = rules_vars_get(model->rules->vars, var);
	const struct ruleset *set = model->set;
	int32_t first = day_from_civil(2000, 1, 1), last = day_from_civil(2100, 1, 1);
	if (info->words) {
		word_cells(&model->cells[var], info);
	} else if (info->kind == VAR_KIND_NUMBER) {
		cut_range(&model->cells[var], info, cuts, 0, 100001);
	} else if (var == VAR_RECEIVED && !set->outside) {
		cut_range(&model->cells[var], info, cuts, set->from,
		        set->until == DAY_NONE ? last : set->until);
	} else {
		cut_range(&model->cells[var], info, cuts, first, last);
	}
}

static void cut_all(struct model *model)
{
	GArray **cuts = g_new(GArray *, model->var_count);
	for (unsigned v = 0; v < model->var_count; v++)
		cuts[v] = g_array_new(FALSE, FALSE, sizeof(int32_t));
	for (guint i = 0; i < model->set->rows->len; i++)
		cut_condition(((struct row *)g_ptr_array_index(model->set->rows, i))->when, cuts);
	for (guint i = 0; i < model->set->invariants->len; i++) {
		const struct invariant *invariant = g_ptr_array_index(model->set->invariants, i);
		if (invariant->when)
			cut_condition(invariant->when, cuts);
	}
	add_cut(cuts[VAR_ABSENCE_DAYS], model->rules->switches->absence_limit + 1);
	cut_switches(model->rules, cuts[VAR_RECEIVED]);
	for (unsigned v = 0; v < model->var_count; v++) {
		cut_variable(model, (int)v, cuts[v]);
		g_array_unref(cuts[v]);
		if (model->cells[v].overflow)
			model->overflow = rules_vars_get(model->rules->vars, (int)v)->name;
		for (unsigned c = 0; c < model->cells[v].count; c++)
			word_set_add(&model->full[v], (int32_t)c);
	}
	g_free(cuts);
}

/* ---- conditions over cells ---- */

static void compile_test(const struct model *model, const struct cond *test, struct formula *out)
{
	const struct cells *cells = &model->cells[test->var];
	out->var = test->var;
	for (unsigned c = 0; c < cells->count; c++) {
		enum truth truth = cond_test(test, cells->values[c]);
		struct word_set *set = truth == TRUTH_TRUE    ? &out->yes
		                       : truth == TRUTH_FALSE ? &out->no
		                                              : &out->unknown;
		word_set_add(set, (int32_t)c);
	}
}

void model_compile(const struct model *model, const struct cond *cond, struct formula *out)
{
	*out = (struct formula){.op = cond->op};
	if (cond->op == COND_TEST) {
		compile_test(model, cond, out);
		return;
	}
	out->count = cond->count;
	out->parts = g_new0(struct formula, cond->count);
	for (unsigned i = 0; i < cond->count; i++)
		model_compile(model, cond->parts[i], &out->parts[i]);
}

void formula_clear(struct formula *formula)
{
	for (unsigned i = 0; i < formula->count; i++)
		formula_clear(&formula->parts[i]);
	g_free(formula->parts);
}

/* ---- payment, tabulated ---- */

#define METHODS (PAYMENT_METHOD_OTHER_ADDRESS_BOUND + 1)
#define KINDS   (PAYMENT_KIND_ABSENCE + 1)

static size_t payment_index(
        const struct model *model, unsigned kind, unsigned day, unsigned method, unsigned absence)
{
	size_t days = model->cells[VAR_RECEIVED].count, lengths = model->cells[VAR_ABSENCE_DAYS].count;
	return ((kind * days + day) * METHODS + method) * lengths + absence;
}

enum relevance model_payment(
        const struct model *model, enum payment_kind kind, unsigned day, unsigned method, unsigned absence)
{
	return (enum relevance)model->payments[payment_index(model, kind, day, method, absence)];
}

static void tabulate_payments(struct model *model)
{
	const struct cells *days = &model->cells[VAR_RECEIVED], *lengths = &model->cells[VAR_ABSENCE_DAYS];
	model->payments = g_new(uint8_t, KINDS * METHODS * (size_t)days->count * lengths->count);
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned d = 0; d < days->count; d++)
			for (unsigned m = 0; m < METHODS; m++)
				for (unsigned l = 0; l < lengths->count; l++)
					model->payments[payment_index(model, kind, d, m, l)] =
					        (uint8_t)payment_of_kind(model->rules,
					                (enum payment_kind)kind, (enum payment_method)m,
					                lengths->values[l], days->values[d]);
}

/* ---- the model ---- */

static void compile_rows(struct model *model, const GPtrArray *rows)
{
	for (guint i = 0; i < rows->len; i++) {
		struct clause *clause = &model->clauses[model->clause_count++];
		clause->row = g_ptr_array_index(rows, i);
		model_compile(model, clause->row->when, &clause->when);
		if (clause->row->bars)
			model->bars[model->bar_count++] = clause;
	}
}

struct model *model_new(const struct rules *rules, const struct ruleset *set)
{
	struct model *model = g_new0(struct model, 1);
	model->rules = rules;
	model->set = set;
	model->var_count = rules->vars->all->len;
	model->cells = g_new0(struct cells, model->var_count);
	model->full = g_new0(struct word_set, model->var_count);
	model->clauses = g_new0(struct clause, set->rows->len + 1);
	model->bars = g_new0(const struct clause *, set->rows->len + 1);
	cut_all(model);
	tabulate_payments(model);
	compile_rows(model, set->item_rows);
	model->item_count = model->clause_count;
	compile_rows(model, set->concern_rows);
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	for (unsigned i = 0; i < model->clause_count; i++)
		formula_clear(&model->clauses[i].when);
	for (unsigned v = 0; v < model->var_count; v++)
		g_free(model->cells[v].values);
	g_free(model->cells);
	g_free(model->full);
	g_free(model->payments);
	g_free(model->clauses);
	g_free(model->bars);
	g_free(model);
}

/* ---- spaces ---- */

static size_t space_size(const struct model *model)
{
	return model->var_count * sizeof(struct word_set);
}

struct space *space_new(const struct model *model)
{
	return g_malloc0(space_size(model));
}

struct space *space_copy(const struct model *model, const struct space *space)
{
	return g_memdup2(space, space_size(model));
}

bool word_set_empty(const struct word_set *set)
{
	uint64_t any = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(set->bits); i++)
		any |= set->bits[i];
	return !any;
}

static void only(struct space *space, int var, int32_t cell)
{
	space->dom[var] = (struct word_set){{0}};
	word_set_add(&space->dom[var], cell);
}

static void without(struct space *space, int var, int32_t cell)
{
	space->dom[var].bits[cell >> 6] &= ~(UINT64_C(1) << (cell & 63));
}

void space_fill(const struct model *model, struct space *space, enum view view)
{
	memcpy(space->dom, model->full, space_size(model));
	if (!model->set->outside)
		only(space, VAR_RECEIVED_IN_FUTURE, false);
	else
		only(space, VAR_DOUBT, true);
	if (model->rules->switches->closed->len == 0 && !model->any_switch)
		only(space, VAR_CHANNEL_CLOSED, false);
	if (view == VIEW_ITEM)
		only(space, VAR_CONCERN, CONCERN_NONE);
	if (view == VIEW_CONCERN)
		without(space, VAR_CONCERN, CONCERN_NONE);
}
