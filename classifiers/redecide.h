/* redecide.h - a decision made again from what was archived with it, for auditors.
 *
 * First half, always possible: archived findings and frozen facts through the rules of the archived bundle.
 * The result must be equal byte for byte; a difference is a finding. Second half: the item's bytes through
 * the classifier of that bundle, compared only if this program is the engine of then and the content is kept.
 */
#ifndef CLASSIFIERS_REDECIDE_H
#define CLASSIFIERS_REDECIDE_H

#include "core/auto.h"
#include "journal/journal.h"

enum redecide_rules { RULES_EQUAL, RULES_DIFFER, RULES_UNREADABLE, RULES_NONE /* not decided yet */ };
enum redecide_classifier {
	CLASSIFIER_EQUAL,
	CLASSIFIER_DIFFERS,
	CLASSIFIER_ENGINE_DIFFERS,
	CLASSIFIER_NOT_POSSIBLE, /* content deleted, or not to be read by this user */
	CLASSIFIER_NOT_ASKED,
};
const char *redecide_rules_name(enum redecide_rules outcome);           /* "equal", "differs", … */
const char *redecide_classifier_name(enum redecide_classifier outcome); /* "equal", "engine differs", … */

struct redecide_result {
	int64_t item;
	char *bundle;
	enum redecide_rules rules;
	enum redecide_classifier classifier;
	char *difference; /* the first key that differs, or why it cannot be read; or NULL */
};
void redecide_result_clear(struct redecide_result *result);

/* Keeps the rules and classifiers of the bundles it has met. */
struct redecider;
struct redecider *redecider_new(struct journal *journal, bool with_classifier);
void redecider_free(struct redecider *redecider);
AUTO_FREE(redecider);

/* False only if the journal fails or there is no such item. */
bool redecide_item(struct redecider *redecider, int64_t item, struct redecide_result *out, GError **error);

/* The items of a sample of n decided ones that neither side can choose: drawn by the newest checkpoint at or
 * below `size` leaves (0: the newest), whose note is signed and witnessed. Draw i is the leaf number
 * first 8 bytes (big endian) of SHA-256(SHA-256(note) ‖ i as 8 bytes big endian) modulo the checkpoint's
 * size; it counts if that leaf is a `decided` record of an item not drawn before. *used is the checkpoint's
 * size. GArray of int64_t; fewer than n if 1000 × n draws give no more. ERROR_INPUT if nothing is sealed. */
GArray *redecide_sample(struct journal *journal, unsigned n, uint64_t size, uint64_t *used, GError **error);

#endif
