/* bench_log - what the log costs those who write it: the journal's part alone (bench_seal: of routing as a
 * whole).
 *
 *     bench_log [RECORDS [ITEMS [ROUNDS]]]      default 200000 4000 5
 *
 * SQLite in the current folder, or with TEST_POSTGRES the server named there (tests/servers/postgres.sh run,
 * with PG_FSYNC=on for real commits). Rounds with and without a sequencer beside alternate; medians are
 * printed.
 */
#include "bench_support.h"
#include "core/date.h"
#include "journal/bundles.h"
#include "journal/items.h"
#include "journal/log_seal.h"
#include "journal/record.h"
#include "journal/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 200, MOST_ROUNDS = 99, BYTES = 10240 };

#define BUNDLE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct bench {
	struct journal_options options;
	struct journal *journal;
	struct log_signer *signer;
	gint sealing, stop;
	unsigned keys; /* items made so far */
};

static void append(struct bench *bench, unsigned records)
{
	GError *error = NULL;
	JSON_AUTO detail = bench_sample(500);
	struct record batch[BATCH];
	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = (struct record){RECORD_FACTS_IMPORTED, 0, detail};
	struct db *db = journal_db(bench->journal);
	for (unsigned done = 0; done < records; done += BATCH)
		bench_must(db_begin(db, &error) && record_write(bench->journal, batch, BATCH, &error) &&
		                   db_commit(db, &error),
		        &error);
}

static void take_in(struct bench *bench, unsigned items)
{
	GError *error = NULL;
	AUTO(mailbox_lease)
	lease = journal_lease_mailbox(bench->journal, "bench", "INBOX", INSTANT_DAY, &error);
	bench_must(lease != NULL, &error);
	g_autofree struct intake_entry *entries = g_new0(struct intake_entry, BATCH);
	for (unsigned done = 0; done < items; done += BATCH) {
		for (unsigned i = 0; i < BATCH; i++) {
			struct item *item = item_new();
			char *raw = g_malloc0(BYTES);
			g_snprintf(raw, BYTES, "Subject: %u\n", bench->keys);
			item->raw = g_bytes_new_take(raw, BYTES);
			hash_hex(raw, BYTES, item->sha256);
			item->key = g_strdup_printf("1:%u", bench->keys++);
			item->received = bench->keys;
			entries[i] = (struct intake_entry){.item = item, .generation = "1"};
		}
		struct intake_batch batch = {.entries = entries, .n_entries = BATCH, .seen = BATCH};
		bench_must(journal_take_in(bench->journal, lease, &batch, &error), &error);
		for (unsigned i = 0; i < BATCH; i++)
			item_free(entries[i].item);
	}
	bench_must(journal_release_mailbox(bench->journal, lease, &error), &error);
}

static void decide(struct bench *bench, unsigned items)
{
	GError *error = NULL;
	JSON_AUTO decision = bench_sample(900);
	JSON_AUTO record = bench_sample(500);
	const struct item_claim_options options = {
	        .max = BATCH, .duration = INSTANT_DAY, .max_bytes = 2 * BATCH * BYTES};
	for (unsigned done = 0; done < items;) {
		g_autoptr(GPtrArray) claims = journal_claim_items(bench->journal, &options, &error);
		bench_must(claims && claims->len, &error);
		g_autofree struct new_decision *decisions = g_new0(struct new_decision, claims->len);
		struct new_delivery eakte[BATCH];
		for (guint i = 0; i < claims->len; i++) {
			const struct item_claim *claim = claims->pdata[i];
			eakte[i] = (struct new_delivery){.handler = "eakte"};
			decisions[i] = (struct new_decision){.item = claim->item->id,
			        .fence = claim->fence,
			        .decision = decision,
			        .record = record,
			        .engine = "e",
			        .ruleset = "r",
			        .relevance = RELEVANCE_YES,
			        .contact_code = "1",
			        .deliveries = &eakte[i],
			        .n_deliveries = 1};
		}
		bench_must(
		        journal_commit_decisions(bench->journal, BUNDLE, decisions, claims->len, 1, &error),
		        &error);
		done += claims->len;
	}
}

/* As the daemon does: a round, a pause; only while a measurement wants it. */
static gpointer sequencer(gpointer data)
{
	struct bench *bench = data;
	GError *error = NULL;
	struct journal_options options = bench->options;
	options.migrate = false;
	AUTO(journal) journal = journal_open(&options, &error);
	bench_must(journal != NULL, &error);
	const struct seal_options seal = {.signer = bench->signer};
	while (!g_atomic_int_get(&bench->stop)) {
		struct seal_result result;
		if (g_atomic_int_get(&bench->sealing))
			bench_must(journal_seal(journal, &seal, &result, &error), &error);
		g_usleep(G_USEC_PER_SEC);
	}
	return NULL;
}

static void seal_rest(struct bench *bench)
{
	GError *error = NULL;
	const struct seal_options seal = {.signer = bench->signer};
	struct seal_result result;
	bench_must(journal_seal(bench->journal, &seal, &result, &error), &error);
}

static double seconds_of(struct bench *bench, void (*work)(struct bench *, unsigned), unsigned n)
{
	int64_t start = g_get_monotonic_time();
	work(bench, n);
	return (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

/* `prepare` (may be NULL) is not measured. */
static void compare(struct bench *bench, const char *name, void (*prepare)(struct bench *, unsigned),
        void (*work)(struct bench *, unsigned), unsigned n, unsigned rounds)
{
	double rates[2][MOST_ROUNDS];
	for (unsigned r = 0; r < 2 * rounds; r++) {
		bool on = r % 2;
		if (prepare)
			prepare(bench, n);
		if (!on)
			seal_rest(bench); /* what the other kind of round left is not this one's */
		g_atomic_int_set(&bench->sealing, on);
		rates[on][r / 2] = n / seconds_of(bench, work, n);
		g_atomic_int_set(&bench->sealing, 0);
	}
	double off = bench_median(rates[0], rounds), on = bench_median(rates[1], rounds);
	printf("%-10s %10.0f /s without sealing, %10.0f /s with: %+.1f %%\n", name, off, on,
	        100 * (on - off) / off);
}

/* The sequencer alone, over a backlog: what a record costs it. */
static void measure_seal(struct bench *bench, unsigned records)
{
	append(bench, records);
	int64_t start = g_get_monotonic_time();
	seal_rest(bench);
	double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
	printf("%-10s %10.0f records a second, nobody writing\n", "seal", records / seconds);
}

static unsigned argument(int argc, char **argv, int i, unsigned fallback)
{
	return argc > i ? (unsigned)strtoul(argv[i], NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
	unsigned records = argument(argc, argv, 1, 200000), items = argument(argc, argv, 2, 4000);
	unsigned rounds = CLAMP(argument(argc, argv, 3, 5), 1, MOST_ROUNDS);
	const char *postgres = getenv("TEST_POSTGRES");
	GError *error = NULL;
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	g_autoptr(GBytes) packed = g_bytes_new_static("bundle", 6);
	struct bench bench = {.options = {.db = {.dialect = postgres ? DB_POSTGRES : DB_SQLITE,
	                                          .path = "bench_log.db",
	                                          .conninfo = postgres,
	                                          .busy_ms = 60000},
	                              .pseudonym_key = key,
	                              .migrate = true}};
	bench.journal = journal_open(&bench.options, &error);
	bench_must(bench.journal != NULL, &error);
	bench.signer = log_signer_generate("bench", &error);
	bench_must(journal_store_bundle(bench.journal, BUNDLE, packed, &error) &&
	                   journal_activate_bundle(bench.journal, BUNDLE, &error),
	        &error);
	GThread *thread = g_thread_new("sequencer", sequencer, &bench);
	compare(&bench, "append", NULL, append, records / (2 * rounds), rounds);
	compare(&bench, "decide", take_in, decide, items, rounds);
	g_atomic_int_set(&bench.stop, 1);
	g_thread_join(thread);
	seal_rest(&bench);
	measure_seal(&bench, records);
	log_signer_free(bench.signer);
	journal_close(bench.journal);
	return 0;
}
