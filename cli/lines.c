/* lines.c - a line reader over read(2): stdio can neither bound a line nor tell whether it would wait. */
#include "cli/lines.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

struct lines {
	int fd;
	char *name;
	GByteArray *buffer;
	size_t start;   /* of the line that is being looked for */
	size_t scanned; /* no line end between start and here */
	uint64_t number;
	bool end, skipping;
};

struct lines *lines_open(const char *path, GError **error)
{
	bool standard = !path || strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail(error, ERROR_INPUT, "cannot read %s: %s", path, g_strerror(errno));
		return NULL;
	}
	struct lines *lines = g_new0(struct lines, 1);
	lines->fd = fd;
	lines->name = g_strdup(standard ? "standard input" : path);
	lines->buffer = g_byte_array_sized_new(2 * CHUNK);
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	if (lines->fd != STDIN_FILENO)
		close(lines->fd);
	g_byte_array_unref(lines->buffer);
	g_free(lines->name);
	g_free(lines);
}

uint64_t lines_number(const struct lines *lines)
{
	return lines->number;
}

static bool ready(const struct lines *lines)
{
	struct pollfd p = {.fd = lines->fd, .events = POLLIN};
	return poll(&p, 1, 0) != 0;
}

/* Drops what was given out already and reads more behind the rest. */
static bool fill(struct lines *lines, GError **error)
{
	GByteArray *buffer = lines->buffer;
	if (lines->start) {
		g_byte_array_remove_range(buffer, 0, (guint)lines->start);
		lines->scanned -= lines->start;
		lines->start = 0;
	}
	guint had = buffer->len;
	g_byte_array_set_size(buffer, had + CHUNK);
	ssize_t got;
	do
		got = read(lines->fd, buffer->data + had, CHUNK);
	while (got < 0 && errno == EINTR);
	g_byte_array_set_size(buffer, had + (guint)MAX(got, 0));
	if (got < 0)
		fail(error, ERROR_INPUT, "cannot read %s: %s", lines->name, g_strerror(errno));
	lines->end = got == 0;
	return got >= 0;
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

/* Gives out the line up to `stop`; next behind it. False: blank, look on. */
static bool take(struct lines *lines, size_t stop, const char **text, size_t *size)
{
	const char *data = (const char *)lines->buffer->data;
	size_t start = lines->start;
	lines->number++;
	if (lines->number == 1 && stop - start >= 3 && memcmp(data + start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	*text = data + start;
	*size = stop - start;
	lines->start = lines->scanned = MIN(stop + 1, lines->buffer->len);
	return !is_blank(*text, *size);
}

/* A line end in what is there, or the end of everything: the stop of the line, else SIZE_MAX. */
static size_t find_stop(struct lines *lines)
{
	const uint8_t *data = lines->buffer->data;
	size_t length = lines->buffer->len;
	const uint8_t *found =
	        length > lines->scanned ? memchr(data + lines->scanned, '\n', length - lines->scanned) : NULL;
	lines->scanned = found ? (size_t)(found - data) : length;
	if (found || (lines->end && lines->start < length))
		return lines->scanned;
	return SIZE_MAX;
}

/* True: a line was too long and is behind us now. */
static bool skip_long(struct lines *lines, size_t stop)
{
	if (stop == SIZE_MAX && lines->buffer->len - lines->start > LINES_MAX) {
		lines->start = lines->scanned = lines->buffer->len;
		lines->skipping = true;
	} else if (stop != SIZE_MAX && (lines->skipping || stop - lines->start > LINES_MAX)) {
		lines->start = lines->scanned = MIN(stop + 1, lines->buffer->len);
		lines->skipping = false;
		lines->number++;
		return true;
	}
	return false;
}

enum lines_state lines_next(struct lines *lines, bool wait, const char **text, size_t *size, GError **error)
{
	for (;;) {
		size_t stop = find_stop(lines);
		if (skip_long(lines, stop))
			return LINES_LONG;
		if (stop != SIZE_MAX) {
			if (take(lines, stop, text, size))
				return LINES_ONE;
			continue;
		}
		if (lines->end && lines->skipping) {
			lines->skipping = false;
			lines->number++;
			return LINES_LONG;
		}
		if (lines->end)
			return LINES_END;
		if (!wait && !ready(lines))
			return LINES_WAIT;
		if (!fill(lines, error))
			return LINES_BROKEN;
	}
}
