/* pull_mailbox.c - the order that must hold for one mailbox: fetch, commit, settle, remember. */
#include "intake/pull_mailbox.h"

#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "intake/pull_fetch.h"

#include <string.h>

/* A source that never lets itself be settled must not let the state grow without bound. */
enum { UNSETTLED_MAX = 10000, REOPEN_MAX = 5 };

bool pull_is_stopped(const struct pull_options *options)
{
	return options->stop && g_atomic_int_get(options->stop) != 0;
}

int64_t pull_now(const struct pull_options *options)
{
	return options->now ? options->now() : instant_now();
}

void mailbox_run_init(struct mailbox_run *run, const struct pull_options *options, struct journal *journal,
        const struct source *source, const char *mailbox)
{
	*run = (struct mailbox_run){
	        .options = options, .journal = journal, .source = source, .mailbox = mailbox};
	run->unsettled = g_ptr_array_new_with_free_func(g_free);
	g_mutex_init(&run->journal_lock);
}

static void close_connection(struct mailbox_run *run)
{
	if (run->connection)
		run->source->connector->close(run->connection);
	run->connection = NULL;
}

static void drop_lease(struct mailbox_run *run)
{
	if (run->lease)
		journal_release_mailbox(run->journal, run->lease, NULL);
	g_clear_pointer(&run->lease, mailbox_lease_free);
}

void mailbox_run_clear(struct mailbox_run *run)
{
	close_connection(run);
	drop_lease(run);
	json_decref(run->connector_state);
	g_ptr_array_unref(run->unsettled);
	g_mutex_clear(&run->journal_lock);
}

/* --- state: {"connector": …, "unsettled": [keys]} --- */

static json_t *state_of(const struct mailbox_run *run)
{
	json_t *state = json_object();
	if (run->connector_state)
		json_object_set(state, "connector", run->connector_state);
	json_t *unsettled = json_array();
	for (unsigned i = 0; i < run->unsettled->len; i++)
		json_add_string(unsettled, run->unsettled->pdata[i]);
	json_object_set_new(state, "unsettled", unsettled);
	return state;
}

static void load_state(struct mailbox_run *run)
{
	json_decref(run->connector_state);
	run->connector_state = json_incref(json_object_get(run->lease->state, "connector"));
	g_ptr_array_set_size(run->unsettled, 0);
	size_t i;
	json_t *key;
	json_array_foreach (json_object_get(run->lease->state, "unsettled"), i, key) {
		if (json_is_string(key))
			g_ptr_array_add(run->unsettled, g_strdup(json_string_value(key)));
	}
	run->dirty = false;
}

/* --- lease --- */

static int64_t lease_duration(const struct mailbox_run *run)
{
	return run->options->limits->lease * INSTANT_SECOND;
}

static bool claim(struct mailbox_run *run, GError **error)
{
	run->lease = journal_lease_mailbox(
	        run->journal, run->source->name, run->mailbox, lease_duration(run), error);
	run->renew_at = g_get_monotonic_time() + lease_duration(run) / 3;
	return run->lease != NULL;
}

static bool keep_lease(struct mailbox_run *run, GError **error)
{
	if (g_get_monotonic_time() < run->renew_at)
		return true;
	run->renew_at = g_get_monotonic_time() + lease_duration(run) / 3;
	return journal_renew_mailbox(run->journal, run->lease, lease_duration(run), error);
}

/* --- connection --- */

static bool ask_known(void *context, const char *const *keys, unsigned n, bool *known, GError **error)
{
	struct mailbox_run *run = context;
	g_mutex_lock(&run->journal_lock);
	bool ok =
	        keep_lease(run, error) && journal_known_keys(run->journal, run->lease, keys, n, known, error);
	g_mutex_unlock(&run->journal_lock);
	return ok;
}

static bool open_connection(struct mailbox_run *run, GError **error)
{
	const struct intake_world world = {
	        .now = run->options->now ? run->options->now : instant_now,
	        .last_relist = run->lease->last_relist,
	        .limits = run->options->limits,
	        .stop = run->options->stop,
	        .known = ask_known,
	        .known_context = run,
	};
	run->connection =
	        run->source->connector->open(run->source, run->mailbox, run->connector_state, &world, error);
	return run->connection != NULL;
}

/* --- a batch --- */

struct take {
	struct mailbox_run *run;
	GArray *entries; /* struct intake_entry */
	GArray *gaps;    /* struct intake_gap */
	GPtrArray *contents;
};

static void free_content(gpointer content)
{
	content_free(content);
}

static void take_init(struct take *take, struct mailbox_run *run)
{
	*take = (struct take){.run = run};
	take->entries = g_array_new(FALSE, TRUE, sizeof(struct intake_entry));
	take->gaps = g_array_new(FALSE, TRUE, sizeof(struct intake_gap));
	take->contents = g_ptr_array_new_with_free_func(free_content);
}

static void take_clear(struct take *take)
{
	g_array_unref(take->entries);
	g_array_unref(take->gaps);
	g_ptr_array_unref(take->contents);
}

static void add_gap(struct take *take, const struct fetched *fetched, enum gap_kind kind, const char *reason)
{
	const struct intake_gap gap = {.kind = kind,
	        .key = fetched->item->key,
	        .reason = reason ? reason : "unknown",
	        .size = fetched->size};
	g_array_append_val(take->gaps, gap);
}

static void complete_item(const struct mailbox_run *run, struct item *item, bool *in_future)
{
	g_free(item->source);
	g_free(item->mailbox);
	item->source = g_strdup(run->source->name);
	item->mailbox = g_strdup(run->mailbox);
	if (!item->fields)
		item->fields = json_object();
	int64_t latest = pull_now(run->options) + run->options->limits->clock_tolerance * INSTANT_SECOND;
	*in_future = item->received > latest;
	if (*in_future)
		json_set_bool(item->fields, "received_in_future", true);
}

struct feed {
	struct mailbox_run *run;
	struct content *content;
};

static bool feed_content(void *context, const void *data, size_t size, GError **error)
{
	struct feed *feed = context;
	return keep_lease(feed->run, error) && content_append(feed->content, data, size, error);
}

/* Streams a large item into the journal; NULL on failure. */
static struct content *stream_item(struct mailbox_run *run, const struct fetched *fetched, GError **error)
{
	AUTO(content) content = content_begin(run->journal, run->options->limits->hard_cap, error);
	if (!content)
		return NULL;
	struct feed feed = {run, content};
	if (!run->source->connector->stream(run->connection, fetched, feed_content, &feed, error) ||
	        !content_finish(content, error))
		return NULL;
	g_strlcpy(fetched->item->sha256, content_sha256(content), sizeof fetched->item->sha256);
	return g_steal_pointer(&content);
}

/* A large item that fails for itself is refused or left for later; true: the batch goes on. */
static bool large_failed(struct take *take, const struct fetched *fetched, GError *failure, GError **error)
{
	bool only_this = error_scope(failure) == SCOPE_ITEM;
	if (only_this && error_when(failure) == WHEN_NEVER)
		add_gap(take, fetched, GAP_REFUSED, "too_large");
	if (!only_this) {
		g_propagate_error(error, failure);
		return false;
	}
	log_error("pull.large", failure);
	g_error_free(failure);
	return true;
}

static bool add_entry(struct take *take, const struct fetched *fetched, GError **error)
{
	struct intake_entry entry = {.item = fetched->item, .generation = fetched->generation};
	complete_item(take->run, fetched->item, &entry.received_in_future);
	if (fetched->kind == FETCHED_LARGE) {
		GError *failure = NULL;
		entry.content = stream_item(take->run, fetched, &failure);
		if (!entry.content)
			return large_failed(take, fetched, failure, error);
		g_ptr_array_add(take->contents, entry.content);
	}
	g_array_append_val(take->entries, entry);
	return true;
}

static bool add_fetched(struct take *take, const struct fetched *fetched, GError **error)
{
	switch (fetched->kind) {
	case FETCHED_REFUSED:
		add_gap(take, fetched, GAP_REFUSED, fetched->reason);
		return true;
	case FETCHED_VANISHED:
		add_gap(take, fetched, GAP_VANISHED, fetched->reason);
		return true;
	case FETCHED_ITEM:
	case FETCHED_LARGE:
		break;
	}
	return add_entry(take, fetched, error);
}

static void count_results(struct pull_report *report, const struct take *take)
{
	for (unsigned i = 0; i < take->entries->len; i++) {
		const struct intake_entry *entry = &g_array_index(take->entries, struct intake_entry, i);
		report->taken += entry->result == INTAKE_NEW || entry->result == INTAKE_DUPLICATE;
		report->duplicates += entry->result == INTAKE_DUPLICATE;
		report->relinked += entry->result == INTAKE_RELINKED;
	}
	for (unsigned i = 0; i < take->gaps->len; i++) {
		const struct intake_gap *gap = &g_array_index(take->gaps, struct intake_gap, i);
		report->refused += gap->kind == GAP_REFUSED;
		report->vanished += gap->kind == GAP_VANISHED;
	}
}

/* The state as it will be once these entries are committed: their keys are to be settled. */
static void remember_unsettled(struct mailbox_run *run, const struct batch *batch, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		const struct fetched *fetched = batch->entries->pdata[i];
		if (fetched->unsettled)
			g_ptr_array_add(run->unsettled, g_strdup(fetched->item->key));
	}
}

static bool commit(struct mailbox_run *run, struct take *take, struct intake_batch *intake, GError **error)
{
	JSON_AUTO state = state_of(run);
	intake->state = state;
	intake->entries = (struct intake_entry *)(void *)take->entries->data;
	intake->n_entries = take->entries->len;
	intake->gaps = (const struct intake_gap *)(const void *)take->gaps->data;
	intake->n_gaps = take->gaps->len;
	g_mutex_lock(&run->journal_lock); /* a fetch ahead may ask what is known */
	bool ok = keep_lease(run, error) && journal_take_in(run->journal, run->lease, intake, error);
	g_mutex_unlock(&run->journal_lock);
	if (!ok)
		return false;
	run->dirty = false;
	count_results(&run->report, take);
	return true;
}

static void set_connector_state(struct mailbox_run *run, json_t *state)
{
	json_incref(state);
	json_decref(run->connector_state);
	run->connector_state = state;
}

/* Commits entries [from, to); the connector's new state goes with the last stretch only. */
static bool commit_stretch(
        struct mailbox_run *run, struct batch *batch, unsigned from, unsigned to, GError **error)
{
	struct take take;
	take_init(&take, run);
	bool ok = true;
	for (unsigned i = from; ok && i < to; i++)
		ok = add_fetched(&take, batch->entries->pdata[i], error);
	unsigned unsettled_before = run->unsettled->len;
	remember_unsettled(run, batch, from, to);
	bool last = to == batch->entries->len;
	JSON_AUTO state_before = json_incref(run->connector_state);
	if (last && batch->state)
		set_connector_state(run, batch->state);
	struct intake_batch intake = {.seen = last ? batch->seen : 0,
	        .relisted = last && batch->relisted,
	        .oldest_waiting = batch->more ? -1 : 0,
	        .waiting = batch->more ? -1 : batch->pending};
	ok = ok && commit(run, &take, &intake, error);
	if (!ok) { /* not in the journal: must not be settled, and must be asked for again */
		g_ptr_array_set_size(run->unsettled, (int)unsettled_before);
		set_connector_state(run, state_before);
	}
	take_clear(&take);
	return ok;
}

static bool commit_batch(struct mailbox_run *run, struct batch *batch, GError **error)
{
	unsigned n = batch->entries->len, from = 0;
	do {
		unsigned to = MIN(n, from + INTAKE_BATCH_MAX);
		if (!commit_stretch(run, batch, from, to, error))
			return false;
		from = to;
	} while (from < n);
	run->report.seen += batch->seen;
	run->relisted |= batch->relisted;
	return true;
}

/* Writes a changed state without entries. */
static bool save_state(struct mailbox_run *run, const struct oldest *waiting, GError **error)
{
	struct take take;
	take_init(&take, run);
	struct intake_batch intake = {
	        .oldest_waiting = waiting ? waiting->received : -1, .waiting = waiting ? waiting->count : -1};
	bool ok = commit(run, &take, &intake, error);
	take_clear(&take);
	return ok;
}

/* --- settling --- */

/* Failing to settle loses nothing: it is remembered. Only a broken connection ends the mailbox. */
static bool settle(struct mailbox_run *run, GError **error)
{
	if (run->unsettled->len == 0)
		return true;
	unsigned before = run->unsettled->len;
	GError *failure = NULL;
	bool ok = run->source->connector->settle(run->connection, run->unsettled, &failure);
	run->dirty |= run->unsettled->len != before;
	if (ok)
		return true;
	if (error_scope(failure) == SCOPE_ITEM && run->unsettled->len < UNSETTLED_MAX) {
		log_error("pull.settle", failure);
		g_error_free(failure);
		return true;
	}
	g_propagate_error(error, failure);
	return false;
}

/* The fetching thread has the connection: it waits, unless there is nothing to settle. */
static bool settle_between(struct mailbox_run *run, struct fetcher *fetcher, GError **error)
{
	if (run->unsettled->len == 0)
		return true;
	fetcher_hold(fetcher);
	bool ok = settle(run, error);
	fetcher_release(fetcher);
	return ok;
}

static void tell_taken(const struct mailbox_run *run, int64_t before)
{
	int64_t items = run->report.taken - before;
	if (items > 0 && run->options->on_taken)
		run->options->on_taken(run->options->on_taken_context, run->source->name, (unsigned)items);
}

/* A failed next() may still leave something to remember (what killed the connection, until when to wait). */
static void save_failure_state(struct mailbox_run *run, struct batch *batch)
{
	g_autoptr(GError) ignored = NULL;
	if (batch->state && !commit_batch(run, batch, &ignored))
		log_error("pull.state", ignored);
}

/* Commits what was fetched while the next batch is on its way, then settles. */
static bool take_fetch(struct mailbox_run *run, struct fetcher *fetcher, struct fetch *fetch, GError **error)
{
	struct batch *batch = &fetch->batch;
	int64_t before = run->report.taken;
	if (!fetch->ok) {
		save_failure_state(run, batch);
		g_propagate_error(error, g_steal_pointer(&fetch->failure));
		return false;
	}
	run->pending = batch->pending;
	bool anything = batch->entries->len > 0 || batch->state || batch->relisted;
	if (anything && !commit_batch(run, batch, error))
		return false;
	tell_taken(run, before);
	bool ok = settle_between(run, fetcher, error);
	if (ok && fetch->large && batch->more)
		fetcher_go_on(fetcher);
	return ok;
}

/* --- a round --- */

/* What is dropped after a failure is fetched again on the next connection. */
static bool take_all(struct mailbox_run *run, GError **error)
{
	if (!settle(run, error))
		return false;
	AUTO(fetcher)
	fetcher = fetcher_new(run->source->connector, run->connection, run->options->stop);
	for (;;) {
		AUTO(fetch) fetch = fetcher_take(fetcher);
		if (!fetch)
			return true;
		if (!take_fetch(run, fetcher, fetch, error))
			return false;
	}
}

/* What the source says waits, for `status`; a source that cannot say it has nothing to hide. */
static bool close_round(struct mailbox_run *run, GError **error)
{
	struct oldest waiting = {0};
	g_autoptr(GError) failure = NULL;
	if (!run->source->connector->oldest(run->connection, &waiting, &failure))
		waiting = (struct oldest){.count = -1, .received = -1};
	return save_state(run, &waiting, error);
}

static bool is_worth_reopening(const struct mailbox_run *run, const GError *failure)
{
	return error_when(failure) == WHEN_NOW && error_scope(failure) != SCOPE_ITEM &&
	       error_class(failure) != ERROR_LOST_LEASE && !pull_is_stopped(run->options);
}

/* Opens as needed and takes everything; a connection that breaks over one message is opened again, as long as
 * there is progress or a few tries are left. */
static bool serve(struct mailbox_run *run, GError **error)
{
	unsigned tries = 0;
	for (;;) {
		GError *failure = NULL;
		int64_t before = run->report.taken + run->report.refused + run->report.vanished;
		if ((run->connection || open_connection(run, &failure)) && take_all(run, &failure) &&
		        !pull_is_stopped(run->options))
			return close_round(run, error);
		close_connection(run);
		if (pull_is_stopped(
		            run->options)) { /* whatever broke off was our own doing, and nothing is lost */
			g_clear_error(&failure);
			return true;
		}
		bool progress = run->report.taken + run->report.refused + run->report.vanished > before;
		tries = progress ? 0 : tries + 1;
		if (!is_worth_reopening(run, failure) || tries > REOPEN_MAX) {
			g_propagate_error(error, failure);
			return false;
		}
		g_error_free(failure);
	}
}

/* The connection stayed open while others may have worked on the mailbox. */
static void check_connection(struct mailbox_run *run)
{
	JSON_AUTO ours = state_of(run);
	if (run->connection && !json_equal(ours, run->lease->state))
		close_connection(run);
	if (!run->connection)
		load_state(run);
}

static void note(struct mailbox_run *run, const GError *failure)
{
	g_autoptr(GError) ignored = NULL;
	if (!journal_note_run(run->journal, run->source->name, run->mailbox, failure, &ignored))
		log_error("pull.note", ignored);
}

bool mailbox_run_round(struct mailbox_run *run, GError **error)
{
	GError *failure = NULL;
	run->report = (struct pull_report){0};
	if (!claim(run, error))
		return false;
	check_connection(run);
	bool ok = serve(run, &failure);
	if (!run->source->connector->wait) /* only a connection that can wait knows how to begin anew */
		close_connection(run);
	if (run->dirty)
		save_state(run, NULL, NULL); /* what was settled need not be settled again */
	run->report.unsettled = run->unsettled->len;
	run->report.pending = run->pending;
	drop_lease(run);
	note(run, failure);
	if (!ok)
		g_propagate_error(error, failure);
	return ok;
}

/* A source that calls us (IDLE) is looked at rarely; one with work left over as often as any. */
static int longest_wait(const struct mailbox_run *run, int seconds)
{
	if (run->unsettled->len > 0 || run->pending > 0)
		return seconds;
	return MAX(seconds, (int)MIN(run->source->silent_after / 2, 25 * 60));
}

void mailbox_run_wait(struct mailbox_run *run, int seconds)
{
	int64_t until = g_get_monotonic_time() + (int64_t)seconds * G_USEC_PER_SEC;
	if (run->connection && run->source->connector->wait) {
		g_autoptr(GError) failure = NULL;
		if (run->source->connector->wait(run->connection, longest_wait(run, seconds), &failure))
			return;
	}
	close_connection(run); /* who cannot wait lists anew only on a new connection */
	while (g_get_monotonic_time() < until && !pull_is_stopped(run->options))
		g_usleep(200000);
}

bool mailbox_run_oldest(struct mailbox_run *run, struct oldest *out, GError **error)
{
	if (!claim(run, error))
		return false;
	load_state(run);
	bool ok = open_connection(run, error) && run->source->connector->oldest(run->connection, out, error);
	close_connection(run);
	drop_lease(run);
	return ok;
}
