/* imap.c - the connector's options, its connection, and settling.
 *
 * Identity is (mailbox, UIDVALIDITY, UID); \Seen, sequence numbers and Message-ID decide nothing. What is
 * fetched, and in which order, stands in imap_next.c.
 */
#include "core/error.h"
#include "intake/imap_connection.h"
#include "intake/members.h"

#include <string.h>

static const char *const security_words[] = {"tls", "starttls", NULL};
static const char *const auth_words[] = {"plain", "login", "xoauth2", NULL};
static const char *const envelope_words[] = {"unknown", "header", NULL};
static const char *const settle_words[] = {"none", "seen", "flagged", "keyword", "move", NULL};

#define AT(field) offsetof(struct imap_settings, field)

static const struct option imap_options[] = {
        {.name = "host",
                .type = OPTION_STRING,
                .offset = AT(host),
                .flags = OPTION_REQUIRED,
                .help = "Name of the IMAP server; its certificate must be valid for exactly this name."},
        {.name = "port",
                .type = OPTION_INT,
                .fallback = "0",
                .max = 65535,
                .offset = AT(port),
                .help = "TCP port; 0 is 993 for tls and 143 for starttls."},
        {.name = "security",
                .type = OPTION_ENUM,
                .fallback = "tls",
                .words = security_words,
                .offset = AT(security),
                .help = "tls from the first byte, or STARTTLS. There is no way without TLS."},
        {.name = "ca_file",
                .type = OPTION_PATH,
                .offset = AT(ca_file),
                .help = "PEM file of the authorities to trust instead of the system's."},
        {.name = "auth",
                .type = OPTION_ENUM,
                .fallback = "plain",
                .words = auth_words,
                .offset = AT(auth),
                .help = "plain (SASL PLAIN), login (the LOGIN command) or xoauth2."},
        {.name = "user",
                .type = OPTION_STRING,
                .offset = AT(user),
                .flags = OPTION_REQUIRED,
                .help = "Login name."},
        {.name = "password",
                .type = OPTION_SECRET,
                .offset = AT(password),
                .help = "Password for plain and login."},
        {.name = "token_file",
                .type = OPTION_PATH,
                .offset = AT(token_file),
                .help = "xoauth2: file with an access token, read at each connection."},
        {.name = "token_ca_file",
                .type = OPTION_PATH,
                .offset = AT(token_ca_file),
                .help = "xoauth2: authorities to trust for token_url instead of the system's."},
        OAUTH_OPTIONS(struct imap_settings, oauth),
        {.name = "mailboxes",
                .type = OPTION_LIST,
                .fallback = "INBOX",
                .offset = AT(mailboxes),
                .help = "Mailboxes to take in, each with its own state and lease."},
        {.name = "envelope_from",
                .type = OPTION_ENUM,
                .fallback = "header",
                .words = envelope_words,
                .offset = AT(envelope_from),
                .help = "header: the delivering server writes the envelope sender to Return-Path, as RFC "
                        "5321 "
                        "wants it; replies go there. unknown: it does not, so no mail is answered."},
        {.name = "settle",
                .type = OPTION_ENUM,
                .fallback = "keyword",
                .words = settle_words,
                .offset = AT(settle),
                .help = "What is done at the server once a message is in the journal: nothing, \\Seen, "
                        "\\Flagged, "
                        "a keyword, or a move to move_to."},
        {.name = "keyword",
                .type = OPTION_STRING,
                .fallback = "$Posteingang",
                .offset = AT(keyword),
                .help = "The keyword that settle: keyword sets."},
        {.name = "move_to",
                .type = OPTION_STRING,
                .offset = AT(move_to),
                .help = "The mailbox that settle: move moves to. It must exist."},
        {.name = "connect_limit",
                .type = OPTION_DURATION,
                .fallback = "15s",
                .min = 1,
                .max = 300,
                .offset = AT(connect_limit),
                .help = "Absolute time to connect, shake hands and be greeted."},
        {.name = "command_limit",
                .type = OPTION_DURATION,
                .fallback = "60s",
                .min = 1,
                .max = 3600,
                .offset = AT(command_limit),
                .help = "Absolute time of one command."},
        {.name = "fetch_limit",
                .type = OPTION_DURATION,
                .fallback = "10m",
                .min = 1,
                .max = 7200,
                .offset = AT(fetch_limit),
                .help = "Absolute time of one FETCH of messages."},
        {.name = "idle_limit",
                .type = OPTION_DURATION,
                .fallback = "5m",
                .min = 1,
                .max = 1740,
                .offset = AT(idle_limit),
                .help = "IDLE is issued anew after this time, so that a dead connection is noticed (RFC "
                        "2177: less "
                        "than 29 minutes)."},
        OPTION_END,
};

static void imap_check(const void *opaque, const struct yaml_node *map, struct diag *diag)
{
	const struct imap_settings *s = opaque;
	bool xoauth2 = s->auth == IMAP_AUTH_XOAUTH2;
	if (!xoauth2 && !s->password)
		yaml_error(diag, map, "missing key \"password_file\": auth: %s needs a password",
		        auth_words[s->auth]);
	if (xoauth2 && !s->token_file == !s->oauth.token_url)
		yaml_error(diag, map, "auth: xoauth2 needs either token_file or token_url");
	oauth_check(&s->oauth, map, diag);
	if (s->settle == IMAP_SETTLE_MOVE && !s->move_to)
		yaml_error(diag, map, "missing key \"move_to\": settle: move needs it");
	for (unsigned i = 0; i < s->mailboxes->len; i++) {
		if (s->move_to && strcmp(s->move_to, s->mailboxes->pdata[i]) == 0)
			yaml_error(diag, yaml_get(map, "move_to"),
			        "messages would be moved to a mailbox that is taken in");
	}
	if (s->keyword[strcspn(s->keyword, " (){%*\"\\]\r\n")] != '\0')
		yaml_error(diag, yaml_get(map, "keyword"), "a keyword is one word without (){%%*\"\\]");
}

static GPtrArray *imap_mailboxes(const struct source *source)
{
	const struct imap_settings *settings = source->settings;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < settings->mailboxes->len; i++)
		g_ptr_array_add(names, g_strdup(settings->mailboxes->pdata[i]));
	return names;
}

static void imap_close(struct connection *c)
{
	if (!c)
		return;
	imap_session_free(c->session);
	imap_state_clear(&c->state);
	g_array_unref(c->fresh);
	g_array_unref(c->sized);
	g_hash_table_unref(c->tried);
	g_free(c->name);
	g_free(c);
}

static struct connection *imap_open(const struct source *source, const char *mailbox, const json_t *state,
        const struct intake_world *world, GError **error)
{
	struct connection *c = g_new0(struct connection, 1);
	c->source = source;
	c->settings = source->settings;
	c->name = g_strdup(mailbox);
	c->world = *world;
	c->fresh = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	c->sized = imap_messages_new();
	c->tried = g_hash_table_new(NULL, NULL);
	imap_state_init(&c->state, state);
	c->session = imap_session_open(source, world->stop, error);
	if (c->session && imap_select(c->session, mailbox, &c->mailbox, error)) {
		imap_check_validity(c);
		return c;
	}
	imap_close(c);
	return NULL;
}

/* --- settle, oldest, wait --- */

/* UIDs of this UIDVALIDITY; keys of another one are gone and drop out. */
static GArray *uids_of(const struct connection *c, const GPtrArray *keys)
{
	GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	for (unsigned i = 0; i < keys->len; i++) {
		char *end;
		guint64 validity = g_ascii_strtoull(keys->pdata[i], &end, 10);
		guint64 uid = *end == ':' ? g_ascii_strtoull(end + 1, NULL, 10) : 0;
		uint32_t value = (uint32_t)uid;
		if (validity == c->state.validity && uid > 0 && uid <= UINT32_MAX)
			g_array_append_val(uids, value);
	}
	return uids;
}

static int by_number(gconstpointer a, gconstpointer b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void keep_from(const struct connection *c, GPtrArray *keys, const GArray *uids, unsigned from)
{
	g_ptr_array_set_size(keys, 0);
	for (unsigned i = from; i < uids->len; i++)
		g_ptr_array_add(keys, imap_key(c, g_array_index(uids, uint32_t, i)));
}

static bool imap_settle_keys(struct connection *c, GPtrArray *keys, GError **error)
{
	g_autoptr(GArray) uids = uids_of(c, keys);
	g_array_sort(uids, by_number);
	unsigned done = 0;
	bool ok = true;
	if (imap_is_dead(c->session)) {
		keep_from(c, keys, uids, 0);
		return uids->len == 0 || imap_fail_dead(c, error);
	}
	while (ok && done < uids->len) {
		unsigned n = MIN(SIZES_AHEAD, uids->len - done);
		ok = imap_settle(c->session, &g_array_index(uids, uint32_t, done), n, error);
		done += ok ? n : 0;
	}
	keep_from(c, keys, uids, done);
	return ok;
}

static int64_t oldest_of(const GArray *messages)
{
	int64_t oldest = 0;
	for (unsigned i = 0; i < messages->len; i++) {
		int64_t received = g_array_index(messages, struct imap_message, i).received;
		if (received && (!oldest || received < oldest))
			oldest = received;
	}
	return oldest;
}

/* UIDs waiting: pending ones and those above the last. */
static bool list_waiting(struct connection *c, GArray *waiting, GError **error)
{
	for (unsigned i = 0; i < c->state.pending->len; i++)
		g_array_append_val(waiting, g_array_index(c->state.pending, struct imap_pending, i).uid);
	bool nothing = c->mailbox.next != 0 && c->mailbox.next <= c->state.last + 1;
	if (nothing)
		return true;
	return imap_list(
	        c->session, c->state.last + 1, c->state.last == 0 ? c->mailbox.exists : 0, waiting, error);
}

static bool imap_oldest(struct connection *c, struct oldest *out, GError **error)
{
	g_autoptr(GArray) waiting = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) dates = imap_messages_new();
	if (imap_is_dead(c->session))
		return imap_fail_dead(c, error);
	if (!list_waiting(c, waiting, error))
		return false;
	g_array_sort(waiting, by_number);
	unsigned n = MIN(waiting->len, SIZES_AHEAD);
	const uint32_t *uids = (const uint32_t *)(const void *)waiting->data;
	if (n > 0 && !imap_sizes(c->session, uids, n, dates, error))
		return false;
	*out = (struct oldest){.count = waiting->len, .received = oldest_of(dates)};
	return true;
}

static bool imap_wait(struct connection *c, int seconds, GError **error)
{
	if (imap_is_dead(c->session))
		return imap_fail_dead(c, error);
	c->listed = false; /* look again afterwards, whatever woke us */
	c->mailbox.next = c->mailbox.exists = 0;
	g_hash_table_remove_all(c->tried);
	return imap_idle(c->session, seconds, error);
}

static char *imap_describe(const struct source *source, const char *mailbox)
{
	const struct imap_settings *settings = source->settings;
	return g_strdup_printf("imap %s/%s", settings->host, mailbox);
}

const struct connector connector_imap = {
        .name = "imap",
        .channel = CHANNEL_EMAIL,
        .summary = "mailboxes of an IMAP server, over verified TLS",
        .options = imap_options,
        .settings_size = sizeof(struct imap_settings),
        .check = imap_check,
        .mailboxes = imap_mailboxes,
        .open = imap_open,
        .next = imap_next,
        .stream = imap_stream,
        .settle = imap_settle_keys,
        .oldest = imap_oldest,
        .wait = imap_wait,
        .close = imap_close,
        .describe = imap_describe,
};
