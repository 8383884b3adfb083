/* record_scan.h - what stands at the top of a record's bytes, without building a tree of them.
 *
 * Only the canonical form is understood, which is all that record_bytes() and audit_read() write.
 */
#ifndef JOURNAL_RECORD_SCAN_H
#define JOURNAL_RECORD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_span {
	const char *start; /* NULL: absent */
	size_t size;
};

struct record_view {
	struct text_span actor, event, item; /* between the quotes, escapes as they stand */
	struct text_span detail;             /* the object with its braces */
	int64_t time, version;
};

/* False: not of that form (keys other than these, in another order, twice, white space, …). */
bool record_scan(const char *data, size_t size, struct record_view *out);
bool text_span_equal(const struct text_span *span, const char *text); /* NULL equals absent */

#endif
