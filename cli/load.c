/* load.c - the configuration of commands that decide without a journal. */
#include "cli/load.h"

#include "config/deployment.h"

struct bundle *load_bundle(const struct invocation *invocation, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(deployment) deployment = deployment_load(invocation_config(invocation), diag, error);
	if (!deployment || !diag_ok(diag, error))
		return NULL;
	return bundle_read(deployment->bundle_folder, error);
}

struct pipeline *load_pipeline(const struct invocation *invocation, GError **error)
{
	struct bundle *bundle = load_bundle(invocation, error);
	return bundle ? pipeline_open(bundle, error) : NULL;
}
