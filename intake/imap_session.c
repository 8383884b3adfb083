/* imap_session.c - connecting, selecting, listing, waiting. */
#include "intake/imap_private.h"

#include <string.h>

enum { PAGE = 20000, HASTE_MAX = 5 };

#define NO_NEWS UINT32_MAX

static bool is_dropped(const struct imap_session *session)
{
	return session->connected && !session->imap->imap_stream;
}

void imap_begin(struct imap_session *session, int64_t seconds, int64_t quota)
{
	if (!is_dropped(session))
		imap_stream_begin(session->low, seconds, quota);
}

const char *imap_failure(const struct imap_session *session)
{
	return is_dropped(session) ? "the server closed the connection" : imap_stream_failure(session->low);
}

/* The response code, such as AUTHENTICATIONFAILED: the only part of a server's answer fit for a message. */
static char *response_code(const struct imap_session *session)
{
	const char *text = session->imap->imap_response;
	if (!text || *text != '[')
		return g_strdup("");
	size_t length = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	if (length == 0 || length > 40)
		return g_strdup("");
	return g_strdup_printf(" (%.*s)", (int)length, text + 1);
}

static bool is_conversation_broken(const struct imap_session *session, int result)
{
	switch (result) {
	case MAILIMAP_ERROR_STREAM:
	case MAILIMAP_ERROR_PARSE:
	case MAILIMAP_ERROR_FATAL:
	case MAILIMAP_ERROR_PROTOCOL:
	case MAILIMAP_ERROR_MEMORY:
	case MAILIMAP_ERROR_BAD_STATE:
	case MAILIMAP_ERROR_CONNECTION_REFUSED:
	case MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION:
	case MAILIMAP_ERROR_NEEDS_MORE_DATA:
		return true;
	default:
		return imap_failure(session) != NULL;
	}
}

bool imap_result(struct imap_session *session, int result, const char *what, GError **error)
{
	if (result == MAILIMAP_NO_ERROR)
		return true;
	const char *host = session->settings->host;
	if (!is_conversation_broken(session, result)) {
		g_autofree char *code = response_code(session);
		fail_as(error, ERROR_UNAVAILABLE, SCOPE_MAILBOX, WHEN_LATER, "%s: the server refused %s%s",
		        host, what, code);
		return false;
	}
	session->dead = true;
	const char *why = imap_failure(session);
	if (result == MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION)
		why = "the server takes no connection now";
	fail_as(error, ERROR_UNAVAILABLE, SCOPE_SOURCE, session->selected ? WHEN_NOW : WHEN_LATER,
	        "%s: %s: %s", host, what, why ? why : "an answer that is no IMAP");
	return false;
}

bool imap_is_dead(const struct imap_session *session)
{
	return session->dead;
}

bool imap_has(struct imap_session *session, const char *extension)
{
	return mailimap_has_extension(session->imap, (char *)extension) != 0;
}

/* --- connecting --- */

/* A server that greets before TLS as if we were logged in would get our commands in the clear (RFC
 * 9051 11.1). */
static bool greet(struct imap_session *session, GError **error)
{
	mailstream *stream = mailstream_new(session->low, 65536);
	session->connected = true;
	int result = mailimap_connect(session->imap, stream);
	if (result == MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		return true;
	if (result != MAILIMAP_NO_ERROR_AUTHENTICATED)
		return imap_result(session, result, "the greeting", error);
	session->dead = true;
	fail(error, ERROR_UNAVAILABLE, "%s: the server greets with PREAUTH: refused",
	        session->settings->host);
	return false;
}

static bool upgrade(struct imap_session *session, GError **error)
{
	if (!imap_result(session, mailimap_starttls(session->imap), "STARTTLS", error)) {
		session->dead = true;
		return false;
	}
	if (session->imap->imap_stream->read_buffer_len >
	        0) { /* CVE-2020-15953: answers slipped in before TLS */
		session->dead = true;
		fail(error, ERROR_UNAVAILABLE, "%s: plain text behind STARTTLS: refused",
		        session->settings->host);
		return false;
	}
	return true;
}

static bool secure(struct imap_session *session, GError **error)
{
	const struct imap_settings *settings = session->settings;
	if (tls_start(imap_stream_channel(session->low), settings->host, settings->ca_file, error))
		return true;
	session->dead = true;
	return false;
}

static bool ask_capabilities(struct imap_session *session, GError **error)
{
	struct mailimap_capability_data *data = NULL;
	int result = mailimap_capability(session->imap, &data);
	if (result == MAILIMAP_NO_ERROR && data)
		mailimap_capability_data_free(data);
	return imap_result(session, result, "CAPABILITY", error);
}

static bool converse(struct imap_session *session, GError **error)
{
	bool starttls = session->settings->security == IMAP_STARTTLS;
	imap_begin(session, session->settings->connect_limit, IMAP_CHATTER);
	if (!starttls && !secure(session, error))
		return false;
	if (!greet(session, error))
		return false;
	if (starttls && !(upgrade(session, error) && secure(session, error)))
		return false;
	if (starttls && !ask_capabilities(session, error)) /* what was said in the clear does not count */
		return false;
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return imap_login(session, error) && ask_capabilities(session, error);
}

static int port_of(const struct imap_settings *settings)
{
	if (settings->port)
		return (int)settings->port;
	return settings->security == IMAP_TLS ? 993 : 143;
}

struct imap_session *imap_session_open(const struct source *source, const volatile gint *stop, GError **error)
{
	const struct imap_settings *settings = source->settings;
	int64_t deadline = g_get_monotonic_time() + settings->connect_limit * G_USEC_PER_SEC;
	struct tls_channel *channel = tls_connect(settings->host, port_of(settings), deadline, stop, error);
	if (!channel)
		return NULL;
	struct imap_session *session = g_new0(struct imap_session, 1);
	session->source = source;
	session->settings = settings;
	session->stop = stop;
	session->low = imap_stream_new(channel);
	session->imap = mailimap_new(0, NULL);
	g_assert(session->imap);
	if (converse(session, error))
		return session;
	session->dead = true;
	imap_session_free(session);
	return NULL;
}

void imap_session_free(struct imap_session *session)
{
	if (!session)
		return;
	if (session->connected && !is_dropped(session) && !session->dead) {
		imap_begin(session, 2, IMAP_CHATTER);
		mailimap_logout(session->imap);
	}
	if (!session->connected) {
		mailstream_low_close(session->low);
		mailstream_low_free(session->low);
	} else if (!is_dropped(session)) { /* libetpan drops it on LOGOUT and on a refused greeting */
		mailstream_close(session->imap->imap_stream);
		session->imap->imap_stream = NULL;
	}
	mailimap_free(session->imap);
	g_free(session);
}

/* --- mailbox --- */

static void append_utf7(GString *out, const GByteArray *utf16)
{
	if (utf16->len == 0)
		return;
	g_autofree char *base64 = g_base64_encode(utf16->data, utf16->len);
	g_string_append_c(out, '&');
	for (const char *p = base64; *p && *p != '='; p++)
		g_string_append_c(out, *p == '/' ? ',' : *p);
	g_string_append_c(out, '-');
}

static void push_utf16(GByteArray *utf16, gunichar c)
{
	guint16 units[2] = {(guint16)c, 0};
	unsigned n = 1;
	if (c > 0xffff) {
		units[0] = (guint16)(0xd800 + ((c - 0x10000) >> 10));
		units[1] = (guint16)(0xdc00 + ((c - 0x10000) & 0x3ff));
		n = 2;
	}
	for (unsigned i = 0; i < n; i++) {
		guint8 bytes[2] = {(guint8)(units[i] >> 8), (guint8)(units[i] & 0xff)};
		g_byte_array_append(utf16, bytes, 2);
	}
}

char *imap_encode_mailbox(const char *utf8)
{
	if (!g_utf8_validate(utf8, -1, NULL))
		return NULL;
	GString *out = g_string_new(NULL);
	g_autoptr(GByteArray) utf16 = g_byte_array_new();
	for (const char *p = utf8; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (c < 0x20 || c > 0x7e) {
			push_utf16(utf16, c);
			continue;
		}
		append_utf7(out, utf16);
		g_byte_array_set_size(utf16, 0);
		g_string_append_c(out, (char)c);
		if (c == '&')
			g_string_append_c(out, '-');
	}
	append_utf7(out, utf16);
	return g_string_free(out, FALSE);
}

/* PERMANENTFLAGS holds \* , or was not sent: keywords stay (RFC 3501 7.1). */
static bool permits_keywords(const struct imap_session *session)
{
	clist *flags = session->imap->imap_selection_info->sel_perm_flags;
	if (!flags)
		return true;
	for (clistiter *i = clist_begin(flags); i; i = clist_next(i)) {
		const struct mailimap_flag_perm *flag = clist_content(i);
		if (flag->fl_type == MAILIMAP_FLAG_PERM_ALL)
			return true;
		if (flag->fl_flag && flag->fl_flag->fl_type == MAILIMAP_FLAG_KEYWORD &&
		        g_ascii_strcasecmp(flag->fl_flag->fl_data.fl_keyword, session->settings->keyword) ==
		                0)
			return true;
	}
	return false;
}

/* From now on any EXISTS of the server is news: it may come with the answer to whatever we ask next. */
static void forget_news(struct imap_session *session)
{
	session->imap->imap_selection_info->sel_exists = NO_NEWS;
}

static bool has_news(const struct imap_session *session)
{
	return session->imap->imap_selection_info->sel_exists != NO_NEWS;
}

bool imap_select(struct imap_session *session, const char *mailbox, struct imap_mailbox *out, GError **error)
{
	g_autofree char *name = imap_encode_mailbox(mailbox);
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	if (!imap_result(session, mailimap_select(session->imap, name ? name : mailbox), "SELECT", error))
		return false;
	const struct mailimap_selection_info *info = session->imap->imap_selection_info;
	*out = (struct imap_mailbox){info->sel_uidvalidity, info->sel_uidnext, info->sel_exists};
	if (out->validity == 0) {
		fail_as(error, ERROR_UNAVAILABLE, SCOPE_MAILBOX, WHEN_LATER,
		        "%s: the server gives no UIDVALIDITY: messages could not be told apart",
		        session->settings->host);
		return false;
	}
	session->selected = true;
	session->permits_keywords = permits_keywords(session);
	forget_news(session);
	return true;
}

/* --- listing --- */

static struct mailimap_search_key *key_of(uint32_t from, uint32_t first, uint32_t last)
{
	struct mailimap_search_key *uid = mailimap_search_key_new_uid(mailimap_set_new_interval(from, 0));
	if (first == 0)
		return uid;
	struct mailimap_search_key *both = mailimap_search_key_new_multiple_empty();
	mailimap_search_key_multiple_add(
	        both, mailimap_search_key_new_set(mailimap_set_new_interval(first, last)));
	mailimap_search_key_multiple_add(both, uid);
	return both;
}

/* "n:*" always answers with the last message, also if its UID is below n. */
static bool search(struct imap_session *session, uint32_t from, uint32_t first, uint32_t last, GArray *uids,
        GError **error)
{
	clist *found = NULL;
	struct mailimap_search_key *key = key_of(from, first, last);
	imap_begin(session, session->settings->command_limit, IMAP_LINE_MAX + IMAP_CHATTER);
	int result = mailimap_uid_search(session->imap, NULL, key, &found);
	mailimap_search_key_free(key);
	bool ok = imap_result(session, result, "SEARCH", error);
	for (clistiter *i = ok && found ? clist_begin(found) : NULL; i; i = clist_next(i)) {
		uint32_t uid = *(uint32_t *)clist_content(i);
		if (uid >= from)
			g_array_append_val(uids, uid);
	}
	if (result == MAILIMAP_NO_ERROR && found)
		mailimap_search_result_free(found);
	return ok;
}

static int by_uid(gconstpointer a, gconstpointer b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void sort_unique(GArray *uids)
{
	g_array_sort(uids, by_uid);
	unsigned kept = 0;
	for (unsigned i = 0; i < uids->len; i++) {
		uint32_t uid = g_array_index(uids, uint32_t, i);
		if (kept == 0 || g_array_index(uids, uint32_t, kept - 1) != uid)
			g_array_index(uids, uint32_t, kept++) = uid;
	}
	g_array_set_size(uids, kept);
}

bool imap_list(struct imap_session *session, uint32_t from, uint32_t exists, GArray *uids, GError **error)
{
	bool ok = true;
	forget_news(session);
	if (exists <= PAGE)
		ok = search(session, from, 0, 0, uids, error);
	for (uint32_t first = 1; ok && exists > PAGE && first <= exists; first += PAGE) {
		bool is_last = exists - first < PAGE;
		ok = search(session, from, first, is_last ? 0 : first + PAGE - 1, uids, error);
	}
	sort_unique(uids);
	return ok;
}

/* --- waiting --- */

bool imap_noop(struct imap_session *session, GError **error)
{
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return imap_result(session, mailimap_noop(session->imap), "NOOP", error);
}

static bool is_stopped(const struct imap_session *session)
{
	return session->stop && g_atomic_int_get(session->stop) != 0;
}

static bool wait_quietly(struct imap_session *session, int seconds)
{
	int64_t until = g_get_monotonic_time() + (int64_t)seconds * G_USEC_PER_SEC;
	while (g_get_monotonic_time() < until && !is_stopped(session))
		g_usleep(200000);
	return true;
}

/* Until there is something to read, or the time is over. */
static int wait_for_news(struct imap_session *session, int seconds)
{
	int64_t until = g_get_monotonic_time() + MIN(seconds, session->settings->idle_limit) * G_USEC_PER_SEC;
	if (has_news(session) || session->imap->imap_stream->read_buffer_len > 0)
		return 1;
	return tls_wait(imap_stream_channel(session->low), until);
}

/* News that came before IDLE began would wake nobody. A server that sends EXISTS with every answer must not
 * keep us running in circles. */
static bool is_in_haste(struct imap_session *session)
{
	if (!has_news(session) || session->haste >= HASTE_MAX) {
		session->haste = 0;
		return false;
	}
	session->haste++;
	return wait_quietly(session, 1);
}

bool imap_idle(struct imap_session *session, int seconds, GError **error)
{
	if (is_in_haste(session))
		return true;
	if (!imap_has(session, "IDLE"))
		return wait_quietly(session, seconds);
	forget_news(session);
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	if (!imap_result(session, mailimap_idle(session->imap), "IDLE", error))
		return false;
	if (wait_for_news(session, seconds) < 0 && is_stopped(session)) {
		session->dead = true; /* no time for DONE */
		return true;
	}
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return imap_result(session, mailimap_idle_done(session->imap), "IDLE", error);
}
