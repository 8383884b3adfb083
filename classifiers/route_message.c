/* route_message.c - from a stored item to the message that is decided on. */
#include "classifiers/route.h"

#include "core/mail.h"
#include "journal/content.h"

#include <string.h>

/* What a service or a .json file gave: the fields are the whole item. */
static bool is_structured(const struct item *item)
{
	return item->channel != CHANNEL_EMAIL || json_object_get(item->fields, "channel");
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
	if (json_get_bool(item->fields, "undecodable", false)) /* intake could not read what the source sent */
		return NULL;
	if (is_structured(item))
		return item->fields ? message_from_json(item->fields, NULL) : NULL;
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
