/* status.c - `posteingang status`: is anything waiting, stuck or silent, asked of the sources themselves. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/phases.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "intake/pull.h"
#include "journal/sources.h"
#include "journal/status.h"

#include <string.h>

static const struct output_column columns[] = {
        {"what", "WHAT", false},
        {"name", "NAME", false},
        {"mailbox", "MAILBOX", false},
        {"state", "STATE", false},
        {"waiting", "WAITING", true},
        {"oldest", "OLDEST", false},
        {"last_success", "LAST SUCCESS", false},
        {"gaps", "GAPS", true},
        {"unsettled", "UNSETTLED", true},
        {"note", "NOTE", false},
        {NULL, NULL, false},
};

struct report {
	struct world *world;
	struct journal *journal;
	GPtrArray *known;   /* of struct source_status */
	struct output *out; /* NULL: --quiet */
	bool offline, finding;
	int64_t now; /* the clock: how long something waits is no business date */
};

/* What is told of one mailbox. */
struct line {
	const char *state;
	int64_t waiting, oldest, last_success, gaps, unsettled;
	char *note;
};

static const struct source_status *find_known(const struct report *r, const char *source, const char *mailbox)
{
	for (guint i = 0; i < r->known->len; i++) {
		const struct source_status *status = r->known->pdata[i];
		if (strcmp(status->source, source) == 0 && strcmp(status->mailbox, mailbox) == 0)
			return status;
	}
	return NULL;
}

static void put_count(struct output *out, int64_t count)
{
	if (count >= 0)
		output_int(out, count);
	else
		output_text(out, NULL);
}

static void put_line(
        struct report *r, const char *what, const char *name, const char *mailbox, const struct line *line)
{
	if (!r->out)
		return;
	output_text(r->out, what);
	output_text(r->out, name);
	output_text(r->out, mailbox);
	output_text(r->out, line->state);
	put_count(r->out, line->waiting);
	output_time(r->out, MAX(line->oldest, 0));
	output_time(r->out, line->last_success);
	put_count(r->out, line->gaps);
	put_count(r->out, line->unsettled);
	output_text(r->out, line->note);
	output_row(r->out);
}

/* Asks the source; while another worker is at it, the journal's last word holds. */
static void ask(struct report *r, const struct source *source, const char *mailbox, struct line *line)
{
	const struct pull_options options = {
	        .sources = r->world->sources,
	        .limits = &r->world->deployment->limits,
	        .journal = &r->world->options,
	        .now = world_clock,
	};
	struct oldest oldest = {0};
	g_autoptr(GError) failure = NULL;
	if (pull_oldest(&options, r->journal, source, mailbox, &oldest, &failure)) {
		line->waiting = oldest.count;
		line->oldest = oldest.received;
		return;
	}
	bool busy = error_class(failure) == ERROR_AGAIN && error_scope(failure) == SCOPE_MAILBOX;
	line->state = busy ? "busy" : "unreachable";
	if (!busy)
		line->note = g_strdup(failure->message);
}

static bool beyond(int64_t since, int64_t now, const struct source *source)
{
	return now - since > source->silent_after * INSTANT_SECOND;
}

/* Stuck: something waits for too long. Silent: nobody has served the source for too long, or ever. */
static void judge(struct report *r, const struct source *source, struct line *line)
{
	if (source->paused) {
		line->state = "paused";
		return;
	}
	bool stuck = line->oldest > 0 && beyond(line->oldest, r->now, source);
	bool silent = beyond(line->last_success, r->now, source);
	if (stuck || silent) {
		line->state = stuck ? "stuck" : "silent";
		r->finding = true;
	}
}

static void tell_mailbox(struct report *r, const struct source *source, const char *mailbox)
{
	struct line line = {.state = "ok", .waiting = -1};
	const struct source_status *known = find_known(r, source->name, mailbox);
	if (known) {
		line.waiting = known->waiting;
		line.oldest = known->oldest_waiting;
		line.last_success = known->last_success;
		line.gaps = known->gaps;
		line.unsettled = known->unsettled;
	}
	if (!r->offline && !source->paused)
		ask(r, source, mailbox, &line);
	judge(r, source, &line);
	if (!line.note && known && known->failure && known->last_failure > known->last_success)
		line.note = g_strdup_printf("last round failed: %s", known->failure);
	put_line(r, "source", source->name, *mailbox ? mailbox : NULL, &line);
	g_free(line.note);
}

static void tell_sources(struct report *r)
{
	for (guint i = 0; i < r->world->sources->len; i++) {
		const struct source *source = r->world->sources->pdata[i];
		g_autoptr(GPtrArray) mailboxes = source->connector->mailboxes(source);
		for (guint m = 0; m < mailboxes->len; m++)
			tell_mailbox(r, source, mailboxes->pdata[m]);
	}
}

static void tell_phase(struct report *r, const char *name, int64_t count, int64_t oldest, char *note)
{
	struct line line = {.waiting = count, .oldest = oldest, .gaps = -1, .unsettled = -1, .note = note};
	put_line(r, "phase", name, NULL, &line);
	g_free(note);
}

static char *deferred_note(const struct journal_status *s)
{
	if (!s->deferred && !s->sending)
		return NULL;
	return g_strdup_printf(
	        "%" G_GINT64_FORMAT " for later, %" G_GINT64_FORMAT " under way", s->deferred, s->sending);
}

static bool tell_phases(struct report *r, GError **error)
{
	AUTO(journal_status) s = journal_status(r->journal, world_now(r->world), error);
	if (!s)
		return false;
	char *poisoned =
	        s->poisoned ? g_strdup_printf("%" G_GINT64_FORMAT " ended their workers", s->poisoned) : NULL;
	tell_phase(r, phase_name(PHASE_ROUTE), s->received, s->oldest_received, poisoned);
	tell_phase(r, phase_name(PHASE_DELIVER), s->due, s->oldest_due, deferred_note(s));
	tell_phase(r, "tasks", s->tasks_open, s->oldest_task, NULL);
	return true;
}

int run_status(struct invocation *invocation, GError **error)
{
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	g_autoptr(GPtrArray) known = world ? journal_sources(journal, error) : NULL;
	if (!known)
		return 1;
	bool quiet = invocation_switch(invocation, "quiet");
	AUTO(output) out = quiet ? NULL : output_new(stdout, invocation_format(invocation), columns);
	struct report r = {
	        .world = world, .journal = journal, .known = known, .out = out, .now = instant_now()};
	r.offline = invocation_switch(invocation, "offline");
	if (out && invocation_format(invocation) == OUTPUT_TABLE && world->deployment->instance_note)
		printf("%s\n", world->deployment->instance_note);
	tell_sources(&r);
	if (!tell_phases(&r, error) || (out && !output_end(out, error)))
		return 1;
	return r.finding ? 1 : 0;
}
