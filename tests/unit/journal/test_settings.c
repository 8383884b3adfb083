/* The journal: section, and the key of the embedded default. */
#include "journal/settings.h"
#include "core/error.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Errors of a section, as one text. */
static char *errors_of(const char *text, struct journal_settings *settings)
{
	AUTO(diag) diag = diag_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	AUTO(yaml_file) yaml = yaml_load("posteingang.yaml", bytes, diag);
	journal_settings_read(yaml_root(yaml), settings, diag);
	GString *all = g_string_new(NULL);
	for (unsigned i = 0; i < diag_total(diag); i++)
		g_string_append_printf(all, "%s\n", diag_get(diag, i)->text);
	return g_string_free(all, FALSE);
}

static void finds(const char *text, const char *what)
{
	struct journal_settings settings = {0};
	g_autofree char *errors = errors_of(text, &settings);
	journal_settings_clear(&settings);
	cr_assert_not_null(strstr(errors, what), "%s: %s", text, errors);
}

static struct journal_settings sqlite_in(const char *folder)
{
	struct journal_settings settings = {0};
	g_autofree char *text = g_strdup_printf("{path: %s/below/journal.db}", folder);
	g_autofree char *errors = errors_of(text, &settings);
	cr_assert_str_empty(errors);
	return settings;
}

Test(settings, postgres_needs_an_address_and_the_key_all_workers_share)
{
	finds("{type: postgres}", "missing key \"conninfo\"");
	finds("{type: postgres, conninfo: host=x}", "missing key \"pseudonym_key_file\"");
}

Test(settings, a_password_never_stands_in_the_address)
{
	finds("{type: postgres, conninfo: host=x password=y}", "password_file");
}

Test(settings, business_now_is_for_the_embedded_journal_only)
{
	finds("{type: postgres, conninfo: host=x, business_now: 2026-06-01}", "for demonstrations");
	finds("{business_now: yesterday}", "expected a time");
	struct journal_settings settings = {0};
	g_autofree char *errors = errors_of("{business_now: '2026-06-01T08:00:00+02:00'}", &settings);
	cr_assert_str_empty(errors);
	cr_assert_eq(settings.fixed_now, INT64_C(1780293600000000));
	journal_settings_clear(&settings);
}

Test(settings, the_first_run_makes_a_key_that_only_the_owner_can_read_and_keeps_it)
{
	g_autofree char *folder = g_dir_make_tmp("settings-XXXXXX", NULL);
	struct journal_settings settings = sqlite_in(folder);
	struct journal_options first = {0}, second = {0};
	g_autofree char *key = g_build_filename(folder, "below", "journal.db.key", NULL);
	struct stat st;
	cr_assert(journal_settings_prepare(&settings, NULL));
	cr_assert_eq(stat(key, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert(journal_settings_options_of(&settings, &first, NULL));
	cr_assert(journal_settings_prepare(&settings, NULL));
	cr_assert(journal_settings_options_of(&settings, &second, NULL));
	cr_assert_geq(g_bytes_get_size(first.pseudonym_key), 32);
	cr_assert(g_bytes_equal(first.pseudonym_key, second.pseudonym_key));
	journal_options_clear(&first);
	journal_options_clear(&second);
	journal_settings_clear(&settings);
}

Test(settings, a_journal_whose_key_is_lost_gets_no_new_one)
{
	g_autofree char *folder = g_dir_make_tmp("settings-XXXXXX", NULL);
	struct journal_settings settings = sqlite_in(folder);
	g_autofree char *below = g_build_filename(folder, "below", NULL);
	g_mkdir(below, 0700);
	g_file_set_contents(settings.path, "x", 1, NULL);
	g_autoptr(GError) error = NULL;
	cr_assert_not(journal_settings_prepare(&settings, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	journal_settings_clear(&settings);
}
