/* metrics_text.c - the numbers and their names; docs/man/posteingang.1 lists them. */
#include "cli/metrics.h"
#include "core/date.h"
#include "core/file.h"
#include "core/version.h"
#include "journal/sources.h"
#include "journal/status.h"

#include <inttypes.h>
#include <string.h>

static void head(GString *out, const char *name, const char *type, const char *help)
{
	g_string_append_printf(
	        out, "# HELP posteingang_%s %s\n# TYPE posteingang_%s %s\n", name, help, name, type);
}

static void label_value(GString *out, const char *value)
{
	for (const char *p = value; *p; p++) {
		if (*p == '\n')
			g_string_append(out, "\\n");
		else if (*p == '"' || *p == '\\')
			g_string_append_printf(out, "\\%c", *p);
		else
			g_string_append_c(out, *p);
	}
}

/* Labels come in pairs, NULL at the end. */
static void sample(GString *out, const char *name, int64_t value, ...) G_GNUC_NULL_TERMINATED;
static void sample(GString *out, const char *name, int64_t value, ...)
{
	va_list labels;
	char separator = '{';
	g_string_append_printf(out, "posteingang_%s", name);
	va_start(labels, value);
	for (const char *key; (key = va_arg(labels, const char *)) != NULL; separator = ',') {
		g_string_append_printf(out, "%c%s=\"", separator, key);
		label_value(out, va_arg(labels, const char *));
		g_string_append_c(out, '"');
	}
	va_end(labels);
	g_string_append_printf(out, "%s %" PRId64 "\n", separator == ',' ? "}" : "", value);
}

static void single(GString *out, const char *name, const char *type, const char *help, int64_t value)
{
	head(out, name, type, help);
	sample(out, name, value, NULL);
}

static int64_t seconds(int64_t instant)
{
	return instant > 0 ? instant / INSTANT_SECOND : 0;
}

struct source_number {
	const char *name, *help;
	size_t offset;
	bool is_time;
};

static const struct source_number source_numbers[] = {
        {"source_waiting", "Messages not yet taken in; -1: the source does not say.",
                offsetof(struct source_status, waiting), false},
        {"source_oldest_waiting_timestamp_seconds", "Receipt of the oldest of them; 0: none.",
                offsetof(struct source_status, oldest_waiting), true},
        {"source_last_success_timestamp_seconds", "End of the last round that served the mailbox; 0: never.",
                offsetof(struct source_status, last_success), true},
        {"source_last_failure_timestamp_seconds", "End of the last round that did not; 0: never.",
                offsetof(struct source_status, last_failure), true},
        {"source_gaps", "Messages refused and still at the source.", offsetof(struct source_status, gaps),
                false},
        {"source_unsettled", "Messages in the journal that the source has not been told of.",
                offsetof(struct source_status, unsettled), false},
};

static bool add_sources(GString *out, struct journal *journal, GError **error)
{
	g_autoptr(GPtrArray) list = journal_sources(journal, error);
	if (!list)
		return false;
	for (size_t n = 0; list->len && n < G_N_ELEMENTS(source_numbers); n++) {
		const struct source_number *number = &source_numbers[n];
		head(out, number->name, "gauge", number->help);
		for (guint i = 0; i < list->len; i++) {
			const struct source_status *s = list->pdata[i];
			int64_t value;
			memcpy(&value, (const char *)s + number->offset, sizeof value);
			sample(out, number->name, number->is_time ? seconds(value) : value, "source",
			        s->source, "mailbox", s->mailbox, NULL);
		}
	}
	return true;
}

static void add_counts(
        GString *out, const char *name, const char *help, const char *label, const json_t *counts)
{
	const char *key;
	json_t *value;
	head(out, name, "gauge", help);
	json_object_foreach ((json_t *)counts, key, value)
		sample(out, name, json_integer_value(value), label, key, NULL);
}

static void add_queues(GString *out, const struct journal_status *s)
{
	single(out, "items_undecided", "gauge", "Items taken in and not decided.", s->received);
	single(out, "items_oldest_undecided_timestamp_seconds", "gauge",
	        "Time of receipt of the oldest of them; 0: none.", seconds(s->oldest_received));
	single(out, "items_poisoned", "gauge", "Undecided items that ended their workers.", s->poisoned);
	single(out, "deliveries_due", "gauge", "Deliveries due.", s->due);
	single(out, "deliveries_oldest_due_timestamp_seconds", "gauge",
	        "Since when the oldest is due; 0: none.", seconds(s->oldest_due));
	single(out, "deliveries_deferred", "gauge", "Deliveries for later.", s->deferred);
	single(out, "deliveries_sending", "gauge", "At-most-once deliveries under way.", s->sending);
	add_counts(out, "deliveries_open", "Open deliveries by handler.", "handler", s->deliveries);
	add_counts(out, "tasks_open", "Open tasks by kind.", "kind", s->tasks);
	single(out, "tasks_oldest_timestamp_seconds", "gauge", "When the oldest open task was made; 0: none.",
	        seconds(s->oldest_task));
	head(out, "build_info", "gauge", "Release and active bundle; always 1.");
	sample(out, "build_info", 1, "version", POSTEINGANG_VERSION, "bundle", s->bundle ? s->bundle : "",
	        NULL);
}

static void add_tally(GString *out, const struct tally *t)
{
	single(out, "taken_total", "counter", "Items taken in by this process.", t->taken);
	single(out, "duplicates_total", "counter", "Of them equal in content to an earlier one.",
	        t->duplicates);
	single(out, "refused_total", "counter", "Messages left at the source for good.", t->refused);
	single(out, "decided_total", "counter", "Items decided by this process.", t->decided);
	single(out, "doubt_total", "counter", "Of them in doubt.", t->doubt);
	single(out, "confirmed_total", "counter", "Deliveries confirmed.", t->confirmed);
	single(out, "retried_total", "counter", "Delivery attempts to be repeated.", t->retried);
	single(out, "failed_total", "counter", "Deliveries failed for good.", t->failed);
	single(out, "uncertain_total", "counter", "Replies of which it is not known whether they left.",
	        t->uncertain);
	head(out, "errors_total", "counter", "Rounds that ended with a failure.");
	for (enum phase phase = PHASE_PULL; phase < PHASES; phase++)
		sample(out, "errors_total", t->errors[phase], "phase", phase_name(phase), NULL);
}

char *metrics_text(struct journal *journal, const struct tally *tally, int64_t now, GError **error)
{
	AUTO(journal_status) status = journal_status(journal, now, error);
	g_autoptr(GString) out = g_string_new(NULL);
	if (!status || !add_sources(out, journal, error))
		return NULL;
	add_queues(out, status);
	add_tally(out, tally);
	single(out, "written_timestamp_seconds", "gauge", "When these numbers were read.",
	        seconds(instant_now()));
	return g_string_free(g_steal_pointer(&out), FALSE);
}

bool metrics_write(
        const struct world *world, struct journal *journal, const struct tally *tally, GError **error)
{
	const char *path = world->deployment->metrics_file;
	if (!path)
		return true;
	g_autofree char *text = metrics_text(journal, tally, world_now(world), error);
	return text && file_write_durable(path, text, strlen(text), 0644, error);
}
