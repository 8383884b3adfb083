/* far_sides.h - what stands at the far sides, for balance and restore. */
#ifndef CLI_FAR_SIDES_H
#define CLI_FAR_SIDES_H

#include "journal/journal.h"
#include "sinks/sink.h"

/* Lists one outlet whose sink can be listed. */
bool far_side_list(const struct outlet *outlet, const struct journal *journal, sink_lister lister,
        void *context, GError **error);

#endif
