/* mail_encoding.c - gmime's decoders lose the last bytes of unpadded base64 and turn text that only claims to
 * be encoded into rubbish; these take what is there. */
#include "core/mail_encoding.h"

#include <string.h>

static const signed char *base64_table(void)
{
	static const signed char table[256] = {['A'] = 1,
	        ['B'] = 2,
	        ['C'] = 3,
	        ['D'] = 4,
	        ['E'] = 5,
	        ['F'] = 6,
	        ['G'] = 7,
	        ['H'] = 8,
	        ['I'] = 9,
	        ['J'] = 10,
	        ['K'] = 11,
	        ['L'] = 12,
	        ['M'] = 13,
	        ['N'] = 14,
	        ['O'] = 15,
	        ['P'] = 16,
	        ['Q'] = 17,
	        ['R'] = 18,
	        ['S'] = 19,
	        ['T'] = 20,
	        ['U'] = 21,
	        ['V'] = 22,
	        ['W'] = 23,
	        ['X'] = 24,
	        ['Y'] = 25,
	        ['Z'] = 26,
	        ['a'] = 27,
	        ['b'] = 28,
	        ['c'] = 29,
	        ['d'] = 30,
	        ['e'] = 31,
	        ['f'] = 32,
	        ['g'] = 33,
	        ['h'] = 34,
	        ['i'] = 35,
	        ['j'] = 36,
	        ['k'] = 37,
	        ['l'] = 38,
	        ['m'] = 39,
	        ['n'] = 40,
	        ['o'] = 41,
	        ['p'] = 42,
	        ['q'] = 43,
	        ['r'] = 44,
	        ['s'] = 45,
	        ['t'] = 46,
	        ['u'] = 47,
	        ['v'] = 48,
	        ['w'] = 49,
	        ['x'] = 50,
	        ['y'] = 51,
	        ['z'] = 52,
	        ['0'] = 53,
	        ['1'] = 54,
	        ['2'] = 55,
	        ['3'] = 56,
	        ['4'] = 57,
	        ['5'] = 58,
	        ['6'] = 59,
	        ['7'] = 60,
	        ['8'] = 61,
	        ['9'] = 62,
	        ['+'] = 63,
	        ['-'] = 63,
	        ['/'] = 64,
	        ['_'] = 64};
	return table; /* value + 1; 0 is "not of the alphabet" */
}

/* Is what follows the padding at `p` no more base64, but a footer in plain text? Another padded piece may
 * follow on lines of its own. */
static bool footer_follows(const char *p, size_t size)
{
	size_t i = 0;
	while (i < size && (p[i] == '=' || p[i] == ' ' || p[i] == '\t' || p[i] == '\r'))
		i++;
	if (i < size && p[i] != '\n')
		return true;
	for (; i < size && i < 2000; i++)
		if (!base64_table()[(guchar)p[i]] && p[i] != '=' && !g_ascii_isspace(p[i]))
			return true;
	return false;
}

static guint room_for(GByteArray *out, size_t size)
{
	guint at = out->len;
	g_byte_array_set_size(out, (guint)(at + size));
	return at;
}

void base64_append(GByteArray *out, const char *text, size_t size, bool *broken)
{
	const signed char *table = base64_table();
	guint32 bits = 0;
	int count = 0;
	guint at = room_for(out, size / 4 * 3 + 4);
	for (size_t i = 0; i < size; i++) {
		int value = table[(guchar)text[i]] - 1;
		if (value < 0) {
			if (text[i] != '=')
				*broken |= !g_ascii_isspace(text[i]);
			else if (count && footer_follows(text + i, size - i))
				break;
			else
				count = 0;
			continue;
		}
		bits = bits << 6 | (guint32)value;
		if (++count > 1)
			out->data[at++] = (guint8)(bits >> (8 - 2 * count));
		count &= 3;
	}
	g_byte_array_set_size(out, at);
}

enum encoding encoding_of(const char *value)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} names[] = {{"base64", ENCODING_BASE64}, {"quoted-printable", ENCODING_QUOTED_PRINTABLE},
	        {"x-uuencode", ENCODING_UUENCODE}, {"uuencode", ENCODING_UUENCODE},
	        {"x-uue", ENCODING_UUENCODE}, {"quoted_printable", ENCODING_QUOTED_PRINTABLE},
	        {"base-64", ENCODING_BASE64}};
	while (value && (g_ascii_isspace(*value) || *value == '"'))
		value++;
	for (size_t i = 0; value && i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strncasecmp(value, names[i].name, strlen(names[i].name)) == 0)
			return names[i].encoding;
	return ENCODING_IDENTITY;
}

/* Plain text under a base64 label: words with blanks between them, which no base64 line has. */
static bool is_not_base64(const char *data, size_t size)
{
	size_t strange = 0, seen = 0;
	size = MIN(size, 4000);
	const char *padding = memmem(data, size, "=\n", 2); /* what follows it may be a footer */
	if (!padding)
		padding = memmem(data, size, "=\r\n", 3);
	if (padding)
		size = (size_t)(padding - data);
	for (size_t i = 0; i < size; i++) {
		bool inner = data[i] == ' ' && i && i + 1 < size && g_ascii_isgraph(data[i - 1]) &&
		             g_ascii_isgraph(data[i + 1]);
		seen += g_ascii_isgraph(data[i]);
		strange += inner ||
		           (!base64_table()[(guchar)data[i]] && data[i] != '=' && !g_ascii_isspace(data[i]));
	}
	return strange > seen / 12;
}

/* Length of the line end at p[0], 0 if there is none. */
static size_t line_end(const char *p, size_t size)
{
	if (size && p[0] == '\n')
		return 1;
	return size > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* "=" at the end of a line, blanks after it allowed: the bytes to skip, or 0. */
static size_t soft_break(const char *p, size_t size)
{
	size_t blanks = 1;
	while (blanks < size && (p[blanks] == ' ' || p[blanks] == '\t'))
		blanks++;
	if (blanks == size)
		return size;
	size_t end = line_end(p + blanks, size - blanks);
	return end ? blanks + end : 0;
}

static void quoted_printable_append(GByteArray *out, const char *p, size_t size, bool *broken)
{
	guint at = room_for(out, size);
	for (size_t i = 0; i < size; i++) {
		char c = p[i];
		if (c == '=' && i + 2 < size && g_ascii_isxdigit(p[i + 1]) && g_ascii_isxdigit(p[i + 2])) {
			c = (char)(g_ascii_xdigit_value(p[i + 1]) * 16 + g_ascii_xdigit_value(p[i + 2]));
			i += 2;
		} else if (c == '=') {
			size_t skip = soft_break(p + i, size - i);
			if (skip) {
				i += skip - 1;
				continue;
			}
			*broken = true;
		}
		out->data[at++] = (guint8)c;
	}
	g_byte_array_set_size(out, at);
}

/* One uuencoded line without its end. False if it cannot be one. */
static bool uu_line(GByteArray *out, const char *line, size_t size)
{
	if (size == 0)
		return false;
	size_t want = (size_t)((line[0] - ' ') & 63);
	if (line[0] < ' ' || line[0] > '`' || (size - 1) * 3 / 4 + 3 < want)
		return false;
	for (size_t i = 1; want > 0; i += 4) {
		guint32 bits = 0;
		for (size_t k = 0; k < 4; k++)
			bits = bits << 6 | (i + k < size ? (guint32)((line[i + k] - ' ') & 63) : 0);
		guint8 bytes[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};
		guint take = (guint)MIN(want, 3);
		g_byte_array_append(out, bytes, take);
		want -= take;
	}
	return true;
}

static size_t line_length(const char *p, size_t size)
{
	const char *end = memchr(p, '\n', size);
	size_t length = end ? (size_t)(end - p) : size;
	return length && p[length - 1] == '\r' ? length - 1 : length;
}

static size_t next_line(const char *p, size_t size)
{
	const char *end = memchr(p, '\n', size);
	return end ? (size_t)(end + 1 - p) : size;
}

static bool starts(const char *p, size_t size, const char *word)
{
	size_t length = strlen(word);
	return size >= length && memcmp(p, word, length) == 0;
}

static size_t uu_file(const char *p, size_t size, char **name, GByteArray *out)
{
	size_t length = line_length(p, size), at = 6;
	while (at < length && g_ascii_isdigit(p[at]))
		at++;
	if (at < 9 || at > 10 || at >= length || p[at] != ' ')
		return 0;
	size_t used = next_line(p, size);
	if (used == size || line_length(p + used, size - used) == 0)
		return 0;
	const size_t header = used;
	while (used < size) {
		size_t line = line_length(p + used, size - used);
		bool end = line == 3 && memcmp(p + used, "end", 3) == 0;
		if (!end && !uu_line(out, p + used, line))
			break;
		used += next_line(p + used, size - used);
		if (end)
			break;
	}
	if (used == header)
		return 0;
	*name = g_strstrip(g_strndup(p + at, length - at));
	return used;
}

static void yenc_line(GByteArray *out, const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		bool escaped = p[i] == '=' && i + 1 < size;
		guint8 byte = (guint8)(p[escaped ? ++i : i]);
		byte = (guint8)(byte - 42 - (escaped ? 64 : 0));
		g_byte_array_append(out, &byte, 1);
	}
}

static size_t yenc_file(const char *p, size_t size, char **name, GByteArray *out)
{
	size_t length = line_length(p, size), used = next_line(p, size);
	const char *title = memmem(p, length, " name=", 6);
	if (!title || used == size)
		return 0;
	*name = g_strstrip(g_strndup(title + 6, (size_t)(p + length - title - 6)));
	while (used < size) {
		size_t line = line_length(p + used, size - used);
		bool end = starts(p + used, line, "=yend");
		if (!end && !starts(p + used, line, "=ypart"))
			yenc_line(out, p + used, line);
		used += next_line(p + used, size - used);
		if (end)
			break;
	}
	return used;
}

size_t inline_file(const char *line, size_t size, char **name, GByteArray *out)
{
	if (starts(line, size, "begin ") && size > 12)
		return uu_file(line, size, name, out);
	return starts(line, size, "=ybegin ") ? yenc_file(line, size, name, out) : 0;
}

/* A part that says x-uuencode: its lines stand between "begin" and "end". */
static void uuencode_append(GByteArray *out, const char *data, size_t size, bool *broken)
{
	for (size_t at = 0; at < size; at += next_line(data + at, size - at)) {
		g_autofree char *name = NULL;
		if (inline_file(data + at, size - at, &name, out))
			return;
	}
	*broken = true;
	g_byte_array_append(out, (const guint8 *)data, (guint)size);
}

void encoding_decode(enum encoding encoding, const char *data, size_t size, GByteArray *out, bool *broken)
{
	if (encoding == ENCODING_BASE64 && is_not_base64(data, size)) {
		*broken = true;
		encoding = ENCODING_IDENTITY;
	}
	switch (encoding) {
	case ENCODING_BASE64:
		base64_append(out, data, size, broken);
		return;
	case ENCODING_QUOTED_PRINTABLE:
		quoted_printable_append(out, data, size, broken);
		return;
	case ENCODING_UUENCODE:
		uuencode_append(out, data, size, broken);
		return;
	case ENCODING_IDENTITY:
		g_byte_array_append(out, (const guint8 *)data, (guint)size);
		return;
	}
}
