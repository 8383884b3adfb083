/* cue_shape.h - the shapes of cues, one function each; internal to cue*.c. */
#ifndef CLASSIFIERS_CUE_SHAPE_H
#define CLASSIFIERS_CUE_SHAPE_H

#include "classifiers/cue.h"

struct cue_text {
	const char *text;
	size_t size, at;
	int32_t today;
};

/* A reading position that never leaves the text. */
static inline char cue_peek(const struct cue_text *in, size_t at)
{
	return at < in->size ? in->text[at] : '\n';
}

/* What stands for hidden places of an IBAN. */
static inline bool cue_mask(char c)
{
	return c == '*' || c == 'x' || c == '.' || c == '_';
}

/* A byte that a link or an address of mail may hold. */
bool cue_link_byte(char c);

/* Reads 1 to `max` digits at *at, moves behind them; -1 if there are none or more than `max`. */
int cue_digits(const struct cue_text *in, size_t *at, int max);
/* Skips up to `max` blanks. */
size_t cue_blanks(const struct cue_text *in, size_t at, int max);
/* The word at `at` is `word` (whole). */
bool cue_word_is(const struct cue_text *in, size_t at, const char *word);
bool cue_starts(const struct cue_text *in, size_t at, const char *prefix);

/* A date at `at`: sets the length; year 0 if not written; month 0 for a bare "3.". False if there is none. */
struct cue_date {
	int day, month, year;
	size_t length;
};
bool cue_read_date(const struct cue_text *in, size_t at, struct cue_date *out);

bool cue_shape_url(const struct cue_text *in, struct cue *out);
bool cue_shape_email(const struct cue_text *in, struct cue *out);
bool cue_shape_iban(const struct cue_text *in, struct cue *out);
bool cue_shape_kindergeldnummer(const struct cue_text *in, struct cue *out);
bool cue_shape_kundennummer(const struct cue_text *in, struct cue *out);
bool cue_shape_bg_nummer(const struct cue_text *in, struct cue *out);
bool cue_shape_range(const struct cue_text *in, struct cue *out);
bool cue_shape_date(const struct cue_text *in, struct cue *out);
bool cue_shape_time(const struct cue_text *in, struct cue *out);
bool cue_shape_amount(const struct cue_text *in, struct cue *out);
bool cue_shape_hours(const struct cue_text *in, struct cue *out);
bool cue_shape_percent(const struct cue_text *in, struct cue *out);
bool cue_shape_phone(const struct cue_text *in, struct cue *out);
bool cue_shape_postcode(const struct cue_text *in, struct cue *out);
bool cue_shape_house(const struct cue_text *in, struct cue *out);
bool cue_shape_number(const struct cue_text *in, struct cue *out);

#endif
