/* rules_support.h - the shipped bundle and inputs in one line, for tests of the rules. */
#ifndef TESTS_RULES_SUPPORT_H
#define TESTS_RULES_SUPPORT_H

#include "classifiers/rules.h"

/* The shipped rules, loaded once a process; aborts with the diagnostics if they do not load. */
const struct rules *shipped_rules(void);

/* A copy of the shipped bundle in which `from` is replaced by `to` in file `path` (all places; at least one,
 * or the process aborts). NULL path: unchanged. */
struct bundle *shipped_bundle_with(const char *path, const char *from, const char *to);

/* The shipped bundle without the files whose path starts with `drop` (rulesets/outside.yaml
 * stays), and with one file of that text. */
struct bundle *shipped_bundle_but(const char *drop, const char *path, const char *text);

/* "channel=email received=2024-01-02 concern=umzug,sonstiges@sgb2 payment_method=iban third_party …": words
 * are the names of the rule language; a mark alone means true. Aborts on a word it does not know. */
struct rule_input *input_of(const char *words);

/* The decision in short: "eakte; reply(email,umzug); task(process_notice) | -call:only_schulbildung_unused".
 * Free with g_free. */
char *decision_in_short(const struct decision *decision);
/* Decides and shortens. */
char *decide_in_short(const struct rules *rules, const char *words);
/* "5:202001001 2.4 a)5/in_force,…": rule and cites of each action, for tables. */
char *decision_cites(const struct decision *decision);

#endif
