/* imap_connection.h - shared by imap.c and imap_next.c only. */
#ifndef INTAKE_IMAP_CONNECTION_H
#define INTAKE_IMAP_CONNECTION_H

#include "intake/imap_session.h"
#include "intake/imap_state.h"

enum {
	WHOLE_MAX = 4 << 20, /* bytes: larger ones are streamed, so that memory stays bounded */
	SIZES_AHEAD = 500,   /* UIDs whose size is asked for at once: a command line stays below 8 KiB */
	KNOWN_AT_ONCE = 500,
	PENDING_MAX = 20000,
};

struct connection {
	const struct source *source;
	const struct imap_settings *settings;
	struct intake_world world;
	struct imap_session *session;
	char *name; /* of the mailbox */
	struct imap_mailbox mailbox;
	struct imap_state state;
	bool changed;      /* state differs from what was last handed out */
	bool listed;       /* `fresh` holds what is new since open or the last wait */
	bool relisting;    /* all UIDs were compared; to be told with the next batch */
	GArray *fresh;     /* of uint32_t: UIDs above state.last, ascending */
	unsigned next;     /* index into fresh */
	GArray *sized;     /* of struct imap_message: sizes asked ahead, by UID */
	GHashTable *tried; /* pending UIDs tried on this connection */
	uint32_t large;    /* the UID handed out as LARGE, until the next next(); 0: none */
};

char *imap_key(const struct connection *c, uint32_t uid); /* g_free */
void imap_check_validity(struct connection *c);
bool imap_fail_dead(struct connection *c, GError **error);

/* The connector's slots of that name. */
bool imap_next(struct connection *c, struct batch *batch, GError **error);
bool imap_stream(
        struct connection *c, const struct fetched *entry, stream_sink sink, void *context, GError **error);

#endif
