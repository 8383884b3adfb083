/* log_rows.h - the journal's rows against the log, item by item, both ways; part of log_verify.h. */
#ifndef JOURNAL_LOG_ROWS_H
#define JOURNAL_LOG_ROWS_H

#include "journal/log_said.h"
#include "journal/log_verify.h"

/* In the reading transaction of journal_verify(). Bounded memory: some hundred items at a time. */
bool verify_rows(struct journal *journal, const struct verify_options *options, struct verify_report *report,
        bool blind, GError **error);

/* Tasks and deliveries of no item, against what the records of no item say. */
bool verify_rows_of_none(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, struct said *said, GError **error);

/* Every original that is still there (log_contents.c). */
bool verify_contents(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, GError **error);

#endif
