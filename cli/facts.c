/* facts.c - `posteingang facts import`: the table of what is known of cases. */
#include "cli/commands.h"
#include "cli/world.h"
#include "core/error.h"
#include "facts/import.h"

#include <string.h>

static void tell(const struct facts_import_result *result, bool written)
{
	fprintf(stderr, "%" G_GINT64_FORMAT " rows, %" G_GINT64_FORMAT " keys %s", result->rows, result->keys,
	        written ? "written" : "checked");
	if (written)
		fprintf(stderr, ", %" G_GINT64_FORMAT " in the table", result->kept);
	fputc('\n', stderr);
}

static bool import(const struct invocation *invocation, const char *path, struct diag *diag, GError **error)
{
	struct facts_import_result result = {0};
	if (invocation_switch(invocation, "check")) {
		bool ok = facts_import_check(path, &result, diag, error);
		if (ok)
			tell(&result, false);
		return ok;
	}
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_MAKE, &journal, error);
	bool replace = invocation_switch(invocation, "replace");
	if (!world || !facts_import(journal, path, replace, &result, diag, error))
		return false;
	tell(&result, true);
	return true;
}

int run_facts(struct invocation *invocation, GError **error)
{
	const char *verb = invocation_argument(invocation, 0);
	if (strcmp(verb, "import") != 0) {
		fail(error, ERROR_USAGE, "facts: no \"%s\", expected import FILE", verb);
		return 1;
	}
	AUTO(diag) diag = diag_new();
	bool ok = import(invocation, invocation_argument(invocation, 1), diag, error);
	diag_print(diag, stderr);
	return ok ? 0 : 1;
}
