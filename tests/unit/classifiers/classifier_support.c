#include "classifier_support.h"
#include "core/date.h"
#include "core/file.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

static void put(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	if (text)
		cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static void copy(const char *folder, const char *name)
{
	g_autofree char *from = g_build_filename(SOURCE_DIR "/config", name, NULL);
	g_autofree char *to = g_build_filename(folder, name, NULL);
	g_autoptr(GBytes) bytes = file_read(from, 1 << 20, NULL);
	cr_assert_not_null(bytes);
	cr_assert(g_file_set_contents(
	        to, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), NULL));
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = {"catalogue.yaml", "classifiers/lexicon.yaml",
	        "classifiers/terms_x.yaml", "classifiers/combine.yaml", "classifiers", ""};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_remove(path);
	}
}

struct bundle *small_bundle(const char *lexicon, const char *terms, const char *combine)
{
	g_autofree char *folder = g_dir_make_tmp("posteingang-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(folder, "classifiers", NULL);
	cr_assert_eq(g_mkdir(sub, 0700), 0);
	copy(folder, "catalogue.yaml");
	put(folder, "classifiers/lexicon.yaml", lexicon);
	put(folder, "classifiers/terms_x.yaml", terms);
	if (combine)
		put(folder, "classifiers/combine.yaml", combine);
	else
		copy(folder, "classifiers/combine.yaml");
	struct bundle *bundle = bundle_read(folder, NULL);
	cr_assert_not_null(bundle);
	remove_folder(folder);
	return bundle;
}

struct bundle *shipped_bundle(void)
{
	g_autoptr(GError) error = NULL;
	struct bundle *bundle = bundle_read(SOURCE_DIR "/config", &error);
	cr_assert_not_null(bundle, "%s", error ? error->message : "");
	return bundle;
}

struct message *text_message(const char *subject, const char *text)
{
	struct message *message = message_new();
	message->channel = CHANNEL_POSTBOX;
	message->received = berlin_instant(day_from_civil(2024, 1, 15), 12);
	message->subject = g_strdup(subject);
	message->text = g_strdup(text);
	message->reply_text = g_strdup(text);
	return message;
}

char *diag_text(const struct diag *diag)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < diag_total(diag); i++) {
		const struct diag_entry *entry = diag_get(diag, i);
		g_autofree char *file = g_path_get_basename(entry->file ? entry->file : "");
		g_string_append_printf(text, "%s:%d:%d: %s\n", file, entry->line, entry->column, entry->text);
	}
	return g_string_free(text, FALSE);
}
