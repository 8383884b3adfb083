/* decision.c - names, freeing and JSON of decisions. */
#include "classifiers/decision.h"
#include "core/date.h"

#include <string.h>

static const char *const handler_names[HANDLER_COUNT] = {
        "eakte", "reply", "call", "ticket", "task", "klaerung", "forward", "archive", "none"};
static const char *const basis_names[] = {"in_force", "expired", "continued", "statute", "practice"};

const char *handler_name(enum handler handler)
{
	return handler_names[handler];
}

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

bool handler_parse(const char *name, enum handler *out)
{
	int index = find_name(handler_names, G_N_ELEMENTS(handler_names), name);
	if (index >= 0)
		*out = (enum handler)index;
	return index >= 0;
}

const char *basis_name(enum basis basis)
{
	return basis_names[basis];
}

bool basis_parse(const char *name, enum basis *out)
{
	int index = find_name(basis_names, G_N_ELEMENTS(basis_names), name);
	if (index >= 0)
		*out = (enum basis)index;
	return index >= 0;
}

struct action *action_new(void)
{
	struct action *action = g_new0(struct action, 1);
	action->cites = g_ptr_array_new();
	action->concerns = g_ptr_array_new();
	action->dated = DAY_NONE;
	return action;
}

void action_free(struct action *action)
{
	if (!action)
		return;
	g_ptr_array_unref(action->cites);
	g_ptr_array_unref(action->concerns);
	if (action->candidates)
		g_ptr_array_unref(action->candidates);
	g_free(action);
}

struct suppressed *suppressed_new(void)
{
	return g_new0(struct suppressed, 1);
}

void suppressed_free(struct suppressed *suppressed)
{
	if (!suppressed)
		return;
	action_free(suppressed->action);
	g_free(suppressed);
}

void decision_free(struct decision *decision)
{
	if (!decision)
		return;
	g_free(decision->doubt_reason);
	g_ptr_array_unref(decision->actions);
	g_ptr_array_unref(decision->suppressed);
	g_ptr_array_unref(decision->strings);
	g_free(decision);
}

static json_t *cite_to_json(const struct cite *cite)
{
	json_t *json = json_object();
	json_set_string(json, "source", cite->source);
	json_set_string(json, "section", cite->section);
	json_set_string(json, "basis", basis_name(cite->basis));
	return json;
}

static void set_if(json_t *json, const char *key, const char *value)
{
	if (value)
		json_set_string(json, key, value);
}

static void set_ticket(json_t *json, const struct action *action)
{
	g_autofree char *dated = day_format(action->dated);
	g_autofree char *not_before = instant_format_berlin(action->not_before);
	json_set_string(json, "dated", dated);
	json_set_string(json, "not_before", not_before);
}

/* Handler and its parameters, without rule and cites. */
static json_t *parameters_to_json(const struct action *action)
{
	json_t *json = json_object();
	json_set_string(json, "handler", handler_name(action->handler));
	set_if(json, "kind", action->kind);
	set_if(json, "text", action->text);
	set_if(json, "channel", action->channel);
	set_if(json, "template", action->template);
	set_if(json, "concern", action->concern);
	set_if(json, "block", action->block);
	set_if(json, "queue", action->queue);
	set_if(json, "to", action->to);
	set_if(json, "mode", action->mode);
	set_if(json, "reason", action->reason);
	if (action->handler == HANDLER_TICKET)
		set_ticket(json, action);
	if (action->handler == HANDLER_FORWARD) {
		g_autofree char *received = instant_format_berlin(action->received);
		json_set_string(json, "received", received);
	}
	if (action->candidates) {
		json_t *list = json_array();
		for (guint i = 0; i < action->candidates->len; i++)
			json_add_string(list, g_ptr_array_index(action->candidates, i));
		json_object_set_new(json, "candidates", list);
	}
	return json;
}

static json_t *cites_to_json(const GPtrArray *cites)
{
	json_t *list = json_array();
	for (guint i = 0; i < cites->len; i++)
		json_array_append_new(list, cite_to_json(g_ptr_array_index(cites, i)));
	return list;
}

json_t *action_to_json(const struct action *action)
{
	json_t *json = parameters_to_json(action);
	json_set_string(json, "rule", action->rule);
	json_object_set_new(json, "cites", cites_to_json(action->cites));
	return json;
}

static json_t *suppressed_to_json(const struct suppressed *suppressed)
{
	json_t *json = parameters_to_json(suppressed->action);
	json_set_string(json, "of", suppressed->action->rule);
	json_set_string(json, "rule", suppressed->rule);
	json_set_string(json, "reason", suppressed->reason);
	json_t *cites = json_array();
	for (unsigned i = 0; i < suppressed->cite_count; i++)
		json_array_append_new(cites, cite_to_json(suppressed->cites[i]));
	json_object_set_new(json, "cites", cites);
	return json;
}

json_t *decision_to_json(const struct decision *decision)
{
	json_t *json = json_object(), *actions = json_array(), *suppressed = json_array();
	json_set_string(json, "ruleset", decision->ruleset);
	json_set_string(json, "basis", basis_name(decision->basis));
	json_set_string(json, "rechtskreis", rechtskreis_name(decision->rechtskreis));
	json_set_string(json, "payment_relevant", relevance_name(decision->payment_relevant));
	json_set_bool(json, "doubt", decision->doubt);
	json_set_string(json, "contact_code", decision->contact_code);
	for (guint i = 0; i < decision->actions->len; i++)
		json_array_append_new(actions, action_to_json(g_ptr_array_index(decision->actions, i)));
	for (guint i = 0; i < decision->suppressed->len; i++)
		json_array_append_new(
		        suppressed, suppressed_to_json(g_ptr_array_index(decision->suppressed, i)));
	json_object_set_new(json, "actions", actions);
	json_object_set_new(json, "suppressed", suppressed);
	return json;
}

const struct action *decision_find(const struct decision *decision, enum handler handler, const char *kind)
{
	for (guint i = 0; i < decision->actions->len; i++) {
		const struct action *action = g_ptr_array_index(decision->actions, i);
		if (action->handler == handler && (!kind || g_strcmp0(action->kind, kind) == 0))
			return action;
	}
	return NULL;
}
