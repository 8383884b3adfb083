/* sink.h - where effects go: the contract of a sink.
 *
 * A sink turns one delivery of the journal into an effect at a far side and says what became of it. It
 * decides nothing, knows no journal and opens no task: the deliver phase (deliver.h) claims, calls deliver(),
 * commits.
 *
 * Order of calls on one session: open, { deliver | find | list }*, close. One session serves one thread and
 * keeps its connection. Every call ends within the sink's own time limits and early once the stop flag is
 * raised; what is under way at the far side then is still waited for, a few seconds.
 *
 * How a failure reads (core/error.h), in struct sink_job.error:
 *   scope SOURCE   not this delivery's fault (unreachable, refused log-in, disk full, 429): nothing took
 * effect. The phase tries no more of this sink this round and gives the rest back; no attempt is counted.
 *   scope ITEM     NOW, LATER: this one again, an attempt is counted; NEVER: failed for good.
 *   ERROR_UNCERTAIN (scope ITEM)  it may have taken effect. A sink that is `repeatable` may be called again
 * with the same key (WHEN_LATER); otherwise the delivery ends as uncertain.
 *
 * Memory: what a job points to on the way in is borrowed; what deliver() puts into it belongs to the caller.
 */
#ifndef SINKS_SINK_H
#define SINKS_SINK_H

#include "config/option.h"
#include "config/template.h"
#include "core/auto.h"
#include "journal/deliveries.h"
#include "journal/tasks.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct sink;
struct sink_session; /* a sink's own, opaque */

/* What a sink stands for; the keys of the `sinks:` section. */
enum sink_role { SINK_EAKTE, SINK_REPLY_EMAIL, SINK_REPLY_POSTBOX, SINK_ARCHIVE, SINK_TICKETS, SINK_ROLES };
const char *sink_role_name(enum sink_role role); /* "eakte", "reply_email", … */

/* One sink as configured. */
struct outlet {
	enum sink_role role;
	const struct sink *sink;
	void *settings; /* filled from sink->options */
};

/* What the world gives a session; copied, the strings too. */
struct sink_world {
	const char *instance;      /* of the journal: loop marker */
	const volatile gint *stop; /* raised: end early; may be NULL */
};

/* Feeds the original bytes in pieces; false (with *error) ends it. */
typedef bool (*content_taker)(void *context, const void *data, size_t size, GError **error);
typedef bool (*content_giver)(void *giver, content_taker take, void *context, GError **error);

/* A reply as it is to leave: rendered, addressed, identified. All strings UTF-8 and not trusted. */
struct reply {
	const char *to;          /* email: envelope sender of what is answered; postbox: address or NULL */
	const char *in_reply_to; /* email: its Message-ID or NULL; postbox: its id, or NULL */
	const char *notice;      /* postbox: id of the eService notice that is answered, or NULL */
	const char *references;  /* its References, or NULL */
	const char *subject;
	const char *body;
	const char *token; /* journal/reply_token.h */
	int64_t date;      /* µs UTC */
};

struct sink_job {
	/* in */
	const struct delivery *delivery;
	content_giver content; /* eakte, archive write: the original bytes; may be called more than once */
	void *content_giver_data;
	const struct reply *reply; /* reply roles */
	const struct task *task;   /* tickets: the task to post; NULL: post the delivery itself */
	bool processed_unknown;    /* tickets: the facts did not answer in time; marked in what is sent */
	/* out; zero on the way in */
	bool done;       /* took effect: receipt is set */
	json_t *receipt; /* object without personal data: {"sha256":…} or {"id":…}; new reference */
	GError *error;   /* unless done; NULL and not done: not tried */
};

/* One thing at the far side, for `balance`. */
struct sink_entry {
	const char *key;    /* idempotency key as far as it can be read back */
	const char *sha256; /* of the content there, or NULL */
	int64_t size;       /* -1: not known */
};
/* False ends the listing (no failure). */
typedef bool (*sink_lister)(void *context, const struct sink_entry *entry);

struct sink {
	const char *name;    /* `type:` in the configuration */
	unsigned roles;      /* 1 << enum sink_role: what it can stand for */
	const char *summary; /* one line for the manual */
	const struct option *options;
	size_t settings_size;
	bool repeatable;  /* the same key twice has one effect at the far side */
	unsigned batch;   /* jobs a call of deliver() takes at once, at most */
	bool wants_bytes; /* needs sink_job.content */

	/* Checks what no single row can; reports to diag. May be NULL. No I/O. */
	void (*check)(
	        const void *settings, enum sink_role role, const struct yaml_node *map, struct diag *diag);

	/* Prepares; may block, but need not connect yet. The outlet must outlive the session. NULL on
	 * failure. */
	struct sink_session *(*open)(
	        const struct outlet *outlet, const struct sink_world *world, GError **error);

	/* Up to `batch` jobs. Fills done/receipt or error of each; stops at the first failure of scope SOURCE
	 * and leaves the rest untried. Must not fail otherwise. May block. */
	void (*deliver)(struct sink_session *session, struct sink_job *const *jobs, unsigned n);

	/* What stands at the far side under this idempotency key: *receipt as deliver() would give it, NULL
	 * if there is nothing. NULL slot: the far side cannot be asked. May block. */
	bool (*find)(struct sink_session *session, const char *key, json_t **receipt, GError **error);

	/* All there is, in any order. NULL slot: the far side cannot be asked. May block. */
	bool (*list)(struct sink_session *session, sink_lister lister, void *context, GError **error);

	/* Never fails; takes NULL and a half-opened session. */
	void (*close)(struct sink_session *session);

	/* "smtp mail.example.org:587" for logs and `status`; no secrets. Free with g_free. */
	char *(*describe)(const struct outlet *outlet);
};

/* All members (sinks.c), NULL-terminated; and one by name that can stand for the role, or NULL. */
extern const struct sink *const sinks_all[];
const struct sink *sink_find(const char *name, enum sink_role role);

/* The options of the `sinks:` section itself, beside the roles. */
extern const struct option sinks_options[];

/* The `sinks:` section. */
struct sinks {
	struct outlet outlets[SINK_ROLES]; /* sink is NULL where none is configured */
	GPtrArray *own_addresses; /* of char *: a mail must have been sent to one of them to be answered;
	                             empty: not looked at */
};
/* `map` may be NULL (nothing is configured). Findings go to diag. Never NULL. Read-only afterwards. */
struct sinks *sinks_load(const struct yaml_node *map, struct diag *diag);
void sinks_free(struct sinks *sinks);
AUTO_FREE(sinks);

#endif
