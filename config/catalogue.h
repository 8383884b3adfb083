/* catalogue.h - the concerns (Anliegen) this installation knows, and what their names are elsewhere.
 *
 * catalogue.yaml: each concern with title, priority (which concern names a mixed item's contact code),
 * payment relevance (DESIGN.md section 3), Rechtskreis where the concern itself settles it, and the aliases
 * under which public forms name it; and the entries of the online CV.
 */
#ifndef CONFIG_CATALOGUE_H
#define CONFIG_CATALOGUE_H

#include "config/bundle.h"
#include "core/auto.h"
#include "core/diag.h"
#include "core/finding.h"

#include <glib.h>
#include <stdbool.h>

#define CATALOGUE_MAX_CONCERNS 200
#define CATALOGUE_MAX_CV       32

/* How a concern touches payment. */
enum payment_kind {
	PAYMENT_KIND_NO,
	PAYMENT_KIND_YES,
	PAYMENT_KIND_ADDRESS, /* only if the payment goes to an address (umzug) */
	PAYMENT_KIND_NAME,    /* as ADDRESS; with an IBAN by switch name_change_iban */
	PAYMENT_KIND_ABSENCE, /* by the length of the absence */
};

struct concern {
	char *id, *title;
	int priority; /* higher names the contact code; all different */
	enum payment_kind payment;
	enum rechtskreis rechtskreis;
	bool rechtskreis_fixed; /* the concern itself settles the Rechtskreis */
	GPtrArray *aliases;     /* of char *, as written in the file */
};

struct catalogue {
	GPtrArray *concerns;   /* of struct concern, in file order */
	GPtrArray *cv_entries; /* of char *: names of the CV entries */
	/*< private >*/
	GHashTable *by_alias; /* folded name → index + 1 */
};

/* Reads catalogue.yaml; what is wrong goes to `diag`. Never NULL. */
struct catalogue *catalogue_load(const struct bundle *bundle, struct diag *diag);
void catalogue_free(struct catalogue *catalogue);
AUTO_FREE(catalogue);

/* Index of the concern with that id, or -1. */
int catalogue_find(const struct catalogue *catalogue, const char *id);
const struct concern *catalogue_get(const struct catalogue *catalogue, int index);
/* Index of the concern that a form kind means (id or alias; case, umlaut spelling and punctuation do not
 * count), or -1: an unknown kind is doubt. */
int catalogue_find_kind(const struct catalogue *catalogue, const char *kind);
/* Index of a CV entry, or -1. */
int catalogue_find_cv(const struct catalogue *catalogue, const char *name);

#endif
