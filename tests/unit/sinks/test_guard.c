/* RFC 3834 at the door: what a machine must not answer. */
#include "sinks/guard.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *guard(const char *extra, const char *to)
{
	g_autofree char *mail =
	        g_strdup_printf("From: Kunde <kunde@example.org>\r\nTo: eingang@amt.example\r\n"
	                        "Subject: Umzug\r\n%s\r\nText\r\nList-Id: im Text\r\n",
	                extra);
	AUTO(mail_head) head = mail_head_read(mail, strlen(mail));
	g_autoptr(GPtrArray) own = g_ptr_array_new();
	g_ptr_array_add(own, (char *)"eingang@amt.example");
	return guard_reply(head, to, own);
}

static void barred(const char *extra, const char *why)
{
	const char *got = guard(extra, "kunde@example.org");
	cr_assert_not_null(got, "answered in spite of %s", extra);
	cr_assert_str_eq(got, why, "%s: %s", extra, got);
}

Test(guard, an_ordinary_mail_is_answered)
{
	cr_assert_null(guard("", "kunde@example.org"));
	cr_assert_null(guard("Auto-Submitted: no\r\nPrecedence: normal\r\n", "kunde@example.org"));
	cr_assert_null(guard("Return-Path: <kunde@example.org>\r\n", "kunde@example.org"));
}

Test(guard, what_a_machine_wrote_is_not_answered)
{
	barred("Auto-Submitted: auto-replied\r\n", "auto_submitted");
	barred("auto-submitted:\r\n auto-generated (vacation)\r\n", "auto_submitted");
	barred("Auto-Submitted: no\r\nAuto-Submitted: auto-notified\r\n", "auto_submitted");
	barred("List-Id: <x.example.org>\r\n", "list");
	barred("List-Unsubscribe: <mailto:x@example.org>\r\n", "list");
	barred("Precedence: Bulk\r\n", "list");
	barred("X-Auto-Response-Suppress: OOF\r\n", "suppress_header");
	barred("Content-Type: multipart/report; report-type=delivery-status\r\n", "report");
	barred("Return-Path: <>\r\n", "null_sender");
	barred("X-Posteingang-Loop: 1f3a2b4c\r\n", "loop");
}

Test(guard, a_mail_that_was_not_sent_to_us_is_not_answered)
{
	const char *mail = "From: a@example.org\nTo: undisclosed-recipients:;\n\n";
	AUTO(mail_head) head = mail_head_read(mail, strlen(mail));
	g_autoptr(GPtrArray) own = g_ptr_array_new();
	cr_assert_null(guard_reply(head, "a@example.org", own), "not looked at without own addresses");
	g_ptr_array_add(own, (char *)"eingang@amt.example");
	cr_assert_str_eq(guard_reply(head, "a@example.org", own), "not_addressed");
	const char *near = "To: x-eingang@amt.example, eingang@amt.example.org\n\n";
	AUTO(mail_head) other = mail_head_read(near, strlen(near));
	cr_assert_str_eq(guard_reply(other, "a@example.org", own), "not_addressed");
	const char *exact = "Delivered-To: EINGANG@amt.example\n\n";
	AUTO(mail_head) ours = mail_head_read(exact, strlen(exact));
	cr_assert_null(guard_reply(ours, "a@example.org", own));
}

Test(guard, machines_and_ourselves_get_no_reply)
{
	static const char *const machines[] = {"MAILER-DAEMON@example.org", "postmaster@example.org",
	        "noreply@example.org", "no-reply+x@example.org", "owner-liste@example.org",
	        "liste-request@example.org", "noreply-portal@example.org"};
	for (size_t i = 0; i < G_N_ELEMENTS(machines); i++)
		cr_assert_str_eq(guard("", machines[i]), "machine_sender", "%s", machines[i]);
	cr_assert_str_eq(guard("", "eingang@amt.example"), "own_address");
	cr_assert_str_eq(guard("", "kein mensch"), "address");
}

Test(guard, any_header_however_broken_ends)
{
	static const char *const broken[] = {
	        "", "\n", ":", " : x", "a", "a\n b\n c", "\r", "List-", "To:", "To:\n \n \n"};
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
		g_autofree char *exact = g_memdup2(broken[i], strlen(broken[i]) + 1);
		AUTO(mail_head) head = mail_head_read(exact, strlen(exact));
		guard_reply(head, "a@example.org", NULL);
	}
	g_autofree char *endless = g_strnfill(2 * MAIL_HEAD_MAX, 'x');
	AUTO(mail_head) head = mail_head_read(endless, 2 * MAIL_HEAD_MAX);
	cr_assert_null(mail_head_get(head, "x"));
}
