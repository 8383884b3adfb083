/* log_reading.c - the record of a reading, by the reader himself or by the function that lets him read. */
#include "journal/log_reading.h"
#include "journal/internal.h"
#include "journal/record.h"

struct reading {
	const char *command;
};

/* True if this database user may not write records, but may have them written. */
bool journal_is_auditor(struct journal *journal, bool *auditor, GError **error)
{
	*auditor = false;
	if (db_dialect(journal->db) == DB_SQLITE)
		return true;
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT CASE WHEN to_regprocedure('audit_read(text)') IS NULL THEN 0"
	        " WHEN has_function_privilege(current_user, to_regprocedure('audit_read(text)'), 'EXECUTE')"
	        " AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class"
	        " WHERE oid = to_regclass('migration')), 'MEMBER') THEN 1 ELSE 0 END",
	        NULL, 0, error);
	if (rows)
		*auditor = db_rows_int(rows, 0, 0) != 0;
	return rows != NULL;
}

static bool write_reading(struct journal *journal, void *data, GError **error)
{
	const struct reading *reading = data;
	JSON_AUTO detail = json_object();
	json_set_string(detail, "command", reading->command);
	struct record record = {.event = RECORD_LOG_READ, .detail = detail};
	return record_write(journal, &record, 1, error);
}

static bool ask(struct journal *journal, void *data, GError **error)
{
	const struct reading *reading = data;
	struct db_value args[] = {db_text(reading->command)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT audit_read($1)", args, 1, error);
	return rows != NULL;
}

bool journal_log_read(struct journal *journal, const char *command, GError **error)
{
	struct reading reading = {command};
	bool auditor;
	return journal_is_auditor(journal, &auditor, error) &&
	       journal_transact(journal, auditor ? ask : write_reading, &reading, error);
}
