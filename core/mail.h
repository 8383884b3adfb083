/* mail.h - from the bytes of a mail to a `struct message` (RFC 5322, 2045-2049, 2231, 3464, 3834).
 *
 * Never fails: what cannot be read is said in `defects`, `undecodable` and `unsuitable`. Bounded in depth,
 * parts, bytes and time by MAIL_MAX_*. Pure: the same bytes give the same message on every machine.
 */
#ifndef CORE_MAIL_H
#define CORE_MAIL_H

#include "core/item.h"

#define MAIL_MAX_DEPTH 30
#define MAIL_MAX_PARTS 1000
#define MAIL_MAX_TEXT  (2 * 1024 * 1024) /* bytes of readable text kept */

/* Once per process before any other call (g_mime_init is not thread-safe). */
void mail_setup(void);

/* `envelope_from`: from the source, NULL if unknown ("" is the null sender). channel is set to email. */
struct message *mail_decode(GBytes *raw, const char *envelope_from);

/* The object that `posteingang inspect` prints (DESIGN.md section 5). New reference. */
json_t *mail_inspect(GBytes *raw);

/* Readable text of an HTML document: hidden text does not count. Free with g_free. */
char *html_to_text(const char *html, size_t size);

/* A stretch of `text`, in bytes. */
struct span {
	uint32_t offset, length;
};

/* The writer's own words in `text`: what is neither quoted or forwarded history nor signature or disclaimer.
 * GArray of struct span in order; *quoted says whether history was found. Free with g_array_unref. */
GArray *reply_spans(const char *text, size_t size, bool *quoted);

/* Automatic or not, from sender, subject and text alone (no headers at hand). */
enum automatic automatic_from_text(const char *from_email, const char *subject, const char *text);

#endif
