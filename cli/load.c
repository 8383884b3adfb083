/* load.c - the configuration of commands that decide without a journal. */
#include "cli/load.h"

#include "config/deployment.h"
#include "core/error.h"

#include <errno.h>

char *load_bundle_folder(const struct invocation *invocation, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(deployment) deployment = deployment_load(invocation_config(invocation), diag, error);
	return deployment && diag_ok(diag, error) ? g_strdup(deployment->bundle_folder) : NULL;
}

struct bundle *load_bundle(const struct invocation *invocation, GError **error)
{
	g_autofree char *folder = load_bundle_folder(invocation, error);
	return folder ? bundle_read(folder, error) : NULL;
}

struct labels *load_labels(const struct bundle *bundle, const char *path, GError **error)
{
	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		fail(error, ERROR_INPUT, "cannot read %s: %s", path, g_strerror(errno));
		return NULL;
	}
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	return diag_ok(diag, error) ? labels_read(path, catalogue, error) : NULL;
}
