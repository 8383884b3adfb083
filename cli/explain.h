/* explain.h - one decision, told. Private to `explain`. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "classifiers/pipeline.h"

/* What is told. All borrowed. */
struct explanation {
	const char *name;              /* item or file */
	const json_t *decision;        /* as `classify` prints it */
	const json_t *why;             /* rules_why(): what fired, what did not and why; or NULL */
	const json_t *facts;           /* frozen; or NULL */
	const struct message *message; /* to quote from; NULL: offsets only */
	int64_t received;
	const char *note;    /* a line that must be read first, or NULL */
	int32_t as_of;       /* DAY_NONE: not asked for */
	const json_t *other; /* the decision under the instruction of that day */
};

/* For people. */
void explain_text(const struct explanation *explanation, FILE *out);
/* The same as one object. New reference. */
json_t *explain_json(const struct explanation *explanation);

#endif
