/* evaluate.c - `posteingang evaluate LABELS`: how well a bundle classifies labelled messages, figure by
 * figure. */
#include "classifiers/evaluate.h"

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "core/error.h"
#include "core/file.h"

#include <stdlib.h>

static void on_progress(unsigned done, unsigned all, void *data)
{
	progress_show(data, done, all);
}

/* `model`: with --cross-validate, where the model of all messages goes; NULL: not wanted. */
static struct evaluation *evaluate(const struct invocation *invocation, const struct bundle *bundle,
        const struct labels *labels, GBytes **model, GError **error)
{
	AUTO(progress) progress = progress_new("evaluate");
	const struct evaluate_options options = {
	        .cross_validate = invocation_switch(invocation, "cross-validate"),
	        .model = model,
	        .progress = on_progress,
	        .data = progress,
	};
	return evaluate_run(bundle, labels, &options, error);
}

/* The page is written whole or not at all. */
static bool write_html(const struct evaluation *evaluation, const char *path, GError **error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	evaluate_print_html(evaluation, memory);
	fclose(memory);
	bool ok = file_write_durable(path, text, size, 0644, error);
	free(text);
	return ok;
}

/* `--compare DIR`: the same labels by another bundle, message by message. */
static bool compare(const struct invocation *invocation, const struct evaluation *evaluation,
        const struct labels *labels, const char *folder, GError **error)
{
	AUTO(bundle) other = bundle_read(folder, error);
	AUTO(evaluation) second = other ? evaluate(invocation, other, labels, NULL, error) : NULL;
	if (!second)
		return false;
	evaluate_compare(evaluation, second, stdout);
	return true;
}

static bool print(const struct invocation *invocation, const struct evaluation *evaluation,
        const struct labels *labels, GError **error)
{
	const char *html = invocation_option(invocation, "html");
	const char *folder = invocation_option(invocation, "compare");
	if (html && !write_html(evaluation, html, error))
		return false;
	if (folder)
		return compare(invocation, evaluation, labels, folder, error);
	if (invocation_format(invocation) == OUTPUT_JSONL)
		evaluate_print_jsonl(evaluation, stdout);
	else
		evaluate_print(evaluation, stdout);
	return true;
}

/* `--model FILE`: the figures, and the model they speak of, in one training. */
static struct evaluation *evaluate_and_keep(const struct invocation *invocation, const struct bundle *bundle,
        const struct labels *labels, GError **error)
{
	const char *path = invocation_option(invocation, "model");
	g_autoptr(GBytes) model = NULL;
	AUTO(evaluation) evaluation = evaluate(invocation, bundle, labels, path ? &model : NULL, error);
	if (!evaluation || !path)
		return g_steal_pointer(&evaluation);
	gsize size;
	const void *bytes = g_bytes_get_data(model, &size);
	return file_write_durable(path, bytes, size, 0644, error) ? g_steal_pointer(&evaluation) : NULL;
}

int run_evaluate(struct invocation *invocation, GError **error)
{
	if (invocation_format(invocation) == OUTPUT_CSV) {
		fail(error, ERROR_USAGE, "evaluate: --format table or jsonl");
		return 64;
	}
	if (invocation_option(invocation, "model") && !invocation_switch(invocation, "cross-validate")) {
		fail(error, ERROR_USAGE, "evaluate: --model needs --cross-validate (or use train)");
		return 64;
	}
	AUTO(bundle) bundle = load_bundle(invocation, error);
	AUTO(labels) labels = bundle ? load_labels(bundle, invocation_argument(invocation, 0), error) : NULL;
	AUTO(evaluation) evaluation = labels ? evaluate_and_keep(invocation, bundle, labels, error) : NULL;
	return evaluation && print(invocation, evaluation, labels, error) ? 0 : 1;
}
