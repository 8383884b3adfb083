/* fold.c - nearly all characters of a mail are ASCII: those go through a table, the rest through GLib. */
#include "core/fold.h"

#include <string.h>

/* Per byte: 0: look closer; 1: drop; ' ': white space; else the character itself in lower case. */
static const unsigned char ascii[256] = "\1\1\1\1\1\1\1\1\1     \1\1"
                                        "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                                        " !\"#$%&'()\1+,-./"
                                        "0123456789:;<=>?"
                                        "@abcdefghijklmno"
                                        "pqrstuvwxyz[\\]^_"
                                        "`abcdefghijklmno"
                                        "pqrstuvwxyz{|}~\1";

static bool has_no_width(gunichar c)
{
	return c == 0xfeff || (c >= 0x200b && c <= 0x200f) || c == 0xad || c == 0x2060;
}

/* Reads one character that is not ASCII; 0 drops it, ' ' is white space. */
static gunichar wide(const char **p, const char *end)
{
	gunichar c = g_utf8_get_char_validated(*p, end - *p);
	if (c == (gunichar)-1 || c == (gunichar)-2) {
		(*p)++;
		return 0xfffd;
	}
	*p = g_utf8_next_char(*p);
	if (has_no_width(c))
		return 0;
	if (g_unichar_isspace(c))
		return ' ';
	return c == 0xff1a ? ':' : g_unichar_tolower(c);
}

void fold_text_append(GString *out, const char *text, size_t size, size_t max)
{
	const char *p = text, *end = text + size;
	gsize at = out->len, limit = at + max;
	bool blank = at > 0;
	g_string_set_size(out, at + MIN(max, 3 * size) + 8);
	char *to = out->str;
	while (p < end && at < limit) {
		unsigned char plain = ascii[(unsigned char)*p];
		gunichar c = plain;
		if (plain == 0)
			c = wide(&p, end);
		else
			p++;
		if (c <= 1)
			continue;
		if (c == ' ') {
			blank = at > 0;
			continue;
		}
		if (blank)
			to[at++] = ' ';
		blank = false;
		if (plain)
			to[at++] = (char)plain;
		else
			at += (gsize)g_unichar_to_utf8(c, to + at);
	}
	g_string_truncate(out, at);
}

char *fold_text(const char *text, size_t max)
{
	GString *out = g_string_new(NULL);
	size_t size = text ? strnlen(text, 4 * max) : 0;
	fold_text_append(out, text ? text : "", size, max);
	return g_string_free(out, FALSE);
}

bool fold_has(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

bool fold_starts(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (text[0] == (*words)[0] && strncmp(text, *words, strlen(*words)) == 0)
			return true;
	return false;
}

unsigned fold_count(const char *text, const char *const *words)
{
	unsigned count = 0;
	for (; *words; words++)
		count += strstr(text, *words) != NULL;
	return count;
}
