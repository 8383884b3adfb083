/* http_exchange.c - one request and its answer on the wire, with every limit that libcurl has set.
 *
 * Kept apart from http.c so that what is sent and what is judged do not mix.
 */
#include "core/http_private.h"
#include "core/tls.h"

#include <string.h>

void http_exchange_clear(struct http_exchange *exchange)
{
	curl_slist_free_all(exchange->headers);
	if (exchange->answer)
		g_byte_array_unref(exchange->answer);
	g_free(exchange->type);
	g_free(exchange->etag);
	g_free(exchange->location);
	memset(exchange, 0, sizeof *exchange);
}

void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
	g_autofree char *line = g_strdup_printf("%s: %s", name, value);
	exchange->headers = curl_slist_append(exchange->headers, line);
}

struct run {
	struct http_client *client;
	struct http_exchange *exchange;
};

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct run *run = context;
	size_t bytes = size * count;
	if (run->exchange->answer->len + bytes > run->client->max_response) {
		run->exchange->too_large = true;
		return 0;
	}
	g_byte_array_append(run->exchange->answer, (const guint8 *)data, (guint)bytes);
	return bytes;
}

/* A number of seconds or an HTTP date (RFC 9110 10.2.3). */
static int64_t parse_retry_after(const char *value)
{
	char *end;
	gint64 seconds = g_ascii_strtoll(value, &end, 10);
	if (end == value || *end != '\0') {
		time_t when = curl_getdate(value, NULL);
		seconds = when < 0 ? 0 : (gint64)when - g_get_real_time() / G_USEC_PER_SEC;
	}
	return CLAMP(seconds, 0, 86400);
}

static void keep(char **slot, char *value)
{
	g_free(*slot);
	*slot = g_utf8_make_valid(value, -1);
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct run *run = context;
	g_autofree char *line = g_strndup(data, size * count);
	char *value = strchr(line, ':');
	if (!value)
		return size * count;
	*value++ = '\0';
	g_strstrip(value);
	if (g_ascii_strcasecmp(line, "retry-after") == 0)
		run->client->retry_after = parse_retry_after(value);
	else if (g_ascii_strcasecmp(line, "content-type") == 0)
		keep(&run->exchange->type, value);
	else if (g_ascii_strcasecmp(line, "etag") == 0)
		keep(&run->exchange->etag, value);
	else if (g_ascii_strcasecmp(line, "location") == 0)
		keep(&run->exchange->location, value);
	return size * count;
}

static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	const struct run *run = context;
	return run->client->stop && g_atomic_int_get(run->client->stop) != 0;
}

static void set_limits(CURL *curl, const struct http_client *client)
{
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_PROXY, client->proxy ? client->proxy : "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)client->connect_seconds);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)client->total_seconds);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)client->stall_seconds);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)client->max_response);
	tls_strict_curl(curl, client->ca_file);
}

static void set_request(CURL *curl, const struct http_exchange *exchange)
{
	curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, exchange->fresh ? 1L : 0L);
	if (exchange->user_password) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERPWD, exchange->user_password);
	}
	if (strcmp(exchange->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (exchange->body) {
		curl_easy_setopt(
		        curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)g_bytes_get_size(exchange->body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, g_bytes_get_data(exchange->body, NULL));
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void set_callbacks(CURL *curl, struct run *run)
{
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, run->exchange->reason);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, run);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, run);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_stop);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, run);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

void http_exchange_run(struct http_client *client, struct http_exchange *exchange)
{
	struct run run = {client, exchange};
	CURL *curl = client->curl;
	client->retry_after = 0;
	exchange->answer = g_byte_array_new();
	curl_easy_reset(curl); /* keeps the connection */
	set_limits(curl, client);
	set_request(curl, exchange);
	set_callbacks(curl, &run);
	exchange->result = curl_easy_perform(curl);
	long request_bytes = 0;
	curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange->status);
	exchange->sent = request_bytes > 0;
	exchange->too_large |= exchange->result == CURLE_FILESIZE_EXCEEDED;
	client->too_large = exchange->too_large;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
}
