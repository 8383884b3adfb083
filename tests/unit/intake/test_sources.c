/* The `sources:` part of the deployment file, right and wrong. */
#include "intake/sources.h"

#include <criterion/criterion.h>
#include <string.h>

static char *errors_of(const char *text, unsigned *n)
{
	AUTO(diag) diag = diag_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	AUTO(yaml_file) yaml = yaml_load("posteingang.yaml", bytes, diag);
	g_autoptr(GPtrArray) sources = sources_read(yaml_get(yaml_root(yaml), "sources"), diag);
	*n = sources->len;
	GString *out = g_string_new(NULL);
	for (unsigned i = 0; i < diag_total(diag); i++) {
		const struct diag_entry *entry = diag_get(diag, i);
		g_string_append_printf(out, "%d:%d %s\n", entry->line, entry->column, entry->text);
	}
	return g_string_free(out, FALSE);
}

Test(sources, good_sources_are_read_without_a_word)
{
	unsigned n;
	g_autofree char *errors = errors_of("sources:\n"
	                                    "  spool: {type: maildir, path: /var/mail/x}\n"
	                                    "  portal: {type: postbox, url: 'https://p.example.org'}\n",
	        &n);
	cr_assert_str_eq(errors, "");
	cr_assert_eq(n, 2);
}

Test(sources, an_unknown_key_is_told_once_with_its_place)
{
	unsigned n;
	g_autofree char *errors =
	        errors_of("sources:\n  spool:\n    type: maildir\n    path: /x\n    pausd: true\n", &n);
	cr_assert(g_str_has_prefix(errors, "5:5 "), "%s", errors);
	cr_assert(strstr(errors, "paused"), "%s", errors);
	cr_assert_null(strchr(strchr(errors, '\n') + 1, '\n'), "%s", errors);
}

Test(sources, a_type_that_does_not_exist_is_told)
{
	unsigned n;
	g_autofree char *errors = errors_of("sources:\n  spool: {type: imp}\n", &n);
	cr_assert(strstr(errors, "imap"), "%s", errors);
	cr_assert_eq(n, 0);
}

Test(sources, what_no_single_option_can_tell_is_checked)
{
	unsigned n;
	g_autofree char *errors = errors_of(
	        "sources:\n  mail: {type: imap, host: h, user: u, settle: move, move_to: INBOX}\n", &n);
	cr_assert(strstr(errors, "password_file"), "%s", errors);
	cr_assert(strstr(errors, "moved to a mailbox that is taken in"), "%s", errors);
}

Test(sources, a_name_that_could_break_keys_or_logs_is_refused)
{
	unsigned n;
	g_autofree char *errors = errors_of("sources:\n  'a b': {type: maildir, path: /x}\n", &n);
	cr_assert(strstr(errors, "a source's name"), "%s", errors);
}

Test(sources, every_option_is_documented)
{
	for (const struct connector *const *c = connectors; *c; c++)
		for (const struct option *o = (*c)->options; o->name; o++)
			cr_assert(o->help && *o->help, "%s.%s", (*c)->name, o->name);
}
