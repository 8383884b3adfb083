/* log_reading.h - whoever reads the log leaves a record. */
#ifndef JOURNAL_LOG_READING_H
#define JOURNAL_LOG_READING_H

#include "journal/journal.h"

/* Before anything is read. `command` is a word of ours ("verify", "export", …). For an auditor on PostgreSQL
 * the record is written by the function audit_read() of roles.sql, without which his views are empty. */
bool journal_log_read(struct journal *journal, const char *command, GError **error);

/* True for a database user who reads through the auditor's views: some columns are not shown. */
bool journal_is_auditor(struct journal *journal, bool *auditor, GError **error);

#endif
