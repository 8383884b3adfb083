/* version.c - `posteingang version`: the release. */
#include "cli/commands.h"
#include "core/version.h"

int run_version(struct invocation *invocation, GError **error)
{
	(void)invocation;
	(void)error;
	puts("posteingang " POSTEINGANG_VERSION);
	return 0;
}
