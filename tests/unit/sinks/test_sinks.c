/* The `sinks:` section: every mistake with its place, and what must not be missing. */
#include "support.h"

#include <string.h>

#define BOTH "eakte: {type: folder, path: a}\narchive: {type: jsonl, path: b}\n"

static void finds(const char *yaml, const char *expected)
{
	g_autofree char *findings = NULL;
	AUTO(sinks) sinks = sinks_of(yaml, &findings);
	cr_assert_not_null(findings, "nothing found in %s", yaml);
	cr_assert(strstr(findings, expected), "expected \"%s\" in %s", expected, findings);
}

Test(sinks, without_a_section_nothing_is_configured)
{
	AUTO(diag) diag = diag_new();
	AUTO(sinks) sinks = sinks_load(NULL, diag);
	cr_assert_eq(diag_total(diag), 0);
	for (int i = 0; i < SINK_ROLES; i++)
		cr_assert_null(sinks->outlets[i].sink);
}

Test(sinks, eakte_and_archive_must_be_there)
{
	finds("archive: {type: jsonl, path: b}\n", "eakte is missing");
	finds("eakte: {type: folder, path: a}\n", "archive is missing");
}

Test(sinks, mistakes_have_their_place_and_a_hint)
{
	finds(BOTH "eakt: {}\n", "test.yaml:3:1: error:");
	finds("eakte: {type: foldr, path: a}\narchive: {type: jsonl, path: b}\n", "did you mean \"folder\"?");
	finds("eakte: {type: smtp, path: a}\narchive: {type: jsonl, path: b}\n",
	        "no type \"smtp\", expected folder");
	finds("eakte: {type: folder}\narchive: {type: jsonl, path: b}\n", "missing key \"path\"");
	finds(BOTH "tickets: {type: http, url: http://tickets.example}\n", "expected https://");
}

Test(sinks, a_mail_sink_is_checked_before_the_first_mail)
{
	finds(BOTH "reply_email: {type: smtp, host: mail.example, from: nobody}\n", "expected an address");
	finds(BOTH "reply_email: {type: smtp, host: mail.example, from: a@b.de, auth: plain}\n",
	        "needs a user");
	finds(BOTH "reply_email: {type: smtp, host: mail.example, from: a@b.de, auth: plain, user: x}\n",
	        "password_file");
	finds(BOTH "reply_email: {type: smtp, host: mail.example, from: a@b.de, auth: xoauth2, user: x}\n",
	        "either a token_url or a token_file");
	finds(BOTH "reply_email: {type: smtp, host: 'mail.example/x', from: a@b.de}\n",
	        "expected a host name");
	finds(BOTH "reply_email: {type: smtp, host: mail.example, from: a@b.de, tls: none}\n", "starttls");
}

Test(sinks, every_member_says_what_it_is)
{
	for (int i = 0; sinks_all[i]; i++) {
		cr_assert(sinks_all[i]->summary && *sinks_all[i]->summary);
		cr_assert(sinks_all[i]->roles && sinks_all[i]->batch && sinks_all[i]->open &&
		          sinks_all[i]->deliver && sinks_all[i]->close && sinks_all[i]->describe);
		for (const struct option *option = sinks_all[i]->options; option->name; option++)
			cr_assert(option->help && *option->help, "%s.%s", sinks_all[i]->name, option->name);
	}
}
