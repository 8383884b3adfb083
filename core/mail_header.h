/* mail_header.h - header values as they stand in the wild: folded, encoded (RFC 2047), broken.
 *
 * Used by the decoder only; everything works on raw values, because gmime's own decoding drops bytes.
 */
#ifndef CORE_MAIL_HEADER_H
#define CORE_MAIL_HEADER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Longer values are cut before they are looked at. */
#define HEADER_MAX_VALUE     65536
#define HEADER_MAX_ADDRESSES 1000

/* One line, encoded words decoded, whitespace at both ends gone. Bytes outside of encoded words are read in
 * `charset` (that of the mail, may be NULL). *broken is set to true if something had to be repaired. */
char *header_decode(const char *raw, const char *charset, bool *broken);

struct address {
	char *name;  /* decoded display name, or NULL */
	char *email; /* addr-spec without route and brackets, or NULL where there is none */
};

/* RFC 5322 section 3.4 and what people make of it. GPtrArray of struct address; free with g_ptr_array_unref.
 */
GPtrArray *addresses_parse(const char *raw, const char *charset);

/* "Name <addr>", "addr" or "Name"; NULL if the address is empty. */
char *address_format(const struct address *address);

/* Does the stretch look like local@domain? */
bool is_address(const char *text, size_t size);

/* The parameter of a structured header ("charset" of Content-Type, "filename" of Content-Disposition), RFC
 * 2231 continuations and charsets undone, or NULL. `raw` may be NULL. */
char *header_parameter(const char *raw, const char *name, const char *charset);

#endif
