/* explain_text.c - a decision as a page that a clerk, an admin and an auditor can follow. */
#include "cli/explain.h"

#include "cli/output.h"
#include "core/date.h"
#include "core/json.h"

#include <string.h>

enum { QUOTE_MAX = 80, INDENT = 2 };

/* The text of a field as evidence counts it, or NULL. */
static const char *field_text(const struct message *message, const char *field)
{
	const struct form *form = message->form;
	if (strcmp(field, "subject") == 0)
		return message->subject;
	if (strcmp(field, "body") == 0)
		return message->text;
	if (strcmp(field, "html") == 0)
		return message->html;
	if (!form)
		return NULL;
	if (strcmp(field, "form.text") == 0)
		return form->text;
	return strcmp(field, "form.kind") == 0   ? form->kind
	       : strcmp(field, "form.type") == 0 ? form->type_name
	                                         : NULL;
}

/* The words at that place, on one line; NULL if they are not there. Free with g_free. */
static char *quote(const struct message *message, const json_t *evidence)
{
	const char *field = json_get_string(evidence, "field");
	const char *text = message && field ? field_text(message, field) : NULL;
	int64_t offset = json_get_int(evidence, "offset", 0), length = json_get_int(evidence, "length", 0);
	if (!text || offset < 0 || length < 0 || (size_t)(offset + length) > strlen(text))
		return NULL;
	g_autofree char *part = g_strndup(text + offset, (gsize)length);
	g_autofree char *clean = output_clean(part, false);
	if (g_utf8_strlen(clean, -1) <= QUOTE_MAX)
		return g_steal_pointer(&clean);
	g_autofree char *start = g_utf8_substring(clean, 0, QUOTE_MAX - 1);
	return g_strconcat(start, "…", NULL);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_get_string(object, key);
	return text ? text : "-";
}

/* -- what was found -- */

static void tell_evidence(FILE *out, const struct message *message, const json_t *evidence)
{
	g_autofree char *words = quote(message, evidence);
	fprintf(out, "      %s %" G_GINT64_FORMAT "+%" G_GINT64_FORMAT "  %s", text_of(evidence, "field"),
	        json_get_int(evidence, "offset", 0), json_get_int(evidence, "length", 0),
	        text_of(evidence, "by"));
	fprintf(out, words ? "  \"%s\"\n" : "\n", words);
}

static void tell_concerns(FILE *out, const struct explanation *explanation)
{
	size_t i, e;
	json_t *concern, *evidence;
	const json_t *list = json_object_get(explanation->decision, "concerns");
	fprintf(out, "\nConcerns%s\n", json_array_size(list) ? "" : "\n  none");
	json_array_foreach (list, i, concern) {
		int64_t score = json_get_int(concern, "score", 0);
		fprintf(out, "  %-28s %" G_GINT64_FORMAT ".%02" G_GINT64_FORMAT "\n", text_of(concern, "id"),
		        score / 1000000, score % 1000000 / 10000);
		json_array_foreach (json_object_get(concern, "evidence"), e, evidence)
			tell_evidence(out, explanation->message, evidence);
	}
}

static void tell_facts(FILE *out, const json_t *facts)
{
	const char *key;
	json_t *value;
	int known = 0;
	fprintf(out, "\nFacts\n");
	json_object_foreach ((json_t *)facts, key, value) {
		const char *text = json_string_value(value);
		if (!text || strcmp(text, "unknown") == 0)
			continue;
		fprintf(out, "  %-28s %s\n", key, text);
		known++;
	}
	if (!known)
		fprintf(out, "  nothing is known\n");
}

/* -- what was decided -- */

/* "task process_notice", "reply email umzug", "ticket os_alg_plus 2024-04-01". */
static char *action_words(const json_t *action)
{
	static const char *const keys[] = {"kind", "channel", "concern", "queue", "to", "mode", "dated",
	        "not_before", "reason", "block"};
	GString *words = g_string_new(text_of(action, "handler"));
	for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *value = json_get_string(action, keys[i]);
		if (value)
			g_string_append_printf(words, " %s", value);
	}
	return g_string_free(words, FALSE);
}

static void tell_cites(FILE *out, const json_t *cites)
{
	size_t i;
	json_t *cite;
	json_array_foreach (cites, i, cite)
		fprintf(out, "%s%s %s (%s)", i ? "; " : "", text_of(cite, "source"), text_of(cite, "section"),
		        text_of(cite, "basis"));
}

static void tell_actions(FILE *out, const json_t *decision)
{
	size_t i;
	json_t *action;
	fprintf(out, "\nActions\n");
	json_array_foreach (json_object_get(decision, "actions"), i, action) {
		g_autofree char *words = action_words(action);
		g_autofree char *clean = output_clean(words, false);
		fprintf(out, "  %s\n      rule %s: ", clean, text_of(action, "rule"));
		tell_cites(out, json_object_get(action, "cites"));
		fputc('\n', out);
	}
}

static void tell_suppressed(FILE *out, const json_t *decision)
{
	size_t i;
	json_t *entry;
	const json_t *list = json_object_get(decision, "suppressed");
	if (!json_array_size(list))
		return;
	fprintf(out, "\nSuppressed\n");
	json_array_foreach (list, i, entry) {
		fprintf(out, "  %s, by rule %s: %s\n      ", text_of(entry, "handler"),
		        text_of(entry, "rule"), text_of(entry, "reason"));
		tell_cites(out, json_object_get(entry, "cites"));
		fputc('\n', out);
	}
}

static void tell_head(FILE *out, const struct explanation *explanation)
{
	const json_t *decision = explanation->decision;
	g_autofree char *received = instant_format_berlin(explanation->received);
	if (explanation->note)
		fprintf(out, "%s\n\n", explanation->note);
	fprintf(out, "%s, received %s\n", explanation->name, received);
	fprintf(out, "  rule set         %s (%s)\n", text_of(decision, "ruleset"),
	        text_of(decision, "basis"));
	fprintf(out, "  Rechtskreis      %s\n", text_of(decision, "rechtskreis"));
	fprintf(out, "  payment-relevant %s\n", text_of(decision, "payment_relevant"));
	fprintf(out, "  contact code     %s\n", text_of(decision, "contact_code"));
	fprintf(out, "  automatic        %s\n", text_of(decision, "automatic"));
	fprintf(out, "  marks           %s%s%s\n", json_get_bool(decision, "doubt", false) ? " doubt" : "",
	        json_get_bool(decision, "third_party", false) ? " third_party" : "",
	        json_get_bool(decision, "resolved", false) ? " resolved" : "");
}

/* -- another day -- */

static GPtrArray *action_list(const json_t *decision)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	size_t i;
	json_t *action;
	json_array_foreach (json_object_get(decision, "actions"), i, action) {
		g_autofree char *words = action_words(action);
		g_ptr_array_add(list, g_strdup_printf("%s [%s]", words, text_of(action, "rule")));
	}
	return list;
}

static void tell_line(FILE *out, const char *left, const char *right, int width)
{
	int fill = width - output_width(left);
	fprintf(out, "  %s%*s  %s\n", left, MAX(fill, 0), "", right);
}

/* Both decisions beside each other: an action that both have stands on one line. */
static void tell_as_of(FILE *out, const struct explanation *explanation)
{
	g_autofree char *day = day_format(explanation->as_of);
	g_autofree char *heading = g_strdup_printf("as of %s: %s (%s)", day,
	        text_of(explanation->other, "ruleset"), text_of(explanation->other, "basis"));
	g_autoptr(GPtrArray) now = action_list(explanation->decision), then = action_list(explanation->other);
	int width = output_width("as decided");
	for (guint i = 0; i < now->len; i++)
		width = MAX(width, output_width(now->pdata[i]));
	fputc('\n', out);
	tell_line(out, "as decided", heading, width);
	for (guint i = 0; i < now->len; i++) {
		guint at;
		bool both = g_ptr_array_find_with_equal_func(then, now->pdata[i], g_str_equal, &at);
		tell_line(out, now->pdata[i], both ? now->pdata[i] : "-", width);
		if (both)
			g_ptr_array_remove_index(then, at);
	}
	for (guint i = 0; i < then->len; i++)
		tell_line(out, "-", then->pdata[i], width);
}

/* -- why -- */

static void tell_why(FILE *out, const json_t *why)
{
	size_t i;
	json_t *entry;
	fprintf(out, "\nNot done, and what was missing\n");
	json_array_foreach (json_object_get(why, "nearest"), i, entry) {
		const char *missing = json_get_string(entry, "missing");
		const char *barred = json_get_string(entry, "barred_by");
		g_autofree char *clean = output_clean(missing ? missing : "", false);
		fprintf(out, "  %s\n      rule %s, %s\n      %s%s%s\n", text_of(entry, "action"),
		        text_of(entry, "rule"), text_of(entry, "title"), clean, barred ? "barred by " : "",
		        barred ? barred : "");
	}
}

void explain_text(const struct explanation *explanation, FILE *out)
{
	tell_head(out, explanation);
	tell_concerns(out, explanation);
	if (explanation->facts)
		tell_facts(out, explanation->facts);
	tell_actions(out, explanation->decision);
	tell_suppressed(out, explanation->decision);
	if (explanation->why)
		tell_why(out, explanation->why);
	if (explanation->other)
		tell_as_of(out, explanation);
}

json_t *explain_json(const struct explanation *explanation)
{
	json_t *object = json_object();
	g_autofree char *received = instant_format_berlin(explanation->received);
	json_set_string(object, "item", explanation->name);
	json_set_string(object, "received", received);
	json_object_set(object, "decision", (json_t *)explanation->decision);
	if (explanation->facts)
		json_object_set(object, "facts", (json_t *)explanation->facts);
	if (explanation->why)
		json_object_set(object, "why", (json_t *)explanation->why);
	if (explanation->other) {
		g_autofree char *day = day_format(explanation->as_of);
		json_set_string(object, "as_of", day);
		json_object_set(object, "decision_as_of", (json_t *)explanation->other);
	}
	return object;
}
