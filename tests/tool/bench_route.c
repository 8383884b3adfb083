/* bench_route - the routing path on one core, beside the floor it stands on, in one run over the same mails.
 *
 *     bench_route BUNDLE [MAILS [BYTES]]                 default 4000 mails of about 10240 bytes
 *
 * Path: claim → decode → findings → facts → decision → commit, SQLite with synchronous=FULL, batches of 100,
 * log records included. Floor: parsing and decoding with gmime alone, one pass of the matcher over the same
 * text with the bundle's own patterns as literals, the model's pass over its n-grams, and storing rows of the
 * same sizes without any logic. Prints µs a mail and the ratio. Works in the current folder.
 */
#include "classifiers/model.h"
#include "classifiers/route.h"
#include "core/date.h"
#include "core/mail.h"
#include "journal/sources.h"

#include <gmime/gmime.h>
#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

struct bench {
	GPtrArray *mails; /* of GBytes */
	struct bundle *bundle;
	double decode, match, model, store, path; /* µs a mail */
	unsigned patterns;
};

static double per_mail(const struct bench *b, int64_t began)
{
	return (double)(g_get_monotonic_time() - began) / b->mails->len;
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
	gint64 bytes = 0, began = g_get_monotonic_time();
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
	b->decode = per_mail(b, began);
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
	int64_t match = 0, score = 0;
	prepared_init(&prepared);
	term_matches_init(&matches);
	speech_init(&speech, terms);
	for (guint i = 0; i < b->mails->len; i++) {
		AUTO(message) message = mail_decode(b->mails->pdata[i], NULL);
		prepare_message(&prepared, message);
		terms_match(terms, scratch, &prepared, &matches);
		speech_read(&speech, &prepared, &matches);
		int64_t began = g_get_monotonic_time();
		hs_scan(database, prepared.stream->str, (unsigned)prepared.stream->len, 0, matcher, count_hit,
		        &hits);
		int64_t matched = g_get_monotonic_time();
		model_reader_score(scoring, &reading, &scores);
		score += g_get_monotonic_time() - matched;
		match += matched - began;
	}
	b->match = (double)match / b->mails->len;
	b->model = (double)score / b->mails->len;
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
			n -= b->mails->len; /* those of taking in */
		shapes[i] = (struct shape){(double)n / b->mails->len, number_of(path, sizes[i])};
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
	int64_t began = g_get_monotonic_time();
	for (unsigned mail = 0; mail < b->mails->len; mail += BATCH) {
		must(db_begin(db, &error), error);
		for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
			store_shape(db, &shapes[i], mail, filler);
		must(db_commit(db, &error), error);
	}
	b->store = per_mail(b, began);
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

static void run_path(struct bench *b, struct journal *journal)
{
	GError *error = NULL;
	AUTO(pipeline) pipeline = pipeline_open(b->bundle, &error);
	b->bundle = NULL;
	must(pipeline && pipeline_activate(pipeline, journal, &error), error);
	AUTO(pipeline_active) active = pipeline_active_new();
	const struct limits limits = {.batch = BATCH, .lease = 300};
	const struct route_options options = {.active = active, .limits = &limits};
	AUTO(route) route = route_new(&options, journal, &error);
	AUTO(pipeline) loaded = pipeline_active_get(active, journal, &error);
	must(route && loaded, error);
	struct route_counts counts = {0};
	int64_t began = g_get_monotonic_time();
	must(route_round(route, instant_now(), &counts, &error), error);
	b->path = per_mail(b, began);
	must(counts.decided == b->mails->len, NULL);
}

static void print(const struct bench *b)
{
	double floor = b->decode + b->match + b->model + b->store;
	printf("%u mails, %u patterns, one core, SQLite synchronous=FULL, batches of %d\n", b->mails->len,
	        b->patterns, BATCH);
	printf("  floor: parse and decode %8.1f us\n", b->decode);
	printf("  floor: one matcher pass %8.1f us\n", b->match);
	printf("  floor: model's n-grams  %8.1f us\n", b->model);
	printf("  floor: bare store       %8.1f us\n", b->store);
	printf("  floor                   %8.1f us   %8.0f a second\n", floor, 1e6 / floor);
	printf("  routing path            %8.1f us   %8.0f a second\n", b->path, 1e6 / b->path);
	printf("ratio path/floor %.2f (goal 1.5)\n", b->path / floor);
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	struct bench b = {.mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
	if (argc < 2)
		return 64;
	mail_setup();
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 4000;
	size_t bytes = argc > 3 ? (size_t)atoi(argv[3]) : 10240;
	for (unsigned i = 0; i < n; i++)
		g_ptr_array_add(b.mails, make_mail(i, bytes));
	b.bundle = bundle_read(argv[1], &error);
	must(b.bundle, error);
	unlink("bench_route.db");
	unlink("bench_floor.db");
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	const struct journal_options options = {.db = {.dialect = DB_SQLITE, .path = "bench_route.db"},
	        .pseudonym_key = key,
	        .migrate = true};
	AUTO(journal) journal = journal_open(&options, &error);
	must(journal, error);
	floor_decode(&b);
	floor_classify(&b);
	take_in(&b, journal);
	run_path(&b, journal);
	floor_store(&b, journal_db(journal));
	print(&b);
	g_ptr_array_unref(b.mails);
	return 0;
}
