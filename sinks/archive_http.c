/* archive_http.c - the event history behind HTTP: written by us, or asserted by the source and asked for. */
#include "core/error.h"
#include "core/hash.h"
#include "sinks/archive_entry.h"
#include "sinks/http_outlet.h"
#include "sinks/members.h"

#include <string.h>

/* GET of one entry: *receipt is NULL if there is none. */
static bool ask(struct sink_session *session, const char *id, json_t **receipt, GError **error)
{
	g_autofree char *path = http_outlet_path(session, id);
	const struct http_request request = {.path = path, .any_client_error = true};
	AUTO(http_response) response = http_send(http_outlet_client(session), &request, error);
	*receipt = NULL;
	if (!response)
		return false;
	if (response->status == 404)
		return true;
	if (response->status / 100 != 2) {
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "the archive answers %d",
		        response->status);
		return false;
	}
	gsize size;
	const char *data = g_bytes_get_data(response->body, &size);
	JSON_AUTO answer = json_read(data ? data : "", size, NULL);
	if (!answer) {
		fail(error, ERROR_UNAVAILABLE, "the archive's answer is not JSON");
		return false;
	}
	*receipt = json_object();
	json_set_string(*receipt, "id", id);
	const char *sha256 = json_get_string(answer, "sha256");
	if (sha256 && strlen(sha256) == HASH_HEX_SIZE - 1)
		json_set_string(*receipt, "sha256", sha256);
	return true;
}

/* The source archives itself: it said so with the item, or the service knows the source's own id. */
static json_t *assert_entry(struct sink_session *session, const struct delivery *delivery, GError **error)
{
	json_t *said = archive_assertion(delivery);
	if (said || !delivery->item)
		return said;
	json_t *receipt;
	if (!ask(session, delivery->item->key, &receipt, error))
		return NULL;
	if (receipt)
		json_set_bool(receipt, "asserted", true);
	else
		fail_as(error, ERROR_AGAIN, SCOPE_ITEM, WHEN_LATER, "the source has not archived it yet");
	return receipt;
}

/* PUT; a receipt only if the service stored what we sent. */
static json_t *write_entry(struct sink_session *session, const struct sink_job *job, GError **error)
{
	JSON_AUTO entry = archive_entry(job, error);
	if (!entry)
		return NULL;
	g_autofree char *path = http_outlet_path(session, job->delivery->key);
	g_autoptr(GBytes) body = json_canonical_bytes(entry); /* as http_json() sends it */
	char sha256[HASH_HEX_SIZE];
	hash_hex(g_bytes_get_data(body, NULL), g_bytes_get_size(body), sha256);
	const struct http_request request = {
	        .method = "PUT", .path = path, .idempotency_key = job->delivery->key};
	json_t *receipt = http_outlet_call(session, &request, entry, error);
	if (!receipt || g_strcmp0(json_get_string(receipt, "sha256"), sha256) == 0)
		return receipt;
	json_decref(receipt);
	fail_as(error, ERROR_UNCERTAIN, SCOPE_ITEM, WHEN_LATER,
	        "the archive stored other bytes than were sent");
	return NULL;
}

static void archive_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sink_job *job = jobs[i];
		job->receipt = archive_is_asserted(job->delivery)
		                       ? assert_entry(session, job->delivery, &job->error)
		                       : write_entry(session, job, &job->error);
		job->done = job->receipt != NULL;
		if (!job->done && error_scope(job->error) == SCOPE_SOURCE)
			return;
	}
}

static const struct option archive_http_options[] = {HTTP_OUTLET_OPTIONS("/archive")};

const struct sink sink_archive_http = {
        .name = "http",
        .roles = 1 << SINK_ARCHIVE,
        .summary = "The event history behind HTTP (docs/openapi/services.yaml, /archive).",
        .options = archive_http_options,
        .settings_size = sizeof(struct http_outlet_settings),
        .repeatable = true,
        .batch = 50,
        .wants_bytes = true,
        .check = http_outlet_check,
        .open = http_outlet_open,
        .deliver = archive_deliver,
        .find = ask,
        .close = http_outlet_close,
        .describe = http_outlet_describe,
};
