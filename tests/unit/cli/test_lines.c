/* Lines of hostile shape, and the memory of ids. */
#include "cli/id_set.h"
#include "cli/lines.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lines *lines_of(const char *text, size_t size)
{
	char path[] = "/tmp/posteingang-lines-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, text, size), (ssize_t)size);
	close(fd);
	struct lines *lines = lines_open(path, NULL);
	g_unlink(path);
	return lines;
}

static void expect(struct lines *lines, const char *wanted, uint64_t number)
{
	const char *text;
	size_t size;
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_ONE);
	g_autofree char *got = g_strndup(text, size);
	cr_assert_str_eq(got, wanted);
	cr_assert_eq(lines_number(lines), number);
}

static void expect_end(struct lines *lines)
{
	const char *text;
	size_t size;
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_END);
}

Test(lines, blank_lines_are_passed_over_but_counted)
{
	const char text[] = "a\n\n \t\r\nb\n\n";
	AUTO(lines) lines = lines_of(text, strlen(text));
	expect(lines, "a", 1);
	expect(lines, "b", 4);
	expect_end(lines);
}

Test(lines, the_last_line_needs_no_end)
{
	AUTO(lines) lines = lines_of("a\nb", 3);
	expect(lines, "a", 1);
	expect(lines, "b", 2);
	expect_end(lines);
}

Test(lines, a_byte_order_mark_is_dropped_in_front_only)
{
	const char text[] = "\xef\xbb\xbfx\n\xef\xbb\xbfy\n";
	AUTO(lines) lines = lines_of(text, strlen(text));
	expect(lines, "x", 1);
	expect(lines, "\xef\xbb\xbfy", 2);
}

Test(lines, a_line_with_nul_is_no_blank_line)
{
	const char *text;
	size_t size;
	AUTO(lines) lines = lines_of("\0\nb\n", 4);
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_ONE);
	cr_assert_eq(size, 1);
	expect(lines, "b", 2);
}

Test(lines, a_line_beyond_the_limit_is_skipped_and_the_next_one_read)
{
	const char *text;
	size_t size;
	g_autoptr(GString) input = g_string_new("a\n");
	g_string_set_size(input, 2 + LINES_MAX + 1);
	memset(input->str + 2, 'x', LINES_MAX + 1);
	g_string_append(input, "\nb\n");
	AUTO(lines) lines = lines_of(input->str, input->len);
	expect(lines, "a", 1);
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_LONG);
	cr_assert_eq(lines_number(lines), 2);
	expect(lines, "b", 3);
	expect_end(lines);
}

Test(lines, a_line_of_exactly_the_limit_is_read)
{
	const char *text;
	size_t size;
	g_autoptr(GString) input = g_string_new(NULL);
	g_string_set_size(input, LINES_MAX);
	memset(input->str, 'x', LINES_MAX);
	AUTO(lines) lines = lines_of(input->str, input->len);
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_ONE);
	cr_assert_eq(size, LINES_MAX);
}

Test(lines, an_endless_last_line_is_one_long_line)
{
	const char *text;
	size_t size;
	g_autoptr(GString) input = g_string_new(NULL);
	g_string_set_size(input, 2 * LINES_MAX);
	memset(input->str, 'x', input->len);
	AUTO(lines) lines = lines_of(input->str, input->len);
	cr_assert_eq(lines_next(lines, true, &text, &size, NULL), LINES_LONG);
	expect_end(lines);
}

Test(lines, an_empty_pipe_is_told_instead_of_waited_for)
{
	int ends[2];
	const char *text;
	size_t size;
	cr_assert_eq(pipe(ends), 0);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", ends[0]);
	AUTO(lines) lines = lines_open(path, NULL);
	cr_assert_eq(lines_next(lines, false, &text, &size, NULL), LINES_WAIT);
	cr_assert_eq(write(ends[1], "a\nb", 3), 3);
	expect(lines, "a", 1);
	cr_assert_eq(lines_next(lines, false, &text, &size, NULL), LINES_WAIT);
	close(ends[1]);
	close(ends[0]);
	expect(lines, "b", 2);
}

Test(id_set, every_id_is_new_once)
{
	struct id_set *set = id_set_new();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++) {
			g_autofree char *id = g_strdup_printf("id-%d", i);
			cr_assert_eq(id_set_add(set, id), round == 0);
		}
	}
	id_set_free(set);
}
