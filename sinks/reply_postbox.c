/* reply_postbox.c - a reply as a message in the customer's postbox; never repeated when the outcome is
 * unknown. */
#include "core/error.h"
#include "sinks/http_outlet.h"
#include "sinks/members.h"

static json_t *message_of(const struct reply *reply)
{
	json_t *message = json_object(), *to = json_object();
	if (reply->in_reply_to)
		json_set_string(to, "in_reply_to", reply->in_reply_to);
	if (reply->notice)
		json_set_string(to, "notice", reply->notice);
	if (reply->to)
		json_set_string(to, "address", reply->to);
	json_object_set_new(message, "to", to);
	json_set_string(message, "subject", reply->subject);
	json_set_string(message, "body", reply->body);
	json_set_bool(message, "automatic", true);
	return message;
}

static void postbox_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sink_job *job = jobs[i];
		JSON_AUTO message = message_of(job->reply);
		g_autofree char *path = http_outlet_path(session, NULL);
		const struct http_request request = {
		        .method = "POST", .path = path, .idempotency_key = job->delivery->key};
		job->receipt = http_outlet_call(session, &request, message, &job->error);
		job->done = job->receipt != NULL;
		if (!job->done && error_scope(job->error) == SCOPE_SOURCE)
			return;
	}
}

static const struct option reply_postbox_options[] = {HTTP_OUTLET_OPTIONS("/postbox/messages")};

const struct sink sink_reply_postbox = {
        .name = "postbox",
        .roles = 1 << SINK_REPLY_POSTBOX,
        .summary = "Replies as postbox messages (docs/openapi/services.yaml, /postbox/messages).",
        .options = reply_postbox_options,
        .settings_size = sizeof(struct http_outlet_settings),
        .batch = 1,
        .check = http_outlet_check,
        .open = http_outlet_open,
        .deliver = postbox_deliver,
        .close = http_outlet_close,
        .describe = http_outlet_describe,
};
