/* tasks.h - work for people: rows written with decisions, closed by clerks. */
#ifndef JOURNAL_TASKS_H
#define JOURNAL_TASKS_H

#include "journal/journal.h"

#include <jansson.h>

struct task {
	int64_t id;
	int64_t item;    /* 0: none (a source's standing task) */
	char *item_name; /* or NULL */
	char *kind, *text;
	json_t *params;
	char *state;   /* "open", "done", "failed" */
	char *outcome; /* call: "reached", "not_reached", or NULL */
	char *reason, *actor;
	int64_t created, not_before, closed;
	int64_t first_received; /* time of receipt of its item; 0: none */
	char *contact_code;     /* of its item, or NULL */
	char *posted;           /* number in the external ticket system, or NULL */
};
void task_free(struct task *task);
AUTO_FREE(task);

struct task_filter {
	const char *state; /* NULL: open */
	const char *kind;  /* NULL: all */
	int64_t item;      /* 0: all */
	int64_t due;       /* only those shown by then (not_before ≤ due); 0: all */
	int64_t after;     /* number after which to go on */
	unsigned max;      /* 0 = 100 */
};
/* By number. GPtrArray of struct task. */
GPtrArray *journal_tasks(struct journal *journal, const struct task_filter *filter, GError **error);
/* ERROR_INPUT if there is none. */
struct task *journal_task(struct journal *journal, int64_t id, GError **error);

struct task_closing {
	bool failed;              /* could not be done */
	const char *reason;       /* kept beside the task; in the log as a word only if it is one of ours */
	const char *contact_code; /* new one for the item, or NULL */
	const char *instead; /* what the clerk decided against the program: an override; needs a reason */
	const char *rule;    /* the rule overridden, or NULL */
};
/* ERROR_INPUT: no such task, or closed already by somebody else. */
bool journal_close_task(
        struct journal *journal, int64_t id, const struct task_closing *closing, GError **error);

/* The one attempt of a call task: compare-and-set. The second caller gets ERROR_DENIED (SCOPE_ITEM). */
bool journal_attempt_task(
        struct journal *journal, int64_t id, bool reached, const char *reason, GError **error);

/* Opens a task outside a decision (standing tasks of the installation). `once`: a key under which only one
 * can be open, or NULL; *id is then that of the open one. */
struct new_task;
bool journal_open_task(struct journal *journal, int64_t item, const struct new_task *task, const char *once,
        int64_t *id, GError **error);

#endif
