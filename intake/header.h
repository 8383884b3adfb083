/* header.h - the few header fields that intake itself needs, from raw bytes (RFC 5322 2.2).
 *
 * Decoding proper is core/mail.h's; here only the time of receipt and the envelope sender are looked up.
 */
#ifndef INTAKE_HEADER_H
#define INTAKE_HEADER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADER_MAX (256 * 1024) /* bytes of header looked at */

/* The first field of that name, unfolded, without the blanks around it; NULL if there is none. g_free. */
char *header_first(const char *raw, size_t size, const char *name);

/* Time of the topmost Received: if it was written by one of `hosts` (GPtrArray of char *, "by HOST"). */
bool header_received(const char *raw, size_t size, const GPtrArray *hosts, int64_t *out);

/* The address in Return-Path: "" is the null sender <>; NULL: no such field. g_free. */
char *header_return_path(const char *raw, size_t size);

#endif
