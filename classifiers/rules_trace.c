/* rules_trace.c - what every row did with one input, and how far a row was from applying. */
#include "classifiers/rules_why_internal.h"

#include <limits.h>
#include <string.h>

static void note_row(struct trace *trace, const struct row *row, int concern)
{
	if (!row_applies(row, cond_eval(row->when, trace->e.env)))
		return;
	for (unsigned i = 0; i < row->then_count; i++) {
		struct trace_entry entry = {row, row->then[i], concern, NULL};
		g_array_append_val(trace->entries, entry);
	}
}

static void bar_entries(struct trace *trace, const struct row *row, int concern)
{
	if (!row->bars || !row_applies(row, cond_eval(row->when, trace->e.env)))
		return;
	for (guint i = 0; i < trace->entries->len; i++) {
		struct trace_entry *entry = &g_array_index(trace->entries, struct trace_entry, i);
		bool reaches = concern < 0 || concern == entry->concern;
		if (reaches && !entry->bar && target_hits(row->bars, entry->then->index))
			entry->bar = row;
	}
}

/* Calls `visit` for every row that can be looked at: item rows once, concern rows for each concern. */
static void each_row(struct trace *trace, void (*visit)(struct trace *, const struct row *, int))
{
	struct evaluation *e = &trace->e;
	e->env[VAR_CONCERN] = CONCERN_NONE;
	e->env[VAR_RECHTSKREIS] = (int32_t)e->item_rechtskreis;
	e->env[VAR_CONCERN_PAYMENT] = e->env[VAR_PAYMENT];
	for (guint i = 0; i < e->set->item_rows->len; i++)
		visit(trace, g_ptr_array_index(e->set->item_rows, i), -1);
	for (unsigned c = 0; c < e->concern_count; c++) {
		if (e->concerns[c] < 0)
			continue;
		evaluation_enter(e, c);
		for (guint i = 0; i < e->set->concern_rows->len; i++)
			visit(trace, g_ptr_array_index(e->set->concern_rows, i), (int)c);
	}
}

void trace_init(struct trace *trace, const struct rules *rules, const struct ruleset *set,
        const struct rule_input *input)
{
	evaluation_init(&trace->e, rules, set, input);
	trace->entries = g_array_new(FALSE, FALSE, sizeof(struct trace_entry));
	each_row(trace, note_row);
	each_row(trace, bar_entries);
}

void trace_clear(struct trace *trace)
{
	evaluation_clear(&trace->e);
	g_array_unref(trace->entries);
}

/* ---- distance ---- */

static bool test_is(const struct cond *test, const int32_t *env, bool want, enum on_unknown on_unknown)
{
	enum truth truth = cond_test(test, env[test->var]);
	if (truth == TRUTH_UNKNOWN)
		return on_unknown == (want ? ON_UNKNOWN_APPLIES : ON_UNKNOWN_SKIPS);
	return (truth == TRUTH_TRUE) == want;
}

/* For "unknown applies" a test under NOT counts the other way round. */
static enum on_unknown flip(enum on_unknown on_unknown)
{
	return on_unknown == ON_UNKNOWN_APPLIES ? ON_UNKNOWN_SKIPS : ON_UNKNOWN_APPLIES;
}

unsigned cond_distance(const struct cond *cond, const int32_t *env, bool want, enum on_unknown on_unknown)
{
	if (cond->op == COND_TEST)
		return test_is(cond, env, want, on_unknown) ? 0 : 1;
	if (cond->op == COND_NOT)
		return cond_distance(cond->parts[0], env, !want, flip(on_unknown));
	bool sum = (cond->op == COND_ALL) == want;
	unsigned total = 0, least = 10000;
	for (unsigned i = 0; i < cond->count; i++) {
		unsigned distance = cond_distance(cond->parts[i], env, want, on_unknown);
		total += distance;
		least = MIN(least, distance);
	}
	return sum ? total : least;
}

void cond_failing(
        const struct cond *cond, const int32_t *env, bool want, enum on_unknown on_unknown, GPtrArray *out)
{
	if (cond->op == COND_TEST) {
		if (!test_is(cond, env, want, on_unknown))
			g_ptr_array_add(out, (struct cond *)cond);
		return;
	}
	if (cond->op == COND_NOT) {
		cond_failing(cond->parts[0], env, !want, flip(on_unknown), out);
		return;
	}
	if ((cond->op == COND_ALL) == want) {
		for (unsigned i = 0; i < cond->count; i++)
			cond_failing(cond->parts[i], env, want, on_unknown, out);
		return;
	}
	const struct cond *nearest = NULL;
	for (unsigned i = 0; i < cond->count; i++)
		if (!nearest || cond_distance(cond->parts[i], env, want, on_unknown) <
		                        cond_distance(nearest, env, want, on_unknown))
			nearest = cond->parts[i];
	if (nearest)
		cond_failing(nearest, env, want, on_unknown, out);
}

/* Which actions are meant: by handler, or exactly like one. */
struct wanted {
	unsigned handlers;
	const struct then *like;
};

static bool is_wanted(const struct wanted *wanted, const struct then *then)
{
	const struct then *like = wanted->like;
	if (!like)
		return wanted->handlers >> then->handler & 1;
	return like->handler == then->handler && g_strcmp0(like->kind, then->kind) == 0 &&
	       g_strcmp0(like->queue, then->queue) == 0 && g_strcmp0(like->to, then->to) == 0;
}

static bool has_action(const struct row *row, const struct wanted *wanted)
{
	for (unsigned i = 0; i < row->then_count; i++)
		if (is_wanted(wanted, row->then[i]))
			return true;
	return false;
}

static const struct row *nearest(struct trace *trace, const struct wanted *wanted, int *concern)
{
	struct evaluation *e = &trace->e;
	const struct row *found = NULL;
	unsigned least = UINT_MAX;
	for (int c = -1; c < (int)e->concern_count; c++) {
		const GPtrArray *rows = c < 0 ? e->set->item_rows : e->set->concern_rows;
		if (c >= 0 && e->concerns[c] < 0)
			continue;
		if (c >= 0)
			evaluation_enter(e, (unsigned)c);
		for (guint i = 0; i < rows->len; i++) {
			const struct row *row = g_ptr_array_index(rows, i);
			unsigned distance = cond_distance(row->when, e->env, true, row->on_unknown);
			if (!has_action(row, wanted) || distance >= least)
				continue;
			found = row;
			least = distance;
			*concern = c;
		}
	}
	return found;
}

const struct row *trace_nearest(struct trace *trace, unsigned handlers, int *concern)
{
	struct wanted wanted = {.handlers = handlers};
	return nearest(trace, &wanted, concern);
}

const struct row *trace_nearest_like(struct trace *trace, const struct then *then, int *concern)
{
	struct wanted wanted = {.like = then};
	return nearest(trace, &wanted, concern);
}
