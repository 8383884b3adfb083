/* bench_route - the routing path on one core, beside the floor it stands on, in one run over the same mails;
 * and on two.
 *
 *     bench_route BUNDLE [MAILS [BYTES]]                 default 4000 mails of about 10240 bytes
 *
 * Path: claim → decode → findings → facts → decision → commit, SQLite with synchronous=FULL, batches of 100,
 * log records included. Floor: parsing and decoding with gmime alone, one pass of the matcher over the same
 * text with the bundle's own patterns as literals, the model's pass over its n-grams, and storing rows of the
 * same sizes without any logic. Prints µs a mail, by the clock and of processor time (which holds beside
 * other work, but says nothing of waiting for the disk), and the ratios; then two workers on one journal
 * beside one, and the most memory they held. Works in the current folder.
 */
#include "classifiers/model.h"
#include "classifiers/route.h"
#include "core/date.h"
#include "core/mail.h"
#include "journal/sources.h"

#include <gmime/gmime.h>
#include <hs.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 100 };

static void stop(const GError *error)
{
	fprintf(stderr, "bench_route: %s\n", error ? error->message : "failed");
	exit(70);
}
#define must(ok, error) ((ok) ? (void)0 : stop(error))

static const char *const sentences[] = {
        "Guten Tag, ich bin umgezogen und wohne jetzt im Lindenweg 12 in 50667 Köln.",
        "Vom 8. bis 19. Juli bin ich bei meiner Mutter und bitte um Zustimmung zur Ortsabwesenheit.",
        "Meine Bankverbindung hat sich geändert, bitte überweisen Sie auf das neue Konto.",
        "Ich habe eine neue Stelle gefunden und fange am 1. August als Verkäuferin an.",
        "Bitte teilen Sie mir mit, wie weit mein Antrag auf Arbeitslosengeld bearbeitet ist.",
        "Mein Vertrag läuft zum 30. September aus, daher melde ich mich arbeitsuchend.",
        "Anbei schicke ich Ihnen die Arbeitsunfähigkeitsbescheinigung meines Hausarztes.",
        "Seit Mai arbeite ich samstags in einem Café und verdiene dort 280 Euro im Monat.",
        "Das Wetter war in den letzten Wochen wechselhaft, aber das wissen Sie sicher selbst.",
        "Für Rückfragen bin ich vormittags telefonisch zu erreichen, am besten zwischen neun und zwölf.",
        "Ich danke Ihnen für die freundliche Auskunft am Telefon und die schnelle Hilfe.",
        "Der Termin in der vergangenen Woche hat mir sehr geholfen, die Unterlagen habe ich jetzt beisammen.",
};

static void add_text(GString *out, unsigned seed, size_t size, const char *end)
{
	for (unsigned i = seed; out->len < size; i = i * 1103515245u + 12345u) {
		g_string_append(out, sentences[(i >> 16) % G_N_ELEMENTS(sentences)]);
		g_string_append(out, end);
	}
}

/* Text and HTML of the same length, as clients send them. */
static GBytes *make_mail(unsigned n, size_t bytes)
{
	g_autoptr(GString) plain = g_string_new(NULL), html = g_string_new("<html><body><p>");
	add_text(plain, n + 1, bytes * 2 / 5, n % 3 ? "\r\n" : " ");
	add_text(html, n + 1, bytes * 2 / 5, "<br>\r\n");
	return g_bytes_new_take(
	        g_strdup_printf(
	                "Return-Path: <k%u@example.org>\r\nFrom: Kundin %u <k%u@example.org>\r\n"
	                "To: servicecenter@example.org\r\nSubject: Mitteilung %u\r\n"
	                "Message-ID: <%u@example.org>\r\nMIME-Version: 1.0\r\n"
	                "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
	                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	                "%s\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n"
	                "Content-Transfer-Encoding: 8bit\r\n\r\n%s</p></body></html>\r\n--b--\r\n",
	                n, n, n, n, n, plain->str, html->str),
	        plain->len + html->len + 520);
}

/* µs by the clock and of this thread's processor. */
struct cost {
	double clock, processor;
};

struct bench {
	GPtrArray *mails; /* of GBytes */
	unsigned count;   /* of them, also when they are gone */
	struct bundle *bundle;
	struct cost decode, match, model, store, path; /* a mail */
	double two;                                    /* µs a mail by the clock, two workers */
	double memory;                                 /* MiB a worker, beside the compiled patterns */
	unsigned patterns;
};

static double microseconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct cost now(void)
{
	return (struct cost){microseconds(CLOCK_MONOTONIC), microseconds(CLOCK_THREAD_CPUTIME_ID)};
}

/* Adds what went by since `began`, shared out over the mails. */
static void add_cost(const struct bench *b, struct cost *cost, struct cost began)
{
	struct cost ended = now();
	cost->clock += (ended.clock - began.clock) / b->count;
	cost->processor += (ended.processor - began.processor) / b->count;
}

/* --- the floor --- */

static void decode_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
	(void)parent;
	if (!GMIME_IS_PART(part))
		return;
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, stream);
	*(gint64 *)data += g_mime_stream_length(stream);
	g_object_unref(stream);
}

static void floor_decode(struct bench *b)
{
	struct cost began = now();
	gint64 bytes = 0;
	for (guint i = 0; i < b->mails->len; i++) {
		gsize size;
		const char *raw = g_bytes_get_data(b->mails->pdata[i], &size);
		GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw, size);
		GMimeParser *parser = g_mime_parser_new_with_stream(stream);
		GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
		g_mime_message_foreach(message, decode_part, &bytes);
		g_object_unref(message);
		g_object_unref(parser);
		g_object_unref(stream);
	}
	add_cost(b, &b->decode, began);
}

static int count_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *data)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	++*(uint64_t *)data;
	return 0;
}

static hs_database_t *literals_of(const struct terms *terms, unsigned *n)
{
	unsigned all = terms_patterns(terms);
	g_autofree const char **texts = g_new0(const char *, all);
	g_autofree size_t *sizes = g_new0(size_t, all);
	g_autofree unsigned *flags = g_new0(unsigned, all), *ids = g_new0(unsigned, all);
	for (unsigned i = 0; i < all; i++) {
		const char *text = terms_pattern_text(terms, i);
		if (!text || strlen(text) < 3)
			continue;
		texts[*n] = text;
		sizes[*n] = strlen(text);
		ids[*n] = i;
		++*n;
	}
	hs_database_t *database = NULL;
	hs_compile_error_t *problem = NULL;
	if (hs_compile_lit_multi(texts, flags, ids, sizes, *n, HS_MODE_BLOCK, NULL, &database, &problem) !=
	        HS_SUCCESS)
		stop(NULL);
	return database;
}

/* Texts are prepared outside the clock: the floor is the pass alone. */
static void floor_classify(struct bench *b)
{
	AUTO(diag) diag = diag_new();
	AUTO(terms) terms = terms_load(b->bundle, NULL, diag);
	GError *error = NULL;
	struct concern_model *model = concern_model_load(
	        bundle_get(b->bundle, "classifiers/concerns.model"), "concerns.model", &error);
	must(terms && model, error);
	hs_database_t *database = literals_of(terms, &b->patterns);
	hs_scratch_t *matcher = NULL;
	must(hs_alloc_scratch(database, &matcher) == HS_SUCCESS, NULL);
	AUTO(terms_scratch) scratch = terms_scratch_new(terms);
	AUTO(model_reader) scoring = model_reader_new(model, terms);
	struct prepared prepared;
	struct term_matches matches;
	struct speech speech;
	struct model_scores scores;
	const struct reading reading = {&prepared, terms, &matches, &speech};
	uint64_t hits = 0;
	prepared_init(&prepared);
	term_matches_init(&matches);
	speech_init(&speech, terms);
	for (guint i = 0; i < b->mails->len; i++) {
		AUTO(message) message = mail_decode(b->mails->pdata[i], NULL);
		prepare_message(&prepared, message);
		terms_match(terms, scratch, &prepared, &matches);
		speech_read(&speech, &prepared, &matches);
		struct cost began = now();
		hs_scan(database, prepared.stream->str, (unsigned)prepared.stream->len, 0, matcher, count_hit,
		        &hits);
		add_cost(b, &b->match, began);
		began = now();
		model_reader_score(scoring, &reading, &scores);
		add_cost(b, &b->model, began);
	}
	speech_clear(&speech);
	term_matches_clear(&matches);
	prepared_clear(&prepared);
	concern_model_free(model);
	hs_free_scratch(matcher);
	hs_free_database(database);
}

static int64_t number_of(struct db *db, const char *sql)
{
	AUTO(db_rows) rows = db_query(db, sql, NULL, 0, NULL);
	return rows && db_rows_count(rows) ? db_rows_int(rows, 0, 0) : 0;
}

/* One kind of row: how many of them a mail, and how large, as the path has left them in its journal. */
struct shape {
	double each;
	int64_t size;
};

static void store_shape(struct db *db, const struct shape *shape, unsigned mail, const char *filler)
{
	unsigned from = (unsigned)(mail * shape->each), to = (unsigned)((mail + BATCH) * shape->each);
	unsigned n = to - from;
	g_autofree struct db_value *args = g_new0(struct db_value, 3 * (n + 1));
	for (unsigned i = 0; i < n; i++) {
		args[3 * i] = db_int(mail + i);
		args[3 * i + 1] = db_int((int64_t)(mail + i) * 7919 % 1000003);
		args[3 * i + 2] = db_blob(filler, (size_t)shape->size);
	}
	GError *error = NULL;
	must(n == 0 || db_exec_many(db, "INSERT INTO bare (mail, at, data) VALUES ($1, $2, $3)", args, 3, n,
	                       NULL, &error),
	        error);
}

static void floor_store(struct bench *b, struct db *path)
{
	static const char *const counts[] = {"decision", "delivery", "task", "record"};
	static const char *const sizes[] = {"SELECT CAST(avg(length(decision) + length(findings) + "
	                                    "length(facts)) AS integer) FROM decision",
	        "SELECT CAST(avg(length(params) + length(key)) AS integer) FROM delivery",
	        "SELECT CAST(avg(coalesce(length(text), 0) + coalesce(length(params), 0)) AS integer) FROM "
	        "task",
	        "SELECT CAST(avg(length(body)) AS integer) FROM record WHERE id > "
	        "(SELECT count(*) FROM item)"};
	struct shape shapes[G_N_ELEMENTS(counts)];
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", counts[i]);
		int64_t n = number_of(path, sql);
		if (strcmp(counts[i], "record") == 0)
			n -= b->count; /* those of taking in */
		shapes[i] = (struct shape){(double)n / b->count, number_of(path, sizes[i])};
	}
	const struct db_options options = {.dialect = DB_SQLITE, .path = "bench_floor.db"};
	GError *error = NULL;
	struct db *db = db_open(&options, &error);
	must(db && db_script(db,
	                   "CREATE TABLE bare (id integer PRIMARY KEY, mail bigint, at bigint, data blob);"
	                   "CREATE INDEX bare_at ON bare (at)",
	                   &error),
	        error);
	g_autofree char *filler = g_malloc0(1 << 20);
	struct cost began = now();
	for (unsigned mail = 0; mail < b->count; mail += BATCH) {
		must(db_begin(db, &error), error);
		for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
			store_shape(db, &shapes[i], mail, filler);
		must(db_commit(db, &error), error);
	}
	add_cost(b, &b->store, began);
	db_close(db);
}

/* --- the path --- */

static void take_in(struct bench *b, struct journal *journal)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "bench", "INBOX", INSTANT_DAY, &error);
	must(lease, error);
	int64_t received = berlin_instant(day_from_civil(2024, 6, 3), 9);
	for (guint from = 0; from < b->mails->len; from += BATCH) {
		struct intake_entry entries[BATCH] = {0};
		unsigned n = MIN((unsigned)BATCH, b->mails->len - from);
		for (unsigned i = 0; i < n; i++) {
			struct item *item = item_new();
			gsize size;
			const void *data = g_bytes_get_data(b->mails->pdata[from + i], &size);
			item->channel = CHANNEL_EMAIL;
			item->source = g_strdup("bench");
			item->mailbox = g_strdup("INBOX");
			item->key = g_strdup_printf("%u", from + i);
			item->received = received;
			item->raw = g_bytes_ref(b->mails->pdata[from + i]);
			hash_hex(data, size, item->sha256);
			item->fields = json_object();
			entries[i].item = item;
		}
		struct intake_batch batch = {.entries = entries, .n_entries = n, .seen = n};
		must(journal_take_in(journal, lease, &batch, &error), error);
		for (unsigned i = 0; i < n; i++)
			item_free(entries[i].item);
	}
}

static struct journal *open_journal(const char *path)
{
	static const char key[] = "0123456789abcdef";
	g_autoptr(GBytes) bytes = g_bytes_new_static(key, 16);
	const struct journal_options options = {
	        .db = {.dialect = DB_SQLITE, .path = path}, .pseudonym_key = bytes, .migrate = true};
	GError *error = NULL;
	struct journal *journal = journal_open(&options, &error);
	must(journal, error);
	return journal;
}

/* One worker: a journal handle and a route of its own. */
struct worker {
	const char *path;
	struct pipeline_active *active;
	struct route_counts counts;
	struct cost began, ended;
};

static void *work(void *data)
{
	struct worker *worker = data;
	GError *error = NULL;
	const struct limits limits = {.batch = BATCH, .lease = 300};
	const struct route_options options = {.active = worker->active, .limits = &limits};
	AUTO(journal) journal = open_journal(worker->path);
	AUTO(route) route = route_new(&options, journal, &error);
	AUTO(pipeline) loaded = pipeline_active_get(worker->active, journal, &error);
	must(route && loaded, error);
	worker->began = now();
	must(route_round(route, instant_now(), &worker->counts, &error), error);
	worker->ended = now();
	return NULL;
}

/* Most memory of the process since it was last asked to forget, MiB; 0 where the system does not say. */
static double peak_memory(void)
{
	g_autofree char *text = NULL;
	const char *line =
	        g_file_get_contents("/proc/self/status", &text, NULL, NULL) ? strstr(text, "VmHWM:") : NULL;
	return line ? (double)g_ascii_strtoull(line + 6, NULL, 10) / 1024 : 0;
}

static void forget_peak(void)
{
	malloc_trim(0);
	FILE *file = fopen("/proc/self/clear_refs", "w");
	if (file) {
		fputs("5", file);
		fclose(file);
	}
}

/* Workers on the journal until nothing is left; the clock from the first to begin to the last to end. */
static struct cost run_workers(
        const struct bench *b, const char *path, struct pipeline_active *active, unsigned n)
{
	struct worker workers[2] = {{0}};
	GThread *threads[2];
	int64_t decided = 0;
	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){.path = path, .active = active};
		threads[i] = g_thread_new("worker", work, &workers[i]);
	}
	struct cost cost = {0};
	double began = 0, ended = 0;
	for (unsigned i = 0; i < n; i++) {
		g_thread_join(threads[i]);
		decided += workers[i].counts.decided;
		began = i == 0 ? workers[i].began.clock : MIN(began, workers[i].began.clock);
		ended = MAX(ended, workers[i].ended.clock);
		cost.processor += (workers[i].ended.processor - workers[i].began.processor) / b->count;
	}
	must(decided == b->count, NULL);
	cost.clock = (ended - began) / b->count;
	return cost;
}

/* One worker on the first journal, two on the second; the bundle is loaded once for all. */
static void run_paths(struct bench *b, struct journal *one, struct journal *two)
{
	GError *error = NULL;
	AUTO(pipeline) pipeline = pipeline_open(b->bundle, &error);
	b->bundle = NULL;
	must(pipeline && pipeline_activate(pipeline, one, &error) && pipeline_activate(pipeline, two, &error),
	        error);
	AUTO(pipeline_active) active = pipeline_active_new();
	AUTO(pipeline) loaded = pipeline_active_get(active, one, &error);
	must(loaded, error);
	double patterns = (double)analyser_patterns_size(pipeline_analyser(loaded)) / 1048576;
	g_clear_pointer(&pipeline, pipeline_free);
	b->path = run_workers(b, "bench_route.db", active, 1);
	forget_peak();
	b->two = run_workers(b, "bench_two.db", active, 2).clock;
	b->memory = (peak_memory() - patterns) / 2;
}

static void print_cost(const char *title, struct cost cost)
{
	printf("  %-24s %8.1f us %8.1f us\n", title, cost.clock, cost.processor);
}

static void print(const struct bench *b)
{
	struct cost floor = {b->decode.clock + b->match.clock + b->model.clock + b->store.clock,
	        b->decode.processor + b->match.processor + b->model.processor + b->store.processor};
	printf("%u mails, %u patterns, SQLite synchronous=FULL, batches of %d; by the clock, processor "
	       "time\n",
	        b->count, b->patterns, BATCH);
	print_cost("floor: parse and decode", b->decode);
	print_cost("floor: one matcher pass", b->match);
	print_cost("floor: model's n-grams", b->model);
	print_cost("floor: bare store", b->store);
	print_cost("floor", floor);
	print_cost("routing path, one core", b->path);
	printf("  %.0f mails a second\n", 1e6 / b->path.clock);
	printf("ratio path/floor %.2f by the clock, %.2f of processor time (goal 1.5)\n",
	        b->path.clock / floor.clock, b->path.processor / floor.processor);
	printf("two workers: %.0f mails a second, %.2f times one (goal 2)\n", 1e6 / b->two,
	        b->path.clock / b->two);
	printf("memory: %.1f MiB a worker beside the compiled patterns (goal 64)\n", b->memory);
}

int main(int argc, char **argv)
{
	static const char *const files[] = {"bench_route.db", "bench_two.db", "bench_floor.db"};
	GError *error = NULL;
	struct bench b = {.mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
	if (argc < 2)
		return 64;
	mallopt(M_MXFAST, 0); /* as the command does */
	mail_setup();
	b.count = argc > 2 ? (unsigned)atoi(argv[2]) : 4000;
	size_t bytes = argc > 3 ? (size_t)atoi(argv[3]) : 10240;
	for (unsigned i = 0; i < b.count; i++)
		g_ptr_array_add(b.mails, make_mail(i, bytes));
	b.bundle = bundle_read(argv[1], &error);
	must(b.bundle, error);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		unlink(files[i]);
	AUTO(journal) one = open_journal("bench_route.db");
	AUTO(journal) two = open_journal("bench_two.db");
	floor_decode(&b);
	floor_classify(&b);
	take_in(&b, one);
	take_in(&b, two);
	g_ptr_array_unref(b.mails);
	run_paths(&b, one, two);
	floor_store(&b, journal_db(one));
	print(&b);
	return 0;
}
