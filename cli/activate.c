/* activate.c - `posteingang activate DIR`: a bundle is checked, tried on history, stored, made the active
 * one. */
#include "cli/commands.h"
#include "cli/history.h"
#include "classifiers/pipeline_active.h"
#include "classifiers/terms_tool.h"
#include "core/error.h"

#include <string.h>

/* The bundle with all its findings printed; NULL: exit 78. */
static struct pipeline *load_candidate(const char *folder, GError **error)
{
	AUTO(diag) diag = diag_new();
	struct terms_tests tests = {0};
	struct bundle *bundle = bundle_read(folder, error);
	if (!bundle)
		return NULL;
	AUTO(pipeline) pipeline = pipeline_load(bundle, diag);
	if (pipeline) {
		pipeline_check(pipeline, diag);
		terms_tests_run(pipeline_bundle(pipeline), diag, &tests);
	}
	diag_print_mistakes(diag, stderr);
	unsigned errors = diag_count(diag, SEVERITY_ERROR);
	if (pipeline && !errors)
		return g_steal_pointer(&pipeline);
	fail(error, ERROR_CONFIG, "%s cannot be activated: %u errors", folder, errors);
	return NULL;
}

/* Is every item that would leave the eAkte among those that a person has looked at? */
static bool accepted(struct journal *journal, const struct replay_report *report, const char *names)
{
	g_auto(GStrv) list = g_strsplit(names ? names : "", ",", -1);
	bool all = report->lost == report->losses->len;
	for (guint i = 0; i < report->losses->len; i++) {
		g_autofree char *name = journal_item_name(journal, g_array_index(report->losses, int64_t, i));
		if (g_strv_contains((const char *const *)list, name))
			continue;
		fprintf(stderr, "  %s would leave the eAkte\n", name);
		all = false;
	}
	return all;
}

/* 0: may be activated. A first bundle has no history. */
static int gate(const struct world *world, struct journal *journal, const struct pipeline *candidate,
        const char *names, GError **error)
{
	const struct history_options options = {.candidate = candidate, .journal = &world->options};
	AUTO(replay_report) report = history_replay(&options, error);
	if (!report)
		return 1;
	if (accepted(journal, report, names))
		return 0;
	fprintf(stderr,
	        "posteingang: not activated: %" G_GINT64_FORMAT
	        " payment-relevant items would leave the eAkte. "
	        "See posteingang replay --candidate; --accept names those that a person has looked at.\n",
	        report->lost);
	return 1;
}

int run_activate(struct invocation *invocation, GError **error)
{
	AUTO(pipeline) candidate = load_candidate(invocation_argument(invocation, 0), error);
	AUTO(journal) journal = NULL;
	AUTO(world) world = candidate ? world_open(invocation, WORLD_MAKE, &journal, error) : NULL;
	if (!world)
		return 1;
	int refused = gate(world, journal, candidate, invocation_option(invocation, "accept"), error);
	if (refused)
		return refused;
	if (!pipeline_activate(candidate, journal, error))
		return 1;
	printf("active bundle %s\n", bundle_hash(pipeline_bundle(candidate)));
	return 0;
}
