/* Taking items in: identity, links, leases, gaps, counters. */
#include "fixture.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/internal.h"

#include <string.h>

struct box {
	struct place *place;
	struct journal *journal;
	struct mailbox_lease *lease;
};

static struct box box_open(void)
{
	struct box box = {.place = place_new()};
	box.journal = place_open(box.place);
	GError *error = NULL;
	box.lease = journal_lease_mailbox(box.journal, "imap", "INBOX", MINUTE, &error);
	check_ok(box.lease != NULL, error, "lease");
	return box;
}

static void box_close(struct box *box)
{
	mailbox_lease_free(box->lease);
	journal_close(box->journal);
	place_free(box->place);
}

/* Takes one mail in under the lease; the entry is filled. */
static struct intake_entry take(struct box *box, const char *key, const char *text, const char *generation)
{
	AUTO(item) item = mail(key, text, 5 * SECOND);
	struct intake_entry entry = {.item = item, .generation = generation};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	CHECK(journal_take_in(box->journal, box->lease, &batch, &why));
	return entry;
}

Test(intake, an_item_keeps_its_bytes_key_and_time_of_receipt)
{
	struct box box = box_open();
	struct intake_entry entry = take(&box, "7:42", "Guten Tag", "7");
	cr_assert_eq(entry.result, INTAKE_NEW);
	GError *error = NULL;
	g_autoptr(GBytes) raw = journal_content(box.journal, entry.id, 100, &error);
	check_ok(raw != NULL, error, "content");
	cr_assert_eq(g_bytes_get_size(raw), 9);
	cr_assert_arr_eq(g_bytes_get_data(raw, NULL), "Guten Tag", 9);
	AUTO(item_view) view = journal_item(box.journal, entry.id, &error);
	check_ok(view != NULL, error, "view");
	cr_assert_str_eq(view->item->key, "7:42");
	cr_assert_str_eq(view->item->source, "imap");
	cr_assert_str_eq(view->item->mailbox, "INBOX");
	cr_assert_eq(view->item->received, 5 * SECOND);
	cr_assert_str_eq(view->state, "received");
	box_close(&box);
}

Test(intake, the_same_key_twice_is_one_item)
{
	struct box box = box_open();
	struct intake_entry first = take(&box, "7:1", "a", "7"), second = take(&box, "7:1", "a", "7");
	cr_assert_eq(second.result, INTAKE_KNOWN);
	cr_assert_eq(second.id, first.id);
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM item"), 1);
	cr_assert_eq(records_of(box.journal, "received"), 1);
	box_close(&box);
}

Test(intake, the_same_key_twice_in_one_batch_is_one_item)
{
	struct box box = box_open();
	AUTO(item) one = mail("7:1", "a", 1);
	AUTO(item) two = mail("7:1", "a", 1);
	struct intake_entry entries[] = {{.item = one}, {.item = two}};
	struct intake_batch batch = {.entries = entries, .n_entries = 2};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	cr_assert_eq(entries[1].result, INTAKE_KNOWN);
	cr_assert_eq(entries[1].id, entries[0].id);
	box_close(&box);
}

Test(intake, equal_content_under_another_key_is_a_second_item_linked_to_the_first)
{
	struct box box = box_open();
	struct intake_entry first = take(&box, "7:1", "same", "7"), second = take(&box, "7:2", "same", "7");
	cr_assert_eq(second.result, INTAKE_DUPLICATE);
	cr_assert_neq(second.id, first.id);
	cr_assert_eq(second.duplicate_of, first.id);
	JSON_AUTO detail = last_detail(box.journal, "received");
	g_autofree char *name = journal_item_name(box.journal, first.id);
	cr_assert_str_eq(json_get_string(detail, "duplicate_of"), name);
	box_close(&box);
}

Test(intake, equal_contents_in_one_batch_are_linked_too)
{
	struct box box = box_open();
	AUTO(item) one = mail("7:1", "same", 1);
	AUTO(item) two = mail("7:2", "same", 1);
	struct intake_entry entries[] = {{.item = one}, {.item = two}};
	struct intake_batch batch = {.entries = entries, .n_entries = 2};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	cr_assert_eq(entries[0].result, INTAKE_NEW);
	cr_assert_eq(entries[1].duplicate_of, entries[0].id);
	box_close(&box);
}

Test(intake, after_a_change_of_uidvalidity_known_content_stays_the_known_item)
{
	struct box box = box_open();
	struct intake_entry first = take(&box, "7:1", "same", "7"), twin = take(&box, "7:2", "same", "7");
	struct intake_entry again = take(&box, "8:1", "same", "8"),
	                    twin_again = take(&box, "8:2", "same", "8");
	struct intake_entry news = take(&box, "8:3", "same", "8");
	cr_assert_eq(again.result, INTAKE_RELINKED);
	cr_assert_eq(again.id, first.id);
	cr_assert_eq(twin_again.result, INTAKE_RELINKED);
	cr_assert_eq(twin_again.id, twin.id);
	cr_assert_eq(news.result, INTAKE_DUPLICATE, "a third copy is news");
	cr_assert_eq(take(&box, "8:1", "same", "8").result, INTAKE_KNOWN);
	cr_assert_eq(records_of(box.journal, "relinked"), 2);
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM item"), 3);
	box_close(&box);
}

Test(intake, twins_relisted_in_one_batch_keep_two_items)
{
	struct box box = box_open();
	take(&box, "7:1", "same", "7");
	take(&box, "7:2", "same", "7");
	AUTO(item) one = mail("8:1", "same", 1);
	AUTO(item) two = mail("8:2", "same", 1);
	struct intake_entry entries[] = {{.item = one, .generation = "8"}, {.item = two, .generation = "8"}};
	struct intake_batch batch = {.entries = entries, .n_entries = 2};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	cr_assert_eq(entries[0].result, INTAKE_RELINKED);
	cr_assert_eq(entries[1].result, INTAKE_RELINKED);
	cr_assert_neq(entries[0].id, entries[1].id);
	box_close(&box);
}

Test(intake, content_of_another_mailbox_is_never_relinked)
{
	struct box box = box_open();
	take(&box, "7:1", "same", "7");
	GError *error = NULL;
	AUTO(mailbox_lease) other = journal_lease_mailbox(box.journal, "imap", "Andere", MINUTE, &error);
	AUTO(item) item = mail("9:1", "same", 1);
	struct intake_entry entry = {.item = item, .generation = "9"};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	CHECK(journal_take_in(box.journal, other, &batch, &why));
	cr_assert_eq(entry.result, INTAKE_DUPLICATE);
	box_close(&box);
}

Test(intake, a_key_of_any_bytes_and_any_length_is_an_identity)
{
	struct box box = box_open();
	g_autofree char *long_key = g_strnfill(5000, 'x');
	cr_assert_eq(take(&box, "\xff\xfe", "a", NULL).result, INTAKE_NEW);
	cr_assert_eq(take(&box, "\xff\xfd", "b", NULL).result, INTAKE_NEW);
	cr_assert_eq(take(&box, long_key, "c", NULL).result, INTAKE_NEW);
	cr_assert_eq(take(&box, "\xff\xfe", "a", NULL).result, INTAKE_KNOWN);
	cr_assert_eq(take(&box, long_key, "c", NULL).result, INTAKE_KNOWN);
	const char *keys[] = {"\xff\xfd", "unknown", long_key};
	bool known[3];
	CHECK(journal_known_keys(box.journal, box.lease, keys, 3, known, &why));
	cr_assert(known[0] && !known[1] && known[2]);
	box_close(&box);
}

Test(intake, state_is_written_with_the_items_and_read_with_the_next_lease)
{
	struct box box = box_open();
	cr_assert_eq(json_object_size(box.lease->state), 0);
	JSON_AUTO state = json_pack("{s:i, s:i}", "uidvalidity", 7, "last", 42);
	struct intake_batch batch = {.state = state, .relisted = true};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	CHECK(journal_release_mailbox(box.journal, box.lease, &why));
	GError *error = NULL;
	AUTO(mailbox_lease) next = journal_lease_mailbox(box.journal, "imap", "INBOX", MINUTE, &error);
	check_ok(next != NULL, error, "lease");
	cr_assert_eq(json_get_int(next->state, "last", 0), 42);
	cr_assert_gt(next->last_relist, 0);
	box_close(&box);
}

Test(intake, a_leased_mailbox_is_not_leased_twice)
{
	struct box box = box_open();
	AUTO(journal) other = place_open(box.place);
	GError *error = NULL;
	cr_assert_null(journal_lease_mailbox(other, "imap", "INBOX", MINUTE, &error));
	cr_assert_eq(error_class(error), ERROR_AGAIN);
	cr_assert_eq(error_scope(error), SCOPE_MAILBOX);
	g_clear_error(&error);
	CHECK(journal_release_mailbox(box.journal, box.lease, &why));
	AUTO(mailbox_lease) next = journal_lease_mailbox(other, "imap", "INBOX", MINUTE, &error);
	check_ok(next != NULL, error, "lease");
	cr_assert_gt(next->fence, box.lease->fence);
	box_close(&box);
}

Test(intake, a_late_worker_takes_nothing_in)
{
	struct box box = box_open();
	CHECK(journal_renew_mailbox(box.journal, box.lease, 1, &why));
	g_usleep(2000);
	AUTO(journal) other = place_open(box.place);
	GError *error = NULL;
	AUTO(mailbox_lease) next = journal_lease_mailbox(other, "imap", "INBOX", MINUTE, &error);
	check_ok(next != NULL, error, "lease");
	AUTO(item) item = mail("7:1", "late", 1);
	struct intake_entry entry = {.item = item};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	cr_assert_not(journal_take_in(box.journal, box.lease, &batch, &error));
	cr_assert_eq(error_class(error), ERROR_LOST_LEASE);
	g_clear_error(&error);
	cr_assert_not(journal_renew_mailbox(box.journal, box.lease, MINUTE, &error));
	cr_assert_eq(error_class(error), ERROR_LOST_LEASE);
	g_clear_error(&error);
	cr_assert_eq(number(other, "SELECT count(*) FROM item"), 0);
	cr_assert_eq(number(other, "SELECT count(*) FROM record WHERE event = 'received'"), 0);
	box_close(&box);
}

Test(intake, a_refused_message_gets_one_standing_task_that_closes_when_it_comes_in_after_all)
{
	struct box box = box_open();
	struct intake_gap gap = {.kind = GAP_REFUSED, .key = "7:9", .reason = "too_large", .size = 99};
	struct intake_batch batch = {.gaps = &gap, .n_gaps = 1, .seen = 1};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	batch.seen = 0;
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM task WHERE state = 'open'"), 1);
	cr_assert_eq(records_of(box.journal, "refused"), 1);
	take(&box, "7:9", "now it fits", "7");
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM task WHERE state = 'open'"), 0);
	cr_assert_eq(records_of(box.journal, "task.closed"), 1);
	box_close(&box);
}

Test(intake, the_counters_of_a_day_add_up)
{
	struct box box = box_open();
	GError *error = NULL;
	CHECK(journal_release_mailbox(box.journal, box.lease, &why));
	mailbox_lease_free(box.lease);
	take_mails(box.journal, 1, 3);
	box.lease = journal_lease_mailbox(box.journal, "imap", "INBOX", MINUTE, &error);
	check_ok(box.lease != NULL, error, "lease");
	struct intake_gap gaps[] = {{.kind = GAP_REFUSED, .key = "1:8", .reason = "unfetchable"},
	        {.kind = GAP_VANISHED, .key = "1:9", .reason = "expunged"}};
	struct intake_batch batch = {
	        .gaps = gaps, .n_gaps = 2, .seen = 2, .waiting = 4, .oldest_waiting = 17};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	int32_t day = berlin_day(instant_now());
	g_autoptr(GPtrArray) days = journal_source_days(box.journal, day - 1, day, &error);
	check_ok(days != NULL, error, "days");
	cr_assert_eq(days->len, 1);
	const struct source_day *today = g_ptr_array_index(days, 0);
	cr_assert_eq(today->seen, 5);
	cr_assert_eq(today->taken, 3);
	cr_assert_eq(today->refused, 1);
	cr_assert_eq(today->vanished, 1);
	g_autoptr(GPtrArray) sources = journal_sources(box.journal, &error);
	const struct source_status *status = g_ptr_array_index(sources, 0);
	cr_assert_eq(status->waiting, 4);
	cr_assert_eq(status->oldest_waiting, 17);
	cr_assert_eq(status->gaps, 1);
	box_close(&box);
}

Test(intake, a_failed_run_is_noted_by_class_until_one_succeeds)
{
	struct box box = box_open();
	g_autoptr(GError) failure = NULL;
	fail(&failure, ERROR_UNAVAILABLE, "geheimer Name");
	CHECK(journal_note_run(box.journal, "imap", "INBOX", failure, &why));
	GError *error = NULL;
	g_autoptr(GPtrArray) bad = journal_sources(box.journal, &error);
	const struct source_status *status = g_ptr_array_index(bad, 0);
	cr_assert_str_eq(status->failure, "unavailable");
	CHECK(journal_note_run(box.journal, "imap", "INBOX", NULL, &why));
	g_autoptr(GPtrArray) good = journal_sources(box.journal, &error);
	status = g_ptr_array_index(good, 0);
	cr_assert_null(status->failure);
	cr_assert_gt(status->last_success, 0);
	box_close(&box);
}

Test(intake, large_content_is_streamed_and_read_back_in_chunks)
{
	struct box box = box_open();
	GError *error = NULL;
	struct content *content = content_begin(box.journal, 10 * CONTENT_CHUNK, &error);
	check_ok(content != NULL, error, "begin");
	g_autofree char *part = g_strnfill(100000, 'x');
	for (int i = 0; i < 25; i++)
		CHECK(content_append(content, part, 100000, &why));
	CHECK(content_finish(content, &why));
	AUTO(item) item = mail("7:1", "", 1);
	struct intake_entry entry = {.item = item, .content = content};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	CHECK(journal_take_in(box.journal, box.lease, &batch, &why));
	content_free(content);
	g_autoptr(GBytes) whole = journal_content(box.journal, entry.id, 2500000, &error);
	check_ok(whole != NULL, error, "content");
	cr_assert_eq(g_bytes_get_size(whole), 2500000);
	g_autoptr(GBytes) first = NULL;
	CHECK(journal_content_chunk(box.journal, entry.id, 0, &first, &why));
	cr_assert_eq(g_bytes_get_size(first), CONTENT_CHUNK);
	cr_assert_null(journal_content(box.journal, entry.id, 2499999, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
	g_clear_error(&error);
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM upload"), 0);
	box_close(&box);
}

Test(intake, content_beyond_the_cap_is_refused_and_leaves_nothing)
{
	struct box box = box_open();
	GError *error = NULL;
	struct content *content = content_begin(box.journal, CONTENT_CHUNK + 10, &error);
	g_autofree char *part = g_strnfill(CONTENT_CHUNK, 'x');
	CHECK(content_append(content, part, CONTENT_CHUNK, &why));
	cr_assert_not(content_append(content, part, 11, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
	cr_assert_eq(error_scope(error), SCOPE_ITEM);
	g_clear_error(&error);
	content_free(content);
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM content"), 0);
	box_close(&box);
}

Test(intake, an_upload_that_a_crash_left_is_swept_and_an_item_is_not)
{
	struct box box = box_open();
	take(&box, "7:1", "stays", "7");
	GError *error = NULL;
	struct content *content = content_begin(box.journal, 10 * CONTENT_CHUNK, &error);
	CHECK(content_append(content, "left", 4, &why));
	CHECK(content_finish(content, &why));
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM content"), 2);
	CHECK(journal_sweep_content(box.journal, HOUR, &why));
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM content"), 2);
	CHECK(journal_sweep_content(box.journal, -1, &why));
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM content"), 1);
	AUTO(item) item = mail("7:2", "", 1);
	struct intake_entry entry = {.item = item, .content = content};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1};
	cr_assert_not(journal_take_in(box.journal, box.lease, &batch, &error));
	cr_assert_eq(error_class(error), ERROR_AGAIN, "swept content makes no item");
	g_clear_error(&error);
	content_free(content);
	box_close(&box);
}

Test(intake, content_whose_item_may_have_been_committed_is_not_deleted)
{
	struct box box = box_open();
	GError *error = NULL;
	struct content *content = content_begin(box.journal, CONTENT_CHUNK, &error);
	CHECK(content_append(content, "kept", 4, &why));
	CHECK(content_finish(content, &why));
	/* what a commit does whose answer got lost */
	CHECK(db_exec(journal_db(box.journal), "DELETE FROM upload", NULL, 0, NULL, &why));
	content_free(content);
	cr_assert_eq(number(box.journal, "SELECT count(*) FROM content"), 1);
	box_close(&box);
}

Test(intake, records_hold_no_key_no_text_and_no_plain_hash)
{
	struct box box = box_open();
	struct intake_entry entry = take(&box, "kunde-meier.eml", "Kontonummer 4711", NULL);
	GError *error = NULL;
	AUTO(item_view) view = journal_item(box.journal, entry.id, &error);
	AUTO(db_rows)
	rows = db_query(
	        journal_db(box.journal), "SELECT body FROM record WHERE event = 'received'", NULL, 0, &error);
	g_autoptr(GBytes) body = db_rows_bytes(rows, 0, 0);
	g_autofree char *text = g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
	cr_assert_null(strstr(text, "meier"));
	cr_assert_null(strstr(text, "4711"));
	cr_assert_null(strstr(text, view->item->sha256));
	JSON_AUTO parsed = json_read(text, strlen(text), NULL);
	g_autofree char *again = json_canonical(parsed);
	cr_assert_str_eq(text, again, "records are canonical");
	box_close(&box);
}
