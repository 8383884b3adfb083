/* json_slice.c - a scanner over borders: no recursion, so no depth can hurt it. */
#include "intake/json_slice.h"

#include <string.h>

struct scan {
	const char *p, *end;
};

static void skip_blank(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end; s->p++) {
		if (*s->p == '\\')
			s->p++;
		else if (*s->p == '"') {
			s->p++;
			return true;
		}
	}
	return false;
}

static bool skip_nested(struct scan *s)
{
	size_t depth = 0;
	while (s->p < s->end) {
		if (*s->p == '"') {
			if (!skip_string(s))
				return false;
			continue;
		}
		if (*s->p == '{' || *s->p == '[')
			depth++;
		else if (*s->p == '}' || *s->p == ']')
			depth--;
		s->p++;
		if (depth == 0)
			return true;
	}
	return false;
}

static bool skip_value(struct scan *s)
{
	if (s->p >= s->end)
		return false;
	if (*s->p == '"')
		return skip_string(s);
	if (*s->p == '{' || *s->p == '[')
		return skip_nested(s);
	const char *start = s->p;
	while (s->p < s->end && !strchr(",]} \t\r\n", *s->p))
		s->p++;
	return s->p > start && s->p < s->end;
}

static bool expect(struct scan *s, char c)
{
	skip_blank(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* The value of the next member or element; false at the closing bracket or at nonsense. */
static bool next_value(struct scan *s, bool object, struct json_slice *key, struct json_slice *value)
{
	skip_blank(s);
	if (object) {
		const char *start = s->p;
		if (s->p >= s->end || *s->p != '"' || !skip_string(s))
			return false;
		*key = (struct json_slice){start + 1, (size_t)(s->p - start) - 2};
		if (!expect(s, ':'))
			return false;
		skip_blank(s);
	}
	const char *start = s->p;
	if (s->p >= s->end || *s->p == ']' || !skip_value(s))
		return false;
	*value = (struct json_slice){start, (size_t)(s->p - start)};
	skip_blank(s);
	if (s->p < s->end && *s->p == ',')
		s->p++;
	return true;
}

/* One reference token of the pointer, unescaped; moves behind it. */
static char *next_token(const char **pointer)
{
	const char *start = *pointer + 1;
	size_t length = strcspn(start, "/");
	*pointer = start + length;
	GString *token = g_string_new_len(start, (gssize)length);
	g_string_replace(token, "~1", "/", 0);
	g_string_replace(token, "~0", "~", 0);
	return g_string_free(token, FALSE);
}

static bool is_key(struct json_slice key, const char *token)
{
	return key.size == strlen(token) && memcmp(key.text, token, key.size) == 0;
}

static bool descend(struct json_slice *at, const char *token)
{
	struct scan s = {at->text, at->text + at->size};
	bool object = at->size > 0 && *at->text == '{';
	if (at->size == 0 || (!object && *at->text != '['))
		return false;
	s.p++;
	struct json_slice key, value;
	guint64 index = 0;
	while (next_value(&s, object, &key, &value)) {
		g_autofree char *number = object ? NULL : g_strdup_printf("%" G_GUINT64_FORMAT, index++);
		if (object ? is_key(key, token) : strcmp(number, token) == 0) {
			*at = value;
			return true;
		}
	}
	return false;
}

bool json_slice_find(struct json_slice whole, const char *pointer, struct json_slice *out)
{
	struct scan s = {whole.text, whole.text + whole.size};
	skip_blank(&s);
	struct json_slice at = {s.p, (size_t)(s.end - s.p)};
	while (*pointer == '/') {
		g_autofree char *token = next_token(&pointer);
		if (!descend(&at, token))
			return false;
	}
	*out = at;
	return true;
}

GArray *json_slice_elements(struct json_slice array)
{
	struct scan s = {array.text, array.text + array.size};
	if (!expect(&s, '['))
		return NULL;
	g_autoptr(GArray) elements = g_array_new(FALSE, FALSE, sizeof(struct json_slice));
	struct json_slice key, value;
	while (next_value(&s, false, &key, &value))
		g_array_append_val(elements, value);
	if (!expect(&s, ']'))
		return NULL;
	return g_steal_pointer(&elements);
}
