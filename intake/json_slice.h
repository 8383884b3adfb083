/* json_slice.h - where a value stands in JSON text, without parsing the whole of it.
 *
 * A page of a service holds many items: each is kept with the service's own bytes, and one that is broken
 * (bad UTF-8, a repeated key, a number out of range) must not take its neighbours with it. Brackets and
 * strings are enough to find the borders (RFC 8259).
 */
#ifndef INTAKE_JSON_SLICE_H
#define INTAKE_JSON_SLICE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct json_slice {
	const char *text; /* borrowed */
	size_t size;
};

/* The value at a JSON Pointer; false if there is none or the text is cut off. "" is the whole. Where a key is
 * repeated the first one counts. */
bool json_slice_find(struct json_slice whole, const char *pointer, struct json_slice *out);

/* The elements of an array: GArray of struct json_slice, or NULL if it is no (whole) array. */
GArray *json_slice_elements(struct json_slice array);

#endif
