/* rules_reference.h - a second, naive evaluator of rule files, written without looking at the first: it walks
 * the YAML tree for every input and works on words. */
#ifndef TESTS_RULES_REFERENCE_H
#define TESTS_RULES_REFERENCE_H

#include "classifiers/rules.h"
#include "config/yaml.h"

/* Decides under the rule set in `file` (its rules only, no inheritance, whatever its dates) and tells the
 * result as sorted lines. Free with g_free. */
char *reference_decide(const struct yaml_node *file, const struct catalogue *catalogue,
        const struct switches *switches, const struct rule_input *input);

/* The same lines from a decision of the engine. */
char *reference_lines(const struct decision *decision);

#endif
