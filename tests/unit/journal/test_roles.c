/* The roles of roles.sql: each can do its work and nothing else. PostgreSQL only. */
#include "fixture.h"
#include "core/error.h"

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
