/* yaml.h - YAML with the place of every value, so that an error can say file:line:column.
 *
 * A document is a tree of nodes; nothing is typed until somebody asks (YAML 1.1's "no" stays a string). The
 * getters report what is wrong to the `struct diag` they are given and go on, so that one run shows all
 * errors. Repeated keys, tabs and syntax errors are reported by yaml_load itself. Anchors and aliases are
 * refused: a configuration that decides must read the same everywhere.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "core/auto.h"
#include "core/diag.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	const char *file;    /* borrowed from the document */
	int line, column;    /* 1-based */
	char *text;          /* scalar: its value */
	bool quoted;         /* scalar: written in quotes or as a block */
	GPtrArray *keys;     /* map: scalar nodes, in file order */
	GPtrArray *children; /* map: values beside keys; list: entries */
};

struct yaml_file; /* a loaded document */

/* `file` is the name for messages. NULL only if there is no tree at all; errors are in `diag` either way.
 * An empty document is a map without keys. */
struct yaml_file *yaml_load(const char *file, GBytes *text, struct diag *diag);
void yaml_file_free(struct yaml_file *yaml);
AUTO_FREE(yaml_file);
const struct yaml_node *yaml_root(const struct yaml_file *yaml);

void yaml_error(struct diag *diag, const struct yaml_node *node, const char *format, ...) G_GNUC_PRINTF(3, 4);
void yaml_warning(struct diag *diag, const struct yaml_node *node, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

/* The value at `key` in a map, or NULL (also when `map` is no map). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* True if node is of that kind; else reports "expected a list, found a map". */
bool yaml_expect(const struct yaml_node *node, enum yaml_kind kind, struct diag *diag);

/* Reports every key of `map` that is not in `known` (NULL-terminated), with "did you mean". */
void yaml_check_keys(const struct yaml_node *map, const char *const *known, struct diag *diag);

/* Typed getters: the value at `key`, or `fallback` when the key is absent; a wrong value is reported and
 * gives `fallback`. With `required`, absence is reported at the map's place. Strings are borrowed from the
 * tree. */
const char *yaml_string(
        const struct yaml_node *map, const char *key, const char *fallback, struct diag *diag);
const char *yaml_required(const struct yaml_node *map, const char *key, struct diag *diag);
bool yaml_bool(
        const struct yaml_node *map, const char *key, bool fallback, struct diag *diag); /* true | false */
int64_t yaml_int(const struct yaml_node *map, const char *key, int64_t fallback, int64_t min, int64_t max,
        struct diag *diag);
/* Index of the value in `words` (NULL-terminated), or `fallback`. Reports allowed values and "did you mean".
 */
int yaml_enum(const struct yaml_node *map, const char *key, const char *const *words, int fallback,
        struct diag *diag);
/* core/date.h day, or DAY_NONE. */
int32_t yaml_day(const struct yaml_node *map, const char *key, struct diag *diag);

/* A scalar or a list of scalars as a GPtrArray of borrowed strings (never NULL). */
GPtrArray *yaml_strings(const struct yaml_node *map, const char *key, struct diag *diag);

#endif
