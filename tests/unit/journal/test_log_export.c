/* An exported log: whole when nobody touched it, by our verifier and by an independent one; else found. */
#include "core/error.h"
#include "fixture.h"
#include "journal/log_export.h"
#include "journal/log_seal.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

struct exported {
	char *folder, *keys;
	struct log_verifier *verifier;
};

static struct exported export_log(void)
{
	struct exported out = {.folder = g_dir_make_tmp("log-XXXXXX", NULL)};
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test.example", NULL);
	g_autofree char *key = log_signer_verifier(signer);
	out.verifier = log_verifier_parse(key, NULL);
	activate(journal, BUNDLE);
	for (unsigned i = 1; i <= 4; i++) {
		planned(journal, i, "eakte", false);
		struct seal_options options = {.signer = signer};
		struct seal_result result = {0};
		do {
			CHECK(journal_seal(journal, &options, &result, &why));
		} while ((int64_t)result.size < number(journal, "SELECT count(*) FROM record"));
	}
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_ptr_array_add(keys, key);
	g_autofree char *sub = g_build_filename(out.folder, "log", NULL);
	struct log_export_options options = {.folder = sub, .keys = keys};
	uint64_t leaves;
	CHECK(journal_export_log(journal, &options, &leaves, &why));
	cr_assert_eq((int64_t)leaves, number(journal, "SELECT count(*) FROM record"));
	g_autofree char *bundle = g_build_filename(sub, "bundles", BUNDLE, NULL);
	cr_assert_eq(g_unlink(bundle), 0); /* the fixture's bundle is none */
	g_free(out.folder);
	out.folder = g_steal_pointer(&sub);
	out.keys = g_build_filename(out.folder, "keys.txt", NULL);
	return out;
}

static unsigned findings(const struct exported *log)
{
	struct verify_options options = {.verifiers = &log->verifier, .n_verifiers = 1};
	GError *error = NULL;
	AUTO(verify_report) report = log_verify_export(log->folder, &options, &error);
	check_ok(report != NULL, error, "log_verify_export");
	return report->findings->len;
}

/* Exit status of the verifier in Python. */
static int stranger(const struct exported *log)
{
	g_autofree char *command = g_strdup_printf(
	        "/usr/bin/python3 %s/tests/tool/verify_log.py %s %s >&2", SOURCE_DIR, log->folder, log->keys);
	int status = system(command); /* fixed text and paths of our own */
	return WEXITSTATUS(status);
}

static void drop(struct exported *log)
{
	g_free(log->folder);
	g_free(log->keys);
	log_verifier_free(log->verifier);
}

Test(log_export, an_untouched_export_is_whole_for_us_and_for_a_stranger)
{
	struct exported log = export_log();
	cr_assert_eq(findings(&log), 0);
	cr_assert_eq(stranger(&log), 0);
	drop(&log);
}

static void edit(const struct exported *log, const char *name, void (*change)(GString *text))
{
	g_autofree char *path = g_build_filename(log->folder, name, NULL);
	g_autofree char *text = NULL;
	gsize size;
	cr_assert(g_file_get_contents(path, &text, &size, NULL));
	g_autoptr(GString) string = g_string_new_len(text, (gssize)size);
	change(string);
	cr_assert(g_file_set_contents(path, string->str, (gssize)string->len, NULL));
}

static void change_a_digit(GString *text)
{
	char *digit = strstr(text->str, "\"round\":1");
	digit[8] = '2';
}

static void cut_the_last_line(GString *text)
{
	g_string_truncate(text, text->len - 1);
	g_string_truncate(text, (gsize)(strrchr(text->str, '\n') + 1 - text->str));
}

static void swap_two_lines(GString *text)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	char *first = lines[0];
	lines[0] = lines[1];
	lines[1] = first;
	g_autofree char *joined = g_strjoinv("\n", lines);
	g_string_assign(text, joined);
}

static void bend_the_size(GString *text)
{
	char *size = strstr(text->str, "\\n");
	size[2] = size[2] == '9' ? '8' : '9';
}

static const struct {
	const char *file;
	void (*change)(GString *text);
} edits[] = {
        {"records.jsonl", change_a_digit},
        {"records.jsonl", cut_the_last_line},
        {"records.jsonl", swap_two_lines},
        {"checkpoints.jsonl", bend_the_size},
        {"checkpoints.jsonl", cut_the_last_line},
};

Test(log_export, each_change_is_found_by_us_and_by_a_stranger)
{
	for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
		struct exported log = export_log();
		edit(&log, edits[i].file, edits[i].change);
		cr_expect_gt(findings(&log), 0, "edit %zu", i);
		cr_expect_eq(stranger(&log), 1, "edit %zu", i);
		drop(&log);
	}
}

Test(log_export, a_folder_that_is_not_empty_is_not_touched)
{
	struct exported log = export_log();
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	struct log_export_options options = {.folder = log.folder};
	g_autoptr(GError) error = NULL;
	cr_assert_not(journal_export_log(journal, &options, NULL, &error));
	cr_assert_eq(error_class(error), ERROR_USAGE);
	cr_assert_eq(findings(&log), 0);
	drop(&log);
}
