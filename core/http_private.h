/* http_private.h - shared by http.c, http_call.c and http_token.c only. */
#ifndef CORE_HTTP_PRIVATE_H
#define CORE_HTTP_PRIVATE_H

#include "core/error.h"
#include "core/http.h"

#include <curl/curl.h>

struct http_client {
	char *name, *url, *ca_file, *proxy;
	char *bearer, *bearer_file;
	char *token_url, *client_id, *client_secret, *client_secret_file, *scope;
	int connect_seconds, total_seconds, stall_seconds;
	size_t max_response;
	const volatile gint *stop;

	CURL *curl;
	char *token;         /* the bearer token in force, or NULL */
	int64_t token_until; /* g_get_monotonic_time() at which it is renewed */
	bool too_large;      /* the last answer was */
	int64_t retry_after; /* of the last answer, seconds */
};

/* One exchange on the wire, before it is judged. */
struct http_exchange {
	const char *method, *url;
	struct curl_slist *headers; /* owned */
	GBytes *body;               /* borrowed */
	bool fresh; /* on a new connection: libcurl repeats a request on a stale one by itself */
	const char *user_password; /* Basic credentials of the token call: "user:password"; borrowed */

	long status; /* 0 = no answer */
	bool sent;   /* at least a part of the request left */
	bool too_large;
	CURLcode result;
	char reason[CURL_ERROR_SIZE];
	GByteArray *answer;           /* owned */
	char *type, *etag, *location; /* owned */
};
void http_exchange_clear(struct http_exchange *exchange);
void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value);

/* Runs it; the outcome stands in the exchange. */
void http_exchange_run(struct http_client *client, struct http_exchange *exchange);

bool http_wants_token(const struct http_client *client);

#endif
