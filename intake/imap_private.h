/* imap_private.h - shared by imap_session.c, imap_login.c, imap_fetch.c and imap_settle.c only. */
#ifndef INTAKE_IMAP_PRIVATE_H
#define INTAKE_IMAP_PRIVATE_H

#include "core/error.h"
#include "intake/imap_session.h"
#include "intake/imap_stream.h"

struct imap_session {
	const struct source *source;
	const struct imap_settings *settings;
	const volatile gint *stop;
	mailimap *imap;
	mailstream_low *low; /* belongs to imap->imap_stream once connected */
	bool connected, dead, selected, permits_keywords;
	unsigned haste; /* waits cut short in a row */
};

/* Bytes of chatter beside what was asked for: untagged news about the mailbox. */
#define IMAP_CHATTER (1 << 20)

/* Before each command. */
void imap_begin(struct imap_session *session, int64_t seconds, int64_t quota);
/* Why the stream broke, or NULL; libetpan closes and drops it by itself after some answers. */
const char *imap_failure(const struct imap_session *session);
/* Turns libetpan's result into true, or *error: what broke, or that the server said no to `what`. */
bool imap_result(struct imap_session *session, int result, const char *what, GError **error);

struct mailimap_set *imap_set_of(const uint32_t *uids, unsigned n);

bool imap_login(struct imap_session *session, GError **error);

#endif
