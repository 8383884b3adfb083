/* cue_shape.c - shapes of amounts, hours, addresses, phones, links: what stands beside a number says what it
 * is. */
#include "classifiers/cue_shape.h"
#include "classifiers/fold.h"

#include <string.h>

#define MAX_LINK 200

int cue_digits(const struct cue_text *in, size_t *at, int max)
{
	int value = 0, n = 0;
	size_t i = *at;
	for (; fold_is_digit(cue_peek(in, i)) && n <= max; i++, n++)
		value = n < 9 ? value * 10 + (in->text[i] - '0') : value;
	if (n == 0 || n > max)
		return -1;
	*at = i;
	return value;
}

size_t cue_blanks(const struct cue_text *in, size_t at, int max)
{
	for (int i = 0; i < max && cue_peek(in, at) == ' '; i++)
		at++;
	return at;
}

bool cue_starts(const struct cue_text *in, size_t at, const char *prefix)
{
	size_t n = strlen(prefix);
	return at + n <= in->size && memcmp(in->text + at, prefix, n) == 0;
}

bool cue_word_is(const struct cue_text *in, size_t at, const char *word)
{
	return cue_starts(in, at, word) && !fold_is_word(cue_peek(in, at + strlen(word)));
}

static bool found(const struct cue_text *in, struct cue *out, enum cue_kind kind, size_t end)
{
	out->kind = kind;
	out->length = (uint32_t)(end - in->at);
	return true;
}

bool cue_link_byte(char c)
{
	switch (c) {
	case '<':
	case '>':
	case '"':
	case '\'':
	case '(':
	case ')':
	case '[':
	case ']':
	case '{':
	case '}':
	case ',':
	case ';':
	case 0x7f:
		return false;
	default:
		return (unsigned char)c > ' ';
	}
}

bool cue_shape_url(const struct cue_text *in, struct cue *out)
{
	if (!cue_starts(in, in->at, "htp") && !cue_starts(in, in->at, "w.") &&
	        !cue_starts(in, in->at, "http"))
		return false;
	size_t i = in->at;
	while (i - in->at < MAX_LINK && cue_link_byte(cue_peek(in, i)))
		i++;
	return i - in->at > 5 && found(in, out, CUE_URL, i);
}

bool cue_shape_email(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	bool at_sign = false, dot = false;
	for (; i - in->at < MAX_LINK && cue_link_byte(cue_peek(in, i)); i++) {
		at_sign = at_sign || in->text[i] == '@';
		dot = dot || (at_sign && in->text[i] == '.');
	}
	return at_sign && dot && found(in, out, CUE_EMAIL, i);
}

/* A number with thousands and decimals: "1.234,50", "450", "12,5". Value in hundredths, -1 if there is none.
 */
static int64_t read_amount(const struct cue_text *in, size_t *at)
{
	size_t i = *at;
	int64_t whole = 0;
	int digits = 0, cents = 0;
	while (digits < 9) {
		char c = cue_peek(in, i);
		bool thousands = c == '.' && digits > 0 && fold_is_digit(cue_peek(in, i + 1)) &&
		                 fold_is_digit(cue_peek(in, i + 2)) && fold_is_digit(cue_peek(in, i + 3)) &&
		                 !fold_is_digit(cue_peek(in, i + 4));
		if (!thousands && !fold_is_digit(c))
			break;
		if (!thousands) {
			whole = whole * 10 + (c - '0');
			digits++;
		}
		i++;
	}
	if (digits == 0)
		return -1;
	char c = cue_peek(in, i);
	if ((c == ',' || c == '.') && fold_is_digit(cue_peek(in, i + 1))) {
		cents = (in->text[i + 1] - '0') * 10;
		i += 2;
		if (fold_is_digit(cue_peek(in, i)))
			cents += in->text[i++] - '0';
	} else if (c == ',' && cue_peek(in, i + 1) == '-') {
		i += cue_peek(in, i + 2) == '-' ? 3 : 2;
	}
	*at = i;
	return fold_is_digit(cue_peek(in, i)) ? -1 : whole * 100 + cents;
}

static bool euro_sign(const struct cue_text *in, size_t *at)
{
	static const char *const words[] = {"\xe2\x82\xac", "euros", "euro", "eur", "er"};
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		bool sign = i == 0 && cue_starts(in, *at, words[i]);
		if (sign || (i && cue_word_is(in, *at, words[i]))) {
			*at += strlen(words[i]);
			return true;
		}
	}
	return false;
}

static enum cue_kind amount_kind(int64_t hundredths)
{
	static const int limits[] = {400, 450, 520, 538, 556, 603};
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
		if (hundredths == limits[i] * 100)
			return CUE_EURO_LIMIT;
	return CUE_EURO;
}

bool cue_shape_amount(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (!fold_is_digit(in->text[i]) && in->text[i] != 'e')
		return false;
	bool leading = cue_word_is(in, i, "eur") || cue_word_is(in, i, "euro");
	if (leading)
		i = cue_blanks(in, i + (cue_word_is(in, i, "eur") ? 3 : 4), 1);
	int64_t value = read_amount(in, &i);
	if (value < 0)
		return false;
	if (leading)
		return found(in, out, amount_kind(value), i);
	size_t end = cue_blanks(in, i, 2);
	if (cue_peek(in, end) == '-')
		end++;
	if (cue_peek(in, end) == ' ')
		end++;
	bool er = end == i && cue_word_is(in, end, "er"); /* "520er" */
	if (!euro_sign(in, &end) || (cue_word_is(in, end - 2, "er") && !er))
		return false;
	enum cue_kind kind = amount_kind(value);
	return (!er || kind == CUE_EURO_LIMIT) && found(in, out, kind, end);
}

bool cue_shape_hours(const struct cue_text *in, struct cue *out)
{
	static const char *const words[] = {"stunden", "stunde", "std", "stdn", "h", "wochenstunden", "sws"};
	size_t i = in->at;
	int64_t value = read_amount(in, &i);
	if (value < 0 || value > 20000)
		return false;
	size_t at = cue_blanks(in, i, 2);
	if (cue_peek(in, at) == '-')
		at = cue_blanks(in, at + 1, 1);
	for (size_t w = 0; w < G_N_ELEMENTS(words); w++)
		if (cue_word_is(in, at, words[w]))
			return found(in, out,
			        value < 1500   ? CUE_HOURS_SMALL
			        : value < 3000 ? CUE_HOURS
			                       : CUE_HOURS_FULL,
			        at + strlen(words[w]));
	return false;
}

bool cue_shape_percent(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (read_amount(in, &i) < 0)
		return false;
	i = cue_blanks(in, i, 1);
	if (cue_peek(in, i) == '%')
		return found(in, out, CUE_PERCENT, i + 1);
	return cue_word_is(in, i, "prozent") && found(in, out, CUE_PERCENT, i + 7);
}

bool cue_shape_time(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	int hour = cue_digits(in, &i, 2);
	if (hour < 0 || hour > 24)
		return false;
	char c = cue_peek(in, i);
	size_t j = i + 1;
	int minute = c == ':' || c == '.' ? cue_digits(in, &j, 2) : -1;
	bool clock = minute >= 0 && minute < 60 && j == i + 3;
	size_t end = cue_blanks(in, clock ? j : i, 1);
	if (cue_word_is(in, end, "uhr"))
		return found(in, out, CUE_TIME, end + 3);
	return clock && c == ':' && found(in, out, CUE_TIME, j);
}

/* 0 or +49 and at least six further digits, in groups. */
bool cue_shape_phone(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (cue_peek(in, i) != '0' && !cue_starts(in, i, "49"))
		return false;
	int digits = 0, gap = 0;
	size_t end = i;
	for (; i - in->at < 30; i++) {
		char c = cue_peek(in, i);
		if (fold_is_digit(c)) {
			digits++;
			gap = 0;
			end = i + 1;
		} else if (strchr(" /-()", c) && c && gap < 3) {
			gap++;
		} else {
			break;
		}
	}
	return digits >= 7 && digits <= 15 && found(in, out, CUE_PHONE, end);
}

bool cue_shape_postcode(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (cue_starts(in, i, "d-") && fold_is_digit(cue_peek(in, i + 2)))
		i += 2;
	size_t begin = i;
	if (cue_digits(in, &i, 5) < 0 || i - begin != 5 || fold_is_word(cue_peek(in, i)))
		return false;
	size_t place = cue_blanks(in, i, 2);
	bool before =
	        place > i && fold_is_letter(cue_peek(in, place)) && fold_is_letter(cue_peek(in, place + 1));
	size_t back = in->at;
	while (back > 0 && in->at - back < 3 && strchr(" ,(", in->text[back - 1]))
		back--;
	bool behind = back < in->at && back > 0 && fold_is_letter(in->text[back - 1]);
	return (before || behind) && found(in, out, CUE_POSTCODE, i);
}

static const char *const streets[] = {"strase", "str", "strase.", "str.", "weg", "ale", "platz", "gase",
        "ring", "ufer", "dam", "hof", "markt", "chause", "stieg", "steig", "pfad", "berg", "graben", "wal",
        "tor", "park", "garten", "feld", "anger", "kamp", "stras", "gasl", "reihe", "promenade", "zeile",
        "twiete", "winkel", "bruch", "aker", "wiese", "allmend", "dorfe", "strasse"};

/* The word before `at` (one blank between) ends like a street. */
static bool behind_street(const struct cue_text *in, size_t at)
{
	if (at == 0 || in->text[at - 1] != ' ')
		return false;
	size_t end = at - 1;
	for (size_t i = 0; i < G_N_ELEMENTS(streets); i++) {
		size_t n = strlen(streets[i]);
		if (end >= n && memcmp(in->text + end - n, streets[i], n) == 0)
			return true;
	}
	return false;
}

bool cue_shape_house(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (!fold_is_digit(cue_peek(in, i)) || !behind_street(in, i) || cue_digits(in, &i, 4) < 0)
		return false;
	size_t letter = cue_blanks(in, i, 1);
	char c = cue_peek(in, letter);
	if (c >= 'a' && c <= 'h' && !fold_is_word(cue_peek(in, letter + 1)))
		i = letter + 1;
	return !fold_is_word(cue_peek(in, i)) && found(in, out, CUE_HOUSE, i);
}

bool cue_shape_number(const struct cue_text *in, struct cue *out)
{
	size_t i = in->at;
	if (!fold_is_digit(cue_peek(in, i)))
		return false;
	while (fold_is_digit(cue_peek(in, i)) && i - in->at < 40)
		i++;
	size_t n = i - in->at;
	bool year = n == 4 && (cue_starts(in, in->at, "19") || cue_starts(in, in->at, "20"));
	return found(in, out, year ? CUE_YEAR : CUE_NUMBER, i);
}
