/* rules_decide.c - all rows that apply contribute; bars take away, additions add; equal actions merge.
 *
 * Nothing here depends on the order of rows: conditions read only the variables, never what another row did,
 * and the result is sorted by content.
 */
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

struct work {
	struct evaluation e;
	struct decision *decision;
	GArray *matches; /* of struct match */
	GArray *bars;    /* of struct match whose row bars */
	GArray *adds;    /* of struct match whose row adds */
};

static void keep_match(struct work *work, const struct row *row, int concern)
{
	struct match match = {row, concern};
	if (row->then_count)
		g_array_append_val(work->matches, match);
	if (row->bars)
		g_array_append_val(work->bars, match);
	if (row->adds)
		g_array_append_val(work->adds, match);
}

static void match_rows(struct work *work, const GPtrArray *rows, int concern)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct row *row = g_ptr_array_index(rows, i);
		if (row_applies(row, cond_eval(row->when, work->e.env)))
			keep_match(work, row, concern);
	}
}

static void match_all(struct work *work)
{
	match_rows(work, work->e.set->item_rows, -1);
	for (unsigned i = 0; i < work->e.concern_count; i++) {
		if (work->e.concerns[i] < 0)
			continue;
		evaluation_enter(&work->e, i);
		match_rows(work, work->e.set->concern_rows, (int)i);
	}
}

/* ---- from templates to actions ---- */

static const char *own_string(struct work *work, const char *text)
{
	char *copy = g_strdup(text);
	g_ptr_array_add(work->decision->strings, copy);
	return copy;
}

static void fill_klaerung(struct work *work, struct action *action)
{
	if (!work->e.doubt)
		return;
	if (strcmp(action->reason, "doubt") == 0)
		action->reason = work->decision->doubt_reason;
	action->candidates = g_ptr_array_new();
	for (guint i = 0; i < work->e.input->concerns->len; i++) {
		const struct rule_concern *concern = g_ptr_array_index(work->e.input->concerns, i);
		int known = work->e.concerns[i];
		g_ptr_array_add(
		        action->candidates, known < 0 ? (char *)own_string(work, concern->id)
		                                      : catalogue_get(work->e.rules->catalogue, known)->id);
	}
}

/* A ticket dated by an unknown start cannot come from a proved rule set; without proof it falls due at once.
 */
static void fill_ticket(struct work *work, struct action *action, const struct then *then)
{
	int32_t start = work->e.input->facts.expected_claim_start;
	bool by_start = then->dated == TICKET_DATE_CLAIM_START && start != DAY_NONE;
	action->dated = by_start ? start : work->e.day;
	action->not_before = berlin_instant(action->dated + then->after_days, 0);
}

static void fill_reply(struct work *work, struct action *action, const struct then *then, int concern)
{
	action->concern = catalogue_get(work->e.rules->catalogue, work->e.concerns[concern])->id;
	action->template = then->template ? then->template : action->concern;
}

static struct action *make_action(struct work *work, const struct match *match, const struct then *then)
{
	struct action *action = action_new();
	action->handler = then->handler;
	action->rule = match->row->id;
	action->row = match->row->name;
	action->reason = then->reason;
	action->kind = then->kind;
	action->text = then->text;
	action->channel = then->channel;
	action->queue = then->queue;
	action->to = then->to;
	action->mode = then->mode;
	action->rechtskreis = work->e.item_rechtskreis;
	if (match->concern >= 0) {
		int concern = work->e.concerns[match->concern];
		action->rechtskreis = work->e.rechtskreis[match->concern];
		g_ptr_array_add(action->concerns, catalogue_get(work->e.rules->catalogue, concern)->id);
	}
	if (then->handler == HANDLER_KLAERUNG)
		fill_klaerung(work, action);
	if (then->handler == HANDLER_TICKET)
		fill_ticket(work, action, then);
	if (then->handler == HANDLER_REPLY)
		fill_reply(work, action, then, match->concern);
	if (then->handler == HANDLER_FORWARD)
		action->received = work->e.input->received;
	return action;
}

/* ---- equal actions ---- */

static int compare_text(const char *a, const char *b)
{
	return a == b ? 0 : g_strcmp0(a, b); /* most strings are kept once */
}

static int compare_int64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* One eAkte document an item, at most one call, one "nothing": whatever the reasons; otherwise the parameters
 * tell. */
static int compare_parameters(const struct action *a, const struct action *b)
{
	if (a->handler != b->handler)
		return (int)a->handler - (int)b->handler;
	if (a->handler == HANDLER_EAKTE || a->handler == HANDLER_CALL || a->handler == HANDLER_NONE)
		return 0;
	int order = compare_text(a->kind, b->kind);
	order = order ? order : compare_text(a->queue, b->queue);
	order = order ? order : compare_text(a->to, b->to);
	order = order ? order : compare_text(a->mode, b->mode);
	order = order ? order : compare_text(a->concern, b->concern);
	order = order ? order : compare_text(a->channel, b->channel);
	order = order ? order : compare_text(a->template, b->template);
	order = order ? order : compare_text(a->reason, b->reason);
	order = order ? order : compare_text(a->text, b->text);
	order = order ? order : compare_int64(a->dated, b->dated);
	return order ? order : compare_int64(a->not_before, b->not_before);
}

static int compare_rule(const struct action *a, const struct action *b)
{
	int order = compare_text(a->rule, b->rule);
	return order ? order : compare_text(a->row, b->row);
}

static int compare_actions(const void *x, const void *y)
{
	const struct action *a = *(struct action *const *)x, *b = *(struct action *const *)y;
	if (a->rechtskreis != b->rechtskreis)
		return (int)a->rechtskreis - (int)b->rechtskreis;
	return compare_parameters(a, b);
}

static int compare_cites(const struct cite *a, const struct cite *b)
{
	int order = compare_text(a->source, b->source);
	order = order ? order : compare_text(a->section, b->section);
	return order ? order : (int)a->basis - (int)b->basis;
}

/* Sorted, each once. */
static void join_cites(GPtrArray *cites, struct cite *const *more, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		guint at = 0;
		int order = -1;
		while (at < cites->len && (order = compare_cites(g_ptr_array_index(cites, at), more[i])) < 0)
			at++;
		if (at == cites->len || order != 0)
			g_ptr_array_insert(cites, (int)at, more[i]);
	}
}

static void join_concerns(struct action *action, const struct action *more)
{
	for (guint i = 0; i < more->concerns->len; i++) {
		char *id = g_ptr_array_index(more->concerns, i);
		if (!g_ptr_array_find(action->concerns, id, NULL))
			g_ptr_array_add(action->concerns, id);
	}
}

static struct action *find_equal(const GPtrArray *actions, const struct action *action)
{
	for (guint i = 0; i < actions->len; i++) {
		struct action *other = g_ptr_array_index(actions, i);
		if (compare_parameters(other, action) == 0)
			return other;
	}
	return NULL;
}

/* The rule with the smallest id names the merged action and its reason. */
static void merge(struct action *into, struct action *action)
{
	join_concerns(into, action);
	join_cites(into->cites, (struct cite *const *)action->cites->pdata, action->cites->len);
	into->rechtskreis = MIN(into->rechtskreis, action->rechtskreis);
	if (!into->block || (action->block && strcmp(action->block, into->block) < 0))
		into->block = action->block;
	if (compare_rule(action, into) < 0) {
		into->rule = action->rule;
		into->row = action->row;
		into->reason = action->reason;
	}
}

static void add_action(struct work *work, struct action *action)
{
	struct action *equal = find_equal(work->decision->actions, action);
	if (!equal) {
		g_ptr_array_add(work->decision->actions, action);
		return;
	}
	merge(equal, action);
	action_free(action);
}

/* ---- bars ---- */

static bool reaches(const struct match *effect, const struct match *match)
{
	return effect->concern < 0 || effect->concern == match->concern;
}

static void suppress(
        struct work *work, const struct match *match, const struct then *then, const struct row *bar)
{
	struct suppressed *suppressed = suppressed_new();
	suppressed->action = make_action(work, match, then);
	suppressed->rule = bar->id;
	suppressed->row = bar->name;
	suppressed->reason = bar->reason;
	suppressed->cites = bar->cites;
	suppressed->cite_count = bar->cite_count;
	g_ptr_array_add(work->decision->suppressed, suppressed);
}

/* Each bar is recorded; true if there was any. */
static bool is_barred(struct work *work, const struct match *match, const struct then *then)
{
	bool barred = false;
	for (guint i = 0; i < work->bars->len; i++) {
		const struct match *bar = &g_array_index(work->bars, struct match, i);
		if (!reaches(bar, match) || !target_hits(bar->row->bars, then->index))
			continue;
		suppress(work, match, then, bar->row);
		barred = true;
	}
	return barred;
}

static void add_to(
        struct work *work, struct action *action, const struct match *match, const struct then *then)
{
	for (guint i = 0; i < work->adds->len; i++) {
		const struct match *add = &g_array_index(work->adds, struct match, i);
		if (!reaches(add, match) || !target_hits(add->row->adds, then->index))
			continue;
		if (!action->block || strcmp(add->row->block, action->block) < 0)
			action->block = add->row->block;
		join_cites(action->cites, add->row->cites, add->row->cite_count);
	}
}

static void collect(struct work *work)
{
	for (guint i = 0; i < work->matches->len; i++) {
		const struct match *match = &g_array_index(work->matches, struct match, i);
		for (unsigned a = 0; a < match->row->then_count; a++) {
			const struct then *then = match->row->then[a];
			if (is_barred(work, match, then))
				continue;
			struct action *action = make_action(work, match, then);
			join_cites(action->cites, match->row->cites, match->row->cite_count);
			add_to(work, action, match, then);
			add_action(work, action);
		}
	}
}

/* Told once: the same action of the same rule, barred by the same rule for the same reason. */
static int compare_told(const void *x, const void *y)
{
	const struct suppressed *a = *(struct suppressed *const *)x, *b = *(struct suppressed *const *)y;
	int order = compare_parameters(a->action, b->action);
	order = order ? order : compare_text(a->action->reason, b->action->reason);
	order = order ? order : compare_rule(a->action, b->action);
	order = order ? order : compare_text(a->rule, b->rule);
	return order ? order : compare_text(a->reason, b->reason);
}

static int compare_suppressed(const void *x, const void *y)
{
	int order = compare_told(x, y);
	return order ? order
	             : compare_text(
	                       (*(struct suppressed *const *)x)->row, (*(struct suppressed *const *)y)->row);
}

/* What happens anyhow through another concern was not suppressed; each (action, bar) is told once. */
static void tidy_suppressed(struct decision *decision)
{
	g_ptr_array_sort(decision->suppressed, compare_suppressed);
	for (guint i = 0; i < decision->suppressed->len;) {
		struct suppressed **at = (struct suppressed **)&g_ptr_array_index(decision->suppressed, i);
		bool twice = i > 0 && compare_told(at - 1, at) == 0;
		if (twice || find_equal(decision->actions, at[0]->action))
			g_ptr_array_remove_index(decision->suppressed, i);
		else
			i++;
	}
}

/* ---- the whole ---- */

static bool is_answer_of_a_machine(enum automatic automatic)
{
	return automatic == AUTOMATIC_BOUNCE || automatic == AUTOMATIC_REPORT ||
	       automatic == AUTOMATIC_REPLIED;
}

/* Of the concerns in the item's own Rechtskreis the one with the highest priority. */
static const char *kind_for_code(const struct work *work)
{
	const struct concern *best = NULL;
	if (work->e.doubt)
		return CONTACT_CODE_DOUBT;
	if (is_answer_of_a_machine(work->e.input->automatic))
		return CONTACT_CODE_AUTOMATIC;
	for (unsigned i = 0; i < work->e.concern_count; i++) {
		const struct concern *concern = catalogue_get(work->e.rules->catalogue, work->e.concerns[i]);
		bool own = work->e.rechtskreis[i] == work->decision->rechtskreis;
		if (own && (!best || concern->priority > best->priority))
			best = concern;
	}
	return best ? best->id : CONTACT_CODE_OTHER;
}

static void finish(struct work *work)
{
	struct decision *decision = work->decision;
	g_ptr_array_sort(decision->actions, compare_actions);
	tidy_suppressed(decision);
	const struct action *first = decision->actions->len ? g_ptr_array_index(decision->actions, 0) : NULL;
	decision->rechtskreis = first ? first->rechtskreis : work->e.item_rechtskreis;
	const struct contact_code *code = contact_codes_find(
	        work->e.rules->codes, decision->rechtskreis, kind_for_code(work), work->e.day);
	decision->contact_code = code->code; /* there is one for "other", or the rules do not load */
}

static struct decision *decision_new(const struct evaluation *e)
{
	struct decision *decision = g_new0(struct decision, 1);
	decision->ruleset = e->set->id;
	decision->basis = e->set->basis;
	decision->payment_relevant = (enum relevance)e->env[VAR_PAYMENT];
	decision->doubt = e->doubt;
	decision->doubt_reason = g_strdup(e->doubt_reason);
	decision->actions = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))action_free);
	decision->suppressed =
	        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))suppressed_free);
	decision->strings = g_ptr_array_new_with_free_func(g_free);
	return decision;
}

struct decision *rules_decide_under(
        const struct rules *rules, const struct ruleset *set, const struct rule_input *input)
{
	struct work work = {0};
	evaluation_init(&work.e, rules, set, input);
	work.decision = decision_new(&work.e);
	work.matches = g_array_sized_new(FALSE, FALSE, sizeof(struct match), 16);
	work.bars = g_array_sized_new(FALSE, FALSE, sizeof(struct match), 16);
	work.adds = g_array_new(FALSE, FALSE, sizeof(struct match));
	match_all(&work);
	collect(&work);
	finish(&work);
	g_array_unref(work.matches);
	g_array_unref(work.bars);
	g_array_unref(work.adds);
	evaluation_clear(&work.e);
	return work.decision;
}

struct decision *rules_decide(const struct rules *rules, const struct rule_input *input)
{
	const struct ruleset *set =
	        calendar_find(rules, berlin_day(input->received), input->received_in_future);
	return rules_decide_under(rules, set, input);
}
