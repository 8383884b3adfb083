/* What adds up raises no alarm; each way of not adding up is named. */
#include "core/date.h"
#include "journal/log_balance.h"
#include "scene.h"

#include <string.h>

struct books {
	struct place *place;
	struct journal *journal;
};

/* Three payment-relevant items: one with its receipt, one on its way, one explained by a dead letter. */
static struct books books_new(void)
{
	struct books books = {.place = place_new()};
	struct journal *journal = books.journal = place_open(books.place);
	activate(journal, BUNDLE);
	for (unsigned i = 1; i <= 3; i++)
		planned(journal, i, "eakte", false);
	g_autoptr(GPtrArray) claims = claim_deliveries(journal, "eakte", INT64_MAX / 4);
	JSON_AUTO receipt = json_pack("{s:s}", "sha256", "00");
	struct delivery_result results[] = {
	        {.delivery = claims->pdata[0], .outcome = DELIVERY_CONFIRMED, .receipt = receipt},
	        {.delivery = claims->pdata[1], .outcome = DELIVERY_RETURNED},
	        {.delivery = claims->pdata[2], .outcome = DELIVERY_FAILED, .reason = "refused"}};
	CHECK(journal_delivery_results(journal, results, 3, 1, &why));
	return books;
}

static void books_close(struct books *books)
{
	journal_close(books->journal);
	place_free(books->place);
}

static struct balance_report *balance(struct books *books)
{
	struct balance_options options = {.from = DAY_NONE, .to = DAY_NONE};
	GError *error = NULL;
	struct balance_report *report = journal_balance(books->journal, &options, &error);
	check_ok(report != NULL, error, "balance");
	return report;
}

static bool has(const struct balance_report *report, const char *kind)
{
	for (guint i = 0; i < report->differences->len; i++)
		if (strcmp(((const struct balance_difference *)report->differences->pdata[i])->kind, kind) ==
		        0)
			return true;
	return false;
}

Test(log_balance, receipts_and_open_and_explained_make_up_what_is_payment_relevant)
{
	struct books books = books_new();
	AUTO(balance_report) report = balance(&books);
	for (guint i = 0; i < report->differences->len; i++) {
		const struct balance_difference *d = report->differences->pdata[i];
		cr_expect(false, "%s: %s: %s", d->kind, d->place, d->text);
	}
	cr_assert_eq(report->items, 3);
	cr_assert_eq(report->relevant, 3);
	cr_assert_eq(report->receipts, 1);
	cr_assert_eq(report->open, 1);
	cr_assert_eq(report->explained, 1);
	books_close(&books);
}

/* {SQL that spoils the books, what must be said} */
static const struct {
	const char *sql, *kind;
} spoilt[] = {
        {"DELETE FROM delivery WHERE state = 'due'", BALANCE_EAKTE},
        {"UPDATE delivery SET state = 'cancelled' WHERE state = 'due'", BALANCE_EAKTE},
        {"UPDATE delivery SET receipt = NULL WHERE state = 'confirmed'", BALANCE_RECEIPT},
        {"DELETE FROM task", BALANCE_RECEIPT},
        {"UPDATE source_day SET seen = seen + 1; UPDATE mailbox SET waiting = 0", BALANCE_SOURCE},
        {"UPDATE source_day SET seen = seen - 1", BALANCE_SOURCE},
        {"UPDATE source_day SET taken = taken + 1", BALANCE_COUNTERS},
        {"DELETE FROM source_day", BALANCE_COUNTERS},
        {"UPDATE delivery SET handler = 'reply', key = 'x-1/reply/sonstiges' WHERE state = 'confirmed'",
                BALANCE_REPLY},
};

Test(log_balance, whatever_does_not_add_up_is_named)
{
	for (size_t i = 0; i < G_N_ELEMENTS(spoilt); i++) {
		struct books books = books_new();
		CHECK(db_script(journal_db(books.journal), spoilt[i].sql, &why));
		AUTO(balance_report) report = balance(&books);
		cr_expect(
		        has(report, spoilt[i].kind), "%s is not found as %s", spoilt[i].sql, spoilt[i].kind);
		books_close(&books);
	}
}

Test(log_balance, what_is_refused_or_has_vanished_at_the_source_is_accounted_for)
{
	struct books books = books_new();
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(books.journal, "imap", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	struct intake_gap gaps[] = {
	        {GAP_REFUSED, "1:90", "too_large", 999}, {GAP_VANISHED, "1:91", "gone", 0}};
	struct intake_batch batch = {.gaps = gaps, .n_gaps = 2, .seen = 2, .waiting = 0};
	CHECK(journal_take_in(books.journal, lease, &batch, &why));
	AUTO(balance_report) report = balance(&books);
	cr_assert_eq(report->differences->len, 0);
	const struct balance_source *sum = report->sources->pdata[report->sources->len - 1];
	cr_assert_eq(sum->refused, 1);
	cr_assert_eq(sum->vanished, 1);
	cr_assert_eq(sum->still, 0);
	books_close(&books);
}

/* The far side as it should be, but for what the caller changes. */
static struct balance_report *reconcile(struct books *books, const char *extra_key, const char *sha256)
{
	struct balance_options options = {.from = DAY_NONE, .to = DAY_NONE};
	struct balance_report *report = balance(books);
	AUTO(balance_far) far = balance_far_new(books->journal, &options, report);
	AUTO(db_rows)
	rows = db_query(journal_db(books->journal),
	        "SELECT d.key, i.sha256 FROM delivery d JOIN item i ON i.id = d.item WHERE d.state = "
	        "'confirmed'",
	        NULL, 0, NULL);
	if (sha256)
		CHECK(balance_far_add(
		        far, db_rows_text(rows, 0, 0), *sha256 ? sha256 : db_rows_text(rows, 0, 1), 1, &why));
	if (extra_key)
		CHECK(balance_far_add(far, extra_key, "00", 1, &why));
	CHECK(balance_far_end(far, &why));
	return report;
}

Test(log_balance, receipts_and_documents_agree_both_ways)
{
	struct books books = books_new();
	AUTO(balance_report) whole = reconcile(&books, NULL, "");
	cr_assert_eq(whole->differences->len, 0);
	AUTO(balance_report) missing = reconcile(&books, NULL, NULL);
	cr_assert(has(missing, BALANCE_MISSING));
	AUTO(balance_report) bent = reconcile(&books, NULL, "ff");
	cr_assert(has(bent, BALANCE_DIFFERS));
	g_autofree char *nobody = journal_item_name(books.journal, 999);
	g_autofree char *key = g_strconcat(nobody, "/eakte", NULL);
	AUTO(balance_report) orphan = reconcile(&books, key, "");
	cr_assert(has(orphan, BALANCE_ORPHAN));
	AUTO(balance_report) foreign = reconcile(&books, "0000abcd-1/eakte", "");
	cr_assert_eq(foreign->differences->len, 0);
	cr_assert_eq(foreign->foreign, 1);
	books_close(&books);
}

Test(log_balance, two_calls_of_one_case_are_found)
{
	struct books books = books_new();
	struct journal *journal = books.journal;
	for (unsigned i = 0; i < 2; i++) {
		struct new_task task = {.kind = "call", .concern = "arbeitsuchendmeldung"};
		int64_t id;
		CHECK(journal_open_task(journal, 1, &task, NULL, &id, &why));
		CHECK(journal_attempt_task(journal, id, true, NULL, &why));
	}
	AUTO(balance_report) report = balance(&books);
	cr_assert(has(report, BALANCE_TWICE));
	cr_assert_eq(report->calls, 2);
	books_close(&books);
}
