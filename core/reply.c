/* reply.c - the writer's own words. */
#include "core/mail.h"

#include <string.h>

static void span_add(GArray *spans, size_t from, size_t to)
{
	struct span *last = spans->len ? &g_array_index(spans, struct span, spans->len - 1) : NULL;
	if (last && last->offset + last->length == from) {
		last->length += (uint32_t)(to - from);
		return;
	}
	struct span span = {(uint32_t)from, (uint32_t)(to - from)};
	g_array_append_val(spans, span);
}

GArray *reply_spans(const char *text, size_t size, bool *quoted)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct span));
	*quoted = false;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t next = end ? (size_t)(end + 1 - text) : size;
		if (text[at] == '>')
			*quoted = true;
		else if (next - at == 4 && memcmp(text + at, "-- \n", 4) == 0)
			break;
		else
			span_add(spans, at, next);
		at = next;
	}
	return spans;
}
