/* db_sqlite_log.h - keeps SQLite's write-ahead log short without making the writer wait for it. */
#ifndef JOURNAL_DB_SQLITE_LOG_H
#define JOURNAL_DB_SQLITE_LOG_H

#include <sqlite3.h>

/* Pages in the log: from the first on, they are copied into the database beside the writer; at the second the
 * writer copies what is left by itself, so that the log starts anew and stays bounded. */
#define SQLITE_LOG_START 1000
#define SQLITE_LOG_MOST  4000

struct sqlite_log;

/* Watches the commits of `handle`, the database at `path`. Free it before the handle is closed. */
struct sqlite_log *sqlite_log_new(sqlite3 *handle, const char *path);
void sqlite_log_free(struct sqlite_log *log);

#endif
