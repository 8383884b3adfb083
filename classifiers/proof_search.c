/* proof_search.c - split and cut off, until the goal is impossible everywhere or certain somewhere. */
#include "classifiers/proof_internal.h"

#include <limits.h>

/* Sets of outcomes as bits. */
enum { CAN_FALSE = 1, CAN_UNKNOWN = 2, CAN_TRUE = 4 };
enum { CAN_NOT = 1, CAN = 2, OPEN = 3 };

static bool meets(const struct word_set *a, const struct word_set *b)
{
	uint64_t any = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(a->bits); i++)
		any |= a->bits[i] & b->bits[i];
	return any != 0;
}

static unsigned outcomes(const struct formula *formula, const struct space *space)
{
	const struct word_set *dom = &space->dom[formula->var];
	unsigned any = 0;
	bool conjunction = formula->op == COND_ALL;
	unsigned absorbing = conjunction ? CAN_FALSE : CAN_TRUE, neutral = conjunction ? CAN_TRUE : CAN_FALSE;
	if (formula->op == COND_TEST)
		return (meets(dom, &formula->yes) ? CAN_TRUE : 0U) |
		       (meets(dom, &formula->no) ? CAN_FALSE : 0U) |
		       (meets(dom, &formula->unknown) ? CAN_UNKNOWN : 0U);
	if (formula->op == COND_NOT) {
		unsigned inner = outcomes(&formula->parts[0], space);
		return (inner & CAN_UNKNOWN) | (inner & CAN_TRUE ? CAN_FALSE : 0U) |
		       (inner & CAN_FALSE ? CAN_TRUE : 0U);
	}
	bool all_neutral = true, all_not_absorbing = true;
	for (unsigned i = 0; i < formula->count; i++) {
		unsigned part = outcomes(&formula->parts[i], space);
		any |= part;
		all_neutral = all_neutral && (part & neutral);
		all_not_absorbing = all_not_absorbing && (part & (neutral | CAN_UNKNOWN));
		if (part == absorbing)
			return absorbing;
	}
	return (any & absorbing) | (all_neutral ? neutral : 0U) |
	       (all_not_absorbing && (any & CAN_UNKNOWN) ? CAN_UNKNOWN : 0U);
}

static unsigned as_row_says(unsigned outcome, const struct row *row)
{
	unsigned unknown = row->on_unknown == ON_UNKNOWN_APPLIES ? CAN : CAN_NOT;
	return (outcome & CAN_TRUE ? CAN : 0U) | (outcome & CAN_FALSE ? CAN_NOT : 0U) |
	       (outcome & CAN_UNKNOWN ? unknown : 0U);
}

/* A row per concern has nothing to look at where there is none. */
static unsigned applies(const struct clause *clause, const struct space *space)
{
	const struct word_set *concern = &space->dom[VAR_CONCERN];
	struct word_set none = {{1, 0, 0, 0}};
	unsigned result = as_row_says(outcomes(&clause->when, space), clause->row);
	if (clause->row->per_item || !meets(concern, &none))
		return result;
	struct word_set rest = *concern;
	rest.bits[0] &= ~UINT64_C(1);
	return word_set_empty(&rest) ? CAN_NOT : result | CAN_NOT;
}

static bool bar_reaches(const struct clause *bar, const struct clause *clause, const struct then *then)
{
	return (bar->row->per_item || !clause->row->per_item) && target_hits(bar->row->bars, then->index);
}

static unsigned barred(const struct model *model, const struct clause *clause, const struct then *then,
        const struct space *space)
{
	unsigned result = CAN_NOT;
	for (unsigned i = 0; i < model->bar_count; i++) {
		if (!bar_reaches(model->bars[i], clause, then))
			continue;
		unsigned bar = applies(model->bars[i], space);
		if (bar == CAN)
			return CAN;
		if (bar == OPEN)
			result = OPEN;
	}
	return result;
}

static unsigned happens(const struct model *model, const struct clause *clause, const struct then *then,
        const struct space *space, bool ignore_bars)
{
	unsigned row = applies(clause, space);
	if (row == CAN_NOT)
		return CAN_NOT;
	unsigned bar = ignore_bars ? CAN_NOT : barred(model, clause, then, space);
	if (bar == CAN)
		return CAN_NOT;
	return row == CAN && bar == CAN_NOT ? CAN : OPEN;
}

/* CAN_NOT: the goal is impossible in the space; CAN: certain; OPEN: look closer. */
static unsigned judge(const struct model *model, const struct goal *goal, const struct space *space)
{
	unsigned result = CAN;
	if (goal->holds) {
		unsigned holds = outcomes(goal->holds, space);
		if (!(holds & CAN_TRUE))
			return CAN_NOT;
		result |= holds == CAN_TRUE ? CAN : OPEN;
	}
	if (goal->fails) {
		unsigned fails = outcomes(goal->fails, space);
		if (fails == CAN_TRUE)
			return CAN_NOT;
		result |= fails & CAN_TRUE ? OPEN : CAN;
	}
	if (goal->applies) {
		unsigned does = goal->happens ? happens(model, goal->applies, goal->happens, space, false)
		                              : applies(goal->applies, space);
		if (does == CAN_NOT)
			return CAN_NOT;
		result |= does;
	}
	for (unsigned i = 0; goal->absent && i < model->clause_count; i++) {
		const struct clause *clause = &model->clauses[i];
		for (unsigned a = 0; a < clause->row->then_count; a++) {
			const struct then *then = clause->row->then[a];
			if (!(goal->absent >> then->handler & 1))
				continue;
			unsigned does = happens(model, clause, then, space, goal->ignore_bars);
			if (does == CAN)
				return CAN_NOT;
			result |= does == OPEN ? OPEN : CAN;
		}
	}
	return result;
}

/* ---- which variable to split ---- */

static bool is_split(const struct formula *test, const struct space *space)
{
	unsigned outcome = outcomes(test, space);
	return outcome & (outcome - 1);
}

static const struct formula *open_test(const struct formula *formula, const struct space *space)
{
	if (!is_split(formula, space))
		return NULL;
	if (formula->op == COND_TEST)
		return formula;
	for (unsigned i = 0; i < formula->count; i++) {
		const struct formula *test = open_test(&formula->parts[i], space);
		if (test)
			return test;
	}
	return NULL;
}

static const struct formula *open_in_action(const struct model *model, const struct clause *clause,
        const struct then *then, const struct space *space, bool ignore_bars)
{
	const struct formula *test = open_test(&clause->when, space);
	for (unsigned i = 0; !test && !ignore_bars && then && i < model->bar_count; i++)
		if (bar_reaches(model->bars[i], clause, then) && applies(model->bars[i], space) == OPEN)
			test = open_test(&model->bars[i]->when, space);
	return test;
}

static unsigned count_open(const struct formula *formula, const struct space *space)
{
	unsigned count = 0;
	if (!is_split(formula, space))
		return 0;
	if (formula->op == COND_TEST)
		return 1;
	for (unsigned i = 0; i < formula->count; i++)
		count += count_open(&formula->parts[i], space);
	return count;
}

/* How far the action is from being decided. */
static unsigned openness(const struct model *model, const struct clause *clause, const struct then *then,
        const struct space *space, bool ignore_bars)
{
	unsigned count = count_open(&clause->when, space);
	for (unsigned i = 0; !ignore_bars && i < model->bar_count; i++)
		if (bar_reaches(model->bars[i], clause, then) && applies(model->bars[i], space) == OPEN)
			count += count_open(&model->bars[i]->when, space);
	return count;
}

/* Of the actions that must not happen, the one nearest to being decided: one side of its split ends at once.
 */
static const struct formula *choose_absent(
        const struct model *model, const struct goal *goal, const struct space *space)
{
	const struct formula *test = NULL;
	unsigned least = UINT_MAX;
	for (unsigned i = 0; i < model->clause_count; i++) {
		const struct clause *clause = &model->clauses[i];
		for (unsigned a = 0; a < clause->row->then_count; a++) {
			const struct then *then = clause->row->then[a];
			if (!(goal->absent >> then->handler & 1) ||
			        happens(model, clause, then, space, goal->ignore_bars) != OPEN)
				continue;
			unsigned count = openness(model, clause, then, space, goal->ignore_bars);
			if (count >= least)
				continue;
			const struct formula *found =
			        open_in_action(model, clause, then, space, goal->ignore_bars);
			if (found) {
				test = found;
				least = count;
			}
		}
	}
	return test;
}

static const struct formula *choose(
        const struct model *model, const struct goal *goal, const struct space *space)
{
	const struct formula *test = goal->holds ? open_test(goal->holds, space) : NULL;
	if (!test && goal->applies)
		test = open_in_action(model, goal->applies, goal->happens, space, false);
	if (!test && goal->fails)
		test = open_test(goal->fails, space);
	return test || !goal->absent ? test : choose_absent(model, goal, space);
}

/* ---- the search ---- */

/* The variables that the ties connect: a space in which each has one value left, and still something, holds a
 * real case. */
static const int tied[] = {VAR_CONCERN, VAR_DOUBT, VAR_AUTOMATIC, VAR_RECHTSKREIS, VAR_CONCERN_PAYMENT,
        VAR_PAYMENT, VAR_ONLY_SONSTIGES, VAR_FOREIGN_ONLY, VAR_PAYMENT_METHOD, VAR_ABSENCE_DAYS, VAR_RECEIVED,
        VAR_CHANNEL_CLOSED, VAR_CHANNEL, VAR_CV_ONLY_UNUSED};

static unsigned cells_left(const struct model *model, const struct space *space, int var)
{
	unsigned count = 0;
	for (unsigned c = 0; c < model->cells[var].count; c++)
		count += word_set_has(&space->dom[var], (int32_t)c);
	return count;
}

/* Goes down to one value of each tied variable; true if that is possible. The goal is certain all the way. */
static bool is_inhabited(struct model *model, const struct space *space, size_t depth)
{
	while (depth < G_N_ELEMENTS(tied) && cells_left(model, space, tied[depth]) == 1)
		depth++;
	if (depth == G_N_ELEMENTS(tied))
		return true;
	int var = tied[depth];
	for (unsigned c = 0; c < model->cells[var].count; c++) {
		if (!word_set_has(&space->dom[var], (int32_t)c))
			continue;
		g_autofree struct space *copy = space_copy(model, space);
		copy->dom[var] = (struct word_set){{0}};
		word_set_add(&copy->dom[var], (int32_t)c);
		if (++model->steps < PROOF_MAX_STEPS && space_narrow(model, copy) &&
		        is_inhabited(model, copy, 0))
			return true;
	}
	return false;
}

static void intersect(struct word_set *set, const struct word_set *other)
{
	for (size_t i = 0; i < G_N_ELEMENTS(set->bits); i++)
		set->bits[i] &= other->bits[i];
}

static enum found search(
        struct model *model, const struct goal *goal, struct space *space, struct space **out);

static enum found search_part(struct model *model, const struct goal *goal, const struct space *space,
        int var, const struct word_set *part, struct space **out)
{
	if (!meets(&space->dom[var], part))
		return FOUND_NOTHING;
	g_autofree struct space *copy = space_copy(model, space);
	intersect(&copy->dom[var], part);
	return search(model, goal, copy, out);
}

/* Rows per concern are open just because there may be no concern: split on that. */
static enum found split_concern(
        struct model *model, const struct goal *goal, const struct space *space, struct space **out)
{
	struct word_set none = {{1, 0, 0, 0}}, some = none;
	if (!word_set_has(&space->dom[VAR_CONCERN], CONCERN_NONE))
		return FOUND_LIMIT; /* cannot be: an open goal has an open test or an open concern */
	for (size_t i = 0; i < G_N_ELEMENTS(some.bits); i++)
		some.bits[i] = ~none.bits[i];
	enum found found = search_part(model, goal, space, VAR_CONCERN, &none, out);
	return found ? found : search_part(model, goal, space, VAR_CONCERN, &some, out);
}

static enum found search(
        struct model *model, const struct goal *goal, struct space *space, struct space **out)
{
	if (++model->steps > PROOF_MAX_STEPS)
		return FOUND_LIMIT;
	if (!space_narrow(model, space))
		return FOUND_NOTHING;
	unsigned verdict = judge(model, goal, space);
	if (verdict == CAN_NOT)
		return FOUND_NOTHING;
	if (verdict == CAN && !is_inhabited(model, space, 0))
		return FOUND_NOTHING;
	if (verdict == CAN) {
		*out = space_copy(model, space);
		return FOUND_CASE;
	}
	const struct formula *test = choose(model, goal, space);
	if (!test)
		return split_concern(model, goal, space, out);
	enum found found = search_part(model, goal, space, test->var, &test->yes, out);
	found = found ? found : search_part(model, goal, space, test->var, &test->no, out);
	return found ? found : search_part(model, goal, space, test->var, &test->unknown, out);
}

enum found model_search(struct model *model, const struct goal *goal, struct space **out)
{
	g_autofree struct space *space = space_new(model);
	model->view = goal->view;
	model->steps = 0;
	space_fill(model, space, goal->view);
	return search(model, goal, space, out);
}
