/* cue.h - structured cues in folded text: account, address, date, amount, hours, customer's numbers.
 *
 * A cue is found by shape, in one pass, without backtracking beyond a fixed length. An IBAN is also checked
 * (length of its country, mod 97 = 1, ISO 13616); the numbers of customers have no check digit that is known
 * (shape only).
 */
#ifndef CLASSIFIERS_CUE_H
#define CLASSIFIERS_CUE_H

#include "core/date.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CUE_MAX_WORD 16 /* bytes of cue_word() at most */

enum cue_kind {
	CUE_NONE,
	CUE_IBAN,       /* checksum and length are right */
	CUE_IBAN_SHAPE, /* looks like one: masked, mistyped */
	CUE_KUNDENNUMMER,
	CUE_KINDERGELDNUMMER,
	CUE_BG_NUMMER,
	CUE_DATE,        /* a day that does not exist */
	CUE_DATE_PAST,   /* more than three days before the message was received */
	CUE_DATE_SOON,   /* within three days of it */
	CUE_DATE_FUTURE, /* later */
	CUE_DATE_RANGE,
	CUE_RANGE_PAST, /* its end lies before the message was received */
	CUE_EURO,
	CUE_EURO_LIMIT,  /* an amount that is a limit of marginal employment: 400, 450, 520, 538, 556, 603 */
	CUE_HOURS,       /* 15 to 29 hours */
	CUE_HOURS_SMALL, /* below 15 */
	CUE_HOURS_FULL,  /* 30 and more */
	CUE_POSTCODE,    /* five digits before a place */
	CUE_HOUSE,       /* number behind a street */
	CUE_TIME,
	CUE_PHONE,
	CUE_PERCENT,
	CUE_YEAR,
	CUE_NUMBER,
	CUE_EMAIL,
	CUE_URL,
	CUE_COUNT
};

struct cue {
	enum cue_kind kind;
	uint32_t start, length; /* in the folded text */
	/* dates: */
	int32_t from,
	        to;      /* days; year filled in from `today` where the writer gave none; DAY_NONE: unknown */
	char number[24]; /* normalised number of a customer ("123A456789"), else "" */
};

/* "iban", "date_range", … as evidence shows it. */
const char *cue_name(enum cue_kind kind);
/* The word that stands for a cue of that kind in the word stream: "xiban", … */
const char *cue_word(enum cue_kind kind);
/* The kind with that name, or CUE_NONE. */
enum cue_kind cue_find(const char *name);

/* Is there a cue at text[at]? at must be the start of a word. On true *out is filled. `today` (a day) gives
 * years to dates without one: the year that puts the date nearest. */
bool cue_at(const char *text, size_t size, size_t at, int32_t today, struct cue *out);

/* May a cue begin with the word text[at … end), which begins with a letter? True too often, never false too
 * often: most words are told to be none without trying shapes. */
bool cue_word_may_begin(const char *text, size_t size, size_t at, size_t end);

/* mod 97 over letters and digits of text[0…size), others skipped; true for a valid IBAN. */
bool iban_valid(const char *text, size_t size);

static inline bool cue_is_date(enum cue_kind kind)
{
	return kind >= CUE_DATE && kind <= CUE_DATE_FUTURE;
}

static inline bool cue_is_range(enum cue_kind kind)
{
	return kind == CUE_DATE_RANGE || kind == CUE_RANGE_PAST;
}

#endif
