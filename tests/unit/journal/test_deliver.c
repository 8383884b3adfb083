/* Deliveries and tasks: what is due, how it ends, what a crash leaves, the one attempt of a call. */
#include "fixture.h"
#include "core/error.h"

#include <string.h>

struct desk {
	struct place *place;
	struct journal *journal;
};

static struct desk desk_open(void)
{
	struct desk desk = {.place = place_new()};
	desk.journal = place_open(desk.place);
	activate(desk.journal, BUNDLE);
	return desk;
}

static void desk_close(struct desk *desk)
{
	journal_close(desk->journal);
	place_free(desk->place);
}

static bool finish(struct desk *desk, const struct delivery *delivery, enum delivery_outcome outcome)
{
	JSON_AUTO receipt = json_pack("{s:s}", "id", "E-1");
	struct delivery_result result = {.delivery = delivery, .outcome = outcome, .receipt = receipt};
	if (outcome == DELIVERY_RETRY)
		result.retry_at = 2 * DAY;
	CHECK(journal_delivery_results(desk->journal, &result, 1, DAY, &why));
	return !result.lost;
}

Test(deliver, a_due_delivery_comes_with_its_item_once)
{
	struct desk desk = desk_open();
	int64_t item = planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	g_autoptr(GPtrArray) again = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert_eq(due->len, 1);
	cr_assert_eq(again->len, 0);
	const struct delivery *delivery = g_ptr_array_index(due, 0);
	cr_assert_eq(delivery->item->id, item);
	g_autofree char *key = g_strconcat(delivery->item_name, "/eakte", NULL);
	cr_assert_str_eq(delivery->key, key);
	cr_assert_eq(delivery->attempts, 0);
	desk_close(&desk);
}

Test(deliver, only_the_handlers_asked_for_are_given_and_all_without_asking)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "eakte", false);
	planned(desk.journal, 2, "archive", false);
	g_autoptr(GPtrArray) archive = claim_deliveries(desk.journal, "archive", DAY);
	cr_assert_eq(archive->len, 1);
	planned(desk.journal, 3, "ticket", false);
	g_autoptr(GPtrArray) all = claim_deliveries(desk.journal, NULL, DAY);
	cr_assert_eq(all->len, 2);
	desk_close(&desk);
}

Test(deliver, a_receipt_closes_the_item_and_is_recorded)
{
	struct desk desk = desk_open();
	int64_t item = planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert(finish(&desk, g_ptr_array_index(due, 0), DELIVERY_CONFIRMED));
	GError *error = NULL;
	AUTO(item_view) view = journal_item(desk.journal, item, &error);
	cr_assert_gt(view->closed, 0);
	JSON_AUTO detail = last_detail(desk.journal, "delivery.confirmed");
	cr_assert_str_eq(json_get_string(json_object_get(detail, "receipt"), "id"), "E-1");
	g_autoptr(GPtrArray) seen = journal_item_deliveries(desk.journal, item, &error);
	const struct delivery_view *first = g_ptr_array_index(seen, 0);
	cr_assert_str_eq(first->state, "confirmed");
	cr_assert_eq(first->attempts, 1);
	desk_close(&desk);
}

Test(deliver, a_receipt_is_kept_as_commitment_and_keyed_hash_and_nobody_can_look_for_them)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	const struct delivery *delivery = due->pdata[0];
	JSON_AUTO receipt = json_pack("{s:s, s:s, s:s}", "document", "a.eml", "sha256",
	        delivery->item->sha256, "id", delivery->item->key);
	struct delivery_result result = {
	        .delivery = delivery, .outcome = DELIVERY_CONFIRMED, .receipt = receipt};
	CHECK(journal_delivery_results(desk.journal, &result, 1, DAY, &why));
	JSON_AUTO received = last_detail(desk.journal, "received");
	JSON_AUTO confirmed = last_detail(desk.journal, "delivery.confirmed");
	const json_t *kept = json_object_get(confirmed, "receipt");
	cr_assert_null(json_object_get(kept, "sha256"));
	cr_assert_str_eq(json_get_string(kept, "commitment"), json_get_string(received, "commitment"));
	cr_assert_str_eq(json_get_string(kept, "id"), json_get_string(received, "key"));
	cr_assert_str_eq(json_get_string(kept, "document"), "a.eml");
	g_autofree char *sql = g_strdup_printf(
	        "SELECT count(*) FROM delivery WHERE receipt LIKE '%%%s%%'", delivery->item->sha256);
	cr_assert_eq(number(desk.journal, sql), 0, "nor does the row hold it: it would outlive the content");
	desk_close(&desk);
}

Test(deliver, a_retry_waits_for_its_time_and_counts)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert(finish(&desk, g_ptr_array_index(due, 0), DELIVERY_RETRY));
	g_autoptr(GPtrArray) early = claim_deliveries(desk.journal, "eakte", 2 * DAY - 1);
	cr_assert_eq(early->len, 0);
	g_autoptr(GPtrArray) then = claim_deliveries(desk.journal, "eakte", 2 * DAY);
	cr_assert_eq(then->len, 1);
	const struct delivery *delivery = g_ptr_array_index(then, 0);
	cr_assert_eq(delivery->attempts, 1);
	desk_close(&desk);
}

Test(deliver, a_delivery_given_back_is_due_at_once_and_counts_no_attempt)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert(finish(&desk, g_ptr_array_index(due, 0), DELIVERY_RETURNED));
	g_autoptr(GPtrArray) again = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert_eq(again->len, 1);
	cr_assert_eq(((const struct delivery *)g_ptr_array_index(again, 0))->attempts, 0);
	desk_close(&desk);
}

Test(deliver, a_failure_for_good_becomes_a_task)
{
	struct desk desk = desk_open();
	int64_t item = planned(desk.journal, 1, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert(finish(&desk, g_ptr_array_index(due, 0), DELIVERY_FAILED));
	GError *error = NULL;
	struct task_filter filter = {.kind = "dead_letter", .item = item};
	g_autoptr(GPtrArray) tasks = journal_tasks(desk.journal, &filter, &error);
	check_ok(tasks != NULL, error, "tasks");
	cr_assert_eq(tasks->len, 1);
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 1);
	cr_assert_eq(records_of(desk.journal, "task.opened"), 1);
	desk_close(&desk);
}

Test(deliver, a_result_may_bring_its_own_task_to_be_posted_outside)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "ticket", false);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "ticket", DAY);
	struct new_task task = {.kind = "task", .text = "Anspruchsbeginn", .post = true};
	struct delivery_result result = {.delivery = g_ptr_array_index(due, 0),
	        .outcome = DELIVERY_CONFIRMED,
	        .tasks = &task,
	        .n_tasks = 1};
	CHECK(journal_delivery_results(desk.journal, &result, 1, DAY, &why));
	g_autoptr(GPtrArray) posts = claim_deliveries(desk.journal, "post", DAY);
	cr_assert_eq(posts->len, 1);
	const struct delivery *post = g_ptr_array_index(posts, 0);
	cr_assert_eq(post->task, task.id);
	cr_assert(finish(&desk, post, DELIVERY_CONFIRMED));
	GError *error = NULL;
	AUTO(task) seen = journal_task(desk.journal, task.id, &error);
	cr_assert_str_eq(seen->posted, "E-1");
	desk_close(&desk);
}

Test(deliver, a_late_worker_reports_nothing)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "eakte", false);
	GError *error = NULL;
	struct delivery_claim_options options = {.max = 1, .duration = 1, .now = DAY};
	g_autoptr(GPtrArray) late = journal_claim_deliveries(desk.journal, &options, &error);
	g_usleep(2000);
	g_autoptr(GPtrArray) quick = claim_deliveries(desk.journal, "eakte", DAY);
	cr_assert_eq(quick->len, 1);
	cr_assert_not(finish(&desk, g_ptr_array_index(late, 0), DELIVERY_FAILED));
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM task"), 0);
	cr_assert_not(journal_renew_delivery(desk.journal, g_ptr_array_index(late, 0), MINUTE, &error));
	cr_assert_eq(error_class(error), ERROR_LOST_LEASE);
	g_clear_error(&error);
	cr_assert(finish(&desk, g_ptr_array_index(quick, 0), DELIVERY_CONFIRMED));
	desk_close(&desk);
}

Test(deliver, a_reply_found_in_sending_after_a_crash_is_uncertain_and_never_sent_again)
{
	struct desk desk = desk_open();
	int64_t item = planned(desk.journal, 1, "reply", true);
	GError *error = NULL;
	struct delivery_claim_options options = {.max = 1, .duration = 20000, .now = DAY};
	g_autoptr(GPtrArray) due = journal_claim_deliveries(desk.journal, &options, &error);
	cr_assert_eq(due->len, 1);
	bool lost;
	CHECK(journal_mark_sending(desk.journal, (struct delivery *const *)due->pdata, 1, &lost, &why));
	cr_assert_not(lost);
	g_autoptr(GPtrArray) busy = claim_deliveries(desk.journal, "reply", DAY);
	cr_assert_eq(busy->len, 0);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery WHERE state = 'sending'"), 1);
	g_usleep(25000);
	g_autoptr(GPtrArray) after = claim_deliveries(desk.journal, "reply", DAY);
	cr_assert_eq(after->len, 0);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery WHERE state = 'uncertain'"), 1);
	struct task_filter filter = {.kind = "reply_uncertain", .item = item};
	g_autoptr(GPtrArray) tasks = journal_tasks(desk.journal, &filter, &error);
	cr_assert_eq(tasks->len, 1);
	cr_assert_eq(records_of(desk.journal, "delivery.uncertain"), 1);
	cr_assert_not(finish(&desk, g_ptr_array_index(due, 0), DELIVERY_CONFIRMED), "too late");
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 1);
	desk_close(&desk);
}

Test(deliver, what_was_taken_over_is_not_marked_as_sending)
{
	struct desk desk = desk_open();
	planned(desk.journal, 1, "reply", true);
	GError *error = NULL;
	struct delivery_claim_options options = {.max = 1, .duration = 1, .now = DAY};
	g_autoptr(GPtrArray) late = journal_claim_deliveries(desk.journal, &options, &error);
	g_usleep(2000);
	g_autoptr(GPtrArray) quick = claim_deliveries(desk.journal, "reply", DAY);
	cr_assert_eq(quick->len, 1);
	bool lost = false;
	CHECK(journal_mark_sending(desk.journal, (struct delivery *const *)late->pdata, 1, &lost, &why));
	cr_assert(lost);
	cr_assert_eq(records_of(desk.journal, "delivery.sending"), 0);
	desk_close(&desk);
}

/* Decides one mail with a call. */
static int64_t call_task(struct desk *desk)
{
	take_mails(desk->journal, 1, 1);
	g_autoptr(GPtrArray) claims = claim_items(desk->journal, 1, MINUTE);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	struct new_task call = {
	        .kind = "call", .concern = "arbeitsuchendmeldung", .window = 30 * DAY, .post = true};
	decision.tasks = &call;
	decision.n_tasks = 1;
	CHECK(journal_commit_decisions(desk->journal, BUNDLE, &decision, 1, DAY, &why));
	return call.id;
}

Test(tasks, a_call_has_exactly_one_attempt)
{
	struct desk desk = desk_open();
	int64_t id = call_task(&desk);
	CHECK(journal_attempt_task(desk.journal, id, false, "niemand da", &why));
	GError *error = NULL;
	cr_assert_not(journal_attempt_task(desk.journal, id, true, NULL, &error));
	cr_assert_eq(error_class(error), ERROR_DENIED);
	g_clear_error(&error);
	AUTO(task) task = journal_task(desk.journal, id, &error);
	cr_assert_str_eq(task->outcome, "not_reached");
	cr_assert_str_eq(task->state, "done");
	cr_assert_eq(records_of(desk.journal, "task.attempted"), 1);
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 0, "its posting is cancelled with it");
	desk_close(&desk);
}

Test(tasks, the_reason_of_a_clerk_is_kept_but_not_in_the_log)
{
	struct desk desk = desk_open();
	int64_t id = call_task(&desk);
	struct task_closing closing = {.reason = "Frau Meier hat angerufen", .contact_code = "K9"};
	CHECK(journal_close_task(desk.journal, id, &closing, &why));
	GError *error = NULL;
	AUTO(task) task = journal_task(desk.journal, id, &error);
	cr_assert_str_eq(task->reason, "Frau Meier hat angerufen");
	cr_assert_str_eq(task->contact_code, "K9");
	AUTO(db_rows) bodies = db_query(journal_db(desk.journal), "SELECT body FROM record", NULL, 0, &error);
	for (unsigned r = 0; r < db_rows_count(bodies); r++) {
		g_autoptr(GBytes) body = db_rows_bytes(bodies, r, 0);
		cr_assert_null(
		        g_strstr_len(g_bytes_get_data(body, NULL), (gssize)g_bytes_get_size(body), "Meier"));
	}
	JSON_AUTO detail = last_detail(desk.journal, "contact_code");
	cr_assert_str_eq(json_get_string(detail, "from"), "K1");
	cr_assert_str_eq(json_get_string(detail, "to"), "K9");
	desk_close(&desk);
}

Test(tasks, a_closed_task_is_not_closed_again)
{
	struct desk desk = desk_open();
	int64_t id = call_task(&desk);
	struct task_closing closing = {.failed = true};
	CHECK(journal_close_task(desk.journal, id, &closing, &why));
	GError *error = NULL;
	cr_assert_not(journal_close_task(desk.journal, id, &closing, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
	g_clear_error(&error);
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 0);
	desk_close(&desk);
}

Test(tasks, an_override_needs_a_reason_and_is_a_record)
{
	struct desk desk = desk_open();
	int64_t id = call_task(&desk);
	struct task_closing closing = {.instead = "none", .rule = "2"};
	GError *error = NULL;
	cr_assert_not(journal_close_task(desk.journal, id, &closing, &error));
	cr_assert_eq(error_class(error), ERROR_USAGE);
	g_clear_error(&error);
	closing.reason = "schon gemeldet";
	CHECK(journal_close_task(desk.journal, id, &closing, &why));
	JSON_AUTO detail = last_detail(desk.journal, "overridden");
	cr_assert_str_eq(json_get_string(detail, "instead"), "none");
	cr_assert_str_eq(json_get_string(detail, "rule"), "2");
	desk_close(&desk);
}

Test(tasks, a_standing_task_is_open_once)
{
	struct desk desk = desk_open();
	struct new_task task = {.kind = "channel_closed", .text = "Postfach geschlossen"};
	int64_t first, second, third;
	CHECK(journal_open_task(desk.journal, 0, &task, "imap/INBOX", &first, &why));
	CHECK(journal_open_task(desk.journal, 0, &task, "imap/INBOX", &second, &why));
	cr_assert_eq(first, second);
	struct task_closing closing = {.failed = false};
	CHECK(journal_close_task(desk.journal, first, &closing, &why));
	CHECK(journal_open_task(desk.journal, 0, &task, "imap/INBOX", &third, &why));
	cr_assert_neq(third, first);
	desk_close(&desk);
}

Test(tasks, lists_go_by_state_kind_and_time)
{
	struct desk desk = desk_open();
	struct new_task now = {.kind = "account_check"},
	                later = {.kind = "postbox_dialog", .not_before = 5 * DAY};
	int64_t a, b;
	CHECK(journal_open_task(desk.journal, 0, &now, NULL, &a, &why));
	CHECK(journal_open_task(desk.journal, 0, &later, NULL, &b, &why));
	GError *error = NULL;
	struct task_filter filter = {.due = DAY};
	g_autoptr(GPtrArray) due = journal_tasks(desk.journal, &filter, &error);
	cr_assert_eq(due->len, 1);
	filter = (struct task_filter){.kind = "postbox_dialog"};
	g_autoptr(GPtrArray) kind = journal_tasks(desk.journal, &filter, &error);
	cr_assert_eq(kind->len, 1);
	filter = (struct task_filter){.state = "done"};
	g_autoptr(GPtrArray) done = journal_tasks(desk.journal, &filter, &error);
	cr_assert_eq(done->len, 0);
	filter = (struct task_filter){.after = a};
	g_autoptr(GPtrArray) next = journal_tasks(desk.journal, &filter, &error);
	cr_assert_eq(next->len, 1);
	cr_assert_null(journal_task(desk.journal, 999, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
	g_clear_error(&error);
	desk_close(&desk);
}
