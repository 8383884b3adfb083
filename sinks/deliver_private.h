/* deliver_private.h - what the files of the deliver phase share; nobody else includes it. */
#ifndef SINKS_DELIVER_PRIVATE_H
#define SINKS_DELIVER_PRIVATE_H

#include "journal/log_restore.h"
#include "sinks/deliver.h"

struct deliver {
	struct deliver_options options;
	struct sink_session *sessions[SINK_ROLES]; /* opened when first needed */
	struct journal *journal;                   /* of this round */
	int64_t now;                               /* of this round: business time */
	bool down[SINK_ROLES];                     /* in this round */
	char *trouble;                             /* the first sink that was down: for the round's error */
	struct journal_gap gap;                    /* of this round */
	int64_t claimed;                           /* monotonic µs: when the batch in hand was claimed */
	bool facts_failed;                         /* said once a round */
};

/* One delivery on its way through a batch. */
struct work {
	struct delivery *delivery; /* borrowed */
	struct delivery_result result;
	bool decided; /* result is final */
	enum sink_role role;
	struct sink_job job;
	struct new_task task; /* room for result.tasks */
	json_t *task_params;  /* own */
	char *task_text;      /* own */

	/* replies */
	struct reply reply;
	struct text *text;
	char *token, *in_reply_to, *references; /* own */
	bool lost;
	/* posting */
	struct task *posted;
};

bool deliver_stopped(const struct deliver *deliver);

/* Ends `work` without touching a sink. `reason` is a fixed word. */
void work_decide(struct work *work, enum delivery_outcome outcome, const char *reason);
/* Opens a task with the result; takes `params` and `text` (may be NULL). */
void work_open_task(struct work *work, const char *kind, json_t *params, char *text);

/* The sink of a role, open; NULL if none is configured, or if it is down. */
struct sink_session *deliver_session(struct deliver *deliver, enum sink_role role);
bool deliver_has(const struct deliver *deliver, enum sink_role role);

/* Runs the open jobs of works[0…n), all of the same role, and turns what became of them into results. */
void deliver_jobs(struct deliver *deliver, struct work *works, unsigned n);

/* eAkte and archive: the original bytes go out. */
void deliver_documents(struct deliver *deliver, struct work *works, unsigned n);
/* Replies: prepare, mark as sending, send one by one. False: the journal failed. */
bool deliver_replies(struct deliver *deliver, struct work *works, unsigned n, GError **error);
/* Tickets that became due: ask the facts, cancel, wait, or send. */
void deliver_tickets(struct deliver *deliver, struct work *works, unsigned n);
/* Tasks to be posted outside. False: the journal failed. */
bool deliver_posts(struct deliver *deliver, struct work *works, unsigned n, GError **error);

/* A task reply_draft with the rendered text, so that a person can send it. */
void work_draft(struct deliver *deliver, struct work *work, const char *reason);

#endif
