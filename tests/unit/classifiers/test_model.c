/* The model file and its integer arithmetic; combination; training on a handful of messages. */
#include "classifier_support.h"
#include "classifiers/analyse_internal.h"
#include "classifiers/combine.h"
#include "classifiers/evaluate.h"
#include "classifiers/train.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

#define GOLDEN_COUNT 93u
#define GOLDEN_SUM   UINT64_C(9669293997427394571)

Test(model, the_logistic_curve_is_bounded_rising_and_even)
{
	int last = -1;
	for (int z = -60000; z <= 60000; z += 7) {
		int p = model_probability(z);
		cr_assert_geq(p, last);
		cr_assert_geq(p, 0);
		cr_assert_leq(p, SCORE_MAX);
		cr_assert_eq(p + model_probability(-z), SCORE_MAX);
		last = p;
	}
	cr_assert_eq(model_probability(0), 500000);
	cr_assert_eq(model_probability(INT32_MIN), 0);
	cr_assert_eq(model_probability(INT32_MAX), 1000000);
}

Test(model, values_of_counts_are_the_same_numbers_everywhere)
{
	cr_assert_eq(model_value(0), 0);
	cr_assert_eq(model_value(1), 256);
	cr_assert_eq(model_value(2), 433);
	cr_assert_eq(model_value(3), 537);
	cr_assert_eq(model_value(255), model_value(60000));
}

static GBytes *tiny_model(void)
{
	static char *const names[] = {"umzug", "sonstiges"};
	static const uint32_t keys[] = {7, 900, 70000};
	static const int16_t weights[] = {512, -512, 1024, 0, -3, 9};
	static const int32_t bias[] = {100, -100};
	static const int32_t second[] = {5, 4096, 0, 0, 0, 0, 0, 4096, 0, 0};
	const struct model_parts parts = {.outputs = 2,
	        .keys = 3,
	        .documents = 9,
	        .names = names,
	        .key = keys,
	        .weight = weights,
	        .bias = bias,
	        .second = second,
	        .training = "abc"};
	return concern_model_write(&parts);
}

Test(model, a_written_model_reads_back_the_same)
{
	g_autoptr(GBytes) bytes = tiny_model();
	AUTO(concern_model) model = concern_model_load(bytes, "x", NULL);
	cr_assert_not_null(model);
	cr_assert_eq(concern_model_outputs(model), 2);
	cr_assert_str_eq(concern_model_output(model, 1), "sonstiges");
	cr_assert_eq(concern_model_row(model, 900), 1);
	cr_assert_eq(concern_model_row(model, 901), -1);
	cr_assert_str_eq(concern_model_training(model), "abc");
}

Test(model, a_vector_is_scored_by_weight_over_length)
{
	g_autoptr(GBytes) bytes = tiny_model();
	AUTO(concern_model) model = concern_model_load(bytes, "x", NULL);
	g_autoptr(GArray) features = g_array_new(FALSE, FALSE, sizeof(struct feature));
	struct feature one = {.hash = 7, .count = 1};
	int32_t z[2];
	g_array_append_val(features, one);
	concern_model_score_vector(model, features, z);
	cr_assert_eq(z[0], 1100, "a single feature has length 1: its weight and the bias");
	cr_assert_eq(z[1], -1100);
	one.hash = 12345;
	g_array_append_val(features, one);
	concern_model_score_vector(model, features, z);
	cr_assert_eq(z[0], 1100, "a feature without weight does not count");
}

Test(model, any_cut_and_any_wrong_header_is_refused)
{
	g_autoptr(GBytes) bytes = tiny_model();
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	for (gsize n = 0; n < size; n++) {
		g_autoptr(GBytes) cut = g_bytes_new(data, n);
		g_autoptr(GError) error = NULL;
		cr_assert_null(concern_model_load(cut, "x", &error));
		cr_assert_not_null(error);
	}
	for (gsize i = 0; i < size - 80; i++) { /* a changed byte is refused or read, never a crash */
		g_autofree char *changed = g_memdup2(data, size);
		changed[i] = (char)(changed[i] ^ 0x15);
		g_autoptr(GBytes) other = g_bytes_new(changed, size);
		AUTO(concern_model) model = concern_model_load(other, "x", NULL);
	}
}

/* Golden numbers: whatever the compiler, its optimisation or the machine, the same text has the same
 * features. They change only with FEATURES_VERSION. */
Test(model, a_fixed_text_has_the_same_features_on_every_build)
{
	AUTO(bundle)
	bundle = small_bundle("version: 1\nclasses:\n  ill: [krank*]\n  act_negation: [nicht]\n", NULL, NULL);
	AUTO(diag) diag = diag_new();
	AUTO(terms) terms = terms_load(bundle, NULL, diag);
	AUTO(terms_scratch) scratch = terms_scratch_new(terms);
	AUTO(message)
	message = text_message(
	        "Krank", "Ich bin nicht krank, sondern ab 3.2. in der Görresstr. 17, 53113 Bonn. Ja?");
	struct prepared prepared;
	struct term_matches matches;
	struct speech speech;
	prepared_init(&prepared);
	term_matches_init(&matches);
	speech_init(&speech, terms);
	prepare_message(&prepared, message);
	terms_match(terms, scratch, &prepared, &matches);
	speech_read(&speech, &prepared, &matches);
	g_autoptr(GArray) features = g_array_new(FALSE, FALSE, sizeof(struct feature));
	const struct reading reading = {&prepared, terms, &matches, &speech};
	features_extract(&reading, features);
	uint64_t sum = 0;
	for (guint i = 0; i < features->len; i++)
		sum = sum * 31 + g_array_index(features, struct feature, i).hash;
	cr_assert_eq(prepared.sentences->len, 3);
	cr_assert_eq(features->len, GOLDEN_COUNT, "%u features", features->len);
	cr_assert_eq(sum, GOLDEN_SUM, "sum %" G_GUINT64_FORMAT, sum);
	prepared_clear(&prepared);
	term_matches_clear(&matches);
	speech_clear(&speech);
}

/* -- the reader against plain arithmetic -- */

static void add_plain(GHashTable *counts, int32_t row, unsigned count)
{
	gpointer key = GINT_TO_POINTER(row);
	g_hash_table_insert(
	        counts, key, GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + count));
}

/* The features of sentences [from, to] as one vector: each row once, with its count. */
static void add_vector(const GArray *features, uint32_t from, uint32_t to, const struct concern_model *model,
        GHashTable *counts)
{
	for (guint i = 0; i < features->len; i++) {
		const struct feature *feature = &g_array_index(features, struct feature, i);
		int32_t row = concern_model_row(model, feature->hash);
		if (row >= 0 && feature->sentence >= from && feature->sentence <= to)
			add_plain(counts, row, feature->count);
	}
}

static void score_counts(
        const struct concern_model *model, const GArray *keys, GHashTable *counts, int32_t *out)
{
	GHashTableIter iter;
	gpointer row, count;
	g_autoptr(GArray) vector = g_array_new(FALSE, FALSE, sizeof(struct feature));
	g_hash_table_iter_init(&iter, counts);
	while (g_hash_table_iter_next(&iter, &row, &count)) {
		struct feature feature = {.hash = g_array_index(keys, uint32_t, GPOINTER_TO_INT(row)),
		        .count = (uint16_t)GPOINTER_TO_UINT(count)};
		g_array_append_val(vector, feature);
	}
	concern_model_score_vector(model, vector, out);
}

/* hash of each row, by asking for all hashes that the text has */
static GArray *keys_of(const struct concern_model *model, const GArray *features)
{
	GArray *keys = g_array_new(FALSE, TRUE, sizeof(uint32_t));
	g_array_set_size(keys, concern_model_keys(model));
	for (guint i = 0; i < features->len; i++) {
		uint32_t hash = g_array_index(features, struct feature, i).hash;
		int32_t row = concern_model_row(model, hash);
		if (row >= 0)
			g_array_index(keys, uint32_t, row) = hash;
	}
	return keys;
}

static void assert_plain_document(
        const struct concern_model *model, const GArray *features, const struct model_scores *scores)
{
	int32_t plain[MODEL_MAX_OUTPUTS];
	g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) keys = keys_of(model, features);
	add_vector(features, 0, UINT32_MAX, model, counts);
	score_counts(model, keys, counts, plain);
	for (unsigned o = 0; o < concern_model_outputs(model); o++)
		cr_assert_eq(plain[o], scores->document[o], "output %u", o);
}

/* The best sentence scores what it scores alone or with the one before it. */
static void assert_plain_sentence(
        const struct concern_model *model, const GArray *features, const struct model_scores *scores)
{
	g_autoptr(GArray) keys = keys_of(model, features);
	for (unsigned o = 0; o < concern_model_outputs(model); o++) {
		int32_t alone[MODEL_MAX_OUTPUTS];
		g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
		add_vector(features, scores->best[o], scores->best[o], model, counts);
		score_counts(model, keys, counts, alone);
		cr_assert_geq(scores->sentence[o], alone[o], "output %u", o);
		cr_assert(scores->best[o] > 0 || scores->sentence[o] == alone[o], "output %u", o);
	}
}

/* Scores as the reader gives them, from the list, and by plain arithmetic: all the same. */
static void assert_same_scores(struct analyser *analyser, struct analyser_scratch *scratch,
        struct model_scratch *sums, const struct message *message)
{
	struct model_scores read, listed;
	const struct reading reading = analyse_reading(analyser, scratch);
	if (!analyse_features(analyser, scratch, message))
		return;
	model_reader_score(scratch->model, &reading, &read);
	concern_model_score(analyser->model, sums, &scratch->prepared, scratch->features, &listed);
	cr_assert_arr_eq(&read, &listed, sizeof read, "%s", message->text);
	assert_plain_document(analyser->model, scratch->features, &read);
	assert_plain_sentence(analyser->model, scratch->features, &read);
}

Test(model, reading_a_message_scores_the_same_as_listing_its_features)
{
	AUTO(bundle) bundle = shipped_bundle();
	AUTO(diag) diag = diag_new();
	AUTO(analyser) analyser = analyser_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	cr_assert_not_null(analyser);
	AUTO(labels) labels = labels_read(SOURCE_DIR "/config/training", analyser->catalogue, &error);
	cr_assert_not_null(labels, "%s", error ? error->message : "");
	AUTO(analyser_scratch) scratch = analyser_scratch_new(analyser);
	struct model_scratch *sums = model_scratch_new(analyser->model);
	for (guint i = 0; i < labels->messages->len; i += 3) {
		const struct labelled *labelled = g_ptr_array_index(labels->messages, i);
		assert_same_scores(analyser, scratch, sums, labelled->message);
	}
	model_scratch_free(sums);
}

/* Words beyond number: the table of words starts anew more than once. Sentences that come again and again:
 * the message is put right for rows that came in hundreds of them. */
Test(model, a_flood_of_words_and_of_repeats_scores_the_same)
{
	AUTO(bundle) bundle = shipped_bundle();
	AUTO(diag) diag = diag_new();
	AUTO(analyser) analyser = analyser_load(bundle, diag);
	AUTO(analyser_scratch) scratch = analyser_scratch_new(analyser);
	struct model_scratch *sums = model_scratch_new(analyser->model);
	unsigned seed = 1;
	for (int round = 0; round < 12; round++) {
		g_autoptr(GString) text = g_string_new(NULL);
		while (text->len < 30000) {
			seed = seed * 1103515245u + 12345u;
			g_string_append_printf(text,
			        round % 2 ? "w%xq ich bin u%x. " : "Ich bin krank. Ich bin umgezogen. ",
			        seed >> 8, seed >> 12);
		}
		AUTO(message) message = text_message("Betreff", text->str);
		assert_same_scores(analyser, scratch, sums, message);
	}
	model_scratch_free(sums);
}

static struct combination *combination_of(const char *yaml, struct diag *diag)
{
	AUTO(bundle) bundle = small_bundle(NULL, NULL, yaml);
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	g_autoptr(GBytes) bytes = tiny_model();
	AUTO(concern_model) model = concern_model_load(bytes, "x", NULL);
	return combination_load(bundle, catalogue, model, diag);
}

#define TWO                                                                                                  \
	"version: 1\nfallback: sonstiges\nconcerns:\n"                                                       \
	"  umzug: {accept: 600000, lower: 300000}\n  arbeitsaufnahme: {accept: 600000, lower: 300000, "      \
	"risk: 40000}\n"                                                                                     \
	"  sonstiges: {accept: 500000, lower: 300000}\n"

static struct verdict verdict_of(const char *yaml, int32_t umzug, int32_t sonstiges, const int *points)
{
	AUTO(diag) diag = diag_new();
	AUTO(combination) c = combination_of(yaml, diag);
	cr_assert_not_null(c);
	struct model_scores scores = {.final = {umzug, sonstiges}};
	struct verdict verdict;
	combine(c, &scores, points, &verdict);
	verdict.reason = verdict.reason ? g_intern_string(verdict.reason) : NULL;
	return verdict;
}

Test(combine, above_accept_is_found_and_sure)
{
	struct verdict v = verdict_of(TWO, 4000, -4000, NULL);
	cr_assert(v.found[0] && !v.found[1] && !v.found[2]);
	cr_assert(v.doubt, "arbeitsaufnahme reaches its risk without a model's output");
	cr_assert_str_eq(v.reason, "payment_risk");
}

Test(combine, below_all_thresholds_is_doubt_with_candidates)
{
	struct verdict v = verdict_of(TWO, 0, -4000, NULL);
	cr_assert(v.doubt);
	cr_assert_str_eq(v.reason, "below_threshold");
	cr_assert(v.found[0], "0.5 lies above the lower threshold");
	cr_assert_not(v.found[2]);
}

Test(combine, the_fallback_stands_alone)
{
	struct verdict v = verdict_of(TWO, 2000, 4000, NULL);
	cr_assert(v.found[2] && !v.found[0]);
}

Test(combine, slips_are_told)
{
	static const struct {
		const char *yaml, *message;
	} slips[] = {{"version: 1\n", "needs `concerns`"},
	        {"concerns:\n  nosuch: {}\n", "the catalogue has no concern \"nosuch\""},
	        {"concerns:\n  umzug: {accept: 100, lower: 200}\n", "lower lies above accept"},
	        {"concerns:\n  umzug: {accept: 2000000}\n", "combine.yaml:2:"},
	        {"concerns:\n  umzug: {}\nfallback: sonstiges\n", "fallback"},
	        {"concerns:\n  umzug: {}\nmailboxes: {x: mars}\n", "expected sgb3"}};
	for (size_t i = 0; i < G_N_ELEMENTS(slips); i++) {
		AUTO(diag) diag = diag_new();
		AUTO(combination) c = combination_of(slips[i].yaml, diag);
		g_autofree char *text = diag_text(diag);
		cr_assert_null(c, "taken: %s", slips[i].yaml);
		cr_assert_not_null(strstr(text, slips[i].message), "%s\nsaid: %s", slips[i].yaml, text);
	}
}

/* Two files of plain messages about three concerns. */
static char *tiny_corpus(void)
{
	static const char *const texts[][3] = {
	        {"umzug", "ich bin umgezogen neue adresse Weg", "wir wohnen jetzt in der Gasse"},
	        {"arbeitsunfaehigkeit", "ich bin krank bis Freitag", "krankgeschrieben vom Arzt"},
	        {"sonstiges", "bitte neuen Termin geben", "danke und frohes Fest"}};
	char *folder = g_dir_make_tmp("posteingang-train-XXXXXX", NULL);
	for (int f = 0; f < 2; f++) {
		g_autoptr(GString) lines = g_string_new(NULL);
		for (int i = 0; i < 60; i++)
			g_string_append_printf(lines,
			        "{\"id\":\"%c%d\",\"channel\":\"postbox\",\"received\":\"2024-01-%02d\","
			        "\"body\":\"%s %d\",\"concerns\":[\"%s\"]}\n",
			        'a' + f, i, 1 + i % 28, texts[i % 3][1 + (i / 3) % 2], i, texts[i % 3][0]);
		g_autofree char *name = g_strdup_printf("%c.jsonl", 'a' + f);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		cr_assert(g_file_set_contents(path, lines->str, -1, NULL));
	}
	return folder;
}

static void remove_corpus(const char *folder)
{
	for (int f = 0; f < 2; f++) {
		g_autofree char *name = g_strdup_printf("%s/%c.jsonl", folder, 'a' + f);
		g_remove(name);
	}
	g_rmdir(folder);
}

Test(train, the_same_messages_give_the_same_model_byte_for_byte_and_it_works)
{
	g_autofree char *folder = tiny_corpus();
	AUTO(bundle) bundle = small_bundle("version: 1\nclasses:\n  ill: [krank*, arzt]\n", NULL, NULL);
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	AUTO(labels) labels = labels_read(folder, catalogue, &error);
	cr_assert_not_null(labels, "%s", error ? error->message : "");
	struct train_options options = {0};
	struct trained a, b;
	cr_assert(train_run(bundle, labels, &options, &a, &error), "%s", error ? error->message : "");
	cr_assert(train_run(bundle, labels, &options, &b, &error));
	cr_assert(g_bytes_equal(a.model, b.model));
	AUTO(concern_model) model = concern_model_load(a.model, "trained", &error);
	cr_assert_not_null(model);
	cr_assert_str_eq(concern_model_training(model), labels->hash);
	struct evaluate_options how = {.cross_validate = true};
	AUTO(evaluation) evaluation = evaluate_run(bundle, labels, &how, &error);
	/* the small bundle has no rule sets: what matters here is only that it is told, or that it works */
	if (evaluation) {
		struct figures figures;
		evaluate_figures(evaluation, NULL, NULL, &figures);
		cr_assert_eq(figures.messages, 120);
		cr_assert_geq(counts_f1(&figures.all), 950);
	}
	trained_clear(&a);
	trained_clear(&b);
	remove_corpus(folder);
}

Test(labels, an_unknown_label_is_told_with_file_and_line)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("posteingang-XXXXXX.jsonl", &path, NULL);
	cr_assert_geq(fd, 0);
	cr_assert(g_file_set_contents(path,
	        "{\"id\":\"1\",\"channel\":\"email\",\"received\":\"2024-01-02\",\"body\":\"x\",\"concerns\":"
	        "[\"umzug\"]}\n"
	        "{\"id\":\"2\",\"channel\":\"email\",\"received\":\"2024-01-02\",\"body\":\"x\",\"concerns\":"
	        "[\"umzuk\"]}\n",
	        -1, NULL));
	AUTO(bundle) bundle = small_bundle(NULL, NULL, NULL);
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	g_autoptr(GError) error = NULL;
	cr_assert_null(labels_read(path, catalogue, &error));
	cr_assert_not_null(strstr(error->message, ":2: "), "%s", error->message);
	cr_assert_not_null(strstr(error->message, "umzuk"), "%s", error->message);
	g_remove(path);
	g_close(fd, NULL);
}
