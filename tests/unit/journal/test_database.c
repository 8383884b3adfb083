/* The database layer itself, and the schema: values, errors, migrations, a full disk, a lost connection. */
#include "fixture.h"
#include "core/error.h"
#include "journal/db_sqlite_log.h"
#include "journal/fact_table.h"
#include "journal/internal.h"
#include "journal/migrations.h"

#include <glib/gstdio.h>
#include <string.h>

static struct db *open_db(struct place *place)
{
	GError *error = NULL;
	struct journal_options options = place_options(place);
	struct db *db = db_open(&options.db, &error);
	check_ok(db != NULL, error, "db_open");
	return db;
}

Test(database, values_come_back_as_they_went_in)
{
	AUTO(place) place = place_new();
	struct db *db = open_db(place);
	bool lite = db_dialect(db) == DB_SQLITE;
	CHECK(db_script(db,
	        lite ? "CREATE TABLE v (a bigint, b text, c blob)"
	             : "CREATE TABLE v (a bigint, b text, c bytea)",
	        &why));
	struct db_value args[] = {db_int(INT64_MIN), db_text("Grüße"), db_blob("a\0b", 3), db_int(-1),
	        db_null(), db_blob(NULL, 0)};
	CHECK(db_begin(db, &why));
	int64_t changed[2] = {0};
	CHECK(db_exec_many(db, "INSERT INTO v (a, b, c) VALUES ($1, $2, $3)", args, 3, 2, changed, &why));
	cr_assert(changed[0] == 1 && changed[1] == 1);
	CHECK(db_commit(db, &why));
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(db, "SELECT a, b, c FROM v ORDER BY a", NULL, 0, &error);
	check_ok(rows != NULL, error, "query");
	cr_assert_eq(db_rows_int(rows, 0, 0), INT64_MIN);
	cr_assert_str_eq(db_rows_text(rows, 0, 1), "Grüße");
	g_autoptr(GBytes) bytes = db_rows_bytes(rows, 0, 2);
	cr_assert_eq(g_bytes_get_size(bytes), 3);
	cr_assert_arr_eq(g_bytes_get_data(bytes, NULL), "a\0b", 3);
	cr_assert_eq(db_rows_int(rows, 1, 0), -1);
	cr_assert(db_rows_is_null(rows, 1, 1));
	cr_assert_not(db_rows_is_null(rows, 1, 2));
	db_close(db);
}

/* POSIX drops all locks of a process on a file when any descriptor of it is closed. */
Test(database, opening_a_second_handle_takes_no_lock_away_from_the_first)
{
	AUTO(place) place = place_new();
	if (place_is_postgres(place))
		return;
	struct db *first = open_db(place);
	CHECK(db_script(first, "CREATE TABLE v (a bigint); INSERT INTO v VALUES (1)", &why));
	db_close(open_db(place));
	/* another process: the last one out would take the log with it */
	g_autofree char *command =
	        g_strdup_printf("/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s');"
	                        " c.execute('INSERT INTO v VALUES (2)'); c.commit(); c.close()\"",
	                place_path(place));
	int status = -1;
	cr_assert(g_spawn_command_line_sync(command, NULL, NULL, &status, NULL));
	cr_assert_eq(status, 0);
	g_autofree char *log = g_strconcat(place_path(place), "-wal", NULL);
	cr_assert(g_file_test(log, G_FILE_TEST_EXISTS));
	CHECK(db_script(first, "INSERT INTO v VALUES (3)", &why));
	db_close(first);
}

Test(database, placeholders_are_bound_by_number_wherever_they_stand)
{
	AUTO(place) place = place_new();
	struct db *db = open_db(place);
	struct db_value args[] = {db_text("a"), db_text("b"), db_text("c")};
	GError *error = NULL;
	AUTO(db_rows)
	rows = db_query(db, "SELECT CAST($3 AS text), CAST($1 AS text), CAST($2 AS text), CAST($1 AS text)",
	        args, 3, &error);
	check_ok(rows != NULL, error, "query");
	cr_assert_str_eq(db_rows_text(rows, 0, 0), "c");
	cr_assert_str_eq(db_rows_text(rows, 0, 1), "a");
	cr_assert_str_eq(db_rows_text(rows, 0, 2), "b");
	cr_assert_str_eq(db_rows_text(rows, 0, 3), "a");
	db_close(db);
}

Test(database, a_violated_constraint_is_told_apart_and_undoes_the_batch)
{
	AUTO(place) place = place_new();
	struct db *db = open_db(place);
	CHECK(db_script(db, "CREATE TABLE v (a bigint PRIMARY KEY)", &why));
	struct db_value args[] = {db_int(1), db_int(2), db_int(1), db_int(3)};
	GError *error = NULL;
	CHECK(db_begin(db, &why));
	cr_assert_not(db_exec_many(db, "INSERT INTO v (a) VALUES ($1)", args, 1, 4, NULL, &error));
	cr_assert(db_is_conflict(error));
	g_clear_error(&error);
	db_rollback(db);
	AUTO(db_rows) rows = db_query(db, "SELECT count(*) FROM v", NULL, 0, &error);
	check_ok(rows != NULL, error, "the connection is usable again");
	cr_assert_eq(db_rows_int(rows, 0, 0), 0);
	db_close(db);
}

Test(database, more_rows_than_fit_between_two_synchronisation_points_arrive_in_order)
{
	AUTO(place) place = place_new();
	struct db *db = open_db(place);
	CHECK(db_script(db, "CREATE TABLE v (a bigint PRIMARY KEY)", &why));
	g_autofree struct db_value *args = g_new0(struct db_value, 1000);
	for (int i = 0; i < 1000; i++)
		args[i] = db_int(i);
	CHECK(db_begin(db, &why));
	GError *error = NULL;
	g_autoptr(GPtrArray) results =
	        db_query_many(db, "INSERT INTO v (a) VALUES ($1) RETURNING a", args, 1, 1000, &error);
	check_ok(results != NULL, error, "query_many");
	for (guint i = 0; i < 1000; i++)
		cr_assert_eq(db_rows_int(g_ptr_array_index(results, i), 0, 0), i);
	CHECK(db_commit(db, &why));
	db_close(db);
}

Test(database, numbers_are_fresh_and_ascending)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	int64_t a[3], b[2];
	CHECK(db_begin(journal_db(journal), &why));
	CHECK(db_numbers(journal_db(journal), "task", 3, a, &why));
	CHECK(db_numbers(journal_db(journal), "task", 2, b, &why));
	CHECK(db_commit(journal_db(journal), &why));
	cr_assert(a[0] > 0 && a[0] < a[1] && a[1] < a[2] && a[2] < b[0] && b[0] < b[1]);
}

static int64_t synchronous(struct db *db)
{
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(db, "PRAGMA synchronous", NULL, 0, &error);
	check_ok(rows != NULL, error, "PRAGMA synchronous");
	return db_rows_int(rows, 0, 0);
}

Test(database, only_a_lease_does_not_wait_for_the_disk)
{
	enum { NORMAL = 1, FULL = 2 };
	AUTO(place) place = place_new();
	if (place_is_postgres(place))
		cr_skip_test("SQLite alone");
	struct db *db = open_db(place);
	cr_assert_eq(synchronous(db), FULL);
	CHECK(db_begin_lease(db, &why));
	cr_assert_eq(synchronous(db), NORMAL);
	CHECK(db_commit(db, &why));
	cr_assert_eq(synchronous(db), FULL);
	CHECK(db_begin(db, &why));
	cr_assert_eq(synchronous(db), FULL);
	CHECK(db_commit(db, &why));
	CHECK(db_begin_lease(db, &why));
	db_rollback(db);
	cr_assert_eq(synchronous(db), FULL);
	CHECK(db_begin(db, &why));
	cr_assert_eq(synchronous(db), FULL);
	CHECK(db_commit(db, &why));
	db_close(db);
}

Test(database, a_locked_database_says_try_again)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	struct journal_options options = place_options(place);
	options.db.busy_ms = 50;
	GError *error = NULL;
	AUTO(journal) other = journal_open(&options, &error);
	check_ok(other != NULL, error, "open");
	CHECK(db_begin(journal_db(journal), &why));
	CHECK(db_exec(journal_db(journal), "UPDATE meta SET value = value", NULL, 0, NULL, &why));
	bool began = db_begin(journal_db(other), &error);
	cr_assert_not(
	        began && db_exec(journal_db(other), "UPDATE meta SET value = value", NULL, 0, NULL, &error));
	cr_assert_eq(error_class(error), ERROR_AGAIN);
	g_clear_error(&error);
	db_rollback(journal_db(other));
	db_rollback(journal_db(journal));
}

Test(database, a_full_disk_says_try_again_and_loses_nothing)
{
	AUTO(place) place = place_new();
	if (place_is_postgres(place))
		cr_skip_test("pages are limited on SQLite only");
	AUTO(journal) journal = place_open(place);
	struct db *db = journal_db(journal);
	GError *error = NULL;
	AUTO(db_rows) pages = db_query(db, "PRAGMA page_count", NULL, 0, &error);
	g_autofree char *limit =
	        g_strdup_printf("PRAGMA max_page_count = %" G_GINT64_FORMAT, db_rows_int(pages, 0, 0) + 10);
	AUTO(db_rows) limited = db_query(db, limit, NULL, 0, &error);
	cr_assert_not_null(limited);
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "imap", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	g_autofree char *text = g_strnfill(200000, 'x');
	AUTO(item) item = mail("1:1", text, 1);
	struct intake_entry entry = {.item = item};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	cr_assert_not(journal_take_in(journal, lease, &batch, &error));
	cr_assert_eq(error_class(error), ERROR_AGAIN);
	g_clear_error(&error);
	cr_assert_eq(number(journal, "SELECT count(*) FROM item"), 0);
	AUTO(db_rows) wide = db_query(db, "PRAGMA max_page_count = 1000000", NULL, 0, &error);
	cr_assert_not_null(wide);
	CHECK(journal_take_in(journal, lease, &batch, &why));
	cr_assert_eq(number(journal, "SELECT count(*) FROM item"), 1);
}

Test(database, the_log_of_a_busy_writer_stays_short_and_nothing_gets_lost)
{
	AUTO(place) place = place_new();
	if (place_is_postgres(place))
		cr_skip_test("SQLite's own log");
	struct db *db = open_db(place);
	CHECK(db_script(db, "CREATE TABLE v (a bigint, b blob)", &why));
	g_autofree char *page = g_strnfill(8192, 'x');
	g_autofree char *log = g_strconcat(place_path(place), "-wal", NULL);
	GStatBuf st = {0};
	for (int64_t round = 0; round < 120; round++) {
		CHECK(db_begin(db, &why));
		for (int64_t i = 0; i < 100; i++) {
			struct db_value args[] = {db_int(round * 100 + i), db_blob(page, 8192)};
			CHECK(db_exec(db, "INSERT INTO v (a, b) VALUES ($1, $2)", args, 2, NULL, &why));
		}
		CHECK(db_commit(db, &why));
		cr_assert_eq(g_stat(log, &st), 0);
		cr_assert_lt(st.st_size, (SQLITE_LOG_MOST + 600) * 8300);
	}
	db_close(db);
	db = open_db(place);
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(db, "SELECT count(*), sum(a), sum(length(b)) FROM v", NULL, 0, &error);
	cr_assert_eq(db_rows_int(rows, 0, 0), 12000);
	cr_assert_eq(db_rows_int(rows, 0, 1), INT64_C(12000) * 11999 / 2);
	cr_assert_eq(db_rows_int(rows, 0, 2), INT64_C(12000) * 8192);
	AUTO(db_rows) check = db_query(db, "PRAGMA integrity_check", NULL, 0, &error);
	cr_assert_str_eq(db_rows_text(check, 0, 0), "ok");
	db_close(db);
}

Test(database, the_servers_errors_keep_their_meaning)
{
	AUTO(place) place = place_new();
	if (!place_is_postgres(place))
		cr_skip_test("codes of PostgreSQL");
	struct db *db = open_db(place);
	static const struct {
		const char *state;
		enum error_class class;
	} cases[] = {{"53100", ERROR_AGAIN}, {"40P01", ERROR_AGAIN}, {"55P03", ERROR_AGAIN},
	        {"57014", ERROR_AGAIN}, {"23505", ERROR_DENIED}, {"42501", ERROR_DENIED},
	        {"57P01", ERROR_UNAVAILABLE}, {"42P01", ERROR_INTERNAL}};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *sql = g_strdup_printf(
		        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '%s'; END $$", cases[i].state);
		g_autoptr(GError) error = NULL;
		cr_assert_not(db_script(db, sql, &error));
		cr_assert_eq(error_class(error), cases[i].class, "%s", cases[i].state);
	}
	db_close(db);
}

static void kill_backend(struct place *place, struct db *db)
{
	GError *error = NULL;
	AUTO(db_rows) pid = db_query(db, "SELECT pg_backend_pid()", NULL, 0, &error);
	struct db *killer = open_db(place);
	struct db_value args[] = {db_int(db_rows_int(pid, 0, 0))};
	AUTO(db_rows)
	killed = db_query(killer, "SELECT pg_terminate_backend(CAST($1 AS integer), 5000)", args, 1, &error);
	check_ok(killed != NULL, error, "kill");
	db_close(killer);
}

Test(database, a_lost_connection_is_told_and_can_be_reopened)
{
	AUTO(place) place = place_new();
	if (!place_is_postgres(place))
		cr_skip_test("SQLite has no connection");
	AUTO(journal) journal = place_open(place);
	kill_backend(place, journal_db(journal));
	g_autoptr(GError) error = NULL;
	cr_assert_null(journal_active_bundle(journal, &error));
	cr_assert_eq(error_class(error), ERROR_UNAVAILABLE);
	CHECK(journal_reopen(journal, &why));
	cr_assert_eq(number(journal, "SELECT count(*) FROM item"), 0);
}

Test(database, a_connection_lost_in_a_batch_is_told)
{
	AUTO(place) place = place_new();
	if (!place_is_postgres(place))
		cr_skip_test("SQLite has no connection");
	AUTO(journal) journal = place_open(place);
	CHECK(db_begin(journal_db(journal), &why));
	kill_backend(place, journal_db(journal));
	struct db_value args[] = {db_int(1), db_int(2)};
	g_autoptr(GError) error = NULL;
	cr_assert_not(db_exec_many(
	        journal_db(journal), "DELETE FROM content WHERE id = $1", args, 1, 2, NULL, &error));
	cr_assert_eq(error_class(error), ERROR_UNAVAILABLE);
	CHECK(journal_reopen(journal, &why));
}

Test(database, a_connection_lost_while_committing_leaves_the_outcome_uncertain)
{
	AUTO(place) place = place_new();
	if (!place_is_postgres(place))
		cr_skip_test("SQLite has no connection");
	AUTO(journal) journal = place_open(place);
	CHECK(db_begin(journal_db(journal), &why));
	kill_backend(place, journal_db(journal));
	g_autoptr(GError) error = NULL;
	cr_assert_not(db_commit(journal_db(journal), &error));
	cr_assert_eq(error_class(error), ERROR_UNCERTAIN);
	cr_assert_not(db_in_transaction(journal_db(journal)));
}

Test(database, a_wrong_password_is_refused_and_the_right_one_is_not_shown)
{
	AUTO(place) place = place_new();
	const char *tcp = g_getenv("TEST_POSTGRES_TCP");
	if (!place_is_postgres(place) || !tcp)
		cr_skip_test("needs the private PostgreSQL with a password");
	struct db_options options = {.dialect = DB_POSTGRES, .conninfo = tcp, .password = "falsch"};
	GError *error = NULL;
	cr_assert_null(db_open(&options, &error));
	cr_assert_null(strstr(error->message, "falsch"));
	g_clear_error(&error);
	options.password = g_getenv("TEST_POSTGRES_PASSWORD");
	struct db *db = db_open(&options, &error);
	check_ok(db != NULL, error, "open");
	db_close(db);
}

Test(database, a_remote_server_without_a_certificate_is_refused)
{
	AUTO(place) place = place_new();
	const char *tcp = g_getenv("TEST_POSTGRES_TCP");
	if (!place_is_postgres(place) || !tcp)
		cr_skip_test("needs the private PostgreSQL with a password");
	/* the same server, under a name that is not loopback */
	g_autofree char *named = g_strdup_printf("%s host=db.example hostaddr=127.0.0.1", tcp);
	struct db_options options = {
	        .dialect = DB_POSTGRES, .conninfo = named, .password = g_getenv("TEST_POSTGRES_PASSWORD")};
	g_autoptr(GError) error = NULL;
	cr_assert_null(db_open(&options, &error));
	cr_assert_not_null(strstr(error->message, "SSL"), "%s", error->message);
	g_autofree char *trusting = g_strdup_printf("%s sslmode=prefer", named);
	options.conninfo = trusting;
	GError *none = NULL;
	struct db *db = db_open(&options, &none);
	check_ok(db != NULL, none, "sslmode given");
	db_close(db);
}

/* ---- schema ---- */

Test(schema, migrating_twice_does_nothing_the_second_time_and_keeps_a_full_queue)
{
	AUTO(place) place = place_new();
	struct journal_options options = place_options(place);
	unsigned done = 99;
	CHECK(journal_migrate(&options.db, &done, &why));
	cr_assert_geq(done, 1);
	AUTO(journal) journal = place_open(place);
	take_mails(journal, 1, 5);
	g_autofree char *name = g_strdup(journal_instance(journal));
	CHECK(journal_migrate(&options.db, &done, &why));
	cr_assert_eq(done, 0);
	cr_assert_eq(number(journal, "SELECT count(*) FROM item WHERE state = 'received'"), 5);
	cr_assert_geq(records_of(journal, "migrated"), 1);
	CHECK(journal_reopen(journal, &why));
	cr_assert_str_eq(journal_instance(journal), name);
	cr_assert_eq(strlen(name), 8);
}

/* Takes the steps behind the first one back, as if the journal came from an older release. */
static void become_old(struct journal *journal)
{
	CHECK(db_script(journal_db(journal),
	        "DROP TABLE IF EXISTS leaf; DROP TABLE IF EXISTS checkpoint; DROP TABLE IF EXISTS log_cursor;"
	        "DROP TABLE IF EXISTS restored; DROP TABLE IF EXISTS expired_key;"
	        "DELETE FROM meta WHERE name <> 'instance'; DELETE FROM migration WHERE number > 1",
	        &why));
}

Test(schema, steps_run_with_a_full_queue_and_an_old_worker_beside)
{
	AUTO(place) place = place_new();
	AUTO(journal) old = place_open(place);
	activate(old, BUNDLE);
	take_mails(old, 1, 3); /* before: the program of today asks more than the one of then */
	become_old(old);
	g_autoptr(GPtrArray) claims = claim_items(old, 1, MINUTE);
	struct journal_options options = place_options(place);
	options.migrate = false;
	g_autoptr(GError) refused = NULL;
	cr_assert_null(journal_open(&options, &refused), "a new worker waits for the migration");
	unsigned done;
	CHECK(journal_migrate(&options.db, &done, &why));
	cr_assert_geq(done, 1);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	CHECK(journal_commit_decisions(old, BUNDLE, &decision, 1, DAY, &why));
	cr_assert_not(decision.lost);
	GError *error = NULL;
	AUTO(journal) new = journal_open(&options, &error);
	check_ok(new != NULL, error, "open");
	g_autoptr(GPtrArray) rest = claim_items(new, 10, MINUTE);
	cr_assert_eq(rest->len, 2);
}

Test(schema, a_step_that_this_program_does_not_know_is_refused)
{
	AUTO(place) place = place_new();
	struct journal *journal = place_open(place);
	CHECK(db_script(journal_db(journal),
	        "INSERT INTO migration (number, name, time, actor) VALUES (999, 'later', 1, 'x')", &why));
	journal_close(journal);
	struct journal_options options = place_options(place);
	g_autoptr(GError) error = NULL;
	cr_assert_null(journal_open(&options, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	cr_assert_not_null(strstr(error->message, "999"));
	options.migrate = false;
	g_autoptr(GError) again = NULL;
	cr_assert_null(journal_open(&options, &again));
	cr_assert_eq(error_class(again), ERROR_CONFIG);
}

Test(schema, a_journal_that_was_never_migrated_names_the_command)
{
	AUTO(place) place = place_new();
	struct journal_options options = place_options(place);
	options.migrate = false;
	g_autoptr(GError) error = NULL;
	cr_assert_null(journal_open(&options, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	cr_assert_not_null(strstr(error->message, "posteingang migrate"));
}

Test(schema, a_short_pseudonym_key_is_refused)
{
	AUTO(place) place = place_new();
	struct journal_options options = place_options(place);
	g_autoptr(GBytes) key = g_bytes_new_static("short", 5);
	options.pseudonym_key = key;
	g_autoptr(GError) error = NULL;
	cr_assert_null(journal_open(&options, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
}

Test(schema, names_of_items_lead_back_to_them)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	g_autofree char *name = journal_item_name(journal, 42);
	int64_t item;
	CHECK(journal_item_parse(journal, name, &item, &why));
	cr_assert_eq(item, 42);
	CHECK(journal_item_parse(journal, "17", &item, &why));
	cr_assert_eq(item, 17);
	const char *const wrong[] = {"", "0", "-1", "x", "deadbeef-1", "99999999999999999999"};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		cr_assert_not(journal_item_parse(journal, wrong[i], &item, &error), "%s", wrong[i]);
		cr_assert_eq(error_class(error), ERROR_INPUT);
	}
}

Test(schema, a_file_that_is_no_database_is_a_mistake_of_the_configuration)
{
	AUTO(place) place = place_new();
	if (place_is_postgres(place))
		cr_skip_test("files of SQLite");
	g_autofree char *junk = g_strnfill(5000, 'x');
	cr_assert(g_file_set_contents(place_path(place), junk, 5000, NULL));
	struct journal_options options = place_options(place);
	g_autoptr(GError) error = NULL;
	cr_assert_null(journal_open(&options, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
}

/* ---- facts ---- */

Test(facts, imported_rows_are_found_by_their_keyed_hash_and_replaced_by_the_next_import)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	JSON_AUTO yes = json_pack("{s:s}", "represented", "yes");
	JSON_AUTO no = json_pack("{s:s}", "represented", "no");
	struct fact_row rows[] = {{"kundennummer", "123A456789", yes}, {"email", "a@example.org", no}};
	CHECK(journal_import_facts(journal, rows, 2, &why));
	struct fact_row ask[] = {{"kundennummer", "123A456789", NULL}, {"kundennummer", "999A999999", NULL}};
	CHECK(journal_look_up_facts(journal, ask, 2, &why));
	cr_assert_str_eq(json_get_string(ask[0].facts, "represented"), "yes");
	cr_assert_null(ask[1].facts);
	json_decref(ask[0].facts);
	cr_assert_eq(number(journal, "SELECT count(*) FROM fact_row WHERE key LIKE '%456789%'"), 0);

	int64_t started, kept;
	CHECK(db_now(journal_db(journal), &started, &why));
	rows[0].facts = no;
	CHECK(journal_import_facts(journal, rows, 1, &why));
	CHECK(journal_finish_import(journal, started, true, &kept, &why));
	cr_assert_eq(kept, 1);
	CHECK(journal_look_up_facts(journal, ask, 1, &why));
	cr_assert_str_eq(json_get_string(ask[0].facts, "represented"), "no");
	json_decref(ask[0].facts);
}
