/* Every column of every table is either evidence, and then a change of it is found, or it only organises work
 * and is named here as such. A new column fails the test until somebody has decided which it is. */
#include "core/date.h"
#include "journal/log_privacy.h"
#include "scene.h"

#include <criterion/parameterized.h>
#include <string.h>

/* What verify compares with the log. The row that is changed is the first that `where` finds. */
static const struct {
	const char *table, *columns, *where;
} evidence[] = {
        {"item",
                "id mailbox key channel received taken size sha256 digest salt fields future duplicate_of "
                "state"
                " decided round relevance contact_code person open closed",
                "id = (SELECT max(id) FROM item WHERE closed IS NOT NULL AND content_deleted IS NULL)"},
        {"item", "content_deleted", "content_deleted IS NOT NULL"},
        {"item_alias", "mailbox key item time", "item > 0"},
        {"decision", "item round time bundle engine ruleset relevance contact_code decision findings facts",
                "item = (SELECT max(item) FROM decision)"},
        {"delivery", "item handler key params not_before state attempts at_most_once receipt reason created",
                "handler = 'eakte' AND state = 'failed' AND item = (SELECT max(item) FROM delivery)"},
        {"task", "id item kind text params state outcome reason actor created closed concern",
                "kind = 'call' AND outcome IS NOT NULL"},
        {"task", "kind state created", "item IS NULL"},
        {"gap", "mailbox key kind reason size time", "kind = 'refused'"},
        {"bundle", "hash packed", "hash IS NOT NULL"},
        {"activation", "hash actor time", "hash IS NOT NULL"},
        {"active", "hash", "one = 1"},
        {"record", "id time item event body", "event = 'decided'"},
        {"leaf", "n record hash", "n = 3"},
        {"checkpoint", "size note peaks time", "size = (SELECT max(size) FROM checkpoint)"},
        {"hold", "id item person actor created released", "released IS NOT NULL"},
        {"erasure", "person actor time", "person IS NOT NULL"},
        {"migration", "number time actor", "number = 1"},
        {"mailbox", "source name", "id = (SELECT min(id) FROM mailbox)"},
        {"meta", "value", "name = 'log_epoch'"},
};

/* Leases, fences, due times, windows, counters (those are `balance`'s), and words that go with the content
 * and stand in no decision. Contents: the test below. */
static const char working[] =
        " item.generation item.wake item.fence item.attempts item.worker"
        " item_alias.generation"
        " delivery.id delivery.due delivery.leased_until delivery.fence delivery.worker delivery.task "
        "delivery.changed"
        " task.not_before task.once task.posted"
        " gap.cleared gap.task bundle.stored bundle.actor activation.id active.one"
        " record.xid log_cursor.one log_cursor.xid log_cursor.id hold.reason erasure.id erasure.item "
        "migration.name"
        " mailbox.id mailbox.state mailbox.fence mailbox.leased_until mailbox.worker mailbox.relisted"
        " mailbox.last_success mailbox.last_failure mailbox.failure mailbox.oldest_waiting mailbox.waiting"
        " meta.name content.id content.bytes upload.item upload.started"
        " source_day.mailbox source_day.day source_day.seen source_day.taken source_day.refused "
        "source_day.vanished"
        " call_window.case_key call_window.concern call_window.task call_window.item call_window.time"
        " reply_window.sender reply_window.concern reply_window.delivery reply_window.time"
        " fact_row.kind fact_row.key fact_row.facts fact_row.written"
        " expired_key.mailbox expired_key.key expired_key.item expired_key.taken"
        " restored.item restored.sha256 number.name number.value ";

static void take(struct journal *journal, struct intake_entry *entry, const char *generation,
        const struct intake_gap *gap)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "imap", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	entry->generation = generation;
	struct intake_batch batch = {
	        .entries = entry, .n_entries = 1, .gaps = gap, .n_gaps = gap ? 1 : 0, .seen = 1};
	CHECK(journal_take_in(journal, lease, &batch, &why));
	CHECK(journal_release_mailbox(journal, lease, &why));
}

static void take_mail(struct journal *journal, const char *key, const char *text, const char *generation,
        const struct intake_gap *gap)
{
	struct item *item = mail(key, text, 5);
	json_set_string(item->fields, "to", "postfach");
	struct intake_entry entry = {.item = item, .received_in_future = true};
	take(journal, &entry, generation, gap);
	item_free(item);
}

/* One item with everything: decided for a person with a delivery that fails and a call that is made. */
static void finish_item(struct journal *journal, const char *person)
{
	g_autoptr(GPtrArray) claims = claim_items(journal, 1, MINUTE);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	JSON_AUTO params = json_pack("{s:s}", "reason", "r5");
	JSON_AUTO facts = json_pack("{s:s}", "deceased", "no");
	struct new_delivery delivery = {.handler = "eakte", .params = params, .not_before = 1};
	struct new_task task = {
	        .kind = "call", .text = "Bitte anrufen", .params = params, .concern = "umzug", .window = DAY};
	decision.person = person;
	decision.decision = decision.findings = decision.facts = facts;
	decision.deliveries = &delivery;
	decision.n_deliveries = 1;
	decision.tasks = &task;
	decision.n_tasks = 1;
	CHECK(journal_commit_decisions(journal, BUNDLE, &decision, 1, DAY, &why));
	g_autoptr(GPtrArray) due = claim_deliveries(journal, "eakte", INT64_MAX / 4);
	JSON_AUTO receipt = json_pack("{s:s}", "id", "4711");
	struct new_task none = {.kind = "dead_letter"};
	struct delivery_result result = {.delivery = due->pdata[0],
	        .outcome = DELIVERY_FAILED,
	        .receipt = receipt,
	        .reason = "refused",
	        .tasks = &none,
	        .n_tasks = 1};
	CHECK(journal_delivery_results(journal, &result, 1, 1, &why));
	CHECK(journal_attempt_task(journal, task.id, true, "erreicht", &why));
	struct task_closing closing = {.reason = "geklärt", .contact_code = "K2"};
	CHECK(journal_close_task(journal, none.id, &closing, &why));
}

static void delete_first(struct journal *journal)
{
	const struct retention terms = {
	        .content = 1, .klaerung = 1, .automatic = 1, .evidence = 3653 * INT64_C(86400)};
	const struct expire_options options = {.terms = &terms, .now = instant_now() + DAY};
	struct expire_result result;
	CHECK(journal_expire(journal, &options, &result, &why));
	cr_assert_eq(result.items, 1);
}

static struct scene *rich_scene(void)
{
	struct scene *scene = g_new0(struct scene, 1);
	scene->place = place_new();
	struct journal *journal = scene->journal = place_open(scene->place);
	scene->signer = log_signer_generate("test", NULL);
	g_autofree char *text = log_signer_verifier(scene->signer);
	scene->verifier = log_verifier_parse(text, NULL);
	scene->kept = g_ptr_array_new_with_free_func(g_free);
	activate(journal, BUNDLE);
	char person[HASH_HEX_SIZE];
	journal_pseudonym(journal, "kundennummer", "1", person);
	take_mail(journal, "1:1", "eins", "1", NULL);
	finish_item(journal, NULL);
	delete_first(journal);
	struct intake_gap gap = {.kind = GAP_REFUSED, .key = "1:7", .reason = "too_large", .size = 9};
	take_mail(journal, "1:2", "zwei", "1", &gap);
	take_mail(journal, "2:2", "zwei", "2", NULL); /* known again */
	take_mail(journal, "2:3", "zwei", "2", NULL); /* a duplicate */
	finish_item(journal, person);
	finish_item(journal, person);
	int64_t hold, other;
	struct erase_result erased;
	CHECK(journal_hold_add(journal, 3, NULL, "Klage", &hold, &why));
	CHECK(journal_hold_add(journal, 0, person, "Klage", &other, &why));
	CHECK(journal_person_erase(journal, person, NULL, &erased, &why));
	CHECK(journal_hold_release(journal, hold, &why));
	seal_scene(scene);
	return scene;
}

static struct verify_report *verify_all_of(struct scene *scene, bool bundles)
{
	struct verify_options options = {
	        .verifiers = &scene->verifier, .n_verifiers = 1, .kept = scene->kept, .bundles = bundles};
	GError *error = NULL;
	struct verify_report *report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	return report;
}

Test(log_columns, a_journal_with_everything_in_it_is_whole)
{
	AUTO(scene) scene = rich_scene();
	assert_whole(scene);
}

static const char *type_of(struct scene *scene, const char *table, const char *column)
{
	struct db_value args[] = {db_text(table), db_text(column)};
	AUTO(db_rows)
	rows = db_query(journal_db(scene->journal),
	        place_is_postgres(scene->place)
	                ? "SELECT CAST(data_type AS text) FROM information_schema.columns"
	                  " WHERE table_schema = current_schema() AND table_name = $1 AND column_name = $2"
	                : "SELECT lower(type) FROM pragma_table_info($1) WHERE name = $2",
	        args, 2, NULL);
	cr_assert(rows && db_rows_count(rows) == 1, "there is no column %s.%s", table, column);
	const char *type = db_rows_text(rows, 0, 0);
	if (strcmp(type, "text") == 0)
		return "COALESCE(%s, '') || 'x'";
	if (strcmp(type, "blob") == 0)
		return "CAST(COALESCE(%s, x'') || x'00' AS blob)";
	return strcmp(type, "bytea") == 0 ? "COALESCE(%s, '') || CAST('\\x00' AS bytea)"
	                                  : "COALESCE(%s, 0) + 1000003";
}

static void change(struct scene *scene, const char *table, const char *column, const char *where)
{
	const char *pattern = type_of(scene, table, column);
	g_auto(GStrv) halves = g_strsplit(pattern, "%s", 2);
	g_autofree char *sql = g_strdup_printf("%sUPDATE %s SET %s = %s%s%s WHERE %s",
	        place_is_postgres(scene->place) ? "SET session_replication_role = replica; " : "", table,
	        column, halves[0], column, halves[1], where);
	g_autofree char *count = g_strdup_printf("SELECT count(*) FROM %s WHERE %s", table, where);
	cr_assert_gt(number(scene->journal, count), 0, "no row of %s to change", table);
	tamper(scene, sql);
}

ParameterizedTestParameters(log_columns, a_change_of_evidence_is_found)
{
	static size_t numbers[G_N_ELEMENTS(evidence)];
	for (size_t i = 0; i < G_N_ELEMENTS(evidence); i++)
		numbers[i] = i;
	return cr_make_param_array(size_t, numbers, G_N_ELEMENTS(evidence));
}

/* One scene a table: each column is changed in a copy of it. */
ParameterizedTest(size_t *n, log_columns, a_change_of_evidence_is_found)
{
	AUTO(scene) scene = rich_scene();
	g_auto(GStrv) columns = g_strsplit(evidence[*n].columns, " ", -1);
	place_backup(scene->place);
	for (char **column = columns; *column; column++) {
		change(scene, evidence[*n].table, *column, evidence[*n].where);
		AUTO(verify_report) report = verify_all_of(scene, strcmp(evidence[*n].table, "bundle") == 0);
		cr_expect_gt(report->findings->len, 0, "%s.%s was changed, and nobody noticed",
		        evidence[*n].table, *column);
		journal_close(scene->journal);
		place_restore(scene->place);
		scene->journal = place_open(scene->place);
	}
	assert_whole(scene);
}

static bool is_named(const char *table, const char *column)
{
	g_autofree char *dotted = g_strdup_printf(" %s.%s ", table, column);
	if (strstr(working, dotted))
		return true;
	g_autofree char *word = g_strdup_printf(" %s ", column);
	for (size_t i = 0; i < G_N_ELEMENTS(evidence); i++) {
		g_autofree char *list = g_strdup_printf(" %s ", evidence[i].columns);
		if (strcmp(evidence[i].table, table) == 0 && strstr(list, word))
			return true;
	}
	return false;
}

Test(log_columns, somebody_has_decided_for_each_column_whether_it_is_evidence)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(db_rows)
	rows = db_query(journal_db(journal),
	        place_is_postgres(place)
	                ? "SELECT CAST(table_name AS text), CAST(column_name AS text) FROM "
	                  "information_schema.columns"
	                  " WHERE table_schema = current_schema()"
	                : "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p"
	                  " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
	        NULL, 0, NULL);
	cr_assert_gt(db_rows_count(rows), 100);
	for (unsigned i = 0; i < db_rows_count(rows); i++)
		cr_expect(is_named(db_rows_text(rows, i, 0), db_rows_text(rows, i, 1)), "%s.%s",
		        db_rows_text(rows, i, 0), db_rows_text(rows, i, 1));
}

static unsigned of_contents(struct scene *scene)
{
	struct verify_options options = {.verifiers = &scene->verifier, .n_verifiers = 1, .contents = true};
	GError *error = NULL;
	AUTO(verify_report) report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	return report->findings->len;
}

Test(log_columns, an_original_that_was_changed_or_taken_away_is_found_by_whoever_reads_them)
{
	AUTO(scene) scene = rich_scene();
	cr_assert_eq(of_contents(scene), 0);
	place_backup(scene->place);
	change(scene, "content", "bytes", "id = (SELECT max(id) FROM content)");
	cr_assert_eq(of_contents(scene), 1);
	journal_close(scene->journal);
	place_restore(scene->place);
	scene->journal = place_open(scene->place);
	tamper(scene, "DELETE FROM content WHERE id = (SELECT max(id) FROM content)");
	cr_assert_eq(of_contents(scene), 1);
}

/* Whoever may write rows may write anything into them: SQLite does not even keep to the types. */
Test(log_columns, a_journal_made_to_hang_or_crash_the_verifier_is_only_a_finding)
{
	static const char *const sqlite[] = {"UPDATE record SET time = 'x' WHERE id = 3",
	        "UPDATE record SET event = x'00ff' WHERE id = 3", "UPDATE item SET received = 'gestern'",
	        "UPDATE leaf SET hash = 7 WHERE n = 2",
	        "UPDATE delivery SET key = x'ff', attempts = 'viele' WHERE id = 1",
	        "UPDATE item SET salt = 5", "UPDATE checkpoint SET note = 5, peaks = 'x'"};
	static const char *const both[] = {"UPDATE leaf SET n = 4000000000000000000 WHERE n = 2",
	        "UPDATE record SET item = 4000000000000000000 WHERE id = 3",
	        "UPDATE task SET item = 9000000000000000000"};
	AUTO(scene) scene = scene_new();
	place_backup(scene->place);
	bool lite = !place_is_postgres(scene->place);
	for (size_t i = 0; i < G_N_ELEMENTS(both) + (lite ? G_N_ELEMENTS(sqlite) : 0); i++) {
		g_autofree char *sql = g_strconcat(lite ? "" : "SET session_replication_role = replica; ",
		        i < G_N_ELEMENTS(both) ? both[i] : sqlite[i - G_N_ELEMENTS(both)], NULL);
		tamper(scene, sql);
		AUTO(verify_report) report = verify_all_of(scene, false);
		cr_expect_gt(report->findings->len, 0, "%s", sql);
		journal_close(scene->journal);
		place_restore(scene->place);
		scene->journal = place_open(scene->place);
	}
}
