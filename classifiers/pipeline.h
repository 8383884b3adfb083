/* pipeline.h - everything that decides, loaded from one bundle: message in, verdict out.
 *
 *     message → findings (analyse.h) → facts, frozen → decision (rules.h)
 *
 * Routing, `classify`, `explain` and `replay` all decide through this, so that a dry run and a real run
 * cannot differ. Deciding is a pure function of message, facts, bundle and engine: no clock, no locale, no
 * floating point. A pipeline is read-only and shared by threads; each thread has its own scratch.
 */
#ifndef CLASSIFIERS_PIPELINE_H
#define CLASSIFIERS_PIPELINE_H

#include "classifiers/analyse.h"
#include "classifiers/decision.h"
#include "classifiers/rules.h"
#include "config/bundle.h"
#include "config/template.h"
#include "core/auto.h"
#include "core/diag.h"
#include "core/finding.h"
#include "core/item.h"
#include "facts/facts.h"

struct pipeline;

/* Takes the bundle over (also on failure). Errors and warnings go to `diag`; NULL if there was any error. */
struct pipeline *pipeline_load(struct bundle *bundle, struct diag *diag);
/* The same in one call for programs that only want to run: errors become ERROR_CONFIG with all lines. */
struct pipeline *pipeline_open(struct bundle *bundle, GError **error);
/* Pipelines are counted: each reference is dropped with pipeline_free(). Any thread. */
struct pipeline *pipeline_ref(struct pipeline *pipeline);
void pipeline_free(struct pipeline *pipeline);
AUTO_FREE(pipeline);

/* What only shows when the parts are seen together (a rule that asks for a template that is not there): for
 * `check` and `activate`, some ten milliseconds. */
void pipeline_check(const struct pipeline *pipeline, struct diag *diag);

const struct bundle *pipeline_bundle(const struct pipeline *pipeline);
const char *pipeline_engine(const struct pipeline *pipeline); /* 64 hex digits */
const struct rules *pipeline_rules(const struct pipeline *pipeline);
const struct analyser *pipeline_analyser(const struct pipeline *pipeline);
const struct templates *pipeline_templates(const struct pipeline *pipeline);

/* What was found and decided for one message. Belongs to one pipeline, which must outlive it. */
struct verdict {
	struct findings *findings;
	struct rule_input *input; /* the archived findings: all that the rules saw */
	struct decision *decision;
};
void verdict_free(struct verdict *verdict);
AUTO_FREE(verdict);

/* What no message says about itself. */
struct circumstances {
	const struct facts *facts; /* NULL: nothing is known */
	bool received_in_future;   /* set by intake, frozen */
	bool own_bounce;           /* a bounce of a reply of ours */
};

/* Never NULL. */
struct verdict *pipeline_decide(const struct pipeline *pipeline, struct analyser_scratch *scratch,
        const struct message *message, const struct circumstances *circumstances);
/* The second half: from findings (taken over) to the verdict; for callers that ask for facts in between. */
struct verdict *pipeline_conclude(const struct pipeline *pipeline, const struct message *message,
        struct findings *findings, const struct circumstances *circumstances);
/* For what cannot even be looked at: doubt for `reason`, decided by the same rules. */
struct verdict *pipeline_doubt(const struct pipeline *pipeline, const struct message *message,
        const char *reason, const struct circumstances *circumstances);

/* The line that `classify` prints (DESIGN.md section 5), keys in the order written there. `id` (borrowed) may
 * be NULL: no such key. New reference. */
json_t *verdict_to_json(const struct pipeline *pipeline, const struct verdict *verdict, json_t *id);
/* The same for the journal, where the canonical text sorts the keys: cheaper, in any order. */
json_t *verdict_to_archive(const struct pipeline *pipeline, const struct verdict *verdict, json_t *id);

#endif
