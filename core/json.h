/* json.h - strict JSON in, canonical JSON out, JSON Pointer between (over jansson).
 *
 * Values are jansson's json_t with its own reference counts: JSON_AUTO(x) drops one at the end of the scope.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline void json_auto_decref(json_t **value)
{
	json_decref(*value);
}
#define JSON_AUTO __attribute__((cleanup(json_auto_decref))) json_t *

/* Strict: no duplicate keys, nothing behind the value, NUL allowed only as \u0000 inside strings, depth ≤
 * 512. The error (ERROR_INPUT) names line and column. New reference. */
json_t *json_read(const char *text, size_t size, GError **error);

/* RFC 8785 for the values we use: objects, arrays, strings, integers within ±2^53, true, false, null. A real
 * number is a programming error (no floating point in decisions or records). Free with g_free. */
char *json_canonical(const json_t *value);
GBytes *json_canonical_bytes(const json_t *value);

/* RFC 6901; NULL where nothing stands there. Borrowed reference. "" is the whole value. */
json_t *json_pointer(const json_t *root, const char *pointer);
bool json_pointer_is_valid(const char *pointer);

/* The string at `key`, or NULL if absent, null or not a string. Borrowed. */
const char *json_get_string(const json_t *object, const char *key);
/* The integer at `key`, or `fallback`. */
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

/* Sets `key` to a string; bytes that are not UTF-8 become U+FFFD; NULL sets null. */
void json_set_string(json_t *object, const char *key, const char *value);
void json_set_int(json_t *object, const char *key, int64_t value);
void json_set_bool(json_t *object, const char *key, bool value);
void json_add_string(json_t *array, const char *value);

#endif
