/* log.c - `posteingang log`: records for people; overrides by rule; items by contact code. */
#include "cli/commands.h"
#include "cli/days.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/log_list.h"
#include "journal/log_reading.h"
#include "journal/status.h"

#include <string.h>

static const struct output_column record_columns[] = {
        {"leaf", "LEAF", true},
        {"time", "TIME", false},
        {"event", "EVENT", false},
        {"item", "ITEM", false},
        {"actor", "BY", false},
        {"detail", "DETAIL", false},
        {NULL, NULL, false},
};
static const struct output_column override_columns[] = {
        {"rule", "RULE", false},
        {"kind", "TASK", false},
        {"instead", "INSTEAD", false},
        {"count", "COUNT", true},
        {NULL, NULL, false},
};
static const struct output_column code_columns[] = {
        {"contact_code", "CODE", false},
        {"count", "ITEMS", true},
        {NULL, NULL, false},
};

static bool put_record(void *data, const struct log_entry *entry)
{
	struct output *out = data;
	if (entry->leaf < 0)
		output_text(out, NULL);
	else
		output_int(out, entry->leaf);
	output_time(out, entry->time);
	output_text(out, entry->event);
	output_text(out, entry->item);
	output_text(out, entry->actor);
	output_json(out, entry->detail);
	output_row(out);
	return true;
}

static bool list_records(const struct invocation *inv, struct journal *journal, const char *item,
        int64_t since, int64_t until, GError **error)
{
	struct log_filter filter = {.since = since, .until = until, .event = invocation_option(inv, "event")};
	const char *max = invocation_option(inv, "max");
	if (max && !g_ascii_string_to_signed(max, 10, 1, G_MAXINT64, &filter.max, NULL)) {
		fail(error, ERROR_USAGE, "log: --max %s, expected a number", max);
		return false;
	}
	if (item && !journal_item_parse(journal, item, &filter.item, error))
		return false;
	AUTO(output) out = output_new(stdout, invocation_format(inv), record_columns);
	return journal_log_list(journal, &filter, put_record, out, error) && output_end(out, error);
}

static bool list_overrides(
        const struct invocation *inv, struct journal *journal, int64_t since, int64_t until, GError **error)
{
	g_autoptr(GPtrArray) counts = journal_overrides(journal, since, until, error);
	AUTO(output) out = output_new(stdout, invocation_format(inv), override_columns);
	for (guint i = 0; counts && i < counts->len; i++) {
		const struct override_count *count = counts->pdata[i];
		output_text(out, count->rule);
		output_text(out, count->kind);
		output_text(out, count->instead);
		output_int(out, count->count);
		output_row(out);
	}
	return counts && output_end(out, error);
}

static bool list_codes(
        const struct invocation *inv, struct journal *journal, int64_t since, int64_t until, GError **error)
{
	JSON_AUTO counts = journal_contact_codes(journal, since, until, error);
	AUTO(output) out = output_new(stdout, invocation_format(inv), code_columns);
	const char *code;
	json_t *count;
	json_object_foreach (counts, code, count) {
		output_text(out, code);
		output_int(out, json_integer_value(count));
		output_row(out);
	}
	return counts && output_end(out, error);
}

int run_log(struct invocation *invocation, GError **error)
{
	const char *what = invocation_argument(invocation, 0);
	int64_t since, until;
	if (!days_read(invocation, &since, &until, error))
		return 1;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world || !journal_log_read(journal, "log", error))
		return 1;
	bool ok;
	if (g_strcmp0(what, "overrides") == 0)
		ok = list_overrides(invocation, journal, since, until, error);
	else if (g_strcmp0(what, "contact-codes") == 0)
		ok = list_codes(invocation, journal, since, until, error);
	else
		ok = list_records(invocation, journal, what, since, until, error);
	return ok ? 0 : 1;
}
