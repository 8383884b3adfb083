/* sentence.c - ends of sentences: marks, blank lines, list items; wrapped lines and abbreviations are none.
 */
#include "classifiers/sentence.h"
#include "classifiers/fold.h"

#include <string.h>

#define WRAPPED_LINE 55 /* a line at least this long may have been wrapped by the mail program */

/* Folded words before a full stop that does not end a sentence. */
static const char *const abbreviations[] = {"nr", "str", "ca", "dr", "prof", "bzw", "evtl", "evt", "vgl",
        "inkl", "einschl", "geb", "tel", "kd", "z", "b", "d", "h", "u", "a", "i", "v", "o", "g", "s", "st",
        "abs", "art", "bspw", "etc", "ggf", "gem", "fr", "hr", "hrn", "jan", "feb", "apr", "aug", "sept",
        "okt", "nov", "dez", "max", "min", "mtl", "monatl", "wochentl", "std", "tgl", "usw", "vorm", "nachm",
        "verh", "gesch", "ehem", "wg", "zzgl", "bes"};

static bool is_abbreviation(const struct sentence_reader *in, size_t dot)
{
	size_t begin = dot;
	while (begin > 0 && fold_is_letter(in->text[begin - 1]) && dot - begin < 12)
		begin--;
	size_t n = dot - begin;
	if (n >= 3 && memcmp(in->text + dot - 3, "str", 3) == 0)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(abbreviations); i++)
		if (strlen(abbreviations[i]) == n && memcmp(in->text + begin, abbreviations[i], n) == 0)
			return true;
	return false;
}

static char next_byte(const struct sentence_reader *in, size_t at)
{
	return at + 1 < in->size ? in->text[at + 1] : '\n';
}

static enum sentence_end at_full_stop(const struct sentence_reader *in, size_t at, bool upper_next)
{
	char next = next_byte(in, at);
	if (next != ' ' && next != '\n')
		return SENTENCE_GOES_ON;
	if (next == '\n')
		return SENTENCE_ENDS;
	char before = at > 0 ? in->text[at - 1] : ' ';
	if (fold_is_digit(before))
		return upper_next && at > 4 && fold_is_digit(in->text[at - 2]) ? SENTENCE_ENDS
		                                                               : SENTENCE_GOES_ON;
	return is_abbreviation(in, at) ? SENTENCE_GOES_ON : SENTENCE_ENDS;
}

/* A line end: only a long line that goes on in lower case is one sentence with the next. */
static enum sentence_end at_line_end(
        const struct sentence_reader *in, size_t at, bool upper_next, size_t line)
{
	char next = next_byte(in, at);
	if (line >= WRAPPED_LINE && !upper_next && (fold_is_word(next) || next == '('))
		return SENTENCE_GOES_ON;
	if (line >= WRAPPED_LINE && upper_next && at > 0 &&
	        (fold_is_letter(in->text[at - 1]) || in->text[at - 1] == ','))
		return SENTENCE_GOES_ON; /* German nouns have capitals: a long line without a full stop goes
		                            on */
	return SENTENCE_ENDS;
}

enum sentence_end sentence_end_at(const struct sentence_reader *in, size_t at, bool upper_next, size_t line)
{
	switch (in->text[at]) {
	case '?':
		return SENTENCE_ENDS_AS_QUESTION;
	case '!':
		return SENTENCE_ENDS;
	case '.':
		return at_full_stop(in, at, upper_next);
	case '\n':
		return at_line_end(in, at, upper_next, line);
	case '*':
	case ';':
		return SENTENCE_ENDS;
	default:
		return SENTENCE_GOES_ON;
	}
}
