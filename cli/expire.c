/* expire.c - `posteingang expire`: content whose time is over goes; log and evidence stay. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/log_privacy.h"

static const struct output_column columns[] = {
        {"item", "ITEM", false},
        {"why", "TERM", false},
        {"closed", "CLOSED", false},
        {"size", "BYTES", true},
        {NULL, NULL, false},
};

static void put(void *data, const char *item, const char *why, int64_t closed, int64_t size)
{
	struct output *out = data;
	output_text(out, item);
	output_text(out, why);
	output_time(out, closed);
	output_int(out, size);
	output_row(out);
}

static void tell(const struct expire_result *result, bool dry_run, bool clean)
{
	fprintf(stderr,
	        "%" G_GINT64_FORMAT " items, %" G_GINT64_FORMAT " bytes %s; %" G_GINT64_FORMAT
	        " kept by a hold; evidence of %" G_GINT64_FORMAT " items deleted, of %" G_GINT64_FORMAT
	        " past its term and still there\n",
	        result->items, result->bytes, dry_run ? "would go" : "deleted", result->held, result->ended,
	        result->evidence);
	if (!clean)
		fprintf(stderr,
		        "A reader holds the database: deleted bytes leave its files with the next run.\n");
}

int run_expire(struct invocation *invocation, GError **error)
{
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	AUTO(output) out = output_new(stdout, invocation_format(invocation), columns);
	bool dry_run = invocation_switch(invocation, "dry-run"), clean = true;
	struct expire_options options = {.terms = &world->retention,
	        .now = world_now(world),
	        .dry_run = dry_run,
	        .each = put,
	        .data = out};
	struct expire_result result;
	if (!journal_expire(journal, &options, &result, error) ||
	        (!dry_run && !journal_scrub(journal, &clean, error)) || !output_end(out, error))
		return 1;
	tell(&result, dry_run, clean);
	return 0;
}
