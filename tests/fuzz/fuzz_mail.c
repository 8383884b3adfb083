/* fuzz_mail.c - whatever the bytes are, the decoder ends, stays in its bounds and gives valid UTF-8.
 *
 * Built with libFuzzer where POSTEINGANG_FUZZ is on; else with a main() that runs it over files and folders;
 * with
 * --changed each file also cut in half and with single bytes changed. */
#include "core/mail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* abort(), so that libFuzzer keeps the input. */
static void die(const char *what, const char *text)
{
	fprintf(stderr, "%s: %.200s\n", what, text);
	abort();
}

static void check_text(const char *text)
{
	if (text && !g_utf8_validate(text, -1, NULL))
		die("not UTF-8", text);
}

static void check_spans(const char *text)
{
	bool quoted;
	size_t size = strlen(text), end = 0;
	g_autoptr(GArray) spans = reply_spans(text, size, &quoted);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		if (span->length == 0 || span->offset < end || (size_t)span->offset + span->length > size)
			die("span out of order", text);
		end = (size_t)span->offset + span->length;
	}
}

static void check_message(const struct message *message)
{
	if (!message->text || !message->reply_text || strlen(message->text) > MAIL_MAX_TEXT)
		die("no text, or too much", "");
	if (message->attachments->len > 2 * MAIL_MAX_PARTS || message->defects->len > 50)
		die("too many parts or defects", "");
	if ((message->automatic == AUTOMATIC_BOUNCE) != (message->bounce != NULL))
		die("bounce without its data", message->text);
	check_text(message->text);
	check_text(message->reply_text);
	check_text(message->subject);
	check_text(message->from_name);
	check_text(message->from_email);
	check_text(message->message_id);
	check_spans(message->text);
	for (guint i = 0; i < message->attachments->len; i++)
		check_text(((const struct attachment *)g_ptr_array_index(message->attachments, i))->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mail_setup();
	g_autoptr(GBytes) raw = g_bytes_new_static(data, size);
	AUTO(message) message = mail_decode(raw, NULL);
	check_message(message);
	JSON_AUTO object = mail_inspect(raw);
	if (!json_is_object(object))
		die("inspect gives no object", "");
	g_autofree char *html = html_to_text((const char *)data, size);
	check_text(html);
	g_autofree char *text = g_utf8_make_valid((const char *)data, (gssize)size);
	check_spans(text);
	return 0;
}

#ifndef WITH_LIBFUZZER
static unsigned files_run;
static bool changed;

static void run_changed(const char *data, size_t size)
{
	g_autofree uint8_t *copy = g_memdup2(data, size);
	LLVMFuzzerTestOneInput(copy, size / 2);
	for (size_t step = size / 3 + 1, i = step; i < size; i += step) {
		uint8_t old = copy[i];
		copy[i] = (uint8_t)(old ^ 0x21);
		LLVMFuzzerTestOneInput(copy, size);
		copy[i] = old;
	}
}

static void run_file(const char *path)
{
	g_autofree char *data = NULL;
	gsize size;
	if (!g_file_get_contents(path, &data, &size, NULL))
		return;
	files_run++;
	LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	if (changed && size && size < 100000)
		run_changed(data, size);
}

static void run_path(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;
	if (!folder) {
		run_file(path);
		return;
	}
	while ((name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		run_path(child);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--changed") == 0)
			changed = true;
		else
			run_path(argv[i]);
	}
	printf("%u files\n", files_run);
	return files_run ? 0 : 1;
}
#endif
