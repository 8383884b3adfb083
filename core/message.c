/* message.c - the `classify` line (DESIGN.md section 5) as a message: strict in types, silent about keys it
 * does not know. */
#include "core/date.h"
#include "core/error.h"
#include "core/html.h"
#include "core/item.h"
#include "core/mail.h"
#include "core/mail_part.h"
#include "core/mail_reply.h"

#include <string.h>

#define MAX_ATTACHMENTS 1000
#define MAX_CV          1000

static bool wrong(GError **error, const char *key, const char *expected)
{
	fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "%s: %s expected", key, expected);
	return false;
}

/* The value at `key`; absent and null are NULL. */
static json_t *value_of(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

/* Copies a string; `path` is what an error names. NUL cannot be held by a C string and is refused. */
static bool take_string(const json_t *object, const char *key, const char *path, char **out, GError **error)
{
	json_t *value = value_of(object, key);
	if (!value)
		return true;
	if (!json_is_string(value))
		return wrong(error, path, "string");
	if (strlen(json_string_value(value)) != json_string_length(value))
		return wrong(error, path, "string without NUL");
	*out = g_strdup(json_string_value(value));
	return true;
}

static bool take_day(const json_t *form, const char *key, const char *path, int32_t *out, GError **error)
{
	g_autofree char *text = NULL;
	if (!take_string(form, key, path, &text, error))
		return false;
	if (text && !day_parse(text, out))
		return wrong(error, path, "date YYYY-MM-DD");
	return true;
}

static bool cv_state(const json_t *value, enum cv_state *out)
{
	static const char *const names[] = {"unknown", "empty", "filled"};
	const char *text = json_string_value(value);
	for (size_t i = 0; text && i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum cv_state)i;
			return true;
		}
	}
	return false;
}

static bool take_cv(const json_t *form, struct form *out, GError **error)
{
	json_t *cv = value_of(form, "cv"), *value;
	const char *name;
	if (!cv)
		return true;
	if (!json_is_object(cv) || json_object_size(cv) > MAX_CV)
		return wrong(error, "form.cv", "object");
	json_object_foreach (cv, name, value) {
		enum cv_state state = CV_UNKNOWN;
		if (!json_is_null(value) && !cv_state(value, &state)) {
			g_autofree char *path = g_strdup_printf("form.cv.%.60s", name);
			return wrong(error, path, "\"filled\", \"empty\" or \"unknown\"");
		}
		struct cv_entry *entry = g_new0(struct cv_entry, 1);
		*entry = (struct cv_entry){g_strdup(name), state};
		g_ptr_array_add(out->cv, entry);
	}
	return true;
}

static enum form_type form_type_of(const char *name)
{
	if (name && strcmp(name, "arbeitsuchendmeldung") == 0)
		return FORM_ARBEITSUCHENDMELDUNG;
	return name && strcmp(name, "veraenderung") == 0 ? FORM_VERAENDERUNG : FORM_UNKNOWN;
}

static bool take_form(const json_t *line, struct message *message, GError **error)
{
	json_t *form = value_of(line, "form");
	if (!form)
		return true;
	if (!json_is_object(form))
		return wrong(error, "form", "object");
	struct form *out = message->form = form_new();
	bool ok = take_string(form, "type", "form.type", &out->type_name, error) &&
	          take_string(form, "kind", "form.kind", &out->kind, error) &&
	          take_string(form, "text", "form.text", &out->text, error) &&
	          take_day(form, "from", "form.from", &out->from, error) &&
	          take_day(form, "to", "form.to", &out->to, error) && take_cv(form, out, error);
	out->type = form_type_of(out->type_name);
	return ok;
}

/* No bytes come with a line: the type and the name tell. */
static void mark_unsuitable(struct message *message, struct attachment *file)
{
	g_autofree char *type = g_ascii_strdown(file->type, (gssize)strcspn(file->type, "; \t"));
	file->unsuitable = unsuitable_reason(type, file->name, (const guint8 *)"", 0);
	if (file->unsuitable && !message->unsuitable)
		message->unsuitable = file->unsuitable;
}

static bool take_attachment(const json_t *value, struct message *message, GError **error)
{
	if (!json_is_object(value))
		return wrong(error, "attachments", "array of objects");
	struct attachment *file = attachment_new();
	g_ptr_array_add(message->attachments, file);
	if (!take_string(value, "name", "attachments.name", &file->name, error) ||
	        !take_string(value, "type", "attachments.type", &file->type, error))
		return false;
	if (!file->type)
		file->type = g_strdup("application/octet-stream");
	mark_unsuitable(message, file);
	return true;
}

static bool take_attachments(const json_t *line, struct message *message, GError **error)
{
	json_t *files = value_of(line, "attachments"), *file;
	size_t i;
	if (!files)
		return true;
	if (!json_is_array(files) || json_array_size(files) > MAX_ATTACHMENTS)
		return wrong(error, "attachments", "array of at most 1000 objects");
	json_array_foreach (files, i, file)
		if (!take_attachment(file, message, error))
			return false;
	return true;
}

static bool take_channel(const json_t *line, struct message *message, GError **error)
{
	g_autofree char *name = NULL;
	if (!take_string(line, "channel", "channel", &name, error))
		return false;
	if (!channel_parse(name, &message->channel))
		return wrong(error, "channel", "\"email\", \"postbox\" or \"eservice\"");
	return true;
}

static bool take_received(const json_t *line, struct message *message, GError **error)
{
	g_autofree char *text = NULL;
	if (!take_string(line, "received", "received", &text, error))
		return false;
	if (!instant_parse(text, &message->received))
		return wrong(error, "received", "date, or RFC 3339 time with offset,");
	return true;
}

static bool take_headers(const json_t *line, struct message *message, GError **error)
{
	return take_channel(line, message, error) && take_received(line, message, error) &&
	       take_string(line, "mailbox", "mailbox", &message->mailbox, error) &&
	       take_string(line, "from_name", "from_name", &message->from_name, error) &&
	       take_string(line, "from_email", "from_email", &message->from_email, error) &&
	       take_string(line, "subject", "subject", &message->subject, error) &&
	       take_string(line, "html", "html", &message->html, error);
}

static void cut_text(struct message *message)
{
	size_t size = strlen(message->text), max = MAIL_MAX_TEXT;
	if (size <= max)
		return;
	while (max && ((guchar)message->text[max] & 0xc0) == 0x80)
		max--;
	message->text[max] = '\0';
	g_ptr_array_add(message->defects, g_strdup("text-cut"));
}

/* The body, or what can be read of the HTML. Nothing at all is no doubt: an empty text. */
static bool take_text(const json_t *line, struct message *message, GError **error)
{
	if (!take_string(line, "body", "body", &message->text, error))
		return false;
	bool blank = !message->text || !message->text[strspn(message->text, " \t\r\n")];
	if (blank && message->html) {
		g_free(message->text);
		message->text = html_to_text(message->html, strlen(message->html));
	} else {
		g_clear_pointer(&message->html, g_free);
	}
	if (!message->text)
		message->text = g_strdup("");
	cut_text(message);
	message_finish_text(message);
	return true;
}

static bool take_automatic(const json_t *line, struct message *message, GError **error)
{
	g_autofree char *name = NULL;
	if (!take_string(line, "automatic", "automatic", &name, error))
		return false;
	if (!name) {
		const char *own = *message->reply_text ? message->reply_text : message->text;
		message->automatic = automatic_from_text(message->from_email, message->subject, own);
		return true;
	}
	if (!automatic_parse(name, &message->automatic))
		return wrong(error, "automatic",
		        "\"no\", \"list\", \"auto-generated\", \"auto-replied\", \"report\" or \"bounce\"");
	return true;
}

struct message *message_from_json(const json_t *line, GError **error)
{
	if (!json_is_object(line)) {
		wrong(error, "line", "object");
		return NULL;
	}
	AUTO(message) message = message_new();
	if (!take_headers(line, message, error) || !take_text(line, message, error) ||
	        !take_form(line, message, error) || !take_attachments(line, message, error) ||
	        !take_automatic(line, message, error))
		return NULL;
	message->envelope_from = g_strdup(message->from_email);
	return g_steal_pointer(&message);
}
