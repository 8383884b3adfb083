/* item.h - one thing received, and what it says once it is decoded.
 *
 * An item comes from a source under the source's own key and keeps its original bytes for ever (or until
 * `expire`). Decoding gives a `struct message`, the same shape for all three channels; classifiers see only
 * that. Everything a struct points to belongs to it and goes with x_free(); NULL strings mean "not there".
 */
#ifndef CORE_ITEM_H
#define CORE_ITEM_H

#include "core/auto.h"
#include "core/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum channel { CHANNEL_EMAIL, CHANNEL_POSTBOX, CHANNEL_ESERVICE };
const char *channel_name(enum channel channel); /* "email", "postbox", "eservice" */
bool channel_parse(const char *name, enum channel *out);

struct item {
	int64_t id; /* number in the journal; 0 = not (yet) there */
	enum channel channel;
	char *source;     /* name of the source in the configuration */
	char *mailbox;    /* folder, address or queue within the source; "" if it has none */
	char *key;        /* the source's own identity: "UIDVALIDITY:UID", a service id, a file name */
	int64_t received; /* time of receipt, µs UTC; never from `Date:` (DESIGN.md section 1) */
	GBytes *raw;      /* the original bytes; what the eAkte gets */
	char sha256[65];  /* of raw, lower-case hex */
	json_t *fields;   /* what the source said beside or instead of the mail, as a `classify` line (below):
	                   * whole item for postbox and eservice; {"envelope_from":…} or {} for email;
	                   * {"undecodable":true,…} if the bytes are not what the source promised */
};

struct item *item_new(void);
void item_free(struct item *item);
AUTO_FREE(item);

/* Automatic mail in order of precedence (RFC 3834, 3464, 8098, 5965, 2919). */
enum automatic {
	AUTOMATIC_NO,
	AUTOMATIC_LIST,
	AUTOMATIC_GENERATED,
	AUTOMATIC_REPLIED,
	AUTOMATIC_REPORT,
	AUTOMATIC_BOUNCE,
};
const char *automatic_name(
        enum automatic automatic); /* "no", "list", "auto-generated", … as `inspect` prints */
bool automatic_parse(const char *name, enum automatic *out);

struct bounce {
	char *recipient;           /* failed address, or NULL */
	char *status;              /* "5.1.1" (RFC 3463), or NULL */
	char *action;              /* "failed", "delayed", …, or NULL */
	char *original_message_id; /* of the mail that came back, or NULL: to match our own replies */
	char *envelope_to;         /* address the bounce was sent to (VERP), or NULL */
};

struct attachment {
	char *name; /* decoded file name, or NULL */
	char *type; /* "application/pdf" */
	int64_t bytes;
	char sha256[65];
	const char *unsuitable; /* why nobody can read it ("encrypted", "smime", "winmail", "infected"), or
	                           NULL */
};

/* eService forms. A kind or entry name is as the service wrote it; the catalogue maps aliases to concerns. */
enum cv_state { CV_UNKNOWN, CV_EMPTY, CV_FILLED };
struct cv_entry {
	char *name;
	enum cv_state state;
};
enum form_type { FORM_UNKNOWN, FORM_ARBEITSUCHENDMELDUNG, FORM_VERAENDERUNG };
struct form {
	enum form_type type;
	char *type_name;  /* as written */
	char *kind;       /* of a change notice, as written */
	GPtrArray *cv;    /* of struct cv_entry; empty if the form has none */
	int32_t from, to; /* days (core/date.h), DAY_NONE if absent */
	char *text;
};

struct message {
	enum channel channel;
	int64_t received;
	char *mailbox;
	char *message_id, *date; /* header values, unfolded; date as RFC 3339 where it parses */
	char *in_reply_to;
	char *from_name, *from_email; /* decoded display name and bare address of the first author */
	char *envelope_from;          /* "" is the null sender <>; NULL is unknown */
	char *reply_to;
	GPtrArray *to; /* of char *, "Name <addr>" or "addr": To and Cc */
	char *subject;
	char *text;             /* whole readable text, UTF-8, LF line ends; "" if none */
	char *html;             /* the HTML that text was made from, or NULL */
	char *reply_text;       /* text without quoted history and signature */
	bool quoted;            /* text holds quoted or forwarded history */
	GPtrArray *attachments; /* of struct attachment */
	enum automatic automatic;
	struct bounce *bounce;
	GPtrArray *defects; /* of char *: what was broken and repaired, short fixed words */
	bool undecodable;   /* nothing readable could be made of it: doubt */
	const char *
	        unsuitable; /* the message or an attachment is unreadable, encrypted or infected: why; NULL */
	struct form *form;  /* eservice only, else NULL */
};

struct message *message_new(void); /* with empty arrays, nothing else set */
void message_free(struct message *message);
AUTO_FREE(message);
struct form *form_new(void);
void form_free(struct form *form);
void bounce_free(struct bounce *bounce);
struct attachment *attachment_new(void);
void attachment_free(struct attachment *attachment);

/* Reads the `classify` line format (DESIGN.md section 5) into a message: postbox and eservice items and lines
 * on standard input. Unknown keys are ignored, null is absent; a wrong type or value is ERROR_INPUT and says
 * which key. `text` is body, or readable text of html; reply_text and quoted are filled; `automatic` is
 * derived from sender, subject and text unless the line states it. */
struct message *message_from_json(const json_t *line, GError **error);

#endif
