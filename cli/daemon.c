/* daemon.c - one main loop for signals; all work is in threads, and whoever waits for them waits in one too.
 */
#include "cli/daemon.h"
#include "cli/metrics.h"
#include "core/error.h"
#include "core/log.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

enum { EXIT_AGAIN = 75, PROGRESS_MS = 500 };

/* --- the end in time --- */

static gboolean too_late(gpointer data)
{
	(void)data;
	log_event(LOG_LEVEL_WARNING, "stop.forced", NULL);
	_exit(EXIT_AGAIN);
}

static void stop_in_time(struct phases *phases)
{
	if (phases_stopped(phases))
		too_late(NULL); /* asked twice */
	log_event(LOG_LEVEL_INFO, "stop.asked", NULL);
	phases_stop(phases);
	g_timeout_add_seconds(DAEMON_STOP_SECONDS, too_late, NULL);
}

/* --- one round --- */

struct once {
	struct world *world;
	const struct daemon_work *work;
	struct phases *phases;
	GMainLoop *loop;
	int code;
	gint current; /* enum phase */
};

static gboolean once_stop(gpointer data)
{
	struct once *once = data;
	stop_in_time(once->phases);
	return G_SOURCE_CONTINUE;
}

static gboolean once_done(gpointer data)
{
	struct once *once = data;
	g_main_loop_quit(once->loop);
	return G_SOURCE_REMOVE;
}

static gpointer once_thread(gpointer data)
{
	struct once *once = data;
	g_autoptr(GError) gravest = NULL;
	for (unsigned i = 0; i < once->work->n && !phases_stopped(once->phases); i++) {
		enum phase phase = once->work->phases[i];
		g_autoptr(GError) failure = NULL;
		g_atomic_int_set(&once->current, phase);
		if (phases_round(once->phases, phase, once->work->only_source, &failure))
			continue;
		log_error(phase_name(phase), failure);
		if (phases_is_graver(failure, gravest)) {
			g_clear_error(&gravest);
			gravest = g_steal_pointer(&failure);
		}
	}
	once->code = gravest ? error_exit_code(gravest) : phases_stopped(once->phases) ? EXIT_AGAIN : 0;
	g_idle_add(once_done, once);
	return NULL;
}

static gboolean show_progress(gpointer data)
{
	struct once *once = data;
	struct tally t;
	phases_tally(once->phases, &t);
	fprintf(stderr,
	        "\r\033[K%s: %" G_GINT64_FORMAT " taken in, %" G_GINT64_FORMAT " decided, %" G_GINT64_FORMAT
	        " delivered",
	        phase_name((enum phase)g_atomic_int_get(&once->current)), t.taken, t.decided, t.confirmed);
	fflush(stderr);
	return G_SOURCE_CONTINUE;
}

static void log_round(const struct tally *t)
{
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {{"taken", t->taken}, {"refused", t->refused}, {"unsettled", t->unsettled},
	        {"busy", t->mailboxes_busy}, {"decided", t->decided}, {"doubt", t->doubt},
	        {"confirmed", t->confirmed}, {"retried", t->retried}, {"failed", t->failed},
	        {"uncertain", t->uncertain}, {"cancelled", t->cancelled}, {"suppressed", t->suppressed}};
	char text[G_N_ELEMENTS(numbers)][24];
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		g_snprintf(text[i], sizeof text[i], "%" G_GINT64_FORMAT, numbers[i].value);
	log_event(LOG_LEVEL_INFO, "run.done", "taken", text[0], "refused", text[1], "unsettled", text[2],
	        "busy", text[3], "decided", text[4], "doubt", text[5], "confirmed", text[6], "retried",
	        text[7], "failed", text[8], "uncertain", text[9], "cancelled", text[10], "suppressed",
	        text[11], NULL);
}

static void write_metrics(const struct once *once, const struct tally *tally)
{
	g_autoptr(GError) failure = NULL;
	if (!once->world->deployment->metrics_file)
		return;
	AUTO(journal) journal = journal_open(&once->world->options, &failure);
	if (!journal || !metrics_write(once->world, journal, tally, &failure))
		log_error("metrics", failure);
}

int daemon_once(struct world *world, const struct daemon_work *work)
{
	AUTO(phases) phases = phases_new(world, NULL);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	struct once once = {.world = world, .work = work, .phases = phases, .loop = loop};
	struct tally tally;
	bool progress = isatty(STDERR_FILENO);
	signal(SIGHUP, SIG_IGN);
	g_unix_signal_add(SIGTERM, once_stop, &once);
	g_unix_signal_add(SIGINT, once_stop, &once);
	guint timer = progress ? g_timeout_add(PROGRESS_MS, show_progress, &once) : 0;
	GThread *thread = g_thread_new("once", once_thread, &once);
	g_main_loop_run(loop);
	g_thread_join(thread);
	if (progress) {
		g_source_remove(timer);
		fputs("\r\033[K", stderr);
	}
	phases_tally(phases, &tally);
	log_round(&tally);
	write_metrics(&once, &tally);
	return once.code;
}

/* --- the daemon --- */

struct daemon {
	struct world *world;
	struct phases *phases;
	struct metrics *metrics;
	GMainLoop *loop;
	struct world *next; /* read at SIGHUP, waits for the old threads to end */
	GThread *drain;     /* joins them; NULL: none under way */
	bool ending, reload_again;
};

static gboolean drained(gpointer data);

static gpointer drain_thread(gpointer data)
{
	struct daemon *d = data;
	phases_join(d->phases);
	metrics_stop(d->metrics);
	d->metrics = NULL;
	g_idle_add(drained, d);
	return NULL;
}

static void drain(struct daemon *d)
{
	if (!d->drain)
		d->drain = g_thread_new("drain", drain_thread, d);
}

static bool start(struct daemon *d, const struct tally *base, GError **error)
{
	d->phases = phases_new(d->world, base);
	d->metrics = metrics_start(d->world, d->phases, error);
	if (!d->metrics)
		return false;
	phases_start(d->phases);
	return true;
}

static void apply_logging(const struct world *world)
{
	log_setup(
	        (enum log_level)world->deployment->log_level, (enum log_format)world->deployment->log_format);
}

/* The new file was checked before the old threads were stopped; only its listener can still fail. */
static void swap(struct daemon *d)
{
	struct tally tally;
	g_autoptr(GError) failure = NULL;
	phases_tally(d->phases, &tally);
	phases_free(d->phases);
	struct world *old = d->world;
	d->world = g_steal_pointer(&d->next);
	if (start(d, &tally, &failure)) {
		world_free(old);
		apply_logging(d->world);
		log_event(LOG_LEVEL_INFO, "reload.done", NULL);
		return;
	}
	log_error("reload.refused", failure);
	phases_free(d->phases);
	world_free(d->world);
	d->world = old;
	world_ready(old, NULL);
	g_clear_error(&failure);
	if (!start(d, &tally, &failure)) {
		log_error("reload", failure);
		_exit(error_exit_code(failure));
	}
}

static void reload(struct daemon *d);

static gboolean drained(gpointer data)
{
	struct daemon *d = data;
	g_thread_join(g_steal_pointer(&d->drain));
	if (d->ending) {
		g_main_loop_quit(d->loop);
		return G_SOURCE_REMOVE;
	}
	swap(d);
	if (d->reload_again) {
		d->reload_again = false;
		reload(d);
	}
	return G_SOURCE_REMOVE;
}

static struct world *read_next(const struct daemon *d, GError **error)
{
	AUTO(world) next = world_load(d->world->wanted, stderr, error);
	if (!next)
		return NULL;
	if (!journal_settings_equal(&next->journal, &d->world->journal)) {
		fail(error, ERROR_CONFIG, "%s: the journal cannot be changed while running: restart",
		        next->deployment->file);
		return NULL;
	}
	return world_ready(next, error) ? g_steal_pointer(&next) : NULL;
}

static void reload(struct daemon *d)
{
	g_autoptr(GError) failure = NULL;
	if (d->drain) {
		d->reload_again = true;
		return;
	}
	d->next = read_next(d, &failure);
	if (!d->next) {
		log_error("reload.refused", failure);
		return;
	}
	log_event(LOG_LEVEL_INFO, "reload", NULL);
	phases_stop(d->phases);
	drain(d);
}

static gboolean on_reload(gpointer data)
{
	struct daemon *d = data;
	if (!d->ending)
		reload(d);
	return G_SOURCE_CONTINUE;
}

static gboolean on_stop(gpointer data)
{
	struct daemon *d = data;
	if (d->ending)
		too_late(NULL);
	d->ending = true;
	log_event(LOG_LEVEL_INFO, "stop.asked", NULL);
	phases_stop(d->phases);
	g_timeout_add_seconds(DAEMON_STOP_SECONDS, too_late, NULL);
	drain(d);
	return G_SOURCE_CONTINUE;
}

int daemon_run(struct world *world, GError **error)
{
	struct daemon d = {.world = world};
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	d.loop = loop;
	bool ok = start(&d, NULL, error);
	if (ok) {
		g_unix_signal_add(SIGTERM, on_stop, &d);
		g_unix_signal_add(SIGINT, on_stop, &d);
		g_unix_signal_add(SIGHUP, on_reload, &d);
		log_event(LOG_LEVEL_INFO, "started", NULL);
		g_main_loop_run(loop);
		log_event(LOG_LEVEL_INFO, "stopped", NULL);
	}
	metrics_stop(d.metrics);
	phases_free(d.phases);
	world_free(d.next);
	world_free(d.world);
	return ok ? 0 : EXIT_AGAIN;
}
