/* service.c - one way from the options of a service to a client. */
#include "config/service.h"
#include "core/error.h"
#include "core/file.h"

static const char *from_env(const char *variable, GError **error)
{
	const char *value = variable ? g_getenv(variable) : NULL;
	if (variable && !value)
		fail(error, ERROR_CONFIG, "the environment has no variable %s", variable);
	return value;
}

struct http_client *service_client(
        const struct service *service, const char *name, const volatile gint *stop, GError **error)
{
	const char *bearer = from_env(service->bearer_env, error);
	if (service->bearer_env && !bearer)
		return NULL;
	const char *secret = from_env(service->client_secret_env, error);
	if (service->client_secret_env && !secret)
		return NULL;
	struct http_settings settings = {
	        .name = name,
	        .url = service->url,
	        .ca_file = service->ca_file,
	        .proxy = service->proxy,
	        .bearer = bearer,
	        .bearer_file = service->bearer_file,
	        .token_url = service->token_url,
	        .client_id = service->client_id,
	        .client_secret = secret,
	        .client_secret_file = service->client_secret_file,
	        .scope = service->scope,
	        .total_seconds = (int)service->timeout,
	        .stop = stop,
	};
	return http_client_new(&settings, error);
}

static void check_secret(const char *path, const char *key, const struct yaml_node *map, struct diag *diag)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *secret = path ? secret_read(path, &error) : NULL;
	if (path && !secret)
		yaml_error(diag, yaml_get(map, key), "%s", error->message);
}

void service_check(const struct service *service, const struct yaml_node *map, struct diag *diag)
{
	if (!service->url)
		return;
	g_autoptr(GError) error = NULL;
	AUTO(http_client) client = service_client(service, "service", NULL, &error);
	if (!client)
		yaml_error(diag, map, "%s", error->message);
	check_secret(service->bearer_file, "bearer_file", map, diag);
	check_secret(service->client_secret_file, "client_secret_file", map, diag);
}
