/* commands.h - the functions behind the rows of the table; each in the file of its name. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

int run_activate(struct invocation *invocation, GError **error);
int run_audit(struct invocation *invocation, GError **error);
int run_balance(struct invocation *invocation, GError **error);
int run_check(struct invocation *invocation, GError **error);
int run_classify(struct invocation *invocation, GError **error);
int run_completion(struct invocation *invocation, GError **error);
int run_deliver(struct invocation *invocation, GError **error);
int run_document(struct invocation *invocation, GError **error);
int run_evaluate(struct invocation *invocation, GError **error);
int run_expire(struct invocation *invocation, GError **error);
int run_explain(struct invocation *invocation, GError **error);
int run_export(struct invocation *invocation, GError **error);
int run_facts(struct invocation *invocation, GError **error);
int run_help(struct invocation *invocation, GError **error);
int run_hold(struct invocation *invocation, GError **error);
int run_inspect(struct invocation *invocation, GError **error);
int run_items(struct invocation *invocation, GError **error);
int run_keys(struct invocation *invocation, GError **error);
int run_log(struct invocation *invocation, GError **error);
int run_migrate(struct invocation *invocation, GError **error);
int run_person(struct invocation *invocation, GError **error);
int run_pull(struct invocation *invocation, GError **error);
int run_replay(struct invocation *invocation, GError **error);
int run_reprocess(struct invocation *invocation, GError **error);
int run_restore(struct invocation *invocation, GError **error);
int run_route(struct invocation *invocation, GError **error);
int run_rules(struct invocation *invocation, GError **error);
int run_run(struct invocation *invocation, GError **error);
int run_seal(struct invocation *invocation, GError **error);
int run_status(struct invocation *invocation, GError **error);
int run_suggest(struct invocation *invocation, GError **error);
int run_task(struct invocation *invocation, GError **error);
int run_terms(struct invocation *invocation, GError **error);
int run_train(struct invocation *invocation, GError **error);
int run_verify(struct invocation *invocation, GError **error);
int run_version(struct invocation *invocation, GError **error);

#endif
