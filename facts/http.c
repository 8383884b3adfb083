/* http.c - facts asked of a service; a dead or slow one costs a batch its time limit once, not each item. */
#include "config/service.h"
#include "core/error.h"
#include "facts/members.h"

#include <string.h>

enum { FACTS_MAX = 32, BREAKER_DOUBLINGS = 4 };

struct http_facts_settings {
	struct service service;
	char *path;
	int64_t budget, failures, pause;
	char *pointers[FACTS_MAX]; /* beside facts_name(i) */
};

static const struct option http_facts_options[] = {
        SERVICE_OPTIONS(struct http_facts_settings, service, "5s"),
        {.name = "path",
                .type = OPTION_STRING,
                .fallback = "/facts",
                .offset = offsetof(struct http_facts_settings, path),
                .help = "Put behind url: where the service answers."},
        {.name = "budget",
                .type = OPTION_DURATION,
                .fallback = "15s",
                .min = 1,
                .max = 300,
                .offset = offsetof(struct http_facts_settings, budget),
                .help = "Time limit of all look-ups of one batch; what is not answered by then is unknown."},
        {.name = "breaker_failures",
                .type = OPTION_INT,
                .fallback = "3",
                .min = 1,
                .max = 100,
                .offset = offsetof(struct http_facts_settings, failures),
                .help = "After so many failed calls in a row the service is left alone for a while."},
        {.name = "breaker_pause",
                .type = OPTION_DURATION,
                .fallback = "30s",
                .min = 1,
                .max = 3600,
                .offset = offsetof(struct http_facts_settings, pause),
                .help = "How long it is left alone at first; doubled, up to 16 times that, while it stays "
                        "dead."},
        OPTION_END,
};

static const char *const http_facts_also[] = {"facts", NULL};

/* `facts: {address_match: /person/address/ok, …}`: where the answer holds each fact; default /NAME. */
static void http_check(void *data, const struct yaml_node *map, struct diag *diag)
{
	struct http_facts_settings *settings = data;
	service_check(&settings->service, map, diag);
	if (*settings->path && (*settings->path != '/' || strpbrk(settings->path, "?# \t")))
		yaml_error(diag, yaml_get(map, "path"), "\"path\" is \"%s\", expected one like /facts",
		        settings->path);
	const struct yaml_node *pointers = yaml_get(map, "facts");
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (unsigned i = 0; i < FACTS_MAX && facts_name(i); i++) {
		g_ptr_array_add(names, (char *)facts_name(i));
		g_autofree char *fallback = g_strconcat("/", facts_name(i), NULL);
		const char *pointer =
		        pointers ? yaml_string(pointers, facts_name(i), fallback, diag) : fallback;
		if (!json_pointer_is_valid(pointer))
			yaml_error(diag, yaml_get(pointers, facts_name(i)),
			        "\"%s\" is \"%s\", expected a JSON Pointer like /person/%s", facts_name(i),
			        pointer, facts_name(i));
		settings->pointers[i] = g_strdup(pointer);
	}
	g_ptr_array_add(names, NULL);
	if (pointers && yaml_expect(pointers, YAML_MAP, diag))
		yaml_check_keys(pointers, (const char *const *)names->pdata, diag);
}

static void http_clear(void *data)
{
	struct http_facts_settings *settings = data;
	for (unsigned i = 0; i < FACTS_MAX; i++)
		g_clear_pointer(&settings->pointers[i], g_free);
}

struct facts_session {
	const struct http_facts_settings *settings;
	struct http_client *client;
	int failed;     /* calls in a row */
	int doublings;  /* of the pause, while it stays dead */
	gint64 open_to; /* monotonic: no call before */
};

static struct facts_session *http_open(
        const struct facts_outlet *outlet, struct journal *journal, const volatile gint *stop, GError **error)
{
	(void)journal;
	const struct http_facts_settings *settings = outlet->settings;
	struct http_client *client = service_client(&settings->service, "facts", stop, error);
	if (!client)
		return NULL;
	struct facts_session *session = g_new0(struct facts_session, 1);
	session->settings = settings;
	session->client = client;
	return session;
}

static json_t *question(const struct facts_query *query)
{
	json_t *body = json_object();
	if (query->kundennummern)
		json_set_string(body, "kundennummer", g_ptr_array_index(query->kundennummern, 0));
	if (query->email)
		json_set_string(body, "address", query->email);
	if (query->name)
		json_set_string(body, "name", query->name);
	if (query->item)
		json_set_string(body, "item", query->item);
	return body;
}

/* A value as facts_from_json() reads it: true and false are yes and no, a date-time is its day; what is none
 * of the allowed words is left out, that is unknown. */
static json_t *read_value(json_t *value, const char *name)
{
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "yes" : "no");
	if (!json_is_string(value))
		return NULL;
	const char *text = json_string_value(value);
	JSON_AUTO one = json_object();
	g_autofree char *day =
	        g_strndup(text, text[0] && strlen(text) > 10 && text[10] == 'T' ? 10 : strlen(text));
	json_set_string(one, name, day);
	struct facts probe;
	return facts_from_json(one, &probe, NULL) ? json_string(day) : NULL;
}

static bool read_answer(const struct http_facts_settings *settings, const json_t *answer, struct facts *out)
{
	JSON_AUTO facts = json_object();
	for (unsigned i = 0; i < FACTS_MAX && facts_name(i); i++) {
		json_t *value = read_value(json_pointer(answer, settings->pointers[i]), facts_name(i));
		if (value)
			json_object_set_new(facts, facts_name(i), value);
	}
	return json_object_size(facts) > 0 && facts_from_json(facts, out, NULL);
}

/* One call. False: it failed; an unknown case (404, empty) is an answer. */
static bool ask(struct facts_session *session, const struct facts_query *query, struct facts *out,
        bool *known, GError **error)
{
	JSON_AUTO body = question(query);
	g_autoptr(GBytes) bytes = json_canonical_bytes(body);
	const struct http_request request = {
	        .method = "POST", .path = session->settings->path, .body = bytes, .any_client_error = true};
	AUTO(http_response) response = http_send(session->client, &request, error);
	if (!response)
		return false;
	if (response->status == 404 || response->status == 204)
		return true;
	gsize size;
	const char *data = g_bytes_get_data(response->body, &size);
	JSON_AUTO answer = response->status / 100 == 2 ? json_read(data ? data : "", size, NULL) : NULL;
	if (!answer) {
		fail(error, ERROR_UNAVAILABLE, "facts: answer %d without facts", response->status);
		return false;
	}
	*known = read_answer(session->settings, answer, out);
	return true;
}

static void note_success(struct facts_session *session)
{
	session->failed = session->doublings = 0;
}

static void note_failure(struct facts_session *session)
{
	if (++session->failed < session->settings->failures)
		return;
	gint64 pause = session->settings->pause << session->doublings;
	pause = MAX(pause, http_retry_after(session->client));
	session->open_to = g_get_monotonic_time() + pause * G_USEC_PER_SEC;
	session->doublings = MIN(session->doublings + 1, BREAKER_DOUBLINGS);
	session->failed = (int)session->settings->failures - 1; /* afterwards one failure opens it again */
}

/* Is there still time, and is the service not being left alone? */
static bool may_ask(const struct facts_session *session, gint64 deadline, GError **error)
{
	gint64 now = g_get_monotonic_time();
	if (now < session->open_to)
		fail(error, ERROR_AGAIN, "facts: the service failed and is left alone for a while");
	else if (now >= deadline)
		fail(error, ERROR_AGAIN, "facts: the time for this batch is over");
	else
		return true;
	return false;
}

static bool http_look_up(struct facts_session *session, const struct facts_query *queries, unsigned n,
        struct facts *results, bool *known, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + session->settings->budget * G_USEC_PER_SEC;
	bool ok = true;
	for (unsigned i = 0; i < n; i++) {
		if (!queries[i].kundennummern && !queries[i].email)
			continue;
		if (!may_ask(session, deadline, ok ? error : NULL))
			return false;
		if (ask(session, &queries[i], &results[i], &known[i], ok ? error : NULL)) {
			note_success(session);
			continue;
		}
		ok = false;
		note_failure(session);
	}
	return ok;
}

static void http_close(struct facts_session *session)
{
	if (!session)
		return;
	http_client_free(session->client);
	g_free(session);
}

const struct facts_provider facts_provider_http = {
        .name = "http",
        .summary = "A service that is asked per case (docs/openapi/services.yaml, /facts).",
        .options = http_facts_options,
        .settings_size = sizeof(struct http_facts_settings),
        .check = http_check,
        .also = http_facts_also,
        .clear = http_clear,
        .open = http_open,
        .look_up = http_look_up,
        .close = http_close,
};
