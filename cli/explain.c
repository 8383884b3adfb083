/* explain.c - `posteingang explain ITEM|FILE.eml|FILE.json`: what was decided, on what evidence, under which
 * rule.
 *
 * A file is decided now, with the configured bundle; nothing is stored. An item of the journal is told as it
 * was decided, with the bundle that decided it; its text is quoted only with --text, and that is logged.
 */
#include "cli/explain.h"

#include "classifiers/route.h"
#include "classifiers/rules_why.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "core/mail.h"
#include "journal/bundles.h"
#include "journal/record.h"

#include <string.h>
#include <sys/stat.h>

/* -- another day -- */

static bool read_as_of(const struct invocation *invocation, int32_t *day, GError **error)
{
	const char *text = invocation_option(invocation, "as-of");
	*day = DAY_NONE;
	if (!text || day_parse(text, day))
		return true;
	fail(error, ERROR_USAGE, "--as-of %s: expected a date, YYYY-MM-DD", text);
	return false;
}

/* The same input, received on another day. */
static json_t *decide_as_of(const struct pipeline *pipeline, const struct rule_input *input, int32_t day)
{
	JSON_AUTO copy = rule_input_to_json(input);
	AUTO(rule_input) other = rule_input_from_json(copy, NULL);
	g_assert(other);
	other->received = berlin_instant(day, 12);
	AUTO(decision) decision = rules_decide(pipeline_rules(pipeline), other);
	return decision_to_json(decision);
}

static int tell(const struct invocation *invocation, const struct explanation *explanation, GError **error)
{
	if (invocation_format(invocation) == OUTPUT_TABLE) {
		explain_text(explanation, stdout);
	} else if (invocation_format(invocation) == OUTPUT_JSONL) {
		JSON_AUTO object = explain_json(explanation);
		output_json_line(stdout, object);
	} else {
		fail(error, ERROR_USAGE, "explain: --format table or jsonl");
		return 64;
	}
	return 0;
}

/* What all of them share: why, and the other day. `told` is filled and printed. */
static int tell_with(const struct invocation *invocation, const struct pipeline *pipeline,
        const struct rule_input *input, struct explanation *told, GError **error)
{
	JSON_AUTO why = rules_why(pipeline_rules(pipeline), input);
	JSON_AUTO other = told->as_of == DAY_NONE ? NULL : decide_as_of(pipeline, input, told->as_of);
	told->why = why;
	told->other = other;
	return tell(invocation, told, error);
}

/* -- files -- */

/* What a file says beside the message. */
struct read_file {
	struct message *message;
	struct facts facts;
};

static bool read_json(GBytes *bytes, struct read_file *out, GError **error)
{
	gsize size;
	const char *text = g_bytes_get_data(bytes, &size);
	JSON_AUTO line = json_read(text, size, error);
	if (!line)
		return false;
	json_t *facts = json_object_get(line, "facts");
	out->message = message_from_json(line, error);
	return out->message && facts_from_json(json_is_null(facts) ? NULL : facts, &out->facts, error);
}

/* A mail says nothing trustworthy about when it came in: --received, else the file's own time. */
static bool read_mail(const struct invocation *invocation, const char *path, GBytes *bytes,
        struct read_file *out, GError **error)
{
	const char *received = invocation_option(invocation, "received");
	struct stat st;
	facts_init(&out->facts);
	out->message = mail_decode(bytes, NULL);
	if (received && !instant_parse(received, &out->message->received)) {
		fail(error, ERROR_USAGE, "--received %s: expected a date, or a time with offset", received);
		return false;
	}
	if (!received)
		out->message->received = stat(path, &st) == 0 ? st.st_mtime * INSTANT_SECOND : instant_now();
	return true;
}

static bool looks_like_json(const char *path, GBytes *bytes)
{
	gsize size;
	const char *text = g_bytes_get_data(bytes, &size);
	gsize i = 0;
	while (i < size && g_ascii_isspace(text[i]))
		i++;
	return g_str_has_suffix(path, ".json") || (i < size && text[i] == '{');
}

static int explain_file(const struct invocation *invocation, const char *path, int32_t as_of, GError **error)
{
	g_autoptr(GBytes) bytes = input_read(path, INPUT_MAX_MAIL, error);
	AUTO(pipeline) pipeline = bytes ? load_pipeline(invocation, error) : NULL;
	struct read_file file = {0};
	bool ok =
	        pipeline && (looks_like_json(path, bytes) ? read_json(bytes, &file, error)
	                                                  : read_mail(invocation, path, bytes, &file, error));
	AUTO(message) message = file.message;
	if (!ok)
		return 65;
	const struct circumstances circumstances = {.facts = &file.facts};
	AUTO(analyser_scratch) scratch = analyser_scratch_new(pipeline_analyser(pipeline));
	AUTO(verdict) verdict = pipeline_decide(pipeline, scratch, message, &circumstances);
	JSON_AUTO id = json_string(path);
	JSON_AUTO decision = verdict_to_json(pipeline, verdict, id);
	JSON_AUTO facts = facts_to_json(&file.facts);
	struct explanation told = {
	        .name = path,
	        .decision = decision,
	        .facts = facts,
	        .message = message,
	        .received = message->received,
	        .as_of = as_of,
	};
	return tell_with(invocation, pipeline, verdict->input, &told, error);
}

/* -- items of the journal -- */

/* Reading what a person wrote is written down before it is shown. */
static bool log_reading(struct journal *journal, int64_t item, GError **error)
{
	JSON_AUTO detail = json_object();
	json_set_string(detail, "what", "explain");
	const struct record record = {.event = RECORD_LOG_READ, .item = item, .detail = detail};
	struct db *db = journal_db(journal);
	if (!db_begin(db, error))
		return false;
	if (record_write(journal, &record, 1, error))
		return db_commit(db, error);
	db_rollback(db);
	return false;
}

/* *message stays NULL if there is nothing (more) to quote from. */
static bool read_text(
        struct journal *journal, const struct item_view *view, struct message **message, GError **error)
{
	g_autoptr(GBytes) raw = NULL;
	if (view->content_deleted)
		return true;
	if (!log_reading(journal, view->item->id, error))
		return false;
	if (view->size > 0 && !route_content(journal, view->item->id, view->size, &raw, error))
		return false;
	*message = route_message(view->item, raw);
	return true;
}

static struct pipeline *deciding_pipeline(
        struct journal *journal, const struct item_view *view, GError **error)
{
	g_autoptr(GBytes) packed = journal_bundle(journal, view->bundle, error);
	struct bundle *bundle = packed ? bundle_unpack(packed, error) : NULL;
	return bundle ? pipeline_open(bundle, error) : NULL;
}

static int explain_item(const struct invocation *invocation, const char *name, int32_t as_of, GError **error)
{
	int64_t number;
	AUTO(message) message = NULL;
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world || !journal_item_parse(journal, name, &number, error))
		return 1;
	AUTO(item_view) view = journal_item(journal, number, error);
	if (!view)
		return 1;
	if (!view->decision) {
		fail(error, ERROR_AGAIN, "%s is not decided yet", view->name);
		return 1;
	}
	AUTO(pipeline) pipeline = deciding_pipeline(journal, view, error);
	AUTO(rule_input) input = pipeline ? rule_input_from_json(view->findings, error) : NULL;
	if (!input || (invocation_switch(invocation, "text") && !read_text(journal, view, &message, error)))
		return 1;
	struct explanation told = {
	        .name = view->name,
	        .decision = view->decision,
	        .facts = view->facts,
	        .message = message,
	        .received = view->item->received,
	        .note = strcmp(pipeline_engine(pipeline), view->engine) == 0
	                        ? NULL
	                        : "Decided by another engine: the classification would not have to come out "
	                          "alike today.",
	        .as_of = as_of,
	};
	return tell_with(invocation, pipeline, input, &told, error);
}

int run_explain(struct invocation *invocation, GError **error)
{
	const char *what = invocation_argument(invocation, 0);
	int32_t as_of;
	if (!read_as_of(invocation, &as_of, error))
		return 64;
	bool file = strcmp(what, "-") == 0 || strchr(what, '/') || g_str_has_suffix(what, ".eml") ||
	            g_str_has_suffix(what, ".json") || g_file_test(what, G_FILE_TEST_IS_REGULAR);
	return file ? explain_file(invocation, what, as_of, error)
	            : explain_item(invocation, what, as_of, error);
}
