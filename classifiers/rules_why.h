/* rules_why.h - a decision explained: which rule caused what, and what would have had to be otherwise. */
#ifndef CLASSIFIERS_RULES_WHY_H
#define CLASSIFIERS_RULES_WHY_H

#include "classifiers/rules.h"

#include <stdio.h>

/* New reference to
 *   {"ruleset", "title", "basis",
 *    "taken":   [{"action", "rule", "row", "title", "when", "concerns":[…], "cites":[…]}],
 *    "nearest": [{"action", "rule", "row", "title", "missing", "concern", "barred_by", "cites":[…]}]}
 *
 * taken: every row that caused an action that happens (a merged action has several). nearest: for every kind
 * of action the rule set knows and this item does not get, the row that came nearest and, in words, what it
 * missed: the tests that failed with what they found, or the rule that bars it (`barred_by` "B/filed", else
 * null). `action` is "reply", "task fraud_check", "ticket os_alg_plus" …; everything without content of the
 * item. */
json_t *rules_why(const struct rules *rules, const struct rule_input *input);

/* The same item as if it had been received on `day` (12:00 Europe/Berlin): what another instruction would do.
 */
json_t *rules_why_as_of(const struct rules *rules, const struct rule_input *input, int32_t day);

/* As text. With `findings` (may be NULL) the evidence of each concern is named by field and place. */
void rules_why_print(const json_t *why, const struct findings *findings, FILE *out);

/* Two explanations side by side: what both do, and what only one of them does. Headings name the days. */
void rules_why_print_beside(const json_t *left, const char *left_heading, const json_t *right,
        const char *right_heading, FILE *out);

#endif
