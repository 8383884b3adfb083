/* http_token.c - bearer tokens: given, read from a file, or by OAuth 2 client credentials (RFC 6749 4.4).
 *
 * A token is cached until a little before it ends and fetched anew once after a 401.
 */
#include "core/http_private.h"

#include "core/file.h"

#include <string.h>

enum { TOKEN_DEFAULT_SECONDS = 300, TOKEN_MAX_SECONDS = 86400, TOKEN_MAX_BYTES = 65536 };

bool http_wants_token(const struct http_client *client)
{
	return client->bearer || client->bearer_file || client->token_url;
}

static char *secret_of(const char *value, const char *file, GError **error)
{
	return file ? secret_read(file, error) : g_strdup(value ? value : "");
}

/* application/x-www-form-urlencoded, as RFC 6749 2.3.1 wants it also inside Basic. */
static GBytes *grant_form(const struct http_client *client)
{
	GString *form = g_string_new("grant_type=client_credentials");
	if (client->scope) {
		g_autofree char *scope = http_escape(client->scope);
		g_string_append_printf(form, "&scope=%s", scope);
	}
	return g_string_free_to_bytes(form);
}

/* The error word of RFC 6749 5.2, if it is one; nothing else of the answer may get into a message. */
static char *error_word(const struct http_exchange *exchange)
{
	JSON_AUTO answer = json_read((const char *)exchange->answer->data, exchange->answer->len, NULL);
	const char *word = json_get_string(answer, "error");
	if (!word || strlen(word) > 40 || word[strspn(word, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
		return g_strdup("");
	return g_strdup_printf(" (%s)", word);
}

static bool is_token(const char *token)
{
	if (!token || *token == '\0' || strlen(token) > TOKEN_MAX_BYTES)
		return false;
	for (const char *p = token; *p; p++)
		if (*p <= 0x20 || *p > 0x7e)
			return false;
	return true;
}

static bool keep_token(struct http_client *client, const struct http_exchange *exchange, GError **error)
{
	JSON_AUTO answer = json_read((const char *)exchange->answer->data, exchange->answer->len, NULL);
	const char *token = json_get_string(answer, "access_token");
	if (!is_token(token)) {
		fail(error, ERROR_UNAVAILABLE, "%s: the token service answered without a usable access_token",
		        client->name);
		return false;
	}
	int64_t seconds = json_get_int(answer, "expires_in", TOKEN_DEFAULT_SECONDS);
	seconds = CLAMP(seconds, 0, TOKEN_MAX_SECONDS);
	client->token = g_strdup(token);
	client->token_until = g_get_monotonic_time() + (seconds - MIN(30, seconds / 10)) * G_USEC_PER_SEC;
	return true;
}

static bool judge_token_answer(
        struct http_client *client, const struct http_exchange *exchange, GError **error)
{
	if (exchange->result == CURLE_OK && exchange->status == 200)
		return keep_token(client, exchange, error);
	if (exchange->result != CURLE_OK) {
		fail(error, ERROR_UNAVAILABLE, "%s: token service: %s", client->name,
		        curl_easy_strerror(exchange->result));
		return false;
	}
	g_autofree char *word = error_word(exchange);
	fail(error, ERROR_UNAVAILABLE, "%s: the token service answered %ld%s", client->name, exchange->status,
	        word);
	return false;
}

static bool fetch_token(struct http_client *client, GError **error)
{
	g_autofree char *secret = secret_of(client->client_secret, client->client_secret_file, error);
	if (!secret)
		return false;
	g_autofree char *id_escaped = http_escape(client->client_id);
	g_autofree char *secret_escaped = http_escape(secret);
	g_autofree char *user_password = g_strdup_printf("%s:%s", id_escaped, secret_escaped);
	g_autoptr(GBytes) form = grant_form(client);
	struct http_exchange exchange = {
	        .method = "POST", .url = client->token_url, .body = form, .user_password = user_password};
	http_exchange_add_header(&exchange, "Content-Type", "application/x-www-form-urlencoded");
	http_exchange_add_header(&exchange, "Accept", "application/json");
	http_exchange_run(client, &exchange);
	bool ok = judge_token_answer(client, &exchange, error);
	http_exchange_clear(&exchange);
	return ok;
}

static bool read_token(struct http_client *client, GError **error)
{
	g_autofree char *token = secret_of(client->bearer, client->bearer_file, error);
	if (!token)
		return false;
	if (!is_token(token)) {
		fail(error, ERROR_CONFIG, "%s: the bearer token is empty or holds blanks", client->name);
		return false;
	}
	client->token = g_steal_pointer(&token);
	client->token_until = G_MAXINT64;
	return true;
}

char *http_token(struct http_client *client, GError **error)
{
	if (client->token && g_get_monotonic_time() >= client->token_until)
		http_token_reject(client);
	if (!client->token && !(client->token_url ? fetch_token(client, error) : read_token(client, error)))
		return NULL;
	return g_strdup(client->token);
}

void http_token_reject(struct http_client *client)
{
	g_clear_pointer(&client->token, g_free);
}
