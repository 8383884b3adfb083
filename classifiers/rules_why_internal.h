/* rules_why_internal.h - traces: what every row did with one input; shared by explanation and proof. */
#ifndef CLASSIFIERS_RULES_WHY_INTERNAL_H
#define CLASSIFIERS_RULES_WHY_INTERNAL_H

#include "classifiers/rules_internal.h"

/* One action of one row that applied: happened or barred. */
struct trace_entry {
	const struct row *row;
	const struct then *then;
	int concern;           /* index into the input's concerns, -1 = item */
	const struct row *bar; /* the first row that bars it, or NULL: it happens */
};

struct trace {
	struct evaluation e;
	GArray *entries; /* of struct trace_entry, by row, concern */
};

/* Runs the rows of `set` over the input. */
void trace_init(struct trace *trace, const struct rules *rules, const struct ruleset *set,
        const struct rule_input *input);
void trace_clear(struct trace *trace);

/* How many tests would have to come out differently for the condition to become `want`. */
unsigned cond_distance(const struct cond *cond, const int32_t *env, bool want, enum on_unknown on_unknown);
/* Those tests, appended to `out` (of const struct cond *): for ANY only of the nearest branch. */
void cond_failing(
        const struct cond *cond, const int32_t *env, bool want, enum on_unknown on_unknown, GPtrArray *out);

/* The row nearest to causing an action of these handlers, or one like `then`; *concern says for whom. NULL if
 * no row can be looked at (rows per concern where there is no concern). */
const struct row *trace_nearest(struct trace *trace, unsigned handlers, int *concern);
const struct row *trace_nearest_like(struct trace *trace, const struct then *then, int *concern);

#endif
