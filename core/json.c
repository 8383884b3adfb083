/* json.c - the canonical writer sorts keys by UTF-16 code units as RFC 8785 section 3.2.3 says. */
#include "core/json.h"
#include "core/error.h"

#include <string.h>

json_t *json_read(const char *text, size_t size, GError **error)
{
	json_error_t why;
	json_t *value =
	        json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!value)
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "JSON %d:%d: %s", why.line, why.column,
		        why.text);
	return value;
}

static void append_string(GString *out, const char *text, size_t size)
{
	g_string_append_c(out, '"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		switch (c) {
		case '"':
			g_string_append(out, "\\\"");
			break;
		case '\\':
			g_string_append(out, "\\\\");
			break;
		case '\b':
			g_string_append(out, "\\b");
			break;
		case '\f':
			g_string_append(out, "\\f");
			break;
		case '\n':
			g_string_append(out, "\\n");
			break;
		case '\r':
			g_string_append(out, "\\r");
			break;
		case '\t':
			g_string_append(out, "\\t");
			break;
		default:
			if (c < 0x20)
				g_string_append_printf(out, "\\u%04x", c);
			else
				g_string_append_c(out, (char)c);
		}
	}
	g_string_append_c(out, '"');
}

/* UTF-16 order differs from code-point order only between U+E000–U+FFFF and the supplementary planes. */
static gunichar utf16_rank(gunichar c)
{
	if (c >= 0x10000)
		return c - 0x10000 + 0xD800;
	return c >= 0xD800 ? c + 0x200000 : c;
}

static int by_utf16(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	for (; *x && *y; x = g_utf8_next_char(x), y = g_utf8_next_char(y)) {
		gunichar cx = g_utf8_get_char(x), cy = g_utf8_get_char(y);
		if (cx != cy)
			return utf16_rank(cx) < utf16_rank(cy) ? -1 : 1;
	}
	return (*x != 0) - (*y != 0);
}

static void append_value(GString *out, const json_t *value);

static void append_object(GString *out, json_t *object)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	const char *key;
	json_t *value;
	json_object_foreach (object, key, value)
		g_ptr_array_add(keys, (gpointer)key);
	g_ptr_array_sort(keys, by_utf16);
	g_string_append_c(out, '{');
	for (guint i = 0; i < keys->len; i++) {
		key = g_ptr_array_index(keys, i);
		if (i)
			g_string_append_c(out, ',');
		append_string(out, key, strlen(key));
		g_string_append_c(out, ':');
		append_value(out, json_object_get(object, key));
	}
	g_string_append_c(out, '}');
}

static void append_array(GString *out, const json_t *array)
{
	g_string_append_c(out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			g_string_append_c(out, ',');
		append_value(out, json_array_get(array, i));
	}
	g_string_append_c(out, ']');
}

static void append_value(GString *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		append_object(out, (json_t *)value);
		return;
	case JSON_ARRAY:
		append_array(out, value);
		return;
	case JSON_STRING:
		append_string(out, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return;
	case JSON_REAL:
		g_error("a floating-point number in canonical JSON");
	case JSON_TRUE:
		g_string_append(out, "true");
		return;
	case JSON_FALSE:
		g_string_append(out, "false");
		return;
	case JSON_NULL:
		g_string_append(out, "null");
		return;
	}
}

char *json_canonical(const json_t *value)
{
	GString *out = g_string_new(NULL);
	append_value(out, value);
	return g_string_free(out, FALSE);
}

GBytes *json_canonical_bytes(const json_t *value)
{
	GString *out = g_string_new(NULL);
	append_value(out, value);
	return g_string_free_to_bytes(out);
}

bool json_pointer_is_valid(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return false;
	for (; *pointer; pointer++)
		if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1')
			return false;
	return true;
}

/* One reference token, ~1 and ~0 undone. */
static char *token_decode(const char *start, size_t size)
{
	GString *token = g_string_sized_new(size);
	for (size_t i = 0; i < size; i++) {
		bool escape = start[i] == '~' && i + 1 < size;
		if (escape)
			i++;
		g_string_append_c(token, !escape ? start[i] : start[i] == '1' ? '/' : '~');
	}
	return g_string_free(token, FALSE);
}

static json_t *array_step(const json_t *array, const char *token)
{
	bool leading_zero = token[0] == '0' && token[1];
	if (!*token || leading_zero || strspn(token, "0123456789") != strlen(token) || strlen(token) > 9)
		return NULL;
	return json_array_get(array, (size_t)g_ascii_strtoull(token, NULL, 10));
}

json_t *json_pointer(const json_t *root, const char *pointer)
{
	json_t *at = (json_t *)root;
	while (at && *pointer == '/') {
		const char *start = pointer + 1;
		size_t size = strcspn(start, "/");
		g_autofree char *token = token_decode(start, size);
		at = json_is_array(at) ? array_step(at, token) : json_object_get(at, token);
		pointer = start + size;
	}
	return *pointer ? NULL : at;
}

const char *json_get_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
	json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
	json_t *value = json_object_get(object, key);
	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static json_t *clean_string(const char *value)
{
	if (!value)
		return json_null();
	json_t *string = json_string(value);
	if (string)
		return string;
	g_autofree char *repaired = g_utf8_make_valid(value, -1);
	return json_string(repaired);
}

void json_set_string(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, clean_string(value));
}

void json_set_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

void json_set_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

void json_add_string(json_t *array, const char *value)
{
	json_array_append_new(array, clean_string(value));
}
