/* seal_sql.h - what the sequencer asks at each step; must cost the same at any size of the log: a test looks
 * at the plans. On PostgreSQL columns are qualified in ORDER BY: a bare `xid` would be the output column,
 * which no index has. */
#ifndef JOURNAL_SEAL_SQL_H
#define JOURNAL_SEAL_SQL_H

#define SQL_NEXT_RECORDS_SQLITE                                                                              \
	"SELECT id, xid, body FROM record WHERE id > $2 AND xid >= $1 ORDER BY id LIMIT $3"
#define SQL_NEXT_RECORDS_POSTGRES                                                                            \
	"SELECT r.id, CAST(CAST(r.xid AS text) AS bigint), r.body FROM record r"                             \
	" WHERE (r.xid, r.id) > (CAST(CAST(CAST($1 AS bigint) AS text) AS xid8), CAST($2 AS bigint))"        \
	" AND r.xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY r.xid, r.id LIMIT $3"
/* A row if a record carries a transaction that this server has not begun yet. */
#define SQL_RECORD_AHEAD                                                                                     \
	"SELECT 1 FROM (SELECT r.xid FROM record r ORDER BY r.xid DESC, r.id DESC LIMIT 1) AS newest"        \
	" WHERE newest.xid > pg_snapshot_xmax(pg_current_snapshot())"

#endif
