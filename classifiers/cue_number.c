/* cue_number.c - account and customer's numbers: blanks, dashes and O for 0 are forgiven, the shape is not.
 */
#include "classifiers/cue_shape.h"
#include "classifiers/fold.h"

#include <string.h>

#define MAX_IBAN 34

/* Lengths of the SWIFT registry for countries whose accounts are met; others pass with 15 to 34. */
static const struct {
	char country[3];
	uint8_t length;
} iban_lengths[] = {{"de", 22}, {"at", 20}, {"ch", 21}, {"li", 21}, {"be", 16}, {"nl", 18}, {"fr", 27},
        {"it", 27}, {"es", 24}, {"pt", 25}, {"pl", 28}, {"cz", 24}, {"sk", 24}, {"hu", 28}, {"ro", 24},
        {"bg", 22}, {"hr", 21}, {"si", 19}, {"gr", 27}, {"lt", 20}, {"lv", 21}, {"ee", 20}, {"ie", 22},
        {"lu", 20}, {"dk", 18}, {"se", 24}, {"fi", 18}, {"no", 15}, {"gb", 22}, {"tr", 26}, {"mt", 31},
        {"cy", 28}, {"ua", 29}, {"rs", 22}, {"ba", 20}};

static size_t expected_length(const char *country)
{
	for (size_t i = 0; i < G_N_ELEMENTS(iban_lengths); i++)
		if (memcmp(iban_lengths[i].country, country, 2) == 0)
			return iban_lengths[i].length;
	return 0;
}

/* Letters and digits only, lower case; false if there are more than fit. */
static bool squeeze(const char *text, size_t size, char out[MAX_IBAN], size_t *length)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		char c = g_ascii_tolower(text[i]);
		if (!g_ascii_isalnum(c))
			continue;
		if (n == MAX_IBAN)
			return false;
		out[n++] = c;
	}
	*length = n;
	return true;
}

bool iban_valid(const char *text, size_t size)
{
	char s[MAX_IBAN];
	size_t n;
	if (!squeeze(text, size, s, &n) || n < 15 || !g_ascii_isalpha(s[0]) || !g_ascii_isalpha(s[1]))
		return false;
	size_t expected = expected_length(s);
	if (expected && expected != n)
		return false;
	unsigned rest = 0;
	for (size_t i = 0; i < n; i++) {
		char c = s[(i + 4) % n];
		unsigned value = g_ascii_isdigit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
		rest = (value < 10 ? rest * 10 + value : rest * 100 + value) % 97;
	}
	return rest == 1;
}

/* Country and check digits (or a mask), then groups; ends where two separators or a word follow. */
bool cue_shape_iban(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (!g_ascii_islower(cue_peek(in, i)) || !g_ascii_islower(cue_peek(in, i + 1)))
		return false;
	size_t p = cue_blanks(in, i + 2, 1);
	bool check = (fold_is_digit(cue_peek(in, p)) || cue_mask(cue_peek(in, p))) &&
	             (fold_is_digit(cue_peek(in, p + 1)) || cue_mask(cue_peek(in, p + 1)));
	size_t expected = check ? expected_length(in->text + i) : 0;
	if (!expected)
		return false;
	size_t n = 4, end = p + 2, digits = 0;
	for (p += 2; p - i < 60 && n < expected; p++) {
		char c = cue_peek(in, p);
		if (fold_is_digit(c) || cue_mask(c) || (expected != 22 && g_ascii_islower(c))) {
			digits += fold_is_digit(c);
			n++;
			end = p + 1;
		} else if ((c != ' ' && c != '-') ||
		           !(fold_is_word(cue_peek(in, p + 1)) || cue_mask(cue_peek(in, p + 1)))) {
			break;
		}
	}
	if (n < 12 || digits < 2 || (fold_is_word(cue_peek(in, end)) && !fold_is_digit(cue_peek(in, end))))
		return false;
	out->kind = iban_valid(in->text + i, end - i) ? CUE_IBAN : CUE_IBAN_SHAPE;
	out->length = (uint32_t)(end - i);
	return true;
}

/* One place of a pattern: 9 a digit (o counts as 0), A a letter, F the letter f, K the letter k. */
static bool fits(char pattern, char c, char *normal)
{
	if (pattern == '9') {
		*normal = c == 'o' ? '0' : c;
		return fold_is_digit(*normal);
	}
	*normal = g_ascii_toupper(c);
	return pattern == 'A' ? g_ascii_islower(c) : *normal == pattern;
}

/* Walks `pattern`; where it has a blank, up to two blanks, dashes or slashes may stand. */
static bool read_pattern(const struct cue_text *in, const char *pattern, struct cue *out)
{
	size_t i = in->at, n = 0;
	for (const char *p = pattern; *p; p++) {
		if (*p == ' ') {
			for (int gap = 0; gap < 2 && strchr(" -/.", cue_peek(in, i)) && i < in->size; gap++)
				i++;
			continue;
		}
		if (!fits(*p, cue_peek(in, i), &out->number[n]))
			return false;
		n++;
		i++;
	}
	out->length = (uint32_t)(i - in->at);
	return !fold_is_word(cue_peek(in, i));
}

static bool pattern_cue(const struct cue_text *in, const char *pattern, enum cue_kind kind, struct cue *out)
{
	struct cue cue = *out;
	if (!fold_is_digit(cue_peek(in, in->at)) || !read_pattern(in, pattern, &cue))
		return false;
	*out = cue;
	out->kind = kind;
	return true;
}

bool cue_shape_kundennummer(const struct cue_text *in, struct cue *out)
{
	return pattern_cue(in, "999 A 999 999", CUE_KUNDENNUMMER, out);
}

bool cue_shape_kindergeldnummer(const struct cue_text *in, struct cue *out)
{
	return pattern_cue(in, "999 FK 999 999", CUE_KINDERGELDNUMMER, out);
}

bool cue_shape_bg_nummer(const struct cue_text *in, struct cue *out)
{
	if (pattern_cue(in, "99999 BG 9999999", CUE_BG_NUMMER, out))
		return true;
	size_t i = in->at + 5;
	bool slashes = cue_starts(in, i, "//") || cue_starts(in, i, " //");
	return slashes && pattern_cue(in, "99999   9999999", CUE_BG_NUMMER, out);
}
