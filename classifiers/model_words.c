/* model_words.c - an open-addressing table of words; rows and text of a word stand side by side in one array,
 * so that a word costs two lines of memory. */
#include "classifiers/model_words.h"

#include <string.h>

#define SLOTS     32768 /* a power of two */
#define MAX_WORDS (SLOTS * 3 / 4)
#define ZONES     2

struct word {
	uint64_t hash;
	uint32_t at; /* in `store`: rows by zone, rows, text */
	uint8_t size, count;
	bool used, cue;
};

struct model_words {
	const struct concern_model *model;
	struct word slots[SLOTS];
	unsigned used;
	GArray *store; /* of int32_t */
};

struct model_words *model_words_new(const struct concern_model *model)
{
	struct model_words *words = g_new0(struct model_words, 1);
	words->model = model;
	words->store = g_array_sized_new(FALSE, FALSE, sizeof(int32_t), 4096);
	return words;
}

void model_words_free(struct model_words *words)
{
	if (!words)
		return;
	g_array_unref(words->store);
	g_free(words);
}

static void start_anew(struct model_words *words)
{
	memset(words->slots, 0, sizeof words->slots);
	words->used = 0;
	g_array_set_size(words->store, 0);
}

static const int32_t *rows_of(const struct model_words *words, const struct word *word)
{
	return (const int32_t *)(const void *)words->store->data + word->at;
}

static size_t slot_of(const struct token *token)
{
	return token->hash & (SLOTS - 1);
}

/* The word's slot, or the free one where it belongs. */
static struct word *find(struct model_words *words, const char *text, const struct token *token)
{
	bool cue = token->cue != CUE_NONE;
	for (size_t at = slot_of(token);; at = (at + 1) & (SLOTS - 1)) {
		struct word *word = &words->slots[at];
		if (!word->used ||
		        (word->hash == token->hash && word->size == token->stream_length &&
		                word->cue == cue &&
		                memcmp(rows_of(words, word) + ZONES + word->count, text, word->size) == 0))
			return word;
	}
}

static int32_t row_of(const struct model_words *words, enum feature_kind kind, uint64_t value)
{
	return model_row(words->model, feature_hash(kind, value));
}

static void add_row(struct model_words *words, struct word *word, int32_t row)
{
	if (row < 0)
		return;
	g_array_append_val(words->store, row);
	word->count++;
}

static void add_text(struct model_words *words, const char *text, size_t size)
{
	guint at = words->store->len;
	g_array_set_size(words->store, at + (guint)(size + sizeof(int32_t) - 1) / sizeof(int32_t));
	memcpy(words->store->data + at * sizeof(int32_t), text, size);
}

static void fill(struct model_words *words, struct word *word, const char *text, const struct token *token)
{
	*word = (struct word){.hash = token->hash,
	        .at = words->store->len,
	        .size = (uint8_t)token->stream_length,
	        .used = true,
	        .cue = token->cue != CUE_NONE};
	for (unsigned zone = ZONE_SUBJECT; zone <= ZONE_BODY; zone++) {
		int32_t row = row_of(words, FEATURE_ZONE_WORD, feature_mix(zone, token->hash));
		g_array_append_val(words->store, row);
	}
	add_row(words, word, row_of(words, FEATURE_WORD, token->hash));
	uint64_t pieces[FEATURE_PIECES];
	unsigned n = word->cue ? 0 : word_pieces(text, token->stream_length, pieces);
	for (unsigned i = 0; i < n; i++)
		add_row(words, word, row_of(words, FEATURE_PIECE, pieces[i]));
	add_text(words, text, token->stream_length);
}

void model_words_expect(const struct model_words *words, const struct token *token)
{
	__builtin_prefetch(&words->slots[slot_of(token)]);
}

void model_words_expect_rows(const struct model_words *words, const struct token *token)
{
	__builtin_prefetch(rows_of(words, &words->slots[slot_of(token)]));
}

struct word_rows model_words_get(
        struct model_words *words, const struct prepared *prepared, const struct token *token)
{
	const char *text = prepared->stream->str + token->stream;
	struct word *word = find(words, text, token);
	if (!word->used) {
		if (words->used == MAX_WORDS) {
			start_anew(words);
			word = find(words, text, token);
		}
		fill(words, word, text, token);
		words->used++;
	}
	const int32_t *rows = rows_of(words, word);
	return (struct word_rows){rows, rows + ZONES, word->count};
}
