/* mime.c - building one small message by hand: what goes out is easier to bound than to check afterwards. */
#include "sinks/mime.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

enum {
	LOCAL_MAX = 64, /* RFC 5321 4.5.3.1 */
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
	LINE_MAX_QP = 75, /* RFC 2045 6.7, without the soft break */
	WORD_MAX = 60,    /* encoded bytes a word: with its frame below 75 (RFC 2047 2) */
	PLAIN_MAX = 66,   /* longest value put in without folding */
	TEXT_MAX = 512,   /* bytes of a header text that are used */
	ID_MAX = 250,     /* longest Message-ID repeated */
	REFERENCES_MAX = 8,
};

static bool local_is_valid(const char *local, size_t length)
{
	if (length == 0 || length > LOCAL_MAX || local[0] == '.' || local[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		bool atom = g_ascii_isalnum(local[i]) || strchr("!#$%&'*+/=?^_`{|}~-", local[i]);
		if (!atom && (local[i] != '.' || local[i + 1] == '.'))
			return false;
	}
	return true;
}

static bool domain_is_valid(const char *domain)
{
	if (!*domain || strlen(domain) > DOMAIN_MAX)
		return false;
	size_t label = 0;
	for (const char *p = domain;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > LABEL_MAX || p[-1] == '-')
				return false;
			label = 0;
			if (*p == '\0')
				return true;
		} else if (g_ascii_isalnum(*p) || (*p == '-' && label > 0))
			label++;
		else
			return false;
	}
}

bool mime_address_is_valid(const char *address)
{
	const char *at = address ? strrchr(address, '@') : NULL;
	return at && local_is_valid(address, (size_t)(at - address)) && domain_is_valid(at + 1);
}

char *mime_verp(const char *bounce, const char *token)
{
	const char *at = strrchr(bounce, '@');
	if (!at)
		return g_strdup("");
	return g_strdup_printf("%.*s+%s%s", (int)(at - bounce), bounce, token, at);
}

/* One line of valid UTF-8 without control characters. */
static char *one_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, TEXT_MAX));
	GString *line = g_string_new(NULL);
	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		bool space = g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029;
		g_string_append_unichar(line, space ? ' ' : c);
	}
	return g_strstrip(g_string_free(line, FALSE));
}

static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return false;
	return strlen(text) <= PLAIN_MAX && !strstr(text, "=?");
}

/* One character as RFC 2047 4.2 writes it; blanks are '_'. */
static void add_encoded(GString *word, const char *from, const char *to)
{
	for (const char *p = from; p < to; p++) {
		if (*p == ' ')
			g_string_append_c(word, '_');
		else if (g_ascii_isalnum(*p))
			g_string_append_c(word, *p);
		else
			g_string_append_printf(word, "=%02X", (unsigned char)*p);
	}
}

/* The Q encoding: base64 padding inside a row of words is more than some readers bear. */
char *mime_encode_words(const char *text, size_t column)
{
	g_autofree char *line = one_line(text);
	if (is_plain(line) && column + strlen(line) <= 78)
		return g_steal_pointer(&line);
	GString *out = g_string_new(NULL);
	for (const char *p = line; *p;) {
		g_autoptr(GString) word = g_string_new(NULL);
		size_t room = out->len ? WORD_MAX : WORD_MAX - MIN(column, WORD_MAX / 2);
		while (*p && word->len + 3 * (size_t)(g_utf8_next_char(p) - p) <= room) {
			add_encoded(word, p, g_utf8_next_char(p));
			p = g_utf8_next_char(p);
		}
		g_string_append_printf(out, "%s=?UTF-8?Q?%s?=", out->len ? "\r\n " : "", word->str);
	}
	return g_string_free(out, FALSE);
}

/* "Name" <address>; the name as a quoted string, or as encoded words. */
static char *mailbox(const struct mime_settings *settings)
{
	g_autofree char *name = settings->from_name ? one_line(settings->from_name) : NULL;
	if (!name || !*name)
		return g_strdup(settings->from_address);
	if (!is_plain(name)) {
		g_autofree char *words = mime_encode_words(name, strlen("From: "));
		return g_strdup_printf("%s\r\n <%s>", words, settings->from_address);
	}
	g_autoptr(GString) quoted = g_string_new("\"");
	for (const char *p = name; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *p);
	}
	return g_strdup_printf("%s\"\r\n <%s>", quoted->str, settings->from_address);
}

static char *format_date(int64_t instant)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char *const months[] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int offset = berlin_offset(instant), year, month, mday;
	int32_t day = berlin_day(instant);
	day_to_civil(day, &year, &month, &mday);
	int64_t seconds = (instant / INSTANT_SECOND + offset) % 86400;
	return g_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d +%02d00", days[day_of_week(day)], mday,
	        months[month - 1], year, (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60),
	        offset / 3600);
}

/* <left@right>, printable ASCII without further brackets: safe to repeat. */
static bool id_is_valid(const char *id, size_t length)
{
	if (length < 5 || length > ID_MAX || id[0] != '<' || id[length - 1] != '>')
		return false;
	for (size_t i = 1; i + 1 < length; i++)
		if (!g_ascii_isgraph(id[i]) || strchr("<>\"(),;:\\[]", id[i]))
			return false;
	const char *at = memchr(id, '@', length);
	return at && at > id + 1 && at < id + length - 2;
}

/* The last well-formed ids of a References header. */
static GPtrArray *references(const struct reply *reply)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
	const char *text = reply->references ? reply->references : "";
	for (const char *p = strchr(text, '<'); p; p = strchr(p + 1, '<')) {
		size_t length = strcspn(p, "> \t\r\n") + 1;
		if (p[length - 1] == '>' && id_is_valid(p, length))
			g_ptr_array_add(ids, g_strndup(p, length));
	}
	if (reply->in_reply_to && id_is_valid(reply->in_reply_to, strlen(reply->in_reply_to)))
		g_ptr_array_add(ids, g_strdup(reply->in_reply_to));
	if (ids->len > REFERENCES_MAX)
		g_ptr_array_remove_range(ids, 0, ids->len - REFERENCES_MAX);
	return ids;
}

static void add_thread(GString *out, const struct reply *reply)
{
	g_autoptr(GPtrArray) ids = references(reply);
	if (reply->in_reply_to && id_is_valid(reply->in_reply_to, strlen(reply->in_reply_to)))
		g_string_append_printf(out, "In-Reply-To: %s\r\n", reply->in_reply_to);
	if (!ids->len)
		return;
	g_string_append(out, "References:");
	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(out, "%s %s", i ? "\r\n" : "", (char *)g_ptr_array_index(ids, i));
	g_string_append(out, "\r\n");
}

/* A dot or "From " at a line's start is not for every program's eyes. */
static bool is_risky(const char *p, size_t column)
{
	return column == 0 && (*p == '.' || strncmp(p, "From ", 5) == 0);
}

/* Quoted-printable (RFC 2045 6.7): LF becomes CRLF, blanks at line ends are encoded. */
static void add_body(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	size_t column = 0;
	for (const char *p = valid; *p; p++) {
		if (*p == '\r')
			continue;
		if (*p == '\n') {
			g_string_append(out, "\r\n");
			column = 0;
			continue;
		}
		bool blank = *p == ' ' || *p == '\t', line_end = p[1] == '\n' || p[1] == '\r' || p[1] == '\0';
		bool plain = blank ? !line_end : *p > 0x20 && *p < 0x7f && *p != '=' && !is_risky(p, column);
		size_t width = plain ? 1 : 3;
		if (column + width > LINE_MAX_QP) {
			g_string_append(out, "=\r\n");
			column = 0;
		}
		if (plain)
			g_string_append_c(out, *p);
		else
			g_string_append_printf(out, "=%02X", (unsigned char)*p);
		column += width;
	}
	if (column > 0)
		g_string_append(out, "\r\n");
}

GBytes *mime_reply(const struct reply *reply, const struct mime_settings *settings, GError **error)
{
	if (!mime_address_is_valid(reply->to)) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "no address that a reply can go to");
		return NULL;
	}
	g_autofree char *from = mailbox(settings);
	g_autofree char *date = format_date(reply->date);
	g_autofree char *subject = mime_encode_words(reply->subject, strlen("Subject: "));
	g_autofree char *loop = one_line(settings->loop);
	GString *out = g_string_new(NULL);
	g_string_append_printf(
	        out, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", from, reply->to, subject, date);
	g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", reply->token, settings->domain);
	add_thread(out, reply);
	g_string_append_printf(out,
	        "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n" MIME_LOOP_HEADER
	        ": %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	        "Content-Transfer-Encoding: quoted-printable\r\nContent-Language: de\r\n\r\n",
	        loop);
	add_body(out, reply->body);
	return g_string_free_to_bytes(out);
}
