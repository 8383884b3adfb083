/* far_sides.c - a session for one listing. */
#include "cli/far_sides.h"

bool far_side_list(const struct outlet *outlet, const struct journal *journal, sink_lister lister,
        void *context, GError **error)
{
	const struct sink_world world = {.instance = journal_instance(journal)};
	struct sink_session *session = outlet->sink->open(outlet, &world, error);
	bool ok = session && outlet->sink->list(session, lister, context, error);
	outlet->sink->close(session);
	return ok;
}
