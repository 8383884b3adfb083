/* date.h - instants, civil days and Europe/Berlin.
 *
 * An instant is int64 microseconds UTC since 1970. A day is int32 days since 1970-01-01 (proleptic
 * Gregorian). Berlin's offset is computed from the rule of Directive 2000/84/EC (last Sunday of March and
 * October, 01:00 UTC), which holds since 1996: a decision must not depend on the tzdata of the machine it is
 * made on.
 */
#ifndef CORE_DATE_H
#define CORE_DATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define INSTANT_SECOND INT64_C(1000000)
#define INSTANT_DAY    (86400 * INSTANT_SECOND)
#define DAY_NONE       INT32_MIN /* no day given */

int64_t instant_now(void); /* the wall clock */

int32_t day_from_civil(int year, int month, int day);
void day_to_civil(int32_t day, int *year, int *month, int *mday);
int day_of_week(int32_t day); /* 0 = Monday … 6 = Sunday */

/* Strict YYYY-MM-DD, nothing else; false for 2023-02-29 and the like. */
bool day_parse(const char *text, int32_t *out);
char *day_format(int32_t day); /* "2024-04-08"; free with g_free */

/* Seconds east of UTC in Berlin at that instant: 3600 or 7200. */
int berlin_offset(int64_t instant);
int32_t berlin_day(int64_t instant);
/* hour:00 local time of that day; neither 00:00 nor 12:00 is ever skipped or doubled. */
int64_t berlin_instant(int32_t day, int hour);

/* RFC 3339 with offset, or a date (12:00 Europe/Berlin). Leap seconds (:60) count as :59.999999. */
bool instant_parse(const char *text, int64_t *out);
char *instant_format_utc(int64_t instant);    /* 2024-04-07T22:00:00Z (fraction only if not 0) */
char *instant_format_berlin(int64_t instant); /* 2024-04-08T00:00:00+02:00 */

#endif
