/* mail_part.c - which part is the text and which a file: RFC 8621 section 4.1.4's rules, made forgiving. */
#include "core/mail_part.h"
#include "core/hash.h"
#include "core/mail_encoding.h"
#include "core/mail_header.h"

#include <gnutls/pkcs7.h>
#include <string.h>

struct body *body_new(void)
{
	struct body *body = g_new0(struct body, 1);
	body->text = g_string_new(NULL);
	return body;
}

void body_free(struct body *body)
{
	if (!body)
		return;
	g_string_free(body->text, TRUE);
	g_free(body->html);
	g_free(body);
}

void defect_add(struct message *message, const char *word)
{
	for (guint i = 0; i < message->defects->len; i++)
		if (strcmp(g_ptr_array_index(message->defects, i), word) == 0)
			return;
	g_ptr_array_add(message->defects, g_strdup(word));
}

const char *part_header(GMimeObject *object, const char *name)
{
	GMimeHeader *header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
	return header ? g_mime_header_get_raw_value(header) : NULL;
}

/* The undecoded content, in place where the parser left it in the caller's buffer. */
static const char *raw_content(GMimeDataWrapper *wrapper, size_t *size)
{
	GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;
	*size = 0;
	if (!GMIME_IS_STREAM_MEM(stream))
		return "";
	GByteArray *buffer = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	gint64 start = stream->bound_start, end = stream->bound_end;
	if (end < 0 || end > (gint64)buffer->len)
		end = (gint64)buffer->len;
	if (start < 0 || start >= end)
		return "";
	*size = (size_t)(end - start);
	return (const char *)buffer->data + start;
}

GByteArray *part_content(GMimePart *part, bool *broken)
{
	GByteArray *out = g_byte_array_sized_new(16); /* so that data is never NULL */
	size_t size;
	const char *raw = raw_content(g_mime_part_get_content(part), &size);
	const char *encoding = part_header(GMIME_OBJECT(part), "Content-Transfer-Encoding");
	encoding_decode(encoding_of(encoding), raw, size, out, broken);
	return out;
}

struct attachment *attachment_add(
        struct decoding *decoding, char *name, char *type, const void *bytes, size_t size)
{
	struct attachment *attachment = attachment_new();
	attachment->name = name;
	attachment->type = type;
	attachment->bytes = (int64_t)size;
	hash_hex(bytes ? bytes : "", size, attachment->sha256);
	attachment->unsuitable = unsuitable_reason(type, name, bytes, size);
	if (attachment->unsuitable && !decoding->message->unsuitable)
		decoding->message->unsuitable = attachment->unsuitable;
	g_ptr_array_add(decoding->message->attachments, attachment);
	return attachment;
}

/* "text/plain", lower case; what has no subtype or is missing counts as text/plain (RFC 2045 section 5.2). */
static char *type_of(GMimeObject *object)
{
	GMimeContentType *parsed = g_mime_object_get_content_type(object);
	const char *raw = part_header(object, "Content-Type");
	while (raw && g_ascii_isspace(*raw))
		raw++;
	if (!parsed || (raw && g_ascii_strncasecmp(raw, "text", 4) == 0 && raw[4] != '/'))
		return g_strdup("text/plain");
	g_autofree char *type = g_mime_content_type_get_mime_type(parsed);
	return g_ascii_strdown(type, -1);
}

static char *name_of(GMimeObject *object)
{
	char *name = header_parameter(part_header(object, "Content-Disposition"), "filename", NULL);
	if (!name || !*name) {
		g_free(name);
		name = header_parameter(part_header(object, "Content-Type"), "name", NULL);
	}
	if (name && !*name)
		g_clear_pointer(&name, g_free);
	return name;
}

static bool is_attachment(GMimeObject *object)
{
	const char *raw = part_header(object, "Content-Disposition");
	while (raw && g_ascii_isspace(*raw))
		raw++;
	return raw && g_ascii_strncasecmp(raw, "attachment", 10) == 0;
}

/* Where a part stands, as far as it matters for what it is. */
struct place {
	bool first;   /* of its multipart */
	bool related; /* directly in multipart/related */
};

static bool is_text(GMimeObject *object, const char *type, const char *name, struct place place)
{
	bool readable = strcmp(type, "text/plain") == 0 || strcmp(type, "text/html") == 0 ||
	                strcmp(type, "text/enriched") == 0 || strcmp(type, "text/richtext") == 0;
	if (!readable || is_attachment(object))
		return false;
	return place.first || (!place.related && !name);
}

/* Opaque S/MIME (RFC 8551 section 3.5): a signature around a mail that can be read. */
static bool open_signed(struct decoding *decoding, const GByteArray *bytes, int depth)
{
	gnutls_pkcs7_t pkcs7;
	gnutls_datum_t in = {bytes->data, bytes->len}, inner = {NULL, 0};
	if (gnutls_pkcs7_init(&pkcs7) < 0)
		return false;
	bool ok = gnutls_pkcs7_import(pkcs7, &in, GNUTLS_X509_FMT_DER) == 0 &&
	          gnutls_pkcs7_get_embedded_data(pkcs7, 0, &inner) == 0;
	gnutls_pkcs7_deinit(pkcs7);
	if (!ok)
		return false;
	OBJECT(GMimeStream) stream = g_mime_stream_mem_new_with_buffer((const char *)inner.data, inner.size);
	OBJECT(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
	OBJECT(GMimeObject) object = g_mime_parser_construct_part(parser, NULL);
	gnutls_free(inner.data);
	if (object)
		part_walk(decoding, object, depth + 1);
	return object != NULL;
}

static void leaf(struct decoding *decoding, GMimePart *part, struct place place, int depth)
{
	GMimeObject *object = GMIME_OBJECT(part);
	bool broken = false;
	g_autofree char *type = type_of(object);
	g_autofree char *name = name_of(object);
	bool text = is_text(object, type, name, place);
	g_autoptr(GByteArray) bytes = part_content(part, &broken);
	if (broken)
		defect_add(decoding->message, "encoding-repaired");
	const char *raw_type = part_header(object, "Content-Type");
	if (text && decoding->settled)
		return;
	if (text) {
		if (strcmp(type, "text/plain") == 0)
			text_plain_append(decoding, bytes, raw_type);
		else
			text_html_append(decoding, bytes, raw_type);
		return;
	}
	bool smime =
	        strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0;
	if (smime && open_signed(decoding, bytes, depth))
		return;
	if (is_tnef(bytes->data, bytes->len))
		tnef_open(decoding, bytes->data, bytes->len);
	attachment_add(decoding, g_steal_pointer(&name), g_steal_pointer(&type), bytes->data, bytes->len);
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* "Your mail program cannot show HTML": no text of the writer, if a branch beside it says far more. */
static bool may_be_stub(const struct body *body)
{
	if (body->text->len > 500)
		return false;
	g_autofree char *lower = g_ascii_strdown(body->text->str, -1);
	return strstr(lower, "html") &&
	       (strstr(lower, "mail") || strstr(lower, "view") || strstr(lower, "format"));
}

static bool is_stub(const struct body *body, size_t longest)
{
	return longest >= 3 * body->text->len && may_be_stub(body);
}

/* Plain text that is chosen whatever the branches behind it say. */
static bool is_settled(const struct body *body)
{
	return body->has_plain && !is_blank(body->text->str) && !may_be_stub(body);
}

/* The branch of a multipart/alternative that says most plainly what was written: plain text, if there is
 * any, else the first that can be read. */
static guint best_branch(const GPtrArray *branches)
{
	guint readable = branches->len;
	size_t longest = 0;
	for (guint i = 0; i < branches->len; i++)
		longest = MAX(longest, ((const struct body *)g_ptr_array_index(branches, i))->text->len);
	for (guint i = 0; i < branches->len; i++) {
		const struct body *body = g_ptr_array_index(branches, i);
		if (is_blank(body->text->str))
			continue;
		if (body->has_plain && !is_stub(body, longest))
			return i;
		if (readable == branches->len || !body->has_plain)
			readable = i;
	}
	return readable == branches->len ? 0 : readable;
}

static void walk_at(struct decoding *decoding, GMimeObject *object, struct place place, int depth);
static void walk_multipart(struct decoding *decoding, GMimeMultipart *multipart, const char *type, int depth);

static void body_take(struct decoding *decoding, struct body *from)
{
	body_append(decoding, from->text->str, from->text->len);
	decoding->body->has_plain |= from->has_plain;
	if (!decoding->body->html)
		decoding->body->html = g_steal_pointer(&from->html);
}

static void walk_alternative(struct decoding *decoding, GMimeMultipart *multipart, int depth)
{
	g_autoptr(GPtrArray) branches = g_ptr_array_new_with_free_func((GDestroyNotify)body_free);
	struct body *whole = decoding->body;
	bool settled = decoding->settled;
	int count = g_mime_multipart_get_count(multipart);
	for (int i = 0; i < count && decoding->parts <= MAIL_MAX_PARTS; i++) {
		decoding->body = body_new();
		g_ptr_array_add(branches, decoding->body);
		walk_at(decoding, g_mime_multipart_get_part(multipart, i), (struct place){.first = true},
		        depth + 1);
		decoding->settled |= is_settled(decoding->body);
	}
	decoding->body = whole;
	decoding->settled = settled;
	if (branches->len)
		body_take(decoding, g_ptr_array_index(branches, best_branch(branches)));
}

/* The first line of `text` that looks like a boundary, without its dashes, or NULL. */
static char *guess_boundary(const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\r\n"), next = strcspn(line, "\n");
		const char *here = line;
		line += next + (line[next] == '\n');
		while (length && here[length - 1] == ' ')
			length--;
		bool dashes = here[0] == '-' && here[1] == '-' && length > 2 && length < 200;
		if (dashes && !memchr(here, ' ', length) && !memchr(here, '"', length))
			return g_strndup(here + 2, length - 2);
	}
	return NULL;
}

/* Lines that only separate parts say nothing to a reader. */
static void append_without_boundaries(struct decoding *decoding, const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	while (*text) {
		size_t length = strcspn(text, "\n");
		length += text[length] == '\n';
		if (text[0] != '-' || text[1] != '-' || memchr(text, ' ', length))
			g_string_append_len(out, text, (gssize)length);
		text += length;
	}
	GByteArray bytes = {(guint8 *)out->str, (guint)out->len};
	text_plain_append(decoding, &bytes, NULL);
}

/* A multipart whose boundary is missing or never occurs: what the first line that looks like one says is
 * tried; without such a line the content is text. */
static void walk_childless(struct decoding *decoding, GMimeMultipart *multipart, const char *type, int depth)
{
	const char *text = g_mime_multipart_get_prologue(multipart);
	defect_add(decoding->message, "no-boundary");
	if (!text || is_blank(text))
		text = g_mime_multipart_get_epilogue(multipart);
	g_autofree char *boundary = text ? guess_boundary(text) : NULL;
	if (!boundary) {
		append_without_boundaries(decoding, text ? text : "");
		return;
	}
	g_autofree char *whole =
	        g_strdup_printf("Content-Type: %s; boundary=\"%s\"\n\n%s", type, boundary, text);
	OBJECT(GMimeStream) stream = g_mime_stream_mem_new_with_buffer(whole, strlen(whole));
	OBJECT(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
	OBJECT(GMimeObject) object = g_mime_parser_construct_part(parser, NULL);
	if (GMIME_IS_MULTIPART(object) && g_mime_multipart_get_count(GMIME_MULTIPART(object)) > 0)
		walk_multipart(decoding, GMIME_MULTIPART(object), type, depth + 1);
	else
		append_without_boundaries(decoding, text);
}

static void walk_multipart(struct decoding *decoding, GMimeMultipart *multipart, const char *type, int depth)
{
	int count = g_mime_multipart_get_count(multipart);
	if (count == 0) {
		walk_childless(decoding, multipart, type, depth);
		return;
	}
	if (strcmp(type, "multipart/alternative") == 0) {
		walk_alternative(decoding, multipart, depth);
		return;
	}
	if (strcmp(type, "multipart/report") == 0 && !decoding->report)
		decoding->report = GMIME_OBJECT(multipart);
	if (strcmp(type, "multipart/encrypted") == 0 && !decoding->message->unsuitable)
		decoding->message->unsuitable = "pgp";
	struct place place = {.first = true, .related = strcmp(type, "multipart/related") == 0};
	for (int i = 0; i < count && decoding->parts <= MAIL_MAX_PARTS; i++, place.first = false)
		walk_at(decoding, g_mime_multipart_get_part(multipart, i), place, depth + 1);
}

/* A mail in a mail is a file. */
static void walk_message(struct decoding *decoding, GMimeMessagePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	OBJECT(GMimeStream) stream = g_mime_stream_mem_new();
	GMimeMessage *inner = g_mime_message_part_get_message(part);
	if (inner)
		g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	attachment_add(decoding, name_of(object), type_of(object), bytes->data, bytes->len);
}

static void walk_at(struct decoding *decoding, GMimeObject *object, struct place place, int depth)
{
	if (depth > MAIL_MAX_DEPTH) {
		defect_add(decoding->message, "too-deep");
		return;
	}
	if (++decoding->parts > MAIL_MAX_PARTS) {
		defect_add(decoding->message, "too-many-parts");
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		g_autofree char *type = type_of(object);
		walk_multipart(decoding, GMIME_MULTIPART(object), type, depth);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		walk_message(decoding, GMIME_MESSAGE_PART(object));
	} else if (GMIME_IS_PART(object)) {
		leaf(decoding, GMIME_PART(object), place, depth);
	}
}

void part_walk(struct decoding *decoding, GMimeObject *object, int depth)
{
	walk_at(decoding, object, (struct place){.first = true}, depth);
}
