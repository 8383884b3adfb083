/* route_message.c - from a stored item to the message that is decided on. */
#include "classifiers/route.h"

#include "core/date.h"
#include "core/mail.h"
#include "journal/content.h"

#include <string.h>

/* What a service or a .json file gave: the fields are the whole item. A mail has at most its envelope there.
 */
static bool is_structured(const struct item *item)
{
	size_t envelope = json_object_get(item->fields, "envelope_from") ? 1 : 0;
	return item->channel != CHANNEL_EMAIL || json_object_size(item->fields) > envelope;
}

/* The source need not state what the item knows better. */
static struct message *message_of_fields(const struct item *item)
{
	if (!json_is_object(item->fields) || json_object_size(item->fields) == 0)
		return NULL;
	JSON_AUTO line = json_copy(item->fields);
	g_autofree char *received = instant_format_utc(item->received);
	json_set_string(line, "channel", channel_name(item->channel));
	json_set_string(line, "received", received);
	return message_from_json(line, NULL);
}

static void place(struct message *message, const struct item *item)
{
	message->channel = item->channel;
	message->received = item->received;
	if (item->mailbox && *item->mailbox) {
		g_free(message->mailbox);
		message->mailbox = g_strdup(item->mailbox);
	}
}

struct message *route_unread(const struct item *item)
{
	struct message *message = message_new();
	message->undecodable = true;
	message->text = g_strdup("");
	message->reply_text = g_strdup("");
	place(message, item);
	return message;
}

static struct message *decode(const struct item *item, GBytes *raw)
{
	if (json_get_bool(
	            item->fields, "undecodable", false)) /* intake could not read what the source sent */
		return NULL;
	if (is_structured(item))
		return message_of_fields(item);
	return raw ? mail_decode(raw, json_get_string(item->fields, "envelope_from")) : NULL;
}

struct message *route_message(const struct item *item, GBytes *raw)
{
	struct message *message = decode(item, raw);
	if (!message)
		return route_unread(item);
	place(message, item);
	return message;
}

bool route_content(struct journal *journal, int64_t item, int64_t size, GBytes **raw, GError **error)
{
	if (size <= ROUTE_MAX_RAW) {
		*raw = journal_content(journal, item, ROUTE_MAX_RAW, error);
		return *raw != NULL;
	}
	g_autoptr(GByteArray) bytes = g_byte_array_sized_new(ROUTE_MAX_RAW);
	for (unsigned n = 0; bytes->len < ROUTE_MAX_RAW; n++) {
		g_autoptr(GBytes) chunk = NULL;
		if (!journal_content_chunk(journal, item, n, &chunk, error))
			return false;
		if (!chunk)
			break;
		gsize length;
		const guint8 *data = g_bytes_get_data(chunk, &length);
		g_byte_array_append(bytes, data, (guint)MIN(length, ROUTE_MAX_RAW - bytes->len));
	}
	*raw = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	return true;
}
