/* replay.h - the journal's history decided again by a candidate bundle: what would change.
 *
 * Each decided item whose content is still kept is decoded, classified and decided as routing would, with the
 * facts frozen at the time, and compared with the decision in force. Nothing is written to the journal. With
 * the bundle and engine that made them, decisions come out byte-identical; anything else is a finding.
 */
#ifndef CLASSIFIERS_REPLAY_H
#define CLASSIFIERS_REPLAY_H

#include "classifiers/pipeline.h"
#include "journal/journal.h"

#define REPLAY_SAMPLES    10    /* items named for each kind of change */
#define REPLAY_MAX_LOSSES 10000 /* items named that would leave the eAkte */

/* What one item's comparison gave. */
enum replay_outcome {
	REPLAY_IDENTICAL, /* same bundle and engine: the same bytes */
	REPLAY_SAME,      /* the same actions, concerns and codes */
	REPLAY_CHANGED,
	REPLAY_BROKEN,   /* same bundle and engine, and yet other bytes */
	REPLAY_GONE,     /* content deleted: not possible */
	REPLAY_OUTCOMES, /* their number */
};

const char *replay_outcome_name(enum replay_outcome outcome); /* "identical", …, "not_possible" */

struct replay_change {
	char *kind;         /* "-eakte", "+reply", "+task.fraud_check", "concerns", "contact_code", … */
	int64_t items;      /* that have it */
	int64_t eakte_lost; /* of them: payment-relevant ones that would leave the eAkte */
	GArray *samples;    /* of int64_t: first items, by number */
};

struct replay_report {
	int64_t items; /* looked at */
	int64_t outcomes[REPLAY_OUTCOMES];
	int64_t engine_differs; /* decided by another engine: classification is compared all the same */
	int64_t last;           /* highest item number compared: where to go on */
	GPtrArray *changes;     /* of struct replay_change, by kind */
	GArray *losses;         /* of int64_t: payment-relevant items that would leave the eAkte, by number */
	int64_t lost;           /* how many in all */
};

struct replay_report *replay_report_new(void);
void replay_report_free(struct replay_report *report);
AUTO_FREE(replay_report);
/* For a file to go on from. */
json_t *replay_report_to_json(const struct replay_report *report);
struct replay_report *replay_report_from_json(const json_t *json, GError **error);

struct replay_options {
	const struct pipeline *candidate;
	const struct journal_options *journal; /* each thread opens its own */
	int64_t since;                         /* time of receipt, µs; 0 = all */
	unsigned threads;                      /* 0: one a core */
	const volatile gint *stop;             /* raised: ends early, report->last says where; may be NULL */
	/* After each part of the history, in order, from the calling thread; may be NULL. */
	bool (*progress)(void *context, const struct replay_report *report, GError **error);
	void *context;
};

/* Goes on behind report->last. */
bool replay_run(const struct replay_options *options, struct replay_report *report, GError **error);
/* How many items there are to compare behind `after` (counts them: seconds for millions). */
bool replay_count(struct journal *journal, int64_t since, int64_t after, int64_t *items, GError **error);

/* One item: decided again. `decision` is the one in force; NULL and no error: its content is gone. */
struct item_view;
struct verdict *replay_item(const struct pipeline *candidate, struct analyser_scratch *scratch,
        struct journal *journal, const struct item_view *view, GError **error);

/* The kinds of change between two decisions as `classify` prints them, sorted; empty: none. Of char *. */
GPtrArray *replay_differences(const json_t *before, const json_t *after);
/* Payment-relevant (yes or unknown) and in the eAkte before, not in it after. */
bool replay_leaves_eakte(const json_t *before, const json_t *after);

#endif
