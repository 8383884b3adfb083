/* mail_text.c - from the bytes of a text part to lines of UTF-8: charsets, flowed text, files and armour in
 * the middle of it. */
#include "core/charset.h"
#include "core/html.h"
#include "core/mail_encoding.h"
#include "core/mail_header.h"
#include "core/mail_part.h"

#include <string.h>

void body_append(struct decoding *decoding, const char *text, size_t size)
{
	GString *out = decoding->body->text;
	if (out->len >= MAIL_MAX_TEXT || size == 0)
		return;
	if (out->len && out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
	size_t room = MAIL_MAX_TEXT - out->len;
	if (size > room) {
		defect_add(decoding->message, "text-cut");
		size = room;
		while (size && ((guchar)text[size] & 0xc0) == 0x80)
			size--;
	}
	g_string_append_len(out, text, (gssize)size);
}

/* CRLF and CR become LF, other control bytes but TAB and FF go. */
static void line_ends(char *text, size_t *size)
{
	size_t n = 0;
	for (size_t i = 0; i < *size; i++) {
		char c = text[i];
		if (c == '\r') {
			if (i + 1 < *size && text[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if ((unsigned char)c >= 0x20 || c == '\n' || c == '\t' || c == 0x1b)
			text[n++] = c;
	}
	text[n] = '\0';
	*size = n;
}

static size_t quote_depth(const char *line, size_t size)
{
	size_t depth = 0;
	while (depth < size && line[depth] == '>')
		depth++;
	return depth;
}

/* RFC 3676: a line that ends in a blank goes on in the next one of the same depth. */
static void unflow(const char *text, size_t size, bool delsp, GString *out)
{
	bool open = false;
	size_t open_depth = 0;
	for (size_t at = 0; at < size;) {
		const char *line = text + at, *end = memchr(line, '\n', size - at);
		size_t length = end ? (size_t)(end - line) : size - at;
		at += length + (end != NULL);
		size_t depth = quote_depth(line, length);
		const char *rest = line + depth;
		size_t left = length - depth;
		bool stuffed = left && *rest == ' ';
		bool signature = left - stuffed == 3 && memcmp(rest + stuffed, "-- ", 3) == 0;
		if (open && (depth != open_depth || signature)) {
			g_string_append_c(out, '\n');
			open = false;
		}
		if (!open && depth) {
			for (size_t i = 0; i < depth; i++)
				g_string_append_c(out, '>');
			g_string_append_c(out, ' ');
		}
		bool flows = left > stuffed && rest[left - 1] == ' ' && !signature;
		g_string_append_len(out, rest + stuffed, (gssize)(left - stuffed - (flows && delsp)));
		open = flows;
		open_depth = depth;
		if (!flows && end)
			g_string_append_c(out, '\n');
	}
}

/* Takes files out of the text. NULL if there are none. */
static char *without_files(struct decoding *decoding, const char *text, size_t *size)
{
	GString *out = NULL;
	size_t copied = 0;
	for (size_t at = 0; at < *size;) {
		g_autofree char *name = NULL;
		g_autoptr(GByteArray) bytes = NULL;
		size_t used = 0;
		if (text[at] == 'b' || text[at] == '=') {
			bytes = g_byte_array_new();
			used = inline_file(text + at, *size - at, &name, bytes);
		}
		if (used && decoding->parts++ < MAIL_MAX_PARTS) {
			out = out ? out : g_string_sized_new(*size);
			g_string_append_len(out, text + copied, (gssize)(at - copied));
			attachment_add(decoding, g_steal_pointer(&name), g_strdup("application/octet-stream"),
			        bytes->data, bytes->len);
			at += used;
			copied = at;
			continue;
		}
		const char *end = memchr(text + at, '\n', *size - at);
		at = end ? (size_t)(end + 1 - text) : *size;
	}
	if (!out)
		return NULL;
	g_string_append_len(out, text + copied, (gssize)(*size - copied));
	*size = out->len;
	return g_string_free(out, FALSE);
}

static bool parameter_is(const char *type, const char *name, const char *value)
{
	g_autofree char *found = header_parameter(type, name, NULL);
	return found && g_ascii_strcasecmp(found, value) == 0;
}

/* Cleartext signatures (RFC 9580 section 7): armour lines and the signature go, dash escapes are undone. */
static char *without_armour(const char *text)
{
	const char *begin = strstr(text, "-----BEGIN PGP SIGNED MESSAGE-----");
	if (!begin || (begin != text && begin[-1] != '\n'))
		return NULL;
	const char *body = strstr(begin, "\n\n"), *end = strstr(begin, "\n-----BEGIN PGP SIGNATURE-----");
	if (!body || !end || end < body)
		return NULL;
	GString *out = g_string_new_len(text, begin - text);
	for (const char *line = body + 2; line <= end;) {
		size_t length = strcspn(line, "\n");
		size_t dash = line[0] == '-' && line[1] == ' ' && line[2] == '-' ? 2 : 0;
		g_string_append_len(out, line + dash, (gssize)(length - dash + 1));
		line += length + 1;
	}
	const char *close = strstr(end, "-----END PGP SIGNATURE-----");
	if (close)
		g_string_append(out, close + strlen("-----END PGP SIGNATURE-----"));
	return g_string_free(out, FALSE);
}

static void note_pgp(struct decoding *decoding, const char *text)
{
	const char *armour = strstr(text, "-----BEGIN PGP MESSAGE-----");
	if (armour && (armour == text || armour[-1] == '\n') && !decoding->message->unsuitable)
		decoding->message->unsuitable = "pgp";
}

void text_plain_append(struct decoding *decoding, const GByteArray *bytes, const char *type)
{
	bool repaired = false;
	size_t size;
	g_autofree char *charset = header_parameter(type, "charset", NULL);
	g_autofree char *text = charset_to_utf8(bytes->data, bytes->len, charset, &size, &repaired);
	if (repaired)
		defect_add(decoding->message, "charset-repaired");
	line_ends(text, &size);
	g_autofree char *rest = without_files(decoding, text, &size);
	const char *at = rest ? rest : text;
	note_pgp(decoding, at);
	g_autofree char *bare = without_armour(at);
	if (bare) {
		at = bare;
		size = strlen(bare);
	}
	if (parameter_is(type, "format", "flowed")) {
		g_autoptr(GString) joined = g_string_sized_new(size);
		unflow(at, size, parameter_is(type, "delsp", "yes"), joined);
		body_append(decoding, joined->str, joined->len);
	} else {
		body_append(decoding, at, size);
	}
	decoding->body->has_plain = true;
}

/* <meta charset="…"> or <meta … content="text/html; charset=…"> in the first kilobytes. */
static char *meta_charset(const char *html, size_t size)
{
	g_autofree char *head = g_ascii_strdown(html, (gssize)MIN(size, 4096));
	const char *at = strstr(head, "charset=");
	if (!at || at == head)
		return NULL;
	at += strlen("charset=");
	at += strspn(at, "\"' ");
	size_t length = strcspn(at, "\"' ;/>");
	return length && length < 40 ? g_strndup(at, length) : NULL;
}

void text_html_append(struct decoding *decoding, const GByteArray *bytes, const char *type)
{
	bool repaired = false;
	size_t size;
	g_autofree char *charset = header_parameter(type, "charset", NULL);
	if (!charset && bytes->len)
		charset = meta_charset((const char *)bytes->data, bytes->len);
	char *html = charset_to_utf8(bytes->data, bytes->len, charset, &size, &repaired);
	if (repaired)
		defect_add(decoding->message, "charset-repaired");
	if (size > HTML_MAX_SIZE)
		defect_add(decoding->message, "text-cut");
	g_autofree char *text = html_text(html, size, NULL);
	body_append(decoding, text, strlen(text));
	if (decoding->body->html)
		g_free(html);
	else
		decoding->body->html = html;
}
