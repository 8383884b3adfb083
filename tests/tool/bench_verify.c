/* bench_verify - how fast a journal is verified in which every record belongs to an item.
 *
 *     bench_verify [RECORDS [ROUNDS]]           default 100000 3
 *
 * Each item leaves four records (received, decided, two deliveries confirmed) and the rows
 * that go with them; contents are small, verifying does not read them. SQLite in the current folder, or with
 * TEST_POSTGRES the server named there (tests/servers/postgres.sh run). Prints the median of the rounds.
 */
#include "bench_support.h"
#include "core/date.h"
#include "journal/bundles.h"
#include "journal/deliveries.h"
#include "journal/items.h"
#include "journal/log_seal.h"
#include "journal/log_verify.h"
#include "journal/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 200, RECORDS_AN_ITEM = 4, MOST_ROUNDS = 99 };

#define BUNDLE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void take_in(struct journal *journal, unsigned first, unsigned n)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "bench", "INBOX", INSTANT_DAY, &error);
	bench_must(lease != NULL, &error);
	struct intake_entry entries[BATCH];
	for (unsigned i = 0; i < n; i++) {
		struct item *item = item_new();
		char *raw = g_strdup_printf("Subject: %u\n\nGuten Tag\n", first + i);
		hash_hex(raw, strlen(raw), item->sha256);
		item->raw = g_bytes_new_take(raw, strlen(raw));
		item->key = g_strdup_printf("1:%u", first + i);
		item->received = first + i + 1;
		entries[i] = (struct intake_entry){.item = item, .generation = "1"};
	}
	struct intake_batch batch = {.entries = entries, .n_entries = n, .seen = n};
	bench_must(journal_take_in(journal, lease, &batch, &error), &error);
	for (unsigned i = 0; i < n; i++)
		item_free(entries[i].item);
	bench_must(journal_release_mailbox(journal, lease, &error), &error);
}

static void decide(struct journal *journal, json_t *decision, json_t *record)
{
	GError *error = NULL;
	const struct item_claim_options options = {
	        .max = BATCH, .duration = INSTANT_DAY, .max_bytes = BATCH * INT64_C(10240)};
	g_autoptr(GPtrArray) claims = journal_claim_items(journal, &options, &error);
	bench_must(claims != NULL, &error);
	struct new_decision decisions[BATCH];
	struct new_delivery deliveries[BATCH][2];
	struct new_task opened[BATCH];
	for (guint i = 0; i < claims->len; i++) {
		const struct item_claim *claim = claims->pdata[i];
		deliveries[i][0] = (struct new_delivery){.handler = "eakte"};
		deliveries[i][1] = (struct new_delivery){.handler = "archive"};
		opened[i] = (struct new_task){.kind = "process_notice", .text = "Bitte bearbeiten"};
		decisions[i] = (struct new_decision){.item = claim->item->id,
		        .fence = claim->fence,
		        .decision = decision,
		        .findings = record,
		        .facts = record,
		        .record = record,
		        .engine = "e",
		        .ruleset = "r",
		        .relevance = RELEVANCE_YES,
		        .contact_code = "1",
		        .deliveries = deliveries[i],
		        .n_deliveries = 2,
		        .tasks = &opened[i],
		        .n_tasks = 1};
	}
	bench_must(journal_commit_decisions(journal, BUNDLE, decisions, claims->len, 1, &error), &error);
}

static void confirm(struct journal *journal)
{
	GError *error = NULL;
	const struct delivery_claim_options options = {
	        .max = 2 * BATCH, .duration = INSTANT_DAY, .now = INT64_MAX / 4};
	g_autoptr(GPtrArray) claims = journal_claim_deliveries(journal, &options, &error);
	bench_must(claims != NULL, &error);
	JSON_AUTO receipt = json_pack("{s:s}", "id", "1f3a9c02");
	struct delivery_result results[2 * BATCH];
	for (guint i = 0; i < claims->len; i++)
		results[i] = (struct delivery_result){
		        .delivery = claims->pdata[i], .outcome = DELIVERY_CONFIRMED, .receipt = receipt};
	bench_must(journal_delivery_results(journal, results, claims->len, 1, &error), &error);
}

static void fill(struct journal *journal, unsigned items)
{
	JSON_AUTO decision = bench_sample(900);
	JSON_AUTO record = bench_sample(400);
	for (unsigned done = 0; done < items; done += BATCH) {
		unsigned n = MIN((unsigned)BATCH, items - done);
		take_in(journal, done, n);
		decide(journal, decision, record);
		confirm(journal);
	}
}

static void measure(struct journal *journal, struct log_verifier *verifier, bool log_only, unsigned rounds)
{
	double rates[MOST_ROUNDS];
	const struct verify_options options = {
	        .verifiers = &verifier, .n_verifiers = 1, .log_only = log_only};
	uint64_t records = 0;
	for (unsigned i = 0; i < rounds; i++) {
		GError *error = NULL;
		int64_t start = g_get_monotonic_time();
		AUTO(verify_report) report = journal_verify(journal, &options, &error);
		bench_must(report && report->findings->len == 0 && report->unsealed == 0, &error);
		records = report->leaves;
		rates[i] = (double)records * 60 * G_USEC_PER_SEC / (double)(g_get_monotonic_time() - start);
	}
	printf("%-24s %9" G_GUINT64_FORMAT " records, %10.0f a minute\n",
	        log_only ? "verify, log alone" : "verify, log and journal", (guint64)records,
	        bench_median(rates, rounds));
}

int main(int argc, char **argv)
{
	unsigned records = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	unsigned rounds = argc > 2 ? CLAMP((unsigned)strtoul(argv[2], NULL, 10), 1, MOST_ROUNDS) : 3;
	const char *postgres = getenv("TEST_POSTGRES");
	GError *error = NULL;
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	g_autoptr(GBytes) packed = g_bytes_new_static("bundle", 6);
	const struct journal_options options = {.db = {.dialect = postgres ? DB_POSTGRES : DB_SQLITE,
	                                                .path = "bench_verify.db",
	                                                .conninfo = postgres},
	        .pseudonym_key = key,
	        .migrate = true};
	AUTO(journal) journal = journal_open(&options, &error);
	bench_must(journal && journal_store_bundle(journal, BUNDLE, packed, &error) &&
	                   journal_activate_bundle(journal, BUNDLE, &error),
	        &error);
	AUTO(log_signer) signer = log_signer_generate("bench", &error);
	g_autofree char *public = log_signer_verifier(signer);
	AUTO(log_verifier) verifier = log_verifier_parse(public, &error);
	bench_must(verifier != NULL, &error);
	fill(journal, (records + RECORDS_AN_ITEM - 1) / RECORDS_AN_ITEM);
	const struct seal_options seal = {.signer = signer};
	struct seal_result sealed;
	bench_must(journal_seal(journal, &seal, &sealed, &error), &error);
	measure(journal, verifier, true, rounds);
	measure(journal, verifier, false, rounds);
	return 0;
}
