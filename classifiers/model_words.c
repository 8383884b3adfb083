/* model_words.c - an open-addressing table of words; texts and rows stand in two growing arrays. */
#include "classifiers/model_words.h"

#include <string.h>

#define SLOTS     16384 /* a power of two */
#define MAX_WORDS (SLOTS * 3 / 4)
#define ZONES     2

struct word {
	uint64_t hash;
	uint32_t text, rows; /* offsets */
	uint8_t size, count;
	bool used, cue;
};

struct model_words {
	const struct concern_model *model;
	struct word slots[SLOTS];
	unsigned used;
	GByteArray *texts;
	GArray *rows; /* of int32_t */
};

struct model_words *model_words_new(const struct concern_model *model)
{
	struct model_words *words = g_new0(struct model_words, 1);
	words->model = model;
	words->texts = g_byte_array_new();
	words->rows = g_array_new(FALSE, FALSE, sizeof(int32_t));
	return words;
}

void model_words_free(struct model_words *words)
{
	if (!words)
		return;
	g_byte_array_unref(words->texts);
	g_array_unref(words->rows);
	g_free(words);
}

static void start_anew(struct model_words *words)
{
	memset(words->slots, 0, sizeof words->slots);
	words->used = 0;
	g_byte_array_set_size(words->texts, 0);
	g_array_set_size(words->rows, 0);
}

/* The word's slot, or the free one where it belongs. */
static struct word *find(struct model_words *words, const char *text, const struct token *token)
{
	bool cue = token->cue != CUE_NONE;
	for (size_t at = token->hash & (SLOTS - 1);; at = (at + 1) & (SLOTS - 1)) {
		struct word *word = &words->slots[at];
		if (!word->used)
			return word;
		if (word->hash == token->hash && word->size == token->stream_length && word->cue == cue &&
		        memcmp(words->texts->data + word->text, text, word->size) == 0)
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
	g_array_append_val(words->rows, row);
	word->count++;
}

static void fill(struct model_words *words, struct word *word, const char *text, const struct token *token)
{
	*word = (struct word){.hash = token->hash,
	        .text = words->texts->len,
	        .rows = words->rows->len,
	        .size = (uint8_t)token->stream_length,
	        .used = true,
	        .cue = token->cue != CUE_NONE};
	g_byte_array_append(words->texts, (const guint8 *)text, token->stream_length);
	for (unsigned zone = ZONE_SUBJECT; zone <= ZONE_BODY; zone++) {
		int32_t row = row_of(words, FEATURE_ZONE_WORD, feature_mix(zone, token->hash));
		g_array_append_val(words->rows, row);
	}
	add_row(words, word, row_of(words, FEATURE_WORD, token->hash));
	uint64_t pieces[FEATURE_PIECES];
	unsigned n = word->cue ? 0 : word_pieces(text, token->stream_length, pieces);
	for (unsigned i = 0; i < n; i++)
		add_row(words, word, row_of(words, FEATURE_PIECE, pieces[i]));
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
	const int32_t *rows = &g_array_index(words->rows, int32_t, word->rows);
	return (struct word_rows){rows, rows + ZONES, word->count};
}
