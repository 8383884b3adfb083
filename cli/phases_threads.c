/* phases_threads.c - the daemon's threads: serve, then wait for the bell, the poll time or the end. */
#include "cli/phases_internal.h"
#include "core/error.h"
#include "core/log.h"

enum { BACKOFF_FIRST = 1, BACKOFF_MAX = 300 };

struct seat { /* one thread of one phase */
	struct phases *phases;
	enum phase phase;
};

/* Waits until the bell has rung since `heard`, `seconds` are over, or the end. */
static void bell_wait(struct phases *phases, struct bell *bell, uint64_t *heard, int64_t seconds)
{
	int64_t until = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	g_mutex_lock(&bell->lock);
	while (bell->count == *heard && !phases_stopped(phases))
		if (!g_cond_wait_until(&bell->rung, &bell->lock, until))
			break;
	*heard = bell->count;
	g_mutex_unlock(&bell->lock);
}

static void pause_after_failure(struct phases *phases, unsigned failures)
{
	int64_t seconds = MIN(BACKOFF_MAX, INT64_C(1) << MIN(failures - 1, 8));
	int64_t until = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	while (g_get_monotonic_time() < until && !phases_stopped(phases))
		g_usleep(100000);
}

static bool serve(const struct seat *seat, struct journal *journal, bool *did, GError **error)
{
	switch (seat->phase) {
	case PHASE_ROUTE:
		return phases_route_here(seat->phases, journal, did, error);
	case PHASE_DELIVER:
		return phases_deliver_here(seat->phases, journal, did, error);
	case PHASE_SEAL:
		return phases_seal_here(seat->phases, journal, did, error);
	case PHASE_PULL:
	case PHASES:
		break;
	}
	g_assert_not_reached();
}

/* The journal went away, or said so in the middle of something. */
static bool is_broken(const GError *failure)
{
	return error_class(failure) == ERROR_UNAVAILABLE || error_class(failure) == ERROR_UNCERTAIN ||
	       error_class(failure) == ERROR_INTERNAL;
}

static bool one_round(const struct seat *seat, struct journal **journal, bool *did, GError **error)
{
	if (!*journal)
		*journal = journal_open(&seat->phases->world->options, error);
	if (!*journal || !serve(seat, *journal, did, error))
		return false;
	return true;
}

static gpointer worker_thread(gpointer data)
{
	g_autofree struct seat *seat = data;
	struct phases *phases = seat->phases;
	struct bell *bell = &phases->bells[seat->phase];
	uint64_t heard = 0;
	unsigned failures = 0;
	struct journal *journal = NULL;
	while (!phases_stopped(phases)) {
		g_autoptr(GError) failure = NULL;
		bool did = false;
		if (one_round(seat, &journal, &did, &failure)) {
			failures = 0;
			bell_wait(phases, bell, &heard, phases->world->deployment->limits.poll);
			continue;
		}
		log_error(phase_name(seat->phase), failure);
		phases_count_error(phases, seat->phase);
		if (is_broken(failure))
			g_clear_pointer(&journal, journal_close);
		pause_after_failure(phases, ++failures);
	}
	journal_close(journal);
	return NULL;
}

/* Waits while the journal is behind its witness. */
static bool wait_for_standing(struct phases *phases)
{
	struct bell *bell = &phases->bells[PHASE_PULL];
	uint64_t heard = 0;
	while (!phases_stopped(phases)) {
		g_autoptr(GError) failure = NULL;
		bool may = false;
		if (!phases_may_pull(phases, &may, &failure))
			log_error("pull", failure);
		if (may)
			return true;
		bell_wait(phases, bell, &heard, phases->world->deployment->limits.poll);
	}
	return false;
}

static gpointer pull_thread(gpointer data)
{
	g_autofree struct seat *seat = data;
	struct pull_options options = phases_pull_options(seat->phases, NULL);
	g_autoptr(GError) failure = NULL;
	options.on_taken = phases_note_taken;
	options.on_taken_context = seat->phases;
	if (wait_for_standing(seat->phases) && !pull_forever(&options, &failure)) {
		log_error("pull", failure);
		phases_count_error(seat->phases, PHASE_PULL);
	}
	return NULL;
}

static void start_one(struct phases *phases, enum phase phase)
{
	struct seat *seat = g_new0(struct seat, 1);
	*seat = (struct seat){phases, phase};
	GThreadFunc function = phase == PHASE_PULL ? pull_thread : worker_thread;
	g_ptr_array_add(phases->threads, g_thread_new(phase_name(phase), function, seat));
}

void phases_start(struct phases *phases)
{
	for (enum phase phase = PHASE_PULL; phase < PHASES; phase++) {
		bool single = phase == PHASE_PULL || phase == PHASE_SEAL;
		int64_t n = single ? 1 : phases->world->deployment->limits.workers;
		for (int64_t i = 0; i < n; i++)
			start_one(phases, phase);
	}
}

void phases_join(struct phases *phases)
{
	for (guint i = 0; i < phases->threads->len; i++)
		g_thread_join(phases->threads->pdata[i]);
	g_ptr_array_set_size(phases->threads, 0);
}
