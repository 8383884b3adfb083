/* Claiming items and committing decisions: fencing, poison, bundles, uniqueness of calls and replies. */
#include "fixture.h"
#include "core/error.h"
#include "journal/status.h"

#include <string.h>

struct desk {
	struct place *place;
	struct journal *journal;
};

static struct desk desk_open(unsigned mails)
{
	struct desk desk = {.place = place_new()};
	desk.journal = place_open(desk.place);
	activate(desk.journal, BUNDLE);
	if (mails)
		take_mails(desk.journal, 1, mails);
	return desk;
}

static void desk_close(struct desk *desk)
{
	journal_close(desk->journal);
	place_free(desk->place);
}

static const struct item_claim *claim_at(const GPtrArray *claims, guint i)
{
	return g_ptr_array_index(claims, i);
}

Test(route, items_are_claimed_once_with_their_bytes_oldest_first)
{
	struct desk desk = desk_open(3);
	AUTO(journal) other = place_open(desk.place);
	g_autoptr(GPtrArray) mine = claim_items(desk.journal, 2, MINUTE);
	g_autoptr(GPtrArray) theirs = claim_items(other, 2, MINUTE);
	cr_assert_eq(mine->len, 2);
	cr_assert_eq(theirs->len, 1);
	cr_assert_str_eq(claim_at(mine, 0)->item->key, "1:1");
	cr_assert_str_eq(claim_at(theirs, 0)->item->key, "1:3");
	gsize size;
	const char *bytes = g_bytes_get_data(claim_at(mine, 0)->item->raw, &size);
	cr_assert_arr_eq(bytes, "Subject: Nachricht 1", 20);
	cr_assert_str_eq(claim_at(mine, 0)->item->source, "imap");
	cr_assert_eq(claim_at(mine, 0)->attempts, 0);
	desk_close(&desk);
}

Test(route, a_decision_is_one_whole)
{
	struct desk desk = desk_open(1);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	JSON_AUTO printed = json_pack("{s:[]}", "concerns");
	JSON_AUTO facts = json_pack("{s:s}", "address_match", "yes");
	JSON_AUTO record = json_pack("{s:[s]}", "rules", "5");
	struct new_delivery deliveries[] = {{.handler = "eakte"}, {.handler = "archive"}};
	struct new_task tasks[] = {{.kind = "process_notice", .text = "Umzug", .post = true}};
	decision.decision = printed;
	decision.facts = facts;
	decision.record = record;
	decision.deliveries = deliveries;
	decision.n_deliveries = 2;
	decision.tasks = tasks;
	decision.n_tasks = 1;
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, &decision, 1, DAY, &why));
	cr_assert_not(decision.lost);

	GError *error = NULL;
	AUTO(item_view) view = journal_item(desk.journal, decision.item, &error);
	cr_assert_str_eq(view->state, "decided");
	cr_assert_str_eq(view->bundle, BUNDLE);
	cr_assert_str_eq(view->contact_code, "K1");
	cr_assert_str_eq(json_get_string(view->facts, "address_match"), "yes");
	cr_assert_eq(view->closed, 0);
	g_autoptr(GPtrArray) made = journal_item_deliveries(desk.journal, decision.item, &error);
	cr_assert_eq(made->len, 3, "two planned, one to post the task");
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 4);
	JSON_AUTO detail = last_detail(desk.journal, "decided");
	cr_assert_eq(json_array_size(json_object_get(detail, "deliveries")), 2);
	cr_assert_eq(json_array_size(json_object_get(detail, "tasks")), 1);
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(detail, "rules"), 0)), "5");
	cr_assert_null(strstr(json_get_string(detail, "bundle"), "Umzug"));
	desk_close(&desk);
}

Test(route, a_decision_without_work_closes_the_item)
{
	struct desk desk = desk_open(1);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, &decision, 1, DAY, &why));
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM item WHERE closed IS NOT NULL"), 1);
	g_autoptr(GPtrArray) none = claim_items(desk.journal, 1, MINUTE);
	cr_assert_eq(none->len, 0);
	desk_close(&desk);
}

Test(route, a_late_worker_is_refused_and_the_others_of_its_batch_go_on)
{
	struct desk desk = desk_open(1);
	AUTO(journal) other = place_open(desk.place);
	g_autoptr(GPtrArray) late = claim_items(desk.journal, 1, 1);
	g_usleep(2000);
	g_autoptr(GPtrArray) quick = claim_items(other, 1, MINUTE);
	cr_assert_eq(quick->len, 1);
	take_mails(desk.journal, 2, 1);
	g_autoptr(GPtrArray) rest = claim_items(desk.journal, 1, MINUTE);
	struct new_decision both[2] = {plain_decision(claim_at(late, 0)), plain_decision(claim_at(rest, 0))};
	struct new_delivery mine[2] = {{.handler = "eakte"}, {.handler = "eakte"}};
	for (int i = 0; i < 2; i++) {
		both[i].deliveries = &mine[i];
		both[i].n_deliveries = 1;
	}
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, both, 2, DAY, &why));
	cr_assert(both[0].lost);
	cr_assert_not(both[1].lost);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery"), 1);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM decision"), 1);
	cr_assert_eq(records_of(desk.journal, "decided"), 1);
	desk_close(&desk);
}

Test(route, a_bundle_switched_meanwhile_writes_nothing)
{
	struct desk desk = desk_open(2);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 2, MINUTE);
	struct new_decision both[2] = {
	        plain_decision(claim_at(claims, 0)), plain_decision(claim_at(claims, 1))};
	activate(desk.journal, "bbbb");
	GError *error = NULL;
	cr_assert_not(journal_commit_decisions(desk.journal, BUNDLE, both, 2, DAY, &error));
	cr_assert_eq(error_class(error), ERROR_AGAIN);
	cr_assert_eq(error_when(error), WHEN_NOW);
	g_clear_error(&error);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM decision"), 0);
	CHECK(journal_commit_decisions(desk.journal, "bbbb", both, 2, DAY, &why));
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM decision WHERE bundle = 'bbbb'"), 2);
	desk_close(&desk);
}

Test(route, an_item_that_killed_its_worker_three_times_is_marked)
{
	struct desk desk = desk_open(1);
	for (int attempt = 0; attempt < 4; attempt++) {
		g_autoptr(GPtrArray) claims = claim_items(desk.journal, 10, 1);
		cr_assert_eq(claims->len, 1);
		cr_assert_eq(claim_at(claims, 0)->attempts, attempt);
		cr_assert_eq(claim_at(claims, 0)->poisoned, attempt == 3);
		g_usleep(2000);
	}
	desk_close(&desk);
}

Test(route, items_of_a_crashed_batch_come_alone_so_that_one_takes_no_other_with_it)
{
	struct desk desk = desk_open(3);
	g_autoptr(GPtrArray) crashed = claim_items(desk.journal, 10, 1);
	cr_assert_eq(crashed->len, 3);
	g_usleep(2000);
	for (int i = 0; i < 3; i++) {
		g_autoptr(GPtrArray) alone = claim_items(desk.journal, 10, MINUTE);
		cr_assert_eq(alone->len, 1);
	}
	desk_close(&desk);
}

Test(route, an_item_given_back_does_not_count_as_an_attempt)
{
	struct desk desk = desk_open(1);
	for (int i = 0; i < 5; i++) {
		g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
		cr_assert_eq(claims->len, 1);
		cr_assert_eq(claim_at(claims, 0)->attempts, 0);
		CHECK(journal_release_items(desk.journal, claims, 0, false, &why));
	}
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
	CHECK(journal_release_items(desk.journal, claims, MINUTE, true, &why));
	g_autoptr(GPtrArray) later = claim_items(desk.journal, 1, MINUTE);
	cr_assert_eq(later->len, 0, "not before its time");
	cr_assert_eq(number(desk.journal, "SELECT attempts FROM item"), 1);
	desk_close(&desk);
}

Test(route, a_batch_is_bounded_by_bytes_but_never_empty)
{
	struct desk desk = desk_open(5);
	GError *error = NULL;
	struct item_claim_options options = {.max = 5, .duration = MINUTE, .max_bytes = 90};
	g_autoptr(GPtrArray) some = journal_claim_items(desk.journal, &options, &error);
	cr_assert_eq(some->len, 2);
	options.max_bytes = 1;
	g_autoptr(GPtrArray) one = journal_claim_items(desk.journal, &options, &error);
	cr_assert_eq(one->len, 1);
	options.max_raw = 10;
	g_autoptr(GPtrArray) large = journal_claim_items(desk.journal, &options, &error);
	cr_assert_eq(large->len, 1);
	cr_assert_null(claim_at(large, 0)->item->raw);
	desk_close(&desk);
}

Test(route, an_item_whose_content_is_missing_does_not_block_its_neighbours)
{
	struct desk desk = desk_open(2);
	CHECK(db_exec(journal_db(desk.journal),
	        "DELETE FROM content WHERE id = (SELECT min(id) FROM content)", NULL, 0, NULL, &why));
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 2, MINUTE);
	cr_assert_eq(claims->len, 2);
	cr_assert_null(claim_at(claims, 0)->item->raw);
	cr_assert_not_null(claim_at(claims, 1)->item->raw);
	desk_close(&desk);
}

/* Decides the next item with one call task. */
static struct new_task decide_call(struct desk *desk, const char *case_key, int64_t now)
{
	g_autoptr(GPtrArray) claims = claim_items(desk->journal, 1, MINUTE);
	cr_assert_eq(claims->len, 1);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	struct new_task call = {
	        .kind = "call", .case_key = case_key, .concern = "arbeitsuchendmeldung", .window = 30 * DAY};
	decision.tasks = &call;
	decision.n_tasks = 1;
	CHECK(journal_commit_decisions(desk->journal, BUNDLE, &decision, 1, now, &why));
	return call;
}

Test(route, one_case_is_called_once_in_thirty_days)
{
	struct desk desk = desk_open(4);
	struct new_task first = decide_call(&desk, "case", DAY);
	struct new_task second = decide_call(&desk, "case", 20 * DAY);
	struct new_task other = decide_call(&desk, "other", 20 * DAY);
	struct new_task later = decide_call(&desk, "case", 31 * DAY);
	cr_assert_neq(first.id, 0);
	cr_assert_eq(second.id, 0);
	cr_assert_eq(second.linked_to, first.id);
	cr_assert_neq(other.id, 0);
	cr_assert_neq(later.id, 0);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM task WHERE kind = 'call'"), 3);
	desk_close(&desk);
}

Test(route, two_registrations_in_one_batch_make_one_call_and_the_record_says_so)
{
	struct desk desk = desk_open(2);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 2, MINUTE);
	struct new_decision both[2];
	struct new_task calls[2];
	for (guint i = 0; i < 2; i++) {
		both[i] = plain_decision(claim_at(claims, i));
		calls[i] = (struct new_task){
		        .kind = "call", .case_key = "case", .concern = "x", .window = 30 * DAY};
		both[i].tasks = &calls[i];
		both[i].n_tasks = 1;
	}
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, both, 2, DAY, &why));
	cr_assert_neq(calls[0].id, 0);
	cr_assert_eq(calls[1].linked_to, calls[0].id);
	cr_assert_eq(calls[1].linked_to_item, both[0].item);
	JSON_AUTO detail = last_detail(desk.journal, "decided");
	json_t *task = json_array_get(json_object_get(detail, "tasks"), 0);
	cr_assert_eq(json_get_int(task, "linked_to", 0), calls[0].id);
	desk_close(&desk);
}

Test(route, without_a_number_the_case_is_the_item)
{
	struct desk desk = desk_open(2);
	struct new_task first = decide_call(&desk, NULL, DAY), second = decide_call(&desk, NULL, DAY);
	cr_assert_neq(first.id, 0);
	cr_assert_neq(second.id, 0);
	desk_close(&desk);
}

static struct new_delivery decide_reply(struct desk *desk, const char *sender, int64_t now)
{
	g_autoptr(GPtrArray) claims = claim_items(desk->journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	struct new_delivery reply = {.handler = "reply",
	        .suffix = "umzug",
	        .at_most_once = true,
	        .window_key = sender,
	        .window_concern = "umzug",
	        .window = DAY};
	decision.deliveries = &reply;
	decision.n_deliveries = 1;
	CHECK(journal_commit_decisions(desk->journal, BUNDLE, &decision, 1, now, &why));
	return reply;
}

Test(route, a_sender_gets_one_reply_a_day_and_the_next_is_recorded_as_suppressed)
{
	struct desk desk = desk_open(4);
	cr_assert_not(decide_reply(&desk, "s", DAY).suppressed);
	cr_assert(decide_reply(&desk, "s", DAY + 23 * HOUR).suppressed);
	cr_assert_not(decide_reply(&desk, "other", DAY + 23 * HOUR).suppressed);
	cr_assert_not(decide_reply(&desk, "s", 2 * DAY).suppressed);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery WHERE state = 'suppressed'"), 1);
	g_autoptr(GPtrArray) due = claim_deliveries(desk.journal, "reply", 3 * DAY);
	cr_assert_eq(due->len, 3);
	desk_close(&desk);
}

Test(route, the_same_delivery_twice_in_one_decision_is_one)
{
	struct desk desk = desk_open(1);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	struct new_delivery twice[] = {{.handler = "eakte"}, {.handler = "eakte"}};
	decision.deliveries = twice;
	decision.n_deliveries = 2;
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, &decision, 1, DAY, &why));
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery"), 1);
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 1);
	desk_close(&desk);
}

Test(route, reprocessing_keeps_what_was_delivered_and_supersedes_the_rest)
{
	struct desk desk = desk_open(1);
	g_autoptr(GPtrArray) claims = claim_items(desk.journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claim_at(claims, 0));
	struct new_delivery first[] = {{.handler = "eakte"}, {.handler = "archive"}};
	struct new_task tasks[] = {{.kind = "klaerung"}};
	decision.deliveries = first;
	decision.n_deliveries = 2;
	decision.tasks = tasks;
	decision.n_tasks = 1;
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, &decision, 1, DAY, &why));
	CHECK(journal_reprocess(desk.journal, decision.item, "better rules", &why));
	g_autoptr(GPtrArray) again = claim_items(desk.journal, 1, MINUTE);
	cr_assert_eq(again->len, 1);
	struct new_decision second = plain_decision(claim_at(again, 0));
	struct new_delivery more[] = {{.handler = "eakte"}, {.handler = "ticket"}};
	second.deliveries = more;
	second.n_deliveries = 2;
	CHECK(journal_commit_decisions(desk.journal, BUNDLE, &second, 1, DAY, &why));
	cr_assert_eq(more[0].id, 0, "the eAkte has one document an item");
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery WHERE handler = 'eakte'"), 1);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM delivery WHERE state = 'cancelled'"), 1);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM task WHERE state = 'open'"), 0);
	cr_assert_eq(number(desk.journal, "SELECT count(*) FROM decision"), 2);
	cr_assert_eq(number(desk.journal, "SELECT open FROM item"), 2);
	desk_close(&desk);
}

Test(route, status_counts_what_is_open)
{
	struct desk desk = desk_open(3);
	GError *error = NULL;
	planned(desk.journal, 9, "eakte", false); /* decides the oldest of now four */
	AUTO(journal_status) status = journal_status(desk.journal, DAY, &error);
	check_ok(status != NULL, error, "status");
	cr_assert_eq(status->received, 3);
	cr_assert_eq(status->oldest_received, 2 * SECOND);
	cr_assert_eq(status->due, 1);
	cr_assert_eq(json_get_int(status->deliveries, "eakte", 0), 1);
	cr_assert_str_eq(status->bundle, BUNDLE);
	JSON_AUTO codes = journal_contact_codes(desk.journal, 0, DAY, &error);
	cr_assert_eq(json_get_int(codes, "K1", 0), 1);
	desk_close(&desk);
}
