/* log_said.h - what the records of some items say must stand in the rows, worked out record by record. */
#ifndef JOURNAL_LOG_SAID_H
#define JOURNAL_LOG_SAID_H

#include "journal/journal.h"
#include "journal/log_verify.h"
#include "journal/record_scan.h"

#include <jansson.h>

#define NO_ROW_TEXT "the log has it, the journal does not"

struct said_item {
	int64_t number;
	json_t *received; /* detail, or NULL */
	int64_t taken, decided, deleted, round;
	int64_t worked; /* time of the last record of its decisions, deliveries and tasks */
	bool is_decided, seen;
	char *relevance, *contact_code, *person;
};

struct said_decision {
	json_t *detail;
	int64_t time;
	bool seen;
};

struct said_delivery {
	char *handler, *state, *reason;  /* handler, reason: NULL if nothing was said of it */
	json_t *receipt;                 /* or NULL */
	int64_t item, attempts, created; /* created 0: not said */
	int64_t not_before;
	bool at_most_once;
	bool seen;
};

struct said_task {
	int64_t number, item, created, closed;
	char *kind, *state, *outcome, *actor, *concern;
	char *reason, *reason_commitment; /* a word of ours; of a clerk's words */
	bool seen;
};

struct said {
	const struct journal *journal;
	GHashTable *items;      /* by number */
	GHashTable *decisions;  /* "<item number>/<round>" */
	GHashTable *deliveries; /* by key */
	GHashTable *tasks;      /* by number */
	GHashTable *lines; /* what else must stand in a row, as text → count as pointer: said_count() */
	bool blind;        /* columns that only an auditor does not see are left out of lines */
};
struct said *said_new(const struct journal *journal, bool blind);
/* +1: a record says it, -1: a row stands. Takes the line. */
void said_count(struct said *said, char *line, int by);
char *said_alias_line(const struct said *said, int64_t item, int64_t time, const char *keyed_key);
/* A finding for each line that only records say (NO_ROW_TEXT) or that only a row stands for. */
void said_report_lines(
        const struct said *said, const struct verify_options *options, struct verify_report *report);
void said_free(struct said *said);
AUTO_FREE(said);

/* In the order of the records; `item` 0: of none. */
void said_hear(struct said *said, int64_t item, const struct record_view *record);

#endif
