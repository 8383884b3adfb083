/* retention.c - terms after which content is deleted. */
#include "config/retention.h"

#define YEARS(n)    (INT64_C(n) * 366 * 86400)
#define FIELD(name) offsetof(struct retention, name)

const struct option retention_options[] = {
        {.name = "content",
                .type = OPTION_DURATION,
                .fallback = "90d",
                .min = 0,
                .max = YEARS(30),
                .offset = FIELD(content),
                .flags = OPTION_RELOAD,
                .help = "How long the original bytes stay after the last delivery and task of the item were "
                        "closed. A legal hold beats it."},
        {.name = "klaerung",
                .type = OPTION_DURATION,
                .fallback = "180d",
                .min = 0,
                .max = YEARS(30),
                .offset = FIELD(klaerung),
                .flags = OPTION_RELOAD,
                .help = "The same for items that a person had to clear (klaerung)."},
        {.name = "automatic",
                .type = OPTION_DURATION,
                .fallback = "30d",
                .min = 0,
                .max = YEARS(30),
                .offset = FIELD(automatic),
                .flags = OPTION_RELOAD,
                .help = "The same for automatic mail: bounces, reports, lists, auto-replies."},
        {.name = "evidence",
                .type = OPTION_DURATION,
                .fallback = "3653d",
                .min = YEARS(1),
                .max = YEARS(100),
                .offset = FIELD(evidence),
                .flags = OPTION_RELOAD,
                .help = "How long evidence without content stays: decisions, deliveries, tasks and the "
                        "records of an "
                        "item. Afterwards `expire`, run by the owner, deletes them; what remains of a record "
                        "is its place in "
                        "the sealed log."},
        OPTION_END,
};

void retention_read(const struct yaml_node *map, struct retention *out, struct diag *diag)
{
	options_read(map, retention_options, NULL, out, diag);
}
