/* person_number.h - a Kundennummer, read so that it need not stand in a process list. */
#ifndef CLI_PERSON_NUMBER_H
#define CLI_PERSON_NUMBER_H

#include "cli/command.h"
#include "core/hash.h"
#include "journal/journal.h"

/* The option that commands about persons share. */
#define PERSON_FROM_OPTION                                                                                   \
	{                                                                                                    \
		"from", "FILE",                                                                              \
		        "Read the Kundennummer from FILE (- for standard input): it then stands in no "      \
		        "process list and no shell history."                                                 \
	}

/* Exactly one of `given` (an argument, or NULL) and --from; the keyed hash goes to `out`. ERROR_USAGE,
 * ERROR_INPUT; messages never hold the number. */
bool person_number_hash(const struct invocation *invocation, const struct journal *journal, const char *given,
        char out[HASH_HEX_SIZE], GError **error);
/* The number itself, normalised; wiped and freed by the caller. */
char *person_number_read(const struct invocation *invocation, const char *given, GError **error);

#endif
