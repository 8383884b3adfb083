/* verify.c - `posteingang verify`: is the log whole, and does the journal agree with it? Exit 1 on a finding.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "journal/log_export.h"
#include "journal/log_reading.h"
#include "journal/log_verify.h"

#include <string.h>
#include <unistd.h>

enum { MOST_KEPT = 64 << 20 };

static const struct output_column columns[] = {
        {"kind", "FINDING", false},
        {"place", "PLACE", false},
        {"text", "WHAT", false},
        {NULL, NULL, false},
};

static void progress(uint64_t done, uint64_t of, void *data)
{
	(void)data;
	fprintf(stderr, "\r%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " records", (guint64)done,
	        (guint64)of);
	if (done >= of)
		fputc('\n', stderr);
}

/* {"note":"…"} lines, or one bare note. */
static bool read_kept(const char *path, GPtrArray *into, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(path, MOST_KEPT, error);
	if (!bytes)
		return false;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	if (*text != '{') {
		g_ptr_array_add(into, g_steal_pointer(&text));
		return true;
	}
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		JSON_AUTO object = **line ? json_read(*line, strlen(*line), error) : json_object();
		if (!object) {
			g_prefix_error(error, "%s:%d: ", path, (int)(line - lines) + 1);
			return false;
		}
		const char *note = json_get_string(object, "note");
		if (note)
			g_ptr_array_add(into, g_strdup(note));
	}
	return true;
}

static void print_summary(const struct verify_report *report, const struct verify_options *options)
{
	char root[HASH_HEX_SIZE];
	hash_to_hex(report->root.bytes, root);
	fprintf(stderr,
	        "%" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " checkpoints, %" G_GUINT64_FORMAT
	        " not yet sealed, %" G_GUINT64_FORMAT " items; root %s\n",
	        (guint64)report->leaves, (guint64)report->checkpoints, (guint64)report->unsealed,
	        (guint64)report->items, root);
	if (options->n_verifiers == 0)
		fprintf(stderr, "Signatures were not checked: no public key was given (--keys FILE).\n");
	if (report->more_findings)
		fprintf(stderr, "There are more findings than are shown.\n");
	fprintf(stderr, report->findings->len ? "%u findings.\n" : "No finding.\n", report->findings->len);
}

static int print(const struct invocation *inv, const struct verify_report *report,
        const struct verify_options *options, GError **error)
{
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *finding = report->findings->pdata[i];
		output_text(out, finding->kind);
		output_text(out, finding->place);
		output_text(out, finding->text);
		output_row(out);
	}
	if (!output_end(out, error))
		return 1;
	print_summary(report, options);
	return report->findings->len ? 1 : 0;
}

static int verify_journal(
        const struct invocation *inv, struct verify_options *options, GPtrArray *keys, GError **error)
{
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(inv, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	g_autoptr(GPtrArray) configured = log_settings_verifiers(&world->log, error);
	AUTO(witness) witness = configured ? log_settings_witness(&world->log, error) : NULL;
	if (!configured || (world->log.witness && !witness))
		return 1;
	const GPtrArray *trusted = keys->len ? keys : configured;
	options->verifiers = (struct log_verifier *const *)trusted->pdata;
	options->n_verifiers = trusted->len;
	options->witness = witness;
	options->bundles = true;
	options->evidence_term = world->retention.evidence;
	AUTO(verify_report)
	report = journal_log_read(journal, "verify", error) ? journal_verify(journal, options, error) : NULL;
	if (!report)
		return 1;
	return print(inv, report, options, error);
}

int run_verify(struct invocation *invocation, GError **error)
{
	const char *folder = invocation_option(invocation, "bundle"),
	           *kept_path = invocation_option(invocation, "kept");
	const char *keys_path = invocation_option(invocation, "keys");
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)log_verifier_free);
	if (kept_path && !read_kept(kept_path, kept, error))
		return 1;
	if (keys_path && !log_verifiers_read(keys_path, keys, error))
		return 1;
	struct verify_options options = {
	        .kept = kept,
	        .log_only = invocation_switch(invocation, "log-only"),
	        .contents = invocation_switch(invocation, "content"),
	        .progress = isatty(STDERR_FILENO) ? progress : NULL,
	};
	if (!folder)
		return verify_journal(invocation, &options, keys, error);
	options.verifiers = (struct log_verifier *const *)keys->pdata;
	options.n_verifiers = keys->len;
	AUTO(verify_report) report = log_verify_export(folder, &options, error);
	return report ? print(invocation, report, &options, error) : 1;
}
