/* proof.c - which claims are searched for, and how a failure is told. */
#include "classifiers/proof_internal.h"
#include "core/date.h"

#include <string.h>

struct claim {
	struct model *model;
	struct diag *diag;
	const struct invariant *invariant; /* NULL: the built-in one about tickets */
	struct formula when;
	bool reported;
};

/* ---- a claim on one real input ---- */

static bool entry_breaks(
        struct trace *trace, const struct invariant *invariant, const struct trace_entry *entry)
{
	if (entry->bar || !(invariant->handlers >> entry->then->handler & 1))
		return false;
	if (invariant->kind == INVARIANT_ONLY_RULES)
		return !g_strv_contains(invariant->rules, entry->row->id);
	if (invariant->kind == INVARIANT_AT_MOST)
		return true;
	struct evaluation *e = &trace->e;
	if (entry->concern >= 0) {
		evaluation_enter(e, (unsigned)entry->concern);
	} else {
		e->env[VAR_CONCERN] = CONCERN_NONE;
		e->env[VAR_RECHTSKREIS] = (int32_t)e->item_rechtskreis;
		e->env[VAR_CONCERN_PAYMENT] = e->env[VAR_PAYMENT];
	}
	return cond_eval(invariant->when, e->env) != TRUTH_TRUE;
}

/* The built-in claim: no ticket is dated by a start of claim that is unknown. */
static bool ticket_breaks(const struct trace *trace, const struct trace_entry *entry)
{
	return !entry->bar && entry->then->handler == HANDLER_TICKET &&
	       entry->then->dated == TICKET_DATE_CLAIM_START &&
	       trace->e.env[VAR_EXPECTED_CLAIM_START] == RULES_UNKNOWN;
}

/* The row that breaks the claim, or NULL. */
static const struct row *breaking_row(struct trace *trace, const struct invariant *invariant)
{
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		if (invariant ? entry_breaks(trace, invariant, entry) : ticket_breaks(trace, entry))
			return entry->row;
	}
	return NULL;
}

static bool any_of(const struct trace *trace, unsigned handlers)
{
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		if (!entry->bar && (handlers >> entry->then->handler & 1))
			return true;
	}
	return false;
}

static bool breaks(const struct model *model, const struct rule_input *input, const void *data)
{
	const struct invariant *invariant = data;
	struct trace trace;
	trace_init(&trace, model->rules, model->set, input);
	bool broken;
	if (invariant && invariant->kind == INVARIANT_REQUIRES)
		broken = cond_eval(invariant->when, trace.e.env) == TRUTH_TRUE &&
		         !any_of(&trace, invariant->handlers);
	else
		broken = breaking_row(&trace, invariant) != NULL;
	trace_clear(&trace);
	return broken;
}

/* ---- telling ---- */

/* For an action that is missing: the row that bars it, or the one nearest to causing it. */
static const struct row *missing_because(struct trace *trace, unsigned handlers)
{
	int concern;
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		if (entry->bar && (handlers >> entry->then->handler & 1))
			return entry->bar;
	}
	return trace_nearest(trace, handlers, &concern);
}

static void print_outcome(const struct trace *trace, GString *out)
{
	unsigned count = 0;
	for (guint i = 0; i < trace->entries->len; i++) {
		const struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		if (entry->bar)
			continue;
		g_string_append_printf(out, "%s%s%s%s (rule %s)", count++ ? ", " : "",
		        handler_name(entry->then->handler), entry->then->kind ? " " : "",
		        entry->then->kind ? entry->then->kind : "", entry->row->id);
	}
	if (!count)
		g_string_append(out, "nothing happens");
}

static void report_case(struct claim *claim, const struct rule_input *input)
{
	const struct model *model = claim->model;
	const struct invariant *invariant = claim->invariant;
	struct trace trace;
	trace_init(&trace, model->rules, model->set, input);
	bool missing = invariant && invariant->kind == INVARIANT_REQUIRES;
	const struct row *blame =
	        missing ? missing_because(&trace, invariant->handlers) : breaking_row(&trace, invariant);
	g_autofree char *words = case_print(model->rules, input);
	g_autoptr(GString) outcome = g_string_new(NULL);
	print_outcome(&trace, outcome);
	const char *id = invariant ? invariant->id : "ticket_date";
	const char *title = invariant ? invariant->title : "a ticket is dated by a known start of claim";
	if (blame)
		diag_add(claim->diag, SEVERITY_ERROR, blame->file, blame->line, blame->column,
		        "rule set %s: invariant \"%s\" (%s) does not hold; smallest case: %s: %s; blame rule "
		        "%s%s%s "
		        "(%s)",
		        model->set->id, id, title, words, outcome->str, blame->id, *blame->name ? "/" : "",
		        blame->name, blame->title);
	else
		diag_add(claim->diag, SEVERITY_ERROR, invariant->file, invariant->line, invariant->column,
		        "rule set %s: invariant \"%s\" (%s) does not hold; smallest case: %s: %s; no rule "
		        "causes it",
		        model->set->id, id, title, words, outcome->str);
	trace_clear(&trace);
}

static void report_unproved(struct claim *claim, const char *why)
{
	const struct invariant *invariant = claim->invariant;
	diag_add(claim->diag, SEVERITY_ERROR, invariant ? invariant->file : claim->model->set->file,
	        invariant ? invariant->line : 0, invariant ? invariant->column : 0,
	        "rule set %s: invariant \"%s\" could not be proved: %s", claim->model->set->id,
	        invariant ? invariant->id : "ticket_date", why);
}

/* Looks for a case of the goal; one report a claim is enough. */
static void refute(struct claim *claim, const struct goal *goal)
{
	g_autofree struct space *space = NULL;
	if (claim->reported)
		return;
	enum found found = model_search(claim->model, goal, &space);
	if (found == FOUND_NOTHING)
		return;
	claim->reported = true;
	if (found == FOUND_LIMIT) {
		report_unproved(claim, "the search grew too large");
		return;
	}
	AUTO(rule_input) input = case_find(claim->model, space, breaks, claim->invariant);
	if (input) {
		report_case(claim, input);
		return;
	}
	g_autofree char *left = space_print(claim->model, space);
	g_autofree char *why =
	        g_strdup_printf("no case was found, but none could be excluded where %s", left);
	report_unproved(claim, why);
}

/* ---- the kinds of claims ---- */

/* Every action of the handlers, in the eyes of its own row. */
static void refute_actions(struct claim *claim, unsigned handlers, const struct formula *fails)
{
	struct model *model = claim->model;
	for (unsigned i = 0; i < model->clause_count; i++) {
		const struct clause *clause = &model->clauses[i];
		if (claim->invariant && claim->invariant->kind == INVARIANT_ONLY_RULES &&
		        g_strv_contains(claim->invariant->rules, clause->row->id))
			continue;
		for (unsigned a = 0; a < clause->row->then_count; a++) {
			struct goal goal = {
			        .view = clause->row->per_item ? VIEW_ITEM : VIEW_CONCERN,
			        .fails = fails,
			        .applies = clause,
			        .happens = clause->row->then[a],
			};
			if (handlers >> goal.happens->handler & 1)
				refute(claim, &goal);
		}
	}
}

static void prove_at_most(struct claim *claim)
{
	const unsigned merged = 1U << HANDLER_EAKTE | 1U << HANDLER_CALL | 1U << HANDLER_NONE;
	const struct invariant *invariant = claim->invariant;
	unsigned kinds = 0;
	if (invariant->limit == 0) {
		refute_actions(claim, invariant->handlers, NULL);
		return;
	}
	for (int h = 0; h < HANDLER_COUNT; h++)
		kinds += invariant->handlers >> h & 1U;
	if (invariant->handlers & ~merged || kinds > (unsigned)invariant->limit)
		report_unproved(claim,
		        "a number above 0 can be claimed only for eakte, call and none, which merge to one");
}

/* True if it was proved and says that something happens in any case. */
static bool prove_invariant(struct model *model, const struct invariant *invariant, struct diag *diag)
{
	struct claim claim = {.model = model, .diag = diag, .invariant = invariant};
	if (invariant->when)
		model_compile(model, invariant->when, &claim.when);
	struct goal requires = {.view = VIEW_WITNESS, .holds = &claim.when, .absent = invariant->handlers};
	switch (invariant->kind) {
	case INVARIANT_REQUIRES:
		refute(&claim, &requires);
		break;
	case INVARIANT_ONLY_WHEN:
		refute_actions(&claim, invariant->handlers, &claim.when);
		break;
	case INVARIANT_AT_MOST:
		prove_at_most(&claim);
		break;
	case INVARIANT_ONLY_RULES:
		refute_actions(&claim, invariant->handlers, NULL);
		break;
	}
	if (invariant->when)
		formula_clear(&claim.when);
	return invariant->kind == INVARIANT_REQUIRES && !claim.reported && invariant->when->op == COND_ALL &&
	       invariant->when->count == 0;
}

static void prove_tickets(struct model *model, struct diag *diag)
{
	struct claim claim = {.model = model, .diag = diag};
	struct cond known = {.op = COND_TEST,
	        .var = VAR_EXPECTED_CLAIM_START,
	        .definite = true,
	        .low = RULES_UNKNOWN + 1,
	        .high = INT32_MAX};
	model_compile(model, &known, &claim.when);
	for (unsigned i = 0; i < model->clause_count; i++) {
		const struct clause *clause = &model->clauses[i];
		for (unsigned a = 0; a < clause->row->then_count; a++) {
			const struct then *then = clause->row->then[a];
			struct goal goal = {.view = clause->row->per_item ? VIEW_ITEM : VIEW_CONCERN,
			        .fails = &claim.when,
			        .applies = clause,
			        .happens = then};
			if (then->handler == HANDLER_TICKET && then->dated == TICKET_DATE_CLAIM_START)
				refute(&claim, &goal);
		}
	}
	formula_clear(&claim.when);
}

/* ---- reports ---- */

static bool can_be(struct model *model, const struct goal *goal)
{
	g_autofree struct space *space = NULL;
	return model_search(model, goal, &space) != FOUND_NOTHING;
}

static void tell(const struct model *model, struct diag *diag, enum severity severity, const struct row *row,
        const char *what)
{
	diag_add(diag, severity, row->file, row->line, row->column, "rule set %s: rule %s%s%s %s",
	        model->set->id, row->id, *row->name ? "/" : "", row->name, what);
}

static void report_row(struct model *model, const struct clause *clause, struct diag *diag)
{
	struct goal fires = {.view = clause->row->per_item ? VIEW_ITEM : VIEW_CONCERN, .applies = clause};
	if (!can_be(model, &fires)) {
		model->any_switch = true;
		bool sleeps = can_be(model, &fires);
		model->any_switch = false;
		if (sleeps)
			tell(model, diag, SEVERITY_NOTE, clause->row, "is off: by a switch or its dates");
		else
			tell(model, diag, SEVERITY_WARNING, clause->row, "can never fire");
		return;
	}
	for (unsigned a = 0; a < clause->row->then_count; a++) {
		struct goal happens = fires;
		happens.happens = clause->row->then[a];
		g_autofree char *what = g_strdup_printf(
		        "is always suppressed: its %s never happens", handler_name(happens.happens->handler));
		if (!can_be(model, &happens))
			tell(model, diag, SEVERITY_WARNING, clause->row, what);
	}
}

static bool hits_nothing(const struct ruleset *set, const struct target_list *list)
{
	for (unsigned i = 0; list && i < set->then_count; i++)
		if (target_hits(list, i))
			return false;
	return list != NULL;
}

/* Is there an input that no rule speaks to? */
static bool is_silent(const struct model *model, const struct rule_input *input, const void *data)
{
	struct trace trace;
	(void)data;
	trace_init(&trace, model->rules, model->set, input);
	bool silent = trace.entries->len == 0;
	trace_clear(&trace);
	return silent;
}

static void report_silence(struct model *model, struct diag *diag)
{
	struct goal silence = {
	        .view = VIEW_WITNESS, .absent = (1U << HANDLER_COUNT) - 1, .ignore_bars = true};
	g_autofree struct space *space = NULL;
	if (model_search(model, &silence, &space) != FOUND_CASE)
		return;
	AUTO(rule_input) input = case_find(model, space, is_silent, NULL);
	if (!input)
		return;
	g_autofree char *words = case_print(model->rules, input);
	diag_add(diag, SEVERITY_WARNING, model->set->file, model->set->line, model->set->column,
	        "rule set %s: no rule speaks to: %s", model->set->id, words);
}

static void prove_set(const struct rules *rules, const struct ruleset *set, struct diag *diag)
{
	struct model *model = model_new(rules, set);
	bool never_silent = false;
	if (model->overflow) {
		diag_add(diag, SEVERITY_ERROR, set->file, set->line, set->column,
		        "rule set %s: rules name more than %d different bounds of %s: this cannot be proved",
		        set->id, RULES_MAX_WORDS - 1, model->overflow);
		model_free(model);
		return;
	}
	for (guint i = 0; i < set->invariants->len; i++)
		never_silent |= prove_invariant(model, g_ptr_array_index(set->invariants, i), diag);
	prove_tickets(model, diag);
	for (unsigned i = 0; i < model->clause_count; i++) {
		const struct row *row = model->clauses[i].row;
		report_row(model, &model->clauses[i], diag);
		if (hits_nothing(set, row->bars))
			tell(model, diag, SEVERITY_WARNING, row, "bars nothing: no rule has such an action");
		if (hits_nothing(set, row->adds))
			tell(model, diag, SEVERITY_WARNING, row,
			        "adds to nothing: no rule has such an action");
	}
	if (!never_silent)
		report_silence(model, diag);
	model_free(model);
}

void proof_run(const struct rules *rules, struct diag *diag)
{
	for (guint i = 0; i < rules->sets->len; i++)
		prove_set(rules, g_ptr_array_index(rules->sets, i), diag);
}
