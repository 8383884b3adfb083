/* tls.h - TLS as strict as we speak it: ≥ 1.2, chain, purpose and host name verified before a byte is sent.
 *
 * For protocols that are not HTTP (IMAP). Reading and writing end at an absolute deadline
 * (g_get_monotonic_time microseconds), however slowly the other side trickles; a stop flag ends them early.
 */
#ifndef CORE_TLS_H
#define CORE_TLS_H

#include "core/auto.h"

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_channel; /* a TCP connection, plain until tls_start() */

/* Resolves and connects (all addresses, within the deadline). ERROR_UNAVAILABLE. `stop` may be NULL. */
struct tls_channel *tls_connect(
        const char *host, int port, int64_t deadline, const volatile gint *stop, GError **error);
void tls_channel_free(struct tls_channel *channel); /* closes */
AUTO_FREE(tls_channel);

/* Handshake with SNI; verifies chain (ca_file, or the system's authorities if NULL), server purpose, time and
 * `host`. ERROR_UNAVAILABLE says what was wrong with the certificate. */
bool tls_start(struct tls_channel *channel, const char *host, const char *ca_file, GError **error);
bool tls_is_secure(const struct tls_channel *channel);

void tls_set_deadline(struct tls_channel *channel, int64_t deadline);
/* Bytes read; -1 with errno: 0 at the end of the stream (never 0 bytes), ETIMEDOUT, ECANCELED, EIO, … */
ssize_t tls_read(struct tls_channel *channel, void *into, size_t size);
ssize_t tls_write(struct tls_channel *channel, const void *data, size_t size); /* all or -1 */
/* Waits for input until `until`: 1 input is there, 0 time is over, -1 broken or stopped. */
int tls_wait(struct tls_channel *channel, int64_t until);
int tls_fd(const struct tls_channel *channel);

/* The same strictness for a libcurl handle (HTTPS, SMTPS, SMTP with STARTTLS). */
void tls_strict_curl(CURL *curl, const char *ca_file);

#endif
