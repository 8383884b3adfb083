/* http_outlet.c - one session shape for all HTTP sinks. */
#include "sinks/http_outlet.h"
#include "core/error.h"

#include <string.h>

struct sink_session {
	const struct http_outlet_settings *settings;
	struct http_client *client;
	gint64 wait_until; /* monotonic: the service asked for patience */
};

void http_outlet_check(
        const void *settings, enum sink_role role, const struct yaml_node *map, struct diag *diag)
{
	(void)role;
	const struct http_outlet_settings *s = settings;
	service_check(&s->service, map, diag);
	if (*s->path && (*s->path != '/' || g_str_has_suffix(s->path, "/") || strpbrk(s->path, "?# \t")))
		yaml_error(diag, yaml_get(map, "path"), "\"path\" is \"%s\", expected one like /archive",
		        s->path);
}

struct sink_session *http_outlet_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	g_autofree char *name = g_strdup_printf("sink %s", sink_role_name(outlet->role));
	const struct http_outlet_settings *settings = outlet->settings;
	struct http_client *client = service_client(&settings->service, name, world->stop, error);
	if (!client)
		return NULL;
	struct sink_session *session = g_new0(struct sink_session, 1);
	*session = (struct sink_session){settings, client, 0};
	return session;
}

void http_outlet_close(struct sink_session *session)
{
	if (!session)
		return;
	http_client_free(session->client);
	g_free(session);
}

char *http_outlet_describe(const struct outlet *outlet)
{
	const struct http_outlet_settings *settings = outlet->settings;
	return g_strdup_printf("%s %s%s", outlet->sink->name, settings->service.url, settings->path);
}

struct http_client *http_outlet_client(struct sink_session *session)
{
	return session->client;
}

char *http_outlet_path(const struct sink_session *session, const char *id)
{
	if (!id)
		return g_strdup(session->settings->path);
	g_autofree char *escaped = http_escape(id);
	return g_strconcat(session->settings->path, "/", escaped, NULL);
}

/* An id may be a number or a short printable string; anything else is none. */
static char *read_id(const json_t *answer, const char *pointer)
{
	json_t *id = json_pointer(answer, pointer);
	if (json_is_integer(id))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(id));
	const char *text = json_string_value(id);
	if (!text || !*text || strlen(text) > 200)
		return NULL;
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p))
			return NULL;
	return g_strdup(text);
}

static bool is_sha256(const char *text)
{
	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

json_t *http_outlet_call(
        struct sink_session *session, const struct http_request *request, const json_t *body, GError **error)
{
	if (g_get_monotonic_time() < session->wait_until) {
		fail(error, ERROR_AGAIN, "the service asked to wait");
		return NULL;
	}
	JSON_AUTO answer = http_json(session->client, request, body, error);
	if (!answer) {
		session->wait_until =
		        g_get_monotonic_time() + http_retry_after(session->client) * G_USEC_PER_SEC;
		return NULL;
	}
	g_autofree char *id = read_id(answer, session->settings->id_pointer);
	if (!id) {
		fail_as(error, ERROR_UNCERTAIN, SCOPE_ITEM, WHEN_LATER, "the answer holds no id at %s",
		        session->settings->id_pointer);
		return NULL;
	}
	json_t *receipt = json_object();
	json_set_string(receipt, "id", id);
	const char *sha256 = json_get_string(answer, "sha256");
	if (is_sha256(sha256))
		json_set_string(receipt, "sha256", sha256);
	return receipt;
}
