/* switches.h - dated switches: points that the Weisungen leave open, or that came after them, each with the
 * value this installation takes, its source and how sure that source is.
 *
 * switches.yaml. A switch has a closed list of words; between `from` and `until` (half-open, local days of
 * receipt) it has its `value`, outside of them the word of `otherwise`. Rules read it as `switch.NAME`.
 */
#ifndef CONFIG_SWITCHES_H
#define CONFIG_SWITCHES_H

#include "config/bundle.h"
#include "core/auto.h"
#include "core/diag.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct dated_switch {
	char *name, *title, *source;
	char *certainty;     /* "certain", "secondary" (press, commentary) or "assumed" */
	GPtrArray *words;    /* of char *: the allowed values */
	int value;           /* index into words */
	int otherwise;       /* outside of the dates */
	int32_t from, until; /* DAY_NONE = open */
};

struct closed_mailbox {
	char *mailbox; /* "*" is every mailbox without an entry of its own */
	int32_t from;  /* first day on which its e-mail channel is closed */
};

struct switches {
	GPtrArray *all;    /* of struct dated_switch, in file order */
	GPtrArray *closed; /* of struct closed_mailbox */
	int absence_limit; /* days up to which an absence does not touch payment */
};

/* Switches that the program itself reads must be there; what is wrong goes to `diag`. Never NULL. */
struct switches *switches_load(const struct bundle *bundle, struct diag *diag);
void switches_free(struct switches *switches);
AUTO_FREE(switches);

/* Index into `all`, or -1. */
int switches_find(const struct switches *switches, const char *name);
const struct dated_switch *switches_get(const struct switches *switches, int index);
/* Index of the word in force on that day. */
int switch_on(const struct dated_switch *dated, int32_t day);
/* The word in force on that day, "" for a switch that does not exist. */
const char *switches_word(const struct switches *switches, const char *name, int32_t day);
/* Is the e-mail channel of that mailbox closed on that day? */
bool switches_channel_closed(const struct switches *switches, const char *mailbox, int32_t day);

#endif
