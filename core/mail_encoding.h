/* mail_encoding.h - transfer encodings, read so that nothing readable is lost (RFC 2045 section 6; uuencode;
 * yEnc). */
#ifndef CORE_MAIL_ENCODING_H
#define CORE_MAIL_ENCODING_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum encoding { ENCODING_IDENTITY, ENCODING_BASE64, ENCODING_QUOTED_PRINTABLE, ENCODING_UUENCODE };

/* By the value of Content-Transfer-Encoding, which may be NULL or nonsense (identity). */
enum encoding encoding_of(const char *value);

/* Appends the decoded bytes. Base64 skips blanks and line noise, needs no padding, and ends where a list's
 * plain footer begins. *broken is set to true if the data was not what the encoding says; data that is not
 * encoded at all is taken as it is. */
void encoding_decode(enum encoding encoding, const char *data, size_t size, GByteArray *out, bool *broken);

/* The payload of an RFC 2047 word. */
void base64_append(GByteArray *out, const char *text, size_t size, bool *broken);

/* A file in the middle of a text ("begin 644 name" … "end", "=ybegin … name=" … "=yend"), at the start of the
 * line `line`. Returns the bytes it takes, 0 if there is none; *name is set (free with g_free) and the
 * content appended to `out`. */
size_t inline_file(const char *line, size_t size, char **name, GByteArray *out);

#endif
