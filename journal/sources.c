/* sources.c - leases on mailboxes, how runs ended, and what `status` and `balance` read of them. */
#include "journal/sources.h"
#include "journal/internal.h"
#include "core/error.h"
#include "core/json.h"

#include <string.h>

void mailbox_lease_free(struct mailbox_lease *lease)
{
	if (!lease)
		return;
	g_free(lease->source);
	g_free(lease->name);
	json_decref(lease->state);
	g_free(lease);
}

struct claim {
	const char *source, *mailbox;
	int64_t duration;
	struct mailbox_lease *lease;
};

static bool ensure_mailbox(struct journal *journal, const char *source, const char *mailbox, GError **error)
{
	struct db_value args[] = {db_text(source), db_text(mailbox)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT 1 FROM mailbox WHERE source = $1 AND name = $2", args, 2, error);
	if (!rows)
		return false;
	return db_rows_count(rows) || db_exec(journal->db,
	                                      "INSERT INTO mailbox (source, name) VALUES ($1, $2)"
	                                      " ON CONFLICT (source, name) DO NOTHING",
	                                      args, 2, NULL, error);
}

static bool claim_mailbox(struct journal *journal, void *data, GError **error)
{
	struct claim *claim = data;
	int64_t now;
	if (!ensure_mailbox(journal, claim->source, claim->mailbox, error) ||
	        !db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_text(claim->source), db_text(claim->mailbox), db_int(now),
	        db_int(now + claim->duration), db_text(journal->worker)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "UPDATE mailbox SET fence = fence + 1, leased_until = $4, worker = $5"
	        " WHERE source = $1 AND name = $2 AND leased_until <= $3"
	        " RETURNING id, fence, state, relisted",
	        args, 5, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail_as(error, ERROR_AGAIN, SCOPE_MAILBOX, WHEN_LATER, "another worker reads %s/%s",
		        claim->source, claim->mailbox);
		return false;
	}
	struct mailbox_lease *lease = claim->lease;
	lease->mailbox = db_rows_int(rows, 0, 0);
	lease->fence = db_rows_int(rows, 0, 1);
	lease->state = journal_json_read(db_rows_text(rows, 0, 2));
	lease->last_relist = db_rows_int(rows, 0, 3);
	lease->now = now;
	return true;
}

struct mailbox_lease *journal_lease_mailbox(
        struct journal *journal, const char *source, const char *mailbox, int64_t duration, GError **error)
{
	AUTO(mailbox_lease) lease = g_new0(struct mailbox_lease, 1);
	lease->source = g_strdup(source);
	lease->name = g_strdup(mailbox);
	struct claim claim = {.source = source, .mailbox = mailbox, .duration = duration, .lease = lease};
	if (!journal_transact(journal, claim_mailbox, &claim, error))
		return NULL;
	return g_steal_pointer(&lease);
}

struct renewal {
	const struct mailbox_lease *lease;
	int64_t duration;
	int64_t changed;
};

static bool move_end(struct journal *journal, void *data, GError **error)
{
	struct renewal *renewal = data;
	int64_t now;
	if (!db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {db_int(renewal->lease->mailbox), db_int(renewal->lease->fence),
	        db_int(renewal->duration ? now + renewal->duration : 0)};
	return db_exec(journal->db,
	        "UPDATE mailbox SET leased_until = CAST($3 AS bigint),"
	        " worker = CASE WHEN CAST($3 AS bigint) = 0 THEN NULL ELSE worker END"
	        " WHERE id = $1 AND fence = $2",
	        args, 3, &renewal->changed, error);
}

bool journal_renew_mailbox(
        struct journal *journal, struct mailbox_lease *lease, int64_t duration, GError **error)
{
	struct renewal renewal = {.lease = lease, .duration = duration};
	if (!journal_transact(journal, move_end, &renewal, error))
		return false;
	if (renewal.changed)
		return true;
	fail_as(error, ERROR_LOST_LEASE, SCOPE_MAILBOX, WHEN_LATER, "another worker has taken over %s/%s",
	        lease->source, lease->name);
	return false;
}

bool journal_release_mailbox(struct journal *journal, struct mailbox_lease *lease, GError **error)
{
	struct renewal renewal = {.lease = lease, .duration = 0};
	return journal_transact(journal, move_end, &renewal, error);
}

static const char *class_name(const GError *failure)
{
	static const char *const names[] = {[ERROR_INTERNAL] = "internal",
	        [ERROR_USAGE] = "usage",
	        [ERROR_INPUT] = "input",
	        [ERROR_UNAVAILABLE] = "unavailable",
	        [ERROR_AGAIN] = "again",
	        [ERROR_CONFIG] = "config",
	        [ERROR_LOST_LEASE] = "lost_lease",
	        [ERROR_UNCERTAIN] = "uncertain",
	        [ERROR_DENIED] = "denied"};
	enum error_class class = error_class(failure);
	return class < G_N_ELEMENTS(names) ? names[class] : "internal";
}

struct run_note {
	const char *source, *mailbox, *failure;
};

static bool write_note(struct journal *journal, void *data, GError **error)
{
	const struct run_note *note = data;
	int64_t now;
	if (!ensure_mailbox(journal, note->source, note->mailbox, error) || !db_now(journal->db, &now, error))
		return false;
	struct db_value args[] = {
	        db_text(note->source), db_text(note->mailbox), db_int(now), db_text(note->failure)};
	const char *sql = note->failure ? "UPDATE mailbox SET last_failure = $3, failure = $4"
	                                  " WHERE source = $1 AND name = $2"
	                                : "UPDATE mailbox SET last_success = $3, failure = NULL"
	                                  " WHERE source = $1 AND name = $2";
	return db_exec(journal->db, sql, args, note->failure ? 4 : 3, NULL, error);
}

bool journal_note_run(struct journal *journal, const char *source, const char *mailbox, const GError *failure,
        GError **error)
{
	struct run_note note = {
	        .source = source, .mailbox = mailbox, .failure = failure ? class_name(failure) : NULL};
	return journal_transact(journal, write_note, &note, error);
}

static void source_status_free(gpointer data)
{
	struct source_status *status = data;
	g_free(status->source);
	g_free(status->mailbox);
	g_free(status->failure);
	g_free(status->worker);
	g_free(status);
}

/* The pull phase keeps the keys under this name, whatever the connector (intake/pull.h). */
static int64_t unsettled_in(const char *state)
{
	JSON_AUTO object = state ? json_read(state, strlen(state), NULL) : NULL;
	return (int64_t)json_array_size(json_object_get(object, "unsettled"));
}

static struct source_status *read_status(const struct db_rows *rows, unsigned r)
{
	struct source_status *status = g_new0(struct source_status, 1);
	status->source = g_strdup(db_rows_text(rows, r, 0));
	status->mailbox = g_strdup(db_rows_text(rows, r, 1));
	status->last_success = db_rows_int(rows, r, 2);
	status->last_failure = db_rows_int(rows, r, 3);
	status->failure = g_strdup(db_rows_text(rows, r, 4));
	status->oldest_waiting = db_rows_int(rows, r, 5);
	status->waiting = db_rows_int(rows, r, 6);
	status->leased_until = db_rows_int(rows, r, 7);
	status->worker = g_strdup(db_rows_text(rows, r, 8));
	status->gaps = db_rows_int(rows, r, 9);
	status->unsettled = unsettled_in(db_rows_text(rows, r, 10));
	return status;
}

GPtrArray *journal_sources(struct journal *journal, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT source, name, last_success, last_failure, failure, oldest_waiting, waiting, "
	        "leased_until,"
	        " worker, (SELECT count(*) FROM gap WHERE gap.mailbox = mailbox.id AND cleared IS NULL"
	        " AND kind = 'refused'), state FROM mailbox ORDER BY source, name",
	        NULL, 0, error);
	if (!rows)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func(source_status_free);
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		g_ptr_array_add(list, read_status(rows, r));
	return list;
}

static void source_day_free(gpointer data)
{
	struct source_day *day = data;
	g_free(day->source);
	g_free(day->mailbox);
	g_free(day);
}

GPtrArray *journal_source_days(struct journal *journal, int32_t from, int32_t to, GError **error)
{
	struct db_value args[] = {db_int(from), db_int(to)};
	AUTO(db_rows)
	rows = db_query(journal->db,
	        "SELECT m.source, m.name, d.day, d.seen, d.taken, d.refused, d.vanished"
	        " FROM source_day d JOIN mailbox m ON m.id = d.mailbox WHERE d.day BETWEEN $1 AND $2"
	        " ORDER BY m.source, m.name, d.day",
	        args, 2, error);
	if (!rows)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func(source_day_free);
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		struct source_day *day = g_new0(struct source_day, 1);
		day->source = g_strdup(db_rows_text(rows, r, 0));
		day->mailbox = g_strdup(db_rows_text(rows, r, 1));
		day->day = (int32_t)db_rows_int(rows, r, 2);
		day->seen = db_rows_int(rows, r, 3);
		day->taken = db_rows_int(rows, r, 4);
		day->refused = db_rows_int(rows, r, 5);
		day->vanished = db_rows_int(rows, r, 6);
		g_ptr_array_add(list, day);
	}
	return list;
}
