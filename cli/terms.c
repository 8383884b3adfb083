/* terms.c - `posteingang terms test|hot|unused`: what the terms of a bundle find. */
#include "classifiers/terms_tool.h"

#include "classifiers/route.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/items.h"

#include <string.h>

enum { PART_ITEMS = 256, HOT_DEFAULT = 100, HOT_MOST = 100000 };

/* Goes through the history whose content is still kept; only counts come out. */
struct history_walk {
	struct journal *journal;
	struct terms_usage *usage;
	struct progress *progress;
	int64_t since, done;
};

static bool count_item(struct history_walk *walk, int64_t item, GError **error)
{
	g_autoptr(GBytes) raw = NULL;
	g_autoptr(GError) failure = NULL;
	AUTO(item_view) view = journal_item(walk->journal, item, error);
	if (!view)
		return false;
	if (view->content_deleted || json_get_bool(view->facts, ROUTE_UNTOUCHED, false))
		return true;
	if (view->size > 0 && !route_content(walk->journal, item, view->size, &raw, &failure)) {
		if (error_class(failure) == ERROR_INPUT)
			return true;
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	AUTO(message) message = route_message(view->item, raw);
	terms_usage_add(walk->usage, message);
	progress_show(walk->progress, ++walk->done, 0);
	return true;
}

static bool count_history(struct history_walk *walk, GError **error)
{
	int64_t after = 0;
	for (;;) {
		g_autoptr(GArray) part = journal_decided_items(
		        walk->journal, walk->since, INT64_MAX, after, PART_ITEMS, error);
		if (!part)
			return false;
		for (guint i = 0; i < part->len; i++)
			if (!count_item(walk, g_array_index(part, int64_t, i), error))
				return false;
		if (!part->len)
			return true;
		after = g_array_index(part, int64_t, part->len - 1);
	}
}

static bool read_numbers(const struct invocation *invocation, int64_t *since, unsigned *max, GError **error)
{
	const char *day_text = invocation_option(invocation, "since");
	const char *max_text = invocation_option(invocation, "max");
	guint64 number = HOT_DEFAULT;
	int32_t day;
	*since = 0;
	if (day_text && !day_parse(day_text, &day)) {
		fail(error, ERROR_USAGE, "--since %s: expected a date, YYYY-MM-DD", day_text);
		return false;
	}
	if (day_text)
		*since = berlin_instant(day, 0);
	if (max_text && !g_ascii_string_to_unsigned(max_text, 10, 1, HOT_MOST, &number, NULL)) {
		fail(error, ERROR_USAGE, "--max %s: expected a number from 1 to %d", max_text, HOT_MOST);
		return false;
	}
	*max = (unsigned)number;
	return true;
}

/* `hot` and `unused`: the configured bundle against the journal's history. */
static int run_usage(struct invocation *invocation, bool hot, GError **error)
{
	struct history_walk walk = {0};
	unsigned max;
	if (!read_numbers(invocation, &walk.since, &max, error))
		return 64;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	AUTO(bundle) bundle = world ? bundle_read(world->deployment->bundle_folder, error) : NULL;
	AUTO(terms_usage) usage = bundle ? terms_usage_new(bundle, error) : NULL;
	AUTO(progress) progress = progress_new("terms");
	walk.journal = journal;
	walk.usage = usage;
	walk.progress = progress;
	if (!usage || !count_history(&walk, error))
		return 1;
	if (hot)
		terms_usage_print_hot(usage, max, stdout);
	else
		terms_usage_print_unused(usage, stdout);
	return 0;
}

static int run_test(struct invocation *invocation, GError **error)
{
	AUTO(bundle) bundle = load_bundle(invocation, error);
	return bundle && terms_test_print(bundle, invocation_argument(invocation, 1), stdout, error) ? 0 : 1;
}

int run_terms(struct invocation *invocation, GError **error)
{
	const char *what = invocation_argument(invocation, 0);
	bool has_text = invocation_arguments(invocation) == 2;
	if (strcmp(what, "test") == 0 && has_text)
		return run_test(invocation, error);
	if ((strcmp(what, "hot") == 0 || strcmp(what, "unused") == 0) && !has_text)
		return run_usage(invocation, strcmp(what, "hot") == 0, error);
	fail(error, ERROR_USAGE, "terms: expected test TEXT, hot, or unused");
	return 64;
}
