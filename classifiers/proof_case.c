/* proof_case.c - from a space to one real input that shows it, as small as possible, and in words. */
#include "classifiers/proof_internal.h"
#include "core/date.h"

#include <string.h>

enum { MAX_TRIES = 300000 };

/* The variables that derived ones hang on: all their combinations are tried. */
static const int driving[] = {VAR_CONCERN, VAR_RECHTSKREIS, VAR_DOUBT, VAR_AUTOMATIC, VAR_PAYMENT_METHOD,
        VAR_ABSENCE_DAYS, VAR_RECEIVED};

struct finder {
	const struct model *model;
	const struct space *space;
	case_test test;
	const void *data;
	int32_t cell[G_N_ELEMENTS(driving)];
	unsigned tries;
	unsigned company; /* how many concerns to add */
};

static bool may(const struct finder *finder, int var, int32_t cell)
{
	return word_set_has(&finder->space->dom[var], cell);
}

/* The preferred cell if it is possible, else the first possible one. */
static int32_t pick(const struct finder *finder, int var, int32_t preferred)
{
	if (may(finder, var, preferred))
		return preferred;
	int32_t cell = 0;
	while (!may(finder, var, cell))
		cell++;
	return cell;
}

static int32_t pick_value(const struct finder *finder, int var)
{
	return finder->model->cells[var].values[pick(finder, var, 0)];
}

static bool pick_mark(const struct finder *finder, int var, bool preferred)
{
	return pick(finder, var, preferred);
}

static void fill_cv(const struct finder *finder, struct rule_input *input)
{
	const struct catalogue *catalogue = finder->model->rules->catalogue;
	int first = finder->model->rules->vars->first_cv;
	int32_t unused = pick(finder, VAR_CV_ONLY_UNUSED, CV_UNUSED_NONE);
	int wanted = unused == CV_UNUSED_SEVERAL ? 2 : unused == CV_UNUSED_NONE ? 0 : 1;
	for (int i = 0; i < (int)catalogue->cv_entries->len; i++) {
		bool can = may(finder, first + i, CV_EMPTY);
		bool chosen = unused >= CV_UNUSED_FIRST ? unused == CV_UNUSED_FIRST + i : can && wanted > 0;
		int32_t state = chosen ? CV_EMPTY : pick(finder, first + i, CV_UNKNOWN);
		wanted -= chosen;
		if (state != CV_UNKNOWN)
			rule_input_set_cv(
			        input, g_ptr_array_index(catalogue->cv_entries, i), (enum cv_state)state);
	}
}

static void fill_facts(const struct finder *finder, struct facts *facts)
{
	facts->address_match = (enum fact)pick(finder, VAR_ADDRESS_MATCH, 0);
	facts->benefit_recipient = (enum fact)pick(finder, VAR_BENEFIT_RECIPIENT, 0);
	facts->documents_complete = (enum fact)pick(finder, VAR_DOCUMENTS_COMPLETE, 0);
	facts->application_processed = (enum fact)pick(finder, VAR_APPLICATION_PROCESSED, 0);
	facts->duty_of_proof = (enum fact)pick(finder, VAR_DUTY_OF_PROOF, 0);
	facts->internetperson = (enum fact)pick(finder, VAR_INTERNETPERSON, 0);
	facts->represented = (enum fact)pick(finder, VAR_REPRESENTED, 0);
	facts->deceased = (enum fact)pick(finder, VAR_DECEASED, 0);
	facts->minor = (enum fact)pick(finder, VAR_MINOR, 0);
	facts->preferred_channel = (enum preferred_channel)pick(finder, VAR_PREFERRED_CHANNEL, 0);
	facts->expected_claim_start = pick_value(finder, VAR_EXPECTED_CLAIM_START);
}

static void fill_mailbox(const struct finder *finder, struct rule_input *input)
{
	const struct rules *rules = finder->model->rules;
	int32_t word = pick(finder, VAR_MAILBOX, 0);
	const char *name =
	        word ? g_ptr_array_index(rules_vars_get(rules->vars, VAR_MAILBOX)->words, word) : "";
	if (!word && pick_mark(finder, VAR_CHANNEL_CLOSED, false) && rules->switches->closed->len) {
		const struct closed_mailbox *closed = g_ptr_array_index(rules->switches->closed, 0);
		name = strcmp(closed->mailbox, "*") == 0 ? "" : closed->mailbox;
	}
	g_free(input->mailbox);
	input->mailbox = g_strdup(name);
}

static void fill_form(const struct finder *finder, struct rule_input *input)
{
	int32_t type = pick(finder, VAR_FORM_TYPE, FORM_TYPE_NONE);
	int32_t kind = pick(finder, VAR_FORM_KIND, FORM_KIND_NONE);
	input->has_form = type != FORM_TYPE_NONE;
	if (input->has_form)
		input->form_type = (enum form_type)(type - FORM_TYPE_FIRST);
	if (kind != FORM_KIND_NONE)
		input->form_kind = g_strdup(g_ptr_array_index(
		        rules_vars_get(finder->model->rules->vars, VAR_FORM_KIND)->words, kind));
	input->form_from = pick_value(finder, VAR_FORM_FROM);
	input->form_to = pick_value(finder, VAR_FORM_TO);
	fill_cv(finder, input);
}

static void fill_marks(const struct finder *finder, struct rule_input *input)
{
	input->channel = (enum channel)pick(finder, VAR_CHANNEL, CHANNEL_EMAIL);
	input->has_sender = pick_mark(finder, VAR_HAS_SENDER, true);
	input->own_bounce = pick_mark(finder, VAR_OWN_BOUNCE, false);
	input->third_party = pick_mark(finder, VAR_THIRD_PARTY, false);
	input->resolved = pick_mark(finder, VAR_RESOLVED, false);
	input->authority_stated = pick_mark(finder, VAR_AUTHORITY_STATED, false);
	input->numbers_conflict = pick_mark(finder, VAR_NUMBERS_CONFLICT, false);
	input->unsuitable_document = pick_mark(finder, VAR_UNSUITABLE_DOCUMENT, false);
	input->received_in_future = pick_mark(finder, VAR_RECEIVED_IN_FUTURE, false);
}

/* The driving variables, in the order of `driving`. */
static void fill_driving(const struct finder *finder, struct rule_input *input)
{
	const struct rules *rules = finder->model->rules;
	const struct cells *lengths = &finder->model->cells[VAR_ABSENCE_DAYS];
	int32_t length = lengths->values[finder->cell[5]];
	if (finder->cell[0] != CONCERN_NONE)
		rule_input_add_concern(input,
		        catalogue_get(rules->catalogue, finder->cell[0] - CONCERN_FIRST)->id,
		        (enum rechtskreis)finder->cell[1]);
	input->doubt = finder->cell[2] && !finder->model->set->outside;
	input->doubt_reason = input->doubt ? g_strdup("below_threshold") : NULL;
	input->automatic = (enum automatic)finder->cell[3];
	input->facts.payment_method = (enum payment_method)finder->cell[4];
	input->absence_days = length == RULES_UNKNOWN ? -1 : length;
	input->received = berlin_instant(finder->model->cells[VAR_RECEIVED].values[finder->cell[6]], 12);
}

static bool holds(struct finder *finder, const struct rule_input *input)
{
	finder->tries++;
	return finder->test(finder->model, input, finder->data);
}

/* Adds `left` concerns of any kind until the test holds. */
static bool with_company(struct finder *finder, struct rule_input *input, unsigned left)
{
	const struct catalogue *catalogue = finder->model->rules->catalogue;
	if (left == 0)
		return holds(finder, input);
	for (guint i = 0; i < catalogue->concerns->len; i++) {
		for (int r = 0; r <= RECHTSKREIS_FAMILIENKASSE && finder->tries < MAX_TRIES; r++) {
			rule_input_add_concern(
			        input, catalogue_get(catalogue, (int)i)->id, (enum rechtskreis)r);
			if (with_company(finder, input, left - 1))
				return true;
			g_ptr_array_remove_index(input->concerns, input->concerns->len - 1);
		}
	}
	return false;
}

static struct rule_input *try_cells(struct finder *finder)
{
	AUTO(rule_input) input = rule_input_new();
	fill_marks(finder, input);
	fill_mailbox(finder, input);
	fill_form(finder, input);
	fill_facts(finder, &input->facts);
	fill_driving(finder, input);
	return with_company(finder, input, finder->company) ? g_steal_pointer(&input) : NULL;
}

static struct rule_input *try_all(struct finder *finder, size_t depth)
{
	if (depth == G_N_ELEMENTS(driving))
		return try_cells(finder);
	unsigned count = finder->model->cells[driving[depth]].count;
	for (unsigned c = 0; c < count && finder->tries < MAX_TRIES; c++) {
		if (!may(finder, driving[depth], (int32_t)c))
			continue;
		finder->cell[depth] = (int32_t)c;
		struct rule_input *input = try_all(finder, depth + 1);
		if (input)
			return input;
	}
	return NULL;
}

/* ---- making it small ---- */

static const struct {
	const char *key, *fallback; /* fallback as JSON */
} plain[] = {
        {"form_kind", "null"},
        {"form_from", "null"},
        {"form_to", "null"},
        {"cv", "{}"},
        {"form_type", "\"unknown\""},
        {"has_form", "false"},
        {"mailbox", "\"\""},
        {"channel", "\"email\""},
        {"automatic", "\"no\""},
        {"has_sender", "true"},
        {"own_bounce", "false"},
        {"third_party", "false"},
        {"resolved", "false"},
        {"authority_stated", "false"},
        {"numbers_conflict", "false"},
        {"unsuitable_document", "false"},
        {"received_in_future", "false"},
        {"doubt", "false"},
        {"absence_days", "-1"},
};

/* Keeps the changed JSON if the case still holds. Takes `json`. */
static bool try_change(struct finder *finder, struct rule_input **input, json_t *json)
{
	JSON_AUTO owned = json;
	JSON_AUTO before = rule_input_to_json(*input);
	struct rule_input *changed = json_equal(owned, before) ? NULL : rule_input_from_json(owned, NULL);
	if (!changed)
		return false;
	if (!holds(finder, changed)) {
		rule_input_free(changed);
		return false;
	}
	rule_input_free(*input);
	*input = changed;
	return true;
}

static bool drop_concerns(struct finder *finder, struct rule_input **input)
{
	bool changed = false;
	for (guint i = 0; i < (*input)->concerns->len; i++) {
		json_t *json = rule_input_to_json(*input);
		json_array_remove(json_object_get(json, "concerns"), i);
		changed |= try_change(finder, input, json);
	}
	for (guint i = 0; i < (*input)->concerns->len; i++) {
		json_t *json = rule_input_to_json(*input);
		json_set_string(json_array_get(json_object_get(json, "concerns"), i), "rechtskreis", "sgb3");
		changed |= try_change(finder, input, json);
	}
	return changed;
}

static bool drop_values(struct finder *finder, struct rule_input **input)
{
	bool changed = false;
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
		json_t *json = rule_input_to_json(*input);
		json_object_set_new(json, plain[i].key, json_loads(plain[i].fallback, JSON_DECODE_ANY, NULL));
		changed |= try_change(finder, input, json);
	}
	for (unsigned i = 0; facts_name(i); i++) {
		json_t *json = rule_input_to_json(*input);
		json_set_string(json_object_get(json, "facts"), facts_name(i), "unknown");
		changed |= try_change(finder, input, json);
	}
	return changed;
}

static void make_small(struct finder *finder, struct rule_input **input)
{
	finder->tries = 0;
	for (bool changed = true; changed && finder->tries < MAX_TRIES;) {
		changed = drop_concerns(finder, input);
		changed = drop_values(finder, input) || changed;
	}
}

struct rule_input *case_find(
        const struct model *model, const struct space *space, case_test test, const void *data)
{
	struct finder finder = {.model = model, .space = space, .test = test, .data = data};
	struct rule_input *input = NULL;
	for (finder.company = 0; !input && finder.company <= 2; finder.company++) {
		finder.tries = 0;
		input = try_all(&finder, 0);
	}
	if (input)
		make_small(&finder, &input);
	return input;
}

/* ---- words ---- */

static void print_concerns(const struct rule_input *input, GString *out)
{
	for (guint i = 0; i < input->concerns->len; i++) {
		const struct rule_concern *concern = g_ptr_array_index(input->concerns, i);
		g_string_append_printf(out, ", concern %s", concern->id);
		if (concern->rechtskreis != RECHTSKREIS_SGB3)
			g_string_append_printf(out, " (%s)", rechtskreis_name(concern->rechtskreis));
	}
	if (input->concerns->len == 0)
		g_string_append(out, ", no concern");
}

static void print_value(const char *key, const json_t *value, GString *out)
{
	if (json_is_true(value))
		g_string_append_printf(out, ", %s", key);
	else if (json_is_false(value))
		g_string_append_printf(out, ", not %s", key);
	else if (json_is_integer(value))
		g_string_append_printf(out, ", %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
	else if (json_is_string(value))
		g_string_append_printf(out, ", %s %s", key, json_string_value(value));
}

char *case_print(const struct rules *rules, const struct rule_input *input)
{
	GString *out = g_string_new(channel_name(input->channel));
	g_autofree char *day = day_format(berlin_day(input->received));
	JSON_AUTO json = rule_input_to_json(input);
	const json_t *facts = json_object_get(json, "facts");
	const char *name;
	json_t *state;
	(void)rules;
	g_string_append_printf(out, " received %s", day);
	print_concerns(input, out);
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
		const json_t *value = json_object_get(json, plain[i].key);
		JSON_AUTO fallback = json_loads(plain[i].fallback, JSON_DECODE_ANY, NULL);
		if (strcmp(plain[i].key, "channel") != 0 && !json_equal(value, fallback))
			print_value(plain[i].key, value, out);
	}
	json_object_foreach (json_object_get(json, "cv"), name, state)
		g_string_append_printf(out, ", cv.%s %s", name, json_string_value(state));
	for (unsigned i = 0; facts_name(i); i++) {
		const char *value = json_get_string(facts, facts_name(i));
		if (strcmp(value, "unknown") != 0)
			g_string_append_printf(out, ", %s %s", facts_name(i), value);
	}
	return g_string_free(out, FALSE);
}

static void print_cells(const struct model *model, const struct space *space, int var, GString *out)
{
	unsigned count = 0;
	g_string_append_printf(
	        out, "%s%s", out->len ? ", " : "", rules_vars_get(model->rules->vars, var)->name);
	for (unsigned c = 0; c < model->cells[var].count; c++) {
		g_autofree char *word = rules_vars_word(model->rules->vars, var, model->cells[var].values[c]);
		if (word_set_has(&space->dom[var], (int32_t)c))
			g_string_append_printf(out, "%s%s", count++ ? "|" : " ", word);
	}
}

char *space_print(const struct model *model, const struct space *space)
{
	GString *out = g_string_new(NULL);
	for (int v = 0; v < (int)model->var_count; v++) {
		bool is_switch = v >= model->rules->vars->first_switch && v < model->rules->vars->first_cv;
		if (!is_switch && memcmp(&space->dom[v], &model->full[v], sizeof space->dom[v]) != 0)
			print_cells(model, space, v, out);
	}
	return g_string_free(out, FALSE);
}
