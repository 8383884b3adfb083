/* The roles of roles.sql: each can do its work and nothing else. PostgreSQL only. */
#include "fixture.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/log_balance.h"
#include "journal/log_privacy.h"
#include "journal/log_reading.h"
#include "journal/log_seal.h"
#include "journal/log_verify.h"

static struct journal *with_roles(struct place *place)
{
	if (!place_is_postgres(place))
		cr_skip_test("SQLite has no roles");
	struct journal *journal = place_open(place);
	activate(journal, BUNDLE);
	g_autofree char *sql = NULL;
	cr_assert(g_file_get_contents(SOURCE_DIR "/journal/roles.sql", &sql, NULL, NULL));
	CHECK(db_script(journal_db(journal), sql, &why));
	CHECK(db_script(journal_db(journal), sql, &why)); /* a second run is harmless */
	return journal;
}

static void become(struct journal *journal, const char *role)
{
	g_autofree char *sql = g_strdup_printf("SET ROLE %s", role);
	CHECK(db_script(journal_db(journal), sql, &why));
}

static void denied(struct journal *journal, const char *sql)
{
	g_autoptr(GError) error = NULL;
	cr_assert_not(db_script(journal_db(journal), sql, &error), "%s", sql);
	cr_assert_eq(error_class(error), ERROR_DENIED, "%s: %s", sql, error->message);
	cr_assert_eq(error_scope(error), SCOPE_SOURCE);
}

Test(roles, a_worker_runs_all_phases_and_cannot_touch_records_or_bundles)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	become(journal, "posteingang_worker");
	planned(journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(journal, "eakte", DAY);
	struct new_task task = {.kind = "klaerung", .post = true};
	struct delivery_result result = {.delivery = g_ptr_array_index(due, 0),
	        .outcome = DELIVERY_CONFIRMED,
	        .tasks = &task,
	        .n_tasks = 1};
	CHECK(journal_delivery_results(journal, &result, 1, DAY, &why));
	struct content *content = content_begin(journal, CONTENT_CHUNK, NULL);
	content_free(content);
	denied(journal, "UPDATE record SET body = ''");
	denied(journal, "DELETE FROM record");
	denied(journal, "DELETE FROM item");
	denied(journal, "UPDATE decision SET decision = '{}'");
	denied(journal, "UPDATE active SET hash = 'x'");
	denied(journal, "CREATE TABLE mine (a int)");
}

Test(roles, a_clerk_closes_tasks_and_sees_no_content)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	planned(journal, 1, "eakte", false);
	int64_t item = number(journal, "SELECT id FROM item"), id;
	struct new_task task = {.kind = "klaerung"};
	CHECK(journal_open_task(journal, item, &task, NULL, &id, &why));
	become(journal, "posteingang_clerk");
	GError *error = NULL;
	AUTO(task) seen = journal_task(journal, id, &error);
	check_ok(seen != NULL, error, "task");
	AUTO(item_view) view = journal_item(journal, item, &error);
	check_ok(view != NULL, error, "item");
	struct task_closing closing = {.reason = "geklärt", .contact_code = "K2"};
	CHECK(journal_close_task(journal, id, &closing, &why));
	denied(journal, "SELECT bytes FROM content");
	denied(journal, "SELECT body FROM record");
	denied(journal, "UPDATE task SET text = 'x'");
	denied(journal, "DELETE FROM task");
	denied(journal, "INSERT INTO item (id) VALUES (1)");
}

Test(roles, a_sealer_seals_and_reads_nothing_but_records)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	planned(journal, 1, "eakte", false);
	become(journal, "posteingang_sealer");
	struct seal_options options = {.signer = signer};
	struct seal_result result;
	CHECK(journal_seal(journal, &options, &result, &why));
	denied(journal, "SELECT bytes FROM content");
	denied(journal, "SELECT fields FROM item");
	denied(journal, "UPDATE record SET body = ''");
	denied(journal, "UPDATE leaf SET n = n + 1");
	denied(journal, "DELETE FROM leaf");
	denied(journal, "DELETE FROM checkpoint");
}

Test(roles, an_expirer_deletes_what_it_cannot_read)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	char person[HASH_HEX_SIZE];
	journal_pseudonym(journal, "kundennummer", "123A456789", person);
	int64_t item = take_mails(journal, 1, 2), hold;
	g_autoptr(GPtrArray) claims = claim_items(journal, 2, MINUTE);
	for (guint i = 0; i < claims->len; i++) {
		struct new_decision decision = plain_decision(claims->pdata[i]);
		decision.person = i ? person : NULL;
		CHECK(journal_commit_decisions(journal, BUNDLE, &decision, 1, DAY, &why));
	}
	become(journal, "posteingang_expirer");
	const struct retention terms = {
	        .content = 86400, .klaerung = 86400, .automatic = 86400, .evidence = 1};
	struct expire_options options = {.terms = &terms, .now = instant_now() + 2 * DAY};
	struct expire_result expired;
	struct erase_result erased;
	CHECK(journal_hold_add(journal, item, NULL, "Klage", &hold, &why));
	CHECK(journal_person_erase(journal, person, NULL, &erased, &why));
	cr_assert_eq(erased.erased, 1);
	CHECK(journal_hold_release(journal, hold, &why));
	CHECK(journal_expire(journal, &options, &expired, &why));
	cr_assert_eq(expired.items, 1);
	denied(journal, "SELECT bytes FROM content");
	denied(journal, "SELECT fields FROM item");
	denied(journal, "SELECT text FROM task");
	denied(journal, "SELECT params FROM delivery");
	denied(journal, "UPDATE item SET closed = 1");
	denied(journal, "DELETE FROM item");
	denied(journal, "DELETE FROM record");
	denied(journal, "DELETE FROM erasure");
	denied(journal, "DELETE FROM hold");
}

/* As ALTER ROLE … SET search_path does for a login. */
static void become_auditor(struct journal *journal)
{
	g_autofree char *sql = NULL;
	AUTO(db_rows)
	schema = db_query(journal_db(journal), "SELECT CAST(current_schema() AS text)", NULL, 0, NULL);
	const char *name = db_rows_text(schema, 0, 0);
	become(journal, "posteingang_auditor");
	sql = g_strdup_printf("SET search_path = %s_audit, %s", name, name);
	CHECK(db_script(journal_db(journal), sql, &why));
}

Test(roles, an_auditor_verifies_and_balances_and_his_reading_leaves_a_record)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	g_autofree char *public = log_signer_verifier(signer);
	AUTO(log_verifier) verifier = log_verifier_parse(public, NULL);
	planned(journal, 1, "eakte", false);
	struct seal_options sealing = {.signer = signer};
	struct seal_result sealed;
	CHECK(journal_seal(journal, &sealing, &sealed, &why));
	become_auditor(journal);
	cr_assert_eq(number(journal, "SELECT count(*) FROM record"), 0, "nothing is seen before it is said");
	CHECK(journal_log_read(journal, "verify", &why));
	struct verify_options options = {.verifiers = &verifier, .n_verifiers = 1};
	GError *error = NULL;
	AUTO(verify_report) report = journal_verify(journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	cr_assert_eq(report->findings->len, 0);
	cr_assert_eq(report->items, 1);
	cr_assert_gt(report->leaves, 0);
	struct balance_options days = {.from = DAY_NONE, .to = DAY_NONE};
	AUTO(balance_report) balance = journal_balance(journal, &days, &error);
	check_ok(balance != NULL, error, "balance");
	cr_assert_eq(records_of(journal, "log.read"), 1);
	denied(journal, "INSERT INTO record (time, event, body) VALUES (1, 'x', '')");
	CHECK(db_script(journal_db(journal), "RESET ROLE; RESET search_path", &why));
	CHECK(journal_seal(journal, &sealing, &sealed, &why));
	AUTO(verify_report) after = journal_verify(journal, &options, &error);
	cr_assert_eq(after->findings->len, 0, "the record the function wrote is one like any other");
}

Test(roles, an_auditor_reaches_no_content_and_no_table)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = with_roles(place);
	planned(journal, 1, "eakte", false);
	g_autofree char *schema = NULL;
	{
		AUTO(db_rows)
		rows = db_query(journal_db(journal), "SELECT CAST(current_schema() AS text)", NULL, 0, NULL);
		schema = g_strdup(db_rows_text(rows, 0, 0));
	}
	become_auditor(journal);
	CHECK(journal_log_read(journal, "verify", &why));
	const char *const tables[] = {"item", "record", "decision", "delivery", "task", "content", "leaf"};
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		g_autofree char *sql = g_strdup_printf("SELECT * FROM %s.%s", schema, tables[i]);
		denied(journal, sql);
	}
	denied(journal, "SELECT bytes FROM content");
	denied(journal, "DELETE FROM record");
	denied(journal, "UPDATE leaf SET n = 1");
	cr_assert_eq(number(journal, "SELECT count(*) FROM item"), 1);
	cr_assert_eq(
	        number(journal, "SELECT count(*) FROM item WHERE fields IS NOT NULL OR key IS NOT NULL"), 0);
	cr_assert_eq(number(journal, "SELECT count(*) FROM delivery WHERE params IS NOT NULL"), 0);
	cr_assert_eq(
	        number(journal, "SELECT count(*) FROM task WHERE COALESCE(text, params, reason) IS NOT NULL"),
	        0);
}
