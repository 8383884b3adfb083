/* mail_inspect.c - the decoder's view as JSON: the stable form that `posteingang inspect` prints. */
#include "core/hash.h"
#include "core/mail.h"

static json_t *string_or_null(const char *value)
{
	JSON_AUTO holder = json_object();
	json_set_string(holder, "v", value);
	return json_incref(json_object_get(holder, "v"));
}

static json_t *strings(const GPtrArray *values)
{
	json_t *array = json_array();
	for (guint i = 0; i < values->len; i++)
		json_add_string(array, g_ptr_array_index(values, i));
	return array;
}

static json_t *attachments(const GPtrArray *files)
{
	json_t *array = json_array();
	for (guint i = 0; i < files->len; i++) {
		const struct attachment *file = g_ptr_array_index(files, i);
		json_t *object = json_object();
		json_set_string(object, "name", file->name);
		json_set_string(object, "type", file->type);
		json_set_int(object, "bytes", file->bytes);
		json_set_string(object, "sha256", file->sha256);
		if (file->unsuitable)
			json_set_string(object, "unsuitable", file->unsuitable);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *bounce_object(const struct bounce *bounce)
{
	if (!bounce)
		return json_null();
	json_t *object = json_object();
	json_set_string(object, "recipient", bounce->recipient);
	json_set_string(object, "status", bounce->status);
	json_set_string(object, "action", bounce->action);
	return object;
}

static json_t *author(const struct message *message)
{
	if (!message->from_email)
		return string_or_null(message->from_name);
	if (!message->from_name || !*message->from_name)
		return string_or_null(message->from_email);
	g_autofree char *both = g_strdup_printf("%s <%s>", message->from_name, message->from_email);
	return string_or_null(both);
}

json_t *mail_inspect(GBytes *raw)
{
	AUTO(message) message = mail_decode(raw, NULL);
	gsize size;
	const void *data = g_bytes_get_data(raw, &size);
	char sha256[HASH_HEX_SIZE];
	hash_hex(data ? data : "", size, sha256);
	json_t *object = json_object();
	json_set_string(object, "message_id", message->message_id);
	json_set_string(object, "date", message->date);
	json_object_set_new(object, "from", author(message));
	json_set_string(object, "reply_to", message->reply_to);
	json_object_set_new(object, "to", strings(message->to));
	json_set_string(object, "subject", message->subject);
	json_set_string(object, "text", message->text);
	json_set_string(object, "reply_text", message->reply_text);
	json_set_bool(object, "quoted", message->quoted);
	json_object_set_new(object, "attachments", attachments(message->attachments));
	json_set_string(object, "automatic", automatic_name(message->automatic));
	json_object_set_new(object, "bounce", bounce_object(message->bounce));
	json_object_set_new(object, "defects", strings(message->defects));
	if (message->unsuitable)
		json_set_string(object, "unsuitable", message->unsuitable);
	json_set_string(object, "sha256", sha256);
	return object;
}
