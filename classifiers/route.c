/* route.c - the route phase: claim, decide, commit; and what to do when a commit does not go through.
 *
 * A batch that cannot be committed because of one of its items is committed item by item: the one at fault
 * goes back (and is doubt after a few attempts), its neighbours go on. A batch decided under a bundle that
 * was replaced meanwhile is decided again.
 */
#include "classifiers/route.h"

#include "classifiers/route_plan.h"
#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/log_restore.h"
#include "journal/reply_token.h"

#include <string.h>

enum { SWITCHES_MAX = 5, RETRY_DELAY_SECONDS = 60 };

struct route {
	struct route_options options;
	struct journal *journal;
	struct facts_source *facts; /* NULL: nothing is known */
	struct pipeline *pipeline;  /* of the bundle that was active last */
	struct analyser_scratch *scratch;
	struct journal_gap gap; /* as of the batch in hand */
	bool facts_failed;      /* in this round: said once */
};

/* One item on its way through a batch. Everything but the verdict stays when the bundle is switched. */
struct work {
	struct item_claim *claim; /* borrowed */
	struct message *message;
	bool unread; /* the bytes were not touched, or are not there */
	int64_t bounced_item, bounced_delivery;
	struct facts facts;
	bool facts_answered, facts_asked;
	struct plan *plan;
	struct verdict *verdict;
};

struct route *route_new(const struct route_options *options, struct journal *journal, GError **error)
{
	struct route *route = g_new0(struct route, 1);
	route->options = *options;
	route->journal = journal;
	if (options->facts) {
		route->facts = facts_source_open(options->facts, journal, options->stop, error);
		if (!route->facts) {
			g_free(route);
			return NULL;
		}
	}
	return route;
}

void route_free(struct route *route)
{
	if (!route)
		return;
	facts_source_close(route->facts);
	analyser_scratch_free(route->scratch);
	pipeline_free(route->pipeline);
	g_free(route);
}

static bool stopped(const struct route *route)
{
	return route->options.stop && g_atomic_int_get(route->options.stop);
}

/* Takes up the active bundle. */
static bool refresh(struct route *route, GError **error)
{
	struct pipeline *pipeline = pipeline_active_get(route->options.active, route->journal, error);
	if (!pipeline)
		return false;
	if (pipeline == route->pipeline) {
		pipeline_free(pipeline);
		return true;
	}
	analyser_scratch_free(route->scratch);
	pipeline_free(route->pipeline);
	route->pipeline = pipeline;
	route->scratch = analyser_scratch_new(pipeline_analyser(pipeline));
	return true;
}

/* -- reading -- */

static void work_clear(void *data)
{
	struct work *work = data;
	message_free(work->message);
	plan_free(work->plan);
	verdict_free(work->verdict);
}

/* The journal's errors end the batch; content that is gone makes the item doubt. */
static bool read_item(struct route *route, struct work *work, GError **error)
{
	const struct item_claim *claim = work->claim;
	g_autoptr(GBytes) raw = claim->item->raw ? g_bytes_ref(claim->item->raw) : NULL;
	g_autoptr(GError) failure = NULL;
	if (claim->poisoned)
		work->unread = true;
	else if (!raw && claim->size > 0 &&
	         !route_content(route->journal, claim->item->id, claim->size, &raw, &failure)) {
		if (error_class(failure) != ERROR_INPUT) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return false;
		}
		work->unread = true;
	}
	work->message = work->unread ? route_unread(claim->item) : route_message(claim->item, raw);
	return true;
}

/* A bounce that names a reply of ours finds its delivery. */
static bool match_bounce(struct route *route, struct work *work, GError **error)
{
	const struct bounce *bounce = work->message->bounce;
	g_autoptr(GError) failure = NULL;
	if (work->message->automatic != AUTOMATIC_BOUNCE || !bounce)
		return true;
	if (!journal_reply_of(route->journal, bounce->original_message_id, bounce->envelope_to,
	            &work->bounced_item, &work->bounced_delivery, &failure) &&
	        failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	return true;
}

static bool read_items(struct route *route, GArray *works, GError **error)
{
	for (guint i = 0; i < works->len; i++) {
		struct work *work = &g_array_index(works, struct work, i);
		if (!read_item(route, work, error) || !match_bounce(route, work, error))
			return false;
	}
	return true;
}

/* -- deciding -- */

/* What the service stated with the item itself (intake/queue_map.h) is nearer to the case than any table. A
 * statement that is no fact is ignored: unknown stays unknown. */
static void add_stated_facts(struct work *work)
{
	const json_t *stated = json_object_get(work->claim->item->fields, "facts");
	JSON_AUTO all = facts_to_json(&work->facts);
	const char *key;
	json_t *value;
	if (!json_is_object(stated))
		return;
	json_object_foreach ((json_t *)stated, key, value)
		if (json_is_string(value) && strcmp(json_string_value(value), "unknown") != 0)
			json_object_set(all, key, value);
	facts_from_json(all, &work->facts, NULL);
}

/* Asks for the facts of all items at once, the first time; a switched bundle does not ask again. */
static void ask_facts(struct route *route, GArray *works, GPtrArray *findings)
{
	g_autofree struct facts_query *queries = g_new0(struct facts_query, works->len + 1);
	g_autofree guint *at = g_new(guint, works->len + 1);
	g_autoptr(GError) error = NULL;
	unsigned n = 0;
	for (guint i = 0; i < works->len; i++) {
		struct work *work = &g_array_index(works, struct work, i);
		const struct findings *found = findings->pdata[i];
		facts_init(&work->facts);
		if (!found || work->unread || found->automatic >= AUTOMATIC_REPLIED)
			continue;
		queries[n] = (struct facts_query){.kundennummern = found->kundennummern,
		        .email = work->message->from_email,
		        .name = work->message->from_name,
		        .item = work->claim->name};
		at[n++] = i;
	}
	if (n && !facts_look_up(route->facts, queries, n, &error) && !route->facts_failed) {
		route->facts_failed = true;
		log_error("route.facts", error);
	}
	for (unsigned q = 0; q < n; q++) {
		struct work *work = &g_array_index(works, struct work, at[q]);
		work->facts = queries[q].facts;
		work->facts_answered = queries[q].answered;
		add_stated_facts(work);
	}
}

static void findings_destroy(void *findings)
{
	findings_free(findings);
}

static void decide(struct route *route, struct work *work, struct findings *findings, int64_t asked)
{
	const struct circumstances circumstances = {
	        .facts = &work->facts,
	        .received_in_future = work->claim->received_in_future,
	        .own_bounce = work->bounced_delivery != 0,
	};
	verdict_free(work->verdict);
	work->verdict =
	        findings ? pipeline_conclude(route->pipeline, work->message, findings, &circumstances)
	                 : pipeline_doubt(route->pipeline, work->message, "undecodable", &circumstances);
	/* It may have been decided before in a history that was lost with the restored journal. */
	bool doubtful = gap_holds(&route->gap, work->claim->item->received);
	const struct plan_input input = {
	        .pipeline = route->pipeline,
	        .journal = route->journal,
	        .claim = work->claim,
	        .message = work->message,
	        .verdict = work->verdict,
	        .asked = asked,
	        .facts_answered = work->facts_answered,
	        .untouched = work->unread,
	        .bounced_item = work->bounced_item,
	        .bounced_delivery = work->bounced_delivery,
	        .post_tasks = route->options.post_tasks && !doubtful,
	        .hold_calls = route->options.hold_calls || doubtful,
	};
	plan_free(work->plan);
	work->plan = plan_new(&input);
}

static void decide_all(struct route *route, GArray *works, bool ask, int64_t now)
{
	g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(findings_destroy);
	for (guint i = 0; i < works->len; i++) {
		struct work *work = &g_array_index(works, struct work, i);
		g_ptr_array_add(findings, work->unread ? NULL
		                                       : analyse(pipeline_analyser(route->pipeline),
		                                                 route->scratch, work->message));
	}
	if (ask)
		ask_facts(route, works, findings);
	for (guint i = 0; i < works->len; i++) {
		struct findings *found = g_steal_pointer(&findings->pdata[i]);
		decide(route, &g_array_index(works, struct work, i), found, now);
	}
}

/* -- writing -- */

static void count(struct route_counts *counts, const struct work *work)
{
	if (work->plan->decision.lost) {
		counts->lost++;
		return;
	}
	counts->decided++;
	counts->doubt += work->verdict->decision->doubt;
	counts->poisoned += work->claim->poisoned;
}

/* Commits works [from, to). The journal's out parameters go back into the plans. */
static bool commit(struct route *route, GArray *works, guint from, guint to, int64_t now,
        struct route_counts *counts, GError **error)
{
	unsigned n = to - from;
	g_autofree struct new_decision *decisions = g_new0(struct new_decision, n);
	for (unsigned i = 0; i < n; i++)
		decisions[i] = g_array_index(works, struct work, from + i).plan->decision;
	const char *bundle = bundle_hash(pipeline_bundle(route->pipeline));
	if (!journal_commit_decisions(route->journal, bundle, decisions, n, now, error))
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct work *work = &g_array_index(works, struct work, from + i);
		work->plan->decision.lost = decisions[i].lost;
		count(counts, work);
	}
	return true;
}

static bool is_switch(const GError *error)
{
	return error_class(error) == ERROR_AGAIN && error_when(error) == WHEN_NOW;
}

/* Gives one item back; it is doubt after ITEM_POISON_ATTEMPTS of these. */
static bool give_back(struct route *route, struct work *work, GError **error)
{
	g_autoptr(GPtrArray) claims = g_ptr_array_new();
	g_ptr_array_add(claims, work->claim);
	return journal_release_items(
	        route->journal, claims, RETRY_DELAY_SECONDS * INSTANT_SECOND, true, error);
}

/* One by one. False for what is not an item's own fault. */
static bool commit_single(
        struct route *route, GArray *works, int64_t now, struct route_counts *counts, GError **error)
{
	for (guint i = 0; i < works->len; i++) {
		g_autoptr(GError) failure = NULL;
		if (commit(route, works, i, i + 1, now, counts, &failure))
			continue;
		if (error_scope(failure) != SCOPE_ITEM) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return false;
		}
		log_error("route.commit", failure);
		if (!give_back(route, &g_array_index(works, struct work, i), error))
			return false;
		counts->returned++;
	}
	return true;
}

static bool commit_all(
        struct route *route, GArray *works, int64_t now, struct route_counts *counts, GError **error)
{
	g_autoptr(GError) failure = NULL;
	if (commit(route, works, 0, works->len, now, counts, &failure))
		return true;
	if (error_scope(failure) == SCOPE_ITEM && !is_switch(failure))
		return commit_single(route, works, now, counts, error);
	g_propagate_error(error, g_steal_pointer(&failure));
	return false;
}

/* Decides and commits; again if the bundle is switched in between. */
static bool settle(
        struct route *route, GArray *works, int64_t now, struct route_counts *counts, GError **error)
{
	for (int attempt = 0;; attempt++) {
		g_autoptr(GError) failure = NULL;
		decide_all(route, works, attempt == 0, now);
		if (commit_all(route, works, now, counts, &failure))
			return true;
		if (!is_switch(failure) || attempt + 1 >= SWITCHES_MAX) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return false;
		}
		if (!refresh(route, error))
			return false;
	}
}

/* After a failure of the journal itself: the items are free for others at once, not only when the lease ends.
 * What was committed is not ours any more and stays as it is. */
static void release(struct route *route, const GPtrArray *claims, struct route_counts *counts)
{
	g_autoptr(GError) ignored = NULL;
	if (journal_release_items(route->journal, claims, 0, false, &ignored))
		counts->returned += claims->len;
}

bool route_batch(struct route *route, int64_t now, struct route_counts *counts, unsigned *n, GError **error)
{
	const struct item_claim_options options = {
	        .max = (unsigned)route->options.limits->batch,
	        .duration = route->options.limits->lease * INSTANT_SECOND,
	        .max_bytes = 2 * ROUTE_MAX_RAW,
	        .max_raw = ROUTE_MAX_RAW,
	};
	*n = 0;
	if (!refresh(route, error))
		return false;
	g_autoptr(GPtrArray) claims = journal_claim_items(route->journal, &options, error);
	if (!claims || (claims->len && !journal_gap(route->journal, &route->gap, error)))
		return false;
	g_autoptr(GArray) works = g_array_sized_new(FALSE, TRUE, sizeof(struct work), claims->len);
	g_array_set_clear_func(works, work_clear);
	g_array_set_size(works, claims->len);
	for (guint i = 0; i < claims->len; i++)
		g_array_index(works, struct work, i).claim = claims->pdata[i];
	*n = claims->len;
	if (!claims->len)
		return true;
	if (read_items(route, works, error) && settle(route, works, now, counts, error))
		return true;
	release(route, claims, counts);
	return false;
}

bool route_round(struct route *route, int64_t now, struct route_counts *counts, GError **error)
{
	unsigned n = 1;
	route->facts_failed = false;
	while (n && !stopped(route))
		if (!route_batch(route, now, counts, &n, error))
			return false;
	return true;
}
