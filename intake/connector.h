/* connector.h - where items come from: the contract of a connector.
 *
 * A connector turns one source into items. It never decides what happens to them: the pull phase
 * (intake/pull.h) commits what next() gave to the journal, and only then calls settle(), and only settle()
 * may mark, move, acknowledge or delete anything at the source (DESIGN.md section 1, phase 1).
 *
 * Order of calls on one connection: open, { next, stream*, settle }*, oldest*, wait*, close. One connection
 * serves one mailbox and one call at a time, not always from the same thread: next() may run ahead while the
 * batches before it are being committed, but not past one with something to stream. Every call ends within
 * the connector's own time limits and returns early once the stop flag is raised.
 *
 * How a failure reads (core/error.h): scope ITEM: only this entry, go on; MAILBOX: end this mailbox, others
 * of the source go on; SOURCE: end the source for this round. NOW: open again and go on; LATER: at the next
 * round; NEVER: a person must look, the round goes on without it.
 */
#ifndef INTAKE_CONNECTOR_H
#define INTAKE_CONNECTOR_H

#include "config/deployment.h"
#include "config/option.h"
#include "core/auto.h"
#include "core/item.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct connector;
struct connection; /* a connector's own, opaque */

/* One source as configured. */
struct source {
	char *name;
	const struct connector *connector;
	void *settings; /* filled from connector->options */

	/* Common options (source_options[] in sources.c). */
	bool paused;
	int64_t poll;         /* seconds between two rounds of the daemon; 0: limits.poll */
	int64_t silent_after; /* `status` finds the source silent or stuck beyond this many seconds */
};

/* Asks the journal which of these keys of the mailbox it knows; known[i] is set for each. May wait for a
 * commit in progress. */
typedef bool (*keys_known)(void *context, const char *const *keys, unsigned n, bool *known, GError **error);

/* What the world gives a connection; copied by open(), what it points to must outlive the connection. */
struct intake_world {
	int64_t (*now)(void); /* µs UTC */
	int64_t last_relist;  /* µs UTC: when all keys of this mailbox were last compared; 0 = never */
	const struct limits *limits; /* item_size, hard_cap, batch */
	const volatile gint *stop;   /* raised: end early; may be NULL */
	keys_known known;            /* may be NULL: nothing is known beside the state */
	void *known_context;
};

#define INTAKE_BATCH_BYTES  (4 << 20)                      /* raw bytes a batch; one entry may be alone */
#define INTAKE_RELIST_AFTER (24 * 3600 * INT64_C(1000000)) /* µs */

enum fetched_kind {
	FETCHED_ITEM,     /* whole: item->raw is set */
	FETCHED_LARGE,    /* between item_size and hard_cap: item without raw; bytes come by stream() */
	FETCHED_REFUSED,  /* cannot be taken in, stays at the source untouched: see reason */
	FETCHED_VANISHED, /* was seen at the source and is gone before it could be taken in */
};

struct fetched {
	enum fetched_kind kind;
	struct item *item; /* owned; always there; id, source and mailbox are set by the pull phase */
	int64_t size;      /* bytes as far as known, else 0 */
	const char *
	        reason; /* REFUSED, VANISHED: short fixed word: "too_large", "no_id", "unfetchable", "gone" */
	char *generation; /* UIDVALIDITY as text, or NULL (journal/sources.h) */
	bool unsettled;   /* settle() has something to do for it once it is in the journal */
};
void fetched_free(struct fetched *fetched);

/* What one next() gives. Zeroed by the caller, cleared with batch_clear(). */
struct batch {
	GPtrArray *entries; /* of struct fetched; never NULL after batch_init() */
	json_t *state;   /* the connector's state of this mailbox once the entries are committed; NULL: as it
	                  * was. May also be set when next() fails: then it is saved alone. */
	bool more;       /* there is more: call next() again */
	int64_t seen;    /* keys seen at the source for the first time with this batch */
	bool relisted;   /* all keys of the source were compared; found ones are remembered in state */
	int64_t pending; /* keys that could not be fetched and are remembered, after this batch */
};
void batch_init(struct batch *batch);
void batch_clear(struct batch *batch);
/* Takes the item over. */
struct fetched *batch_add(struct batch *batch, enum fetched_kind kind, struct item *item);

/* The oldest thing at the source that is not yet taken in, asked of the source itself. */
struct oldest {
	int64_t count;    /* how many wait; -1 = the source does not say */
	int64_t received; /* of the oldest, µs UTC; 0 = none, or not known */
};

/* Takes a piece of a large item; false (with *error) ends the stream. */
typedef bool (*stream_sink)(void *context, const void *data, size_t size, GError **error);

struct connector {
	const char *name; /* `type:` in the configuration */
	enum channel channel;
	const char *summary; /* one line for the manual */
	const struct option *options;
	size_t settings_size;

	/* Checks what no single row can; reports to diag. May be NULL. */
	void (*check)(const void *settings, const struct yaml_node *map, struct diag *diag);

	/* Names of the source's mailboxes, each leased alone: GPtrArray of char *, owned by the caller. At
	 * least one; "" if the source has no such thing. No I/O. */
	GPtrArray *(*mailboxes)(const struct source *source);

	/* Connects, logs in, selects. `state` is what the last committed batch said, NULL at first; borrowed.
	 * The source must outlive the connection, `world` is copied. May block. NULL on failure. */
	struct connection *(*open)(const struct source *source, const char *mailbox, const json_t *state,
	        const struct intake_world *world, GError **error);

	/* The next entries, within the batch limits; none and !more: nothing new right now. An item
	 * seen again after a crash has the same key. One bad message becomes a REFUSED entry or a remembered
	 * key, never a failure. May block. */
	bool (*next)(struct connection *connection, struct batch *batch, GError **error);

	/* Feeds the bytes of a LARGE entry of the last batch to `sink`; more than hard_cap is a failure. NULL
	 * if the connector makes no LARGE entries. */
	bool (*stream)(struct connection *connection, const struct fetched *entry, stream_sink sink,
	        void *context, GError **error);

	/* The journal holds these keys: bring the source in line. Removes from `keys` (GPtrArray of char *)
	 * what is settled, is already, or is gone; false if any is left. Idempotent: it is repeated after a
	 * crash. */
	bool (*settle)(struct connection *connection, GPtrArray *keys, GError **error);

	/* Asked of the source; changes nothing. */
	bool (*oldest)(struct connection *connection, struct oldest *out, GError **error);

	/* Sleeps until the source says there may be something new, `seconds` are over, or the stop flag.
	 * False: the connection is broken. NULL: the daemon polls. */
	bool (*wait)(struct connection *connection, int seconds, GError **error);

	/* Never fails; takes NULL and a half-opened connection. Never deletes anything. */
	void (*close)(struct connection *connection);

	/* "imap mail.example.org/INBOX" for logs and the console; no secrets. Free with g_free. */
	char *(*describe)(const struct source *source, const char *mailbox);
};

/* All members (connectors.c), NULL-terminated; and one by name, or NULL. */
extern const struct connector *const connectors[];
const struct connector *connector_find(const char *name);

#endif
