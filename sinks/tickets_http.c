/* tickets_http.c - tickets and tasks posted to an external system, under an idempotency key. */
#include "core/date.h"
#include "core/error.h"
#include "sinks/http_outlet.h"
#include "sinks/members.h"

static void copy(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);
	if (value && !json_is_null(value))
		json_object_set(to, key, value);
}

static void set_instant(json_t *to, const char *key, int64_t instant)
{
	g_autofree char *text = instant ? instant_format_berlin(instant) : NULL;
	if (text)
		json_set_string(to, key, text);
}

static json_t *ticket_of_task(const struct task *task)
{
	json_t *ticket = json_object();
	json_set_string(ticket, "kind", task->kind);
	if (task->text)
		json_set_string(ticket, "text", task->text);
	if (task->contact_code)
		json_set_string(ticket, "contact_code", task->contact_code);
	set_instant(ticket, "not_before", task->not_before);
	set_instant(ticket, "first_received", task->first_received);
	copy(ticket, task->params, "cites");
	copy(ticket, task->params, "queue");
	return ticket;
}

static json_t *ticket_of_delivery(const struct sink_job *job)
{
	static const char *const copied[] = {
	        "queue", "dated", "not_before", "text", "cites", "concern", NULL};
	json_t *ticket = json_object();
	json_set_string(ticket, "kind", "ticket");
	for (int i = 0; copied[i]; i++)
		copy(ticket, job->delivery->params, copied[i]);
	if (job->delivery->item)
		set_instant(ticket, "first_received", job->delivery->item->received);
	if (job->processed_unknown)
		json_set_bool(ticket, "processed_unknown", true);
	return ticket;
}

static void post(struct sink_session *session, struct sink_job *job)
{
	JSON_AUTO ticket = job->task ? ticket_of_task(job->task) : ticket_of_delivery(job);
	const char *item = job->delivery->item_name;
	json_set_string(ticket, "reference", item ? item : job->delivery->key);
	g_autofree char *path = http_outlet_path(session, NULL);
	const struct http_request request = {
	        .method = "POST", .path = path, .idempotency_key = job->delivery->key};
	job->receipt = http_outlet_call(session, &request, ticket, &job->error);
	job->done = job->receipt != NULL;
}

static void tickets_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		post(session, jobs[i]);
		if (jobs[i]->error && error_scope(jobs[i]->error) == SCOPE_SOURCE)
			return;
	}
}

static const struct option tickets_http_options[] = {HTTP_OUTLET_OPTIONS("/tickets")};

const struct sink sink_tickets_http = {
        .name = "http",
        .roles = 1 << SINK_TICKETS,
        .summary = "Tickets and tasks in an external system (docs/openapi/services.yaml, /tickets).",
        .options = tickets_http_options,
        .settings_size = sizeof(struct http_outlet_settings),
        .repeatable = true,
        .batch = 50,
        .check = http_outlet_check,
        .open = http_outlet_open,
        .deliver = tickets_deliver,
        .close = http_outlet_close,
        .describe = http_outlet_describe,
};
