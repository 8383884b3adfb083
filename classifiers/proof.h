/* proof.h - the invariants of every rule set, proved over all inputs. */
#ifndef CLASSIFIERS_PROOF_H
#define CLASSIFIERS_PROOF_H

#include "classifiers/rules.h"

/* Proves each invariant of each rule set. A violated one is an error with the smallest counter-example found,
 * as a readable case, and the rule to blame; rules that can never fire or are always suppressed, and inputs
 * that no rule speaks to, are warnings. */
void proof_run(const struct rules *rules, struct diag *diag);

#endif
