/* mail_unsuitable.c - files that nobody can open: told by a few bytes, without opening them (§36a III SGB I:
 * the sender has to be told). */
#include "core/mail_part.h"

#include <string.h>

static guint32 little32(const guint8 *p)
{
	return (guint32)p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

static guint16 little16(const guint8 *p)
{
	return (guint16)(p[0] | p[1] << 8);
}

/* The end record of a zip's central directory (APPNOTE 4.3.16), or NULL. */
static const guint8 *zip_end(const guint8 *bytes, size_t size)
{
	for (size_t back = 22; back <= size && back <= 22 + 65535; back++)
		if (memcmp(bytes + size - back, "PK\5\6", 4) == 0)
			return bytes + size - back;
	return NULL;
}

/* Bit 0 of the general purpose flags of any member. */
static bool zip_encrypted(const guint8 *bytes, size_t size)
{
	const guint8 *end = zip_end(bytes, size);
	if (!end) /* cut off: the first member tells */
		return size > 30 && (little16(bytes + 6) & 1);
	size_t at = little32(end + 16);
	for (unsigned i = 0; i < 65535 && at + 46 <= size; i++) {
		const guint8 *entry = bytes + at;
		if (memcmp(entry, "PK\1\2", 4) != 0)
			break;
		if (little16(entry + 8) & 1)
			return true;
		at += 46u + little16(entry + 28) + little16(entry + 30) + little16(entry + 32);
	}
	return false;
}

/* ISO 32000-1 section 7.5.5: the trailer of an encrypted PDF has /Encrypt and a reference or dictionary. */
static bool pdf_encrypted(const guint8 *bytes, size_t size)
{
	const guint8 *p = bytes, *end = bytes + size;
	while ((p = memmem(p, (size_t)(end - p), "/Encrypt", 8)) != NULL) {
		p += 8;
		while (p < end && g_ascii_isspace(*p))
			p++;
		if (p < end && (g_ascii_isdigit(*p) || *p == '<'))
			return true;
	}
	return false;
}

/* [MS-OFFCRYPTO]: an encrypted Office file is an OLE container with a stream of this name; a Word 97 file
 * says it in its FIB. */
static bool ole_encrypted(const guint8 *bytes, size_t size)
{
	static const char name[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
	if (memmem(bytes, size, name, sizeof name))
		return true;
	return size > 0x20c && little16(bytes + 0x200) == 0xa5ec && (little16(bytes + 0x20a) & 0x0100);
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = name ? strlen(name) : 0, s = strlen(suffix);
	return n >= s && g_ascii_strcasecmp(name + n - s, suffix) == 0;
}

static bool has_magic(const guint8 *bytes, size_t size, const char *magic, size_t length)
{
	return size >= length && memcmp(bytes, magic, length) == 0;
}

const char *unsuitable_reason(const char *type, const char *name, const guint8 *bytes, size_t size)
{
	if (strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0 ||
	        ends_with(name, ".p7m"))
		return "smime";
	if (strcmp(type, "application/pgp-encrypted") == 0 || ends_with(name, ".pgp") ||
	        has_magic(bytes, size, "-----BEGIN PGP MESSAGE", 22))
		return "pgp";
	if (is_tnef(bytes, size) || strcmp(type, "application/ms-tnef") == 0 ||
	        strcmp(type, "application/vnd.ms-tnef") == 0 ||
	        (name && g_ascii_strcasecmp(name, "winmail.dat") == 0))
		return "winmail";
	bool encrypted = (has_magic(bytes, size, "PK\3\4", 4) && zip_encrypted(bytes, size)) ||
	                 (has_magic(bytes, size, "%PDF", 4) && pdf_encrypted(bytes, size)) ||
	                 (has_magic(bytes, size, "\xd0\xcf\x11\xe0", 4) && ole_encrypted(bytes, size));
	return encrypted ? "encrypted" : NULL;
}
