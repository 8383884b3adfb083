/* option.h - options of the deployment file as tables: name, type, range, default and help stand in one
 * place.
 *
 * A family member (connector, sink, provider …) declares `const struct option x_options[]` next to its code,
 * ended by OPTION_END, with a field of its own struct for each row. options_read() fills the struct from a
 * YAML map and reports every mistake with its place; `check`, the sample and the manual are compared against
 * the same tables.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "config/yaml.h"

#include <stddef.h>

enum option_type {
	OPTION_STRING,   /* char * */
	OPTION_BOOL,     /* bool: true | false */
	OPTION_INT,      /* int64_t within min…max */
	OPTION_DURATION, /* int64_t seconds: 90, 90s, 5m, 2h, 7d */
	OPTION_SIZE,     /* int64_t bytes: 4096, 64KiB, 25MiB, 2GiB */
	OPTION_ENUM,     /* int: index into words */
	OPTION_LIST,     /* GPtrArray * of char *; one value or a list */
	OPTION_PATH,     /* char *, relative to the folder of the file it stands in */
	OPTION_URL,      /* char *: https://…, or http:// on a loopback address */
	OPTION_POINTER,  /* char *: a JSON Pointer (RFC 6901) */
	OPTION_DATE,     /* int32_t day (core/date.h), DAY_NONE if absent */
	OPTION_SECRET,   /* char *: written as NAME_file: PATH or NAME_env: VARIABLE, never in the file itself
	                  */
	OPTION_GROUP,    /* a map with a table of its own (`group`), same struct */
};

enum option_flag {
	OPTION_REQUIRED = 1 << 0,
	OPTION_RELOAD = 1 << 1, /* takes effect on SIGHUP */
};

struct option {
	const char *name;
	enum option_type type;
	const char *fallback;     /* as it would be written in the file; NULL: none */
	int64_t min, max;         /* OPTION_INT, DURATION, SIZE; both 0: any value ≥ 0 */
	const char *const *words; /* OPTION_ENUM, NULL-terminated */
	const struct option *group;
	size_t offset; /* of the field in the struct that options_read() fills */
	unsigned flags;
	const char *help; /* one or two English sentences, as the manual prints them */
};

#define OPTION_END                                                                                           \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

/* Fills the fields of `into` (zeroed by the caller) from `map`, which may be NULL (all defaults). Unknown
 * keys, wrong values and missing required ones go to diag. Secrets are read here. Strings are copies. `also`
 * (may be NULL) lists further keys the caller reads itself. */
void options_read(const struct yaml_node *map, const struct option *table, const char *const *also,
        void *into, struct diag *diag);
/* Frees strings and lists of `into` (secrets are wiped) and zeroes the fields. */
void options_clear(const struct option *table, void *into);

/* "whole number, 1 to 200, default 50": the type column of the manual. Free with g_free. */
char *option_describe(const struct option *option);

/* Parses "90s" or "25MiB" alike; false if not of that form. */
bool duration_parse(const char *text, int64_t *seconds);
bool size_parse(const char *text, int64_t *bytes);

#endif
