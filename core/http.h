/* http.h - the one HTTP client: postbox, eService, facts, archive, tickets, OAuth tokens.
 *
 * Strict by construction (RFC 9110, 9325, 6749): TLS ≥ 1.2 with chain and host name verified; plain http
 * only to a loopback address; redirects are never followed, so a credential goes to the configured host
 * only; no proxy unless configured; every call has an absolute and a stall limit; answers are bounded.
 * A client serves one thread at a time and keeps its connection. Secrets never appear in errors or logs.
 *
 * How a failure reads (core/error.h):
 *   not sent (resolve, connect, TLS, token)      ERROR_UNAVAILABLE  source  later
 *   sent, no or a broken answer; 500, 502, 504    GET, HEAD: ERROR_UNAVAILABLE source later;
 *                                                else ERROR_UNCERTAIN item: later if the call may be
 *                                                repeated (PUT, DELETE, idempotency key), else never
 *   401 (after one token refresh), 403, 3xx       ERROR_UNAVAILABLE  source  later
 *   408, 425, 429, 503                            ERROR_AGAIN        source  later (http_retry_after)
 *   other 4xx, 501, 505                           ERROR_DENIED       item    never
 *   stop flag raised                              as "not sent" or "sent", class ERROR_AGAIN if not sent
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include "core/auto.h"
#include "core/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All strings are copied by http_client_new; NULL = not set. */
struct http_settings {
	const char *name;    /* for messages: "source postbox", "sink archive" */
	const char *url;     /* base: https://host[:port][/path], without '?' and '#' */
	const char *ca_file; /* PEM; NULL = the system's authorities */
	const char *proxy;   /* http://host:port; NULL = none, the environment is ignored */

	/* One of: nothing, a bearer token, OAuth 2 client credentials. A *_file is read when needed and
	 * again after a 401, so that a rotated secret needs no restart (modes as secret_read()). */
	const char *bearer, *bearer_file;
	const char *token_url, *client_id, *client_secret, *client_secret_file, *scope;

	int connect_seconds;       /* 0 = 10 */
	int total_seconds;         /* absolute limit of one call; 0 = 60 */
	int stall_seconds;         /* slower than 1 byte/s for so long; 0 = 20 */
	size_t max_response;       /* bytes; 0 = 16 MiB */
	const volatile gint *stop; /* becomes not 0: the call in hand ends early; may be NULL */
};

struct http_client;

/* ERROR_CONFIG if the URL is no https URL (or http to loopback), or credentials are half given. No I/O. */
struct http_client *http_client_new(const struct http_settings *settings, GError **error);
void http_client_free(struct http_client *client);
AUTO_FREE(http_client);

struct http_request {
	const char *method;    /* NULL = "GET" */
	const char *path;      /* put behind the base URL as it is: "/items?limit=50"; "" or NULL: the base.
	                          Parts that come from outside go through http_escape() */
	GBytes *body;          /* borrowed; NULL = none */
	const char *body_type; /* NULL = "application/json" */
	const char *idempotency_key; /* sent as Idempotency-Key; makes a POST repeatable */
	const char *accept;          /* NULL = "application/json" */
	const char *const *headers;  /* further "Name", "value" pairs, NULL at the end; CR/LF are refused */
	bool any_client_error;       /* 4xx other than 401, 403, 408, 425, 429 is an answer, not an error */
};

struct http_response {
	int status;
	GBytes *body; /* never NULL */
	char *type;   /* Content-Type, or NULL */
	char *etag;   /* or NULL */
	char *location;
};
void http_response_free(struct http_response *response);
AUTO_FREE(http_response);

/* One call; obtains or renews the token as needed. NULL on failure as told above. */
struct http_response *http_send(
        struct http_client *client, const struct http_request *request, GError **error);

/* The same with a JSON body (may be NULL) and a JSON answer (strict). An empty answer (204) gives JSON null.
 * An answer that is not JSON is a broken answer. `request->body` is ignored. New reference. */
json_t *http_json(
        struct http_client *client, const struct http_request *request, const json_t *body, GError **error);

/* Seconds the last answer asked to wait (Retry-After as number or date, at most one day); 0 = nothing said.
 */
int64_t http_retry_after(const struct http_client *client);

/* The bearer token in force (for XOAUTH2), fetched if needed; free with g_free. http_token_reject() makes the
 * next call fetch a new one. */
char *http_token(struct http_client *client, GError **error);
void http_token_reject(struct http_client *client);

/* True if the last call failed because the answer was larger than the bound; and another bound from now on.
 */
bool http_was_too_large(const struct http_client *client);
void http_set_max_response(struct http_client *client, size_t bytes);

/* Percent-encodes one path segment or query value. Free with g_free. */
char *http_escape(const char *part);

/* True if `url` may be used as a base: https, or http to a loopback host; no user, query or fragment. */
bool http_url_is_allowed(const char *url);

#endif
