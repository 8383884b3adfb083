/* charset.c - one way into UTF-8 for headers, bodies and file names. UTF-8 and windows-1252, nearly all of
 * the mail we get, are done by hand and in one pass; the rest goes through iconv byte-exactly, with U+FFFD
 * for what is broken. */
#include "core/charset.h"
#include "core/charset_guess.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

/* What the bytes 0x80…0x9f are in windows-1252; the five holes stay C1 and become U+FFFD. */
static const uint16_t cp1252_c1[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6,
        0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d,
        0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

struct alias {
	const char *name, *iconv;
};

/* Compared without punctuation and case. */
static const struct alias aliases[] = {
        {"gb2312", "GB18030"},
        {"gbk", "GB18030"},
        {"cp936", "GB18030"},
        {"hzgb2312", "GB18030"},
        {"ksc56011987", "CP949"},
        {"ksc5601", "CP949"},
        {"euckr", "CP949"},
        {"shiftjis", "CP932"},
        {"sjis", "CP932"},
        {"xsjis", "CP932"},
        {"mskanji", "CP932"},
        {"big5", "BIG5-HKSCS"},
        {"iso88598i", "ISO-8859-8"},
        {"iso88599", "WINDOWS-1254"},
        {"xmacroman", "MACINTOSH"},
        {"macroman", "MACINTOSH"},
        {"macintosh", "MACINTOSH"},
        {"xunicode20utf7", "UTF-7"},
        {"unicode11utf7", "UTF-7"},
        {"xeucjp", "EUC-JP"},
        {"cp1250", "WINDOWS-1250"},
        {"ibm850", "CP850"},
};

static const char *const utf8_names[] = {"utf8", "unicode", "utf", "xutf8", "utf8mb4", "usascii", "ascii",
        "unknown8bit", "8bit", "xunknown", "binary", "default", "userdefined", "xuserdefined", "unknown",
        "ansix341968", "iso646us", "none", ""};
static const char *const western_names[] = {"iso88591", "latin1", "windows1252", "cp1252", "xcp1252", "xansi",
        "ansi", "iso8859", "88591", "ansi1252", "l1", "iso885914", "iso88591windows1252latin1",
        "windows1252http", "westerneuropean"};

static void name_fold(const char *name, char out[40])
{
	size_t n = 0;
	for (; name && *name && n < 39; name++)
		if (g_ascii_isalnum(*name))
			out[n++] = g_ascii_tolower(*name);
	out[n] = '\0';
}

static bool name_in(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void append_unichar(GString *out, gunichar c)
{
	char buffer[6];
	g_string_append_len(out, buffer, g_unichar_to_utf8(c, buffer));
}

static void append_cp1252(GString *out, unsigned char byte)
{
	append_unichar(out, byte >= 0x80 && byte < 0xa0 ? cp1252_c1[byte - 0x80] : byte);
}

/* Length of the valid UTF-8 sequence at `p`, or 0. */
static size_t sequence(const unsigned char *p, size_t size)
{
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size_t length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (size < length)
		return 0;
	gunichar c = g_utf8_get_char_validated((const char *)p, (gssize)length);
	return c == (gunichar)-1 || c == (gunichar)-2 ? 0 : length;
}

/* Valid UTF-8 stays, every other byte is windows-1252. Returns the number of such bytes. */
static size_t append_mixed(GString *out, const unsigned char *p, size_t size)
{
	size_t strays = 0;
	while (size) {
		size_t run = 0;
		while (run < size && p[run] && p[run] < 0x80)
			run++;
		g_string_append_len(out, (const char *)p, (gssize)run);
		p += run;
		size -= run;
		if (!size)
			break;
		size_t length = sequence(p, size);
		if (length) {
			g_string_append_len(out, (const char *)p, (gssize)length);
		} else {
			length = 1;
			strays += *p != 0;
			if (*p)
				append_cp1252(out, *p);
		}
		p += length;
		size -= length;
	}
	return strays;
}

static void append_western(GString *out, const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] >= 0x80)
			append_cp1252(out, p[i]);
		else if (p[i])
			g_string_append_c(out, (char)p[i]);
	}
}

bool charset_is_utf8(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	size_t i = 0;
	while (i < size && p[i] < 0x80)
		i++;
	if (i == size)
		return false;
	while (i < size) {
		size_t length = p[i] < 0x80 ? 1 : sequence(p + i, size - i);
		if (!length)
			return false;
		i += length;
	}
	return true;
}

/* "koi8_r" and the like: iconv wants dashes. */
static iconv_t converter(const char *name)
{
	iconv_t cd = iconv_open("UTF-8", name);
	if (cd != (iconv_t)-1 || !strchr(name, '_'))
		return cd;
	g_autofree char *dashed = g_strdelimit(g_strdup(name), "_", '-');
	return iconv_open("UTF-8", dashed);
}

/* iconv with U+FFFD for each byte that does not fit. Returns the number of those, or -1 without converter. */
static long append_iconv(GString *out, const unsigned char *p, size_t size, const char *name)
{
	iconv_t cd = converter(name);
	if (cd == (iconv_t)-1)
		return -1;
	char *in = (char *)(uintptr_t)p;
	long broken = 0;
	while (size) {
		char buffer[4096], *at = buffer;
		size_t room = sizeof buffer;
		size_t result = iconv(cd, &in, &size, &at, &room);
		g_string_append_len(out, buffer, at - buffer);
		if (result != (size_t)-1 || errno == E2BIG)
			continue;
		broken++;
		append_unichar(out, 0xfffd);
		if (errno == EINVAL) /* cut off in the middle of a character */
			break;
		in++;
		size--;
	}
	char tail[64], *at = tail;
	size_t room = sizeof tail;
	iconv(cd, NULL, NULL, &at, &room);
	g_string_append_len(out, tail, at - tail);
	iconv_close(cd);
	return broken;
}

/* A converter's output may hold NULs (UTF-16 that is none): drop them. */
static void drop_nuls(GString *text)
{
	if (!memchr(text->str, 0, text->len))
		return;
	gsize n = 0;
	for (gsize i = 0; i < text->len; i++)
		if (text->str[i])
			text->str[n++] = text->str[i];
	g_string_truncate(text, n);
}

/* The charset a byte order mark states, with the mark's length; or UTF-16 told by its zero bytes. */
static const char *marked(const unsigned char *p, size_t size, size_t *mark)
{
	*mark = 0;
	if (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		*mark = 3;
		return "utf-8";
	}
	if (size >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
		*mark = 2;
		return p[0] == 0xff ? "UTF-16LE" : "UTF-16BE";
	}
	return NULL;
}

static bool holds_iso2022(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i + 2 < size; i++)
		if (p[i] == 0x1b && (memcmp(p + i, "\x1b$B", 3) == 0 || memcmp(p + i, "\x1b$@", 3) == 0))
			return true;
	return false;
}

static const char *iconv_name(const char *declared, const char *folded)
{
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i].name, folded) == 0)
			return aliases[i].iconv;
	return declared;
}

/* utf-16 without a mark: the side on which the zeros of ASCII text stand. */
static const char *utf16_side(const unsigned char *p, size_t size)
{
	size_t even = 0, odd = 0;
	for (size_t i = 0; i < size && i < 400; i++) {
		if (!p[i])
			(*(i % 2 ? &odd : &even))++;
	}
	return odd > even ? "UTF-16LE" : "UTF-16BE";
}

static bool has_high_bytes(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] >= 0x80)
			return true;
	return false;
}

/* UTF-8 by its label, or without one. True if it is not. */
static bool append_utf8(GString *out, const unsigned char *p, size_t size)
{
	gsize before = out->len;
	size_t strays = append_mixed(out, p, size);
	const char *guess = strays ? charset_guess(p, size, strays) : NULL;
	if (guess) {
		g_string_truncate(out, before);
		append_iconv(out, p, size, guess);
	}
	return strays > 0;
}

static bool append_declared(GString *out, const unsigned char *p, size_t size, const char *declared)
{
	char folded[40];
	name_fold(declared, folded);
	if (name_in(utf8_names, G_N_ELEMENTS(utf8_names), folded)) {
		if (holds_iso2022(p, size))
			return append_iconv(out, p, size, "ISO-2022-JP"), true;
		return append_utf8(out, p, size);
	}
	bool utf8 = charset_is_utf8(p, size);
	if (name_in(western_names, G_N_ELEMENTS(western_names), folded)) {
		if (utf8)
			append_mixed(out, p, size);
		else
			append_western(out, p, size);
		return utf8;
	}
	const char *name = iconv_name(declared, folded);
	if (g_str_has_suffix(folded, "utf7") && has_high_bytes(p, size))
		return append_mixed(out, p, size), true;
	if (strcmp(folded, "utf16") == 0)
		name = utf16_side(p, size);
	gsize before = out->len;
	long broken = append_iconv(out, p, size, name);
	bool single_byte = g_str_has_prefix(folded, "iso8859") || g_str_has_prefix(folded, "windows12");
	if (broken >= 0 && !(utf8 && (broken > 0 || single_byte)))
		return broken > 0;
	g_string_truncate(out, before);
	append_mixed(out, p, size);
	return true;
}

char *charset_to_utf8(const void *bytes, size_t size, const char *declared, size_t *out_size, bool *repaired)
{
	const unsigned char *p = size ? bytes : (const unsigned char *)"";
	GString *out = g_string_sized_new(size + size / 8 + 1);
	size_t mark;
	const char *told = marked(p, size, &mark);
	bool wrong = append_declared(out, p + mark, size - mark, told ? told : declared ? declared : "");
	drop_nuls(out);
	if (!g_utf8_validate(out->str, (gssize)out->len, NULL)) { /* UCS-4 that names no character */
		char *valid = g_utf8_make_valid(out->str, (gssize)out->len);
		g_string_assign(out, valid);
		g_free(valid);
		wrong = true;
	}
	if (repaired && wrong)
		*repaired = true;
	if (out_size)
		*out_size = out->len;
	return g_string_free(out, FALSE);
}
