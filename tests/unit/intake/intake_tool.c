/* intake_tool.c - the pull phase as a small program, so that tests can run, kill and measure it from outside.
 *
 *     intake_tool pull|daemon|oldest CONFIG JOURNAL.sqlite     prints one JSON object
 */
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"
#include "intake/pull.h"
#include "intake/sources.h"

#include <gmime/gmime.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile gint stop;

static void on_signal(int number)
{
	(void)number;
	g_atomic_int_set(&stop, 1);
}

/* Not getrusage(): that counts what the process was before exec, too. */
static int64_t peak_memory(void)
{
	g_autofree char *status = NULL;
	g_file_get_contents("/proc/self/status", &status, NULL, NULL);
	const char *line = status ? strstr(status, "VmHWM:") : NULL;
	return line ? g_ascii_strtoll(line + 6, NULL, 10) : 0;
}

static void print(json_t *object)
{
	json_set_int(object, "rss_kib", peak_memory());
	char *text = json_dumps(object, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(object);
}

static json_t *report_json(const struct pull_report *r)
{
	json_t *object = json_object();
	json_set_int(object, "mailboxes", r->mailboxes);
	json_set_int(object, "failed", r->failed);
	json_set_int(object, "busy", r->busy);
	json_set_int(object, "seen", r->seen);
	json_set_int(object, "taken", r->taken);
	json_set_int(object, "duplicates", r->duplicates);
	json_set_int(object, "relinked", r->relinked);
	json_set_int(object, "refused", r->refused);
	json_set_int(object, "vanished", r->vanished);
	json_set_int(object, "unsettled", r->unsettled);
	json_set_int(object, "pending", r->pending);
	return object;
}

static int report_error(const GError *error)
{
	fprintf(stderr, "error: %s\n", error->message);
	return error_exit_code(error);
}

static int pull(const struct pull_options *options)
{
	struct pull_report report;
	g_autoptr(GError) error = NULL;
	bool ok = pull_once(options, &report, &error);
	print(report_json(&report));
	return ok ? 0 : report_error(error);
}

static int oldest(const struct pull_options *options)
{
	g_autoptr(GError) error = NULL;
	AUTO(journal) journal = journal_open(options->journal, &error);
	for (unsigned i = 0; journal && i < options->sources->len; i++) {
		const struct source *source = options->sources->pdata[i];
		g_autoptr(GPtrArray) mailboxes = source->connector->mailboxes(source);
		for (unsigned m = 0; m < mailboxes->len; m++) {
			struct oldest out = {0};
			if (!pull_oldest(options, journal, source, mailboxes->pdata[m], &out, &error))
				return report_error(error);
			json_t *object = json_object();
			json_set_string(object, "source", source->name);
			json_set_string(object, "mailbox", mailboxes->pdata[m]);
			json_set_int(object, "count", out.count);
			json_set_int(object, "received", out.received);
			print(object);
		}
	}
	return journal ? 0 : report_error(error);
}

static int daemon_run(const struct pull_options *options)
{
	g_autoptr(GError) error = NULL;
	return pull_forever(options, &error) ? 0 : report_error(error);
}

static int run(const char *action, const struct yaml_node *root, const char *journal_path, struct diag *diag)
{
	struct deployment deployment = {0}; /* limits_options are offsets into it */
	g_autoptr(GPtrArray) sources = sources_read(yaml_get(root, "sources"), diag);
	options_read(yaml_get(root, "limits"), limits_options, NULL, &deployment, diag);
	if (diag_count(diag, SEVERITY_ERROR)) {
		diag_print(diag, stderr);
		return 78;
	}
	g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef", 16);
	const struct journal_options journal = {
	        .db = {.dialect = DB_SQLITE, .path = journal_path}, .pseudonym_key = key, .migrate = true};
	const struct pull_options options = {
	        .sources = sources, .limits = &deployment.limits, .journal = &journal, .stop = &stop};
	if (strcmp(action, "oldest") == 0)
		return oldest(&options);
	return strcmp(action, "daemon") == 0 ? daemon_run(&options) : pull(&options);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	g_mime_init();
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) text = file_read(argv[2], 1 << 20, &error);
	if (!text)
		return report_error(error);
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) yaml = yaml_load(argv[2], text, diag);
	int code = yaml ? run(argv[1], yaml_root(yaml), argv[3], diag) : 78;
	g_mime_shutdown();
	return code;
}
