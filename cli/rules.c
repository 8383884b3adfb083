/* rules.c - `posteingang rules list|show|diff|table`: the rule sets as a page a lawyer reads. */
#include "classifiers/rules_table.h"

#include "cli/commands.h"
#include "cli/load.h"
#include "core/error.h"

#include <string.h>

/* Shown, not decided with: a set that fails its proof can be read all the same. */
static struct rules *read_rules(const struct invocation *invocation, struct bundle **bundle, GError **error)
{
	AUTO(diag) diag = diag_new();
	*bundle = load_bundle(invocation, error);
	struct rules *rules = *bundle ? rules_read(*bundle, diag) : NULL;
	if (*bundle && !rules && diag_ok(diag, error))
		fail(error, ERROR_CONFIG, "the rule sets cannot be read");
	return rules;
}

static bool read_format(const struct invocation *invocation, enum rules_format *format, GError **error)
{
	*format = invocation_format(invocation) == OUTPUT_CSV ? RULES_FORMAT_CSV : RULES_FORMAT_TEXT;
	if (invocation_switch(invocation, "html"))
		*format = RULES_FORMAT_HTML;
	if (invocation_format(invocation) != OUTPUT_JSONL)
		return true;
	fail(error, ERROR_USAGE, "rules: --format table or csv, or --html");
	return false;
}

static bool run_what(const struct invocation *invocation, const struct rules *rules, GError **error)
{
	const char *what = invocation_argument(invocation, 0);
	const char *first = invocation_argument(invocation, 1), *second = invocation_argument(invocation, 2);
	enum rules_format format;
	if (!read_format(invocation, &format, error))
		return false;
	if (strcmp(what, "list") == 0 && !first) {
		rules_list_print(rules, format, stdout);
		return true;
	}
	if (strcmp(what, "show") == 0 && first)
		return rules_show_print(rules, first, second, stdout, error);
	if (strcmp(what, "table") == 0 && first && !second)
		return rules_table_print(rules, first, format, stdout, error);
	if (strcmp(what, "diff") == 0 && first && second)
		return rules_diff_print(rules, first, second, stdout, error);
	fail(error, ERROR_USAGE, "rules: expected list, show SET [RULE], table SET, or diff SET SET");
	return false;
}

int run_rules(struct invocation *invocation, GError **error)
{
	struct bundle *bundle = NULL;
	AUTO(rules) rules = read_rules(invocation, &bundle, error);
	int code = rules && run_what(invocation, rules, error) ? 0 : 1;
	bundle_free(bundle);
	return code;
}
