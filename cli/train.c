/* train.c - `posteingang train`: makes the model of a bundle from labelled messages. */
#include "classifiers/train.h"

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

static const char model_path[] = "classifiers/concerns.model";

static void on_progress(unsigned done, unsigned all, void *data)
{
	progress_show(data, done, all);
}

/* The folder of the configured bundle gets the file, unless --output names another. */
static char *output_path(const struct invocation *invocation, GError **error)
{
	const char *wanted = invocation_option(invocation, "output");
	if (wanted)
		return g_strdup(wanted);
	g_autofree char *folder = load_bundle_folder(invocation, error);
	return folder ? g_build_filename(folder, model_path, NULL) : NULL;
}

static bool train(const struct bundle *bundle, const char *labels_path, const char *output, GError **error)
{
	AUTO(labels) labels = load_labels(bundle, labels_path, error);
	if (!labels)
		return false;
	AUTO(progress) progress = progress_new("train");
	const struct train_options options = {.progress = on_progress, .data = progress};
	struct trained trained = {0};
	if (!train_run(bundle, labels, &options, &trained, error))
		return false;
	gsize size;
	const void *bytes = g_bytes_get_data(trained.model, &size);
	char hash[HASH_HEX_SIZE];
	hash_hex(bytes, size, hash);
	bool ok = file_write_durable(output, bytes, size, 0644, error);
	if (ok)
		printf("%s\nmessages %u\nlabels %s\nmodel %s\n", output, labels->messages->len, labels->hash,
		        hash);
	trained_clear(&trained);
	return ok;
}

int run_train(struct invocation *invocation, GError **error)
{
	g_autofree char *output = output_path(invocation, error);
	struct bundle *bundle = output ? load_bundle(invocation, error) : NULL;
	if (!bundle)
		return 1;
	bool ok = train(bundle, invocation_argument(invocation, 0), output, error);
	bundle_free(bundle);
	return ok ? 0 : 1;
}
