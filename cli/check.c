/* check.c - `posteingang check`: everything that is configured, looked at without touching the world. */
#include "cli/commands.h"
#include "cli/world.h"
#include "classifiers/pipeline.h"
#include "classifiers/terms_tool.h"
#include "core/error.h"

static void check_bundle(const char *folder, struct diag *diag)
{
	g_autoptr(GError) error = NULL;
	struct bundle *bundle = bundle_read(folder, &error);
	if (!bundle) {
		diag_add(diag, SEVERITY_ERROR, folder, 0, 0, "%s", error->message);
		return;
	}
	struct terms_tests tests = {0};
	AUTO(pipeline) pipeline = pipeline_load(bundle, diag);
	if (!pipeline)
		return;
	pipeline_check(pipeline, diag);
	terms_tests_run(pipeline_bundle(pipeline), diag, &tests);
	printf("bundle %s\nengine %s\nterms %u, %u of them in %u tests\n",
	        bundle_hash(pipeline_bundle(pipeline)), pipeline_engine(pipeline), tests.terms, tests.covered,
	        tests.tests);
}

int run_check(struct invocation *invocation, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(deployment) deployment = deployment_load(invocation_config(invocation), diag, error);
	if (!deployment)
		return 78;
	world_check(deployment, diag);
	check_bundle(deployment->bundle_folder, diag);
	if (invocation_switch(invocation, "notes"))
		diag_print(diag, stderr);
	else
		diag_print_mistakes(diag, stderr);
	unsigned errors = diag_count(diag, SEVERITY_ERROR), warnings = diag_count(diag, SEVERITY_WARNING);
	if (errors + warnings)
		fprintf(stderr, "%u errors, %u warnings\n", errors, warnings);
	if (errors)
		return 78;
	return warnings && invocation_switch(invocation, "strict") ? 1 : 0;
}
