/* fold.h - text as it is compared: one spelling for what people spell in many ways, with the way back.
 *
 * Lower case; ä, ae, a are one, likewise ö/oe/o and ü/ue/u; ß and ss and s are one (doubled letters count
 * once); accents, full-width and other compatibility forms become plain letters and digits; zero-width
 * characters, soft hyphens and a hyphen at a line end between letters vanish. What is not a letter or digit
 * keeps its place. Every folded byte knows the source byte it came from.
 */
#ifndef CLASSIFIERS_FOLD_H
#define CLASSIFIERS_FOLD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct folded {
	GString *text;  /* folded bytes, UTF-8 */
	GArray *origin; /* uint32_t per byte of text, and one more: where the next byte would come from */
};

void folded_init(struct folded *folded);
void folded_clear(struct folded *folded);
void folded_reset(struct folded *folded); /* empty again, memory kept */

/* Appends source[offset … offset + length), which must be UTF-8 (invalid bytes become blanks). Offsets in
 * `origin` count from `source`. */
void fold_append(struct folded *folded, const char *source, uint32_t offset, uint32_t length);

/* A line end of our own between two stretches; its origin is `offset`. */
void fold_break(struct folded *folded, uint32_t offset);

/* The folded form of a short text, for terms: free with g_free. */
char *fold_string(const char *text);

/* A byte of a folded word: a-z, 0-9 or part of a letter beyond ASCII. */
static inline bool fold_is_word(char byte)
{
	unsigned char c = (unsigned char)byte;
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static inline bool fold_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool fold_is_letter(char byte)
{
	return fold_is_word(byte) && !fold_is_digit(byte);
}

#endif
