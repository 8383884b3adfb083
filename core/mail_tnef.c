/* mail_tnef.c - a bounded look into Outlook's winmail.dat ([MS-OXTNEF]): nobody but Outlook opens it, so the
 * clerk is told which files it holds. */
#include "core/charset.h"
#include "core/mail_part.h"

#include <string.h>

#define MAX_ATTRIBUTES 2000
#define MAX_PROPERTIES 2000

enum {
	ATT_BODY = 0x800c,
	ATT_DATA = 0x800f,
	ATT_TITLE = 0x8010,
	ATT_RENDER = 0x9002,
	ATT_PROPERTIES = 0x9003,
	ATT_ATTACHMENT = 0x9005
};
enum {
	PROP_BODY = 0x1000,
	PROP_LONG_NAME = 0x3707,
	PROP_DISPLAY_NAME = 0x3001,
	PROP_RTF = 0x1009,
	PROP_HTML = 0x1013
};

struct reader {
	const guint8 *p, *end;
};

/* The file that is being described. */
struct tnef_file {
	bool open;
	char *name, *long_name;
	const guint8 *data;
	size_t size;
};

static size_t left(const struct reader *reader)
{
	return (size_t)(reader->end - reader->p);
}

static bool read_number(struct reader *reader, int bytes, guint32 *out)
{
	if (left(reader) < (size_t)bytes)
		return false;
	*out = 0;
	for (int i = 0; i < bytes; i++)
		*out |= (guint32)reader->p[i] << (8 * i);
	reader->p += bytes;
	return true;
}

bool is_tnef(const guint8 *bytes, size_t size)
{
	return size > 6 && memcmp(bytes, "\x78\x9f\x3e\x22", 4) == 0;
}

static char *string_of(const guint8 *p, size_t size, bool wide)
{
	char *text = charset_to_utf8(p, size, wide ? "UTF-16LE" : NULL, NULL, NULL);
	if (*text)
		return text;
	g_free(text);
	return NULL;
}

static void file_close(struct decoding *decoding, struct tnef_file *file)
{
	char *name = file->long_name ? file->long_name : file->name;
	if (file->open && decoding->parts++ < MAIL_MAX_PARTS)
		attachment_add(decoding, name ? g_strdup(name) : NULL, g_strdup("application/octet-stream"),
		        file->data, file->size);
	g_free(file->name);
	g_free(file->long_name);
	*file = (struct tnef_file){.open = false};
}

/* One value of a property; its bytes, padded to four, are skipped. */
static bool read_value(struct reader *reader, guint32 type, const guint8 **data, size_t *size)
{
	guint32 length;
	bool variable = type == 0x1e || type == 0x1f || type == 0x102 || type == 0x0d;
	if (variable) {
		if (!read_number(reader, 4, &length))
			return false;
	} else {
		length = type == 0x14 || type == 0x40 || type == 5 || type == 6 || type == 7 ? 8
		         : type == 0x48                                                      ? 16
		                                                                             : 4;
	}
	size_t padded = ((size_t)length + 3) & ~(size_t)3;
	if (left(reader) < padded)
		return false;
	*data = reader->p;
	*size = length;
	reader->p += padded;
	return true;
}

/* A named property's id is followed by a GUID and a number or a name. */
static bool skip_name(struct reader *reader)
{
	guint32 kind, length;
	if (left(reader) < 20)
		return false;
	reader->p += 16;
	if (!read_number(reader, 4, &kind) || !read_number(reader, 4, &length))
		return false;
	if (kind == 0)
		return true;
	size_t padded = ((size_t)length + 3) & ~(size_t)3;
	if (left(reader) < padded)
		return false;
	reader->p += padded;
	return true;
}

struct property {
	guint32 type, id;
	const guint8 *data;
	size_t size;
};

/* The next property; of a multi-valued one the last value. */
static bool read_property(struct reader *reader, struct property *property)
{
	guint32 tag, values = 1;
	if (!read_number(reader, 4, &tag))
		return false;
	property->type = tag & 0xffff & ~0x1000u;
	property->id = tag >> 16;
	bool variable = property->type == 0x1e || property->type == 0x1f || property->type == 0x102 ||
	                property->type == 0x0d;
	if (property->id >= 0x8000 && !skip_name(reader))
		return false;
	if (((tag & 0x1000) || variable) && !read_number(reader, 4, &values))
		return false;
	if (values > 1000)
		return false;
	property->size = 0;
	for (guint32 i = 0; i < values; i++)
		if (!read_value(reader, property->type, &property->data, &property->size))
			return false;
	return true;
}

static void read_file_properties(struct tnef_file *file, struct reader reader)
{
	guint32 count;
	if (!read_number(&reader, 4, &count))
		return;
	struct property property;
	for (guint32 i = 0; i < MIN(count, MAX_PROPERTIES) && read_property(&reader, &property); i++) {
		bool name = property.id == PROP_LONG_NAME ||
		            (property.id == PROP_DISPLAY_NAME && !file->long_name);
		if (!name || !property.size)
			continue;
		g_free(file->long_name);
		file->long_name = string_of(property.data, property.size, property.type == 0x1f);
	}
}

static void read_message_properties(struct decoding *decoding, struct reader reader)
{
	guint32 count;
	if (!read_number(&reader, 4, &count))
		return;
	struct property property;
	for (guint32 i = 0; i < MIN(count, MAX_PROPERTIES) && read_property(&reader, &property); i++) {
		if (property.id == PROP_BODY && property.size && decoding->body->text->len == 0) {
			g_autofree char *text =
			        string_of(property.data, property.size, property.type == 0x1f);
			GByteArray bytes = {(guint8 *)text, (guint)(text ? strlen(text) : 0)};
			text_plain_append(decoding, &bytes, NULL);
		} else if ((property.id == PROP_RTF || property.id == PROP_HTML) && property.size &&
		           decoding->parts++ < MAIL_MAX_PARTS) {
			bool rtf = property.id == PROP_RTF;
			attachment_add(decoding, g_strdup(rtf ? "body.rtf" : "body.html"),
			        g_strdup(rtf ? "text/rtf" : "text/html"), property.data, property.size);
		}
	}
}

static void attribute(struct decoding *decoding, struct tnef_file *file, guint32 id, struct reader data)
{
	switch (id) {
	case ATT_RENDER:
		file_close(decoding, file);
		file->open = true;
		break;
	case ATT_TITLE:
		g_free(file->name);
		file->name = string_of(data.p, left(&data), false);
		break;
	case ATT_DATA:
		file->data = data.p;
		file->size = left(&data);
		break;
	case ATT_ATTACHMENT:
		read_file_properties(file, data);
		break;
	case ATT_PROPERTIES:
		read_message_properties(decoding, data);
		break;
	case ATT_BODY:
		if (decoding->body->text->len == 0) {
			GByteArray bytes = {(guint8 *)(uintptr_t)data.p, (guint)left(&data)};
			text_plain_append(decoding, &bytes, NULL);
		}
		break;
	default:
		break;
	}
}

void tnef_open(struct decoding *decoding, const guint8 *bytes, size_t size)
{
	struct reader reader = {bytes + 6, bytes + size};
	struct tnef_file file = {.open = false};
	guint32 level, tag, length;
	for (int i = 0; i < MAX_ATTRIBUTES; i++) {
		if (!read_number(&reader, 1, &level) || !read_number(&reader, 4, &tag) ||
		        !read_number(&reader, 4, &length) || left(&reader) < length)
			break;
		attribute(decoding, &file, tag & 0xffff, (struct reader){reader.p, reader.p + length});
		reader.p += length;
		guint32 checksum;
		if (!read_number(&reader, 2, &checksum))
			break;
	}
	file_close(decoding, &file);
}
