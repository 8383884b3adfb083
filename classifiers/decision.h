/* decision.h - what must happen with one item, and under which rule and citation.
 *
 * A decision comes from rules_decide(). Its strings are borrowed from the rules, which must outlive it,
 * except those marked "own". Order of actions: Rechtskreis (sgb3, sgb2, familienkasse), then handler in the
 * order of the enum, then parameters; the same input always gives the same bytes, whatever the order of rules
 * in their files.
 */
#ifndef CLASSIFIERS_DECISION_H
#define CLASSIFIERS_DECISION_H

#include "core/auto.h"
#include "core/finding.h"
#include "core/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum handler {
	HANDLER_EAKTE,
	HANDLER_REPLY,
	HANDLER_CALL,
	HANDLER_TICKET,
	HANDLER_TASK,
	HANDLER_KLAERUNG,
	HANDLER_FORWARD,
	HANDLER_ARCHIVE,
	HANDLER_NONE,
	HANDLER_COUNT,
};
const char *handler_name(enum handler handler); /* "eakte", "reply", … */
bool handler_parse(const char *name, enum handler *out);

enum basis { BASIS_IN_FORCE, BASIS_EXPIRED, BASIS_CONTINUED, BASIS_STATUTE, BASIS_PRACTICE };
const char *basis_name(enum basis basis); /* "in_force", … */
bool basis_parse(const char *name, enum basis *out);

struct cite {
	char *source, *section; /* "202001001", "2.4 a)5" */
	enum basis basis;
};

/* NULL or DAY_NONE where the handler has no such parameter. */
struct action {
	enum handler handler;
	const char *rule; /* id in the rule set: "5", "A" */
	const char *row;  /* row of that rule, "" if it has only one */
	GPtrArray *cites; /* own array of const struct cite, sorted, at least one */
	enum rechtskreis rechtskreis;
	GPtrArray *concerns;   /* own array of const char *: whose concern it serves; empty = the item's */
	const char *kind;      /* task */
	const char *text;      /* task: what the clerk reads (German) */
	const char *channel;   /* reply: "email" or "postbox" */
	const char *template;  /* reply: templates/NAME */
	const char *concern;   /* reply */
	const char *block;     /* reply, call, task: text block to add ("vorteil"), or NULL */
	const char *queue;     /* ticket */
	const char *to;        /* forward */
	const char *mode;      /* archive: "assert" or "write" */
	const char *reason;    /* eakte, call, klaerung, none */
	GPtrArray *candidates; /* klaerung: const char *, best first; else NULL */
	int32_t dated;         /* ticket: the day it is set to */
	int64_t not_before;    /* ticket: earliest instant */
	int64_t received;      /* forward: first time of receipt (§16 SGB I) */
};

/* What a rule would have done and another bars. */
struct suppressed {
	struct action *action; /* own: what would have happened */
	const char *rule;      /* the rule that bars */
	const char *row;
	const char *reason;
	struct cite *const *cites; /* of the barring rule */
	unsigned cite_count;
};

struct decision {
	const char *ruleset; /* id */
	enum basis basis;
	enum rechtskreis rechtskreis;
	enum relevance payment_relevant;
	bool doubt;
	char *doubt_reason;       /* own; NULL without doubt */
	const char *contact_code; /* NULL only if the table has errors */
	GPtrArray *actions;       /* of struct action */
	GPtrArray *suppressed;    /* of struct suppressed */
	GPtrArray *strings;       /* own: copies that parameters point to */
};

void decision_free(struct decision *decision);
AUTO_FREE(decision);

/* The keys ruleset … suppressed of a `classify` line (DESIGN.md section 5). New reference. A suppressed entry
 * also has the parameters of the action and, as `of`, the rule that would have acted. */
json_t *decision_to_json(const struct decision *decision);
/* One action as it stands in `actions`. New reference. */
json_t *action_to_json(const struct action *action);

/* First action of that handler (and kind, if not NULL), or NULL. */
const struct action *decision_find(const struct decision *decision, enum handler handler, const char *kind);

/* For rules_decide: building. */
struct action *action_new(void);
void action_free(struct action *action);
struct suppressed *suppressed_new(void);
void suppressed_free(struct suppressed *suppressed);

#endif
