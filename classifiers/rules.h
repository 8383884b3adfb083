/* rules.h - from findings and facts to a decision, under the instruction in force on the day of receipt.
 *
 * The rules are data: config/rulesets/ (language: posteingang-rules(7)). rules_decide() is a pure function of
 * rules and input: no clock, no locale, no floating point; the order of rules in a file never matters.
 * `struct rules` is read-only after loading and may be shared by threads.
 */
#ifndef CLASSIFIERS_RULES_H
#define CLASSIFIERS_RULES_H

#include "classifiers/decision.h"
#include "config/bundle.h"
#include "config/catalogue.h"
#include "config/contact_codes.h"
#include "config/switches.h"
#include "core/auto.h"
#include "core/diag.h"
#include "core/finding.h"
#include "core/item.h"
#include "facts/facts.h"

struct rules;

/* Catalogue, switches, contact codes and all rule sets of the bundle, with the calendar checked and the
 * invariants proved over all inputs (proof.h). Errors and warnings go to `diag`; NULL if there was any error:
 * what fails cannot be loaded. */
struct rules *rules_load(const struct bundle *bundle, struct diag *diag);
/* The same without the proof: for showing and comparing candidates, never for deciding. */
struct rules *rules_read(const struct bundle *bundle, struct diag *diag);
void rules_free(struct rules *rules);
AUTO_FREE(rules);

const struct catalogue *rules_catalogue(const struct rules *rules);
const struct switches *rules_switches(const struct rules *rules);
const struct contact_codes *rules_contact_codes(const struct rules *rules);

struct rule_concern {
	char *id; /* one the catalogue does not know is doubt */
	enum rechtskreis rechtskreis;
};

/* Every variable that a `when` can read, and nothing else: the "archived findings" of DESIGN.md section 6.
 * No text, no address, no number of a customer. */
struct rule_input {
	enum channel channel;
	char *mailbox;
	int64_t received;
	bool has_form;
	enum form_type form_type;
	char *form_kind; /* concern id, "unknown" for a kind the catalogue does not know, NULL = none */
	int32_t form_from, form_to;
	GPtrArray *cv;   /* of struct cv_entry: the entries the form states */
	bool has_sender; /* there is an address a reply could go to */
	bool own_bounce; /* a bounce of a reply of ours: set by the route phase (VERP or Message-ID) */
	enum automatic automatic;
	bool third_party, resolved, authority_stated, numbers_conflict, unsuitable_document,
	        received_in_future;
	int absence_days; /* -1 = unknown */
	bool doubt;
	char *doubt_reason;  /* NULL without doubt */
	GPtrArray *concerns; /* of struct rule_concern, best first */
	struct facts facts;
};

struct rule_input *rule_input_new(void);
void rule_input_free(struct rule_input *input);
AUTO_FREE(rule_input);
void rule_input_add_concern(struct rule_input *input, const char *id, enum rechtskreis rechtskreis);
void rule_input_set_cv(struct rule_input *input, const char *name, enum cv_state state);

/* Copies what the rules need. `own_bounce` stays false: the caller sets it. */
struct rule_input *rule_input_from(const struct rules *rules, const struct message *message,
        const struct findings *findings, const struct facts *facts);

/* Canonical: strings, integers and booleans only. New reference. From it, the same rules give byte-equal
 * decisions again. */
json_t *rule_input_to_json(const struct rule_input *input);
/* Strict: every key must be there and known; ERROR_INPUT names the key. */
struct rule_input *rule_input_from_json(const json_t *json, GError **error);

/* Never NULL: an item that no rule set covers goes to a person and into the eAkte. The decision borrows from
 * `rules`. */
struct decision *rules_decide(const struct rules *rules, const struct rule_input *input);

#endif
