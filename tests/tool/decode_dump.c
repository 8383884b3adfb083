/* decode_dump.c - what the decoder makes of files, one JSON object a line, for the score table and by hand.
 *
 * Reads lines `KIND<TAB>PATH`: mail (mail_inspect and the struct's names), text (reply_spans), html
 * (html_to_text and reply_spans), tnef. Prints in the same order. */
#include "core/file.h"
#include "core/mail.h"

#include <stdio.h>
#include <string.h>

static char *reply_of(const char *text, size_t size, bool *quoted)
{
	g_autoptr(GArray) spans = reply_spans(text, size, quoted);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		g_string_append_len(out, text + span->offset, span->length);
	}
	return g_string_free(out, FALSE);
}

static json_t *dump_text(const char *text, size_t size)
{
	json_t *object = json_object();
	bool quoted;
	g_autofree char *reply = reply_of(text, size, &quoted);
	json_set_string(object, "text", text);
	json_set_string(object, "reply_text", reply);
	json_set_bool(object, "quoted", quoted);
	g_autoptr(GArray) spans = reply_spans(text, size, &quoted);
	g_autofree char *first = spans->len ? g_strndup(text + g_array_index(spans, struct span, 0).offset,
	                                              g_array_index(spans, struct span, 0).length)
	                                    : g_strdup("");
	json_set_string(object, "first", first);
	return object;
}

static json_t *dump_mail(GBytes *raw)
{
	json_t *object = mail_inspect(raw);
	AUTO(message) message = mail_decode(raw, NULL);
	json_set_string(object, "from_name", message->from_name);
	json_set_string(object, "from_email", message->from_email);
	json_set_bool(object, "undecodable", message->undecodable);
	json_set_bool(object, "is_html", message->html != NULL);
	return object;
}

/* A bare TNEF stream is wrapped into the mail it would come in. */
static json_t *dump_tnef(GBytes *raw)
{
	gsize size;
	const guchar *data = g_bytes_get_data(raw, &size);
	g_autofree char *base64 = g_base64_encode(data, size);
	GString *mail =
	        g_string_new("From: a@example.org\nContent-Type: application/ms-tnef; name=winmail.dat\n"
	                     "Content-Transfer-Encoding: base64\n\n");
	g_string_append(mail, base64);
	g_autoptr(GBytes) wrapped = g_string_free_to_bytes(mail);
	return mail_inspect(wrapped);
}

static json_t *dump_html(const char *html, size_t size)
{
	g_autofree char *text = html_to_text(html, size);
	return dump_text(text, strlen(text));
}

static json_t *dump(const char *kind, const char *path)
{
	g_autoptr(GBytes) raw = file_read(path, 256u << 20, NULL);
	gsize size = 0;
	const char *data = raw ? g_bytes_get_data(raw, &size) : NULL;
	if (!raw)
		return json_null();
	if (strcmp(kind, "mail") == 0)
		return dump_mail(raw);
	if (strcmp(kind, "tnef") == 0)
		return dump_tnef(raw);
	g_autofree char *text = g_utf8_make_valid(data, (gssize)size);
	return strcmp(kind, "html") == 0 ? dump_html(text, strlen(text)) : dump_text(text, strlen(text));
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	mail_setup();
	while (getline(&line, &room, stdin) > 0) {
		g_strchomp(line);
		char *path = strchr(line, '\t');
		if (!path)
			continue;
		*path++ = '\0';
		JSON_AUTO object = dump(line, path);
		json_dumpf(object, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
		fputc('\n', stdout);
	}
	free(line);
	return 0;
}
