/* Many workers at once, and workers that are killed at any moment: nothing lost, nothing twice. */
#include "fixture.h"
#include "core/error.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITEMS   240
#define THREADS 8
#define CASES   10

struct crowd {
	struct place *place;
	gint effects[ITEMS * 4]; /* by number of the delivery */
	gint twice;
};

static bool passes(GError *error)
{
	bool again = error_class(error) == ERROR_AGAIN || error_class(error) == ERROR_LOST_LEASE;
	if (!again)
		g_printerr("worker: %s\n", error->message);
	g_error_free(error);
	return again;
}

/* Decides up to 10 items: eAkte for each, a call for a case that several share. False: nothing was due. */
static bool route_some(struct journal *journal)
{
	GError *error = NULL;
	struct item_claim_options options = {.max = 10, .duration = MINUTE};
	g_autoptr(GPtrArray) claims = journal_claim_items(journal, &options, &error);
	if (!claims)
		return passes(error);
	struct new_decision decisions[10];
	struct new_delivery deliveries[10];
	struct new_task calls[10];
	char cases[10][16];
	for (guint i = 0; i < claims->len; i++) {
		const struct item_claim *claim = g_ptr_array_index(claims, i);
		g_snprintf(cases[i], sizeof cases[i], "case%" G_GINT64_FORMAT,
		        claim->item->received / SECOND % CASES);
		decisions[i] = plain_decision(claim);
		deliveries[i] = (struct new_delivery){.handler = "eakte"};
		calls[i] = (struct new_task){
		        .kind = "call", .case_key = cases[i], .concern = "x", .window = 30 * DAY};
		decisions[i].deliveries = &deliveries[i];
		decisions[i].n_deliveries = 1;
		decisions[i].tasks = &calls[i];
		decisions[i].n_tasks = 1;
	}
	if (!journal_commit_decisions(journal, BUNDLE, decisions, claims->len, DAY, &error))
		return passes(error);
	return claims->len > 0;
}

static bool deliver_some(struct journal *journal, struct crowd *crowd)
{
	GError *error = NULL;
	struct delivery_claim_options options = {.max = 10, .duration = MINUTE, .now = DAY};
	g_autoptr(GPtrArray) due = journal_claim_deliveries(journal, &options, &error);
	if (!due)
		return passes(error);
	struct delivery_result results[10];
	for (guint i = 0; i < due->len; i++) {
		results[i] = (struct delivery_result){
		        .delivery = g_ptr_array_index(due, i), .outcome = DELIVERY_CONFIRMED};
		g_atomic_int_inc(&crowd->effects[results[i].delivery->id]);
	}
	if (!journal_delivery_results(journal, results, due->len, DAY, &error))
		return passes(error);
	for (guint i = 0; i < due->len; i++)
		if (results[i].lost)
			g_atomic_int_inc(&crowd->twice);
	return due->len > 0;
}

static gpointer work(gpointer data)
{
	struct crowd *crowd = data;
	AUTO(journal) journal = place_open(crowd->place);
	int idle = 0;
	while (idle < 20) {
		bool routed = route_some(journal);
		bool delivered = deliver_some(journal, crowd);
		idle = routed || delivered ? 0 : idle + 1;
		if (idle)
			g_usleep(2000);
	}
	return NULL;
}

Test(many, eight_workers_at_once_give_the_result_of_one, .timeout = 120)
{
	struct crowd *crowd = g_new0(struct crowd, 1);
	crowd->place = place_new();
	struct journal *journal = place_open(crowd->place);
	activate(journal, BUNDLE);
	take_mails(journal, 0, ITEMS);
	GThread *threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("worker", work, crowd);
	for (int i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	cr_assert_eq(number(journal, "SELECT count(*) FROM decision"), ITEMS);
	cr_assert_eq(number(journal, "SELECT count(*) FROM delivery WHERE state = 'confirmed'"), ITEMS);
	cr_assert_eq(number(journal, "SELECT count(*) FROM task WHERE kind = 'call'"), CASES);
	cr_assert_eq(records_of(journal, "decided"), ITEMS);
	cr_assert_eq(records_of(journal, "delivery.confirmed"), ITEMS);
	cr_assert_eq(crowd->twice, 0);
	int effects = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(crowd->effects); i++) {
		cr_assert_leq(crowd->effects[i], 1);
		effects += crowd->effects[i];
	}
	cr_assert_eq(effects, ITEMS);
	journal_close(journal);
	place_free(crowd->place);
	g_free(crowd);
}

/* ---- kill -9 ---- */

#define KILLS   20
#define BATCH   20
#define BATCHES 30

/* Takes batch after batch in, as the state of the mailbox says where it stands. */
static bool pull_next(struct journal *journal)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "imap", "INBOX", 15000, &error);
	if (!lease)
		return passes(error);
	int64_t last = json_get_int(lease->state, "last", 0);
	if (last >= BATCH * BATCHES)
		return false;
	struct intake_entry entries[BATCH] = {0};
	for (unsigned i = 0; i < BATCH; i++) {
		g_autofree char *text = g_strdup_printf("Nachricht %" G_GINT64_FORMAT, last + i);
		g_autofree char *key = g_strdup_printf("1:%" G_GINT64_FORMAT, last + i);
		entries[i].item = mail(key, text, 1);
	}
	JSON_AUTO state = json_pack("{s:I}", "last", (json_int_t)(last + BATCH));
	struct intake_batch batch = {.entries = entries, .n_entries = BATCH, .state = state, .seen = BATCH};
	bool ok = journal_take_in(journal, lease, &batch, &error);
	for (unsigned i = 0; i < BATCH; i++)
		item_free(entries[i].item);
	if (!ok)
		return passes(error);
	return journal_release_mailbox(journal, lease, NULL);
}

static bool route_next(struct journal *journal)
{
	GError *error = NULL;
	struct item_claim_options options = {.max = BATCH, .duration = 15000};
	g_autoptr(GPtrArray) claims = journal_claim_items(journal, &options, &error);
	if (!claims)
		return passes(error);
	struct new_decision decisions[BATCH];
	struct new_delivery deliveries[BATCH];
	for (guint i = 0; i < claims->len; i++) {
		decisions[i] = plain_decision(g_ptr_array_index(claims, i));
		deliveries[i] = (struct new_delivery){.handler = "eakte"};
		decisions[i].deliveries = &deliveries[i];
		decisions[i].n_deliveries = 1;
	}
	if (!journal_commit_decisions(journal, BUNDLE, decisions, claims->len, DAY, &error))
		return passes(error);
	return claims->len > 0;
}

/* One step of both phases; false once nothing is left to do. */
static bool work_once(struct journal *journal)
{
	bool pulled = pull_next(journal);
	return route_next(journal) || pulled;
}

static void one_child(struct place *place, unsigned seed)
{
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		struct journal_options options = place_options(place);
		struct journal *journal = journal_open(&options, NULL);
		while (journal && work_once(journal))
			;
		_exit(0);
	}
	g_usleep(3000 + seed * 7919 % 40000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void check_whole(struct journal *journal)
{
	int64_t items = number(journal, "SELECT count(*) FROM item");
	cr_assert_eq(items % BATCH, 0, "a batch is taken in as a whole");
	cr_assert_eq(number(journal, "SELECT count(*) FROM content"), items);
	cr_assert_eq(records_of(journal, "received"), items);
	int64_t decided = number(journal, "SELECT count(*) FROM decision");
	cr_assert_eq(number(journal, "SELECT count(*) FROM delivery"), decided);
	cr_assert_eq(records_of(journal, "decided"), decided);
	cr_assert_eq(number(journal, "SELECT count(*) FROM item WHERE state = 'decided'"), decided);
}

Test(many, workers_killed_at_any_moment_lose_nothing_and_double_nothing, .timeout = 120)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	activate(journal, BUNDLE);
	for (unsigned i = 0; i < KILLS; i++) {
		one_child(place, i + 1);
		check_whole(journal);
	}
	g_usleep(20000); /* the last leases end */
	while (work_once(journal))
		;
	check_whole(journal);
	cr_assert_eq(number(journal, "SELECT count(*) FROM item"), BATCH * BATCHES);
	cr_assert_eq(number(journal, "SELECT count(DISTINCT key) FROM item"), BATCH * BATCHES);
	cr_assert_eq(number(journal, "SELECT count(*) FROM decision"), BATCH * BATCHES);
	cr_assert_eq(number(journal, "SELECT CAST(sum(seen) - sum(taken) AS bigint) FROM source_day"), 0);
}
