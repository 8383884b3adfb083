/* proof_internal.h - the symbolic search behind proof.h.
 *
 * A `space` holds for each variable the values still possible, as a set of cells: words are cells of their
 * own; numbers and days are cut into intervals at every bound that a rule or switch names, so all values of
 * one cell behave alike. Derived variables (payment, doubt …) are variables too, tied to the others by
 * space_narrow(). A goal ("this reply happens although a third party writes") is looked for by evaluating it
 * over the whole space at once: impossible → cut off; certain → found; open → split one variable.
 *
 * An item may have any number of concerns. It is enough to look at one concern in every possible company: the
 * rules see the others only through payment (the maximum), only_sonstiges and foreign_only, and more concerns
 * only add actions. So a claim "X happens" proved for the concern that sets the item's payment holds for the
 * item, and a claim about an action holds if it does for its own concern in all company.
 */
#ifndef CLASSIFIERS_PROOF_INTERNAL_H
#define CLASSIFIERS_PROOF_INTERNAL_H

#include "classifiers/proof.h"
#include "classifiers/rules_internal.h"
#include "classifiers/rules_why_internal.h"

/* Whose eyes the search looks through. */
enum view {
	VIEW_ITEM,    /* an item-wide rule: no concern at hand, any company */
	VIEW_CONCERN, /* one concern in any company */
	VIEW_WITNESS, /* one concern, the one that sets the item's payment; or an item without concerns */
};

struct cells {
	unsigned count;
	int32_t *values; /* one value of each cell */
	bool overflow;   /* more cells than a set can hold */
};

struct formula {
	enum cond_op op;
	int var;
	struct word_set yes, no, unknown; /* TEST: cells in which it is true, false, unknown */
	struct formula *parts;
	unsigned count;
};

/* A row, compiled. */
struct clause {
	const struct row *row;
	struct formula when;
};

/* What must hold together. */
struct goal {
	enum view view;
	const struct formula *holds;  /* true; or NULL */
	const struct formula *fails;  /* not true; or NULL */
	const struct clause *applies; /* this row applies; or NULL */
	const struct then *happens;   /* with `applies`: and nothing bars this action of it; or NULL */
	unsigned absent;              /* no action of these handlers happens (bit mask) */
	bool ignore_bars;             /* `absent` means: not even before bars */
};

struct model {
	const struct rules *rules;
	const struct ruleset *set;
	unsigned var_count;
	struct cells *cells;    /* per variable */
	struct clause *clauses; /* item rows, then concern rows */
	unsigned clause_count, item_count;
	const struct clause **bars; /* clauses whose row bars */
	unsigned bar_count;
	struct word_set *full; /* per variable: all cells */
	uint8_t *payments;     /* relevance by payment kind, day cell, method, absence cell */
	uint64_t steps;        /* spaces looked at, for figures and the limit */
	enum view view;        /* of the goal in hand */
	const char *overflow;  /* a variable cut too finely to be proved, or NULL */
	bool any_switch;       /* switches may stand any way: is a rule only switched off? */
};

#define PROOF_MAX_STEPS 20000000 /* then the claim counts as not proved */

struct space {
	struct word_set dom[1]; /* var_count of them */
};

enum found { FOUND_NOTHING, FOUND_CASE, FOUND_LIMIT };

/* proof_model.c */
enum relevance model_payment(
        const struct model *model, enum payment_kind kind, unsigned day, unsigned method, unsigned absence);
struct model *model_new(const struct rules *rules, const struct ruleset *set);
void model_free(struct model *model);
void model_compile(const struct model *model, const struct cond *cond, struct formula *out);
void formula_clear(struct formula *formula);
struct space *space_new(const struct model *model);
struct space *space_copy(const struct model *model, const struct space *space);
bool word_set_empty(const struct word_set *set);
/* Start of a search: everything possible in that view. */
void space_fill(const struct model *model, struct space *space, enum view view);
/* proof_narrow.c: removes what the ties between variables exclude; false if nothing is left. */
bool space_narrow(const struct model *model, struct space *space);

/* proof_search.c: looks for a case; on FOUND_CASE `*out` is the space in which the goal is certain (caller
 * frees with g_free). */
enum found model_search(struct model *model, const struct goal *goal, struct space **out);

/* proof_case.c */
typedef bool (*case_test)(const struct model *model, const struct rule_input *input, const void *data);
/* A real input inside the space for which `test` is true, made as small as possible; NULL if none exists
 * there. */
struct rule_input *case_find(
        const struct model *model, const struct space *space, case_test test, const void *data);
/* "channel email, received 2023-05-12, umzug (sgb3), payment_method pzzv" */
char *case_print(const struct rules *rules, const struct rule_input *input);

/* What a space still allows, where that is not everything: "automatic list|auto-generated, resolved true". */
char *space_print(const struct model *model, const struct space *space);

#endif
