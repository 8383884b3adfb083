/* export.c - `posteingang export`: decisions as rows for other tools, or the whole log as a folder. */
#include "cli/commands.h"
#include "cli/days.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/log_export.h"
#include "journal/log_list.h"
#include "journal/log_reading.h"

#include <string.h>

/* docs/log-format.md describes each of them. */
static const struct output_column columns[] = {
        {"item", "ITEM", false},
        {"channel", "CHANNEL", false},
        {"source", "SOURCE", false},
        {"mailbox", "MAILBOX", false},
        {"received", "RECEIVED", false},
        {"decided", "DECIDED", false},
        {"ruleset", "RULE SET", false},
        {"basis", "BASIS", false},
        {"rechtskreis", "RECHTSKREIS", false},
        {"payment_relevant", "PAYMENT", false},
        {"doubt", "DOUBT", false},
        {"contact_code", "CODE", false},
        {"concerns", "CONCERNS", false},
        {"actions", "ACTIONS", false},
        {"rules", "RULES", false},
        {"cites", "CITES", false},
        {"suppressed", "SUPPRESSED", false},
        {"deliveries", "DELIVERIES", false},
        {"content_deleted", "CONTENT DELETED", false},
        {"bundle", "BUNDLE", false},
        {"engine", "ENGINE", false},
        {NULL, NULL, false},
};

static void add_once(json_t *list, const char *text)
{
	size_t i;
	json_t *known;
	if (!text)
		return;
	json_array_foreach (list, i, known)
		if (strcmp(json_string_value(known), text) == 0)
			return;
	json_add_string(list, text);
}

/* The values of one key of a list of objects, each once. */
static json_t *values_of(const json_t *list, const char *key)
{
	json_t *values = json_array(), *entry;
	size_t i;
	json_array_foreach ((json_t *)list, i, entry)
		add_once(values, json_get_string(entry, key));
	return values;
}

/* "eakte", "task.process_notice": what is done. */
static json_t *actions_of(const json_t *list)
{
	json_t *values = json_array(), *entry;
	size_t i;
	json_array_foreach ((json_t *)list, i, entry) {
		const char *kind = json_get_string(entry, "kind"),
		           *handler = json_get_string(entry, "handler");
		g_autofree char *text = kind ? g_strdup_printf("%s.%s", handler, kind) : g_strdup(handler);
		add_once(values, text);
	}
	return values;
}

static json_t *cites_of(const json_t *list)
{
	json_t *values = json_array(), *entry, *cite;
	size_t i, c;
	json_array_foreach ((json_t *)list, i, entry)
		json_array_foreach (json_object_get(entry, "cites"), c, cite) {
			g_autofree char *text = g_strdup_printf("%s %s (%s)", json_get_string(cite, "source"),
			        json_get_string(cite, "section"), json_get_string(cite, "basis"));
			add_once(values, text);
		}
	return values;
}

static void put_list(struct output *out, json_t *list)
{
	output_json(out, list);
	json_decref(list);
}

static bool put_decision(void *data, const struct decided_entry *e)
{
	static const char *const words[] = {"ruleset", "basis", "rechtskreis", "payment_relevant"};
	struct output *out = data;
	const json_t *actions = json_object_get(e->decision, "actions");
	output_text(out, e->item);
	output_text(out, e->channel);
	output_text(out, e->source);
	output_text(out, e->mailbox);
	output_time(out, e->received);
	output_time(out, e->decided);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		output_text(out, json_get_string(e->decision, words[i]));
	output_bool(out, json_get_bool(e->decision, "doubt", false));
	output_text(out, e->contact_code);
	put_list(out, values_of(json_object_get(e->decision, "concerns"), "id"));
	put_list(out, actions_of(actions));
	put_list(out, values_of(actions, "rule"));
	put_list(out, cites_of(actions));
	put_list(out, actions_of(json_object_get(e->decision, "suppressed")));
	output_json(out, e->states);
	output_time(out, e->content_deleted);
	output_text(out, e->bundle);
	output_text(out, e->engine);
	output_row(out);
	return true;
}

static bool export_rows(const struct invocation *inv, struct journal *journal, GError **error)
{
	const char *item = invocation_option(inv, "item");
	struct decided_filter filter = {.channel = invocation_option(inv, "channel"),
	        .rule = invocation_option(inv, "rule"),
	        .cite = invocation_option(inv, "cite"),
	        .concern = invocation_option(inv, "concern"),
	        .action = invocation_option(inv, "action")};
	if (!days_read(inv, &filter.since, &filter.until, error) ||
	        (item && !journal_item_parse(journal, item, &filter.item, error)))
		return false;
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	return journal_decided_list(journal, &filter, put_decision, out, error) && output_end(out, error);
}

static bool export_log(const struct world *world, struct journal *journal, const char *folder, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) bad = NULL;
	AUTO(log_signer) signer = log_settings_signer(&world->log, &bad);
	if (bad) {
		g_propagate_error(error, g_steal_pointer(&bad));
		return false;
	}
	if (signer)
		g_ptr_array_add(keys, log_signer_verifier(signer));
	for (guint i = 0; world->log.verifiers && i < world->log.verifiers->len; i++)
		g_ptr_array_add(keys, g_strdup(world->log.verifiers->pdata[i]));
	uint64_t leaves;
	const struct log_export_options options = {.folder = folder, .keys = keys};
	if (!journal_export_log(journal, &options, &leaves, error))
		return false;
	fprintf(stderr, "%" G_GUINT64_FORMAT " records in %s\n", (guint64)leaves, folder);
	return true;
}

int run_export(struct invocation *invocation, GError **error)
{
	const char *folder = invocation_option(invocation, "bundle");
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world || !journal_log_read(journal, "export", error))
		return 1;
	bool ok =
	        folder ? export_log(world, journal, folder, error) : export_rows(invocation, journal, error);
	return ok ? 0 : 1;
}
