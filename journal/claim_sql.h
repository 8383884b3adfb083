/* claim_sql.h - the statements that must stay cheap at any size of history; a test looks at their plans. */
#ifndef JOURNAL_CLAIM_SQL_H
#define JOURNAL_CLAIM_SQL_H

#define SQL_DUE_ITEMS                                                                                        \
	"SELECT id, size, attempts FROM item WHERE state = 'received' AND wake <= $1 ORDER BY wake, id "     \
	"LIMIT $2"
#define SQL_DUE_DELIVERIES                                                                                   \
	"SELECT id FROM delivery WHERE state = 'due' AND handler = $1 AND due <= $2 AND leased_until <= $3"  \
	" ORDER BY due, id LIMIT $4"
#define SQL_NEXT_HANDLER "SELECT min(handler) FROM delivery WHERE state = 'due' AND handler > $1"
#define SQL_LOST_DELIVERIES                                                                                  \
	"SELECT id, item, key FROM delivery WHERE state = 'sending' AND leased_until <= $1"                  \
	" ORDER BY leased_until LIMIT $2"

#endif
