/* prepare.c - builds folded text, sentences, tokens and the word stream of one message.
 *
 * Everything later stages need is in arrays that keep their memory from message to message. */
#include "classifiers/prepare.h"
#include "classifiers/analyse.h"
#include "classifiers/sentence.h"
#include "core/mail.h"

#include <string.h>

#define MAX_WORD 60 /* bytes of a word that count */

void prepared_init(struct prepared *prepared)
{
	*prepared = (struct prepared){0};
	folded_init(&prepared->folded);
	prepared->sentences = g_array_new(FALSE, FALSE, sizeof(struct sentence));
	prepared->tokens = g_array_new(FALSE, FALSE, sizeof(struct token));
	prepared->cues = g_array_new(FALSE, FALSE, sizeof(struct cue));
	prepared->stream = g_string_sized_new(4096);
}

void prepared_clear(struct prepared *prepared)
{
	folded_clear(&prepared->folded);
	if (!prepared->tokens)
		return;
	g_array_unref(prepared->sentences);
	g_array_unref(prepared->tokens);
	g_array_unref(prepared->cues);
	g_string_free(prepared->stream, TRUE);
	*prepared = (struct prepared){0};
}

static void prepared_reset(struct prepared *prepared)
{
	folded_reset(&prepared->folded);
	g_array_set_size(prepared->sentences, 0);
	g_array_set_size(prepared->tokens, 0);
	g_array_set_size(prepared->cues, 0);
	g_string_truncate(prepared->stream, 0);
	prepared->truncated = false;
}

uint64_t prepare_hash(const char *bytes, size_t size)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return h;
}

/* State of the walk over one field. Tokens and stream are written into room made beforehand. */
struct walk {
	struct prepared *prepared;
	const char *source; /* the field */
	enum field field;
	int32_t today;
	size_t at, end, line_start;
	struct sentence sentence;
	struct token *tokens;
	uint32_t token_count;
	char *stream;
	size_t stream_size;
};

/* Every token is a byte of text at least; it puts its word and a blank into the stream, its sentence a blank
 * and a line end. */
static void walk_begin(struct walk *walk)
{
	struct prepared *prepared = walk->prepared;
	size_t bytes = walk->end - walk->at + 1;
	walk->token_count = prepared->tokens->len;
	walk->stream_size = prepared->stream->len;
	g_array_set_size(prepared->tokens, walk->token_count + (guint)MIN(bytes, PREPARE_MAX_TOKENS + 1));
	g_string_set_size(prepared->stream, walk->stream_size + bytes * (CUE_MAX_WORD + 3));
	walk->tokens = (struct token *)(void *)prepared->tokens->data;
	walk->stream = prepared->stream->str;
}

static void walk_end(struct walk *walk)
{
	g_array_set_size(walk->prepared->tokens, walk->token_count);
	g_string_set_size(walk->prepared->stream, walk->stream_size);
}

static void token_put(
        struct walk *walk, const struct token *shape, const char *word, size_t size, uint64_t hash)
{
	struct token *token = &walk->tokens[walk->token_count++];
	*token = *shape;
	token->stream = (uint32_t)walk->stream_size;
	token->stream_length = (uint16_t)size;
	token->hash = hash;
	memcpy(walk->stream + walk->stream_size, word, size);
	walk->stream_size += size;
	walk->stream[walk->stream_size++] = ' ';
}

static void sentence_begin(struct walk *walk)
{
	walk->sentence = (struct sentence){.field = walk->field,
	        .first = walk->token_count,
	        .start = (uint32_t)walk->at,
	        .end = (uint32_t)walk->at};
	walk->stream[walk->stream_size++] = ' ';
}

static void sentence_finish(struct walk *walk, bool question)
{
	struct prepared *prepared = walk->prepared;
	walk->sentence.count = walk->token_count - walk->sentence.first;
	walk->sentence.end = (uint32_t)walk->at;
	walk->sentence.question = question;
	if (walk->sentence.count && prepared->sentences->len < PREPARE_MAX_SENTENCES) {
		g_array_append_val(prepared->sentences, walk->sentence);
		walk->stream[walk->stream_size++] = '\n';
	} else {
		prepared->truncated = prepared->truncated || walk->sentence.count;
		walk->stream_size--;
	}
	sentence_begin(walk);
}

/* Does the next word start with a capital letter in the source? */
static bool upper_next(const struct walk *walk)
{
	const struct folded *folded = &walk->prepared->folded;
	size_t i = walk->at + 1;
	while (i < walk->end && !fold_is_word(folded->text->str[i]) && i - walk->at < 6)
		i++;
	if (i >= walk->end)
		return true;
	const char *p = walk->source + g_array_index(folded->origin, uint32_t, i);
	gunichar c = g_utf8_get_char_validated(p, -1);
	return c < 0x110000 && g_unichar_isupper(c);
}

static bool take_cue(struct walk *walk)
{
	struct prepared *prepared = walk->prepared;
	struct cue cue;
	if (!cue_at(prepared->folded.text->str, walk->end, walk->at, walk->today, &cue) ||
	        walk->at + cue.length > walk->end)
		return false;
	struct token token = {.start = cue.start,
	        .length = cue.length,
	        .cue = (uint16_t)cue.kind,
	        .cue_index = prepared->cues->len};
	g_array_append_val(prepared->cues, cue);
	const char *word = cue_word(cue.kind);
	size_t size = strlen(word);
	token_put(walk, &token, word, size, prepare_hash(word, size));
	walk->at += cue.length;
	return true;
}

static void take_word(struct walk *walk)
{
	const char *text = walk->prepared->folded.text->str;
	size_t begin = walk->at, end = begin;
	while (end < walk->end && fold_is_word(text[end]))
		end++;
	bool may_be_cue = !fold_is_letter(text[begin]) || cue_word_may_begin(text, walk->end, begin, end);
	if (may_be_cue && take_cue(walk))
		return;
	struct token token = {.start = (uint32_t)begin, .length = (uint32_t)(end - begin)};
	size_t size = MIN(end - begin, MAX_WORD);
	token_put(walk, &token, text + begin, size, prepare_hash(text + begin, size));
	walk->at = end;
}

static void take_mark(struct walk *walk)
{
	struct sentence_reader in = {walk->prepared->folded.text->str, walk->end};
	char c = in.text[walk->at];
	bool upper = (c == '.' || c == '\n') && upper_next(walk);
	enum sentence_end end = sentence_end_at(&in, walk->at, upper, walk->at - walk->line_start);
	walk->at++;
	if (c == '\n')
		walk->line_start = walk->at;
	if (end != SENTENCE_GOES_ON)
		sentence_finish(walk, end == SENTENCE_ENDS_AS_QUESTION);
}

static void walk_text(struct walk *walk)
{
	const char *text = walk->prepared->folded.text->str;
	walk_begin(walk);
	sentence_begin(walk);
	while (walk->at < walk->end && walk->token_count < PREPARE_MAX_TOKENS) {
		char c = text[walk->at];
		if (c == ' ')
			walk->at++;
		else if (fold_is_word(c))
			take_word(walk);
		else
			take_mark(walk);
	}
	walk->prepared->truncated = walk->prepared->truncated || walk->at < walk->end;
	sentence_finish(walk, false);
	walk_end(walk);
}

/* Longest prefix of at most `max` bytes that does not cut a character. */
static uint32_t bounded(const char *text, size_t size, size_t max)
{
	if (size <= max)
		return (uint32_t)size;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return (uint32_t)max;
}

/* Returns how many bytes were the writer's own. */
static size_t fold_own_words(struct prepared *prepared, const char *text, uint32_t size)
{
	bool quoted;
	size_t own = 0;
	g_autoptr(GArray) spans = reply_spans(text, size, &quoted);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		fold_append(&prepared->folded, text, span->offset, span->length);
		fold_break(&prepared->folded, span->offset + span->length);
		own += span->length + 1;
	}
	return own;
}

/* Nothing was cut when the message was decoded: the text is the writer's own from end to end. */
static bool all_own_words(const struct message *message)
{
	return !message->quoted && message->reply_text && message->text &&
	       strcmp(message->text, message->reply_text) == 0;
}

/* `own`: the writer's own words, where quoted history stands beside them; NULL: all of it is. */
static void prepare_field(
        struct prepared *prepared, enum field field, const char *text, const char *own, int32_t today)
{
	prepared->begin[field] = (uint32_t)prepared->folded.text->len;
	if (text && *text) {
		size_t size = strlen(text);
		uint32_t length = bounded(text, size, ANALYSE_MAX_TEXT);
		size_t read = length;
		if (own)
			read = fold_own_words(prepared, text, length);
		else
			fold_append(&prepared->folded, text, 0, length);
		prepared->truncated =
		        prepared->truncated || (length < size && read < (own ? strlen(own) : size));
		fold_break(&prepared->folded, length);
		struct walk walk = {.prepared = prepared,
		        .source = text,
		        .field = field,
		        .today = today,
		        .at = prepared->begin[field],
		        .end = prepared->folded.text->len,
		        .line_start = prepared->begin[field]};
		walk_text(&walk);
	}
	prepared->begin[field + 1] = (uint32_t)prepared->folded.text->len;
}

void prepare_message(struct prepared *prepared, const struct message *message)
{
	int32_t today = berlin_day(message->received);
	prepared_reset(prepared);
	prepare_field(prepared, FIELD_SUBJECT, message->subject, NULL, today);
	const char *own = message->reply_text ? message->reply_text : message->text;
	prepare_field(prepared, FIELD_BODY, message->text, all_own_words(message) ? NULL : own, today);
	prepare_field(prepared, FIELD_FORM, message->form ? message->form->text : NULL, NULL, today);
}

static bool in_word(const struct prepared *prepared, size_t offset)
{
	char c = prepared->stream->str[offset];
	return c != ' ' && c != '\n';
}

uint32_t prepared_token_at(const struct prepared *prepared, size_t offset, uint32_t near)
{
	const struct token *tokens = prepared_token(prepared, 0);
	uint32_t n = prepared->tokens->len, at = MIN(near, n - 1);
	while (at > 0 && tokens[at].stream > offset)
		at--;
	while (at + 1 < n && tokens[at + 1].stream <= offset)
		at++;
	bool begins = prepared->stream->str[offset] == ' ' && (offset == 0 || !in_word(prepared, offset - 1));
	return begins && tokens[at].stream < offset ? at + 1 : at;
}

struct place prepared_place(const struct prepared *prepared, uint32_t first, uint32_t last)
{
	const struct token *a = prepared_token(prepared, first), *b = prepared_token(prepared, last);
	struct place place = {FIELD_SUBJECT, 0, 0};
	while (place.field + 1 < FIELD_COUNT && a->start >= prepared->begin[place.field + 1])
		place.field++;
	const uint32_t *origin = (const uint32_t *)(const void *)prepared->folded.origin->data;
	uint32_t from = origin[a->start], to = origin[b->start + b->length];
	/* what vanished in folding behind the last letter is not part of the word */
	uint32_t last_byte = origin[b->start + b->length - 1];
	place.offset = from;
	place.length = to > from ? to - from : last_byte + 1 - from;
	return place;
}

const char *field_name(enum field field)
{
	static const char *const names[FIELD_COUNT] = {"subject", "body", "form.text"};
	return names[field];
}
