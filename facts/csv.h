/* csv.h - records of a CSV file (RFC 4180), one by one, with their line. */
#ifndef FACTS_CSV_H
#define FACTS_CSV_H

#include <glib.h>
#include <stdio.h>

#define CSV_MAX_RECORD (1024 * 1024)

enum csv_state { CSV_RECORD, CSV_BROKEN, CSV_END };

/* Zeroed but for `file`. Comma or semicolon: whichever the first record has more of. A byte order mark is
 * skipped. */
struct csv {
	FILE *file;
	int line;            /* on which the record begins */
	GPtrArray *cells;    /* of the record; of char * */
	const char *problem; /* CSV_BROKEN: short fixed words */
	/*< private >*/
	char delimiter;
	int next_line;
};

enum csv_state csv_next(struct csv *csv);
void csv_clear(struct csv *csv); /* not the file */

#endif
