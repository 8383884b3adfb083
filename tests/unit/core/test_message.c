/* The `classify` line: what is read, what is refused and how it is said. */
#include "core/date.h"
#include "core/error.h"
#include "core/item.h"

#include <criterion/criterion.h>
#include <string.h>

static struct message *read_line(const char *text, GError **error)
{
	JSON_AUTO line = json_read(text, strlen(text), NULL);
	cr_assert(line);
	return message_from_json(line, error);
}

static void refuse(const char *text, const char *key)
{
	g_autoptr(GError) error = NULL;
	AUTO(message) message = read_line(text, &error);
	cr_assert_null(message, "%s", text);
	cr_assert_eq(error_class(error), ERROR_INPUT);
	cr_assert(strstr(error->message, key), "\"%s\" does not name %s", error->message, key);
}

Test(message, a_line_becomes_a_message)
{
	AUTO(message)
	m = read_line("{\"id\":1,\"channel\":\"email\",\"received\":\"2023-05-12\",\"from_email\":\"a@b.de\","
	              "\"subject\":\"Hallo\",\"body\":\"Ja.\\n> Kommen Sie?\\n\",\"unknown\":[1]}",
	        NULL);
	cr_assert(m);
	cr_assert_str_eq(m->subject, "Hallo");
	cr_assert_str_eq(m->reply_text, "Ja.\n");
	cr_assert(m->quoted);
	cr_assert_str_eq(m->envelope_from, "a@b.de");
	int64_t noon;
	instant_parse("2023-05-12T12:00:00+02:00", &noon);
	cr_assert_eq(m->received, noon);
}

Test(message, html_is_read_where_no_body_is)
{
	AUTO(message)
	m = read_line("{\"channel\":\"postbox\",\"received\":\"2023-05-12\",\"body\":null,"
	              "\"html\":\"<p>Gr&uuml;&szlig;e</p><p hidden>weg</p>\"}",
	        NULL);
	cr_assert(m);
	cr_assert_str_eq(m->text, "Grüße\n");
	cr_assert(m->html);
}

Test(message, an_attachment_that_nobody_can_read_is_known_by_type_or_name)
{
	static const char *const files[] = {
	        "{\"name\":\"x\",\"type\":\"Application/PKCS7-MIME; smime-type=enveloped-data\"}",
	        "{\"name\":\"smime.p7m\"}",
	        "{\"name\":\"WINMAIL.DAT\",\"type\":\"application/octet-stream\"}",
	        "{\"name\":\"brief.pgp\",\"type\":\"application/octet-stream\"}",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *line = g_strdup_printf(
		        "{\"channel\":\"postbox\",\"received\":\"2023-05-12\",\"attachments\":[%s]}",
		        files[i]);
		AUTO(message) m = read_line(line, NULL);
		cr_assert(m);
		cr_expect(m->unsuitable, "%s", files[i]);
	}
}

Test(message, an_ordinary_attachment_is_no_unsuitable_document)
{
	AUTO(message)
	m = read_line("{\"channel\":\"postbox\",\"received\":\"2023-05-12\",\"attachments\":[{\"name\":"
	              "\"brief.pdf\",\"type\":\"application/pdf\"},{},{\"name\":\"smime.p7s\",\"type\":"
	              "\"application/pkcs7-signature\"}]}",
	        NULL);
	cr_assert(m);
	cr_expect_null(m->unsuitable);
}

Test(message, null_is_absent_and_an_empty_item_is_no_error)
{
	AUTO(message)
	m = read_line("{\"channel\":\"postbox\",\"received\":\"2023-05-12\",\"subject\":null,\"form\":null,"
	              "\"attachments\":null,\"automatic\":null}",
	        NULL);
	cr_assert(m);
	cr_assert_null(m->subject);
	cr_assert_null(m->form);
	cr_assert_str_eq(m->text, "");
	cr_assert_eq(m->automatic, AUTOMATIC_NO);
}

Test(message, a_form_keeps_its_entries_and_dates)
{
	AUTO(message)
	m = read_line("{\"channel\":\"eservice\",\"received\":\"2023-05-12T08:00:00+02:00\",\"form\":{"
	              "\"type\":\"arbeitsuchendmeldung\",\"from\":\"2023-06-01\",\"text\":\"x\","
	              "\"cv\":{\"studium\":\"empty\",\"schulbildung\":\"filled\",\"sonstiges\":null}}}",
	        NULL);
	cr_assert(m);
	cr_assert_eq(m->form->type, FORM_ARBEITSUCHENDMELDUNG);
	cr_assert_eq(m->form->from, day_from_civil(2023, 6, 1));
	cr_assert_eq(m->form->to, DAY_NONE);
	cr_assert_eq(m->form->cv->len, 3);
	const struct cv_entry *entry = g_ptr_array_index(m->form->cv, 0);
	cr_assert_str_eq(entry->name, "studium");
	cr_assert_eq(entry->state, CV_EMPTY);
}

Test(message, an_unknown_form_type_is_kept_for_the_catalogue)
{
	AUTO(message)
	m = read_line("{\"channel\":\"eservice\",\"received\":\"2023-05-12\",\"form\":{\"type\":\"neu\","
	              "\"kind\":\"x\"}}",
	        NULL);
	cr_assert(m);
	cr_assert_eq(m->form->type, FORM_UNKNOWN);
	cr_assert_str_eq(m->form->type_name, "neu");
	cr_assert_str_eq(m->form->kind, "x");
}

Test(message, wrong_types_and_values_are_refused_by_key)
{
	refuse("[]", "line");
	refuse("{\"received\":\"2023-05-12\"}", "channel");
	refuse("{\"channel\":\"fax\",\"received\":\"2023-05-12\"}", "channel");
	refuse("{\"channel\":\"email\"}", "received");
	refuse("{\"channel\":\"email\",\"received\":\"12.05.2023\"}", "received");
	refuse("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"subject\":5}", "subject");
	refuse("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"body\":\"a\\u0000b\"}", "body");
	refuse("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"attachments\":{}}", "attachments");
	refuse("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"attachments\":[{\"name\":1}]}",
	        "attachments.name");
	refuse("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"automatic\":\"maybe\"}", "automatic");
	refuse("{\"channel\":\"eservice\",\"received\":\"2023-05-12\",\"form\":\"x\"}", "form");
	refuse("{\"channel\":\"eservice\",\"received\":\"2023-05-12\",\"form\":{\"from\":\"1.6.2023\"}}",
	        "form.from");
	refuse("{\"channel\":\"eservice\",\"received\":\"2023-05-12\",\"form\":{\"to\":\"2023-02-29\"}}",
	        "form.to");
	refuse("{\"channel\":\"eservice\",\"received\":\"2023-05-12\",\"form\":{\"cv\":{\"studium\":\"ja\"}}"
	       "}",
	        "form.cv.studium");
}

Test(message, what_the_line_says_about_automatic_holds)
{
	AUTO(message)
	m = read_line("{\"channel\":\"email\",\"received\":\"2023-05-12\",\"subject\":\"Automatische "
	              "Antwort: x\",\"automatic\":\"no\"}",
	        NULL);
	cr_assert(m);
	cr_assert_eq(m->automatic, AUTOMATIC_NO);
}
