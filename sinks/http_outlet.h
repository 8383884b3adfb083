/* http_outlet.h - what the sinks that speak HTTP share: settings, session, receipts. */
#ifndef SINKS_HTTP_OUTLET_H
#define SINKS_HTTP_OUTLET_H

#include "config/service.h"
#include "sinks/sink.h"

struct http_outlet_settings {
	struct service service;
	char *path, *id_pointer;
};

/* Their options; `where` is the default of `path`. */
#define HTTP_OUTLET_OPTIONS(where)                                                                           \
	SERVICE_OPTIONS(struct http_outlet_settings, service, "60s"),                                        \
	        {.name = "path",                                                                             \
	                .type = OPTION_STRING,                                                               \
	                .fallback = where,                                                                   \
	                .offset = offsetof(struct http_outlet_settings, path),                               \
	                .help = "Put behind url: where the service takes these things."},                    \
	        {.name = "id_pointer",                                                                       \
	                .type = OPTION_POINTER,                                                              \
	                .fallback = "/id",                                                                   \
	                .offset = offsetof(struct http_outlet_settings, id_pointer),                         \
	                .help = "Where the answer holds the service's own id of what was made."},            \
	        OPTION_END

void http_outlet_check(
        const void *settings, enum sink_role role, const struct yaml_node *map, struct diag *diag);
struct sink_session *http_outlet_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error);
void http_outlet_close(struct sink_session *session);
char *http_outlet_describe(const struct outlet *outlet);

struct http_client *http_outlet_client(struct sink_session *session);
/* Path of the collection, or of one thing in it (its id is escaped). Free with g_free. */
char *http_outlet_path(const struct sink_session *session, const char *id);

/* One call with a JSON body (may be NULL); the receipt is made of the answer: {"id":…} and, if it says one,
 * {"sha256":…}. An answer without id is no receipt: ERROR_UNCERTAIN. After a Retry-After no call is made
 * until the time has come (ERROR_AGAIN, scope SOURCE). NULL on failure. New reference. */
json_t *http_outlet_call(
        struct sink_session *session, const struct http_request *request, const json_t *body, GError **error);

#endif
