/* bench_classify - what classifying a message of 2 KB costs on one core, and what ten times the terms add.
 *
 *     bench_classify BUNDLE LABELS                     LABELS: the training messages or any other labelled
 * ones
 *
 * The messages are the labelled ones, one after the other, cut into bodies of 2 KB. Each figure is processor
 * time of this thread, the least of several rounds over all messages: preparation with cues; and terms; and
 * speech acts and model; and the whole of analyse() with evidence and marks. The tenfold set has the shipped
 * patterns and nine times as many phrases of two words that stand somewhere in the messages.
 */
#include "classifiers/analyse_internal.h"
#include "classifiers/train_labels.h"
#include "core/date.h"
#include "core/hash.h"
#include "core/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 12, SIZE = 2048, LARGE = 32 * 1024, TIMES = 10 };

static void stop(const char *why)
{
	fprintf(stderr, "bench_classify: %s\n", why);
	exit(70);
}

/* -- messages -- */

static size_t cut_at(const char *text, size_t size)
{
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* `all` in messages of `size` bytes, at most `max`. */
static GPtrArray *make_messages(const GString *all, size_t size, unsigned max)
{
	GPtrArray *messages = g_ptr_array_new_with_free_func((GDestroyNotify)message_free);
	for (size_t at = 0; at + size < all->len && messages->len < max;) {
		size_t n = cut_at(all->str + at, size);
		struct message *message = message_new();
		message->channel = CHANNEL_POSTBOX;
		message->received = berlin_instant(day_from_civil(2024, 6, 3), 9);
		message->subject = g_strdup("Mitteilung");
		message->text = g_strndup(all->str + at, n);
		message->reply_text = g_strdup(message->text);
		g_ptr_array_add(messages, message);
		at += n;
	}
	return messages;
}

static GString *read_texts(const struct bundle *bundle, const char *path)
{
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	AUTO(labels) labels = labels_read(path, catalogue, &error);
	if (!labels)
		stop(error->message);
	GString *all = g_string_new(NULL);
	for (guint i = 0; i < labels->messages->len; i++) {
		const struct labelled *labelled = g_ptr_array_index(labels->messages, i);
		if (labelled->message->text)
			g_string_append_printf(all, "%s\n\n", labelled->message->text);
	}
	return all;
}

/* -- the tenfold set -- */

static void pack(GString *body, const char *path, const char *text, gsize size)
{
	g_string_append_printf(body, "%s\n%" G_GSIZE_FORMAT "\n", path, size);
	g_string_append_len(body, text, (gssize)size);
}

static bool plain(const char *word)
{
	size_t n = strlen(word);
	return n >= 3 && n <= 30 && strspn(word, "abcdefghijklmnopqrstuvwxyz") == n;
}

/* One more term of `count` phrases. */
static GString *phrases(const GString *all, unsigned count)
{
	g_autofree char *folded = fold_string(all->str);
	g_auto(GStrv) words = g_strsplit_set(folded, " \n.,;:!?()\"/-", -1);
	unsigned n = g_strv_length(words), seed = 7;
	GString *yaml =
	        g_string_new("version: 1\nconcern: sonstiges\nterms:\n  - id: bench\n    any: [xbenchx");
	for (unsigned made = 0; made < count;) {
		seed = seed * 1103515245u + 12345u;
		const char *first = words[(seed >> 8) % n];
		seed = seed * 1103515245u + 12345u;
		const char *second = words[(seed >> 8) % n];
		if (!plain(first) || !plain(second))
			continue;
		g_string_append_printf(yaml, ", \"%s %s\"", first, second);
		made++;
	}
	g_string_append(yaml, "]\n    weight: 0\n");
	return yaml;
}

/* The bundle and `yaml` as terms_zbench.yaml; "" leaves it as it is. */
static struct bundle *bundle_with(const struct bundle *bundle, const GString *yaml)
{
	g_autoptr(GString) body = g_string_new(NULL);
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "", "");
	const char *own = "classifiers/terms_zbench.yaml";
	bool put = false;
	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);
		gsize size;
		const char *data = g_bytes_get_data(bundle_get(bundle, path), &size);
		if (!put && strcmp(path, own) > 0) {
			pack(body, own, yaml->str, yaml->len);
			put = true;
		}
		pack(body, path, data, size);
	}
	char hash[HASH_HEX_SIZE];
	hash_hex(body->str, body->len, hash);
	g_autoptr(GString) packed = g_string_new(NULL);
	g_string_append_printf(packed, "posteingang-bundle-1\n%s\n", hash);
	g_string_append_len(packed, body->str, (gssize)body->len);
	g_autoptr(GBytes) whole = g_bytes_new(packed->str, packed->len);
	g_autoptr(GError) error = NULL;
	struct bundle *out = bundle_unpack(whole, &error);
	if (!out)
		stop(error->message);
	return out;
}

/* -- measuring -- */

enum depth { PREPARE, TERMS, MODEL, WHOLE, DEPTHS };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void go(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, enum depth depth)
{
	if (depth == WHOLE) {
		findings_free(analyse(analyser, scratch, message));
		return;
	}
	prepare_message(&scratch->prepared, message);
	if (depth >= TERMS)
		terms_match(analyser->terms, scratch->terms, &scratch->prepared, &scratch->matches);
	if (depth >= MODEL) {
		const struct reading reading = analyse_reading(analyser, scratch);
		speech_read(&scratch->speech, &scratch->prepared, &scratch->matches);
		model_reader_score(scratch->model, &reading, &scratch->scores);
	}
}

/* µs a message to that depth. */
static void measure(const struct analyser *analyser, const GPtrArray *messages, double out[DEPTHS])
{
	AUTO(analyser_scratch) scratch = analyser_scratch_new(analyser);
	for (int round = 0; round < ROUNDS; round++) {
		for (int depth = 0; depth < DEPTHS; depth++) {
			double began = now();
			for (guint i = 0; i < messages->len; i++)
				go(analyser, scratch, g_ptr_array_index(messages, i), (enum depth)depth);
			double each = (now() - began) / messages->len;
			if (round == 0 || each < out[depth])
				out[depth] = each;
		}
	}
}

static struct analyser *load(const struct bundle *bundle)
{
	AUTO(diag) diag = diag_new();
	struct analyser *analyser = analyser_load(bundle, diag);
	if (!analyser)
		stop("the bundle does not load");
	return analyser;
}

static void print(const char *title, const struct analyser *analyser, const double us[DEPTHS])
{
	printf("%s, %u patterns\n", title, terms_patterns(analyser->terms));
	printf("  preparation and cues   %8.1f us\n", us[PREPARE]);
	printf("  terms                  %8.1f us\n", us[TERMS] - us[PREPARE]);
	printf("  speech acts and model  %8.1f us\n", us[MODEL] - us[TERMS]);
	printf("  together               %8.1f us\n", us[MODEL]);
	printf("  with evidence, marks   %8.1f us\n", us[WHOLE]);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 64;
	mail_setup();
	g_autoptr(GError) error = NULL;
	AUTO(bundle) bundle = bundle_read(argv[1], &error);
	if (!bundle)
		stop(error->message);
	g_autoptr(GString) all = read_texts(bundle, argv[2]);
	g_autoptr(GPtrArray) messages = make_messages(all, SIZE, 1000);
	g_autoptr(GPtrArray) large = make_messages(all, LARGE, 60);
	AUTO(analyser) analyser = load(bundle);
	double us[DEPTHS] = {0}, whole[DEPTHS] = {0}, tenfold[DEPTHS] = {0};
	measure(analyser, messages, us);
	measure(analyser, large, whole);
	g_autoptr(GString) yaml = phrases(all, (TIMES - 1) * terms_patterns(analyser->terms));
	AUTO(bundle) more = bundle_with(bundle, yaml);
	AUTO(analyser) many = load(more);
	measure(many, messages, tenfold);
	printf("%u messages of %d bytes, processor time of one core, least of %d rounds\n", messages->len,
	        SIZE, ROUNDS);
	print("2 KB", analyser, us);
	printf("2 KB to scores: %.1f us (goal 150)\n", us[MODEL]);
	print("32 KB, read whole", analyser, whole);
	print("2 KB, ten times the terms", many, tenfold);
	printf("ten times the terms: %.2f times the time (goal 1.5)\n", tenfold[MODEL] / us[MODEL]);
	return 0;
}
