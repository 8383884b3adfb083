/* status.c - counts over the partial indexes of what is open. */
#include "journal/status.h"
#include "journal/internal.h"
#include "journal/items.h"

struct number {
	const char *sql; /* of one row with one or two integers; $1 is business time */
	size_t count, oldest;
};

#define AT(field) offsetof(struct journal_status, field)
#define NONE      ((size_t)-1)

static const struct number numbers[] = {
        {"SELECT count(*), min(received) FROM item WHERE state = 'received' AND $1 = CAST($1 AS bigint)",
                AT(received), AT(oldest_received)},
        {"SELECT count(*), min(due) FROM delivery WHERE state = 'due' AND due <= $1", AT(due),
                AT(oldest_due)},
        {"SELECT count(*), 0 FROM delivery WHERE state = 'due' AND due > $1", AT(deferred), NONE},
        {"SELECT count(*), 0 FROM delivery WHERE state = 'sending' AND $1 = CAST($1 AS bigint)", AT(sending),
                NONE},
        {"SELECT count(*), min(created) FROM task WHERE state = 'open' AND $1 = CAST($1 AS bigint)",
                AT(tasks_open), AT(oldest_task)},
        {"SELECT count(*), 0 FROM item WHERE state = 'received' AND attempts > 3 AND $1 = CAST($1 AS bigint)",
                AT(poisoned), NONE},
};

static bool read_number(struct journal *journal, const struct number *number, struct journal_status *status,
        int64_t now, GError **error)
{
	struct db_value args[] = {db_int(now)};
	AUTO(db_rows) rows = db_query(journal->db, number->sql, args, 1, error);
	if (!rows)
		return false;
	*(int64_t *)(void *)((char *)status + number->count) = db_rows_int(rows, 0, 0);
	if (number->oldest != NONE)
		*(int64_t *)(void *)((char *)status + number->oldest) = db_rows_int(rows, 0, 1);
	return true;
}

static json_t *counts_of(
        struct journal *journal, const char *sql, const struct db_value *args, unsigned n, GError **error)
{
	AUTO(db_rows) rows = db_query(journal->db, sql, args, n, error);
	if (!rows)
		return NULL;
	json_t *counts = json_object();
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		json_set_int(counts, db_rows_text(rows, r, 0), db_rows_int(rows, r, 1));
	return counts;
}

static bool read_bundle(struct journal *journal, struct journal_status *status, GError **error)
{
	AUTO(db_rows) rows = db_query(journal->db, "SELECT hash FROM active WHERE one = 1", NULL, 0, error);
	if (rows && db_rows_count(rows))
		status->bundle = g_strdup(db_rows_text(rows, 0, 0));
	return rows != NULL;
}

static bool read_status(struct journal *journal, struct journal_status *status, int64_t now, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (!read_number(journal, &numbers[i], status, now, error))
			return false;
	status->tasks = counts_of(journal,
	        "SELECT kind, count(*) FROM task WHERE state = 'open' GROUP BY kind ORDER BY kind", NULL, 0,
	        error);
	if (!status->tasks)
		return false;
	status->deliveries = counts_of(journal,
	        "SELECT handler, count(*) FROM delivery WHERE state = 'due' GROUP BY handler ORDER BY "
	        "handler",
	        NULL, 0, error);
	return status->deliveries && read_bundle(journal, status, error) &&
	       db_now(journal->db, &status->now, error);
}

struct journal_status *journal_status(struct journal *journal, int64_t now, GError **error)
{
	AUTO(journal_status) status = g_new0(struct journal_status, 1);
	if (!read_status(journal, status, now, error))
		return NULL;
	return g_steal_pointer(&status);
}

void journal_status_free(struct journal_status *status)
{
	if (!status)
		return;
	json_decref(status->tasks);
	json_decref(status->deliveries);
	g_free(status->bundle);
	g_free(status);
}

json_t *journal_contact_codes(struct journal *journal, int64_t from, int64_t to, GError **error)
{
	struct db_value args[] = {db_int(from), db_int(to)};
	return counts_of(journal,
	        "SELECT COALESCE(contact_code, ''), count(*) FROM item WHERE received >= $1 AND received < $2"
	        " AND decided IS NOT NULL GROUP BY contact_code ORDER BY contact_code",
	        args, 2, error);
}
