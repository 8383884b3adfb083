/* What the filter before libetpan's parser lets through, and what it does not. */
#include "intake/imap_session.h"
#include "intake/imap_stream.h"

#include <criterion/criterion.h>
#include <string.h>

/* Feeds in pieces of `step` bytes, as the network may cut them. */
static const char *feed(const char *text, size_t size, size_t step)
{
	struct imap_filter filter = {0};
	for (size_t i = 0; i < size; i += step) {
		const char *wrong = imap_filter_feed(&filter, text + i, MIN(step, size - i));
		if (wrong)
			return wrong;
	}
	return NULL;
}

static void expect(const char *text, const char *wrong)
{
	for (size_t step = 1; step < 40; step += 3) {
		const char *found = feed(text, strlen(text), step);
		if (!wrong)
			cr_assert_null(found, "%s", found);
		else
			cr_assert_str_eq(found ? found : "nothing wrong", wrong);
	}
}

static char *nested(const char *before, unsigned n, const char *behind)
{
	g_autofree char *parens = g_strnfill(n, '(');
	return g_strconcat(before, parens, behind, NULL);
}

Test(filter, ordinary_answers_pass)
{
	expect("* OK hello (world)\r\n* 3 EXISTS\r\n"
	       "* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[] {5}\r\nab)(c)\r\n1 OK done\r\n",
	        NULL);
}

Test(filter, parentheses_within_a_message_are_the_messages_own)
{
	g_autofree char *text = nested("* 1 FETCH (BODY[] {500}\r\n", 500, ")\r\n1 OK done\r\n");
	expect(text, NULL);
}

Test(filter, a_deeply_nested_answer_is_refused)
{
	g_autofree char *text = nested("* 1 FETCH (BODYSTRUCTURE ", 101, "");
	expect(text, "a response nested too deeply");
}

Test(filter, a_literal_in_a_line_that_is_no_fetch_hides_nothing)
{
	g_autofree char *text = nested("* OK look {5000}\r\n* 1 FETCH (BODYSTRUCTURE ", 101, "");
	expect(text, "a response nested too deeply");
}

Test(filter, quotes_hide_nothing)
{
	g_autofree char *text = nested("* 1 FETCH (X \"", 101, "\"");
	expect(text, "a response nested too deeply");
}

Test(filter, nesting_behind_a_literal_of_the_same_answer_still_counts)
{
	g_autofree char *text = nested("* 1 FETCH (BODY[] {3}\r\nabc BODYSTRUCTURE ", 101, "");
	expect(text, "a response nested too deeply");
}

Test(filter, a_literal_that_would_wrap_at_2_to_the_32_is_refused)
{
	expect("* 1 FETCH (BODY[] {4294967306}\r\n", "a literal larger than 2 GiB");
	expect("* 1 FETCH (BODY[] {99999999999999999999999999999999}\r\n", "a literal larger than 2 GiB");
	expect("* 1 FETCH (BODY[] {2147483647}\r\n", NULL);
}

Test(filter, each_answer_is_counted_for_itself)
{
	GString *text = g_string_new(NULL);
	for (int i = 0; i < 1000; i++)
		g_string_append(text, "* 1 FETCH (FLAGS (\\Seen))\r\n");
	expect(text->str, NULL);
	g_string_free(text, TRUE);
}

Test(filter, a_line_without_end_is_refused)
{
	struct imap_filter filter = {0};
	g_autofree char *piece = g_strnfill(1 << 20, 'x');
	const char *wrong = NULL;
	for (int i = 0; i < 20 && !wrong; i++)
		wrong = imap_filter_feed(&filter, piece, 1 << 20);
	cr_assert_str_eq(wrong, "a response without end");
}

Test(mailbox, names_are_encoded_as_the_wire_wants_them)
{
	g_autofree char *office = imap_encode_mailbox("Geschäftsstelle"), *both = imap_encode_mailbox("A&B"),
	                *plane = imap_encode_mailbox("x😀"), *latin = imap_encode_mailbox("\xe4");
	cr_assert_str_eq(office, "Gesch&AOQ-ftsstelle");
	cr_assert_str_eq(both, "A&-B");
	cr_assert_str_eq(plane, "x&2D3eAA-");
	cr_assert_null(latin);
}
