/* imap_filter.c - counts what libetpan's recursive parser does not: parentheses, literals, line length.
 *
 * It errs on the careful side. Literals are believed only inside "* n FETCH (…": there the parser takes them
 * too or fails; everywhere else the bytes behind them are looked at like any other. Parentheses are counted
 * even within quotes.
 */
#include "intake/imap_stream.h"

#include <string.h>

static void push_tail(struct imap_filter *f, char c)
{
	if (f->tail_size == sizeof f->tail) {
		memmove(f->tail, f->tail + 1, sizeof f->tail - 1);
		f->tail_size--;
	}
	f->tail[f->tail_size++] = c;
}

static bool is_fetch(const struct imap_filter *f)
{
	const char *p = f->head, *end = f->head + f->head_size;
	if (end - p < 2 || p[0] != '*' || p[1] != ' ')
		return false;
	for (p += 2; p < end && g_ascii_isdigit(*p); p++)
		;
	static const char word[] = " FETCH (";
	return (size_t)(end - p) >= sizeof word - 1 && g_ascii_strncasecmp(p, word, sizeof word - 1) == 0;
}

/* "{123}" or "{123}\r" at the end of the tail: its number; -1 if there is none; -2 if it is too large. */
static int64_t literal_at_end(const struct imap_filter *f)
{
	unsigned end = f->tail_size;
	if (end > 0 && f->tail[end - 1] == '\r')
		end--;
	if (end == 0 || f->tail[end - 1] != '}')
		return -1;
	unsigned start = --end;
	while (start > 0 && g_ascii_isdigit(f->tail[start - 1]))
		start--;
	if (start == 0 && g_ascii_isdigit(f->tail[0]))
		return -2; /* more digits than the tail holds */
	if (start == end || start == 0 || f->tail[start - 1] != '{')
		return -1;
	int64_t value = 0;
	for (; start < end; start++) {
		value = value * 10 + (f->tail[start] - '0');
		if (value > IMAP_LITERAL_MAX)
			return -2;
	}
	return value;
}

static void begin_response(struct imap_filter *f)
{
	*f = (struct imap_filter){0};
}

static const char *end_line(struct imap_filter *f)
{
	int64_t literal = literal_at_end(f);
	if (literal == -2)
		return "a literal larger than 2 GiB";
	if (literal < 0 || !is_fetch(f)) {
		begin_response(f);
		return NULL;
	}
	f->literal = literal;
	f->tail_size = 0;
	return NULL;
}

static const char *take_byte(struct imap_filter *f, char c)
{
	if (c == '\n')
		return end_line(f);
	if (f->head_size < sizeof f->head)
		f->head[f->head_size++] = c;
	push_tail(f, c);
	if (c == '(' && ++f->parens > IMAP_PARENS_MAX)
		return "a response nested too deeply";
	if (++f->line > IMAP_LINE_MAX)
		return "a response without end";
	return NULL;
}

const char *imap_filter_feed(struct imap_filter *f, const char *data, size_t size)
{
	const char *end = data + size;
	while (data < end) {
		if (f->literal > 0) {
			int64_t skipped = MIN(f->literal, end - data);
			f->literal -= skipped;
			data += skipped;
			continue;
		}
		const char *wrong = take_byte(f, *data++);
		if (wrong)
			return wrong;
	}
	return NULL;
}
