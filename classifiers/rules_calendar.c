/* rules_calendar.c - which rule set decides on which day: half-open, no hole and no overlap that nobody
 * declared. */
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

static struct ruleset *set_at(const struct rules *rules, guint index)
{
	return g_ptr_array_index(rules->sets, index);
}

static int32_t end_of(const struct ruleset *set)
{
	return set->until == DAY_NONE ? INT32_MAX : set->until;
}

static int by_first_day(const void *a, const void *b)
{
	const struct ruleset *x = *(struct ruleset *const *)a, *y = *(struct ruleset *const *)b;
	if (x->outside != y->outside)
		return x->outside - y->outside;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return strcmp(x->id, y->id);
}

static bool supersedes(const struct ruleset *set, const struct ruleset *other)
{
	for (guint i = 0; i < set->supersedes->len; i++)
		if (strcmp(g_ptr_array_index(set->supersedes, i), other->id) == 0)
			return true;
	return false;
}

/* `until` INT32_MAX: without end; `from` DAY_NONE: nothing was there before. */
static void report(
        struct diag *diag, const struct ruleset *set, int32_t from, int32_t until, const char *what)
{
	g_autofree char *first = day_format(from);
	g_autofree char *last = until == INT32_MAX ? g_strdup("all time") : day_format(until - 1);
	diag_add(diag, SEVERITY_ERROR, set->file, set->line, set->column, "from %s to %s %s", first, last,
	        what);
}

static bool hole_is_declared(const struct rules *rules, int32_t from, int32_t until)
{
	for (guint i = 0; i < rules->holes->len; i++) {
		const struct hole *hole = &g_array_index(rules->holes, struct hole, i);
		if (hole->from <= from && hole->until >= until)
			return true;
	}
	return false;
}

/* Sets by first day; each may start where the one before ends. */
static void check_joints(const struct rules *rules, struct diag *diag)
{
	for (guint i = 1; i < rules->sets->len && !set_at(rules, i)->outside; i++) {
		const struct ruleset *set = set_at(rules, i);
		int32_t end = DAY_NONE;
		for (guint k = 0; k < i; k++) {
			const struct ruleset *other = set_at(rules, k);
			end = MAX(end, end_of(other));
			if (end_of(other) <= set->from || supersedes(set, other))
				continue;
			g_autofree char *what = g_strdup_printf(
			        "\"%s\" is in force too: end one, or say \"supersedes\"", other->id);
			report(diag, set, set->from, MIN(end_of(other), end_of(set)), what);
		}
		if (end < set->from && !hole_is_declared(rules, end, set->from))
			report(diag, set, end, set->from,
			        "no rule set is in force: close the hole, or declare it under \"holes\"");
	}
}

/* The set in force on a day: the one that supersedes wins; undeclared overlaps are errors. */
static const struct ruleset *in_force(const struct rules *rules, int32_t day)
{
	const struct ruleset *found = NULL;
	for (guint i = 0; i < rules->sets->len; i++) {
		const struct ruleset *set = set_at(rules, i);
		if (!set->outside && set->from <= day && day < end_of(set))
			found = set; /* by first day: a later start supersedes */
	}
	return found;
}

static int by_value(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return x < y ? -1 : x > y;
}

static void build_periods(struct rules *rules)
{
	g_autoptr(GArray) cuts = g_array_new(FALSE, FALSE, sizeof(int32_t));
	int32_t last = INT32_MAX;
	for (guint i = 0; i < rules->sets->len; i++) {
		const struct ruleset *set = set_at(rules, i);
		int32_t end = end_of(set);
		if (set->outside)
			continue;
		g_array_append_val(cuts, set->from);
		g_array_append_val(cuts, end);
	}
	g_array_append_val(cuts, last);
	g_array_sort(cuts, by_value);
	for (guint i = 0; i + 1 < cuts->len; i++) {
		struct period period = {
		        g_array_index(cuts, int32_t, i), g_array_index(cuts, int32_t, i + 1), NULL};
		if (period.from == period.until)
			continue;
		period.set = in_force(rules, period.from);
		if (period.set)
			g_array_append_val(rules->periods, period);
	}
}

/* A set without a first day is reported already; nothing can be said about the calendar then. */
static bool has_days(const struct rules *rules)
{
	for (guint i = 0; i < rules->sets->len; i++)
		if (!set_at(rules, i)->outside && set_at(rules, i)->from == DAY_NONE)
			return false;
	return true;
}

void calendar_build(struct rules *rules, struct diag *diag)
{
	g_ptr_array_sort(rules->sets, by_first_day);
	if (!rules->outside)
		diag_add(diag, SEVERITY_ERROR, "rulesets/", 0, 0,
		        "no rule set says \"outside: true\": nobody decides about items that no set covers");
	if (!has_days(rules))
		return;
	check_joints(rules, diag);
	build_periods(rules);
}

const struct ruleset *calendar_find(const struct rules *rules, int32_t day, bool in_future)
{
	if (in_future)
		return rules->outside;
	for (guint i = rules->periods->len; i > 0; i--) {
		const struct period *period = &g_array_index(rules->periods, struct period, i - 1);
		if (period->from <= day)
			return day < period->until ? period->set : rules->outside;
	}
	return rules->outside;
}
