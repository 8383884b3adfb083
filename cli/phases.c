/* phases.c - rounds: every phase served by bounded threads, each with its own journal handle. */
#include "cli/phases_internal.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/log_seal.h"

static const char *const names[] = {
        [PHASE_PULL] = "pull",
        [PHASE_ROUTE] = "route",
        [PHASE_DELIVER] = "deliver",
        [PHASE_SEAL] = "seal",
};

const char *phase_name(enum phase phase)
{
	return names[phase];
}

struct phases *phases_new(struct world *world, const struct tally *base)
{
	struct phases *phases = g_new0(struct phases, 1);
	phases->world = world;
	phases->active = pipeline_active_new();
	phases->threads = g_ptr_array_new();
	g_mutex_init(&phases->lock);
	for (int i = 0; i < PHASES; i++) {
		g_mutex_init(&phases->bells[i].lock);
		g_cond_init(&phases->bells[i].rung);
	}
	if (base)
		phases->tally = *base;
	return phases;
}

void phases_free(struct phases *phases)
{
	if (!phases)
		return;
	phases_stop(phases);
	phases_join(phases);
	g_ptr_array_unref(phases->threads);
	pipeline_active_free(phases->active);
	for (int i = 0; i < PHASES; i++) {
		g_mutex_clear(&phases->bells[i].lock);
		g_cond_clear(&phases->bells[i].rung);
	}
	g_mutex_clear(&phases->lock);
	g_free(phases);
}

void bell_ring(struct bell *bell)
{
	g_mutex_lock(&bell->lock);
	bell->count++;
	g_cond_broadcast(&bell->rung);
	g_mutex_unlock(&bell->lock);
}

void phases_stop(struct phases *phases)
{
	g_atomic_int_set(&phases->stop, 1);
	for (int i = 0; i < PHASES; i++)
		bell_ring(&phases->bells[i]);
}

bool phases_stopped(const struct phases *phases)
{
	return g_atomic_int_get(&phases->stop) != 0;
}

void phases_tally(struct phases *phases, struct tally *out)
{
	g_mutex_lock(&phases->lock);
	*out = phases->tally;
	g_mutex_unlock(&phases->lock);
}

void phases_count_pull(struct phases *phases, const struct pull_report *report)
{
	g_mutex_lock(&phases->lock);
	struct tally *t = &phases->tally;
	t->duplicates += report->duplicates;
	t->relinked += report->relinked;
	t->refused += report->refused;
	t->vanished += report->vanished;
	t->unsettled = report->unsettled;
	t->pending = report->pending;
	t->mailboxes += report->mailboxes;
	t->mailboxes_failed += report->failed;
	t->mailboxes_busy += report->busy;
	g_mutex_unlock(&phases->lock);
}

void phases_count_route(struct phases *phases, const struct route_counts *counts)
{
	g_mutex_lock(&phases->lock);
	phases->tally.decided += counts->decided;
	phases->tally.doubt += counts->doubt;
	phases->tally.poisoned += counts->poisoned;
	g_mutex_unlock(&phases->lock);
}

void phases_count_deliver(struct phases *phases, const struct deliver_counts *counts)
{
	g_mutex_lock(&phases->lock);
	struct tally *t = &phases->tally;
	t->confirmed += counts->confirmed;
	t->retried += counts->retried;
	t->failed += counts->failed;
	t->uncertain += counts->uncertain;
	t->cancelled += counts->cancelled;
	t->suppressed += counts->suppressed;
	t->returned += counts->returned;
	g_mutex_unlock(&phases->lock);
}

void phases_count_sealed(struct phases *phases, int64_t sealed)
{
	g_mutex_lock(&phases->lock);
	phases->tally.sealed += sealed;
	g_mutex_unlock(&phases->lock);
}

void phases_count_error(struct phases *phases, enum phase phase)
{
	g_mutex_lock(&phases->lock);
	phases->tally.errors[phase]++;
	g_mutex_unlock(&phases->lock);
}

static int gravity(const GError *error)
{
	if (!error)
		return 0;
	switch (error_class(error)) {
	case ERROR_INTERNAL:
		return 5;
	case ERROR_CONFIG:
	case ERROR_USAGE:
		return 4;
	case ERROR_UNAVAILABLE:
	case ERROR_UNCERTAIN:
		return 3;
	case ERROR_DENIED:
	case ERROR_INPUT:
		return 2;
	case ERROR_AGAIN:
	case ERROR_LOST_LEASE:
		break;
	}
	return 1;
}

bool phases_is_graver(const GError *error, const GError *than)
{
	return gravity(error) > gravity(than);
}

struct pull_options phases_pull_options(struct phases *phases, const char *only_source)
{
	const struct world *world = phases->world;
	return (struct pull_options){
	        .sources = world->sources,
	        .only = only_source,
	        .limits = &world->deployment->limits,
	        .journal = &world->options,
	        .stop = &phases->stop,
	        .now = world_clock,
	};
}

struct route_options phases_route_options(struct phases *phases)
{
	const struct world *world = phases->world;
	return (struct route_options){
	        .active = phases->active,
	        .facts = world->facts,
	        .limits = &world->deployment->limits,
	        .post_tasks = world->sinks->outlets[SINK_TICKETS].sink != NULL,
	        .stop = &phases->stop,
	};
}

enum standing { STANDING_UNKNOWN, STANDING_BEHIND, STANDING_FINE };

static enum standing ask_witness(const struct world *world, struct journal *journal, GError **error)
{
	AUTO(witness) witness = log_settings_witness(&world->log, error);
	g_autoptr(GPtrArray) keys = witness ? log_settings_verifiers(&world->log, error) : NULL;
	struct witness_check check = {0};
	if (!keys || !journal_check_witness(journal, witness, (struct log_verifier *const *)keys->pdata,
	                     keys->len, &check, error))
		return STANDING_UNKNOWN;
	bool agrees = check.state == WITNESS_AGREES || check.state == WITNESS_EMPTY;
	witness_check_clear(&check);
	if (agrees)
		return STANDING_FINE;
	fail(error, ERROR_CONFIG,
	        "the journal is not what its witness has seen (a restored backup?): nothing is taken in or "
	        "decided, replies and calls are held back until `posteingang restore --accept`");
	return STANDING_BEHIND;
}

/* Asks until the answer was "fine" once. */
static enum standing standing_of(struct phases *phases, struct journal *journal)
{
	if (!phases->world->log.witness || strcmp(phases->world->log.witness, "-") == 0)
		return STANDING_FINE;
	g_mutex_lock(&phases->lock);
	bool agrees = phases->witness_agrees;
	g_mutex_unlock(&phases->lock);
	if (agrees)
		return STANDING_FINE;
	g_autoptr(GError) why = NULL;
	enum standing standing = ask_witness(phases->world, journal, &why);
	if (standing != STANDING_FINE)
		log_error("witness", why);
	g_mutex_lock(&phases->lock);
	phases->witness_agrees = standing == STANDING_FINE;
	g_mutex_unlock(&phases->lock);
	return standing;
}

bool phases_hold(struct phases *phases, struct journal *journal)
{
	return standing_of(phases, journal) != STANDING_FINE;
}

bool phases_behind(struct phases *phases, struct journal *journal)
{
	return standing_of(phases, journal) == STANDING_BEHIND;
}

bool phases_route_here(struct phases *phases, struct journal *journal, bool *did, GError **error)
{
	struct route_options options = phases_route_options(phases);
	enum standing standing = standing_of(phases, journal);
	if (standing == STANDING_BEHIND)
		return true; /* the numbers of its tasks were given before */
	options.hold_calls = standing != STANDING_FINE;
	AUTO(route) route = route_new(&options, journal, error);
	unsigned n = 1;
	bool ok = route != NULL;
	while (ok && n && !phases_stopped(phases)) {
		struct route_counts counts = {0};
		ok = route_batch(route, world_now(phases->world), &counts, &n, error);
		phases_count_route(phases, &counts);
		if (did)
			*did |= counts.decided > 0;
		if (counts.decided)
			bell_ring(&phases->bells[PHASE_DELIVER]);
	}
	return ok;
}

static bool deliver_with(struct phases *phases, struct journal *journal,
        const struct deliver_options *options, bool *did, GError **error)
{
	AUTO(deliver) deliver = deliver_new(options);
	struct deliver_counts counts = {0};
	bool ok = deliver_round(deliver, journal, world_now(phases->world), &counts, error);
	phases_count_deliver(phases, &counts);
	if (did)
		*did |= counts.confirmed + counts.failed + counts.uncertain + counts.cancelled +
		                counts.suppressed >
		        0;
	return ok;
}

bool phases_deliver_here(struct phases *phases, struct journal *journal, bool *did, GError **error)
{
	const struct world *world = phases->world;
	AUTO(pipeline) pipeline = pipeline_active_get(phases->active, journal, error);
	if (!pipeline)
		return false;
	g_autoptr(GError) facts_failure = NULL;
	AUTO(facts_source)
	facts = facts_source_open(world->facts, journal, &phases->stop, &facts_failure);
	if (!facts)
		log_error("deliver.facts", facts_failure);
	const struct deliver_options options = {
	        .sinks = world->sinks,
	        .templates = pipeline_templates(pipeline),
	        .facts = facts,
	        .limits = &world->deployment->limits,
	        .stop = &phases->stop,
	        .hold_effects = phases_hold(phases, journal),
	};
	return deliver_with(phases, journal, &options, did, error);
}

bool phases_seal_here(struct phases *phases, struct journal *journal, bool *did, GError **error)
{
	const struct log_settings *settings = &phases->world->log;
	g_autoptr(GError) bad = NULL;
	AUTO(log_signer) signer = log_settings_signer(settings, &bad);
	AUTO(witness) witness = bad ? NULL : log_settings_witness(settings, &bad);
	if (bad) {
		g_propagate_error(error, g_steal_pointer(&bad));
		return false;
	}
	if (!signer)
		return true; /* another host has the key */
	const struct seal_options options = {.signer = signer, .witness = witness};
	struct seal_result result = {0};
	bool ok = journal_seal(journal, &options, &result, error);
	phases_count_sealed(phases, (int64_t)result.sealed);
	if (did)
		*did |= result.sealed > 0;
	return ok;
}

typedef bool (*here)(struct phases *, struct journal *, bool *, GError **);
static const here workers[PHASES] = {
        [PHASE_ROUTE] = phases_route_here,
        [PHASE_DELIVER] = phases_deliver_here,
        [PHASE_SEAL] = phases_seal_here,
};

struct round {
	struct phases *phases;
	enum phase phase;
	GMutex lock;
	GError *gravest;
};

static gpointer round_thread(gpointer data)
{
	struct round *round = data;
	g_autoptr(GError) failure = NULL;
	AUTO(journal) journal = journal_open(&round->phases->world->options, &failure);
	if (journal && workers[round->phase](round->phases, journal, NULL, &failure))
		return NULL;
	g_mutex_lock(&round->lock);
	if (phases_is_graver(failure, round->gravest)) {
		g_clear_error(&round->gravest);
		round->gravest = g_steal_pointer(&failure);
	}
	g_mutex_unlock(&round->lock);
	return NULL;
}

static bool worker_round(struct phases *phases, enum phase phase, GError **error)
{
	struct round round = {.phases = phases, .phase = phase};
	g_mutex_init(&round.lock);
	unsigned n = phase == PHASE_SEAL ? 1 : (unsigned)phases->world->deployment->limits.workers;
	g_autofree GThread **threads = g_new0(GThread *, n);
	for (unsigned i = 1; i < n; i++)
		threads[i] = g_thread_new(names[phase], round_thread, &round);
	round_thread(&round);
	for (unsigned i = 1; i < n; i++)
		g_thread_join(threads[i]);
	g_mutex_clear(&round.lock);
	if (!round.gravest)
		return true;
	g_propagate_error(error, round.gravest);
	return false;
}

void phases_note_taken(void *context, const char *source, unsigned items)
{
	struct phases *phases = context;
	(void)source;
	g_mutex_lock(&phases->lock);
	phases->tally.taken += items;
	g_mutex_unlock(&phases->lock);
	bell_ring(&phases->bells[PHASE_ROUTE]);
}

bool phases_may_pull(struct phases *phases, bool *may, GError **error)
{
	*may = true;
	if (!phases->world->log.witness)
		return true;
	AUTO(journal) journal = journal_open(&phases->world->options, error);
	if (journal)
		*may = !phases_behind(phases, journal);
	return journal != NULL;
}

static bool pull_round(struct phases *phases, const char *only_source, GError **error)
{
	bool may;
	if (!phases_may_pull(phases, &may, error))
		return false;
	if (!may)
		return true;
	struct pull_options options = phases_pull_options(phases, only_source);
	struct pull_report report = {0};
	options.on_taken = phases_note_taken;
	options.on_taken_context = phases;
	bool ok = pull_once(&options, &report, error);
	phases_count_pull(phases, &report);
	return ok;
}

bool phases_round(struct phases *phases, enum phase phase, const char *only_source, GError **error)
{
	bool ok = phase == PHASE_PULL ? pull_round(phases, only_source, error)
	                              : worker_round(phases, phase, error);
	if (!ok)
		phases_count_error(phases, phase);
	return ok;
}
