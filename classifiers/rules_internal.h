/* rules_internal.h - how loaded rules look inside: shared by the engine, the proof and the renderings.
 *
 * Conditions are trees of tests over variables. Every variable has a small number: a word (index into its
 * words; 0 is "unknown" where it can be unknown), a whole number or a day (RULES_UNKNOWN if unknown). Truth
 * has three values (Kleene): a test on an unknown value is unknown unless it asks for "unknown" itself.
 */
#ifndef CLASSIFIERS_RULES_INTERNAL_H
#define CLASSIFIERS_RULES_INTERNAL_H

#include "classifiers/rules.h"
#include "config/yaml.h"

#define RULES_MAX_WORDS 256
#define RULES_MAX_CONDS 4096 /* nodes in one condition */
#define RULES_MAX_DEPTH 16
#define RULES_UNKNOWN   INT32_MIN

/* The variables that always exist; switches and CV entries follow them. */
enum var {
	VAR_CHANNEL,
	VAR_MAILBOX,
	VAR_RECEIVED,
	VAR_FORM_TYPE,
	VAR_FORM_KIND,
	VAR_FORM_FROM,
	VAR_FORM_TO,
	VAR_CV_ONLY_UNUSED,
	VAR_HAS_SENDER,
	VAR_OWN_BOUNCE,
	VAR_AUTOMATIC,
	VAR_THIRD_PARTY,
	VAR_RESOLVED,
	VAR_AUTHORITY_STATED,
	VAR_NUMBERS_CONFLICT,
	VAR_UNSUITABLE_DOCUMENT,
	VAR_RECEIVED_IN_FUTURE,
	VAR_ABSENCE_DAYS,
	VAR_DOUBT,
	VAR_PAYMENT,
	VAR_ONLY_SONSTIGES,
	VAR_FOREIGN_ONLY,
	VAR_CHANNEL_CLOSED,
	VAR_ADDRESS_MATCH,
	VAR_BENEFIT_RECIPIENT,
	VAR_DOCUMENTS_COMPLETE,
	VAR_APPLICATION_PROCESSED,
	VAR_DUTY_OF_PROOF,
	VAR_INTERNETPERSON,
	VAR_REPRESENTED,
	VAR_DECEASED,
	VAR_MINOR,
	VAR_PAYMENT_METHOD,
	VAR_PREFERRED_CHANNEL,
	VAR_EXPECTED_CLAIM_START,
	VAR_CONCERN, /* from here on: of the concern at hand */
	VAR_RECHTSKREIS,
	VAR_CONCERN_PAYMENT,
	VAR_FIXED_COUNT,
};

enum var_kind { VAR_KIND_WORD, VAR_KIND_NUMBER, VAR_KIND_DAY, VAR_KIND_MAILBOX };

struct var_info {
	const char *name, *title;
	enum var_kind kind;
	bool unknowable;  /* a fact: may be unknown */
	bool per_concern; /* has a value only where a rule looks at one concern */
	GPtrArray *words; /* of char *, NULL-terminated beyond len; kinds WORD and MAILBOX */
};

/* Values of the words of two variables that grow with the catalogue. */
enum { FORM_KIND_NONE, FORM_KIND_UNKNOWN, FORM_KIND_FIRST };
enum { CV_UNUSED_NONE, CV_UNUSED_SEVERAL, CV_UNUSED_FIRST };
enum { CONCERN_NONE, CONCERN_FIRST };
enum { FORM_TYPE_NONE, FORM_TYPE_FIRST };

struct rules_vars {
	GPtrArray *all;      /* of struct var_info */
	GHashTable *by_name; /* name → index + 1 */
	int first_switch, first_cv;
	GHashTable *by_mailbox; /* mailbox → word index */
};

struct rules_vars *rules_vars_new(const struct catalogue *catalogue, const struct switches *switches);
void rules_vars_free(struct rules_vars *vars);
int rules_vars_find(const struct rules_vars *vars, const char *name); /* or -1 */
const struct var_info *rules_vars_get(const struct rules_vars *vars, int var);
/* The word index of a mailbox, added if it is new; -1 if there are too many. */
int rules_vars_mailbox(struct rules_vars *vars, const char *mailbox);
/* "yes", "2024-02-29", "22", "unknown": for cases and tables. Free with g_free. */
char *rules_vars_word(const struct rules_vars *vars, int var, int32_t value);

/* ---- memory: everything a rule set owns lives and dies with the rules ---- */

struct rules_arena;
struct rules_arena *rules_arena_new(void);
void rules_arena_free(struct rules_arena *arena);
void *rules_arena_alloc(struct rules_arena *arena, size_t size);             /* zeroed */
const char *rules_arena_string(struct rules_arena *arena, const char *text); /* each text once; NULL → NULL */

/* ---- conditions ---- */

enum truth { TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_TRUE }; /* AND is MIN, OR is MAX, NOT is 2 - x */

enum cond_op { COND_TEST, COND_ALL, COND_ANY, COND_NOT };

struct word_set {
	uint64_t bits[RULES_MAX_WORDS / 64];
};

struct cond {
	enum cond_op op;
	int var;              /* TEST */
	bool asks_unknown;    /* TEST: unknown is one of the values asked for */
	bool definite;        /* TEST on number or day: "known": unknown is false, not unknown */
	int32_t low, high;    /* TEST on number or day: low ≤ value < high */
	struct word_set *set; /* TEST on words */
	struct cond **parts;  /* ALL, ANY, NOT */
	unsigned count;
	int line, column;
};

static inline bool word_set_has(const struct word_set *set, int32_t word)
{
	return set->bits[word >> 6] >> (word & 63) & 1;
}

static inline void word_set_add(struct word_set *set, int32_t word)
{
	set->bits[word >> 6] |= UINT64_C(1) << (word & 63);
}

struct cond_parser {
	struct rules_arena *arena;
	struct rules_vars *vars;
	struct diag *diag;
	bool per_item; /* variables of the concern may not be read */
	unsigned nodes;
};

/* The condition of a `when` map; NULL node = always (an ALL without parts). Never NULL. */
struct cond *cond_parse(struct cond_parser *parser, const struct yaml_node *node);
/* `env` holds one value per variable. */
enum truth cond_eval(const struct cond *cond, const int32_t *env);
enum truth cond_test(const struct cond *test, int32_t value);
/* Can it be unknown at all? */
bool cond_can_be_unknown(const struct cond *cond, const struct rules_vars *vars);
/* "channel is email and (a or b)": for tables and explanations. */
void cond_print(const struct cond *cond, const struct rules_vars *vars, GString *out);
/* The same for one test, with what it found: "third_party is true (it is false)". */
void cond_print_failed(
        const struct cond *test, const struct rules_vars *vars, const int32_t *env, GString *out);

/* ---- rules ---- */

enum ticket_date { TICKET_DATE_RECEIVED, TICKET_DATE_CLAIM_START };

/* An action a row causes. */
struct then {
	enum handler handler;
	const char *kind, *text, *channel, *template, *queue, *to, *mode, *reason;
	enum ticket_date dated;
	int after_days;
	unsigned index; /* among all actions of the rule set */
};

/* Actions that a row bars or adds something to, as written and as found in this set. */
struct target_list {
	bool all_but;
	const char **names; /* "reply", "task.fraud_check", "ticket.os_alg_plus" */
	unsigned count;
	uint64_t *hits; /* bit per action of the set */
};

enum on_unknown { ON_UNKNOWN_SKIPS, ON_UNKNOWN_APPLIES };

struct row {
	const char *id, *name, *title;
	bool per_item;
	struct cond *when;
	enum on_unknown on_unknown;
	bool unknown_stated;
	struct then **then;
	unsigned then_count;
	struct target_list *bars, *adds; /* NULL = none */
	const char *reason;              /* of the bar */
	const char *block;               /* what `adds` adds */
	struct cite **cites;
	unsigned cite_count;
	const char *origin; /* id of the rule set that wrote it */
	const char *file;
	int line, column;
};

enum invariant_kind {
	INVARIANT_REQUIRES,   /* when → one of `handlers` */
	INVARIANT_ONLY_WHEN,  /* each action of `handlers` → condition of its concern */
	INVARIANT_AT_MOST,    /* no more than `limit` of `handlers` */
	INVARIANT_ONLY_RULES, /* each action of `handlers` comes from one of `rules` */
};

struct invariant {
	const char *id, *title;
	enum invariant_kind kind;
	struct cond *when;
	unsigned handlers; /* bit mask */
	int limit;
	const char **rules; /* NULL-terminated */
	const char *file;
	int line, column;
};

struct source {
	const char *id, *title;
};

struct ruleset {
	const char *id, *title, *note;
	enum basis basis;
	int32_t from, until; /* half-open; DAY_NONE = open. Both open and `outside`: for what none covers */
	bool outside;
	const char *extends;
	enum basis inherited_basis;
	GPtrArray *drops;      /* of const char * */
	GPtrArray *supersedes; /* of const char * */
	GPtrArray *sources;    /* of struct source */
	GPtrArray *rows;       /* of struct row, inherited ones included, by (id, name) */
	GPtrArray *item_rows, *concern_rows;
	GPtrArray *invariants; /* of struct invariant */
	unsigned then_count;
	const char *file;
	int line, column;
	const struct yaml_node *tree; /* while loading */
	int resolved;                 /* while loading: 0 not yet, 1 busy, 2 done */
};

struct hole {
	int32_t from, until;
	const char *reason;
};

struct period {
	int32_t from, until; /* half-open; from may be DAY_NONE, until INT32_MAX */
	const struct ruleset *set;
};

struct rules {
	struct catalogue *catalogue;
	struct switches *switches;
	struct contact_codes *codes;
	struct rules_vars *vars;
	struct rules_arena *arena;
	GPtrArray *sets; /* of struct ruleset, by first day, `outside` last */
	GArray *holes;   /* of struct hole: declared */
	GArray *periods; /* of struct period, in order: which set decides */
	const struct ruleset *outside;
	/* read by rules_input.c on every decision */
	int name_change_iban, absence_unknown, pzzv_after_end, pzzv; /* indexes of switches */
	int sonstiges;                                               /* concern, or -1 */
};

/* rules_load.c and its parts */
struct ruleset *ruleset_find(const struct rules *rules, const char *id);
void ruleset_parse_rows(struct rules *rules, struct ruleset *set, struct diag *diag);
void ruleset_parse_invariants(struct rules *rules, struct ruleset *set, struct diag *diag);
void ruleset_finish(struct rules *rules, struct ruleset *set, struct diag *diag);
void calendar_build(struct rules *rules, struct diag *diag);
/* The set that decides an item received on that day; `outside` if none (or in the future). */
const struct ruleset *calendar_find(const struct rules *rules, int32_t day, bool in_future);
int row_compare(const void *a, const void *b); /* for GPtrArray sort: by (id, name) */

/* ---- deciding ---- */

/* Payment relevance of a concern, given that nothing more general decides (doubt, automatic, Rechtskreis). */
enum relevance payment_of_kind(const struct rules *rules, enum payment_kind kind, enum payment_method method,
        int32_t absence_days, int32_t day);

/* One row found true for one concern (-1: for the item). */
struct match {
	const struct row *row;
	int concern;
};

/* The state of one evaluation. */
struct evaluation {
	const struct rules *rules;
	const struct ruleset *set;
	const struct rule_input *input;
	int32_t day;
	int32_t *env;  /* one value per variable */
	int *concerns; /* catalogue index of each concern of the input, -1 unknown */
	enum rechtskreis *rechtskreis;
	enum relevance *payment;
	unsigned concern_count;
	enum rechtskreis item_rechtskreis;
	bool doubt;
	const char *doubt_reason;
};

/* Fills everything for `set`; free with evaluation_clear. */
void evaluation_init(struct evaluation *e, const struct rules *rules, const struct ruleset *set,
        const struct rule_input *input);
void evaluation_clear(struct evaluation *e);
/* Sets the variables of one concern in env. */
void evaluation_enter(struct evaluation *e, unsigned concern);
/* Is the row to be applied? Unknown counts as the row says. */
static inline bool row_applies(const struct row *row, enum truth truth)
{
	return truth == TRUTH_TRUE || (truth == TRUTH_UNKNOWN && row->on_unknown == ON_UNKNOWN_APPLIES);
}

/* Decision under one given set, whatever the calendar says. */
struct decision *rules_decide_under(
        const struct rules *rules, const struct ruleset *set, const struct rule_input *input);

/* Bit `index` of a target list. */
static inline bool target_hits(const struct target_list *list, unsigned index)
{
	return list->hits[index >> 6] >> (index & 63) & 1;
}

#endif
