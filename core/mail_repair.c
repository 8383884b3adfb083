/* mail_repair.c - broken headers are mended before gmime sees them, since it stops at the first bad line; and
 * what costs it too much is cut: it decodes a Subject in quadratic time and keeps two kilobytes for every
 * part. */
#include "core/mail_repair.h"
#include "core/mail_header.h"
#include "core/mail_part.h"

#include <string.h>

/* The length of the line at `p` with its end. */
static size_t whole_line(const char *p, size_t size)
{
	const char *end = memchr(p, '\n', size);
	return end ? (size_t)(end + 1 - p) : size;
}

static bool is_blank_line(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!g_ascii_isspace(p[i]))
			return false;
	return true;
}

/* "Name: …" or the old "Name : …"? */
static bool is_header_line(const char *p, size_t size)
{
	size_t i = 0;
	while (i < size && i < 200 && g_ascii_isgraph(p[i]) && p[i] != ':')
		i++;
	size_t name = i;
	while (i < size && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return name > 0 && i < size && p[i] == ':';
}

static bool is_known_header(const char *p, size_t size)
{
	static const char *const names[] = {"From:", "To:", "Subject:", "Date:", "Received:", "Message-ID:",
	        "MIME-Version:", "Content-", "Return-Path:", "Reply-To:", "Cc:", "Delivered-To:", "X-"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (size > strlen(names[i]) && g_ascii_strncasecmp(p, names[i], strlen(names[i])) == 0)
			return is_header_line(p, size);
	return false;
}

/* Does one of the next lines carry on with headers, so that the line in hand is rubbish among them? */
static bool headers_go_on(const char *p, size_t size)
{
	for (int i = 0; i < 3 && size; i++) {
		size_t length = whole_line(p, size);
		if (is_blank_line(p, length))
			return false;
		if (is_known_header(p, length))
			return true;
		p += length;
		size -= length;
	}
	return false;
}

/* Skips what mailboxes, relays and editors leave in front of the headers: a byte order mark, empty lines and
 * "From " lines. */
size_t mail_start(const char *p, size_t size)
{
	size_t at = size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	for (int i = 0; i < 20 && at < size; i++) {
		const char *line = p + at;
		size_t length = whole_line(line, size - at);
		bool skip = is_blank_line(line, length) ||
		            (length > 6 && (memcmp(line, "From ", 5) == 0 || memcmp(line, ">From ", 6) == 0));
		if (!skip)
			break;
		at += length;
	}
	return at;
}

bool mail_has_headers(const char *p, size_t size)
{
	return is_header_line(p, whole_line(p, size)) || headers_go_on(p, size);
}

#define MAX_HEADER_LINES 20000
#define MAX_DASH_LINES   20000 /* lines that could be boundaries */

/* A copy that is made only once something has to be left out or put in. */
struct copy {
	const char *p;
	size_t size, copied;
	GByteArray *out; /* NULL: nothing changed so far */
};

/* Takes over all up to `at`, and goes on at `next`. */
static void copy_skip(struct copy *copy, size_t at, size_t next, const char *insert)
{
	if (!copy->out)
		copy->out = g_byte_array_sized_new((guint)copy->size);
	g_byte_array_append(copy->out, (const guint8 *)copy->p + copy->copied, (guint)(at - copy->copied));
	g_byte_array_append(copy->out, (const guint8 *)insert, (guint)strlen(insert));
	copy->copied = next;
}

static GByteArray *copy_end(struct copy *copy)
{
	if (copy->out)
		g_byte_array_append(copy->out, (const guint8 *)copy->p + copy->copied,
		        (guint)(copy->size - copy->copied));
	return copy->out;
}

/* gmime takes a line of blanks for a folded header and loses the text below; lines that are no header among
 * the headers stop it, too. Such lines go, the empty line comes where it is missing. */
static GByteArray *repair_headers(const char *p, size_t size)
{
	struct copy copy = {.p = p, .size = size};
	size_t at = 0;
	int lines = 0;
	for (; lines < MAX_HEADER_LINES && at < size; lines++) {
		const char *line = p + at;
		size_t length = whole_line(line, size - at), after = size - at - length;
		bool blank = is_blank_line(line, length), folded = line[0] == ' ' || line[0] == '\t';
		if (blank && !folded)
			break;
		if (!blank && (folded || is_header_line(line, length))) {
			at += length;
			continue;
		}
		bool more = headers_go_on(line + length, after);
		copy_skip(&copy, at, more || blank ? at + length : at, more ? "" : "\n");
		if (!more)
			break;
		at += length;
	}
	if (lines == MAX_HEADER_LINES)
		copy_skip(&copy, at, at, "\n");
	return copy_end(&copy);
}

/* Headers that gmime decodes while it parses, here and in mails within the mail. */
static bool is_costly_header(const char *p, size_t size)
{
	static const char *const names[] = {
	        "Subject:", "From:", "To:", "Cc:", "Bcc:", "Sender:", "Reply-To:", "Content-"};
	if (!strchr("SsFfTtCcBbRr", *p))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (size > strlen(names[i]) && g_ascii_strncasecmp(p, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The length of the header at `p` with its folded lines. */
static size_t whole_header(const char *p, size_t size)
{
	size_t length = whole_line(p, size);
	while (length < size && (p[length] == ' ' || p[length] == '\t'))
		length += whole_line(p + length, size - length);
	return length;
}

static GByteArray *cut_excess(struct message *message, const char *p, size_t size)
{
	struct copy copy = {.p = p, .size = size};
	unsigned dashes = 0;
	for (size_t at = 0; at < size;) {
		size_t length = whole_line(p + at, size - at);
		if (p[at] == '-' && length > 3 && p[at + 1] == '-' && ++dashes > MAX_DASH_LINES) {
			defect_add(message, "too-many-parts");
			copy_skip(&copy, at, size, "");
			break;
		}
		if (is_costly_header(p + at, length)) {
			length = whole_header(p + at, size - at);
			if (length > HEADER_MAX_VALUE) {
				defect_add(message, "header-cut");
				copy_skip(&copy, at + HEADER_MAX_VALUE, at + length, "\n");
			}
		}
		at += length;
	}
	return copy_end(&copy);
}

GByteArray *mail_repair(struct message *message, const char *p, size_t size)
{
	GByteArray *fixed = repair_headers(p, size);
	if (fixed) {
		defect_add(message, "header-repaired");
		p = (const char *)fixed->data;
		size = fixed->len;
	}
	GByteArray *cut = cut_excess(message, p, size);
	if (!cut)
		return fixed;
	if (fixed)
		g_byte_array_unref(fixed);
	return cut;
}
