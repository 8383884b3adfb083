/* queue_map.c - one table of what goes where. */
#include "intake/queue_map.h"

#include <string.h>

enum { ID_MAX = 200 };

struct row {
	const char *key;
	size_t offset;
};

static const struct row plain_rows[] = {
        {"received", offsetof(struct queue_map, received)},
        {"mailbox", offsetof(struct queue_map, mailbox)},
        {"from_name", offsetof(struct queue_map, from_name)},
        {"from_email", offsetof(struct queue_map, from_email)},
        {"subject", offsetof(struct queue_map, subject)},
        {"body", offsetof(struct queue_map, body)},
        {"html", offsetof(struct queue_map, html)},
        {"automatic", offsetof(struct queue_map, automatic)},
        {"facts", offsetof(struct queue_map, facts)},
        {"archived", offsetof(struct queue_map, archived)},
};

static const struct row form_rows[] = {
        {"type", offsetof(struct queue_map, form_type)},
        {"kind", offsetof(struct queue_map, form_kind)},
        {"from", offsetof(struct queue_map, form_from)},
        {"to", offsetof(struct queue_map, form_to)},
        {"text", offsetof(struct queue_map, form_text)},
        {"cv", offsetof(struct queue_map, form_cv)},
};

static json_t *at(const json_t *object, const char *pointer)
{
	return pointer && *pointer ? json_pointer(object, pointer) : NULL;
}

static void copy_rows(
        json_t *into, const struct queue_map *map, const struct row *rows, unsigned n, const json_t *object)
{
	for (unsigned i = 0; i < n; i++) {
		const char *pointer = *(char *const *)((const char *)map + rows[i].offset);
		json_t *value = at(object, pointer);
		if (value && !json_is_null(value))
			json_object_set(into, rows[i].key, value);
	}
}

/* Name and type only: content stays in the original bytes. */
static json_t *attachments_of(const struct queue_map *map, const json_t *object)
{
	json_t *list = at(object, map->attachments);
	if (!list || json_is_null(list))
		return NULL;
	if (!json_is_array(list))
		return json_incref(list);
	json_t *out = json_array();
	size_t i;
	json_t *one;
	json_array_foreach (list, i, one) {
		json_t *entry = json_object();
		json_t *name = at(one, map->attachment_name), *type = at(one, map->attachment_type);
		if (name)
			json_object_set(entry, "name", name);
		if (type)
			json_object_set(entry, "type", type);
		json_array_append_new(out, entry);
	}
	return out;
}

json_t *queue_map_fields(const struct queue_map *map, enum channel channel, const json_t *object)
{
	json_t *fields = json_object();
	g_autofree char *id = queue_map_id(map, object);
	json_set_string(fields, "id", id);
	json_set_string(fields, "channel", channel_name(channel));
	copy_rows(fields, map, plain_rows, G_N_ELEMENTS(plain_rows), object);
	json_t *attachments = attachments_of(map, object);
	if (attachments)
		json_object_set_new(fields, "attachments", attachments);
	json_t *form = json_object();
	copy_rows(form, map, form_rows, G_N_ELEMENTS(form_rows), object);
	if (json_object_size(form) > 0)
		json_object_set_new(fields, "form", form);
	else
		json_decref(form);
	return fields;
}

char *queue_map_id(const struct queue_map *map, const json_t *object)
{
	json_t *value = at(object, map->id);
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	const char *text = json_string_value(value);
	if (!text || *text == '\0' || strlen(text) != json_string_length(value) || strlen(text) > ID_MAX)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return NULL;
	return g_strdup(text);
}
