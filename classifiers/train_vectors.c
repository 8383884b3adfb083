/* train_vectors.c - labelled messages as sparse vectors over the features that stand in enough of them. */
#include "classifiers/train_internal.h"
#include "core/error.h"

#include <string.h>

static void name_outputs(struct corpus *corpus)
{
	const struct catalogue *catalogue = corpus->analyser->catalogue;
	const struct combination *c = corpus->analyser->combination;
	corpus->merged = corpus->split = -1;
	for (unsigned i = 0; i < c->count; i++) {
		unsigned o = corpus->outputs++;
		corpus->names[o] = g_strdup(c->concerns[i].id);
		corpus->bits[o] = UINT32_C(1) << catalogue_find(catalogue, c->concerns[i].id);
	}
	if (c->split_from >= 0 && c->split_into) {
		corpus->merged = c->split_from;
		corpus->split = (int)corpus->outputs++;
		corpus->names[corpus->split] = g_strdup(c->split_into);
		corpus->bits[corpus->split] = UINT32_C(1) << catalogue_find(catalogue, c->split_into);
	}
	corpus->third = (int)corpus->outputs++;
	corpus->names[corpus->third] = g_strdup("third_party");
	corpus->resolved = (int)corpus->outputs++;
	corpus->names[corpus->resolved] = g_strdup("resolved");
}

static int8_t concern_label(const struct corpus *corpus, const struct labelled *labelled, int output)
{
	uint32_t bits = corpus->bits[output];
	bool apart = g_array_index(corpus->labels->apart, bool, labelled->file);
	if (output == corpus->split) {
		uint32_t either = bits | corpus->bits[corpus->merged];
		if (!apart || (labelled->optional & either) || !(labelled->concerns & either))
			return -1;
		return (labelled->concerns & bits) != 0;
	}
	if (output == corpus->merged)
		bits |= corpus->split >= 0 ? corpus->bits[corpus->split] : 0;
	if (labelled->concerns & bits)
		return 1;
	return labelled->optional & bits ? -1 : 0;
}

static void label_messages(struct corpus *corpus)
{
	guint n = corpus->labels->messages->len;
	corpus->labels_of = g_new0(int8_t, (size_t)n * corpus->outputs);
	for (guint i = 0; i < n; i++) {
		const struct labelled *labelled = g_ptr_array_index(corpus->labels->messages, i);
		int8_t *row = corpus->labels_of + (size_t)i * corpus->outputs;
		for (int o = 0; o < (int)corpus->outputs; o++)
			row[o] = o == corpus->third      ? labelled->third_party
			         : o == corpus->resolved ? labelled->resolved
			                                 : concern_label(corpus, labelled, o);
	}
}

static gpointer as_key(uint32_t hash)
{
	return GUINT_TO_POINTER(hash);
}

/* How many messages each feature stands in: hash → count, and the last message counted + 1. */
static void count_features(GHashTable *counts, GHashTable *last, const GArray *features, guint message)
{
	for (guint i = 0; i < features->len; i++) {
		gpointer key = as_key(g_array_index(features, struct feature, i).hash);
		if (GPOINTER_TO_UINT(g_hash_table_lookup(last, key)) == message + 1)
			continue;
		g_hash_table_insert(last, key, GUINT_TO_POINTER(message + 1));
		g_hash_table_insert(counts, key,
		        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1));
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void choose_keys(struct corpus *corpus, GHashTable *counts)
{
	GHashTableIter iter;
	gpointer key, count;
	corpus->keys = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_hash_table_iter_init(&iter, counts);
	while (g_hash_table_iter_next(&iter, &key, &count)) {
		uint32_t hash = GPOINTER_TO_UINT(key);
		if (GPOINTER_TO_UINT(count) >= TRAIN_MIN_MESSAGES)
			g_array_append_val(corpus->keys, hash);
	}
	g_array_sort(corpus->keys, by_number);
}

static int32_t find_row(const struct corpus *corpus, uint32_t hash)
{
	guint low = 0, high = corpus->keys->len;
	while (low < high) {
		guint mid = (low + high) / 2;
		uint32_t key = g_array_index(corpus->keys, uint32_t, mid);
		if (key == hash)
			return (int32_t)mid;
		if (key < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static int by_row(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Entries of features[from … to), counts summed per row. */
static struct vector add_vector(
        struct corpus *corpus, const GArray *features, guint from, guint to, uint32_t owner)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct entry));
	for (guint i = from; i < to; i++) {
		const struct feature *feature = &g_array_index(features, struct feature, i);
		struct entry entry = {find_row(corpus, feature->hash), feature->count};
		if (entry.row >= 0)
			g_array_append_val(found, entry);
	}
	g_array_sort(found, by_row);
	struct vector vector = {corpus->entries->len, 0, owner};
	for (guint i = 0; i < found->len; i++) {
		const struct entry *entry = &g_array_index(found, struct entry, i);
		struct entry *last =
		        corpus->entries->len > vector.begin
		                ? &g_array_index(corpus->entries, struct entry, corpus->entries->len - 1)
		                : NULL;
		if (last && last->row == entry->row)
			last->count = (uint16_t)MIN(last->count + entry->count, 60000);
		else
			g_array_append_vals(corpus->entries, entry, 1);
	}
	vector.end = corpus->entries->len;
	return vector;
}

/* The windows of one message: each sentence, and each two neighbours of one field. */
static void add_windows(
        struct corpus *corpus, const struct prepared *prepared, const GArray *features, uint32_t owner)
{
	struct vector before = {0};
	uint32_t previous = UINT32_MAX;
	for (guint i = 0; i < features->len;) {
		uint32_t sentence = g_array_index(features, struct feature, i).sentence;
		guint end = i;
		while (end < features->len &&
		        g_array_index(features, struct feature, end).sentence == sentence)
			end++;
		struct vector vector = add_vector(corpus, features, i, end, owner);
		g_array_append_val(corpus->windows, vector);
		bool pair = previous != UINT32_MAX && previous + 1 == sentence &&
		            before.end == vector.begin &&
		            prepared_sentence(prepared, previous)->field ==
		                    prepared_sentence(prepared, sentence)->field;
		struct vector both = {before.begin, vector.end, owner};
		if (pair)
			g_array_append_val(corpus->windows, both);
		before = vector;
		previous = sentence;
		i = end;
	}
}

typedef void (*each_message)(
        struct corpus *corpus, struct analyser_scratch *scratch, guint index, void *data);

static void for_each(
        struct corpus *corpus, struct analyser_scratch *scratch, each_message function, void *data)
{
	for (guint i = 0; i < corpus->labels->messages->len; i++) {
		const struct labelled *labelled = g_ptr_array_index(corpus->labels->messages, i);
		analyse_features(corpus->analyser, scratch, labelled->message);
		function(corpus, scratch, i, data);
	}
}

static void count_message(struct corpus *corpus, struct analyser_scratch *scratch, guint index, void *data)
{
	(void)corpus;
	GHashTable **tables = data;
	count_features(tables[0], tables[1], scratch->features, index);
}

static void vector_message(struct corpus *corpus, struct analyser_scratch *scratch, guint index, void *data)
{
	(void)data;
	add_windows(corpus, &scratch->prepared, scratch->features, index);
	struct vector vector = add_vector(corpus, scratch->features, 0, scratch->features->len, index);
	g_array_append_val(corpus->messages, vector);
}

bool corpus_build(
        struct corpus *corpus, const struct bundle *bundle, const struct labels *labels, GError **error)
{
	*corpus = (struct corpus){.labels = labels};
	AUTO(diag) diag = diag_new();
	corpus->analyser = analyser_load_bare(bundle, diag);
	if (!corpus->analyser) {
		diag_ok(diag, error);
		return false;
	}
	name_outputs(corpus);
	if (corpus->outputs > MODEL_MAX_OUTPUTS) {
		fail(error, ERROR_CONFIG, "a model has at most %d outputs", MODEL_MAX_OUTPUTS);
		return false;
	}
	label_messages(corpus);
	g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) last = g_hash_table_new(NULL, NULL);
	GHashTable *tables[] = {counts, last};
	AUTO(analyser_scratch) scratch = analyser_scratch_new(corpus->analyser);
	for_each(corpus, scratch, count_message, tables);
	choose_keys(corpus, counts);
	corpus->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	corpus->messages = g_array_new(FALSE, FALSE, sizeof(struct vector));
	corpus->windows = g_array_new(FALSE, FALSE, sizeof(struct vector));
	for_each(corpus, scratch, vector_message, NULL);
	return true;
}

static void unref(GArray *array)
{
	if (array)
		g_array_unref(array);
}

void corpus_clear(struct corpus *corpus)
{
	analyser_free(corpus->analyser);
	for (unsigned i = 0; i < corpus->outputs; i++)
		g_free(corpus->names[i]);
	unref(corpus->keys);
	unref(corpus->entries);
	unref(corpus->messages);
	unref(corpus->windows);
	g_free(corpus->labels_of);
	*corpus = (struct corpus){0};
}
