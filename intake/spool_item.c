/* spool_item.c - see spool_item.h. */
#include "intake/spool_item.h"

#include "core/date.h"
#include "intake/header.h"

struct item *spool_item(const struct spool_file *file)
{
	struct item *item = item_new();
	item->key = g_strdup(file->key);
	item->received = file->mtime;
	return item;
}

void spool_item_mail(struct item *item, GBytes *head, const GPtrArray *trusted_hosts, bool envelope)
{
	gsize size;
	const char *raw = g_bytes_get_data(head, &size);
	item->channel = CHANNEL_EMAIL;
	item->fields = json_object();
	header_received(raw, size, trusted_hosts, &item->received);
	g_autofree char *sender = envelope ? header_return_path(raw, size) : NULL;
	if (sender)
		json_set_string(item->fields, "envelope_from", sender);
}

void spool_item_json(struct item *item, GBytes *raw, enum channel channel)
{
	gsize size;
	const char *text = g_bytes_get_data(raw, &size);
	item->channel = channel;
	item->fields = json_read(text, size, NULL);
	if (!json_is_object(item->fields)) {
		json_decref(item->fields);
		item->fields = json_object();
		json_set_bool(item->fields, "undecodable", true);
		return;
	}
	const char *named = json_get_string(item->fields, "channel");
	if (!named || !channel_parse(named, &item->channel))
		json_set_string(item->fields, "channel", channel_name(item->channel));
	const char *received = json_get_string(item->fields, "received");
	if (received)
		instant_parse(received, &item->received);
}
