/* record_scan.c - see record_scan.h. Bytes may be hostile: every step looks for the end first. */
#include "journal/record_scan.h"

#include <string.h>

struct scan {
	const char *at, *end;
};

static bool literal(struct scan *scan, const char *text)
{
	size_t size = strlen(text);
	if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, text, size) != 0)
		return false;
	scan->at += size;
	return true;
}

/* From behind the opening quote to behind the closing one. */
static bool string_rest(struct scan *scan, struct text_span *out)
{
	const char *start = scan->at;
	for (; scan->at < scan->end; scan->at++) {
		unsigned char c = (unsigned char)*scan->at;
		if (c == '"') {
			*out = (struct text_span){start, (size_t)(scan->at - start)};
			scan->at++;
			return true;
		}
		if (c < 0x20)
			return false;
		if (c == '\\' && ++scan->at == scan->end)
			return false;
	}
	return false;
}

static bool object(struct scan *scan, struct text_span *out)
{
	const char *start = scan->at;
	unsigned depth = 0;
	struct text_span inner;
	while (scan->at < scan->end) {
		char c = *scan->at++;
		if (c == '"' && !string_rest(scan, &inner))
			return false;
		if (c == '{' || c == '[')
			depth++;
		if ((c == '}' || c == ']') && (!depth || !--depth))
			break;
		if (!depth)
			return false;
	}
	*out = (struct text_span){start, (size_t)(scan->at - start)};
	return depth == 0 && out->size >= 2 && start[0] == '{' && scan->at[-1] == '}';
}

/* At most 18 digits: a time in µs has 16. */
static bool number(struct scan *scan, int64_t *out)
{
	const char *start = scan->at;
	int64_t value = 0;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - start < 18)
		value = value * 10 + (*scan->at++ - '0');
	*out = value;
	return scan->at > start && (start[0] != '0' || scan->at - start == 1);
}

bool record_scan(const char *data, size_t size, struct record_view *out)
{
	struct scan scan = {data, data + size};
	*out = (struct record_view){0};
	if (!literal(&scan, "{\"actor\":\"") || !string_rest(&scan, &out->actor) ||
	        !literal(&scan, ",\"detail\":") || !object(&scan, &out->detail) ||
	        !literal(&scan, ",\"event\":\"") || !string_rest(&scan, &out->event))
		return false;
	if (literal(&scan, ",\"item\":\"") && !string_rest(&scan, &out->item))
		return false;
	return literal(&scan, ",\"time\":") && number(&scan, &out->time) && literal(&scan, ",\"v\":") &&
	       number(&scan, &out->version) && literal(&scan, "}") && scan.at == scan.end;
}

bool text_span_equal(const struct text_span *span, const char *text)
{
	if (!span->start || !text)
		return !span->start && !text;
	return strlen(text) == span->size && memcmp(span->start, text, span->size) == 0;
}
