/* rules_env.c - what the rules see of one item: its variables, doubt, Rechtskreis and payment relevance
 * (DESIGN.md section 3), computed once before any rule is looked at.
 *
 * Precedence: outside of every rule set → doubt. Bounce, report and auto-reply → no doubt, no payment. Doubt
 * → payment unknown, Rechtskreis sgb3 (not sure). A concern of another Rechtskreis → no payment. Else the
 * catalogue decides.
 */
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

/* Nobody asked for anything. */
static bool is_answer_of_a_machine(enum automatic automatic)
{
	return automatic == AUTOMATIC_BOUNCE || automatic == AUTOMATIC_REPORT ||
	       automatic == AUTOMATIC_REPLIED;
}

static bool is_bulk(enum automatic automatic)
{
	return automatic == AUTOMATIC_LIST || automatic == AUTOMATIC_GENERATED;
}

static int word_of(const struct rules *rules, int index, int32_t day)
{
	return switch_on(switches_get(rules->switches, index), day);
}

static bool word_is(const struct rules *rules, int index, int32_t day, const char *word)
{
	const struct dated_switch *dated = switches_get(rules->switches, index);
	return strcmp(g_ptr_array_index(dated->words, word_of(rules, index, day)), word) == 0;
}

static enum relevance relevance_of_switch(const struct rules *rules, int index, int32_t day)
{
	if (word_is(rules, index, day, "yes"))
		return RELEVANCE_YES;
	return word_is(rules, index, day, "no") ? RELEVANCE_NO : RELEVANCE_UNKNOWN;
}

static enum relevance payment_to_address(const struct rules *rules, enum payment_method method, int32_t day)
{
	bool ended = !word_is(rules, rules->pzzv, day, "true") &&
	             word_is(rules, rules->pzzv_after_end, day, "unbound");
	if (method == PAYMENT_METHOD_UNKNOWN)
		return RELEVANCE_UNKNOWN;
	if (method == PAYMENT_METHOD_IBAN || (method == PAYMENT_METHOD_PZZV && ended))
		return RELEVANCE_NO;
	return RELEVANCE_YES;
}

enum relevance payment_of_kind(const struct rules *rules, enum payment_kind kind, enum payment_method method,
        int32_t absence_days, int32_t day)
{
	if (kind == PAYMENT_KIND_YES)
		return RELEVANCE_YES;
	if (kind == PAYMENT_KIND_NAME && method == PAYMENT_METHOD_IBAN)
		return relevance_of_switch(rules, rules->name_change_iban, day);
	if (kind == PAYMENT_KIND_ADDRESS || kind == PAYMENT_KIND_NAME)
		return payment_to_address(rules, method, day);
	if (kind == PAYMENT_KIND_NO)
		return RELEVANCE_NO;
	if (absence_days == RULES_UNKNOWN)
		return relevance_of_switch(rules, rules->absence_unknown, day);
	return absence_days > rules->switches->absence_limit ? RELEVANCE_YES : RELEVANCE_NO;
}

static const char *outside_reason(const struct evaluation *e)
{
	const GArray *periods = e->rules->periods;
	if (e->input->received_in_future)
		return "received_in_future";
	if (periods->len == 0 || e->day < g_array_index(periods, struct period, 0).from)
		return "before_first_instruction";
	return "no_instruction";
}

/* Finds the concerns in the catalogue and settles whether the item is in doubt, and why. */
static void settle_doubt(struct evaluation *e)
{
	const struct rule_input *input = e->input;
	bool unknown = false;
	for (unsigned i = 0; i < e->concern_count; i++) {
		const struct rule_concern *concern = g_ptr_array_index(input->concerns, i);
		e->concerns[i] = catalogue_find(e->rules->catalogue, concern->id);
		unknown |= e->concerns[i] < 0;
	}
	if (e->set->outside)
		e->doubt_reason = outside_reason(e);
	else if (is_answer_of_a_machine(input->automatic))
		e->doubt_reason = NULL;
	else if (input->doubt)
		e->doubt_reason = input->doubt_reason ? input->doubt_reason : "doubt";
	else if (unknown)
		e->doubt_reason = "unknown_concern";
	else if (e->concern_count == 0 && !is_bulk(input->automatic))
		e->doubt_reason = "no_concern";
	e->doubt = e->doubt_reason != NULL;
}

static enum rechtskreis rechtskreis_of(const struct evaluation *e, unsigned i)
{
	const struct rule_concern *concern = g_ptr_array_index(e->input->concerns, i);
	if (e->doubt || e->concerns[i] < 0)
		return RECHTSKREIS_SGB3;
	const struct concern *known = catalogue_get(e->rules->catalogue, e->concerns[i]);
	return known->rechtskreis_fixed ? known->rechtskreis : concern->rechtskreis;
}

static enum relevance payment_of(const struct evaluation *e, unsigned i)
{
	const struct facts *facts = &e->input->facts;
	int32_t days = e->input->absence_days < 0 ? RULES_UNKNOWN : e->input->absence_days;
	if (e->doubt)
		return RELEVANCE_UNKNOWN;
	/* a concern that the catalogue does not know is doubt, or the mail is a machine's */
	if (is_answer_of_a_machine(e->input->automatic) || e->rechtskreis[i] != RECHTSKREIS_SGB3)
		return RELEVANCE_NO;
	const struct concern *concern = catalogue_get(e->rules->catalogue, e->concerns[i]);
	return payment_of_kind(e->rules, concern->payment, facts->payment_method, days, e->day);
}

/* Concern by concern, and the item's: the maximum. */
static void settle_concerns(struct evaluation *e)
{
	enum relevance most = e->doubt ? RELEVANCE_UNKNOWN : RELEVANCE_NO;
	bool only_sonstiges = true, foreign = e->concern_count > 0;
	for (unsigned i = 0; i < e->concern_count; i++) {
		e->rechtskreis[i] = rechtskreis_of(e, i);
		e->payment[i] = payment_of(e, i);
		most = MAX(most, e->payment[i]);
		only_sonstiges &= e->concerns[i] == e->rules->sonstiges;
		foreign &= e->rechtskreis[i] != RECHTSKREIS_SGB3;
	}
	e->item_rechtskreis = RECHTSKREIS_SGB3;
	if (foreign) {
		e->item_rechtskreis = RECHTSKREIS_FAMILIENKASSE;
		for (unsigned i = 0; i < e->concern_count; i++)
			e->item_rechtskreis = MIN(e->item_rechtskreis, e->rechtskreis[i]);
	}
	e->env[VAR_PAYMENT] = (int32_t)most;
	e->env[VAR_ONLY_SONSTIGES] = only_sonstiges;
	e->env[VAR_FOREIGN_ONLY] = foreign;
}

static void set_cv(struct evaluation *e)
{
	const struct catalogue *catalogue = e->rules->catalogue;
	int32_t *cv = e->env + e->rules->vars->first_cv;
	unsigned empty = 0;
	int last = 0;
	for (guint i = 0; i < catalogue->cv_entries->len; i++)
		cv[i] = CV_UNKNOWN;
	for (guint i = 0; i < e->input->cv->len; i++) {
		const struct cv_entry *entry = g_ptr_array_index(e->input->cv, i);
		int index = catalogue_find_cv(catalogue, entry->name);
		if (index < 0)
			continue;
		cv[index] = (int32_t)entry->state;
		empty += entry->state == CV_EMPTY;
		last = entry->state == CV_EMPTY ? index : last;
	}
	e->env[VAR_CV_ONLY_UNUSED] = empty == 0   ? CV_UNUSED_NONE
	                             : empty == 1 ? CV_UNUSED_FIRST + last
	                                          : CV_UNUSED_SEVERAL;
}

static void set_form(struct evaluation *e)
{
	const struct rule_input *input = e->input;
	int32_t *env = e->env;
	env[VAR_FORM_TYPE] = input->has_form ? FORM_TYPE_FIRST + (int32_t)input->form_type : FORM_TYPE_NONE;
	env[VAR_FORM_KIND] = FORM_KIND_NONE;
	if (input->form_kind) {
		int index = catalogue_find(e->rules->catalogue, input->form_kind);
		env[VAR_FORM_KIND] = index < 0 ? FORM_KIND_UNKNOWN : FORM_KIND_FIRST + index;
	}
	env[VAR_FORM_FROM] = input->form_from;
	env[VAR_FORM_TO] = input->form_to;
	set_cv(e);
}

static void set_facts(struct evaluation *e)
{
	const struct facts *facts = &e->input->facts;
	int32_t *env = e->env;
	env[VAR_ADDRESS_MATCH] = (int32_t)facts->address_match;
	env[VAR_BENEFIT_RECIPIENT] = (int32_t)facts->benefit_recipient;
	env[VAR_DOCUMENTS_COMPLETE] = (int32_t)facts->documents_complete;
	env[VAR_APPLICATION_PROCESSED] = (int32_t)facts->application_processed;
	env[VAR_DUTY_OF_PROOF] = (int32_t)facts->duty_of_proof;
	env[VAR_INTERNETPERSON] = (int32_t)facts->internetperson;
	env[VAR_REPRESENTED] = (int32_t)facts->represented;
	env[VAR_DECEASED] = (int32_t)facts->deceased;
	env[VAR_MINOR] = (int32_t)facts->minor;
	env[VAR_PAYMENT_METHOD] = (int32_t)facts->payment_method;
	env[VAR_PREFERRED_CHANNEL] = (int32_t)facts->preferred_channel;
	env[VAR_EXPECTED_CLAIM_START] = facts->expected_claim_start;
}

static void set_marks(struct evaluation *e)
{
	const struct rule_input *input = e->input;
	int32_t *env = e->env;
	env[VAR_CHANNEL] = (int32_t)input->channel;
	env[VAR_RECEIVED] = e->day;
	env[VAR_MAILBOX] = GPOINTER_TO_INT(g_hash_table_lookup(e->rules->vars->by_mailbox, input->mailbox));
	env[VAR_HAS_SENDER] = input->has_sender;
	env[VAR_OWN_BOUNCE] = input->own_bounce;
	env[VAR_AUTOMATIC] = (int32_t)input->automatic;
	env[VAR_THIRD_PARTY] = input->third_party;
	env[VAR_RESOLVED] = input->resolved;
	env[VAR_AUTHORITY_STATED] = input->authority_stated;
	env[VAR_NUMBERS_CONFLICT] = input->numbers_conflict;
	env[VAR_UNSUITABLE_DOCUMENT] = input->unsuitable_document;
	env[VAR_RECEIVED_IN_FUTURE] = input->received_in_future;
	env[VAR_ABSENCE_DAYS] = input->absence_days < 0 ? RULES_UNKNOWN : input->absence_days;
	env[VAR_DOUBT] = e->doubt;
	env[VAR_CHANNEL_CLOSED] = input->channel == CHANNEL_EMAIL &&
	                          switches_channel_closed(e->rules->switches, input->mailbox, e->day);
}

static void set_switches(struct evaluation *e)
{
	const struct switches *switches = e->rules->switches;
	int32_t *values = e->env + e->rules->vars->first_switch;
	for (guint i = 0; i < switches->all->len; i++)
		values[i] = switch_on(switches_get(switches, (int)i), e->day);
}

void evaluation_init(struct evaluation *e, const struct rules *rules, const struct ruleset *set,
        const struct rule_input *input)
{
	unsigned n = input->concerns->len;
	*e = (struct evaluation){.rules = rules, .set = set, .input = input, .concern_count = n};
	e->day = berlin_day(input->received);
	e->env = g_new(int32_t, rules->vars->all->len);
	e->concerns = g_new(int, n + 1);
	e->rechtskreis = g_new(enum rechtskreis, n + 1);
	e->payment = g_new(enum relevance, n + 1);
	settle_doubt(e);
	settle_concerns(e);
	set_marks(e);
	set_form(e);
	set_facts(e);
	set_switches(e);
	e->env[VAR_CONCERN] = CONCERN_NONE;
	e->env[VAR_RECHTSKREIS] = (int32_t)e->item_rechtskreis;
	e->env[VAR_CONCERN_PAYMENT] = e->env[VAR_PAYMENT];
}

void evaluation_clear(struct evaluation *e)
{
	g_free(e->env);
	g_free(e->concerns);
	g_free(e->rechtskreis);
	g_free(e->payment);
}

void evaluation_enter(struct evaluation *e, unsigned concern)
{
	e->env[VAR_CONCERN] = e->concerns[concern] + CONCERN_FIRST;
	e->env[VAR_RECHTSKREIS] = (int32_t)e->rechtskreis[concern];
	e->env[VAR_CONCERN_PAYMENT] = (int32_t)e->payment[concern];
}
