/* rules_reference.c - slow and plain on purpose. */
#include "rules_reference.h"
#include "core/date.h"

#include <stdlib.h>
#include <string.h>

struct view {
	const struct catalogue *catalogue;
	const struct switches *switches;
	const struct rule_input *input;
	int concern; /* index in the input, -1: the item */
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool machine(const struct view *v)
{
	const char *automatic = automatic_name(v->input->automatic);
	return is(automatic, "bounce") || is(automatic, "report") || is(automatic, "auto-replied");
}

static const struct rule_concern *concern_at(const struct view *v, int i)
{
	return g_ptr_array_index(v->input->concerns, i);
}

static bool known(const struct view *v, int i)
{
	return catalogue_find(v->catalogue, concern_at(v, i)->id) >= 0;
}

static bool doubt(const struct view *v)
{
	bool strange = false;
	for (int i = 0; i < (int)v->input->concerns->len; i++)
		if (!known(v, i))
			strange = true;
	if (machine(v))
		return false;
	if (v->input->doubt || strange)
		return true;
	return v->input->concerns->len == 0 && v->input->automatic == AUTOMATIC_NO;
}

static const char *rechtskreis(const struct view *v, int i)
{
	if (doubt(v) || !known(v, i))
		return "sgb3";
	const struct concern *concern =
	        catalogue_get(v->catalogue, catalogue_find(v->catalogue, concern_at(v, i)->id));
	return rechtskreis_name(
	        concern->rechtskreis_fixed ? concern->rechtskreis : concern_at(v, i)->rechtskreis);
}

static const char *fact(const struct view *v, const char *name)
{
	static char buffer[64];
	JSON_AUTO json = facts_to_json(&v->input->facts);
	g_strlcpy(buffer, json_get_string(json, name), sizeof buffer);
	return buffer;
}

static const char *switched(const struct view *v, const char *name)
{
	return switches_word(v->switches, name, berlin_day(v->input->received));
}

static const char *address_payment(const struct view *v)
{
	enum payment_method method = v->input->facts.payment_method;
	if (method == PAYMENT_METHOD_UNKNOWN)
		return "unknown";
	if (method == PAYMENT_METHOD_IBAN)
		return "no";
	if (method == PAYMENT_METHOD_PZZV && is(switched(v, "pzzv"), "false") &&
	        is(switched(v, "pzzv_after_end"), "unbound"))
		return "no";
	return "yes";
}

static const char *payment_of(const struct view *v, int i)
{
	if (doubt(v))
		return "unknown";
	if (machine(v) || !known(v, i) || !is(rechtskreis(v, i), "sgb3"))
		return "no";
	switch (catalogue_get(v->catalogue, catalogue_find(v->catalogue, concern_at(v, i)->id))->payment) {
	case PAYMENT_KIND_NO:
		return "no";
	case PAYMENT_KIND_YES:
		return "yes";
	case PAYMENT_KIND_ADDRESS:
		return address_payment(v);
	case PAYMENT_KIND_NAME:
		return v->input->facts.payment_method == PAYMENT_METHOD_IBAN ? switched(v, "name_change_iban")
		                                                             : address_payment(v);
	case PAYMENT_KIND_ABSENCE:
		if (v->input->absence_days < 0)
			return switched(v, "absence_unknown");
		return v->input->absence_days > 21 ? "yes" : "no";
	}
	return "no";
}

static const char *payment(const struct view *v)
{
	const char *most = doubt(v) ? "unknown" : "no";
	for (int i = 0; i < (int)v->input->concerns->len; i++) {
		const char *one = payment_of(v, i);
		if (is(one, "yes") || (is(one, "unknown") && is(most, "no")))
			most = one;
	}
	return most;
}

static bool every_concern(const struct view *v, bool (*test)(const struct view *, int))
{
	for (int i = 0; i < (int)v->input->concerns->len; i++)
		if (!test(v, i))
			return false;
	return true;
}

static bool is_sonstiges(const struct view *v, int i)
{
	return is(concern_at(v, i)->id, "sonstiges");
}

static bool is_foreign(const struct view *v, int i)
{
	return !is(rechtskreis(v, i), "sgb3");
}

static const char *only_unused(const struct view *v)
{
	const char *last = "none";
	int empty = 0;
	for (guint i = 0; i < v->input->cv->len; i++) {
		const struct cv_entry *entry = g_ptr_array_index(v->input->cv, i);
		if (entry->state != CV_EMPTY)
			continue;
		last = entry->name;
		empty++;
	}
	return empty > 1 ? "several" : last;
}

static const char *cv(const struct view *v, const char *name)
{
	for (guint i = 0; i < v->input->cv->len; i++) {
		const struct cv_entry *entry = g_ptr_array_index(v->input->cv, i);
		if (is(entry->name, name))
			return entry->state == CV_EMPTY    ? "empty"
			       : entry->state == CV_FILLED ? "filled"
			                                   : "unknown";
	}
	return "unknown";
}

static const char *truth_word(bool value)
{
	return value ? "true" : "false";
}

static const char *day_word(int32_t day)
{
	static char buffer[16];
	g_autofree char *text = day == DAY_NONE ? g_strdup("unknown") : day_format(day);
	g_strlcpy(buffer, text, sizeof buffer);
	return buffer;
}

static const char *form_word(const struct view *v)
{
	static const char *const words[] = {"unknown", "arbeitsuchendmeldung", "veraenderung"};
	return v->input->has_form ? words[v->input->form_type] : "none";
}

static const char *mark_word(const struct view *v, const char *name)
{
	const struct rule_input *in = v->input;
	const struct {
		const char *name;
		bool value;
	} marks[] = {
	        {"has_sender", in->has_sender},
	        {"own_bounce", in->own_bounce},
	        {"third_party", in->third_party},
	        {"resolved", in->resolved},
	        {"authority_stated", in->authority_stated},
	        {"numbers_conflict", in->numbers_conflict},
	        {"unsuitable_document", in->unsuitable_document},
	        {"received_in_future", in->received_in_future},
	        {"doubt", doubt(v)},
	        {"only_sonstiges", every_concern(v, is_sonstiges)},
	        {"foreign_only", in->concerns->len > 0 && every_concern(v, is_foreign)},
	        {"channel_closed", false},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
		if (is(marks[i].name, name))
			return truth_word(marks[i].value);
	return NULL;
}

/* The value of a variable as a word. */
static const char *word_of(const struct view *v, const char *name)
{
	static char number[16];
	const struct rule_input *in = v->input;
	if (is(name, "channel"))
		return channel_name(in->channel);
	if (is(name, "mailbox"))
		return in->mailbox;
	if (is(name, "received"))
		return day_word(berlin_day(in->received));
	if (is(name, "form_type"))
		return form_word(v);
	if (is(name, "form_kind"))
		return in->form_kind ? in->form_kind : "none";
	if (is(name, "form_from"))
		return day_word(in->form_from);
	if (is(name, "form_to"))
		return day_word(in->form_to);
	if (is(name, "cv_only_unused"))
		return only_unused(v);
	if (is(name, "automatic"))
		return automatic_name(in->automatic);
	if (is(name, "payment"))
		return payment(v);
	if (is(name, "concern"))
		return concern_at(v, v->concern)->id;
	if (is(name, "rechtskreis"))
		return rechtskreis(v, v->concern);
	if (is(name, "concern_payment"))
		return payment_of(v, v->concern);
	if (is(name, "absence_days")) {
		g_snprintf(number, sizeof number, "%d", in->absence_days);
		return in->absence_days < 0 ? "unknown" : number;
	}
	if (g_str_has_prefix(name, "switch."))
		return switched(v, name + 7);
	if (g_str_has_prefix(name, "cv."))
		return cv(v, name + 3);
	const char *mark = mark_word(v, name);
	return mark ? mark : fact(v, name);
}

static bool can_be_unknown(const char *name)
{
	for (unsigned i = 0; facts_name(i); i++)
		if (is(facts_name(i), name))
			return true;
	return g_str_has_prefix(name, "cv.") || is(name, "form_from") || is(name, "form_to") ||
	       is(name, "absence_days");
}

/* 'T', 'F' or 'U'. */
static char holds_map(const struct view *v, const struct yaml_node *map);

static char compare_range(const char *name, const char *word, const struct yaml_node *range)
{
	bool numbers = is(name, "absence_days");
	for (guint i = 0; i < range->keys->len; i++) {
		const char *key = ((struct yaml_node *)g_ptr_array_index(range->keys, i))->text;
		const char *bound = ((struct yaml_node *)g_ptr_array_index(range->children, i))->text;
		long order = numbers ? atol(word) - atol(bound) : strcmp(word, bound);
		bool right = is(key, "from") || is(key, "at_least")  ? order >= 0
		             : is(key, "above")                      ? order > 0
		             : is(key, "before") || is(key, "below") ? order < 0
		                                                     : order <= 0;
		if (!right)
			return 'F';
	}
	return 'T';
}

static char holds_test(const struct view *v, const char *name, const struct yaml_node *value)
{
	g_autofree char *word = g_strdup(word_of(v, name));
	bool unknown = can_be_unknown(name) && is(word, "unknown");
	if (value->kind == YAML_MAP)
		return unknown ? 'U' : compare_range(name, word, value);
	if (value->kind == YAML_SCALAR && is(value->text, "known"))
		return unknown ? 'F' : 'T';
	if (value->kind == YAML_SCALAR)
		return is(value->text, word) ? 'T' : unknown ? 'U' : 'F';
	for (guint i = 0; i < value->children->len; i++)
		if (is(((struct yaml_node *)g_ptr_array_index(value->children, i))->text, word))
			return 'T';
	return unknown ? 'U' : 'F';
}

static char both(char a, char b)
{
	return a == 'F' || b == 'F' ? 'F' : a == 'U' || b == 'U' ? 'U' : 'T';
}

static char either(char a, char b)
{
	return a == 'T' || b == 'T' ? 'T' : a == 'U' || b == 'U' ? 'U' : 'F';
}

static char holds_entry(const struct view *v, const char *key, const struct yaml_node *value)
{
	char result = is(key, "all") ? 'T' : 'F';
	if (is(key, "not")) {
		char inner = holds_map(v, value);
		return inner == 'T' ? 'F' : inner == 'F' ? 'T' : 'U';
	}
	if (!is(key, "all") && !is(key, "any"))
		return holds_test(v, key, value);
	for (guint i = 0; i < value->children->len; i++) {
		char part = holds_map(v, g_ptr_array_index(value->children, i));
		result = is(key, "all") ? both(result, part) : either(result, part);
	}
	return result;
}

static char holds_map(const struct view *v, const struct yaml_node *map)
{
	char result = 'T';
	for (guint i = 0; i < map->keys->len; i++)
		result = both(
		        result, holds_entry(v, ((struct yaml_node *)g_ptr_array_index(map->keys, i))->text,
		                        g_ptr_array_index(map->children, i)));
	return result;
}

static const char *text_at(const struct yaml_node *map, const char *key, const char *fallback)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node ? node->text : fallback;
}

static bool per_item(const struct yaml_node *rule)
{
	return is(text_at(rule, "per", "concern"), "item");
}

static bool applies(const struct view *v, const struct yaml_node *rule)
{
	const struct yaml_node *when = yaml_get(rule, "when");
	char holds = when ? holds_map(v, when) : 'T';
	return holds == 'T' || (holds == 'U' && is(text_at(rule, "unknown", "skips"), "applies"));
}

/* ---- effects ---- */

struct event {
	const struct yaml_node *rule, *params;
	const char *handler;
	int concern;
};

struct result {
	char *handler, *what; /* `what`: the parameters that tell actions apart */
	char *reason, *rule, *block;
	GPtrArray *cites;
};

static bool names_it(const struct event *event, const char *name)
{
	const char *kind = text_at(event->params, "kind", text_at(event->params, "queue", ""));
	g_autofree char *full = g_strdup_printf("%s.%s", event->handler, kind);
	return is(name, event->handler) || is(name, full);
}

static bool targets(const struct yaml_node *node, const struct event *event)
{
	bool all_but = node->kind == YAML_MAP;
	const struct yaml_node *list = all_but ? yaml_get(node, "all_but") : node;
	bool named = false;
	for (guint i = 0; i < list->children->len; i++)
		if (names_it(event, ((struct yaml_node *)g_ptr_array_index(list->children, i))->text))
			named = true;
	return named != all_but;
}

static void add_cites(GPtrArray *cites, const struct yaml_node *rule)
{
	const struct yaml_node *list = yaml_get(rule, "cites");
	for (guint i = 0; i < list->children->len; i++) {
		const struct yaml_node *map = g_ptr_array_index(list->children, i);
		char *cite =
		        g_strdup_printf("%s %s", text_at(map, "source", ""), text_at(map, "section", ""));
		if (g_ptr_array_find_with_equal_func(cites, cite, g_str_equal, NULL))
			g_free(cite);
		else
			g_ptr_array_add(cites, cite);
	}
}

static void each_applying(struct view *v, const struct yaml_node *rules,
        void (*visit)(struct view *, const struct yaml_node *, void *), void *data)
{
	for (guint i = 0; i < rules->children->len; i++) {
		const struct yaml_node *rule = g_ptr_array_index(rules->children, i);
		for (int c = per_item(rule) ? -1 : 0; c < (per_item(rule) ? 0 : (int)v->input->concerns->len);
		        c++) {
			v->concern = c;
			if ((c < 0 || known(v, c)) && applies(v, rule))
				visit(v, rule, data);
		}
	}
}

struct effect {
	const struct yaml_node *rule;
	int concern;
};

struct collection {
	GArray *events;  /* of struct event */
	GArray *effects; /* of struct effect: bars and additions */
};

static void collect(struct view *v, const struct yaml_node *rule, void *data)
{
	struct collection *collection = data;
	struct effect effect = {rule, v->concern};
	g_array_append_val(collection->effects, effect);
	const struct yaml_node *then = yaml_get(rule, "then");
	for (guint i = 0; then && i < then->children->len; i++) {
		const struct yaml_node *entry = g_ptr_array_index(then->children, i);
		struct event event = {rule, g_ptr_array_index(entry->children, 0),
		        ((struct yaml_node *)g_ptr_array_index(entry->keys, 0))->text, v->concern};
		g_array_append_val(collection->events, event);
	}
}

static bool reaches(const struct effect *effect, const struct event *event, const char *key)
{
	const struct yaml_node *node = yaml_get(effect->rule, key);
	return node && (effect->concern == -1 || effect->concern == event->concern) && targets(node, event);
}

static char *ticket_words(const struct view *v, const struct event *event)
{
	int32_t start = v->input->facts.expected_claim_start;
	bool by_start = is(text_at(event->params, "dated", ""), "expected_claim_start") && start != DAY_NONE;
	int32_t day = by_start ? start : berlin_day(v->input->received);
	g_autofree char *due = instant_format_berlin(
	        berlin_instant(day + atoi(text_at(event->params, "after_days", "0")), 0));
	return g_strdup_printf("%s %s %s", text_at(event->params, "queue", ""), day_word(day), due);
}

/* The reason as written; "doubt" stands for why the item is in doubt. */
static const char *reason_of(const struct view *v, const struct event *event)
{
	const char *reason = text_at(event->params, "reason", "");
	if (!is(event->handler, "klaerung") || !is(reason, "doubt") || !doubt(v))
		return reason;
	if (v->input->doubt)
		return v->input->doubt_reason;
	return v->input->concerns->len ? "unknown_concern" : "no_concern";
}

/* What tells the action apart; eakte, call and none are one an item. */
static char *what_of(const struct view *v, const struct event *event)
{
	const struct yaml_node *p = event->params;
	if (is(event->handler, "eakte") || is(event->handler, "call") || is(event->handler, "none"))
		return g_strdup("");
	if (is(event->handler, "ticket"))
		return ticket_words(v, event);
	if (is(event->handler, "reply"))
		return g_strdup_printf("%s %s %s", text_at(p, "channel", ""),
		        text_at(p, "template", concern_at(v, event->concern)->id),
		        concern_at(v, event->concern)->id);
	return g_strdup_printf("%s%s%s%s%s", text_at(p, "kind", ""), text_at(p, "text", ""),
	        text_at(p, "to", ""), text_at(p, "mode", ""), reason_of(v, event));
}

static struct result *result_of(const struct view *v, const struct event *event)
{
	struct result *result = g_new0(struct result, 1);
	result->handler = g_strdup(event->handler);
	result->what = what_of(v, event);
	const char *reason = reason_of(v, event);
	result->reason = g_strdup(*reason ? reason : "-");
	result->rule =
	        g_strdup_printf("%s/%s", text_at(event->rule, "id", ""), text_at(event->rule, "row", ""));
	result->cites = g_ptr_array_new_with_free_func(g_free);
	add_cites(result->cites, event->rule);
	return result;
}

static void result_free(void *data)
{
	struct result *result = data;
	g_free(result->handler);
	g_free(result->what);
	g_free(result->reason);
	g_free(result->rule);
	g_free(result->block);
	g_ptr_array_unref(result->cites);
	g_free(result);
}

static void take_block(struct result *result, const char *block)
{
	if (!block || (result->block && strcmp(result->block, block) <= 0))
		return;
	g_free(result->block);
	result->block = g_strdup(block);
}

static struct result *same(const GPtrArray *results, const struct result *result)
{
	for (guint i = 0; i < results->len; i++) {
		struct result *other = g_ptr_array_index(results, i);
		if (is(other->handler, result->handler) && is(other->what, result->what))
			return other;
	}
	return NULL;
}

static void swap(char **a, char **b)
{
	char *c = *a;
	*a = *b;
	*b = c;
}

static void join(GPtrArray *results, struct result *result)
{
	struct result *other = same(results, result);
	if (!other) {
		g_ptr_array_add(results, result);
		return;
	}
	for (guint i = 0; i < result->cites->len; i++)
		if (!g_ptr_array_find_with_equal_func(
		            other->cites, g_ptr_array_index(result->cites, i), g_str_equal, NULL))
			g_ptr_array_add(other->cites, g_strdup(g_ptr_array_index(result->cites, i)));
	take_block(other, result->block);
	if (strcmp(result->rule, other->rule) < 0) {
		swap(&result->rule, &other->rule);
		swap(&result->reason, &other->reason);
	}
	result_free(result);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted_lines(GPtrArray *lines)
{
	g_ptr_array_sort(lines, by_text);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < lines->len; i++)
		if (i == 0 || !is(g_ptr_array_index(lines, i), g_ptr_array_index(lines, i - 1)))
			g_string_append_printf(out, "%s\n", (char *)g_ptr_array_index(lines, i));
	return g_string_free(out, FALSE);
}

static char *result_line(struct result *result)
{
	g_autoptr(GString) cites = g_string_new(NULL);
	g_ptr_array_sort(result->cites, by_text);
	for (guint i = 0; i < result->cites->len; i++)
		g_string_append_printf(cites, "+%s", (char *)g_ptr_array_index(result->cites, i));
	return g_strdup_printf("%s(%s) %s %s %s %s", result->handler, result->what, result->reason,
	        result->rule, result->block ? result->block : "-", cites->str);
}

static void decide_events(struct view *v, const struct collection *all, GPtrArray *results, GPtrArray *barred)
{
	for (guint i = 0; i < all->events->len; i++) {
		const struct event *event = &g_array_index(all->events, struct event, i);
		struct result *result = result_of(v, event);
		bool stays = true;
		for (guint k = 0; k < all->effects->len; k++) {
			const struct effect *effect = &g_array_index(all->effects, struct effect, k);
			if (reaches(effect, event, "adds_to")) {
				take_block(result, text_at(effect->rule, "block", ""));
				add_cites(result->cites, effect->rule);
			}
			if (!reaches(effect, event, "bars"))
				continue;
			stays = false;
			struct result *copy = result_of(v, event);
			copy->block = g_strdup_printf("%s:%s", text_at(effect->rule, "id", ""),
			        text_at(effect->rule, "reason", ""));
			g_ptr_array_add(barred, copy);
		}
		if (stays)
			join(results, result);
		else
			result_free(result);
	}
}

char *reference_decide(const struct yaml_node *file, const struct catalogue *catalogue,
        const struct switches *switches, const struct rule_input *input)
{
	struct view view = {catalogue, switches, input, -1};
	struct collection all = {g_array_new(FALSE, FALSE, sizeof(struct event)),
	        g_array_new(FALSE, FALSE, sizeof(struct effect))};
	g_autoptr(GPtrArray) results = g_ptr_array_new_with_free_func(result_free);
	g_autoptr(GPtrArray) barred = g_ptr_array_new_with_free_func(result_free);
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	each_applying(&view, yaml_get(file, "rules"), collect, &all);
	decide_events(&view, &all, results, barred);
	for (guint i = 0; i < results->len; i++)
		g_ptr_array_add(lines, result_line(g_ptr_array_index(results, i)));
	for (guint i = 0; i < barred->len; i++) {
		const struct result *result = g_ptr_array_index(barred, i);
		if (!same(results, result))
			g_ptr_array_add(lines, g_strdup_printf("-%s(%s) %s %s", result->handler, result->what,
			                               result->rule, result->block));
	}
	g_ptr_array_add(lines, g_strdup_printf("payment %s doubt %d", payment(&view), doubt(&view)));
	g_array_unref(all.events);
	g_array_unref(all.effects);
	return sorted_lines(lines);
}

/* ---- the engine's decision in the same lines ---- */

static char *engine_what(const struct action *action)
{
	if (action->handler == HANDLER_EAKTE || action->handler == HANDLER_CALL ||
	        action->handler == HANDLER_NONE)
		return g_strdup("");
	if (action->handler == HANDLER_TICKET) {
		g_autofree char *due = instant_format_berlin(action->not_before);
		return g_strdup_printf("%s %s %s", action->queue, day_word(action->dated), due);
	}
	if (action->handler == HANDLER_REPLY)
		return g_strdup_printf("%s %s %s", action->channel, action->template, action->concern);
	return g_strdup_printf("%s%s%s%s%s", action->kind ? action->kind : "",
	        action->text ? action->text : "", action->to ? action->to : "",
	        action->mode ? action->mode : "", action->reason ? action->reason : "");
}

static char *engine_line(const struct action *action)
{
	g_autofree char *what = engine_what(action);
	g_autoptr(GPtrArray) cites = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) joined = g_string_new(NULL);
	for (guint i = 0; i < action->cites->len; i++) {
		const struct cite *cite = g_ptr_array_index(action->cites, i);
		g_ptr_array_add(cites, g_strdup_printf("%s %s", cite->source, cite->section));
	}
	g_ptr_array_sort(cites, by_text);
	for (guint i = 0; i < cites->len; i++)
		g_string_append_printf(joined, "+%s", (char *)g_ptr_array_index(cites, i));
	return g_strdup_printf("%s(%s) %s %s/%s %s %s", handler_name(action->handler), what,
	        action->reason ? action->reason : "-", action->rule, action->row,
	        action->block ? action->block : "-", joined->str);
}

char *reference_lines(const struct decision *decision)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < decision->actions->len; i++)
		g_ptr_array_add(lines, engine_line(g_ptr_array_index(decision->actions, i)));
	for (guint i = 0; i < decision->suppressed->len; i++) {
		const struct suppressed *s = g_ptr_array_index(decision->suppressed, i);
		g_autofree char *what = engine_what(s->action);
		g_ptr_array_add(
		        lines, g_strdup_printf("-%s(%s) %s/%s %s:%s", handler_name(s->action->handler), what,
		                       s->action->rule, s->action->row, s->rule, s->reason));
	}
	g_ptr_array_add(lines, g_strdup_printf("payment %s doubt %d",
	                               relevance_name(decision->payment_relevant), decision->doubt));
	return sorted_lines(lines);
}
