/* header.c - a line scanner, bounded, for three fields. */
#include "intake/header.h"

#include "core/date.h"

#include <gmime/gmime.h>
#include <string.h>

/* End of the line at `p` (behind its LF). */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));
	return lf ? lf + 1 : end;
}

static bool is_blank_line(const char *p, const char *end)
{
	return p == end || *p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n');
}

static bool is_field(const char *p, const char *end, const char *name)
{
	size_t length = strlen(name);
	if ((size_t)(end - p) <= length || g_ascii_strncasecmp(p, name, length) != 0)
		return false;
	for (p += length; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	return p < end && *p == ':';
}

static void append_unfolded(GString *value, const char *p, const char *end)
{
	for (; p < end; p++)
		if (*p != '\r' && *p != '\n' && *p != '\0')
			g_string_append_c(value, *p);
}

static char *read_field(const char *p, const char *end)
{
	GString *value = g_string_new(NULL);
	const char *stop = line_end(p, end);
	append_unfolded(value, (const char *)memchr(p, ':', (size_t)(stop - p)) + 1, stop);
	for (p = stop; p < end && (*p == ' ' || *p == '\t'); p = stop) {
		stop = line_end(p, end);
		append_unfolded(value, p, stop);
	}
	return g_strstrip(g_string_free(value, FALSE));
}

char *header_first(const char *raw, size_t size, const char *name)
{
	const char *end = raw + MIN(size, (size_t)HEADER_MAX);
	for (const char *p = raw; p < end && !is_blank_line(p, end); p = line_end(p, end))
		if (is_field(p, end, name))
			return read_field(p, end);
	return NULL;
}

/* "by HOST" in a Received: field, outside comments is not checked: the field is our own server's. */
static char *by_host(const char *received)
{
	for (const char *p = received; (p = strstr(p, "by ")) != NULL; p += 3) {
		if (p != received && p[-1] != ' ' && p[-1] != '\t')
			continue;
		p += strspn(p + 3, " \t") + 3;
		return g_strndup(p, strcspn(p, " \t;()"));
	}
	return NULL;
}

static bool is_one_of(const char *host, const GPtrArray *hosts)
{
	for (unsigned i = 0; hosts && i < hosts->len; i++)
		if (g_ascii_strcasecmp(host, hosts->pdata[i]) == 0)
			return true;
	return false;
}

bool header_received(const char *raw, size_t size, const GPtrArray *hosts, int64_t *out)
{
	g_autofree char *received = header_first(raw, size, "Received");
	g_autofree char *host = received ? by_host(received) : NULL;
	const char *date = received ? strrchr(received, ';') : NULL;
	if (!host || !date || !is_one_of(host, hosts))
		return false;
	g_autoptr(GDateTime) time = g_mime_utils_header_decode_date(date + 1);
	if (!time)
		return false;
	*out = g_date_time_to_unix(time) * INSTANT_SECOND;
	return true;
}

char *header_return_path(const char *raw, size_t size)
{
	g_autofree char *value = header_first(raw, size, "Return-Path");
	if (!value)
		return NULL;
	const char *open = strchr(value, '<');
	if (!open)
		return g_strdup(value);
	return g_strndup(open + 1, strcspn(open + 1, ">"));
}
