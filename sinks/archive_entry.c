/* archive_entry.c - what HTTP and JSONL archive have in common. */
#include "sinks/archive_entry.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

struct collector {
	GByteArray *bytes;
	size_t max;
};

static bool collect(void *context, const void *data, size_t size, GError **error)
{
	struct collector *collector = context;
	if (collector->bytes->len + size > collector->max) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "larger than %zu bytes", collector->max);
		return false;
	}
	g_byte_array_append(collector->bytes, data, (guint)size);
	return true;
}

GBytes *job_content(const struct sink_job *job, size_t max, GError **error)
{
	struct collector collector = {g_byte_array_new(), max};
	if (job->content(job->content_giver_data, collect, &collector, error))
		return g_byte_array_free_to_bytes(collector.bytes);
	g_byte_array_unref(collector.bytes);
	return NULL;
}

json_t *archive_entry(const struct sink_job *job, GError **error)
{
	const struct delivery *delivery = job->delivery;
	const struct item *item = delivery->item;
	if (!item) {
		fail_as(error, ERROR_INPUT, SCOPE_ITEM, WHEN_NEVER, "no item to archive");
		return NULL;
	}
	g_autoptr(GBytes) content = job_content(job, ARCHIVE_MAX_CONTENT, error);
	if (!content)
		return NULL;
	gsize size;
	const guchar *data = g_bytes_get_data(content, &size);
	g_autofree char *base64 = g_base64_encode(data, size);
	g_autofree char *received = instant_format_berlin(item->received);
	json_t *entry = json_object();
	json_set_string(entry, "reference", delivery->item_name);
	json_set_string(entry, "channel", channel_name(item->channel));
	json_set_string(entry, "received", received);
	json_set_string(entry, "sha256", item->sha256);
	json_set_string(entry, "content", base64);
	json_t *concerns = json_object_get(delivery->params, "concerns");
	if (json_is_array(concerns))
		json_object_set(entry, "concerns", concerns);
	return entry;
}

bool archive_is_asserted(const struct delivery *delivery)
{
	return g_strcmp0(json_get_string(delivery->params, "mode"), "assert") == 0;
}

json_t *archive_assertion(const struct delivery *delivery)
{
	json_t *fields = delivery->item ? delivery->item->fields : NULL;
	json_t *said = json_object_get(fields, "archived");
	bool is_id = json_is_string(said) && json_string_length(said) > 0 && json_string_length(said) <= 200;
	if (!json_is_true(said) && !is_id)
		return NULL;
	json_t *receipt = json_object();
	json_set_bool(receipt, "asserted", true);
	if (is_id)
		json_set_string(receipt, "id", json_string_value(said));
	return receipt;
}
