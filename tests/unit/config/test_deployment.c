/* Where the configuration is looked for, and what a deployment file may say. */
#include "config/deployment.h"
#include "core/error.h"

#include <criterion/criterion.h>
#include <string.h>

static char *write_file(const char *text)
{
	g_autofree char *folder = g_dir_make_tmp("deployment-XXXXXX", NULL);
	char *file = g_build_filename(folder, "posteingang.yaml", NULL);
	g_file_set_contents(file, text, -1, NULL);
	return file;
}

Test(deployment, a_file_gives_its_sections_and_the_defaults_of_the_rest)
{
	g_autofree char *file =
	        write_file("note: Test\nsources:\n  a: {type: maildir}\nlimits: {batch: 7}\n");
	AUTO(diag) diag = diag_new();
	AUTO(deployment) d = deployment_load(file, diag, NULL);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_str_eq(d->instance_note, "Test");
	cr_assert_eq(d->limits.batch, 7);
	cr_assert_eq(d->limits.item_size, 25 << 20);
	cr_assert_not_null(d->sources);
	cr_assert_null(d->sinks);
}

Test(deployment, facts_may_be_one_provider_or_a_list_of_them)
{
	static const char *const texts[] = {
	        "facts: {type: table}\n", "facts: [{type: table}, {type: http}]\n"};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *file = write_file(texts[i]);
		AUTO(diag) diag = diag_new();
		AUTO(deployment) d = deployment_load(file, diag, NULL);
		cr_assert_eq(diag_total(diag), 0);
		cr_assert_not_null(d->facts);
	}
}

Test(deployment, the_folder_of_the_file_stands_for_the_file)
{
	g_autofree char *file = write_file("note: x\n");
	g_autofree char *folder = g_path_get_dirname(file);
	AUTO(diag) diag = diag_new();
	AUTO(deployment) d = deployment_load(folder, diag, NULL);
	cr_assert_str_eq(d->file, file);
}

Test(deployment, a_misspelt_section_is_an_error_with_a_suggestion)
{
	g_autofree char *file = write_file("note: x\nsoruces: []\n");
	AUTO(diag) diag = diag_new();
	AUTO(deployment) d = deployment_load(file, diag, NULL);
	cr_assert_eq(diag_count(diag, SEVERITY_ERROR), 1);
	cr_assert_eq(diag_get(diag, 0)->line, 2);
	cr_assert(strstr(diag_get(diag, 0)->text, "did you mean \"sources\""));
}

Test(deployment, a_name_that_is_not_there_is_a_configuration_error)
{
	g_autoptr(GError) error = NULL;
	AUTO(diag) diag = diag_new();
	AUTO(deployment) d = deployment_load("/nonexistent/p.yaml", diag, &error);
	cr_assert_null(d);
	cr_assert_eq(error_exit_code(error), 78);
}

Test(deployment, an_empty_file_has_all_defaults)
{
	g_autofree char *file = write_file("");
	AUTO(diag) diag = diag_new();
	AUTO(deployment) d = deployment_load(file, diag, NULL);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_eq(d->limits.attempts, 12);
}
