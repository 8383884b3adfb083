/* reply_smtp.c - a reply as a mail, handed to our own mail server over verified TLS.
 *
 * At most once: everything before the end of DATA that fails has not sent the mail; once all bytes are with
 * libcurl and no answer of the server comes, nobody knows. libcurl never repeats an upload by itself.
 */
#include "config/oauth.h"
#include "core/error.h"
#include "core/http.h"
#include "core/tls.h"
#include "sinks/members.h"
#include "sinks/mime.h"

#include <string.h>

enum { STOP_GRACE = 5 * G_USEC_PER_SEC };
enum tls_mode { TLS_STARTTLS, TLS_IMPLICIT };
enum auth_mode { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN, AUTH_XOAUTH2 };
static const char *const tls_words[] = {"starttls", "implicit", NULL};
static const char *const auth_words[] = {"none", "plain", "login", "xoauth2", NULL};

struct smtp_settings {
	char *host, *ca_file, *user, *password, *hello;
	char *from, *from_name, *bounce, *domain;
	char *token_file;
	struct oauth oauth;
	int64_t port, timeout;
	int tls, auth;
};

#define AT(field) .offset = offsetof(struct smtp_settings, field)
static const struct option reply_smtp_options[] = {
        {.name = "host",
                .type = OPTION_STRING,
                AT(host),
                .flags = OPTION_REQUIRED,
                .help = "Name of the server; its certificate must be for it."},
        {.name = "port",
                .type = OPTION_INT,
                .max = 65535,
                AT(port),
                .help = "Port; without it 587, with implicit TLS 465."},
        {.name = "tls",
                .type = OPTION_ENUM,
                .words = tls_words,
                .fallback = "starttls",
                AT(tls),
                .help = "STARTTLS (enforced) or TLS from the first byte. Nothing is ever sent in the clear."},
        {.name = "ca_file",
                .type = OPTION_PATH,
                AT(ca_file),
                .help = "PEM file with the only authorities trusted here; without it the system's."},
        {.name = "auth",
                .type = OPTION_ENUM,
                .words = auth_words,
                .fallback = "none",
                AT(auth),
                .help = "How to log in."},
        {.name = "user", .type = OPTION_STRING, AT(user), .help = "User name; needed unless auth is none."},
        {.name = "password",
                .type = OPTION_SECRET,
                AT(password),
                .help = "Password for auth plain and login."},
        OAUTH_OPTIONS(struct smtp_settings, oauth),
        {.name = "token_file",
                .type = OPTION_PATH,
                AT(token_file),
                .help = "File with an access token for auth xoauth2, instead of token_url."},
        {.name = "hello",
                .type = OPTION_STRING,
                AT(hello),
                .help = "Name given in EHLO; without it the domain of `from`."},
        {.name = "from",
                .type = OPTION_STRING,
                AT(from),
                .flags = OPTION_REQUIRED,
                .help = "Address in From."},
        {.name = "from_name", .type = OPTION_STRING, AT(from_name), .help = "Name in From."},
        {.name = "bounce",
                .type = OPTION_STRING,
                AT(bounce),
                .help = "Envelope sender. A token is put in (bounce+TOKEN@…, VERP), so that what comes back "
                        "finds its reply. Without it the null sender <>."},
        {.name = "message_id_domain",
                .type = OPTION_STRING,
                AT(domain),
                .help = "Right side of Message-ID; without it the domain of `from`."},
        {.name = "timeout",
                .type = OPTION_DURATION,
                .fallback = "60s",
                .min = 1,
                .max = 600,
                AT(timeout),
                .help = "Absolute time limit of one mail."},
        OPTION_END,
};
#undef AT

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');
	return at ? at + 1 : "localhost";
}

static void check_address(const struct yaml_node *map, const char *key, const char *value, struct diag *diag)
{
	if (value && !mime_address_is_valid(value))
		yaml_error(
		        diag, yaml_get(map, key), "\"%s\": expected an address like name@example.org", key);
}

static void check_domain(const struct yaml_node *map, const char *key, const char *value, struct diag *diag)
{
	g_autofree char *probe = g_strconcat("x@", value ? value : "example.org", NULL);
	if (!mime_address_is_valid(probe))
		yaml_error(diag, yaml_get(map, key), "\"%s\": expected a host name", key);
}

static void smtp_check(const void *data, enum sink_role role, const struct yaml_node *map, struct diag *diag)
{
	(void)role;
	const struct smtp_settings *s = data;
	check_address(map, "from", s->from, diag);
	check_address(map, "bounce", s->bounce, diag);
	check_domain(map, "message_id_domain", s->domain, diag);
	check_domain(map, "hello", s->hello, diag);
	check_domain(map, "host", s->host, diag);
	if (s->auth != AUTH_NONE && !s->user)
		yaml_error(diag, map, "auth %s needs a user", auth_words[s->auth]);
	if ((s->auth == AUTH_PLAIN || s->auth == AUTH_LOGIN) && !s->password)
		yaml_error(diag, map, "auth %s needs a password_file or password_env", auth_words[s->auth]);
	if (s->auth == AUTH_XOAUTH2 && !s->token_file == !s->oauth.token_url)
		yaml_error(diag, map, "auth xoauth2 needs either a token_url or a token_file");
	oauth_check(&s->oauth, map, diag);
}

struct sink_session {
	const struct smtp_settings *settings;
	CURL *curl;
	struct http_client *tokens; /* NULL unless xoauth2 */
	char *instance, *url;
	const volatile gint *stop;
};

static void smtp_close(struct sink_session *session)
{
	if (!session)
		return;
	curl_easy_cleanup(session->curl);
	http_client_free(session->tokens);
	g_free(session->instance);
	g_free(session->url);
	g_free(session);
}

static struct http_client *token_client(
        const struct smtp_settings *s, const volatile gint *stop, GError **error)
{
	const struct http_settings settings = {
	        .name = "sink reply_email, token",
	        .url = s->oauth.token_url ? s->oauth.token_url : "https://localhost",
	        .ca_file = s->ca_file,
	        .token_url = s->oauth.token_url,
	        .client_id = s->oauth.client_id,
	        .client_secret = s->oauth.client_secret,
	        .scope = s->oauth.scope,
	        .bearer_file = s->token_file,
	        .stop = stop,
	};
	return http_client_new(&settings, error);
}

static char *server_url(const struct smtp_settings *s)
{
	bool implicit = s->tls == TLS_IMPLICIT;
	int port = s->port ? (int)s->port : implicit ? 465 : 587;
	return g_strdup_printf("%s://%s:%d/%s", implicit ? "smtps" : "smtp", s->host, port,
	        s->hello ? s->hello : domain_of(s->from));
}

static struct sink_session *smtp_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	const struct smtp_settings *settings = outlet->settings;
	struct http_client *tokens = NULL;
	if (settings->auth == AUTH_XOAUTH2 && !(tokens = token_client(settings, world->stop, error)))
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT); /* counts; a no-op behind http_client_new */
	struct sink_session *session = g_new0(struct sink_session, 1);
	*session = (struct sink_session){
	        .settings = settings,
	        .curl = curl_easy_init(),
	        .tokens = tokens,
	        .instance = g_strdup(world->instance),
	        .url = server_url(settings),
	        .stop = world->stop,
	};
	g_assert(session->curl);
	return session;
}

/* How far one mail has come. */
enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_END };

struct sending {
	const struct sink_session *session;
	GBytes *message;
	size_t at;
	enum stage stage;
	int code;  /* of the server's answer in this stage; 0: none */
	bool over; /* QUIT was said: what is answered now is about nothing */
	gint64 stopped_at;
	char reason[CURL_ERROR_SIZE];
};

static size_t give_bytes(char *into, size_t size, size_t count, void *context)
{
	struct sending *sending = context;
	gsize total;
	const char *data = g_bytes_get_data(sending->message, &total);
	size_t n = MIN(size * count, total - sending->at);
	memcpy(into, data + sending->at, n);
	sending->at += n;
	if (sending->at == total && sending->stage != STAGE_END) {
		sending->stage = STAGE_END; /* from here on the mail may be taken at any moment */
		sending->code = 0;
	}
	return n;
}

static void note_command(struct sending *sending, const char *line, size_t size)
{
	static const struct {
		const char *verb;
		enum stage stage;
	} verbs[] = {{"MAIL FROM", STAGE_MAIL}, {"RCPT TO", STAGE_RCPT}, {"DATA", STAGE_DATA}};
	sending->over |= size >= 4 && g_ascii_strncasecmp(line, "QUIT", 4) == 0;
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		size_t length = strlen(verbs[i].verb);
		if (size < length || g_ascii_strncasecmp(line, verbs[i].verb, length) != 0)
			continue;
		sending->stage = verbs[i].stage;
		sending->code = 0;
	}
}

static void note_answer(struct sending *sending, const char *line, size_t size)
{
	if (!sending->over && size >= 3 && g_ascii_isdigit(line[0]) && g_ascii_isdigit(line[1]) &&
	        g_ascii_isdigit(line[2]))
		sending->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* The dialogue; nothing of it is kept but the stage and the last code. */
static int listen_in(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
	(void)curl;
	if (type == CURLINFO_HEADER_OUT)
		note_command(context, data, size);
	else if (type == CURLINFO_HEADER_IN)
		note_answer(context, data, size);
	return 0;
}

/* Stop: at once before the mail is out, after a short wait for the answer behind it. */
static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	struct sending *sending = context;
	const volatile gint *stop = sending->session->stop;
	if (!stop || g_atomic_int_get(stop) == 0)
		return 0;
	if (sending->stage != STAGE_END)
		return 1;
	if (!sending->stopped_at)
		sending->stopped_at = g_get_monotonic_time();
	return g_get_monotonic_time() - sending->stopped_at > STOP_GRACE;
}

static bool set_login(const struct sink_session *session, GError **error)
{
	const struct smtp_settings *s = session->settings;
	if (s->auth == AUTH_NONE)
		return true;
	static const char *const mechanisms[] = {
	        [AUTH_PLAIN] = "AUTH=PLAIN", [AUTH_LOGIN] = "AUTH=LOGIN", [AUTH_XOAUTH2] = "AUTH=XOAUTH2"};
	curl_easy_setopt(session->curl, CURLOPT_LOGIN_OPTIONS, mechanisms[s->auth]);
	curl_easy_setopt(session->curl, CURLOPT_USERNAME, s->user);
	curl_easy_setopt(session->curl, CURLOPT_SASL_IR, 1L);
	if (s->auth != AUTH_XOAUTH2) {
		curl_easy_setopt(session->curl, CURLOPT_PASSWORD, s->password);
		return true;
	}
	g_autofree char *token = http_token(session->tokens, error);
	if (token)
		curl_easy_setopt(session->curl, CURLOPT_XOAUTH2_BEARER, token);
	return token != NULL;
}

static void set_transfer(CURL *curl, struct sending *sending)
{
	const struct smtp_settings *s = sending->session->settings;
	curl_easy_setopt(curl, CURLOPT_URL, sending->session->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	tls_strict_curl(curl, s->ca_file);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)s->timeout);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)MIN(s->timeout, 20));
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)s->timeout);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
	curl_easy_setopt(curl, CURLOPT_READDATA, sending);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)g_bytes_get_size(sending->message));
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, listen_in);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, sending);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_stop);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sending);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, sending->reason);
}

/* One dialogue. */
static CURLcode perform(struct sink_session *session, struct sending *sending, const struct reply *reply,
        bool fresh, GError **error)
{
	CURL *curl = session->curl;
	*sending = (struct sending){.session = session, .message = sending->message};
	curl_easy_reset(curl); /* keeps the connection */
	set_transfer(curl, sending);
	if (!set_login(session, error))
		return CURLE_LOGIN_DENIED;
	g_autofree char *sender =
	        mime_verp(session->settings->bounce ? session->settings->bounce : "", reply->token);
	struct curl_slist *to = curl_slist_append(NULL, reply->to);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	CURLcode result = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	return result;
}

/* The kept connection was dead, or the token out of date: worth a second try, nothing has been sent. */
static bool is_stale(const struct sink_session *session, const struct sending *sending, CURLcode result)
{
	if (session->settings->auth == AUTH_XOAUTH2 && result == CURLE_LOGIN_DENIED && sending->code) {
		http_token_reject(session->tokens);
		return true;
	}
	long connects = 1;
	curl_easy_getinfo(session->curl, CURLINFO_NUM_CONNECTS, &connects);
	bool silent = sending->code == 0 || sending->code == 421;
	return connects == 0 && sending->stage <= STAGE_MAIL && silent && result != CURLE_ABORTED_BY_CALLBACK;
}

/* No address and no text of the server in the message: it is logged. */
static void fail_sending(const struct sending *sending, CURLcode result, GError **error)
{
	static const char *const names[] = {"connecting", "MAIL", "RCPT", "DATA", "the end of DATA"};
	const char *at = names[sending->stage];
	int code = sending->code;
	const char *why = curl_easy_strerror(result);
	bool for_later = code >= 400 && code < 500, refused = code >= 500;
	if (sending->stage == STAGE_END && !for_later && !refused)
		fail_as(error, ERROR_UNCERTAIN, SCOPE_ITEM, WHEN_NEVER, "smtp: no answer behind %s: %s", at,
		        why);
	else if (result == CURLE_ABORTED_BY_CALLBACK)
		fail(error, ERROR_AGAIN, "smtp: stopped");
	else if (sending->stage <= STAGE_MAIL || (code == 421 && sending->stage != STAGE_END))
		fail(error, for_later ? ERROR_AGAIN : ERROR_UNAVAILABLE, "smtp: %s: answer %d, %s", at, code,
		        why);
	else if (refused)
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "smtp: %s: answer %d", at, code);
	else
		fail_as(error, ERROR_AGAIN, SCOPE_ITEM, WHEN_LATER, "smtp: %s: answer %d, %s", at, code, why);
}

static void send_one(struct sink_session *session, struct sink_job *job)
{
	const struct smtp_settings *s = session->settings;
	const char *domain = s->domain ? s->domain : domain_of(s->from);
	const struct mime_settings mime = {s->from, s->from_name, domain, session->instance};
	g_autoptr(GBytes) message = mime_reply(job->reply, &mime, &job->error);
	if (!message)
		return;
	struct sending sending = {.message = message};
	CURLcode result = perform(session, &sending, job->reply, false, &job->error);
	if (result != CURLE_OK && !job->error && is_stale(session, &sending, result))
		result = perform(session, &sending, job->reply, true, &job->error);
	if (result != CURLE_OK) {
		if (!job->error)
			fail_sending(&sending, result, &job->error);
		return;
	}
	g_autofree char *id = g_strdup_printf("<%s@%s>", job->reply->token, domain);
	job->receipt = json_object();
	json_set_string(job->receipt, "id", id);
	job->done = true;
}

static void smtp_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		send_one(session, jobs[i]);
		if (jobs[i]->error && error_scope(jobs[i]->error) == SCOPE_SOURCE)
			return;
	}
}

static char *smtp_describe(const struct outlet *outlet)
{
	const struct smtp_settings *s = outlet->settings;
	return g_strdup_printf("smtp %s:%d", s->host,
	        s->port                  ? (int)s->port
	        : s->tls == TLS_IMPLICIT ? 465
	                                 : 587);
}

const struct sink sink_reply_smtp = {
        .name = "smtp",
        .roles = 1 << SINK_REPLY_EMAIL,
        .summary = "Replies as mails, over SMTP with verified TLS.",
        .options = reply_smtp_options,
        .settings_size = sizeof(struct smtp_settings),
        .batch = 1,
        .check = smtp_check,
        .open = smtp_open,
        .deliver = smtp_deliver,
        .close = smtp_close,
        .describe = smtp_describe,
};
