/* facts.h - what is known about case and customer that no text says, as plain values (DESIGN.md section 3).
 *
 * Every fact is unknown until a provider states it; a decision freezes the values it saw. The contract of the
 * providers is facts/provider.h.
 */
#ifndef FACTS_FACTS_H
#define FACTS_FACTS_H

#include "core/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum fact { FACT_UNKNOWN, FACT_YES, FACT_NO };

enum payment_method {
	PAYMENT_METHOD_UNKNOWN,
	PAYMENT_METHOD_IBAN,
	PAYMENT_METHOD_PZZV,
	PAYMENT_METHOD_OTHER_ADDRESS_BOUND,
};

enum preferred_channel {
	PREFERRED_CHANNEL_UNKNOWN,
	PREFERRED_CHANNEL_POSTBOX,
	PREFERRED_CHANNEL_EMAIL,
	PREFERRED_CHANNEL_PHONE,
};

struct facts {
	/* For umzug and namensaenderung the old address or the number counts (Weisung 202001001 2.2). */
	enum fact address_match;
	enum fact benefit_recipient;
	enum fact documents_complete;
	enum fact application_processed;
	enum fact duty_of_proof;
	enum fact internetperson;
	enum fact represented;
	enum fact deceased;
	enum fact minor;
	enum payment_method payment_method;
	enum preferred_channel preferred_channel;
	int32_t expected_claim_start; /* day (core/date.h), DAY_NONE = unknown */
};

/* Nothing is known. */
void facts_init(struct facts *facts);

/* Reads an object of facts into `out` (all of it: what is absent or null becomes unknown). Keys that are no
 * facts are ignored; a wrong type or value is ERROR_INPUT and names the key. `json` may be NULL. */
bool facts_from_json(const json_t *json, struct facts *out, GError **error);

/* All facts, the unknown ones too: what a decision freezes. New reference. */
json_t *facts_to_json(const struct facts *facts);

/* Takes from `other` what `facts` does not know. */
void facts_complete(struct facts *facts, const struct facts *other);
/* What the two do not agree on becomes unknown. */
void facts_agree(struct facts *facts, const struct facts *other);

/* For help and documentation: name of fact `index` (0 …) and its allowed words (NULL-terminated, first is
 * "unknown"; NULL for a date). NULL behind the last one. */
const char *facts_name(unsigned index);
const char *const *facts_words(unsigned index);

#endif
