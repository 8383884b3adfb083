/* bench_journal - items a second through the journal alone: taking in, deciding, delivering, in batches.
 *
 *     bench_journal [ITEMS [BATCH [BYTES [FINISHED]]]]     default 10000 200 10240 0
 *
 * SQLite in the current folder, or with TEST_POSTGRES the server named there (tests/servers/postgres.sh run,
 * with PG_FSYNC=on for real commits). FINISHED rows of history are made first. Prints one line a phase.
 */
#include "bench_support.h"
#include "core/date.h"
#include "journal/bundles.h"
#include "journal/deliveries.h"
#include "journal/items.h"
#include "journal/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct bench {
	struct journal *journal;
	unsigned items, batch, bytes;
	int64_t finished;
	GArray *claims; /* of int64_t: how long each claim of items took, µs */
	GArray *due;    /* the same of deliveries */
};

static void take_in(struct bench *bench)
{
	GError *error = NULL;
	AUTO(mailbox_lease)
	lease = journal_lease_mailbox(bench->journal, "bench", "INBOX", INSTANT_DAY, &error);
	bench_must(lease != NULL, &error);
	g_autofree struct intake_entry *entries = g_new0(struct intake_entry, bench->batch);
	JSON_AUTO state = json_pack("{s:i}", "last", 1);
	g_autofree char *noise = g_malloc(bench->bytes);
	random_bytes(noise, bench->bytes);
	for (unsigned done = 0; done < bench->items; done += bench->batch) {
		for (unsigned i = 0; i < bench->batch; i++) {
			struct item *item = item_new();
			char *raw = g_memdup2(noise, bench->bytes);
			g_snprintf(raw, bench->bytes, "Subject: %u", done + i);
			item->raw = g_bytes_new_take(raw, bench->bytes);
			hash_hex(raw, bench->bytes, item->sha256);
			item->key = g_strdup_printf("1:%u", done + i);
			item->received = done + i;
			item->fields = item->fields ? item->fields : json_object();
			entries[i] = (struct intake_entry){.item = item, .generation = "1"};
		}
		struct intake_batch batch = {
		        .entries = entries, .n_entries = bench->batch, .seen = bench->batch, .state = state};
		bench_must(journal_take_in(bench->journal, lease, &batch, &error), &error);
		for (unsigned i = 0; i < bench->batch; i++)
			item_free(entries[i].item);
	}
}

static void decide(struct bench *bench)
{
	GError *error = NULL;
	JSON_AUTO decision = bench_sample(900);
	JSON_AUTO findings = bench_sample(600);
	JSON_AUTO facts = bench_sample(200);
	JSON_AUTO record = bench_sample(500);
	g_autofree struct new_decision *decisions = g_new0(struct new_decision, bench->batch);
	g_autofree struct new_delivery *deliveries = g_new0(struct new_delivery, bench->batch);
	g_autofree struct new_task *tasks = g_new0(struct new_task, bench->batch);
	for (;;) {
		struct item_claim_options options = {.max = bench->batch, .duration = INSTANT_DAY};
		gint64 start = g_get_monotonic_time();
		g_autoptr(GPtrArray) claims = journal_claim_items(bench->journal, &options, &error);
		bench_must(claims != NULL, &error);
		int64_t took = g_get_monotonic_time() - start;
		g_array_append_val(bench->claims, took);
		if (!claims->len)
			return;
		for (guint i = 0; i < claims->len; i++) {
			const struct item_claim *claim = g_ptr_array_index(claims, i);
			deliveries[i] = (struct new_delivery){.handler = "eakte"};
			tasks[i] = (struct new_task){.kind = "process_notice"};
			decisions[i] = (struct new_decision){.item = claim->item->id,
			        .fence = claim->fence,
			        .decision = decision,
			        .findings = findings,
			        .facts = facts,
			        .record = record,
			        .engine = "engine",
			        .ruleset = "ruleset",
			        .relevance = RELEVANCE_YES,
			        .contact_code = "K",
			        .deliveries = &deliveries[i],
			        .n_deliveries = 1,
			        .tasks = i % 4 ? NULL : &tasks[i],
			        .n_tasks = i % 4 ? 0 : 1};
		}
		bench_must(
		        journal_commit_decisions(bench->journal, "bench", decisions, claims->len, 1, &error),
		        &error);
	}
}

static void deliver(struct bench *bench)
{
	GError *error = NULL;
	JSON_AUTO receipt = json_pack("{s:s}", "sha256", "0123456789abcdef");
	g_autofree struct delivery_result *results = g_new0(struct delivery_result, bench->batch);
	for (;;) {
		struct delivery_claim_options options = {
		        .max = bench->batch, .duration = INSTANT_DAY, .now = instant_now()};
		gint64 start = g_get_monotonic_time();
		g_autoptr(GPtrArray) due = journal_claim_deliveries(bench->journal, &options, &error);
		bench_must(due != NULL, &error);
		int64_t took = g_get_monotonic_time() - start;
		g_array_append_val(bench->due, took);
		if (!due->len)
			return;
		for (guint i = 0; i < due->len; i++)
			results[i] = (struct delivery_result){.delivery = g_ptr_array_index(due, i),
			        .outcome = DELIVERY_CONFIRMED,
			        .receipt = receipt};
		bench_must(journal_delivery_results(bench->journal, results, due->len, instant_now(), &error),
		        &error);
	}
}

static void history(struct bench *bench)
{
	bool lite = db_dialect(journal_db(bench->journal)) == DB_SQLITE;
	g_autofree char *series =
	        g_strdup_printf(lite ? "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE "
	                               "n < %" G_GINT64_FORMAT ")"
	                             : "WITH g AS (SELECT generate_series(1, %" G_GINT64_FORMAT ") AS n)",
	                bench->finished);
	g_autofree char *items = g_strdup_printf("%s INSERT INTO item (id, mailbox, key, channel, received, "
	                                         "taken, size, sha256, digest, wake, state)"
	                                         " SELECT 1000000000 + n, 1, CAST(n AS text), 'email', n, n, "
	                                         "10, 'x', CAST(n AS bigint) * 7919, n, 'decided' FROM g",
	        series);
	g_autofree char *deliveries = g_strdup_printf("%s INSERT INTO delivery (id, item, handler, key, "
	                                              "not_before, due, state, at_most_once, created,"
	                                              " changed) SELECT 1000000000 + n, 1000000000 + n, "
	                                              "'eakte', 'k' || n, 0, n, 'confirmed', 0, n, n"
	                                              " FROM g",
	        series);
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(bench->journal, "old", "INBOX", 1, &error);
	bench_must(lease && db_script(journal_db(bench->journal), items, &error) &&
	                   db_script(journal_db(bench->journal), deliveries, &error) &&
	                   db_script(journal_db(bench->journal), "ANALYZE", &error),
	        &error);
}

static int64_t cpu_micros(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INSTANT_SECOND + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

static void measure(const char *phase, void (*work)(struct bench *), struct bench *bench)
{
	int64_t start = g_get_monotonic_time(), cpu = cpu_micros();
	work(bench);
	int64_t micros = MAX(g_get_monotonic_time() - start, 1);
	printf("%-8s %u items of %u bytes, %u a batch: %" G_GINT64_FORMAT
	       " items/s, own CPU %.1f µs an item\n",
	        phase, bench->items, bench->bytes, bench->batch, (int64_t)bench->items * 1000000 / micros,
	        (double)(cpu_micros() - cpu) / bench->items);
}

static int by_length(gconstpointer a, gconstpointer b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void print_claims(const struct bench *bench, const char *what, GArray *claims)
{
	g_array_sort(claims, by_length);
	guint n = claims->len;
	printf("claim    %u %s beside %" G_GINT64_FORMAT " finished: median %" G_GINT64_FORMAT
	       " µs, 95th percentile %" G_GINT64_FORMAT " µs of %u\n",
	        bench->batch, what, bench->finished, g_array_index(claims, int64_t, n / 2),
	        g_array_index(claims, int64_t, n * 95 / 100), n);
}

static void remove_file(const char *path)
{
	const char *const ends[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *file = g_strconcat(path, ends[i], NULL);
		unlink(file);
	}
}

static unsigned argument(int argc, char **argv, int i, unsigned otherwise)
{
	return argc > i ? (unsigned)strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	static const char path[] = "bench_journal.db";
	const char *postgres = getenv("TEST_POSTGRES");
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	struct bench bench = {.items = argument(argc, argv, 1, 10000),
	        .batch = MAX(1, MIN(argument(argc, argv, 2, 200), INTAKE_BATCH_MAX)),
	        .bytes = argument(argc, argv, 3, 10240),
	        .finished = argument(argc, argv, 4, 0)};
	bench.items -= bench.items % bench.batch;
	bench.claims = g_array_new(FALSE, FALSE, sizeof(int64_t));
	bench.due = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct journal_options options = {.db = {.dialect = postgres ? DB_POSTGRES : DB_SQLITE,
	                                          .path = path,
	                                          .conninfo = postgres,
	                                          .statement_ms = 3600000},
	        .pseudonym_key = key,
	        .migrate = true};
	GError *error = NULL;
	remove_file(path);
	bench.journal = journal_open(&options, &error);
	bench_must(bench.journal != NULL, &error);
	g_autoptr(GBytes) packed = g_bytes_new_static("x", 1);
	bench_must(journal_store_bundle(bench.journal, "bench", packed, &error) &&
	                   journal_activate_bundle(bench.journal, "bench", &error),
	        &error);
	if (bench.finished)
		measure("history", history, &bench);
	measure("take in", take_in, &bench);
	measure("decide", decide, &bench);
	print_claims(&bench, "items with content", bench.claims);
	measure("deliver", deliver, &bench);
	print_claims(&bench, "deliveries", bench.due);
	journal_close(bench.journal);
	g_array_unref(bench.claims);
	g_array_unref(bench.due);
	remove_file(path);
	return 0;
}
