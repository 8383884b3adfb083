/* bench_seal - what sealing costs the routing path.
 *
 *     bench_seal BUNDLE [MAILS [ROUNDS]]        default 1500 mails a round, 7 rounds of each kind
 *
 * The whole path (claim, decode, findings, decision, commit in batches of 100, log included) over mails of
 * about 10 KB, one router, in turn without a sequencer and with one beside it that seals every second into a
 * witness file, as the daemon does. SQLite in the current folder, or with TEST_POSTGRES the server named
 * there. Prints the medians, and for SQLite, where all work is done by this process, the processor time a
 * mail as well: it does not depend on what else the machine does. A record costs the sequencer the same
 * whenever it comes, so that records sealed are what both kinds of rounds have in common: each round's
 * records are sealed within it, or after it and not measured.
 */
#include "bench_support.h"
#include "classifiers/route.h"
#include "core/date.h"
#include "core/mail.h"
#include "journal/log_seal.h"
#include "journal/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BATCH = 100, MOST_ROUNDS = 99, BYTES = 10240 };

struct bench {
	struct journal_options options;
	struct journal *journal;
	struct log_signer *signer;
	struct route *route;
	unsigned mails, keys;
	gint sealing, stop;
};

struct cost {
	double wall, cpu; /* µs a mail */
};

static const char *const sentences[] = {
        "Guten Tag, ich bin umgezogen und wohne jetzt im Lindenweg 12 in 50667 Köln. ",
        "Vom 8. bis 19. Juli bin ich bei meiner Mutter und bitte um Zustimmung zur Ortsabwesenheit. ",
        "Meine Bankverbindung hat sich geändert, bitte überweisen Sie auf das neue Konto. ",
        "Bitte teilen Sie mir mit, wie weit mein Antrag auf Arbeitslosengeld bearbeitet ist. ",
        "Das Wetter war in den letzten Wochen wechselhaft, aber das wissen Sie sicher selbst. ",
        "Für Rückfragen bin ich vormittags telefonisch zu erreichen, am besten zwischen neun und zwölf. ",
};

static GBytes *make_mail(unsigned n)
{
	GString *mail = g_string_new(NULL);
	g_string_printf(mail,
	        "From: Kundin %u <k%u@example.org>\r\nTo: servicecenter@example.org\r\nSubject: Mitteilung "
	        "%u\r\n"
	        "Message-ID: <%u@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	        "charset=utf-8\r\n"
	        "Content-Transfer-Encoding: 8bit\r\n\r\n",
	        n, n, n, n);
	for (unsigned i = n + 1; mail->len < BYTES; i = i * 1103515245u + 12345u)
		g_string_append(mail, sentences[(i >> 16) % G_N_ELEMENTS(sentences)]);
	return g_string_free_to_bytes(mail);
}

static void take_batch(struct bench *b, const struct mailbox_lease *lease, unsigned n)
{
	GError *error = NULL;
	struct intake_entry entries[BATCH] = {0};
	for (unsigned i = 0; i < n; i++) {
		struct item *item = item_new();
		gsize size;
		item->channel = CHANNEL_EMAIL;
		item->source = g_strdup("bench");
		item->mailbox = g_strdup("INBOX");
		item->key = g_strdup_printf("%u", b->keys);
		item->received = berlin_instant(day_from_civil(2024, 6, 3), 9);
		item->raw = make_mail(b->keys++);
		const void *data = g_bytes_get_data(item->raw, &size);
		hash_hex(data, size, item->sha256);
		item->fields = json_object();
		entries[i].item = item;
	}
	struct intake_batch batch = {.entries = entries, .n_entries = n, .seen = n};
	bench_must(journal_take_in(b->journal, lease, &batch, &error), &error);
	for (unsigned i = 0; i < n; i++)
		item_free(entries[i].item);
}

static void take_in(struct bench *b)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(b->journal, "bench", "INBOX", INSTANT_DAY, &error);
	bench_must(lease != NULL, &error);
	for (unsigned done = 0; done < b->mails; done += BATCH)
		take_batch(b, lease, MIN((unsigned)BATCH, b->mails - done));
	bench_must(journal_release_mailbox(b->journal, lease, &error), &error);
}

static void seal_rest(struct bench *b, struct witness *witness)
{
	GError *error = NULL;
	const struct seal_options seal = {.signer = b->signer, .witness = witness};
	struct seal_result result;
	bench_must(journal_seal(b->journal, &seal, &result, &error), &error);
}

static gpointer sequencer(gpointer data)
{
	struct bench *b = data;
	GError *error = NULL;
	struct journal_options options = b->options;
	options.migrate = false;
	AUTO(journal) journal = journal_open(&options, &error);
	const struct witness_settings settings = {.place = "bench_seal.witness"};
	AUTO(witness) witness = witness_new(&settings, &error);
	bench_must(journal && witness, &error);
	const struct seal_options seal = {.signer = b->signer, .witness = witness};
	while (!g_atomic_int_get(&b->stop)) {
		struct seal_result result;
		if (g_atomic_int_get(&b->sealing))
			bench_must(journal_seal(journal, &seal, &result, &error), &error);
		for (int i = 0; i < 20 && !g_atomic_int_get(&b->stop); i++)
			g_usleep(G_USEC_PER_SEC / 20);
	}
	return NULL;
}

static double cpu_now(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static struct cost round_of(struct bench *b, bool sealing)
{
	GError *error = NULL;
	struct route_counts counts = {0};
	take_in(b);
	seal_rest(b, NULL);
	g_atomic_int_set(&b->sealing, sealing);
	double cpu = cpu_now();
	int64_t began = g_get_monotonic_time();
	bench_must(route_round(b->route, instant_now(), &counts, &error), &error);
	double wall = (double)(g_get_monotonic_time() - began);
	g_atomic_int_set(&b->sealing, 0);
	if (sealing) /* what is left of its records is its own cost, too */
		seal_rest(b, NULL);
	cpu = cpu_now() - cpu;
	bench_must(counts.decided == b->mails, NULL);
	return (struct cost){wall / b->mails, cpu / b->mails};
}

static void measure(struct bench *b, unsigned rounds)
{
	double wall[2][MOST_ROUNDS], cpu[2][MOST_ROUNDS];
	round_of(b, false); /* warms up */
	for (unsigned r = 0; r < 2 * rounds; r++) {
		struct cost cost = round_of(b, r % 2);
		wall[r % 2][r / 2] = cost.wall;
		cpu[r % 2][r / 2] = cost.cpu;
	}
	double off = bench_median(wall[0], rounds), on = bench_median(wall[1], rounds);
	printf("routing alone      %8.0f mails a second\n", 1e6 / off);
	printf("with a sequencer   %8.0f mails a second: %+.1f %% (goal: at most -5 %%)\n", 1e6 / on,
	        100 * (off - on) / on);
	if (b->options.db.dialect != DB_SQLITE)
		return;
	off = bench_median(cpu[0], rounds);
	on = bench_median(cpu[1], rounds);
	printf("processor time     %8.1f us a mail alone, %.1f us with: sealing is %.1f %% of it\n", off, on,
	        100 * (on - off) / off);
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	if (argc < 2)
		return 64;
	mail_setup();
	const char *postgres = getenv("TEST_POSTGRES");
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	struct bench b = {.mails = argc > 2 ? MAX((unsigned)strtoul(argv[2], NULL, 10), 1) : 1500,
	        .options = {.db = {.dialect = postgres ? DB_POSTGRES : DB_SQLITE,
	                            .path = "bench_seal.db",
	                            .conninfo = postgres,
	                            .busy_ms = 60000},
	                .pseudonym_key = key,
	                .migrate = true}};
	unsigned rounds = argc > 3 ? CLAMP((unsigned)strtoul(argv[3], NULL, 10), 1, MOST_ROUNDS) : 7;
	struct bundle *bundle = bundle_read(argv[1], &error);
	bench_must(bundle != NULL, &error);
	AUTO(journal) journal = b.journal = journal_open(&b.options, &error);
	bench_must(journal != NULL, &error);
	AUTO(pipeline) pipeline = pipeline_open(bundle, &error);
	bench_must(pipeline && pipeline_activate(pipeline, journal, &error), &error);
	AUTO(pipeline_active) active = pipeline_active_new();
	const struct limits limits = {.batch = BATCH, .lease = 300};
	const struct route_options options = {.active = active, .limits = &limits};
	AUTO(route) route = b.route = route_new(&options, journal, &error);
	AUTO(pipeline) loaded = pipeline_active_get(active, journal, &error);
	AUTO(log_signer) signer = b.signer = log_signer_generate("bench", &error);
	bench_must(route && loaded && signer, &error);
	GThread *thread = g_thread_new("sequencer", sequencer, &b);
	measure(&b, rounds);
	g_atomic_int_set(&b.stop, 1);
	g_thread_join(thread);
	return 0;
}
