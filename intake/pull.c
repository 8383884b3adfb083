/* pull.c - mailboxes side by side, in bounded threads; a failing source never stops the others. */
#include "intake/pull.h"
#include "intake/pull_mailbox.h"

#include "core/error.h"
#include "core/log.h"

#include <string.h>

enum { THREADS_DEFAULT = 4, THREADS_MAX = 64, BACKOFF_MAX = 16 };

struct target {
	const struct source *source;
	char *mailbox;
};

/* What the threads of one round share. */
struct round {
	const struct pull_options *options;
	GPtrArray *targets; /* of struct target */
	gint next;          /* index of the next target nobody has taken */
	GMutex lock;        /* guards what follows */
	struct pull_report report;
	GError *gravest;
	GHashTable *dead; /* names of sources that failed as a whole in this round */
};

static void free_target(gpointer data)
{
	struct target *target = data;
	g_free(target->mailbox);
	g_free(target);
}

static GPtrArray *list_targets(const struct pull_options *options)
{
	GPtrArray *targets = g_ptr_array_new_with_free_func(free_target);
	for (unsigned i = 0; i < options->sources->len; i++) {
		const struct source *source = options->sources->pdata[i];
		if (source->paused || (options->only && strcmp(options->only, source->name) != 0))
			continue;
		g_autoptr(GPtrArray) mailboxes = source->connector->mailboxes(source);
		for (unsigned m = 0; m < mailboxes->len; m++) {
			struct target *target = g_new0(struct target, 1);
			target->source = source;
			target->mailbox = g_strdup(mailboxes->pdata[m]);
			g_ptr_array_add(targets, target);
		}
	}
	return targets;
}

static void add_report(struct pull_report *sum, const struct pull_report *part)
{
	sum->seen += part->seen;
	sum->taken += part->taken;
	sum->duplicates += part->duplicates;
	sum->relinked += part->relinked;
	sum->refused += part->refused;
	sum->vanished += part->vanished;
	sum->unsettled += part->unsettled;
	sum->pending += part->pending;
}

/* Graver: configuration before unavailable before try again. */
static int gravity(const GError *error)
{
	switch (error_class(error)) {
	case ERROR_INTERNAL:
		return 5;
	case ERROR_CONFIG:
		return 4;
	case ERROR_UNAVAILABLE:
	case ERROR_UNCERTAIN:
		return 3;
	case ERROR_DENIED:
	case ERROR_INPUT:
	case ERROR_USAGE:
		return 2;
	case ERROR_AGAIN:
	case ERROR_LOST_LEASE:
		break;
	}
	return 1;
}

static void log_failure(const struct target *target, const GError *failure)
{
	static const char *const whens[] = {"now", "later", "never"};
	log_event(LOG_LEVEL_ERROR, "pull.failed", "source", target->source->name, "mailbox", target->mailbox,
	        "retry", whens[error_when(failure)], "error", failure->message, NULL);
}

static void log_done(const struct target *target, const struct pull_report *report)
{
	if (report->seen + report->taken + report->refused + report->vanished == 0)
		return;
	g_autofree char *taken = g_strdup_printf("%" G_GINT64_FORMAT, report->taken);
	g_autofree char *refused = g_strdup_printf("%" G_GINT64_FORMAT, report->refused);
	g_autofree char *unsettled = g_strdup_printf("%" G_GINT64_FORMAT, report->unsettled);
	log_event(LOG_LEVEL_INFO, "pull.done", "source", target->source->name, "mailbox", target->mailbox,
	        "taken", taken, "refused", refused, "unsettled", unsettled, NULL);
}

/* Takes the failure over. Busy is no failure: another worker is at it. */
static void account(struct round *round, const struct target *target, const struct pull_report *report,
        bool busy, GError *failure)
{
	g_mutex_lock(&round->lock);
	add_report(&round->report, report);
	if (busy)
		round->report.busy++;
	else if (failure)
		round->report.failed++;
	else
		round->report.mailboxes++;
	if (failure && !busy && error_scope(failure) == SCOPE_SOURCE)
		g_hash_table_add(round->dead, (gpointer)target->source->name);
	if (failure && !busy && (!round->gravest || gravity(failure) > gravity(round->gravest))) {
		g_clear_error(&round->gravest);
		round->gravest = g_steal_pointer(&failure);
	}
	g_mutex_unlock(&round->lock);
	g_clear_error(&failure);
}

static bool is_dead(struct round *round, const struct target *target)
{
	g_mutex_lock(&round->lock);
	bool dead = g_hash_table_contains(round->dead, target->source->name);
	g_mutex_unlock(&round->lock);
	return dead;
}

/* Another worker holds, or took over, the mailbox. */
static bool is_busy(const GError *failure)
{
	return failure &&
	       (error_class(failure) == ERROR_LOST_LEASE ||
	               (error_class(failure) == ERROR_AGAIN && error_scope(failure) == SCOPE_MAILBOX));
}

static bool is_broken(const GError *failure)
{
	return failure &&
	       (error_class(failure) == ERROR_UNAVAILABLE || error_class(failure) == ERROR_UNCERTAIN ||
	               error_class(failure) == ERROR_INTERNAL);
}

static void serve_target(struct round *round, struct journal *journal, const struct target *target)
{
	struct mailbox_run run;
	GError *failure = NULL;
	mailbox_run_init(&run, round->options, journal, target->source, target->mailbox);
	mailbox_run_round(&run, &failure);
	bool busy = is_busy(failure);
	if (failure && !busy)
		log_failure(target, failure);
	log_done(target, &run.report);
	bool reopen = is_broken(failure);
	account(round, target, &run.report, busy, failure);
	mailbox_run_clear(&run);
	if (reopen) /* it may have been the journal: the next mailbox starts on a fresh connection */
		journal_reopen(journal, NULL);
}

static const struct target *take_target(struct round *round)
{
	int index = g_atomic_int_add(&round->next, 1);
	if (pull_is_stopped(round->options) || index >= (int)round->targets->len)
		return NULL;
	return round->targets->pdata[index];
}

static gpointer round_thread(gpointer data)
{
	struct round *round = data;
	GError *failure = NULL;
	AUTO(journal) journal = journal_open(round->options->journal, &failure);
	const struct target *target;
	while (journal && (target = take_target(round)) != NULL)
		if (!is_dead(round, target))
			serve_target(round, journal, target);
	if (!journal) {
		g_mutex_lock(&round->lock);
		g_clear_error(&round->gravest);
		round->gravest = failure;
		g_mutex_unlock(&round->lock);
	}
	return NULL;
}

static unsigned thread_count(const struct pull_options *options, unsigned targets)
{
	unsigned wanted = options->threads ? options->threads : THREADS_DEFAULT;
	return MIN(MIN(wanted, THREADS_MAX), targets);
}

static void run_threads(GThreadFunc function, gpointer data, unsigned n)
{
	g_autofree GThread **threads = g_new0(GThread *, n + 1);
	for (unsigned i = 1; i < n; i++)
		threads[i] = g_thread_new("pull", function, data);
	if (n > 0)
		function(data);
	for (unsigned i = 1; i < n; i++)
		g_thread_join(threads[i]);
}

bool pull_once(const struct pull_options *options, struct pull_report *report, GError **error)
{
	struct round round = {.options = options, .targets = list_targets(options)};
	g_mutex_init(&round.lock);
	round.dead = g_hash_table_new(g_str_hash, g_str_equal);
	run_threads(round_thread, &round, thread_count(options, round.targets->len));
	*report = round.report;
	g_hash_table_unref(round.dead);
	g_mutex_clear(&round.lock);
	g_ptr_array_unref(round.targets);
	if (!round.gravest)
		return true;
	g_propagate_error(error, round.gravest);
	return false;
}

/* --- the daemon: a thread a mailbox, so that each can hold its own IDLE --- */

struct service {
	const struct pull_options *options;
	const struct target *target;
};

static int wait_seconds(const struct service *service, unsigned failures)
{
	int64_t poll = service->target->source->poll ? service->target->source->poll
	                                             : service->options->limits->poll;
	int64_t factor = failures == 0 ? 1 : MIN(BACKOFF_MAX, INT64_C(1) << MIN(failures - 1, 10));
	return (int)MIN(poll * factor, 3600);
}

static void sleep_unless_stopped(const struct pull_options *options, int seconds)
{
	int64_t until = g_get_monotonic_time() + (int64_t)seconds * G_USEC_PER_SEC;
	while (g_get_monotonic_time() < until && !pull_is_stopped(options))
		g_usleep(200000);
}

static void serve_forever(const struct service *service, struct journal *journal)
{
	struct mailbox_run run;
	unsigned failures = 0;
	mailbox_run_init(&run, service->options, journal, service->target->source, service->target->mailbox);
	while (!pull_is_stopped(service->options)) {
		g_autoptr(GError) failure = NULL;
		bool ok = mailbox_run_round(&run, &failure);
		bool busy = is_busy(failure);
		if (!ok && !busy)
			log_failure(service->target, failure);
		log_done(service->target, &run.report);
		failures = ok || busy ? 0 : failures + 1;
		if (is_broken(failure))
			journal_reopen(journal, NULL);
		if (ok)
			mailbox_run_wait(&run, wait_seconds(service, 0));
		else
			sleep_unless_stopped(service->options, wait_seconds(service, failures));
	}
	mailbox_run_clear(&run);
}

static gpointer service_thread(gpointer data)
{
	const struct service *service = data;
	while (!pull_is_stopped(service->options)) {
		g_autoptr(GError) failure = NULL;
		AUTO(journal) journal = journal_open(service->options->journal, &failure);
		if (journal) {
			serve_forever(service, journal);
			break;
		}
		log_error("pull.journal", failure);
		sleep_unless_stopped(service->options, (int)service->options->limits->poll);
	}
	return NULL;
}

bool pull_forever(const struct pull_options *options, GError **error)
{
	g_autoptr(GPtrArray) targets = list_targets(options);
	if (targets->len > THREADS_MAX) {
		fail(error, ERROR_CONFIG,
		        "%u mailboxes: the daemon serves at most %d; use the timer for more", targets->len,
		        THREADS_MAX);
		return false;
	}
	struct service services[THREADS_MAX];
	GThread *threads[THREADS_MAX];
	for (unsigned i = 0; i < targets->len; i++) {
		services[i] = (struct service){options, targets->pdata[i]};
		threads[i] = g_thread_new("pull", service_thread, &services[i]);
	}
	for (unsigned i = 0; i < targets->len; i++)
		g_thread_join(threads[i]);
	if (targets->len == 0)
		sleep_unless_stopped(options, G_MAXINT);
	return true;
}

bool pull_oldest(const struct pull_options *options, struct journal *journal, const struct source *source,
        const char *mailbox, struct oldest *out, GError **error)
{
	struct mailbox_run run;
	mailbox_run_init(&run, options, journal, source, mailbox);
	bool ok = mailbox_run_oldest(&run, out, error);
	mailbox_run_clear(&run);
	return ok;
}
