/* contact_codes.h - Kontaktcodes: the statistical code of an item, per Rechtskreis (Weisung 202001001 2.1).
 *
 * contact_codes.yaml. The real catalogue is not public: the shipped codes are examples to be replaced.
 */
#ifndef CONFIG_CONTACT_CODES_H
#define CONFIG_CONTACT_CODES_H

#include "config/bundle.h"
#include "config/catalogue.h"
#include "core/auto.h"
#include "core/diag.h"

#include <glib.h>
#include <stdint.h>

/* What a code may stand for beside a concern. */
#define CONTACT_CODE_AUTOMATIC "automatic" /* bounce, report, auto-reply: nobody asked for anything */
#define CONTACT_CODE_DOUBT     "doubt"     /* not yet known what it is about */
#define CONTACT_CODE_OTHER     "other"     /* everything without a row of its own */

struct contact_code {
	char *code, *label;
	enum rechtskreis rechtskreis;
	GPtrArray *kinds;    /* of char *: concern ids, or the words above */
	int32_t from, until; /* half-open local days, DAY_NONE = open */
};

struct contact_codes {
	GPtrArray *all; /* of struct contact_code */
};

/* Two codes for one thing on one day, and a Rechtskreis without "other", are errors. Never NULL. */
struct contact_codes *contact_codes_load(
        const struct bundle *bundle, const struct catalogue *catalogue, struct diag *diag);
void contact_codes_free(struct contact_codes *codes);
AUTO_FREE(contact_codes);

/* The code for `kind` (falls back to "other") on that day; NULL only if the table has errors. */
const struct contact_code *contact_codes_find(
        const struct contact_codes *codes, enum rechtskreis rechtskreis, const char *kind, int32_t day);

#endif
