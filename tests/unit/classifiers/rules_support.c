/* rules_support.c - short notations for inputs and decisions. */
#include "rules_support.h"
#include "core/date.h"
#include "core/error.h"
#include "core/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct rules *shipped_rules(void)
{
	static struct rules *rules;
	if (rules)
		return rules;
	AUTO(diag) diag = diag_new();
	AUTO(bundle) bundle = bundle_read(SOURCE_DIR "/config", NULL);
	rules = rules_load(bundle, diag);
	if (!rules) {
		diag_print(diag, stderr);
		abort();
	}
	return rules;
}

static char *replace_all(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);
	if (g_strv_length(parts) < 2) {
		fprintf(stderr, "not in the file: %s\n", from);
		abort();
	}
	return g_strjoinv(to, parts);
}

static void pack_file(GString *body, const char *path, const char *text, gsize size)
{
	g_string_append_printf(body, "%s\n%" G_GSIZE_FORMAT "\n", path, size);
	g_string_append_len(body, text, (gssize)size);
}

static struct bundle *unpack_body(const GString *body)
{
	char hash[HASH_HEX_SIZE];
	hash_hex(body->str, body->len, hash);
	g_autofree char *head = g_strdup_printf("posteingang-bundle-1\n%s\n", hash);
	GString *all = g_string_new(head);
	g_string_append_len(all, body->str, (gssize)body->len);
	g_autoptr(GBytes) packed = g_string_free_to_bytes(all);
	struct bundle *bundle = bundle_unpack(packed, NULL);
	if (!bundle)
		abort();
	return bundle;
}

/* Through the packed form: no file is touched. */
struct bundle *shipped_bundle_with(const char *path, const char *from, const char *to)
{
	AUTO(bundle) bundle = bundle_read(SOURCE_DIR "/config", NULL);
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "", "");
	g_autoptr(GString) body = g_string_new(NULL);
	for (guint i = 0; i < paths->len; i++) {
		const char *name = g_ptr_array_index(paths, i);
		gsize size;
		const char *data = g_bytes_get_data(bundle_get(bundle, name), &size);
		g_autofree char *text = g_strndup(data, size);
		g_autofree char *changed =
		        path && strcmp(path, name) == 0 ? replace_all(text, from, to) : NULL;
		pack_file(body, name, changed ? changed : data, changed ? strlen(changed) : size);
	}
	return unpack_body(body);
}

struct bundle *shipped_bundle_but(const char *drop, const char *path, const char *text)
{
	AUTO(bundle) bundle = bundle_read(SOURCE_DIR "/config", NULL);
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "", "");
	g_autoptr(GString) body = g_string_new(NULL);
	bool done = false;
	for (guint i = 0; i < paths->len; i++) {
		const char *name = g_ptr_array_index(paths, i);
		gsize size;
		const char *data = g_bytes_get_data(bundle_get(bundle, name), &size);
		if (!done && strcmp(name, path) >= 0) {
			pack_file(body, path, text, strlen(text));
			done = true;
		}
		bool keep = !g_str_has_prefix(name, drop) || strcmp(name, "rulesets/outside.yaml") == 0;
		if (keep && strcmp(name, path) != 0)
			pack_file(body, name, data, size);
	}
	if (!done)
		pack_file(body, path, text, strlen(text));
	return unpack_body(body);
}

static void bad_word(const char *word)
{
	fprintf(stderr, "input_of: what is \"%s\"?\n", word);
	abort();
}

static void add_concerns(struct rule_input *input, const char *value)
{
	g_auto(GStrv) names = g_strsplit(value, ",", -1);
	for (char **name = names; *name; name++) {
		enum rechtskreis rechtskreis = RECHTSKREIS_SGB3;
		char *at = strchr(*name, '@');
		if (at && !rechtskreis_parse(at + 1, &rechtskreis))
			bad_word(*name);
		if (at)
			*at = 0;
		rule_input_add_concern(input, *name, rechtskreis);
	}
}

static bool set_mark(struct rule_input *input, const char *word)
{
	struct {
		const char *name;
		bool *mark;
	} marks[] = {
	        {"third_party", &input->third_party},
	        {"resolved", &input->resolved},
	        {"authority_stated", &input->authority_stated},
	        {"numbers_conflict", &input->numbers_conflict},
	        {"unsuitable_document", &input->unsuitable_document},
	        {"received_in_future", &input->received_in_future},
	        {"own_bounce", &input->own_bounce},
	        {"doubt", &input->doubt},
	};
	if (strcmp(word, "no_sender") == 0) {
		input->has_sender = false;
		return true;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		if (strcmp(marks[i].name, word) == 0) {
			*marks[i].mark = true;
			return true;
		}
	}
	return false;
}

static bool set_fact(struct rule_input *input, const char *key, const char *value)
{
	for (unsigned i = 0; facts_name(i); i++) {
		if (strcmp(facts_name(i), key) != 0)
			continue;
		JSON_AUTO json = facts_to_json(&input->facts);
		json_set_string(json, key, value);
		return facts_from_json(json, &input->facts, NULL);
	}
	return false;
}

static bool set_form(struct rule_input *input, const char *value)
{
	input->has_form = true;
	if (strcmp(value, "arbeitsuchendmeldung") == 0)
		input->form_type = FORM_ARBEITSUCHENDMELDUNG;
	else if (strcmp(value, "veraenderung") == 0)
		input->form_type = FORM_VERAENDERUNG;
	return true;
}

static bool set_cv(struct rule_input *input, const char *name, const char *value)
{
	enum cv_state state = strcmp(value, "filled") == 0  ? CV_FILLED
	                      : strcmp(value, "empty") == 0 ? CV_EMPTY
	                                                    : CV_UNKNOWN;
	rule_input_set_cv(input, name, state);
	return true;
}

static bool set_value(struct rule_input *input, const char *key, const char *value)
{
	if (strcmp(key, "channel") == 0)
		return channel_parse(value, &input->channel);
	if (strcmp(key, "received") == 0)
		return instant_parse(value, &input->received);
	if (strcmp(key, "automatic") == 0)
		return automatic_parse(value, &input->automatic);
	if (strcmp(key, "concern") == 0) {
		add_concerns(input, value);
		return true;
	}
	if (strcmp(key, "form") == 0)
		return set_form(input, value);
	if (strncmp(key, "cv.", 3) == 0)
		return set_cv(input, key + 3, value);
	if (strcmp(key, "absence_days") == 0) {
		input->absence_days = atoi(value);
		return true;
	}
	char **text = strcmp(key, "mailbox") == 0        ? &input->mailbox
	              : strcmp(key, "form_kind") == 0    ? &input->form_kind
	              : strcmp(key, "doubt_reason") == 0 ? &input->doubt_reason
	                                                 : NULL;
	if (!text)
		return set_fact(input, key, value);
	g_free(*text);
	*text = g_strdup(value);
	return true;
}

struct rule_input *input_of(const char *words)
{
	struct rule_input *input = rule_input_new();
	input->has_sender = true;
	instant_parse("2024-04-10T10:00:00+02:00", &input->received);
	g_auto(GStrv) list = g_strsplit_set(words, " \n", -1);
	for (char **word = list; *word; word++) {
		char *equals = strchr(*word, '=');
		if (!**word)
			continue;
		if (equals)
			*equals = 0;
		if (!(equals ? set_value(input, *word, equals + 1) : set_mark(input, *word)))
			bad_word(*word);
	}
	if (input->doubt && !input->doubt_reason)
		input->doubt_reason = g_strdup("below_threshold");
	return input;
}

static void shorten(const struct action *action, GString *out)
{
	g_autofree char *day = action->handler == HANDLER_TICKET ? day_format(action->dated) : NULL;
	g_autofree char *due =
	        action->handler == HANDLER_TICKET ? instant_format_berlin(action->not_before) : NULL;
	const char *parts[] = {action->kind, action->channel, action->concern, action->queue, action->to,
	        action->mode, action->reason, day, due, action->block};
	const char *separator = "(";
	g_string_append(out, handler_name(action->handler));
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (!parts[i])
			continue;
		g_string_append_printf(out, "%s%s", separator, parts[i]);
		separator = ",";
	}
	for (guint i = 0; action->candidates && i < action->candidates->len; i++)
		g_string_append_printf(out, "?%s", (char *)g_ptr_array_index(action->candidates, i));
	g_string_append_c(out, ')');
}

char *decision_in_short(const struct decision *decision)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < decision->actions->len; i++) {
		g_string_append(out, i ? "; " : "");
		shorten(g_ptr_array_index(decision->actions, i), out);
	}
	for (guint i = 0; i < decision->suppressed->len; i++) {
		const struct suppressed *suppressed = g_ptr_array_index(decision->suppressed, i);
		g_string_append(out, i ? ", " : " | ");
		g_string_append_printf(out, "-%s%s%s:%s", handler_name(suppressed->action->handler),
		        suppressed->action->kind ? "." : "",
		        suppressed->action->kind ? suppressed->action->kind : "", suppressed->reason);
	}
	return g_string_free(out, FALSE);
}

char *decide_in_short(const struct rules *rules, const char *words)
{
	AUTO(rule_input) input = input_of(words);
	AUTO(decision) decision = rules_decide(rules, input);
	return decision_in_short(decision);
}

char *decision_cites(const struct decision *decision)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < decision->actions->len; i++) {
		const struct action *action = g_ptr_array_index(decision->actions, i);
		g_string_append_printf(out, "%s%s:", i ? "; " : "", action->rule);
		for (guint c = 0; c < action->cites->len; c++) {
			const struct cite *cite = g_ptr_array_index(action->cites, c);
			g_string_append_printf(out, "%s%s %s/%s", c ? "+" : "", cite->source, cite->section,
			        basis_name(cite->basis));
		}
	}
	return g_string_free(out, FALSE);
}
