/* log_verify.h - is the log whole, and does the journal agree with it?
 *
 * Reads one moment of the journal and changes nothing. Each finding names its place; an empty list means:
 * every record is where it was sealed, every checkpoint fits and is signed, what an auditor kept is still
 * part of the log, the witness knows nothing more, and every item, decision, delivery and task has its
 * records and the other way round.
 */
#ifndef JOURNAL_LOG_VERIFY_H
#define JOURNAL_LOG_VERIFY_H

#include "journal/journal.h"
#include "journal/log_note.h"
#include "journal/log_witness.h"

/* Closed list of words in `kind`. */
#define FINDING_LEAF_GAP    "leaf_gap"    /* a leaf number is missing */
#define FINDING_RECORD_GONE "record_gone" /* a sealed record is not there */
#define FINDING_RECORD_BENT "record_bent" /* its bytes are not those that were sealed */
#define FINDING_COLUMN      "column"      /* a column beside the bytes does not agree with them */
#define FINDING_ROOT        "root"        /* a checkpoint does not fit the leaves */
#define FINDING_SIGNATURE   "signature"   /* a checkpoint is not signed by a known key */
#define FINDING_CHECKPOINT  "checkpoint"  /* a checkpoint cannot be read, or the sequence of them is broken */
#define FINDING_KEPT        "kept"        /* a checkpoint that was kept elsewhere is not part of this log */
#define FINDING_TAIL        "tail"        /* the witness or an auditor knows a longer log */
#define FINDING_NO_RECORD   "no_record"   /* a row of the journal without its record */
#define FINDING_NO_ROW      "no_row"      /* a record without its row */
#define FINDING_SKIPPED     "skipped"     /* the sequencer has passed a record by */
#define FINDING_EARLY       "early"       /* evidence was deleted before its term was over */
#define FINDING_DISAGREES   "disagrees"   /* row and record say different things */

struct verify_finding {
	const char *kind;
	char *place, *text;
};

struct verify_options {
	struct log_verifier *const *verifiers; /* keys an auditor trusts */
	unsigned n_verifiers;                  /* 0: signatures are not checked (said in the report) */
	const GPtrArray *kept;                 /* notes (char *) from elsewhere, or NULL */
	struct witness *witness;               /* or NULL */
	bool log_only;                         /* leave the journal's rows alone */
	bool bundles;                          /* check the bytes of every stored bundle, too */
	bool contents;                         /* read every original, too, and hash it */
	int64_t evidence_term;                 /* seconds evidence must be kept; 0: not checked */
	unsigned max_findings;                 /* 0 = 1000 */
	void (*progress)(uint64_t done, uint64_t of, void *data); /* or NULL */
	void *data;
};

struct verify_report {
	GPtrArray *findings; /* of struct verify_finding */
	bool more_findings;  /* the list was cut at max_findings */
	uint64_t leaves, checkpoints, unsealed, items;
	struct log_hash root;
	char *newest; /* newest checkpoint's note, or NULL */
};
struct verify_report *verify_report_new(void);
void verify_report_free(struct verify_report *report);
AUTO_FREE(verify_report);

/* NULL only if the journal cannot be read. */
struct verify_report *journal_verify(
        struct journal *journal, const struct verify_options *options, GError **error);

/* For the files of the verifier. */
void verify_add(struct verify_report *report, const struct verify_options *options, const char *kind,
        char *place, char *text);

#endif
