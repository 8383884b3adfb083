/* Time of receipt and envelope sender from raw headers. */
#include "intake/header.h"

#include <criterion/criterion.h>
#include <string.h>

static GPtrArray *hosts(void)
{
	GPtrArray *array = g_ptr_array_new();
	g_ptr_array_add(array, (gpointer) "mx.example.org");
	return array;
}

static bool received(const char *mail, int64_t *out)
{
	g_autoptr(GPtrArray) trusted = hosts();
	return header_received(mail, strlen(mail), trusted, out);
}

Test(header, the_first_field_of_a_name_is_unfolded)
{
	const char *mail = "A: 1\r\nSubject: one\r\n two\r\nSubject: other\r\n\r\nSubject: body\r\n";
	g_autofree char *subject = header_first(mail, strlen(mail), "subject");
	cr_assert_str_eq(subject, "one two");
	g_autofree char *none = header_first(mail, strlen(mail), "Subj");
	cr_assert_null(none);
}

Test(header, nothing_is_found_in_the_body)
{
	const char *mail = "A: 1\n\nReturn-Path: <x@y>\n";
	g_autofree char *sender = header_return_path(mail, strlen(mail));
	cr_assert_null(sender);
}

Test(header, the_topmost_received_of_a_trusted_host_gives_the_time)
{
	int64_t time = 0;
	cr_assert(received(
	        "Received: from a (b [1.2.3.4])\r\n\tby mx.example.org (Postfix) with ESMTPS id 1\r\n"
	        "\tfor <x@y>; Fri, 12 May 2023 00:30:00 +0200 (CEST)\r\n\r\n",
	        &time));
	cr_assert_eq(time, INT64_C(1683844200000000));
}

Test(header, a_trusted_host_further_down_does_not_count)
{
	int64_t time = 0;
	cr_assert_not(received("Received: from a by liar.example; Fri, 12 May 2023 00:30:00 +0200\n"
	                       "Received: from a by mx.example.org; Fri, 12 May 2023 00:30:00 +0200\n\n",
	        &time));
}

Test(header, a_received_without_a_date_or_host_is_no_time)
{
	int64_t time = 0;
	cr_assert_not(received("Received: from a by mx.example.org\n\n", &time));
	cr_assert_not(received("Received: ; Fri, 12 May 2023 00:30:00 +0200\n\n", &time));
	cr_assert_not(received("Received: by mx.example.org; yesterday\n\n", &time));
	cr_assert_not(received("", &time));
}

Test(header, the_null_sender_is_told_from_no_sender)
{
	const char *null_sender = "Return-Path: <>\n\n", *some = "Return-path:<a@b>\n\n";
	g_autofree char *empty = header_return_path(null_sender, strlen(null_sender));
	g_autofree char *address = header_return_path(some, strlen(some));
	cr_assert_str_eq(empty, "");
	cr_assert_str_eq(address, "a@b");
}
