/* pipeline_active.h - the pipeline of the bundle that is active in the journal, loaded once for all threads.
 *
 * `activate` may switch the bundle at any time: whoever is about to decide asks again and gets the new one as
 * soon as it is loaded; who still holds the old one keeps it until he lets go, and the journal refuses what
 * was decided with it (ERROR_AGAIN, WHEN_NOW).
 */
#ifndef CLASSIFIERS_PIPELINE_ACTIVE_H
#define CLASSIFIERS_PIPELINE_ACTIVE_H

#include "classifiers/pipeline.h"
#include "journal/journal.h"

struct pipeline_active;

struct pipeline_active *pipeline_active_new(void);
void pipeline_active_free(struct pipeline_active *active);
AUTO_FREE(pipeline_active);

/* The active bundle's pipeline, a reference (pipeline_free() drops it). ERROR_CONFIG if none was ever
 * activated or it cannot be loaded; journal errors as db.h says. May take seconds after a switch. */
struct pipeline *pipeline_active_get(struct pipeline_active *active, struct journal *journal, GError **error);

/* Stores the pipeline's bundle and makes it the active one. */
bool pipeline_activate(const struct pipeline *pipeline, struct journal *journal, GError **error);

#endif
