/* service.h - the options that every HTTP service of the deployment file shares, and a client made from them.
 *
 * `limit` is the default of `timeout`.
 *
 *     struct x_settings { struct service service; … };
 *     const struct option x_options[] = {SERVICE_OPTIONS(struct x_settings, service, "60s"), …, OPTION_END};
 */
#ifndef CONFIG_SERVICE_H
#define CONFIG_SERVICE_H

#include "config/option.h"
#include "core/http.h"

struct service {
	char *url, *ca_file, *proxy;
	char *bearer_file, *bearer_env;
	char *token_url, *client_id, *client_secret_file, *client_secret_env, *scope;
	int64_t timeout; /* seconds */
};

#define SERVICE_OPTION_(structure, member, key, kind, bits, words)                                           \
	{                                                                                                    \
		.name = #key, .type = kind, .offset = offsetof(structure, member.key), .flags = bits,        \
		.help = words                                                                                \
	}

#define SERVICE_OPTIONS(structure, member, limit)                                                            \
	SERVICE_OPTION_(structure, member, url, OPTION_URL, OPTION_REQUIRED, "Address of the service."),     \
	        SERVICE_OPTION_(structure, member, ca_file, OPTION_PATH, 0,                                  \
	                "PEM file with the only authorities trusted here; without it the system's."),        \
	        SERVICE_OPTION_(structure, member, proxy, OPTION_STRING, 0,                                  \
	                "http://host:port of a proxy; the environment is ignored."),                         \
	        SERVICE_OPTION_(structure, member, bearer_file, OPTION_PATH, 0,                              \
	                "File with a bearer token; read again when the service refuses it."),                \
	        SERVICE_OPTION_(structure, member, bearer_env, OPTION_STRING, 0,                             \
	                "Environment variable with a bearer token."),                                        \
	        SERVICE_OPTION_(structure, member, token_url, OPTION_URL, 0,                                 \
	                "OAuth 2 token address (client credentials)."),                                      \
	        SERVICE_OPTION_(structure, member, client_id, OPTION_STRING, 0, "OAuth 2 client id."),       \
	        SERVICE_OPTION_(structure, member, client_secret_file, OPTION_PATH, 0,                       \
	                "File with the OAuth 2 client secret."),                                             \
	        SERVICE_OPTION_(structure, member, client_secret_env, OPTION_STRING, 0,                      \
	                "Environment variable with the OAuth 2 client secret."),                             \
	        SERVICE_OPTION_(structure, member, scope, OPTION_STRING, 0, "OAuth 2 scope to ask for."),    \
	{                                                                                                    \
		.name = "timeout", .type = OPTION_DURATION, .fallback = limit, .min = 1, .max = 600,         \
		.offset = offsetof(structure, member.timeout), .help = "Absolute time limit of one call."    \
	}

/* A client for one thread. `name` is for messages ("sink archive"); `stop` may be NULL. ERROR_CONFIG. No I/O.
 */
struct http_client *service_client(
        const struct service *service, const char *name, const volatile gint *stop, GError **error);

/* Reports to diag what no single option can: half given credentials, a missing variable, an unreadable file.
 */
void service_check(const struct service *service, const struct yaml_node *map, struct diag *diag);

#endif
