/* http.c - the client's life, one call, and what its outcome means to the caller. */
#include "core/http_private.h"

#include <string.h>

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 ||
	       strcmp(host, "[::1]") == 0;
}

bool http_url_is_allowed(const char *url)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
	if (!uri || !g_uri_get_host(uri) || *g_uri_get_host(uri) == '\0')
		return false;
	if (g_uri_get_userinfo(uri) || g_uri_get_query(uri) || g_uri_get_fragment(uri))
		return false;
	if (strcmp(g_uri_get_scheme(uri), "https") == 0)
		return true;
	return strcmp(g_uri_get_scheme(uri), "http") == 0 && is_loopback(g_uri_get_host(uri));
}

static bool check_settings(const struct http_settings *settings, GError **error)
{
	const char *name = settings->name ? settings->name : "http";
	const char *urls[] = {settings->url ? settings->url : "", settings->token_url};
	for (unsigned i = 0; i < G_N_ELEMENTS(urls); i++) {
		if (!urls[i] || http_url_is_allowed(urls[i]))
			continue;
		fail(error, ERROR_CONFIG, "%s: expected an https:// URL without user, '?' and '#'", name);
		return false;
	}
	if (settings->token_url &&
	        (!settings->client_id || (!settings->client_secret && !settings->client_secret_file))) {
		fail(error, ERROR_CONFIG, "%s: a token URL needs a client id and a client secret", name);
		return false;
	}
	return true;
}

static void global_setup(void)
{
	static gsize done;
	if (g_once_init_enter(&done)) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		g_once_init_leave(&done, 1);
	}
}

/* The base URL without the slash at its end: paths begin with one. */
static char *without_slash(const char *url)
{
	size_t length = strlen(url);
	return g_strndup(url, url[length - 1] == '/' ? length - 1 : length);
}

struct http_client *http_client_new(const struct http_settings *s, GError **error)
{
	if (!check_settings(s, error))
		return NULL;
	global_setup();
	struct http_client *client = g_new0(struct http_client, 1);
	client->name = g_strdup(s->name ? s->name : "http");
	client->url = without_slash(s->url);
	client->ca_file = g_strdup(s->ca_file);
	client->proxy = g_strdup(s->proxy);
	client->bearer = g_strdup(s->bearer);
	client->bearer_file = g_strdup(s->bearer_file);
	client->token_url = g_strdup(s->token_url);
	client->client_id = g_strdup(s->client_id);
	client->client_secret = g_strdup(s->client_secret);
	client->client_secret_file = g_strdup(s->client_secret_file);
	client->scope = g_strdup(s->scope);
	client->connect_seconds = s->connect_seconds ? s->connect_seconds : 10;
	client->total_seconds = s->total_seconds ? s->total_seconds : 60;
	client->stall_seconds = s->stall_seconds ? s->stall_seconds : 20;
	client->max_response = s->max_response ? s->max_response : 16u << 20;
	client->stop = s->stop;
	client->curl = curl_easy_init();
	g_assert(client->curl);
	return client;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	char *owned[] = {client->name, client->url, client->ca_file, client->proxy, client->bearer,
	        client->bearer_file, client->token_url, client->client_id, client->client_secret,
	        client->client_secret_file, client->scope, client->token};
	for (unsigned i = 0; i < G_N_ELEMENTS(owned); i++)
		g_free(owned[i]);
	curl_easy_cleanup(client->curl);
	g_free(client);
}

void http_response_free(struct http_response *response)
{
	if (!response)
		return;
	g_bytes_unref(response->body);
	g_free(response->type);
	g_free(response->etag);
	g_free(response->location);
	g_free(response);
}

static const char *method_of(const struct http_request *request)
{
	return request->method ? request->method : "GET";
}

static bool is_reading(const struct http_request *request)
{
	return strcmp(method_of(request), "GET") == 0 || strcmp(method_of(request), "HEAD") == 0;
}

static bool is_repeatable(const struct http_request *request)
{
	return request->idempotency_key || strcmp(method_of(request), "PUT") == 0 ||
	       strcmp(method_of(request), "DELETE") == 0;
}

/* Sent, and the answer does not tell whether it took effect. */
static void fail_sent(
        struct http_client *client, const struct http_request *request, const char *why, GError **error)
{
	if (is_reading(request))
		fail(error, ERROR_UNAVAILABLE, "%s: %s", client->name, why);
	else
		fail_as(error, ERROR_UNCERTAIN, SCOPE_ITEM, is_repeatable(request) ? WHEN_LATER : WHEN_NEVER,
		        "%s: %s", client->name, why);
}

static void fail_transfer(struct http_client *client, const struct http_request *request,
        const struct http_exchange *exchange, GError **error)
{
	g_autofree char *why = NULL;
	if (exchange->too_large)
		why = g_strdup_printf("the answer is larger than %zu bytes", client->max_response);
	else
		why = g_strdup(*exchange->reason ? exchange->reason : curl_easy_strerror(exchange->result));
	if (exchange->sent)
		fail_sent(client, request, why, error);
	else if (exchange->result == CURLE_ABORTED_BY_CALLBACK)
		fail(error, ERROR_AGAIN, "%s: stopped", client->name);
	else
		fail(error, ERROR_UNAVAILABLE, "%s: %s", client->name, why);
}

/* The status is no success: say whose fault it is and when to come back. */
static void fail_status(
        struct http_client *client, const struct http_request *request, long status, GError **error)
{
	g_autofree char *why = g_strdup_printf("%s answered %ld", method_of(request), status);
	if (status == 408 || status == 425 || status == 429 || status == 503)
		fail(error, ERROR_AGAIN, "%s: %s", client->name, why);
	else if (status == 500 || status == 502 || status == 504)
		fail_sent(client, request, why, error);
	else if (status == 401 || status == 403 || status < 400)
		fail(error, ERROR_UNAVAILABLE, "%s: %s", client->name, why);
	else if (status < 500 || status == 501 || status == 505)
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "%s: %s", client->name, why);
	else
		fail_sent(client, request, why, error);
}

static bool is_wanted(const struct http_request *request, long status)
{
	if (status >= 200 && status < 300)
		return true;
	bool passing = status == 401 || status == 403 || status == 408 || status == 425 || status == 429;
	return request->any_client_error && status >= 400 && status < 500 && !passing;
}

static bool has_line_break(const char *text)
{
	return text[strcspn(text, "\r\n")] != '\0';
}

static bool add_headers(struct http_exchange *exchange, const struct http_request *request, GError **error)
{
	http_exchange_add_header(exchange, "Accept", request->accept ? request->accept : "application/json");
	http_exchange_add_header(exchange, "Expect", "");
	if (request->body)
		http_exchange_add_header(exchange, "Content-Type",
		        request->body_type ? request->body_type : "application/json");
	if (request->idempotency_key) {
		if (has_line_break(request->idempotency_key))
			goto broken;
		http_exchange_add_header(exchange, "Idempotency-Key", request->idempotency_key);
	}
	for (const char *const *pair = request->headers; pair && *pair; pair += 2) {
		if (has_line_break(pair[0]) || has_line_break(pair[1]))
			goto broken;
		http_exchange_add_header(exchange, pair[0], pair[1]);
	}
	return true;
broken:
	fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "a line break in an HTTP header");
	return false;
}

static bool add_authorization(struct http_client *client, struct http_exchange *exchange, GError **error)
{
	if (!http_wants_token(client))
		return true;
	g_autofree char *token = http_token(client, error);
	if (!token)
		return false;
	g_autofree char *value = g_strconcat("Bearer ", token, NULL);
	http_exchange_add_header(exchange, "Authorization", value);
	return true;
}

/* Sends once. False: not sent, *error says why; true: the outcome stands in the exchange. */
static bool send_once(struct http_client *client, const struct http_request *request, const char *url,
        struct http_exchange *exchange, GError **error)
{
	*exchange = (struct http_exchange){.method = method_of(request),
	        .url = url,
	        .body = request->body,
	        .fresh = !is_reading(request) && !is_repeatable(request)};
	if (!add_headers(exchange, request, error) || !add_authorization(client, exchange, error))
		return false;
	http_exchange_run(client, exchange);
	return true;
}

static struct http_response *take_response(struct http_exchange *exchange)
{
	struct http_response *response = g_new0(struct http_response, 1);
	response->status = (int)exchange->status;
	response->body = g_byte_array_free_to_bytes(g_steal_pointer(&exchange->answer));
	response->type = g_steal_pointer(&exchange->type);
	response->etag = g_steal_pointer(&exchange->etag);
	response->location = g_steal_pointer(&exchange->location);
	return response;
}

struct http_response *http_send(
        struct http_client *client, const struct http_request *request, GError **error)
{
	g_autofree char *url = g_strconcat(client->url, request->path ? request->path : "", NULL);
	struct http_exchange exchange = {0};
	struct http_response *response = NULL;
	bool sent = send_once(client, request, url, &exchange, error);
	if (sent && exchange.result == CURLE_OK && exchange.status == 401 && http_wants_token(client)) {
		http_token_reject(client);
		http_exchange_clear(&exchange);
		sent = send_once(client, request, url, &exchange, error);
	}
	if (sent && exchange.result != CURLE_OK)
		fail_transfer(client, request, &exchange, error);
	else if (sent && !is_wanted(request, exchange.status))
		fail_status(client, request, exchange.status, error);
	else if (sent)
		response = take_response(&exchange);
	http_exchange_clear(&exchange);
	return response;
}

json_t *http_json(
        struct http_client *client, const struct http_request *request, const json_t *body, GError **error)
{
	g_autoptr(GBytes) bytes = body ? json_canonical_bytes(body) : NULL;
	struct http_request with_body = *request;
	with_body.body = bytes;
	AUTO(http_response) response = http_send(client, &with_body, error);
	if (!response)
		return NULL;
	gsize size;
	const char *text = g_bytes_get_data(response->body, &size);
	if (size == 0)
		return json_null();
	g_autoptr(GError) broken = NULL;
	json_t *answer = json_read(text, size, &broken);
	if (!answer)
		fail_sent(client, request, "the answer is not JSON", error);
	return answer;
}

int64_t http_retry_after(const struct http_client *client)
{
	return client->retry_after;
}

char *http_escape(const char *part)
{
	return g_uri_escape_string(part, NULL, FALSE);
}

bool http_was_too_large(const struct http_client *client)
{
	return client->too_large;
}

void http_set_max_response(struct http_client *client, size_t bytes)
{
	client->max_response = bytes;
}
