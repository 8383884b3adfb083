/* fold.c - folding with a map back: plain ASCII goes a short way, all else through Unicode decomposition.
 *
 * Only letters that decompose stay letters we compare; the rest of Unicode is kept as it is, in lower case,
 * so that text in other scripts neither vanishes nor breaks offsets. */
#include "classifiers/fold.h"

#include <string.h>

void folded_init(struct folded *folded)
{
	folded->text = g_string_sized_new(4096);
	folded->origin = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), 4096);
}

void folded_clear(struct folded *folded)
{
	if (folded->text)
		g_string_free(folded->text, TRUE);
	if (folded->origin)
		g_array_unref(folded->origin);
	*folded = (struct folded){0};
}

void folded_reset(struct folded *folded)
{
	g_string_truncate(folded->text, 0);
	g_array_set_size(folded->origin, 0);
}

static void put_raw(struct folded *folded, char byte, uint32_t origin)
{
	g_string_append_c(folded->text, byte);
	g_array_append_val(folded->origin, origin);
}

/* A lower-case ASCII letter: doubled letters and the e of ae, oe, ue are dropped. */
static void put_letter(struct folded *folded, char byte, uint32_t origin)
{
	char last = folded->text->len ? folded->text->str[folded->text->len - 1] : ' ';
	if (byte == last)
		return;
	if (byte == 'e' && (last == 'a' || last == 'o' || last == 'u'))
		return;
	put_raw(folded, byte, origin);
}

static void put_ascii(struct folded *folded, char byte, uint32_t origin)
{
	byte = g_ascii_tolower(byte);
	if (byte >= 'a' && byte <= 'z')
		put_letter(folded, byte, origin);
	else if ((unsigned char)byte < 0x20 && byte != '\n')
		put_raw(folded, ' ', origin);
	else
		put_raw(folded, byte, origin);
}

/* What an ASCII byte becomes: letters in lower case, control bytes but the line end a blank. 0: the hyphen,
 * which may stand at a broken word. */
static const char plain_ascii[129] = "          \n     "
                                     "                "
                                     " !\"#$%&'()*+,\0./"
                                     "0123456789:;<=>?"
                                     "@abcdefghijklmno"
                                     "pqrstuvwxyz[\\]^_"
                                     "`abcdefghijklmno"
                                     "pqrstuvwxyz{|}~\x7f";

/* The one letter that U+00C0 … U+00FF become, 0 where it is none or more than one. */
static const char plain_latin[65] = "aaaaaaaceeeeiiiidnooooo\0ouuuuy\0s"
                                    "aaaaaaaceeeeiiiidnooooo\0ouuuuy\0y";

/* The folded byte at p, 0 if it takes the long way; *size: source bytes. */
static inline char plain_byte(const char *p, const char *end, size_t *size)
{
	unsigned char first = (unsigned char)*p;
	*size = 1;
	if (first < 0x80)
		return plain_ascii[first];
	if (first != 0xc3 || p + 1 == end || ((unsigned char)p[1] & 0xc0) != 0x80)
		return 0;
	*size = 2;
	return plain_latin[(unsigned char)p[1] & 0x3f];
}

/* Plain bytes from p on, up to `end`, a hyphen, or a character that takes the long way; returns where it
 * stopped. The same as putting them one by one, with room made once. */
static const char *put_plain(struct folded *folded, const char *p, const char *end, uint32_t origin)
{
	size_t before = folded->text->len, n = 0, room = (size_t)(end - p), size;
	g_string_set_size(folded->text, before + room);
	g_array_set_size(folded->origin, (guint)(before + room));
	char *out = folded->text->str + before;
	uint32_t *from = (uint32_t *)(void *)folded->origin->data + before;
	char last = before ? folded->text->str[before - 1] : ' ', c;
	for (const char *begin = p; p < end && (c = plain_byte(p, end, &size)); p += size) {
		bool letter = c >= 'a' && c <= 'z';
		if (letter && (c == last || (c == 'e' && (last == 'a' || last == 'o' || last == 'u'))))
			continue;
		out[n] = last = c;
		from[n++] = origin + (uint32_t)(p - begin);
	}
	g_string_set_size(folded->text, before + n);
	g_array_set_size(folded->origin, (guint)(before + n));
	return p;
}

/* Letters that have no decomposition but a plain neighbour. */
static const char *plain_letter(gunichar c)
{
	switch (c) {
	case 0xdf:
	case 0x1e9e:
		return "ss";
	case 0xe6:
		return "a";
	case 0xf8:
		return "o";
	case 0x131:
		return "i";
	case 0x142:
		return "l";
	case 0x111:
	case 0xf0:
		return "d";
	case 0x153:
		return "o";
	case 0xfe:
		return "th";
	case 0x2018:
	case 0x2019:
	case 0x201a:
	case 0x2032:
		return "'";
	case 0x201c:
	case 0x201d:
	case 0x201e:
	case 0xab:
	case 0xbb:
		return "\"";
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2212:
		return "-";
	case 0x2022:
	case 0x25cf:
	case 0xb7:
		return "*";
	case 0x2028:
	case 0x2029:
	case 0x85:
		return "\n";
	default:
		return NULL;
	}
}

static bool is_invisible(gunichar c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2064) || c == 0xfeff || (c >= 0xfe00 && c <= 0xfe0f);
}

static void put_unicode(struct folded *folded, gunichar c, uint32_t origin)
{
	c = g_unichar_tolower(c);
	const char *plain = plain_letter(c);
	if (plain) {
		for (; *plain; plain++)
			put_ascii(folded, *plain, origin);
		return;
	}
	if (is_invisible(c) || g_unichar_ismark(c))
		return;
	char bytes[6];
	int n = g_unichar_to_utf8(c, bytes);
	if (g_unichar_isspace(c) || g_unichar_iscntrl(c)) {
		put_raw(folded, ' ', origin);
		return;
	}
	for (int i = 0; i < n; i++)
		put_raw(folded, bytes[i], origin);
}

static void put_decomposed(struct folded *folded, gunichar c, uint32_t origin)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	gsize n = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
	for (gsize i = 0; i < n; i++) {
		if (parts[i] < 0x80)
			put_ascii(folded, (char)parts[i], origin);
		else
			put_unicode(folded, parts[i], origin);
	}
}

/* "-" + line end between letters: a word that was broken. Returns how many bytes to skip, 0 if it is not. */
static uint32_t broken_word(const char *p, const char *begin, const char *end)
{
	if (p == begin || !(g_ascii_isalpha(p[-1]) || (unsigned char)p[-1] >= 0x80))
		return 0;
	const char *q = p + 1;
	if (q < end && *q == '\r')
		q++;
	if (q >= end || *q != '\n')
		return 0;
	q++;
	while (q < end && *q == ' ')
		q++;
	gunichar next = q < end ? g_utf8_get_char_validated(q, end - q) : 0;
	return next < 0x110000 && g_unichar_islower(next) ? (uint32_t)(q - p) : 0;
}

static const char *fold_one(struct folded *folded, const char *p, const char *end, uint32_t origin)
{
	gunichar c = g_utf8_get_char_validated(p, end - p);
	if (c == (gunichar)-1 || c == (gunichar)-2) {
		put_raw(folded, ' ', origin);
		return p + 1;
	}
	put_decomposed(folded, c, origin);
	return g_utf8_next_char(p);
}

void fold_append(struct folded *folded, const char *source, uint32_t offset, uint32_t length)
{
	const char *begin = source + offset, *end = begin + length;
	if (folded->origin->len > folded->text->len)
		g_array_set_size(folded->origin, (guint)folded->text->len);
	for (const char *p = begin; p < end;) {
		uint32_t origin = (uint32_t)(p - source);
		uint32_t skip = *p == '-' ? broken_word(p, begin, end) : 0;
		const char *next = skip ? p + skip : put_plain(folded, p, end, origin);
		p = next > p ? next : fold_one(folded, p, end, origin);
	}
	uint32_t last = offset + length;
	g_array_append_val(folded->origin, last);
}

void fold_break(struct folded *folded, uint32_t offset)
{
	if (folded->origin->len > folded->text->len)
		g_array_set_size(folded->origin, (guint)folded->text->len);
	put_raw(folded, '\n', offset);
	g_array_append_val(folded->origin, offset);
}

char *fold_string(const char *text)
{
	struct folded folded;
	folded_init(&folded);
	fold_append(&folded, text, 0, (uint32_t)strlen(text));
	char *result = g_strdup(folded.text->str);
	folded_clear(&folded);
	return result;
}
