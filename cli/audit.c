/* audit.c - `posteingang audit redecide`: decisions made again from what was archived. Exit 1 on a
 * difference. */
#include "classifiers/redecide.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/log_reading.h"

#include <string.h>

static const struct output_column columns[] = {
        {"item", "ITEM", false},
        {"rules", "RULES", false},
        {"classifier", "CLASSIFIER", false},
        {"bundle", "BUNDLE", false},
        {"difference", "DIFFERENCE", false},
        {NULL, NULL, false},
};

static bool number(const struct invocation *inv, const char *name, gint64 max, gint64 *out, GError **error)
{
	const char *text = invocation_option(inv, name);
	*out = 0;
	if (!text || g_ascii_string_to_signed(text, 10, 1, max, out, NULL))
		return true;
	fail(error, ERROR_USAGE, "audit: --%s %s, expected a number from 1 to %" G_GINT64_FORMAT, name, text,
	        max);
	return false;
}

static GArray *named_items(const struct invocation *inv, struct journal *journal, GError **error)
{
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (int i = 1; i < invocation_arguments(inv); i++) {
		int64_t item;
		if (!journal_item_parse(journal, invocation_argument(inv, i), &item, error))
			return NULL;
		g_array_append_val(items, item);
	}
	return g_steal_pointer(&items);
}

static GArray *items_of(const struct invocation *inv, struct journal *journal, GError **error)
{
	gint64 n, size;
	uint64_t used;
	if (!number(inv, "sample", 1000000, &n, error) ||
	        !number(inv, "checkpoint", G_MAXINT64, &size, error))
		return NULL;
	if ((n != 0) == (invocation_arguments(inv) > 1)) {
		fail(error, ERROR_USAGE, "audit: redecide needs items, or --sample N");
		return NULL;
	}
	if (!n)
		return named_items(inv, journal, error);
	GArray *items = redecide_sample(journal, (unsigned)n, (uint64_t)size, &used, error);
	if (items)
		fprintf(stderr, "%u items drawn by the checkpoint of %" G_GUINT64_FORMAT " records\n",
		        items->len, (guint64)used);
	return items;
}

static bool is_finding(const struct redecide_result *result)
{
	return result->rules == RULES_DIFFER || result->rules == RULES_UNREADABLE ||
	       result->classifier == CLASSIFIER_DIFFERS;
}

static void put(struct output *out, struct journal *journal, const struct redecide_result *result)
{
	g_autofree char *name = journal_item_name(journal, result->item);
	output_text(out, name);
	output_text(out, redecide_rules_name(result->rules));
	output_text(out, redecide_classifier_name(result->classifier));
	output_text(out, result->bundle);
	output_text(out, result->difference);
	output_row(out);
}

static int redecide(const struct invocation *inv, struct journal *journal, GError **error)
{
	g_autoptr(GArray) items =
	        journal_log_read(journal, "audit redecide", error) ? items_of(inv, journal, error) : NULL;
	if (!items)
		return 1;
	AUTO(redecider) redecider = redecider_new(journal, !invocation_switch(inv, "rules-only"));
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	unsigned findings = 0;
	for (guint i = 0; i < items->len; i++) {
		struct redecide_result result;
		if (!redecide_item(redecider, g_array_index(items, int64_t, i), &result, error))
			return 1;
		put(out, journal, &result);
		findings += is_finding(&result);
		redecide_result_clear(&result);
	}
	if (!output_end(out, error))
		return 1;
	fprintf(stderr, "%u items decided again, %u differ\n", items->len, findings);
	return findings ? 1 : 0;
}

int run_audit(struct invocation *invocation, GError **error)
{
	const char *verb = invocation_argument(invocation, 0);
	if (strcmp(verb, "redecide") != 0) {
		fail(error, ERROR_USAGE, "audit: no \"%s\", expected redecide", verb);
		return 1;
	}
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	return world ? redecide(invocation, journal, error) : 1;
}
