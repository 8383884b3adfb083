/* days.c - a day means all of it. */
#include "cli/days.h"
#include "core/date.h"
#include "core/error.h"

static bool read_one(
        const struct invocation *inv, const char *name, int32_t add, int64_t *out, GError **error)
{
	const char *text = invocation_option(inv, name);
	int32_t day;
	if (!text)
		return true;
	if (day_parse(text, &day)) {
		*out = berlin_instant(day + add, 0);
		return true;
	}
	if (instant_parse(text, out))
		return true;
	fail(error, ERROR_USAGE, "%s: --%s %s, expected a date such as 2024-04-08, or a time with offset",
	        invocation_command(inv)->name, name, text);
	return false;
}

bool days_read(const struct invocation *invocation, int64_t *since, int64_t *until, GError **error)
{
	int64_t from = INT64_MIN, to = INT64_MAX;
	if (!read_one(invocation, "since", 0, &from, error) || !read_one(invocation, "until", 1, &to, error))
		return false;
	*since = from;
	*until = to;
	return true;
}
