/* load.h - from --config to what decides: shared by the commands that need no journal. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "classifiers/pipeline.h"
#include "classifiers/train_labels.h"
#include "cli/command.h"

/* The folder of the bundle that --config (or its search) names. Free with g_free. */
char *load_bundle_folder(const struct invocation *invocation, GError **error);
/* The bundle that --config (or its search) names. ERROR_CONFIG with all errors of the deployment file. */
struct bundle *load_bundle(const struct invocation *invocation, GError **error);
/* Labelled messages, read with the bundle's catalogue. */
struct labels *load_labels(const struct bundle *bundle, const char *path, GError **error);
/* The bundle, loaded; warnings are not shown. */
static inline struct pipeline *load_pipeline(const struct invocation *invocation, GError **error)
{
	struct bundle *bundle = load_bundle(invocation, error);
	return bundle ? pipeline_open(bundle, error) : NULL;
}

#endif
