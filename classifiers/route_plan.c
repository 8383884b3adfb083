/* route_plan.c - what a decision entails, handler by handler (DESIGN.md section 1,
 * journal/delivery_params.h). */
#include "classifiers/route_plan.h"

#include "core/date.h"
#include "core/log.h"
#include "journal/delivery_params.h"

#include <string.h>

static char *keep(struct plan *plan, char *string)
{
	g_ptr_array_add(plan->strings, string);
	return string;
}

static json_t *keep_json(struct plan *plan, json_t *value)
{
	g_ptr_array_add(plan->values, value);
	return value;
}

/* -- persons, as keyed hashes -- */

/* The case: one Kundennummer; none or several are no case. */
static const char *case_key(struct plan *plan, const struct plan_input *input)
{
	const GPtrArray *numbers = input->verdict->findings->kundennummern;
	char hex[HASH_HEX_SIZE];
	if (numbers->len != 1)
		return NULL;
	journal_pseudonym(input->journal, "kundennummer", numbers->pdata[0], hex);
	return keep(plan, g_strdup(hex));
}

static const char *sender_key(struct plan *plan, const struct plan_input *input, const char *address)
{
	g_autofree char *normal = address ? facts_normalise_email(address) : NULL;
	char hex[HASH_HEX_SIZE];
	if (!normal)
		return NULL;
	journal_pseudonym(input->journal, "sender", normal, hex);
	return keep(plan, g_strdup(hex));
}

/* Where a reply goes: mail to the envelope sender, a form's to the address it names. */
static const char *reply_address(const struct message *message)
{
	return message->channel == CHANNEL_EMAIL ? message->envelope_from : message->from_email;
}

/* -- deliveries -- */

static struct new_delivery *add_delivery(struct plan *plan, const char *handler, json_t *params)
{
	struct new_delivery delivery = {.handler = handler, .params = keep_json(plan, params)};
	g_array_append_val(plan->deliveries, delivery);
	return &g_array_index(plan->deliveries, struct new_delivery, plan->deliveries->len - 1);
}

static json_t *concern_ids(const struct findings *findings)
{
	json_t *list = json_array();
	for (guint i = 0; i < findings->concerns->len; i++)
		json_add_string(list, ((const struct finding *)findings->concerns->pdata[i])->concern);
	return list;
}

/* Metadata of the document in the eAkte; one document an item, whatever the number of reasons. */
static void plan_eakte(struct plan *plan, const struct plan_input *input, json_t *params)
{
	const struct decision *decision = input->verdict->decision;
	json_object_set_new(params, "concerns", concern_ids(input->verdict->findings));
	json_set_string(params, "payment_relevant", relevance_name(decision->payment_relevant));
	json_set_string(params, "rechtskreis", rechtskreis_name(decision->rechtskreis));
	json_set_string(params, "contact_code", decision->contact_code);
	add_delivery(plan, DELIVERY_EAKTE, params);
}

static void plan_reply(
        struct plan *plan, const struct plan_input *input, const struct action *action, json_t *params)
{
	const char *to = reply_address(input->message);
	bool email = g_strcmp0(action->channel, "postbox") != 0;
	if (to && *to)
		json_set_string(params, "to", to);
	struct new_delivery *reply = add_delivery(plan, DELIVERY_REPLY, params);
	reply->suffix = action->concern;
	reply->at_most_once = true;
	reply->window_key = sender_key(plan, input, email ? to : input->message->from_email);
	reply->window_concern = action->concern;
	reply->window = ROUTE_REPLY_WINDOW;
}

/* Whom to ask again when the ticket is due. */
static json_t *fact_keys(const struct plan_input *input)
{
	const GPtrArray *numbers = input->verdict->findings->kundennummern;
	json_t *keys = json_object();
	json_t *list = json_array();
	for (guint i = 0; i < numbers->len; i++)
		json_add_string(list, numbers->pdata[i]);
	json_object_set_new(keys, "kundennummer", list);
	if (input->message->from_email)
		json_set_string(keys, "email", input->message->from_email);
	return keys;
}

static void plan_ticket(
        struct plan *plan, const struct plan_input *input, const struct action *action, json_t *params)
{
	/* A ticket with a day of its own waits for it: it is sent only if still unprocessed then (rule 1). */
	if (action->dated != DAY_NONE)
		json_set_string(params, "ask", "application_processed");
	json_object_set_new(params, "keys", fact_keys(input));
	if (action->concerns->len)
		json_set_string(params, "concern", action->concerns->pdata[0]);
	struct new_delivery *ticket = add_delivery(plan, DELIVERY_TICKET, params);
	ticket->suffix = action->queue;
	ticket->not_before = action->not_before;
}

/* -- tasks -- */

static const char *const reason_words[][2] = {
        {"undecodable", "Die Nachricht ist nicht lesbar."},
        {"below_threshold", "Das Anliegen ist nicht sicher erkannt."},
        {"unsure", "Es ist nicht sicher, um welches Anliegen es geht."},
        {"payment_risk", "Ein zahlungsrelevantes Anliegen ist nicht auszuschließen."},
        {"restored", "Das Journal wurde wiederhergestellt: bitte prüfen, ob der Anruf schon geschehen ist."},
        {"no_concern", "Es ist kein Anliegen erkannt."},
        {"text_too_long", "Der Text ist länger, als gelesen wird."},
        {"unknown_concern", "Das Anliegen steht nicht im Katalog."},
        {"unknown_form_kind", "Die Art der Veränderungsmitteilung ist nicht bekannt."},
        {"dates", "Die Daten der Abwesenheit passen nicht zusammen."},
        {"numbers_conflict", "Es sind zwei verschiedene Kundennummern genannt."},
        {"address_mismatch", "Der Adressabgleich ist fehlgeschlagen."},
        {"deceased", "Die Kundin oder der Kunde ist als verstorben geführt."},
        {"minor", "Die Kundin oder der Kunde ist minderjährig."},
        {"received_in_future", "Der Zeitpunkt des Eingangs liegt in der Zukunft."},
        {"before_first_instruction", "Am Tag des Eingangs galt noch keine Weisung."},
        {"no_instruction", "Am Tag des Eingangs galt keine Weisung."},
        {"facts_unknown", "Angaben zum Fall sind nicht bekannt."},
        {"open_concern", "Das Anliegen ist offen."},
        {"preferred_channel", "Die Kundin oder der Kunde wünscht einen anderen Kontaktweg."},
};

static const char *reason_text(const char *reason)
{
	for (unsigned i = 0; reason && i < G_N_ELEMENTS(reason_words); i++)
		if (strcmp(reason, reason_words[i][0]) == 0)
			return reason_words[i][1];
	return NULL;
}

static const char *concern_title(const struct plan_input *input, const char *id)
{
	const struct catalogue *catalogue = rules_catalogue(pipeline_rules(input->pipeline));
	int index = catalogue_find(catalogue, id);
	return index < 0 ? id : catalogue_get(catalogue, index)->title;
}

static void add_paragraph(GString *text, const char *paragraph)
{
	if (!paragraph || !*paragraph)
		return;
	if (text->len)
		g_string_append(text, "\n\n");
	g_string_append(text, paragraph);
	while (text->len && text->str[text->len - 1] == '\n')
		g_string_truncate(text, text->len - 1);
}

static void add_template(GString *text, const struct plan_input *input, const char *name, const char *block)
{
	g_autoptr(GError) error = NULL;
	const struct template_values values = {
	        .received = input->message->received, .vorgang = input->claim->name, .block = block};
	AUTO(text) filled = templates_fill(pipeline_templates(input->pipeline), name, &values, &error);
	if (filled)
		add_paragraph(text, filled->body);
	else
		log_error("route.template", error);
}

static void add_candidates(GString *text, const struct plan_input *input, const struct action *action)
{
	g_autoptr(GString) line = g_string_new(NULL);
	for (guint i = 0; action->candidates && i < action->candidates->len; i++)
		g_string_append_printf(line, "%s%s",
		        i ? ", " : "Mögliche Anliegen: ", concern_title(input, action->candidates->pdata[i]));
	add_paragraph(text, line->str);
}

static void add_forward(GString *text, const struct action *action)
{
	g_autofree char *received = instant_format_berlin(action->received);
	g_autofree char *line =
	        g_strdup_printf("Weiterleiten an: %s. Ersteingang: %s (§ 16 SGB I).", action->to, received);
	add_paragraph(text, line);
}

/* What the clerk reads: the rule's own words, the template of that kind, the block; never the message. */
static char *task_text(const struct plan_input *input, const struct action *action, const char *kind)
{
	const struct templates *templates = pipeline_templates(input->pipeline);
	GString *text = g_string_new(NULL);
	add_paragraph(text, action->text);
	if (action->handler == HANDLER_KLAERUNG)
		add_paragraph(text, reason_text(action->reason));
	if (action->handler == HANDLER_FORWARD)
		add_forward(text, action);
	if (templates_has(templates, kind, TEMPLATE_TASK))
		add_template(text, input, kind, action->block);
	else if (action->block)
		add_template(text, input, action->block, NULL);
	add_candidates(text, input, action);
	return g_string_free(text, FALSE);
}

static void plan_task(
        struct plan *plan, const struct plan_input *input, const struct action *action, json_t *params)
{
	const char *kind = action->kind ? action->kind : handler_name(action->handler);
	struct new_task task = {
	        .kind = kind,
	        .text = keep(plan, task_text(input, action, kind)),
	        .params = keep_json(plan, params),
	        .post = input->post_tasks,
	};
	if (action->handler == HANDLER_CALL && input->hold_calls) {
		task.kind = handler_name(HANDLER_KLAERUNG);
		task.text = keep(plan, g_strdup_printf("%s\n\n%s", reason_text("restored"), task.text));
		json_set_string(params, "reason", "restored");
	} else if (action->handler == HANDLER_CALL) {
		task.case_key = plan->decision.person;
		task.concern = action->concerns->len ? action->concerns->pdata[0] : NULL;
		task.window = ROUTE_CALL_WINDOW;
	}
	if (strcmp(kind, "reply_undeliverable") == 0 && input->bounced_delivery) {
		json_set_int(params, "delivery", input->bounced_delivery);
		json_set_int(params, "item", input->bounced_item);
	}
	g_array_append_val(plan->tasks, task);
}

static void plan_action(struct plan *plan, const struct plan_input *input, const struct action *action)
{
	json_t *params = action_to_json(action);
	switch (action->handler) {
	case HANDLER_EAKTE:
		plan_eakte(plan, input, params);
		break;
	case HANDLER_REPLY:
		plan_reply(plan, input, action, params);
		break;
	case HANDLER_TICKET:
		plan_ticket(plan, input, action, params);
		break;
	case HANDLER_ARCHIVE:
		json_object_set_new(params, "concerns", concern_ids(input->verdict->findings));
		add_delivery(plan, DELIVERY_ARCHIVE, params);
		break;
	case HANDLER_CALL:
	case HANDLER_TASK:
	case HANDLER_KLAERUNG:
	case HANDLER_FORWARD:
		plan_task(plan, input, action, params);
		break;
	case HANDLER_NONE:
	case HANDLER_COUNT:
		json_decref(params);
		break;
	}
}

/* -- the log record -- */

static json_t *scores(const struct findings *findings)
{
	json_t *list = json_array();
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = findings->concerns->pdata[i];
		json_t *object = json_object();
		json_set_string(object, "id", finding->concern);
		json_set_int(object, "score", finding->score);
		json_array_append_new(list, object);
	}
	return list;
}

/* Texts for clerks may be long and say nothing that the rule does not; the log goes without. */
static json_t *without_text(json_t *actions)
{
	json_t *list = json_array();
	size_t i;
	json_t *action;
	json_array_foreach (actions, i, action) {
		json_t *bare = json_copy(action); /* what it holds is shared: nobody changes it */
		json_object_del(bare, "text");
		json_array_append_new(list, bare);
	}
	return list;
}

static json_t *record_detail(const struct plan_input *input, json_t *decision)
{
	static const char *const plain[] = {"basis", "rechtskreis", "third_party", "resolved", "automatic",
	        "payment_relevant", "doubt", "contact_code", NULL};
	const struct findings *findings = input->verdict->findings;
	json_t *record = json_object();
	for (int i = 0; plain[i]; i++)
		json_object_set(record, plain[i], json_object_get(decision, plain[i]));
	if (findings->doubt_reason)
		json_set_string(record, "doubt_reason", findings->doubt_reason);
	json_object_set_new(record, "concerns", scores(findings));
	json_object_set_new(record, "facts", facts_to_json(&input->verdict->input->facts));
	json_object_set_new(record, "actions", without_text(json_object_get(decision, "actions")));
	json_object_set_new(record, "suppressed", without_text(json_object_get(decision, "suppressed")));
	return record;
}

static json_t *frozen_facts(const struct plan_input *input)
{
	json_t *facts = facts_to_json(&input->verdict->input->facts);
	json_set_int(facts, "asked", input->asked);
	json_set_bool(facts, "answered", input->facts_answered);
	if (input->untouched)
		json_set_bool(facts, ROUTE_UNTOUCHED, true);
	return facts;
}

static void fill_decision(struct plan *plan, const struct plan_input *input)
{
	const struct verdict *verdict = input->verdict;
	struct new_decision *out = &plan->decision;
	JSON_AUTO id = json_string(input->claim->name);
	out->item = input->claim->item->id;
	out->fence = input->claim->fence;
	out->decision = keep_json(plan, verdict_to_archive(input->pipeline, verdict, id));
	out->findings = keep_json(plan, rule_input_to_json(verdict->input));
	out->facts = keep_json(plan, frozen_facts(input));
	out->record = keep_json(plan, record_detail(input, out->decision));
	out->engine = pipeline_engine(input->pipeline);
	out->ruleset = verdict->decision->ruleset;
	out->relevance = verdict->decision->payment_relevant;
	out->contact_code = verdict->decision->contact_code;
	out->person = case_key(plan, input);
}

static void value_free(void *value)
{
	json_decref(value);
}

struct plan *plan_new(const struct plan_input *input)
{
	struct plan *plan = g_new0(struct plan, 1);
	plan->deliveries = g_array_new(FALSE, TRUE, sizeof(struct new_delivery));
	plan->tasks = g_array_new(FALSE, TRUE, sizeof(struct new_task));
	plan->strings = g_ptr_array_new_with_free_func(g_free);
	plan->values = g_ptr_array_new_with_free_func(value_free);
	fill_decision(plan, input);
	const GPtrArray *actions = input->verdict->decision->actions;
	for (guint i = 0; i < actions->len; i++)
		plan_action(plan, input, actions->pdata[i]);
	plan->decision.deliveries = &g_array_index(plan->deliveries, struct new_delivery, 0);
	plan->decision.n_deliveries = plan->deliveries->len;
	plan->decision.tasks = &g_array_index(plan->tasks, struct new_task, 0);
	plan->decision.n_tasks = plan->tasks->len;
	return plan;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	g_array_unref(plan->deliveries);
	g_array_unref(plan->tasks);
	g_ptr_array_unref(plan->values);
	g_ptr_array_unref(plan->strings);
	g_free(plan);
}
