/* commands.h - the functions behind the rows of the table; each in the file of its name. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

int run_classify(struct invocation *invocation, GError **error);
int run_inspect(struct invocation *invocation, GError **error);
int run_version(struct invocation *invocation, GError **error);

#endif
