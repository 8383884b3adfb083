/* log_balance_rows.h - what the files of the balance share. */
#ifndef JOURNAL_LOG_BALANCE_ROWS_H
#define JOURNAL_LOG_BALANCE_ROWS_H

#include "core/date.h"
#include "journal/log_balance.h"

struct balancing {
	struct journal *journal;
	const struct balance_options *options;
	struct balance_report *report;
	int64_t since, until; /* times of taking in, [since, until) */
};

void balance_add(struct balancing *b, const char *kind, char *place, char *text);
/* Fills since and until. */
void balance_period(struct balancing *b);

/* Seen against rows (log_balance_sources.c). */
bool balance_sources(struct balancing *b, GError **error);

#endif
