/* log_list.h - reading the log and the decisions: for people (`log`), and as rows for other tools (`export`).
 */
#ifndef JOURNAL_LOG_LIST_H
#define JOURNAL_LOG_LIST_H

#include "core/json.h"
#include "journal/journal.h"

struct log_entry {
	int64_t number; /* of the row */
	int64_t leaf;   /* -1: not sealed yet */
	int64_t time;
	const char *event, *item; /* item NULL: of the installation */
	const char *actor;
	const json_t *detail;
};

struct log_filter {
	int64_t item;         /* 0: all */
	int64_t since, until; /* times of the records, [since, until) */
	const char *event;    /* NULL: all; "delivery" also finds "delivery.confirmed", … */
	int64_t max;          /* 0: all */
};
/* False ends the listing (no failure). Everything in `entry` is borrowed until the call returns. */
typedef bool (*log_taker)(void *data, const struct log_entry *entry);
/* In the order of the rows, page by page. */
bool journal_log_list(
        struct journal *journal, const struct log_filter *filter, log_taker take, void *data, GError **error);

/* Overrides counted by rule and what was done instead: the material for the next tuning. */
struct override_count {
	char *rule, *kind, *instead;
	int64_t count;
};
/* Most frequent first. GPtrArray of struct override_count. */
GPtrArray *journal_overrides(struct journal *journal, int64_t since, int64_t until, GError **error);

/* One decided item with its decision in force. */
struct decided_entry {
	const char *item, *channel, *source, *mailbox, *bundle, *engine, *contact_code;
	int64_t received, decided, content_deleted;
	const json_t *decision; /* as `classify` prints it */
	const json_t *states;   /* {"eakte":"confirmed", …}: deliveries by key behind the item */
};

struct decided_filter {
	int64_t since, until; /* times of receipt, [since, until) */
	int64_t item;         /* 0: all */
	const char *channel, *rule, *cite, *concern,
	        *action; /* NULL: all; cite: "SOURCE" or "SOURCE SECTION" */
};
typedef bool (*decided_taker)(void *data, const struct decided_entry *entry);
/* By item number, page by page. */
bool journal_decided_list(struct journal *journal, const struct decided_filter *filter, decided_taker take,
        void *data, GError **error);

#endif
