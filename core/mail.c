/* mail.c - one mail: headers, then the parts, then what they say together. */
#include "core/mail.h"
#include "core/automatic.h"
#include "core/charset.h"
#include "core/hash.h"
#include "core/mail_header.h"
#include "core/mail_part.h"
#include "core/mail_repair.h"
#include "core/mail_reply.h"

#include <string.h>

#define MAX_SUBJECT    4096
#define MAX_RECIPIENTS 200

void mail_setup(void)
{
	static gsize once;
	if (g_once_init_enter(&once)) {
		g_mime_init();
		g_once_init_leave(&once, 1);
	}
}

/* `view` lies over the caller's bytes and must outlive the tree, whose parts point into it. */
static GMimeMessage *parse(GByteArray *view)
{
	OBJECT(GMimeStream) stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), view);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	OBJECT(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
	return g_mime_parser_construct_message(parser, NULL);
}

/* Headers are read in the charset the mail declares for its text, if it declares one. */
struct headers {
	struct message *message;
	GMimeObject *object;
	char *charset;
};

static void note_broken(const struct headers *headers, bool broken)
{
	if (broken)
		defect_add(headers->message, "header-repaired");
}

static char *read_text(const struct headers *headers, const char *name)
{
	const char *raw = part_header(headers->object, name);
	bool broken = false;
	char *text = raw ? header_decode(raw, headers->charset, &broken) : NULL;
	note_broken(headers, broken);
	return text;
}

static GPtrArray *read_addresses(const struct headers *headers, const char *name)
{
	const char *raw = part_header(headers->object, name);
	return addresses_parse(raw ? raw : "", headers->charset);
}

static const struct address *first_author(const GPtrArray *addresses)
{
	for (guint i = 0; i < addresses->len; i++) {
		const struct address *address = g_ptr_array_index(addresses, i);
		if (address->email)
			return address;
	}
	return addresses->len ? g_ptr_array_index(addresses, 0) : NULL;
}

static void read_author(const struct headers *headers)
{
	static const char *const names[] = {"From", "Sender", "Return-Path"};
	struct message *message = headers->message;
	for (size_t i = 0; i < G_N_ELEMENTS(names) && !message->from_email && !message->from_name; i++) {
		g_autoptr(GPtrArray) addresses = read_addresses(headers, names[i]);
		const struct address *author = first_author(addresses);
		if (!author)
			continue;
		message->from_name = g_strdup(author->name);
		message->from_email = g_strdup(author->email);
		if (i)
			defect_add(message, "no-from");
	}
}

static void read_recipients(const struct headers *headers, const char *name)
{
	g_autoptr(GPtrArray) addresses = read_addresses(headers, name);
	for (guint i = 0; i < addresses->len && headers->message->to->len < MAX_RECIPIENTS; i++) {
		char *text = address_format(g_ptr_array_index(addresses, i));
		if (text)
			g_ptr_array_add(headers->message->to, text);
	}
}

/* "<id@host>" → "id@host". */
static char *read_id(const struct headers *headers, const char *name)
{
	char *value = read_text(headers, name);
	if (!value)
		return NULL;
	char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
	if (!close)
		return value;
	char *id = g_strstrip(g_strndup(open + 1, (size_t)(close - open - 1)));
	g_free(value);
	return id;
}

static char *read_date(const struct headers *headers)
{
	char *value = read_text(headers, "Date");
	g_autoptr(GDateTime) date = value ? g_mime_utils_header_decode_date(value) : NULL;
	char *text = date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
	if (!text)
		return value;
	g_free(value);
	return text;
}

static void read_reply_to(const struct headers *headers)
{
	g_autoptr(GPtrArray) addresses = read_addresses(headers, "Reply-To");
	const struct address *first = first_author(addresses);
	if (first)
		headers->message->reply_to = address_format(first);
}

/* Mailers in Japan and Russia write headers in the raw charset of the text. */
static char *text_charset(GMimeObject *object)
{
	for (int depth = 0; depth < 4 && GMIME_IS_MULTIPART(object); depth++) {
		if (g_mime_multipart_get_count(GMIME_MULTIPART(object)) == 0)
			return NULL;
		object = g_mime_multipart_get_part(GMIME_MULTIPART(object), 0);
	}
	return object ? header_parameter(part_header(object, "Content-Type"), "charset", NULL) : NULL;
}

static void cut_text(char *text, size_t max)
{
	if (!text || strlen(text) <= max)
		return;
	while (max && ((guchar)text[max] & 0xc0) == 0x80)
		max--;
	text[max] = '\0';
}

static void read_headers(struct message *message, GMimeMessage *mail)
{
	struct headers headers = {
	        message, GMIME_OBJECT(mail), text_charset(g_mime_message_get_mime_part(mail))};
	message->subject = read_text(&headers, "Subject");
	cut_text(message->subject, MAX_SUBJECT);
	message->message_id = read_id(&headers, "Message-ID");
	message->in_reply_to = read_id(&headers, "In-Reply-To");
	message->date = read_date(&headers);
	read_author(&headers);
	read_reply_to(&headers);
	read_recipients(&headers, "To");
	read_recipients(&headers, "Cc");
	g_free(headers.charset);
}

/* Every line with "> " in front: a mail that is shown as history. */
static void append_quoted(GString *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		g_string_append(out, "> ");
		g_string_append_len(out, text, (gssize)length);
		g_string_append_c(out, '\n');
		text += length + (text[length] == '\n');
	}
}

static void decode_tree(struct decoding *decoding, GMimeMessage *mail, int depth);

/* The mails in the tree, outermost first; not what those hold. */
static void find_inner(GMimeObject *object, GPtrArray *found, int depth)
{
	if (depth > MAIL_MAX_DEPTH || found->len >= 20)
		return;
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		if (inner)
			g_ptr_array_add(found, inner);
	} else if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);
		int count = MIN(g_mime_multipart_get_count(multipart), MAIL_MAX_PARTS);
		for (int i = 0; i < count; i++)
			find_inner(g_mime_multipart_get_part(multipart, i), found, depth + 1);
	}
}

static void append_line(GString *out, const char *label, char *value)
{
	if (value && *value)
		g_string_append_printf(out, "> %s: %s\n", label, value);
	g_free(value);
}

/* A forwarded mail, shown as history under the words of who forwards it. */
#define MAX_INNER 5 /* mails in mails in mails */

static void show_inner(struct decoding *decoding, GMimeMessage *inner, int depth)
{
	struct body *whole = decoding->body;
	g_autoptr(GString) shown = g_string_new(NULL);
	AUTO(message) head = message_new();
	read_headers(head, inner);
	struct address from = {head->from_name, head->from_email};
	append_line(shown, "Von", address_format(&from));
	append_line(shown, "Betreff", g_strdup(head->subject));
	g_string_append(shown, ">\n");
	decoding->body = body_new();
	decode_tree(decoding, inner, depth + 1);
	append_quoted(shown, decoding->body->text->str);
	body_free(decoding->body);
	decoding->body = whole;
	body_append(decoding, shown->str, shown->len);
}

/* Texts and files of one mail. Mails that it carries are read only where it has no words of its own: then
 * they are what the sender wants to be read. */
static void decode_tree(struct decoding *decoding, GMimeMessage *mail, int depth)
{
	GMimeObject *root = g_mime_message_get_mime_part(mail);
	if (!root || depth > MAIL_MAX_DEPTH)
		return;
	part_walk(decoding, root, depth);
	const char *text = decoding->body->text->str;
	if (text[strspn(text, " \t\n")] || decoding->parts > MAIL_MAX_PARTS || depth >= MAX_INNER)
		return;
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	find_inner(root, found, depth);
	for (guint i = 0; i < found->len; i++)
		show_inner(decoding, g_ptr_array_index(found, i), depth);
}

/* No headers at all: what is there is the text. */
static void decode_bare(struct decoding *decoding, const char *data, size_t size)
{
	GByteArray bytes = {(guint8 *)(uintptr_t)data, (guint)size};
	defect_add(decoding->message, "no-headers");
	text_plain_append(decoding, &bytes, NULL);
}

/* More than a twentieth of strange characters (control bytes, U+FFFD): no text, whatever it says it is. */
static bool is_garbage(const char *text)
{
	size_t strange = 0, seen = 0;
	for (const guchar *p = (const guchar *)text; *p && seen < 40000; p++, seen++) {
		if (*p == 0xef && p[1] == 0xbf && p[2] == 0xbd)
			strange += 3;
		else if (*p < 0x20 && *p != '\n' && *p != '\t')
			strange++;
	}
	return strange > seen / 20;
}

void message_finish_text(struct message *message)
{
	bool quoted;
	size_t size = strlen(message->text);
	g_autoptr(GArray) spans = reply_spans(message->text, size, &quoted);
	GString *reply = g_string_sized_new(size);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		g_string_append_len(reply, message->text + span->offset, span->length);
	}
	message->reply_text = g_string_free(reply, FALSE);
	message->quoted = quoted;
}

/* Everything that stands in the bytes; `data` begins at the headers. */
static GMimeMessage *decode_mail(struct decoding *decoding, GByteArray *view)
{
	const char *data = (const char *)view->data;
	bool headed = mail_has_headers(data, view->len);
	GMimeMessage *mail = headed ? parse(view) : NULL;
	if (mail) {
		read_headers(decoding->message, mail);
		decode_tree(decoding, mail, 0);
	} else {
		decode_bare(decoding, data, view->len);
	}
	return mail;
}

struct message *mail_decode(GBytes *raw, const char *envelope_from)
{
	gsize size;
	const char *data = g_bytes_get_data(raw, &size);
	data = data ? data : "";
	struct message *message = message_new();
	struct decoding decoding = {.message = message, .body = body_new()};
	message->channel = CHANNEL_EMAIL;
	message->envelope_from = g_strdup(envelope_from);
	size_t from = size ? mail_start(data, size) : 0;
	g_autoptr(GByteArray) fixed = from < size ? mail_repair(message, data + from, size - from) : NULL;
	GByteArray view = {(guint8 *)(uintptr_t)(data + from), (guint)(size - from)};
	OBJECT(GMimeMessage) mail = from < size ? decode_mail(&decoding, fixed ? fixed : &view) : NULL;
	message->text = g_string_free(g_steal_pointer(&decoding.body->text), FALSE);
	message->html = g_steal_pointer(&decoding.body->html);
	g_free(decoding.body);
	message->undecodable = size == 0 || is_garbage(message->text);
	message_finish_text(message);
	automatic_mark(message, mail);
	return message;
}
