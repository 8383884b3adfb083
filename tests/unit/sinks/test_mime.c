/* A reply, read back by a mail library: every header is ours, whatever the other side wrote. */
#include "core/date.h"
#include "core/error.h"
#include "core/mail.h"
#include "sinks/mime.h"

#include <criterion/criterion.h>
#include <gmime/gmime.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeParser, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMessage, g_object_unref)

static const struct mime_settings settings = {.from_address = "eingang@amt.example",
        .from_name = "Agentur für Arbeit",
        .domain = "amt.example",
        .loop = "1f3a2b4c"};

static struct reply plain_reply(void)
{
	return (struct reply){.to = "kunde@example.org",
	        .in_reply_to = "<abc@example.org>",
	        .references = "<one@example.org> <two@example.org>",
	        .subject = "Eingangsbestätigung zu Ihrer Mitteilung über eine Ortsabwesenheit",
	        .body = "Guten Tag,\n\nIhre Mitteilung ist da.\n",
	        .token = "r.1f3a2b4c-17.0123456789abcdef",
	        .date = berlin_instant(day_from_civil(2024, 4, 8), 0)};
}

static char *build(const struct reply *reply)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = mime_reply(reply, &settings, &error);
	cr_assert_not_null(bytes, "%s", error ? error->message : "");
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	return g_strndup(data, size);
}

static GMimeMessage *parse(const char *text)
{
	g_mime_init();
	g_autoptr(GMimeStream) stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
	g_autoptr(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	cr_assert_not_null(message);
	return message;
}

static void header_is(GMimeMessage *message, const char *name, const char *expected)
{
	const char *value = g_mime_object_get_header(GMIME_OBJECT(message), name);
	cr_assert_not_null(value, "%s is missing", name);
	cr_assert_str_eq(value, expected, "%s: %s", name, value);
}

static char *body_of(GMimeMessage *message)
{
	GMimeObject *part = g_mime_message_get_mime_part(message);
	cr_assert(GMIME_IS_TEXT_PART(part));
	return g_mime_text_part_get_text(GMIME_TEXT_PART(part));
}

/* Names of the headers in order, joined. */
static char *header_names(GMimeMessage *message)
{
	GString *names = g_string_new(NULL);
	GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(message));
	for (int i = 0; i < g_mime_header_list_get_count(list); i++)
		g_string_append_printf(
		        names, "%s ", g_mime_header_get_name(g_mime_header_list_get_header_at(list, i)));
	return g_string_free(names, FALSE);
}

Test(mime, a_reply_has_exactly_these_headers)
{
	struct reply reply = plain_reply();
	g_autofree char *text = build(&reply);
	g_autoptr(GMimeMessage) message = parse(text);
	g_autofree char *names = header_names(message);
	cr_assert_str_eq(names, "From To Subject Date Message-ID In-Reply-To References Auto-Submitted "
	                        "X-Auto-Response-Suppress X-Posteingang-Loop MIME-Version ");
	header_is(message, "To", "kunde@example.org");
	header_is(message, "Date", "Mon, 08 Apr 2024 00:00:00 +0200");
	header_is(message, "Message-ID", "<r.1f3a2b4c-17.0123456789abcdef@amt.example>");
	header_is(message, "In-Reply-To", "<abc@example.org>");
	header_is(message, "Auto-Submitted", "auto-replied");
	header_is(message, "X-Auto-Response-Suppress", "All");
	header_is(message, "X-Posteingang-Loop", "1f3a2b4c");
	cr_assert_str_eq(g_mime_message_get_subject(message), reply.subject);
	const char *references = g_mime_object_get_header(GMIME_OBJECT(message), "References");
	cr_assert(strstr(references, "<one@example.org>") && strstr(references, "<abc@example.org>"));
	InternetAddressList *from = g_mime_message_get_from(message);
	InternetAddress *first = internet_address_list_get_address(from, 0);
	cr_assert_str_eq(internet_address_get_name(first), "Agentur für Arbeit");
	cr_assert_str_eq(
	        internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)), "eingang@amt.example");
}

Test(mime, umlauts_and_long_lines_arrive_as_they_were)
{
	struct reply reply = plain_reply();
	g_autoptr(GString) body =
	        g_string_new("Größe, Straße, €, 😀 = gleich\n.\nFrom hier\nblank am Ende \n\ttab\t\n");
	for (int i = 0; i < 300; i++)
		g_string_append(body, "Wörter ohne Ende, ");
	g_string_append(body, "Schluss\n");
	reply.body = body->str;
	g_autofree char *text = build(&reply);
	for (const char *line = text, *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		cr_assert_leq(end - line, 78, "a long line: %.*s", (int)(end - line), line);
	for (const char *p = text; *p; p++)
		cr_assert((unsigned char)*p < 0x80 && *p != '\0', "only ASCII");
	cr_assert_null(strstr(text, "\r\n.\r\n"), "no line that ends the mail");
	g_autoptr(GMimeMessage) message = parse(text);
	g_autofree char *got = body_of(message);
	g_auto(GStrv) lines = g_strsplit(got, "\r\n", -1);
	g_autofree char *unix_got = g_strjoinv("\n", lines);
	cr_assert_str_eq(unix_got, body->str);
}

Test(mime, hostile_texts_add_no_header_and_no_recipient)
{
	static const char *const hostile[] = {
	        "Hallo\r\nBcc: victim@example.net",
	        "Hallo\nBcc: victim@example.net\n\nText",
	        "Hallo\rBcc: victim@example.net",
	        "=?UTF-8?Q?x=0D=0ABcc:_victim@example.net?=",
	        "Hallo \xe2\x80\xa8 Bcc: victim@example.net",
	        "Hallo \x01\x7f\xff\xfe ende",
	        "\xc3",
	        "",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		struct reply reply = plain_reply();
		reply.subject = hostile[i];
		reply.in_reply_to = hostile[i];
		reply.references = hostile[i];
		g_autofree char *text = build(&reply);
		cr_assert_null(strstr(text, "\nBcc:"), "%zu", i);
		g_autoptr(GMimeMessage) message = parse(text);
		cr_assert_null(g_mime_object_get_header(GMIME_OBJECT(message), "Bcc"));
		cr_assert_null(g_mime_object_get_header(GMIME_OBJECT(message), "In-Reply-To"), "%zu", i);
		g_autofree char *body = body_of(message);
		cr_assert(g_str_has_prefix(body, "Guten Tag"), "%zu: %s", i, body);
	}
}

Test(mime, only_plain_addresses_are_written_to)
{
	static const char *const good[] = {"a@b.de", "vor.nach+x@sub.example.org", "o'neil@example.org",
	        "a_b-c@x.y", "x@xn--mller-kva.de"};
	static const char *const bad[] = {NULL, "", "@", "a@", "@b.de", "a b@c.de", "a@b..de", ".a@b.de",
	        "a.@b.de", "a..b@c.de", "\"a b\"@c.de", "a@[127.0.0.1]", "a@b.de\r\nBcc: c@d.de", "a@b.de>",
	        "<a@b.de>", "a@b.de,c@d.de", "A <a@b.de>", "a@-b.de", "a@b-.de", "ü@b.de", "a@bü.de",
	        "a\n@b.de", "a@b.de ", "(x)a@b.de"};
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		cr_assert(mime_address_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_assert_not(mime_address_is_valid(bad[i]), "%s", bad[i] ? bad[i] : "NULL");
	g_autofree char *local = g_strnfill(65, 'a'), *longest = g_strconcat(local, "@b.de", NULL);
	cr_assert_not(mime_address_is_valid(longest));
	struct reply reply = plain_reply();
	reply.to = bad[12];
	g_autoptr(GError) error = NULL;
	cr_assert_null(mime_reply(&reply, &settings, &error));
	cr_assert_eq(error_scope(error), SCOPE_ITEM);
	cr_assert_eq(error_when(error), WHEN_NEVER);
}

Test(mime, the_token_stands_in_the_bounce_address)
{
	g_autofree char *verp = mime_verp("bounce@amt.example", "r.1-2.ab");
	cr_assert_str_eq(verp, "bounce+r.1-2.ab@amt.example");
	g_autofree char *null_sender = mime_verp("", "r.1-2.ab");
	cr_assert_str_eq(null_sender, "");
}

Test(mime, a_subject_of_any_length_is_folded_into_short_words)
{
	for (size_t n = 0; n < 300; n++) {
		GString *subject = g_string_new(NULL);
		for (size_t i = 0; i < n; i++)
			g_string_append(subject, i % 7 ? "e" : "ü");
		struct reply reply = plain_reply();
		reply.subject = subject->str;
		g_autofree char *text = build(&reply);
		g_autoptr(GMimeMessage) message = parse(text);
		cr_assert_str_eq(
		        g_mime_message_get_subject(message) ? g_mime_message_get_subject(message) : "",
		        subject->str, "%zu", n);
		g_string_free(subject, TRUE);
	}
}

Test(mime, our_own_decoder_takes_it_for_an_automatic_reply)
{
	mail_setup();
	struct reply reply = plain_reply();
	g_autofree char *text = build(&reply);
	g_autoptr(GBytes) raw = g_bytes_new(text, strlen(text));
	AUTO(message) message = mail_decode(raw, NULL);
	cr_assert_eq(message->automatic, AUTOMATIC_REPLIED, "so that two of us never write to each other");
	cr_assert_str_eq(message->subject, reply.subject);
	cr_assert_str_eq(message->text, reply.body);
}
