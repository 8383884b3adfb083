/* imap_login.c - PLAIN (RFC 4616), LOGIN, XOAUTH2; only ever inside verified TLS. */
#include "core/http.h"
#include "intake/imap_private.h"

#include <string.h>

static void fail_login(struct imap_session *session, GError **error)
{
	session->dead = true;
	fail(error, ERROR_UNAVAILABLE, "%s: the server refused the login", session->settings->host);
}

static bool write_line(struct imap_session *session, const char *text)
{
	mailstream *stream = session->imap->imap_stream;
	size_t size = strlen(text);
	return mailstream_write(stream, text, size) == (ssize_t)size && mailstream_flush(stream) == 0;
}

/* The tagged answer: 1 OK, 0 NO or BAD, -1 the conversation broke. */
static int read_answer(struct imap_session *session)
{
	struct mailimap_response *response = NULL;
	if (!mailimap_read_line(session->imap))
		return -1;
	if (mailimap_parse_response(session->imap, &response) != MAILIMAP_NO_ERROR)
		return -1;
	const struct mailimap_response_done *done = response->rsp_resp_done;
	bool ok = done->rsp_type == MAILIMAP_RESP_DONE_TYPE_TAGGED &&
	          done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type == MAILIMAP_RESP_COND_STATE_OK;
	mailimap_response_free(response);
	return ok;
}

/* Waits for the server's "+" instead of sending an initial response: every server understands that. Written
 * by hand because libetpan goes through Cyrus SASL, whose state is shared by the process. */
static bool login_plain(struct imap_session *session, GError **error)
{
	const struct imap_settings *settings = session->settings;
	g_autoptr(GByteArray) secret = g_byte_array_new();
	g_byte_array_append(secret, (const guint8 *)"", 1);
	g_byte_array_append(secret, (const guint8 *)settings->user, (guint)strlen(settings->user) + 1);
	g_byte_array_append(secret, (const guint8 *)settings->password, (guint)strlen(settings->password));
	g_autofree char *base64 = g_base64_encode(secret->data, secret->len);
	g_autofree char *line = g_strconcat(base64, "\r\n", NULL);
	int answer = -1;
	if (mailimap_send_current_tag(session->imap) == MAILIMAP_NO_ERROR &&
	        write_line(session, "AUTHENTICATE PLAIN\r\n")) {
		const char *go = mailimap_read_line(session->imap);
		if (go && *go == '+' && write_line(session, line))
			answer = read_answer(session);
		else if (go)
			answer = 0;
	}
	explicit_bzero(secret->data, secret->len);
	explicit_bzero(base64, strlen(base64));
	explicit_bzero(line, strlen(line));
	if (answer == 1)
		session->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	else if (answer == 0)
		fail_login(session, error);
	else
		imap_result(session, MAILIMAP_ERROR_STREAM, "the login", error);
	return answer == 1;
}

/* libetpan: a refusal reads MAILIMAP_ERROR_LOGIN (or SASL), anything else broke the conversation. */
static bool login_result(struct imap_session *session, int result, GError **error)
{
	if (result != MAILIMAP_ERROR_LOGIN && result != MAILIMAP_ERROR_SASL)
		return imap_result(session, result, "the login", error);
	fail_login(session, error);
	return false;
}

static struct http_client *token_client(const struct imap_session *session, GError **error)
{
	const struct imap_settings *settings = session->settings;
	const struct http_settings http = {
	        .name = session->source->name,
	        .url = settings->oauth.token_url ? settings->oauth.token_url : "https://token.invalid",
	        .ca_file = settings->token_ca_file,
	        .bearer_file = settings->token_file,
	        .token_url = settings->oauth.token_url,
	        .client_id = settings->oauth.client_id,
	        .client_secret = settings->oauth.client_secret,
	        .scope = settings->oauth.scope,
	        .stop = session->stop,
	};
	return http_client_new(&http, error);
}

static bool login_xoauth2(struct imap_session *session, GError **error)
{
	AUTO(http_client) client = token_client(session, error);
	g_autofree char *token = client ? http_token(client, error) : NULL;
	if (!token)
		return false;
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	int result = mailimap_oauth2_authenticate(session->imap, session->settings->user, token);
	return login_result(session, result, error);
}

bool imap_login(struct imap_session *session, GError **error)
{
	const struct imap_settings *settings = session->settings;
	if (!tls_is_secure(imap_stream_channel(session->low))) {
		fail(error, ERROR_INTERNAL, "%s: a login without TLS", settings->host);
		return false;
	}
	switch ((enum imap_auth)settings->auth) {
	case IMAP_AUTH_XOAUTH2:
		return login_xoauth2(session, error);
	case IMAP_AUTH_LOGIN:
		return login_result(
		        session, mailimap_login(session->imap, settings->user, settings->password), error);
	case IMAP_AUTH_PLAIN:
		break;
	}
	return login_plain(session, error);
}
