/* json.c - the canonical writer sorts keys by UTF-16 code units as RFC 8785 section 3.2.3 says. */
#include "core/json.h"
#include "core/error.h"

#include <stdlib.h>
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

/* What stands behind the backslash of a byte that has a short escape; 0: none. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void append_string(GString *out, const char *text, size_t size)
{
	g_string_append_c(out, '"');
	for (size_t i = 0; i < size;) {
		size_t begin = i;
		while (i < size && is_plain(text[i]))
			i++;
		g_string_append_len(out, text + begin, (gssize)(i - begin));
		if (i == size)
			break;
		unsigned char c = (unsigned char)text[i++];
		char escape = short_escape(c);
		if (escape) {
			g_string_append_c(out, '\\');
			g_string_append_c(out, escape);
		} else {
			g_string_append_printf(out, "\\u%04x", c);
		}
	}
	g_string_append_c(out, '"');
}

struct member {
	const char *key;
	json_t *value;
};

/* By UTF-16 code units: the order of the bytes, but that the supplementary planes (F0 …) stand before
 * U+E000–U+FFFF (EE, EF). */
static bool stands_before(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
	return x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0) ? x >= 0xf0 : x < y;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return stands_before(x->key, y->key) ? -1 : stands_before(y->key, x->key);
}

static void sort_members(struct member *members, size_t n)
{
	enum { FEW = 24 };
	if (n > FEW) {
		qsort(members, n, sizeof *members, by_key);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct member member = members[i];
		size_t at = i;
		for (; at > 0 && stands_before(member.key, members[at - 1].key); at--)
			members[at] = members[at - 1];
		members[at] = member;
	}
}

static void append_value(GString *out, const json_t *value);

static void append_members(GString *out, json_t *object, struct member *members)
{
	const char *key;
	json_t *value;
	size_t n = 0;
	json_object_foreach (object, key, value)
		members[n++] = (struct member){key, value};
	sort_members(members, n);
	g_string_append_c(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			g_string_append_c(out, ',');
		append_string(out, members[i].key, strlen(members[i].key));
		g_string_append_c(out, ':');
		append_value(out, members[i].value);
	}
	g_string_append_c(out, '}');
}

static void append_object(GString *out, json_t *object)
{
	struct member few[24];
	size_t n = json_object_size(object);
	g_autofree struct member *many = n > G_N_ELEMENTS(few) ? g_new(struct member, n) : NULL;
	append_members(out, object, many ? many : few);
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

static void append_integer(GString *out, json_int_t value)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do
		*--p = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--p = '-';
	g_string_append_len(out, p, digits + sizeof digits - p);
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
		append_integer(out, json_integer_value(value));
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
	GString *out = g_string_sized_new(1024);
	append_value(out, value);
	return g_string_free(out, FALSE);
}

GBytes *json_canonical_bytes(const json_t *value)
{
	GString *out = g_string_sized_new(4096);
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
