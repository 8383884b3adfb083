/* log_installation.h - records and rows that belong to no item; part of log_verify.h. */
#ifndef JOURNAL_LOG_INSTALLATION_H
#define JOURNAL_LOG_INSTALLATION_H

#include "journal/log_verify.h"

#include <jansson.h>

/* Leaves [from, to) whose records were deleted because their term was over, by an `evidence.deleted` record.
 */
struct expired_leaves {
	uint64_t from, to;
	int64_t before; /* everything in them was sealed by then */
	int64_t told;   /* time of the record that says so */
};

struct installation {
	GPtrArray *restores; /* json_t *: details of `restore.accepted` */
	GArray *expired;     /* of struct expired_leaves, by first leaf */
};
void installation_clear(struct installation *installation);

/* In the reading transaction of journal_verify(). Fills `out`; rows are compared unless options say log_only.
 */
bool verify_installation(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, bool blind, struct installation *out, GError **error);

#endif
