/* imap_stream.h - what libetpan reads and writes through: our TLS, an absolute deadline and a byte quota for
 * each command, and a filter before its parser.
 *
 * libetpan 1.9.4 overflows its stack on nested parentheses, wraps literals at 2^32 and reads lines without
 * end (facts.md part A 2.4); none of that reaches it from here. A refused byte ends the connection.
 */
#ifndef INTAKE_IMAP_STREAM_H
#define INTAKE_IMAP_STREAM_H

#include "core/tls.h"

#include <libetpan/libetpan.h>

#define IMAP_LINE_MAX    (8 << 20) /* bytes of one response without its literals: a long SEARCH answer */
#define IMAP_PARENS_MAX  100       /* "(" in one response without its literals */
#define IMAP_LITERAL_MAX INT64_C(0x7fffffff)

/* Takes the channel over. */
mailstream_low *imap_stream_new(struct tls_channel *channel);
struct tls_channel *imap_stream_channel(mailstream_low *low);

/* A new command: it must be answered within `seconds` and `quota` bytes. */
void imap_stream_begin(mailstream_low *low, int64_t seconds, int64_t quota);
/* Why the stream broke: a short English phrase, or NULL if it did not. */
const char *imap_stream_failure(mailstream_low *low);

/* The filter alone, for tests and fuzzing. */
struct imap_filter {
	int64_t literal; /* bytes of it still to come */
	int64_t line;    /* bytes of this response so far */
	unsigned parens;
	char head[24]; /* first bytes of the response */
	unsigned head_size;
	char tail[24]; /* last bytes before the line feed, as a ring */
	unsigned tail_size;
};
/* NULL: pass on; else what is wrong with these bytes. */
const char *imap_filter_feed(struct imap_filter *filter, const char *data, size_t size);

#endif
