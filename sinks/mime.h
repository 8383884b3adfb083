/* mime.h - a reply as an RFC 5322 message: ASCII only, lines ≤ 78, nothing that an outsider wrote can add a
 * header.
 *
 * Carries Auto-Submitted: auto-replied and X-Auto-Response-Suppress (RFC 3834 and practice), a loop marker, a
 * Message-ID made of the reply's token, In-Reply-To and References as far as they are well-formed; no quote,
 * no attachment, no Reply-To.
 */
#ifndef SINKS_MIME_H
#define SINKS_MIME_H

#include "sinks/sink.h"

#define MIME_LOOP_HEADER "X-Posteingang-Loop"

struct mime_settings {
	const char *from_address, *from_name; /* name may be NULL */
	const char *domain;                   /* right side of the Message-ID */
	const char *loop;                     /* value of the loop marker: the journal's instance */
};

/* ERROR_INPUT, scope ITEM, never: the address is none we write to. */
GBytes *mime_reply(const struct reply *reply, const struct mime_settings *settings, GError **error);

/* local@domain as we accept it: dot-atom of ASCII, host name of letters, digits and hyphens; no quoted
 * strings, literals, comments, display names. */
bool mime_address_is_valid(const char *address);

/* "bounce@example.org" and a token give "bounce+TOKEN@example.org" (VERP); "" stays "" (null sender). */
char *mime_verp(const char *bounce, const char *token);

/* A header value as encoded words where needed (RFC 2047), folded. `column`: where it begins. */
char *mime_encode_words(const char *text, size_t column);

#endif
