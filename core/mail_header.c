/* mail_header.c - RFC 2047 words, RFC 5322 addresses and RFC 2231 parameters, read forgivingly: words glued
 * to text, in quotes, with blanks inside, without padding or end, split in the middle of a character. */
#include "core/mail_header.h"
#include "core/charset.h"
#include "core/mail_encoding.h"

#include <string.h>

static void q_decode(GByteArray *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		guint8 byte = (guint8)text[i];
		if (byte == '_') {
			byte = ' ';
		} else if (byte == '=' && i + 2 < size && g_ascii_isxdigit(text[i + 1]) &&
		           g_ascii_isxdigit(text[i + 2])) {
			byte = (guint8)(g_ascii_xdigit_value(text[i + 1]) * 16 +
			                g_ascii_xdigit_value(text[i + 2]));
			i += 2;
		}
		g_byte_array_append(out, &byte, 1);
	}
}

#define WORD_MAX 4096 /* RFC 2047 allows 75; longer ones are seen */

struct word {
	char charset[64];
	char encoding; /* 'b' or 'q' */
	const char *text;
	size_t text_size, size; /* of the payload, of the whole word */
};

/* Where the payload ends: at "?=", or, if that is missing, at the end of a value that lost its tail. */
static bool word_end(const char *text, struct word *word, const char *start)
{
	const char *end = memmem(text, strnlen(text, WORD_MAX), "?=", 2);
	if (end) {
		word->text_size = (size_t)(end - text);
		word->size = (size_t)(end + 2 - start);
		return true;
	}
	size_t rest = strcspn(text, " \t\"<>");
	if (text[rest] && text[rest] != '"' && !strchr(" \t", text[rest]))
		return false;
	word->text_size = rest && text[rest - 1] == '?' ? rest - 1 : rest;
	word->size = (size_t)(text + rest - start);
	return true;
}

/* An encoded word at `start`? */
static bool word_read(const char *start, struct word *word)
{
	if (start[0] != '=' || start[1] != '?')
		return false;
	const char *p = start + 2;
	size_t n = strcspn(p, "? \t\"<>");
	if (n == 0 || n >= sizeof word->charset || p[n] != '?')
		return false;
	memcpy(word->charset, p, n);
	word->charset[n] = '\0';
	word->charset[strcspn(word->charset, "*")] = '\0'; /* RFC 2231 language tag */
	p += n + 1;
	word->encoding = g_ascii_tolower(*p);
	if ((word->encoding != 'b' && word->encoding != 'q') || p[1] != '?')
		return false;
	word->text = p + 2;
	return word_end(word->text, word, start);
}

static bool joins(const struct word *a, const struct word *b)
{
	return g_ascii_strcasecmp(a->charset, b->charset) == 0;
}

static void word_bytes(const struct word *word, GByteArray *out)
{
	bool noise = false;
	if (word->encoding == 'b')
		base64_append(out, word->text, word->text_size, &noise);
	else
		q_decode(out, word->text, word->text_size);
}

/* The run of encoded words at `p`, with only blanks between them: same charsets are decoded as one, since a
 * character may be split over two words. Returns the bytes used. */
static size_t words_append(GString *out, const char *p, struct word *word, bool *broken)
{
	const char *start = p;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	for (;;) {
		struct word next;
		word_bytes(word, bytes);
		p += word->size;
		size_t gap = strspn(p, " \t");
		bool more = word_read(p + gap, &next);
		if (!more || !joins(word, &next)) {
			g_autofree char *text =
			        charset_to_utf8(bytes->data, bytes->len, word->charset, NULL, broken);
			g_string_append(out, text);
			g_byte_array_set_size(bytes, 0);
		}
		if (!more)
			return (size_t)(p - start);
		p += gap;
		*word = next;
	}
}

/* CR, LF and TAB become single blanks: RFC 5322 unfolding, and no header can break a line of ours. */
static char *unfold(const char *raw)
{
	size_t size = strnlen(raw, HEADER_MAX_VALUE);
	GString *out = g_string_sized_new(size + 1);
	for (size_t i = 0; i < size; i++) {
		bool fold = raw[i] == '\r' || raw[i] == '\n';
		if (fold && i + 1 < size && strchr(" \t\r\n", raw[i + 1]))
			continue;
		bool blank = fold || raw[i] == '\t';
		g_string_append_c(out, blank ? ' ' : raw[i]);
	}
	return g_string_free(out, FALSE);
}

static void append_plain(GString *out, const char *p, size_t size, const char *charset, bool *broken)
{
	bool stray = false;
	g_autofree char *text = charset_to_utf8(p, size, charset, NULL, &stray);
	g_string_append(out, text);
	if (stray && broken)
		*broken = true;
}

/* Decodes `size` bytes of an unfolded value. */
static char *decode_stretch(const char *value, size_t size, const char *charset, bool *broken)
{
	g_autofree char *copy = g_strndup(value, size);
	GString *out = g_string_sized_new(size + 1);
	const char *plain = copy, *p = copy;
	while ((p = strstr(p, "=?")) != NULL) {
		struct word word;
		if (!word_read(p, &word)) {
			p += 2;
			continue;
		}
		append_plain(out, plain, (size_t)(p - plain), charset, broken);
		p += words_append(out, p, &word, broken);
		plain = p;
	}
	append_plain(out, plain, strlen(plain), charset, broken);
	for (char *c = out->str; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return g_strstrip(g_string_free(out, FALSE));
}

char *header_decode(const char *raw, const char *charset, bool *broken)
{
	g_autofree char *value = unfold(raw);
	return decode_stretch(value, strlen(value), charset, broken);
}

bool is_address(const char *text, size_t size)
{
	const char *at = memchr(text, '@', size);
	if (!at || at == text || at + 1 == text + size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (g_ascii_isspace(text[i]) || strchr("<>(),;:\"", text[i]))
			return false;
	return true;
}

static void address_free(void *data)
{
	struct address *address = data;
	g_free(address->name);
	g_free(address->email);
	g_free(address);
}

char *address_format(const struct address *address)
{
	if (!address->email)
		return g_strdup(address->name);
	if (!address->name || !*address->name)
		return g_strdup(address->email);
	return g_strdup_printf("%s <%s>", address->name, address->email);
}

/* What has been read of the address in hand. */
struct reading {
	const char *charset;
	GString *phrase;  /* display name so far, undecoded, quotes gone */
	GString *comment; /* text in parentheses */
	char *angle;      /* what stood in <> */
	GPtrArray *out;
};

static char *phrase_decode(const struct reading *reading, const GString *phrase)
{
	char *name = decode_stretch(phrase->str, phrase->len, reading->charset, NULL);
	if (*name)
		return name;
	g_free(name);
	return NULL;
}

/* "<@relay,@other:user@host>" → "user@host"; blanks inside do not count. */
static char *angle_clean(const char *text, size_t size)
{
	GString *out = g_string_sized_new(size);
	for (size_t i = 0; i < size; i++)
		if (!g_ascii_isspace(text[i]))
			g_string_append_c(out, text[i]);
	char *colon = out->str[0] == '@' ? strchr(out->str, ':') : NULL;
	if (colon)
		g_string_erase(out, 0, colon + 1 - out->str);
	if (g_ascii_strncasecmp(out->str, "mailto:", 7) == 0)
		g_string_erase(out, 0, 7);
	return g_string_free(out, FALSE);
}

/* The last blank-separated word of the phrase that is an address; the rest before it is the name. */
static char *phrase_address(GString *phrase)
{
	g_auto(GStrv) words = g_strsplit_set(phrase->str, " \t", 64);
	for (guint i = g_strv_length(words); i-- > 0;) {
		g_strdelimit(words[i], "[]", ' ');
		char *word = g_strstrip(words[i]);
		if (g_ascii_strncasecmp(word, "mailto:", 7) == 0)
			word += 7;
		if (!is_address(word, strlen(word)))
			continue;
		char *email = g_strdup(word);
		words[i][0] = '\0';
		g_autofree char *rest = g_strjoinv(" ", words);
		g_string_assign(phrase, g_strstrip(rest));
		return email;
	}
	return NULL;
}

static void reading_reset(struct reading *reading)
{
	g_string_truncate(reading->phrase, 0);
	g_string_truncate(reading->comment, 0);
	g_free(reading->angle);
	reading->angle = NULL;
}

/* Ends the address in hand at a comma or semicolon. A name without address before a comma is the family name
 * of an unquoted "Müller, Hans <…>": it stays for the next. */
static void reading_end(struct reading *reading, bool last)
{
	if (reading->out->len >= HEADER_MAX_ADDRESSES)
		return;
	struct address address = {.email = reading->angle};
	if (!address.email || !*address.email) {
		char *bare = phrase_address(reading->phrase);
		if (bare) {
			g_free(address.email);
			address.email = bare;
		}
	}
	reading->angle = NULL;
	if (!address.email && !last && reading->phrase->len) {
		g_string_append_c(reading->phrase, ',');
		return;
	}
	address.name = phrase_decode(reading, reading->phrase);
	if (!address.name && reading->comment->len)
		address.name = phrase_decode(reading, reading->comment);
	if (address.email && !*address.email)
		g_clear_pointer(&address.email, g_free);
	if (address.email && !g_str_is_ascii(address.email)) { /* RFC 6532, or rubbish */
		char *raw = address.email;
		address.email = charset_to_utf8(raw, strlen(raw), NULL, NULL, NULL);
		g_free(raw);
	}
	if (address.name || address.email)
		g_ptr_array_add(reading->out, g_memdup2(&address, sizeof address));
	reading_reset(reading);
}

static const char *read_quoted(struct reading *reading, const char *p)
{
	if (!strchr(p, '"')) { /* a lone quote is a character like any */
		g_string_append_c(reading->phrase, '"');
		return p;
	}
	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		g_string_append_c(reading->phrase, *p);
	}
	return *p ? p + 1 : p;
}

static const char *read_comment(struct reading *reading, const char *p)
{
	if (reading->comment->len)
		g_string_append_c(reading->comment, ' ');
	for (int depth = 1; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			break;
		g_string_append_c(reading->comment, *p);
	}
	return *p ? p + 1 : p;
}

static const char *read_angle(struct reading *reading, const char *p)
{
	size_t size = strcspn(p, ">");
	g_free(reading->angle);
	reading->angle = angle_clean(p, size);
	p += size;
	return *p ? p + 1 : p;
}

static const char *read_word(struct reading *reading, const char *p)
{
	struct word word;
	if (!word_read(p, &word)) {
		g_string_append_c(reading->phrase, *p);
		return p + 1;
	}
	g_string_append_len(reading->phrase, p, (gssize)word.size);
	return p + word.size;
}

static const char *read_token(struct reading *reading, const char *p)
{
	switch (*p) {
	case '"':
		return read_quoted(reading, p + 1);
	case '(':
		return read_comment(reading, p + 1);
	case '<':
		return read_angle(reading, p + 1);
	case ',':
	case ';':
		reading_end(reading, false);
		return p + 1;
	case ':': /* "Group name: a@b, c@d;" */
		if (!reading->angle && strchr(p, ';')) {
			g_string_truncate(reading->phrase, 0);
			return p + 1;
		}
		g_string_append_c(reading->phrase, ':');
		return p + 1;
	default:
		return read_word(reading, p);
	}
}

GPtrArray *addresses_parse(const char *raw, const char *charset)
{
	g_autofree char *value = unfold(raw);
	struct reading reading = {.charset = charset,
	        .phrase = g_string_new(NULL),
	        .comment = g_string_new(NULL),
	        .out = g_ptr_array_new_with_free_func(address_free)};
	for (const char *p = value; *p && reading.out->len < HEADER_MAX_ADDRESSES;)
		p = read_token(&reading, p);
	reading_end(&reading, true);
	g_string_free(reading.phrase, TRUE);
	g_string_free(reading.comment, TRUE);
	g_free(reading.angle);
	return reading.out;
}

/* One "attribute=value" of a structured header. */
struct parameter {
	const char *name;
	size_t name_size;
	GString *value; /* quotes undone */
};

/* Reads a parameter's value at `p`; unquoted values may hold blanks, as many mailers write file names. */
static const char *value_read(const char *p, GString *out)
{
	while (*p == ' ' || *p == '\t')
		p++;
	g_string_truncate(out, 0);
	if (*p != '"') {
		size_t size = strcspn(p, ";");
		g_string_append_len(out, p, (gssize)size);
		while (out->len && g_ascii_isspace(out->str[out->len - 1]))
			g_string_truncate(out, out->len - 1);
		return p + size;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		g_string_append_c(out, *p);
	}
	return p + strcspn(p, ";");
}

/* The parameter at `p`, which stands behind a ";". Returns where the next one begins. */
static const char *parameter_read(const char *p, struct parameter *parameter)
{
	while (*p == ';' || g_ascii_isspace(*p))
		p++;
	parameter->name = p;
	parameter->name_size = strcspn(p, "=; \t");
	p += parameter->name_size;
	while (*p == ' ' || *p == '\t')
		p++;
	g_string_truncate(parameter->value, 0);
	return *p == '=' ? value_read(p + 1, parameter->value) : p + strcspn(p, ";");
}

/* What is known of the wanted parameter while its pieces come in. */
struct pieces {
	GPtrArray *parts; /* undecoded values by number, %XX already undone */
	char *charset;    /* from "charset'language'" */
	char *plain;      /* name=value without a star */
	bool extended;
};

static void percent_decode(GString *out, const char *p)
{
	for (; *p; p++) {
		if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			char c = (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
			p += 2;
			if (c)
				g_string_append_c(out, c);
		} else {
			g_string_append_c(out, *p);
		}
	}
}

/* "utf-8'de'na%C3%BC" in the first extended piece. */
static const char *charset_prefix(struct pieces *pieces, const char *value)
{
	const char *first = strchr(value, '\''), *second = first ? strchr(first + 1, '\'') : NULL;
	if (!second)
		return value;
	g_free(pieces->charset);
	pieces->charset = g_strndup(value, (size_t)(first - value));
	return second + 1;
}

#define MAX_PIECES 200

/* `suffix` is what follows the name: "", "*", "*0", "*0*". */
static void piece_add(struct pieces *pieces, const char *suffix, size_t size, const char *value)
{
	if (size == 0) {
		if (!pieces->plain)
			pieces->plain = g_strdup(value);
		return;
	}
	bool extended = suffix[size - 1] == '*';
	guint number = size > 1 ? (guint)g_ascii_strtoull(suffix + 1, NULL, 10) : 0;
	if (number >= MAX_PIECES)
		return;
	g_autoptr(GString) text = g_string_new(NULL);
	if (extended)
		percent_decode(text, number == 0 ? charset_prefix(pieces, value) : value);
	else
		g_string_assign(text, value);
	pieces->extended = true;
	while (pieces->parts->len <= number)
		g_ptr_array_add(pieces->parts, NULL);
	g_free(g_ptr_array_index(pieces->parts, number));
	g_ptr_array_index(pieces->parts, number) = g_strdup(text->str);
}

static char *pieces_join(const struct pieces *pieces, const char *charset)
{
	if (!pieces->extended)
		return pieces->plain ? header_decode(pieces->plain, charset, NULL) : NULL;
	g_autoptr(GString) all = g_string_new(NULL);
	for (guint i = 0; i < pieces->parts->len; i++)
		if (g_ptr_array_index(pieces->parts, i))
			g_string_append(all, g_ptr_array_index(pieces->parts, i));
	if (!pieces->charset) /* continuations of encoded words are seen, too */
		return header_decode(all->str, charset, NULL);
	char *text = charset_to_utf8(all->str, all->len, pieces->charset, NULL, NULL);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return text;
}

char *header_parameter(const char *raw, const char *name, const char *charset)
{
	if (!raw)
		return NULL;
	g_autofree char *value = unfold(raw);
	size_t length = strlen(name);
	struct pieces pieces = {.parts = g_ptr_array_new_with_free_func(g_free)};
	struct parameter parameter = {.value = g_string_new(NULL)};
	for (const char *p = value + strcspn(value, ";"); *p;) {
		p = parameter_read(p, &parameter);
		const char *suffix = parameter.name + length;
		if (parameter.name_size < length || g_ascii_strncasecmp(parameter.name, name, length) != 0 ||
		        (parameter.name_size > length && *suffix != '*'))
			continue;
		piece_add(&pieces, suffix, parameter.name_size - length, parameter.value->str);
	}
	char *result = pieces_join(&pieces, charset);
	g_string_free(parameter.value, TRUE);
	g_ptr_array_unref(pieces.parts);
	g_free(pieces.plain);
	g_free(pieces.charset);
	return result;
}
