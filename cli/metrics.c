/* metrics.c - the daemon's metrics: one thread reads the journal, requests only get the last page.
 *
 * A scraper can neither slow the phases down nor open journal connections: whatever it sends, at most
 * REQUEST_MAX bytes are read within REQUEST_SECONDS, by at most CLIENTS_MAX threads.
 */
#include "cli/metrics.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

#include <gio/gio.h>
#include <string.h>

enum { REQUEST_MAX = 4096, REQUEST_SECONDS = 2, CLIENTS_MAX = 8, RENEW_SECONDS = 15, STALE_SECONDS = 120 };

struct metrics {
	const struct world *world;
	struct phases *phases;
	GSocketService *service; /* NULL: not listening */
	GThread *thread;
	GMutex lock; /* guards the rest */
	GCond stop_rung;
	bool stop;
	bool gone; /* the service and all its threads */
	char *page;
	int64_t renewed; /* monotonic; when the journal last answered */
};

bool metrics_address(const char *text, char **host, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	guint64 number;
	if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &number, NULL))
		return false;
	g_autofree char *name = g_strndup(text, (gsize)(colon - text));
	size_t length = strlen(name);
	if (length > 1 && name[0] == '[' && name[length - 1] == ']') {
		name[length - 1] = '\0';
		memmove(name, name + 1, length - 1);
	}
	if (*name && strcmp(name, "*") != 0 && !g_hostname_is_ip_address(name))
		return false;
	*host = *name && strcmp(name, "*") != 0 ? g_steal_pointer(&name) : NULL;
	*port = (uint16_t)number;
	return true;
}

/* --- renewing --- */

static void put_page(struct metrics *m, char *page)
{
	g_mutex_lock(&m->lock);
	g_free(m->page);
	m->page = page;
	m->renewed = g_get_monotonic_time();
	g_mutex_unlock(&m->lock);
}

static bool renew(struct metrics *m, struct journal *journal, GError **error)
{
	struct tally tally;
	phases_tally(m->phases, &tally);
	char *page = metrics_text(journal, &tally, world_now(m->world), error);
	if (!page)
		return false;
	const char *path = m->world->deployment->metrics_file;
	bool ok = !path || file_write_durable(path, page, strlen(page), 0644, error);
	put_page(m, page);
	return ok;
}

/* False once the end has come. */
static bool wait_to_renew(struct metrics *m)
{
	int64_t until = g_get_monotonic_time() + RENEW_SECONDS * G_TIME_SPAN_SECOND;
	g_mutex_lock(&m->lock);
	while (!m->stop && g_cond_wait_until(&m->stop_rung, &m->lock, until))
		;
	bool go_on = !m->stop;
	g_mutex_unlock(&m->lock);
	return go_on;
}

static gpointer renew_thread(gpointer data)
{
	struct metrics *m = data;
	struct journal *journal = NULL;
	do {
		g_autoptr(GError) failure = NULL;
		if (!journal)
			journal = journal_open(&m->world->options, &failure);
		if (journal && renew(m, journal, &failure))
			continue;
		log_error("metrics", failure);
		g_clear_pointer(&journal, journal_close);
	} while (wait_to_renew(m));
	journal_close(journal);
	return NULL;
}

/* --- serving --- */

static char *answer(const char *status, const char *type, const char *body)
{
	return g_strdup_printf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	                       "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
	        status, type, strlen(body), body);
}

static char *health(struct metrics *m)
{
	g_mutex_lock(&m->lock);
	int64_t age = g_get_monotonic_time() - m->renewed;
	bool ok = m->page && age < STALE_SECONDS * G_TIME_SPAN_SECOND;
	g_mutex_unlock(&m->lock);
	return ok ? answer("200 OK", "text/plain", "ok\n")
	          : answer("503 Service Unavailable", "text/plain", "the journal does not answer\n");
}

static char *page(struct metrics *m)
{
	g_mutex_lock(&m->lock);
	char *text = m->page ? answer("200 OK", "text/plain; version=0.0.4; charset=utf-8", m->page)
	                     : answer("503 Service Unavailable", "text/plain", "no numbers yet\n");
	g_mutex_unlock(&m->lock);
	return text;
}

static char *respond(struct metrics *m, const char *request)
{
	if (!g_str_has_prefix(request, "GET "))
		return answer("405 Method Not Allowed", "text/plain", "GET only\n");
	if (g_str_has_prefix(request + 4, "/metrics ") || g_str_has_prefix(request + 4, "/metrics?"))
		return page(m);
	if (g_str_has_prefix(request + 4, "/healthz "))
		return health(m);
	return answer("404 Not Found", "text/plain", "/metrics or /healthz\n");
}

/* Reads up to the end of the header fields. False: too long, too slow or broken off. */
static bool read_request(GInputStream *in, char *buffer, gsize size)
{
	int64_t until = g_get_monotonic_time() + REQUEST_SECONDS * G_TIME_SPAN_SECOND;
	gsize have = 0;
	while (have + 1 < size && g_get_monotonic_time() < until) {
		gssize n = g_input_stream_read(in, buffer + have, size - 1 - have, NULL, NULL);
		if (n <= 0)
			return false;
		have += (gsize)n;
		buffer[have] = '\0';
		if (strstr(buffer, "\r\n\r\n"))
			return true;
	}
	return false;
}

static gboolean serve(
        GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
	struct metrics *m = data;
	char request[REQUEST_MAX] = "";
	(void)service;
	(void)source;
	g_socket_set_timeout(g_socket_connection_get_socket(connection), REQUEST_SECONDS);
	GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	bool whole = read_request(in, request, sizeof request);
	g_autofree char *text =
	        whole ? respond(m, request) : answer("400 Bad Request", "text/plain", "no HTTP request\n");
	g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
	return TRUE;
}

/* Each thread that serves holds the service: when it goes, nobody uses `m` any more. */
static void service_gone(gpointer data, GObject *service)
{
	struct metrics *m = data;
	(void)service;
	g_mutex_lock(&m->lock);
	m->gone = true;
	g_cond_broadcast(&m->stop_rung);
	g_mutex_unlock(&m->lock);
}

static void stop_service(struct metrics *m)
{
	g_socket_service_stop(m->service);
	g_socket_listener_close(G_SOCKET_LISTENER(m->service));
	g_clear_object(&m->service);
	g_mutex_lock(&m->lock);
	while (!m->gone)
		g_cond_wait(&m->stop_rung, &m->lock);
	g_mutex_unlock(&m->lock);
}

static bool listen_at(struct metrics *m, const char *where, GError **error)
{
	g_autofree char *host = NULL;
	uint16_t port;
	if (!metrics_address(where, &host, &port)) {
		fail(error, ERROR_CONFIG,
		        "metrics.listen is \"%s\", expected ADDRESS:PORT such as "
		        "127.0.0.1:9464",
		        where);
		return false;
	}
	m->service = g_threaded_socket_service_new(CLIENTS_MAX);
	g_object_weak_ref(G_OBJECT(m->service), service_gone, m);
	g_autoptr(GSocketAddress) address = host ? g_inet_socket_address_new_from_string(host, port) : NULL;
	g_autoptr(GError) reason = NULL;
	bool ok = host ? g_socket_listener_add_address(G_SOCKET_LISTENER(m->service), address,
	                         G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, NULL, &reason)
	               : g_socket_listener_add_inet_port(G_SOCKET_LISTENER(m->service), port, NULL, &reason);
	if (!ok) {
		fail(error, ERROR_CONFIG, "metrics.listen %s: %s", where, reason->message);
		return false;
	}
	g_signal_connect(m->service, "run", G_CALLBACK(serve), m);
	g_socket_service_start(m->service);
	return true;
}

struct metrics *metrics_start(const struct world *world, struct phases *phases, GError **error)
{
	struct metrics *m = g_new0(struct metrics, 1);
	m->world = world;
	m->phases = phases;
	g_mutex_init(&m->lock);
	g_cond_init(&m->stop_rung);
	const char *where = world->deployment->metrics_listen;
	if (where && !listen_at(m, where, error)) {
		metrics_stop(m);
		return NULL;
	}
	if (where || world->deployment->metrics_file)
		m->thread = g_thread_new("metrics", renew_thread, m);
	return m;
}

void metrics_stop(struct metrics *m)
{
	if (!m)
		return;
	g_mutex_lock(&m->lock);
	m->stop = true;
	g_cond_broadcast(&m->stop_rung);
	g_mutex_unlock(&m->lock);
	if (m->service)
		stop_service(m);
	if (m->thread)
		g_thread_join(m->thread);
	g_mutex_clear(&m->lock);
	g_cond_clear(&m->stop_rung);
	g_free(m->page);
	g_free(m);
}
