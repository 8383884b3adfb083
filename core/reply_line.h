/* reply_line.h - what one line of a mail's text is: the vocabulary that reply_spans works with.
 *
 * Languages: German and English thoroughly, the others as far as their mail clients' fixed phrases go. All
 * functions look at a bounded stretch of text and are linear in it.
 */
#ifndef CORE_REPLY_LINE_H
#define CORE_REPLY_LINE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply_line {
	uint32_t offset, length; /* with the line end */
	uint16_t depth;          /* of ">" marks */
	bool blank;              /* nothing but white space behind the marks */
};

#define FOLD_MAX 400 /* bytes of a line that are looked at, folded (core/fold.h) */

/* Header words at the start of a folded line ("von: …"), in the languages of mail clients. */
enum header_word {
	HEADER_NONE = 0,
	HEADER_FROM = 1,
	HEADER_DATE = 2,
	HEADER_TO = 4,
	HEADER_SUBJECT = 8,
	HEADER_OTHER = 16, /* Cc, Reply-To: go on with a block, but do not make one */
};
enum header_word header_word(const char *folded);

/* "-----Ursprüngliche Nachricht-----", "Anfang der weitergeleiteten Nachricht:" */
enum separator { SEPARATOR_NONE, SEPARATOR_ORIGINAL, SEPARATOR_FORWARD };
enum separator line_separator(const char *folded);

/* "Am … schrieb …:". WEAK counts only where a quote follows; STRONG has date and time or an address, and no
 * "ich" or "mir" that would make it a sentence of the writer's own. */
enum attribution { ATTRIBUTION_NONE, ATTRIBUTION_WEAK, ATTRIBUTION_STRONG };
enum attribution line_attribution(const char *folded);

/* Does the folded line look like the first one of an attribution: by its first word or date, or at least by a
 * name or address in it? */
enum opener { OPENER_NONE, OPENER_NAME, OPENER_WORD };
enum opener line_opener(const char *folded);

bool has_address(const char *folded); /* local@domain in it */
bool has_time(const char *folded);    /* 12:34 or 12.34 Uhr */
bool has_year(const char *folded);    /* 20xx or a dated dd.mm.yy */

/* "Von meinem iPhone gesendet", "Gesendet mit der GMX Mail App", "Get Outlook for iOS" */
bool line_is_mobile_signature(const char *folded);

/* The first line of a legal notice, a virus checker's advertisement or the like. */
bool line_is_disclaimer(const char *folded);

/* How many of the particulars that a company's letters must name (section 35a GmbHG) are in the line. */
unsigned line_company_words(const char *folded);

/* What a mail gateway writes above a mail from outside: its first line, and a further one. */
bool line_is_gateway_warning(const char *folded);
bool line_goes_on_warning(const char *folded);

/* "Originalnachricht", alone in its line: a separator if header lines follow. */
bool line_is_bare_separator(const char *folded);

/* ">>> "Service" <s@example.org> 02.05.2023 10:12 >>>" (GroupWise); what follows has no quote marks. */
bool line_is_groupwise(const char *folded);

#endif
