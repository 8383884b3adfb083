/* inspect.c - `posteingang inspect`: the decoder's view of one mail. */
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output.h"
#include "core/json.h"
#include "core/mail.h"

int run_inspect(struct invocation *invocation, GError **error)
{
	const char *path = invocation_argument(invocation, 0);
	g_autoptr(GBytes) raw = input_read(path, INPUT_MAX_MAIL, error);
	if (!raw)
		return 1;
	JSON_AUTO object = mail_inspect(raw);
	output_json_line(stdout, object);
	return 0;
}
