/* prepare.h - a message made ready: the writer's own words of subject, body and form text, folded, cut into
 * sentences and tokens, with the cues found and the way back to bytes of the original field.
 *
 * One `struct prepared` is reused for all messages of a thread. */
#ifndef CLASSIFIERS_PREPARE_H
#define CLASSIFIERS_PREPARE_H

#include "classifiers/cue.h"
#include "classifiers/fold.h"
#include "core/item.h"

#define PREPARE_MAX_TOKENS    20000
#define PREPARE_MAX_SENTENCES 4000

enum field { FIELD_SUBJECT, FIELD_BODY, FIELD_FORM, FIELD_COUNT };

struct token {
	uint32_t start, length; /* in the folded text; of a cue: the whole of it */
	uint32_t stream;        /* offset of its word in `stream` */
	uint16_t stream_length;
	uint16_t cue; /* enum cue_kind */
	uint32_t cue_index;
	uint64_t hash; /* of its word */
};

struct sentence {
	enum field field;
	uint32_t first, count; /* tokens */
	uint32_t start, end;   /* folded text */
	bool question;         /* ends with a question mark */
};

struct prepared {
	struct folded folded;
	GArray *sentences;               /* of struct sentence */
	GArray *tokens;                  /* of struct token */
	GArray *cues;                    /* of struct cue */
	GString *stream;                 /* " word word \n word \n": what terms are matched in */
	uint32_t begin[FIELD_COUNT + 1]; /* folded bytes of field f are begin[f] … begin[f + 1] - 1 */
	bool truncated;                  /* own words that were not read: doubt */
};

void prepared_init(struct prepared *prepared);
void prepared_clear(struct prepared *prepared);

void prepare_message(struct prepared *prepared, const struct message *message);

/* Where tokens first … last of the message stand in the original: field and bytes. */
struct place {
	enum field field;
	uint32_t offset, length;
};
struct place prepared_place(const struct prepared *prepared, uint32_t first, uint32_t last);

/* The token that a byte of the stream belongs to or follows; a blank that begins a sentence belongs to the
 * word behind it (the number of tokens if there is none). There must be a token. Fastest if `near` is close.
 */
uint32_t prepared_token_at(const struct prepared *prepared, size_t offset, uint32_t near);

/* Name of a field in evidence: "body" or "html", depending on where the text came from. */
const char *field_name(enum field field);

static inline const struct token *prepared_token(const struct prepared *prepared, uint32_t index)
{
	return &g_array_index(prepared->tokens, struct token, index);
}

static inline const struct sentence *prepared_sentence(const struct prepared *prepared, uint32_t index)
{
	return &g_array_index(prepared->sentences, struct sentence, index);
}

/* Are two sentences neighbours of one field? `before` may be UINT32_MAX: none. */
static inline bool prepared_joins(const struct prepared *prepared, uint32_t before, uint32_t sentence)
{
	return before != UINT32_MAX && before + 1 == sentence &&
	       prepared_sentence(prepared, before)->field == prepared_sentence(prepared, sentence)->field;
}

/* 64-bit hash of bytes that is the same on every machine. */
uint64_t prepare_hash(const char *bytes, size_t size);

#endif
