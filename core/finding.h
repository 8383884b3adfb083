/* finding.h - what classification found in one message: concerns with score and evidence, and marks.
 *
 * Scores are integers 0…1000000; no floating-point number takes part in a decision.
 */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include "core/auto.h"
#include "core/item.h"

#define SCORE_MAX 1000000

enum rechtskreis { RECHTSKREIS_SGB3, RECHTSKREIS_SGB2, RECHTSKREIS_FAMILIENKASSE };
const char *rechtskreis_name(enum rechtskreis rechtskreis); /* "sgb3", "sgb2", "familienkasse" */
bool rechtskreis_parse(const char *name, enum rechtskreis *out);

/* Does it touch payment? Ordered: the greatest over its concerns is an item's. */
enum relevance { RELEVANCE_NO, RELEVANCE_UNKNOWN, RELEVANCE_YES };
const char *relevance_name(enum relevance relevance); /* "no", "unknown", "yes" */
bool relevance_parse(const char *name, enum relevance *out);

struct evidence {
	char *field;     /* "subject", "body", "html", "form.text", "form.kind", "form.type" */
	uint32_t offset; /* bytes in the field's UTF-8 */
	uint32_t length;
	char *by; /* name of the term, cue or model feature: "term:umzug.neue-adresse", "cue:iban", "model:…"
	           */
};

struct finding {
	char *concern; /* id from the catalogue */
	int score;     /* 0…SCORE_MAX */
	enum rechtskreis rechtskreis;
	GPtrArray *evidence; /* of struct evidence, by offset */
};

struct findings {
	GPtrArray *concerns; /* of struct finding, best first; in doubt: the candidates above the lower
	                        threshold */
	bool doubt;
	char *doubt_reason; /* short fixed word: "undecodable", "below_threshold", "unknown_form_kind",
	                       "dates", … */
	bool third_party, resolved, authority_stated, numbers_conflict, unsuitable_document,
	        received_in_future;
	enum automatic automatic;
	int absence_days;         /* days away; -1 = unknown */
	GPtrArray *kundennummern; /* of char *, normalised "123A456789", distinct; for look-ups only, never
	                             logged */
};

struct findings *findings_new(void);
void findings_free(struct findings *findings);
AUTO_FREE(findings);
/* Adds a concern (copied name) and returns it, or the one that is there already. */
struct finding *findings_add(struct findings *findings, const char *concern, int score);
const struct finding *findings_find(const struct findings *findings, const char *concern);
void finding_add_evidence(
        struct finding *finding, const char *field, uint32_t offset, uint32_t length, const char *by);

#endif
