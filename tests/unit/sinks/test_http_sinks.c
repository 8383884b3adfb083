/* Archive, tickets and postbox against the HTTP counterpart: effects are counted at the far side. */
#include "core/error.h"
#include "core/http.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define BEARER "fixed-test-token"

struct place {
	char *folder;
	struct sinks *sinks;
	struct sink_session *session;
	enum sink_role role;
	struct http_client *control;
};

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	cr_assert_not_null(value, "%s is not set: run me by tests/servers/smtp.sh", name);
	return value;
}

static struct http_client *counterpart(void)
{
	g_autofree char *url = g_strdup_printf("https://localhost:%s", environment("TEST_HTTP_PORT"));
	const struct http_settings settings = {.url = url, .ca_file = environment("TEST_SMTP_CA")};
	g_autoptr(GError) error = NULL;
	struct http_client *client = http_client_new(&settings, &error);
	cr_assert_not_null(client, "%s", error ? error->message : "");
	return client;
}

static json_t *control(struct place *place, const char *name, const char *body)
{
	g_autofree char *path = g_strconcat("/_control/", name, NULL);
	const struct http_request request = {.method = body ? "POST" : "GET", .path = path};
	JSON_AUTO value = body ? json_read(body, strlen(body), NULL) : NULL;
	g_autoptr(GError) error = NULL;
	json_t *answer = http_json(place->control, &request, value, &error);
	cr_assert_not_null(answer, "%s", error ? error->message : "");
	return answer;
}

static void set(struct place *place, const char *name, const char *body)
{
	json_decref(control(place, name, body));
}

static size_t count(struct place *place, const char *store)
{
	JSON_AUTO state = control(place, "state", NULL);
	json_t *things = json_object_get(state, store);
	return json_is_array(things) ? json_array_size(things) : json_object_size(things);
}

/* The tests of this file run one after another: the counterpart is one. */
static struct place open_http(enum sink_role role, const char *type, const char *extra)
{
	struct place place = {.folder = fresh_folder(), .role = role, .control = counterpart()};
	g_autofree char *secret = g_build_filename(place.folder, "token", NULL);
	cr_assert(g_file_set_contents_full(secret, BEARER, -1, 0, 0600, NULL));
	g_autofree char *yaml = g_strdup_printf("%s: {type: %s, url: 'https://localhost:%s', ca_file: %s,"
	                                        " bearer_file: %s, timeout: 3s%s}\n",
	        sink_role_name(role), type, environment("TEST_HTTP_PORT"), environment("TEST_SMTP_CA"),
	        secret, extra);
	g_autofree char *findings = NULL;
	place.sinks = sinks_of(yaml, &findings);
	cr_assert_not_null(place.sinks->outlets[role].sink, "%s", findings);
	place.session = session_of(place.sinks, role, NULL);
	set(&place, "reset", "{}");
	return place;
}

static void close_place(struct place *place)
{
	place->sinks->outlets[place->role].sink->close(place->session);
	sinks_free(place->sinks);
	http_client_free(place->control);
	remove_folder(place->folder);
	g_free(place->folder);
}

static void deliver(struct place *place, struct sink_job *job)
{
	job_reset(job);
	deliver_one(place->sinks, place->session, place->role, job);
}

static void fails(const struct sink_job *job, enum error_scope scope, enum error_when when)
{
	cr_assert_not(job->done);
	cr_assert_not_null(job->error);
	cr_assert_eq(error_scope(job->error), scope, "%s", job->error->message);
	cr_assert_eq(error_when(job->error), when, "%s", job->error->message);
	cr_assert_null(strstr(job->error->message, BEARER));
}

static struct sink_job *notice(int64_t number, const char *mode)
{
	struct sink_job *job = job_new(number, "archive", "{\"form\":1}");
	json_set_string(job->delivery->params, "mode", mode);
	return job;
}

/* ---- archive ---- */

Test(http_sinks, an_entry_is_written_once_and_its_receipt_is_the_hash_of_what_was_sent)
{
	struct place place = open_http(SINK_ARCHIVE, "http", "");
	JOB job = notice(7, "write");
	deliver(&place, job);
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	cr_assert_str_eq(json_get_string(job->receipt, "id"), "1f3a2b4c-7/archive");
	cr_assert_eq(strlen(json_get_string(job->receipt, "sha256")), 64);
	deliver(&place, job);
	cr_assert(job->done);
	cr_assert_eq(count(&place, "archive"), 1);
	json_t *receipt = NULL;
	cr_assert(place.sinks->outlets[SINK_ARCHIVE].sink->find(
	        place.session, "1f3a2b4c-7/archive", &receipt, NULL));
	cr_assert_str_eq(json_get_string(receipt, "sha256"), json_get_string(job->receipt, "sha256"));
	json_decref(receipt);
	close_place(&place);
}

Test(http_sinks, an_answer_that_got_lost_is_asked_for_again_and_makes_no_second_entry)
{
	struct place place = open_http(SINK_ARCHIVE, "http", "");
	set(&place, "fault", "{\"path\":\"/archive\",\"kind\":\"close_after\"}");
	JOB job = notice(7, "write");
	deliver(&place, job);
	fails(job, SCOPE_ITEM, WHEN_LATER);
	deliver(&place, job);
	cr_assert(job->done);
	cr_assert_eq(count(&place, "archive"), 1);
	close_place(&place);
}

Test(http_sinks, what_the_archive_itself_must_have_is_asked_for)
{
	struct place place = open_http(SINK_ARCHIVE, "http", "");
	JOB absent = notice(7, "assert");
	deliver(&place, absent);
	fails(absent, SCOPE_ITEM, WHEN_LATER);
	/* The source's own entry, under the source's own id ("1:7" in these tests). */
	JOB own = notice(7, "write");
	g_free(own->delivery->key);
	((struct delivery *)own->delivery)->key = g_strdup("1:7");
	deliver(&place, own);
	cr_assert(own->done);
	deliver(&place, absent);
	cr_assert(absent->done, "%s", absent->error ? absent->error->message : "");
	cr_assert(json_get_bool(absent->receipt, "asserted", false));
	JOB said = notice(8, "assert");
	said->delivery->item->fields = json_pack("{s:b}", "archived", 1);
	deliver(&place, said);
	cr_assert(said->done, "what the source said itself needs no question");
	close_place(&place);
}

/* ---- tickets ---- */

Test(http_sinks, a_ticket_is_opened_once_under_its_key)
{
	struct place place = open_http(SINK_TICKETS, "http", "");
	JOB job = job_new(7, "ticket", "x");
	json_set_string(job->delivery->params, "queue", "os_alg_plus");
	json_set_string(job->delivery->params, "dated", "2024-04-01");
	job->processed_unknown = true;
	deliver(&place, job);
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	deliver(&place, job);
	cr_assert(job->done);
	JSON_AUTO state = control(&place, "state", NULL);
	cr_assert_eq(json_array_size(json_object_get(state, "tickets")), 1);
	json_t *body = json_pointer(state, "/tickets/0/body");
	cr_assert_str_eq(json_get_string(body, "kind"), "ticket");
	cr_assert_str_eq(json_get_string(body, "queue"), "os_alg_plus");
	cr_assert_str_eq(json_get_string(body, "reference"), "1f3a2b4c-7");
	cr_assert_str_eq(json_get_string(body, "first_received"), "2024-04-08T12:00:00+02:00");
	cr_assert(json_get_bool(body, "processed_unknown", false));
	close_place(&place);
}

Test(http_sinks, a_task_is_posted_with_kind_and_text)
{
	struct place place = open_http(SINK_TICKETS, "http", "");
	JOB job = job_new(7, "post", "x");
	const struct task task = {.kind = "registration", .text = "Bitte prüfen.", .contact_code = "K1"};
	job->task = &task;
	deliver(&place, job);
	cr_assert(job->done);
	JSON_AUTO state = control(&place, "state", NULL);
	json_t *body = json_pointer(state, "/tickets/0/body");
	cr_assert_str_eq(json_get_string(body, "kind"), "registration");
	cr_assert_str_eq(json_get_string(body, "text"), "Bitte prüfen.");
	close_place(&place);
}

Test(http_sinks, not_now_reaches_the_service_and_a_refusal_only_the_ticket)
{
	struct place place = open_http(SINK_TICKETS, "http", "");
	JOB job = job_new(7, "ticket", "x");
	set(&place, "fault", "{\"path\":\"/tickets\",\"kind\":\"status\",\"code\":422}");
	deliver(&place, job);
	fails(job, SCOPE_ITEM, WHEN_NEVER);
	set(&place, "fault", "{\"path\":\"/tickets\",\"kind\":\"status\",\"code\":500}");
	deliver(&place, job);
	fails(job, SCOPE_ITEM, WHEN_LATER);
	set(&place, "fault", "{\"path\":\"/tickets\",\"kind\":\"garbage\"}");
	deliver(&place, job);
	fails(job, SCOPE_ITEM, WHEN_LATER);
	set(&place, "fault",
	        "{\"path\":\"/tickets\",\"kind\":\"redirect\",\"location\":\"https://localhost/else\"}");
	deliver(&place, job);
	fails(job, SCOPE_SOURCE, WHEN_LATER);
	set(&place, "fault", "{\"path\":\"/tickets\",\"kind\":\"status\",\"code\":429,\"retry_after\":3600}");
	deliver(&place, job);
	fails(job, SCOPE_SOURCE, WHEN_LATER);
	deliver(&place, job);
	fails(job, SCOPE_SOURCE, WHEN_LATER);
	JSON_AUTO state = control(&place, "state", NULL);
	cr_assert_eq(json_get_int(json_object_get(state, "calls"), "POST /tickets", 0), 5,
	        "after Retry-After the service is left alone");
	cr_assert_eq(count(&place, "tickets"), 0);
	close_place(&place);
}

Test(http_sinks, an_answer_without_an_id_is_no_receipt)
{
	struct place place = open_http(SINK_TICKETS, "http", ", id_pointer: /ticket/number");
	JOB job = job_new(7, "ticket", "x");
	deliver(&place, job);
	cr_assert_not(job->done);
	cr_assert_eq(error_class(job->error), ERROR_UNCERTAIN);
	close_place(&place);
}

Test(http_sinks, the_path_is_configuration)
{
	struct place place = open_http(SINK_TICKETS, "http", ", path: /anders/tickets");
	JOB job = job_new(7, "ticket", "x");
	deliver(&place, job);
	fails(job, SCOPE_ITEM, WHEN_NEVER);
	JSON_AUTO state = control(&place, "state", NULL);
	cr_assert_eq(json_get_int(json_object_get(state, "calls"), "POST /anders/tickets", 0), 1);
	close_place(&place);
}

Test(http_sinks, the_id_is_found_where_the_configuration_says)
{
	struct place place = open_http(SINK_TICKETS, "http", ", id_pointer: /sha256");
	JOB job = job_new(7, "ticket", "x");
	deliver(&place, job);
	cr_assert(job->done);
	cr_assert_eq(strlen(json_get_string(job->receipt, "id")), 64);
	close_place(&place);
}

/* ---- postbox ---- */

static const struct reply reply = {.to = "kunde@example.org",
        .in_reply_to = "nachricht-1",
        .subject = "Eingangsbestätigung",
        .body = "Guten Tag\n",
        .token = "r.1-1.0"};

Test(http_sinks, a_postbox_reply_is_a_message_that_says_what_it_answers)
{
	struct place place = open_http(SINK_REPLY_POSTBOX, "postbox", "");
	JOB job = job_new(7, "reply", "x");
	job->reply = &reply;
	deliver(&place, job);
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	JSON_AUTO state = control(&place, "state", NULL);
	json_t *body = json_pointer(state, "/messages/0/body");
	cr_assert_str_eq(json_get_string(json_object_get(body, "to"), "in_reply_to"), "nachricht-1");
	cr_assert_str_eq(json_get_string(body, "subject"), "Eingangsbestätigung");
	cr_assert(json_get_bool(body, "automatic", false));
	close_place(&place);
}

Test(http_sinks, a_postbox_reply_whose_answer_got_lost_is_uncertain)
{
	struct place place = open_http(SINK_REPLY_POSTBOX, "postbox", "");
	cr_assert_not(place.sinks->outlets[SINK_REPLY_POSTBOX].sink->repeatable,
	        "so that the phase never repeats it");
	set(&place, "fault", "{\"path\":\"/postbox/messages\",\"kind\":\"close_after\"}");
	JOB job = job_new(7, "reply", "x");
	job->reply = &reply;
	deliver(&place, job);
	cr_assert_eq(error_class(job->error), ERROR_UNCERTAIN);
	cr_assert_eq(error_scope(job->error), SCOPE_ITEM);
	cr_assert_eq(count(&place, "messages"), 1);
	close_place(&place);
}

Test(http_sinks, a_service_that_cannot_show_who_it_is_gets_nothing)
{
	struct place place = open_http(SINK_TICKETS, "http", "");
	g_autofree char *stranger = g_build_filename(environment("TEST_PKI"), "stranger.pem", NULL);
	g_autofree char *yaml =
	        g_strdup_printf("tickets: {type: http, url: 'https://localhost:%s', ca_file: %s}\n",
	                environment("TEST_HTTP_PORT"), stranger);
	g_autofree char *findings = NULL;
	AUTO(sinks) sinks = sinks_of(yaml, &findings);
	struct sink_session *session = session_of(sinks, SINK_TICKETS, NULL);
	JOB job = job_new(7, "ticket", "x");
	deliver_one(sinks, session, SINK_TICKETS, job);
	fails(job, SCOPE_SOURCE, WHEN_LATER);
	cr_assert_eq(count(&place, "tickets"), 0);
	sinks->outlets[SINK_TICKETS].sink->close(session);
	close_place(&place);
}
