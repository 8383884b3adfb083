/* log_reading.h - whoever reads the log leaves a record. */
#ifndef JOURNAL_LOG_READING_H
#define JOURNAL_LOG_READING_H

#include "journal/journal.h"

/* Before anything is read. `command` is a word of ours ("verify", "export", …). For an auditor on PostgreSQL
 * the record is written by the function audit_read() of roles.sql, without which his views are empty. */
bool journal_log_read(struct journal *journal, const char *command, GError **error);

#endif
