/* imap_session.h - one IMAP conversation (RFC 3501, 2177, 4315, 6851) over libetpan, with limits on
 * everything.
 *
 * Knows nothing of state or journal; imap.c does. Failures: what breaks the conversation sets imap_is_dead()
 * and has WHEN_NOW once a mailbox is selected (open again and go on), else WHEN_LATER; a plain NO of the
 * server has SCOPE_MAILBOX.
 */
#ifndef INTAKE_IMAP_SESSION_H
#define INTAKE_IMAP_SESSION_H

#include "config/oauth.h"
#include "intake/connector.h"

enum imap_security { IMAP_TLS, IMAP_STARTTLS };
enum imap_auth { IMAP_AUTH_PLAIN, IMAP_AUTH_LOGIN, IMAP_AUTH_XOAUTH2 };
enum imap_envelope { IMAP_ENVELOPE_UNKNOWN, IMAP_ENVELOPE_HEADER };
enum imap_settle {
	IMAP_SETTLE_NONE,
	IMAP_SETTLE_SEEN,
	IMAP_SETTLE_FLAGGED,
	IMAP_SETTLE_KEYWORD,
	IMAP_SETTLE_MOVE
};

struct imap_settings {
	char *host, *ca_file, *user, *password;
	int64_t port; /* 0: 993 or 143 */
	int security, auth, settle, envelope_from;
	char *token_file, *token_ca_file;
	struct oauth oauth;
	GPtrArray *mailboxes;
	char *keyword, *move_to;
	int64_t connect_limit, command_limit, fetch_limit, idle_limit; /* seconds */
};

struct imap_session;

struct imap_message {
	uint32_t uid;
	int64_t size;     /* RFC822.SIZE as the server says; -1: it did not say */
	int64_t received; /* INTERNALDATE, µs UTC; 0: none */
	GBytes *body;     /* NULL: none came */
};
GArray *imap_messages_new(void); /* of struct imap_message, which it owns */

/* Connects, verifies the certificate, logs in. */
struct imap_session *imap_session_open(
        const struct source *source, const volatile gint *stop, GError **error);
void imap_session_free(struct imap_session *session); /* LOGOUT, never CLOSE: that would expunge */
AUTO_FREE(imap_session);
bool imap_is_dead(const struct imap_session *session);
bool imap_has(struct imap_session *session, const char *extension);

struct imap_mailbox {
	uint32_t validity, next, exists; /* next: 0 if the server does not say (Courier) */
};
bool imap_select(struct imap_session *session, const char *mailbox, struct imap_mailbox *out, GError **error);

/* UIDs ≥ from, ascending, appended to `uids` (GArray of uint32_t). `exists` > 0: asked for in pages of
 * message numbers, for long lists; 0: in one question. */
bool imap_list(struct imap_session *session, uint32_t from, uint32_t exists, GArray *uids, GError **error);

/* Size and time of up to 500 UIDs. What the server does not know is missing in `out`. */
bool imap_sizes(struct imap_session *session, const uint32_t *uids, unsigned n, GArray *out, GError **error);

/* The messages, whole, by BODY.PEEK[]. `expected`: bytes in all as far as known. */
bool imap_fetch(struct imap_session *session, const uint32_t *uids, unsigned n, int64_t expected, GArray *out,
        GError **error);

/* One message piece by piece; more than `cap` bytes is ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER and kills the
 * session. *bytes: what came; -1: the server sent no body. */
bool imap_stream_message(struct imap_session *session, uint32_t uid, int64_t cap, stream_sink sink,
        void *context, int64_t *bytes, GError **error);

/* As settings->settle says; all or nothing as far as the server does so. */
bool imap_settle(struct imap_session *session, const uint32_t *uids, unsigned n, GError **error);

bool imap_noop(struct imap_session *session, GError **error);
/* IDLE until there is news or `seconds` are over (or stop). Without IDLE it just waits. */
bool imap_idle(struct imap_session *session, int seconds, GError **error);

/* Mailbox names as the wire wants them: modified UTF-7 (RFC 3501 5.1.3). NULL if not UTF-8. g_free. */
char *imap_encode_mailbox(const char *utf8);

#endif
