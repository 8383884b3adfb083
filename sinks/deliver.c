/* deliver.c - the round: which handler is served when, how many at once, and what outcome a failure is. */
#include "sinks/deliver_private.h"
#include "core/date.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/log.h"
#include "journal/delivery_params.h"

#include <string.h>

enum { CHUNK_BYTES = 64 << 20, REPLY_BATCH = 8 };

/* In the order in which they are served: what is payment-relevant first. */
static const struct handler_row {
	const char *name;
	enum sink_role role; /* the sink whose absence stops the handler (reply has two of its own) */
	unsigned batch;
} handler_rows[] = {
        {DELIVERY_EAKTE, SINK_EAKTE, 500},
        {DELIVERY_ARCHIVE, SINK_ARCHIVE, 200},
        {DELIVERY_REPLY, SINK_REPLY_EMAIL, REPLY_BATCH},
        {DELIVERY_TICKET, SINK_TICKETS, 50},
        {DELIVERY_POST, SINK_TICKETS, 50},
};

struct deliver *deliver_new(const struct deliver_options *options)
{
	struct deliver *deliver = g_new0(struct deliver, 1);
	deliver->options = *options;
	return deliver;
}

void deliver_free(struct deliver *deliver)
{
	if (!deliver)
		return;
	for (int i = 0; i < SINK_ROLES; i++)
		if (deliver->sessions[i])
			deliver->options.sinks->outlets[i].sink->close(deliver->sessions[i]);
	g_free(deliver->trouble);
	g_free(deliver);
}

bool deliver_stopped(const struct deliver *deliver)
{
	return deliver->options.stop && g_atomic_int_get(deliver->options.stop) != 0;
}

bool deliver_has(const struct deliver *deliver, enum sink_role role)
{
	return deliver->options.sinks->outlets[role].sink != NULL;
}

static void mark_down(struct deliver *deliver, enum sink_role role, const GError *error)
{
	if (deliver->down[role] || deliver_stopped(deliver))
		return;
	deliver->down[role] = true;
	g_autofree char *what = g_strdup_printf("deliver.%s", sink_role_name(role));
	log_error(what, error);
	if (!deliver->trouble)
		deliver->trouble = g_strdup_printf("%s: %s", sink_role_name(role), error->message);
}

struct sink_session *deliver_session(struct deliver *deliver, enum sink_role role)
{
	const struct outlet *outlet = &deliver->options.sinks->outlets[role];
	if (!outlet->sink || deliver->down[role] || deliver->sessions[role])
		return deliver->down[role] ? NULL : deliver->sessions[role];
	const struct sink_world world = {
	        .instance = journal_instance(deliver->journal), .stop = deliver->options.stop};
	g_autoptr(GError) error = NULL;
	deliver->sessions[role] = outlet->sink->open(outlet, &world, &error);
	if (!deliver->sessions[role])
		mark_down(deliver, role, error);
	return deliver->sessions[role];
}

int64_t deliver_backoff(const struct limits *limits, int attempts, uint32_t random)
{
	int64_t wait = limits->retry_first;
	for (int i = 1; i < attempts && wait < limits->retry_most; i++)
		wait *= 2;
	wait = MIN(wait, limits->retry_most) * INSTANT_SECOND;
	int64_t span = wait / 2; /* −25 % … +25 % */
	return wait - span / 2 + (int64_t)(random % 1024) * span / 1024;
}

void work_decide(struct work *work, enum delivery_outcome outcome, const char *reason)
{
	work->result.outcome = outcome;
	work->result.reason = reason;
	work->decided = true;
}

void work_open_task(struct work *work, const char *kind, json_t *params, char *text)
{
	work->task_params = params;
	work->task_text = text;
	work->task = (struct new_task){.kind = kind, .text = text, .params = params};
	work->result.tasks = &work->task;
	work->result.n_tasks = 1;
}

/* ---- what became of a job ---- */

static const char *reason_of(const GError *error)
{
	static const char *const words[] = {
	        [ERROR_INTERNAL] = "internal",
	        [ERROR_USAGE] = "usage",
	        [ERROR_INPUT] = "input",
	        [ERROR_UNAVAILABLE] = "unavailable",
	        [ERROR_AGAIN] = "not_now",
	        [ERROR_CONFIG] = "configuration",
	        [ERROR_LOST_LEASE] = "lost_lease",
	        [ERROR_UNCERTAIN] = "outcome_unknown",
	        [ERROR_DENIED] = "refused",
	};
	return words[error_class(error)];
}

static uint32_t chance(void)
{
	uint32_t random;
	random_bytes(&random, sizeof random);
	return random;
}

static void retry(struct deliver *deliver, struct work *work, const char *reason)
{
	const struct limits *limits = deliver->options.limits;
	int attempts = work->delivery->attempts + 1;
	if (attempts >= limits->attempts) {
		work_decide(work, DELIVERY_FAILED, "attempts");
		return;
	}
	work_decide(work, DELIVERY_RETRY, reason);
	work->result.retry_at = deliver->now + deliver_backoff(limits, attempts, chance());
}

/* Not tried. A reply waits a little, so that those of the other channel are claimed meanwhile. */
static void give_back(const struct deliver *deliver, struct work *work)
{
	work_decide(work, DELIVERY_RETURNED, NULL);
	bool reply = work->role == SINK_REPLY_EMAIL || work->role == SINK_REPLY_POSTBOX;
	if (reply && deliver->down[work->role])
		work->result.retry_at =
		        deliver->now + MAX(deliver->options.limits->retry_first, 1) * INSTANT_SECOND;
}

static void settle_failure(struct deliver *deliver, struct work *work, const GError *error)
{
	const struct sink *sink = deliver->options.sinks->outlets[work->role].sink;
	const char *reason = reason_of(error);
	bool reply = work->role == SINK_REPLY_EMAIL || work->role == SINK_REPLY_POSTBOX;
	if (error_class(error) == ERROR_UNCERTAIN && !sink->repeatable) {
		work_decide(work, DELIVERY_UNCERTAIN, reason);
	} else if (error_when(error) != WHEN_NEVER) {
		retry(deliver, work, reason);
	} else {
		work_decide(work, DELIVERY_FAILED, reason);
	}
	if (reply && work->result.outcome == DELIVERY_FAILED) {
		json_t *params = json_object();
		json_set_string(params, "delivery", work->delivery->key);
		json_set_string(params, "reason", work->result.reason);
		work_open_task(work, "reply_undeliverable", params, NULL);
	}
}

static void settle_job(struct deliver *deliver, struct work *work)
{
	const GError *error = work->job.error;
	if (work->job.done) {
		work->result.receipt = work->job.receipt;
		work_decide(work, DELIVERY_CONFIRMED, NULL);
	} else if (!error || error_scope(error) == SCOPE_SOURCE) {
		if (error)
			mark_down(deliver, work->role, error);
		give_back(deliver, work);
	} else {
		g_autofree char *what = g_strdup_printf("deliver.%s", sink_role_name(work->role));
		log_error(what, error);
		settle_failure(deliver, work, error);
	}
}

static bool is_tried(const struct sink_job *job)
{
	return job->done || job->error;
}

/* Hands jobs to the sink, as many at once as it takes, until all are tried or it is no use to go on. */
static void run_jobs(struct deliver *deliver, enum sink_role role, GPtrArray *jobs)
{
	struct sink_session *session = deliver_session(deliver, role);
	const struct sink *sink = deliver->options.sinks->outlets[role].sink;
	while (session && jobs->len > 0 && !deliver_stopped(deliver)) {
		guint n = MIN(sink->batch, jobs->len), tried = 0;
		bool down = false;
		sink->deliver(session, (struct sink_job *const *)jobs->pdata, n);
		for (guint i = n; i-- > 0;) {
			const struct sink_job *job = g_ptr_array_index(jobs, i);
			down |= job->error && error_scope(job->error) == SCOPE_SOURCE;
			if (!is_tried(job))
				continue;
			tried++;
			g_ptr_array_remove_index(jobs, i);
		}
		if (down || !tried)
			return;
	}
}

void deliver_jobs(struct deliver *deliver, struct work *works, unsigned n)
{
	g_autoptr(GPtrArray) open = g_ptr_array_new();
	g_autoptr(GPtrArray) jobs = g_ptr_array_new();
	for (unsigned i = 0; i < n; i++) {
		if (works[i].decided || works[i].lost)
			continue;
		works[i].job.delivery = works[i].delivery;
		g_ptr_array_add(open, &works[i]);
		g_ptr_array_add(jobs, &works[i].job);
	}
	if (jobs->len > 0)
		run_jobs(deliver, ((const struct work *)g_ptr_array_index(open, 0))->role, jobs);
	for (guint i = 0; i < open->len; i++)
		settle_job(deliver, g_ptr_array_index(open, i));
}

/* ---- a batch ---- */

static void work_clear(struct work *work)
{
	json_decref(work->job.receipt);
	g_clear_error(&work->job.error);
	json_decref(work->task_params);
	g_free(work->task_text);
	text_free(work->text);
	g_free(work->token);
	g_free(work->in_reply_to);
	g_free(work->references);
	task_free(work->posted);
}

static void count(const struct work *works, unsigned n, struct deliver_counts *counts)
{
	int64_t *const by_outcome[] = {
	        [DELIVERY_CONFIRMED] = &counts->confirmed,
	        [DELIVERY_RETRY] = &counts->retried,
	        [DELIVERY_FAILED] = &counts->failed,
	        [DELIVERY_UNCERTAIN] = &counts->uncertain,
	        [DELIVERY_CANCELLED] = &counts->cancelled,
	        [DELIVERY_SUPPRESSED] = &counts->suppressed,
	        [DELIVERY_RETURNED] = &counts->returned,
	};
	for (unsigned i = 0; i < n; i++)
		++*(works[i].lost || works[i].result.lost ? &counts->lost
		                                          : by_outcome[works[i].result.outcome]);
}

static bool commit(struct deliver *deliver, struct work *works, unsigned n, struct deliver_counts *counts,
        GError **error)
{
	g_autofree struct delivery_result *results = g_new0(struct delivery_result, n);
	g_autofree unsigned *at = g_new0(unsigned, n);
	unsigned m = 0;
	for (unsigned i = 0; i < n; i++) {
		if (works[i].lost)
			continue;
		results[m] = works[i].result;
		results[m].delivery = works[i].delivery;
		at[m++] = i;
	}
	if (m && !journal_delivery_results(deliver->journal, results, m, deliver->now, error))
		return false;
	for (unsigned i = 0; i < m; i++)
		works[at[i]].result.lost = results[i].lost;
	count(works, n, counts);
	return true;
}

static bool work_on(struct deliver *deliver, const struct handler_row *handler, struct work *works,
        unsigned n, GError **error)
{
	if (strcmp(handler->name, DELIVERY_REPLY) == 0)
		return deliver_replies(deliver, works, n, error);
	if (strcmp(handler->name, DELIVERY_POST) == 0)
		return deliver_posts(deliver, works, n, error);
	if (strcmp(handler->name, DELIVERY_TICKET) == 0)
		deliver_tickets(deliver, works, n);
	else
		deliver_documents(deliver, works, n);
	return true;
}

/* Renews the leases of what is still to be done once half their time is over; what was lost is left out. */
static bool renew(struct deliver *deliver, struct work *works, unsigned n, GError **error)
{
	int64_t lease = deliver->options.limits->lease * INSTANT_SECOND;
	if (g_get_monotonic_time() - deliver->claimed < lease / 2)
		return true;
	deliver->claimed = g_get_monotonic_time();
	for (unsigned i = 0; i < n; i++) {
		g_autoptr(GError) failure = NULL;
		if (journal_renew_delivery(deliver->journal, works[i].delivery, lease, &failure))
			continue;
		works[i].lost = error_class(failure) == ERROR_LOST_LEASE;
		if (!works[i].lost) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return false;
		}
	}
	return true;
}

/* How many of works[0…n) go into one transaction: bounded in bytes that are read and written. */
static unsigned chunk_size(const struct work *works, unsigned n)
{
	int64_t bytes = 0;
	unsigned i = 0;
	for (; i < n && (i == 0 || bytes + works[i].delivery->item_size <= CHUNK_BYTES); i++)
		bytes += works[i].delivery->item_size;
	return i;
}

static bool run_batch(struct deliver *deliver, const struct handler_row *handler, GPtrArray *deliveries,
        struct deliver_counts *counts, GError **error)
{
	unsigned n = deliveries->len;
	g_autofree struct work *works = g_new0(struct work, n);
	for (unsigned i = 0; i < n; i++) {
		works[i].delivery = g_ptr_array_index(deliveries, i);
		works[i].role = handler->role;
	}
	bool ok = true;
	for (unsigned i = 0, m; ok && i < n; i += m) {
		m = chunk_size(works + i, n - i);
		ok = renew(deliver, works + i, n - i, error);
		for (unsigned j = i; ok && j < i + m && deliver_stopped(deliver); j++)
			give_back(deliver, &works[j]);
		ok = ok && work_on(deliver, handler, works + i, m, error) &&
		     commit(deliver, works + i, m, counts, error);
	}
	for (unsigned i = 0; i < n; i++)
		work_clear(&works[i]);
	return ok;
}

/* ---- the round ---- */

/* Documents need their sink; replies and tickets become tasks without one. */
static bool is_served(const struct deliver *deliver, const struct handler_row *handler)
{
	bool needs = handler->role == SINK_EAKTE || handler->role == SINK_ARCHIVE;
	if (strcmp(handler->name, DELIVERY_REPLY) == 0)
		return true;
	return !deliver->down[handler->role] && (!needs || deliver_has(deliver, handler->role));
}

/* One batch of one handler; *more: there may be another. */
static bool serve(struct deliver *deliver, const struct handler_row *handler, bool *more,
        struct deliver_counts *counts, GError **error)
{
	const char *const handlers[] = {handler->name, NULL};
	const struct delivery_claim_options options = {
	        .max = handler->batch,
	        .duration = deliver->options.limits->lease * INSTANT_SECOND,
	        .now = deliver->now,
	        .handlers = handlers,
	};
	deliver->claimed = g_get_monotonic_time();
	g_autoptr(GPtrArray) deliveries = journal_claim_deliveries(deliver->journal, &options, error);
	if (!deliveries)
		return false;
	*more = deliveries->len == handler->batch;
	return deliveries->len == 0 || run_batch(deliver, handler, deliveries, counts, error);
}

static bool serve_all(struct deliver *deliver, struct deliver_counts *counts, GError **error)
{
	bool finished[G_N_ELEMENTS(handler_rows)] = {false};
	bool any = true;
	while (any) {
		any = false;
		for (size_t i = 0; i < G_N_ELEMENTS(handler_rows) && !deliver_stopped(deliver); i++) {
			bool more = false;
			if (finished[i] || !is_served(deliver, &handler_rows[i]))
				continue;
			if (!serve(deliver, &handler_rows[i], &more, counts, error))
				return false;
			finished[i] = !more;
			any |= more;
		}
		any &= !deliver_stopped(deliver);
	}
	return true;
}

bool deliver_round(struct deliver *deliver, struct journal *journal, int64_t now,
        struct deliver_counts *counts, GError **error)
{
	deliver->journal = journal;
	deliver->now = now;
	deliver->facts_failed = false;
	memset(deliver->down, 0, sizeof deliver->down);
	g_clear_pointer(&deliver->trouble, g_free);
	if (!journal_gap(journal, &deliver->gap, error))
		return false;
	if (!serve_all(deliver, counts, error))
		return false;
	for (int i = 0; i < SINK_ROLES; i++)
		counts->sinks_down |= deliver->down[i] ? 1u << i : 0;
	if (deliver->trouble)
		fail(error, ERROR_UNAVAILABLE, "%s", deliver->trouble);
	return !deliver->trouble;
}
