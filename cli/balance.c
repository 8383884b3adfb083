/* balance.c - `posteingang balance`: does everything that came in add up? Exit 1 on any difference. */
#include "cli/commands.h"
#include "cli/far_sides.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/log_balance.h"
#include "journal/log_reading.h"

static const struct output_column columns[] = {
        {"kind", "DIFFERENCE", false},
        {"place", "PLACE", false},
        {"text", "WHAT", false},
        {NULL, NULL, false},
};

static const struct output_column source_columns[] = {
        {"source", "SOURCE", false},
        {"mailbox", "MAILBOX", false},
        {"day", "DAY", false},
        {"seen", "SEEN", true},
        {"taken", "TAKEN IN", true},
        {"relinked", "KNOWN AGAIN", true},
        {"refused", "REFUSED", true},
        {"vanished", "VANISHED", true},
        {"still", "STILL THERE", true},
        {NULL, NULL, false},
};

static bool read_day(const struct invocation *inv, const char *name, int32_t *day, GError **error)
{
	const char *text = invocation_option(inv, name);
	*day = DAY_NONE;
	if (!text || day_parse(text, day))
		return true;
	fail(error, ERROR_USAGE, "balance: --%s %s, expected a date such as 2024-04-08", name, text);
	return false;
}

struct adding {
	struct balance_far *far;
	GError **error;
	bool ok;
};

static bool add_document(void *data, const struct sink_entry *entry)
{
	struct adding *adding = data;
	adding->ok = balance_far_add(adding->far, entry->key, entry->sha256, entry->size, adding->error);
	return adding->ok;
}

/* False on failure; a far side that cannot be listed is said, and no failure. */
static bool reconcile(const struct world *world, struct journal *journal,
        const struct balance_options *options, struct balance_report *report, GError **error)
{
	const struct outlet *outlet = &world->sinks->outlets[SINK_EAKTE];
	if (!outlet->sink || !outlet->sink->list) {
		fprintf(stderr, "The eAkte cannot be listed: receipts were not reconciled with it.\n");
		return true;
	}
	AUTO(balance_far) far = balance_far_new(journal, options, report);
	struct adding adding = {far, error, true};
	return far_side_list(outlet, journal, add_document, &adding, error) && adding.ok &&
	       balance_far_end(far, error);
}

static bool print_sources(const struct invocation *inv, const struct balance_report *report, GError **error)
{
	AUTO(output) out = output_new(stdout, invocation_format(inv), source_columns);
	for (guint i = 0; i < report->sources->len; i++) {
		const struct balance_source *s = report->sources->pdata[i];
		g_autofree char *day = s->day == DAY_NONE ? NULL : day_format(s->day);
		output_text(out, s->source);
		output_text(out, s->mailbox);
		output_text(out, day);
		output_int(out, s->seen);
		output_int(out, s->taken);
		output_int(out, s->relinked);
		output_int(out, s->refused);
		output_int(out, s->vanished);
		if (s->day == DAY_NONE)
			output_int(out, s->still);
		output_row(out);
	}
	return output_end(out, error);
}

static bool print_differences(
        const struct invocation *inv, const struct balance_report *report, GError **error)
{
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	for (guint i = 0; i < report->differences->len; i++) {
		const struct balance_difference *difference = report->differences->pdata[i];
		output_text(out, difference->kind);
		output_text(out, difference->place);
		output_text(out, difference->text);
		output_row(out);
	}
	return output_end(out, error);
}

static void tell(const struct balance_report *r)
{
	fprintf(stderr,
	        "%" G_GINT64_FORMAT " items, %" G_GINT64_FORMAT
	        " not decided yet; payment-relevant %" G_GINT64_FORMAT " = %" G_GINT64_FORMAT
	        " receipts + %" G_GINT64_FORMAT " open + %" G_GINT64_FORMAT
	        " explained by a task; %" G_GINT64_FORMAT " replies, %" G_GINT64_FORMAT
	        " call attempts; eAkte: %" G_GINT64_FORMAT " documents, %" G_GINT64_FORMAT
	        " of other journals; differences: %u%s\n",
	        r->items, r->undecided, r->relevant, r->receipts, r->open, r->explained, r->replies, r->calls,
	        r->documents, r->foreign, r->differences->len, r->more ? " and more" : "");
}

int run_balance(struct invocation *invocation, GError **error)
{
	struct balance_options options = {0};
	if (!read_day(invocation, "since", &options.from, error) ||
	        !read_day(invocation, "until", &options.to, error))
		return 1;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	AUTO(balance_report)
	report = journal_log_read(journal, "balance", error) ? journal_balance(journal, &options, error)
	                                                     : NULL;
	if (!report || !reconcile(world, journal, &options, report, error))
		return 1;
	bool by_source = invocation_switch(invocation, "sources");
	if (!(by_source ? print_sources : print_differences)(invocation, report, error))
		return 1;
	tell(report);
	return report->differences->len ? 1 : 0;
}
