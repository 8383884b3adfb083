/* tls.c - a TCP connection that becomes TLS, over non-blocking sockets and poll(2).
 *
 * libetpan's own TLS verifies nothing and its time limits count inactivity only (facts.md part A); here every
 * wait ends at one absolute deadline.
 */
#include "core/tls.h"
#include "core/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* BSI TR-02102-2: nothing below 1.2. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%DISABLE_TLS13_COMPAT_MODE"

enum { SLICE_MS = 200 }; /* how late the stop flag may be seen */

struct tls_channel {
	int fd;
	int64_t deadline;
	const volatile gint *stop;
	gnutls_session_t session; /* NULL: plain */
	gnutls_certificate_credentials_t credentials;
	size_t at, filled; /* of buffer: GnuTLS asks for 5 bytes, then for the record */
	char buffer[65536];
};

static bool is_stopped(const volatile gint *stop)
{
	return stop && g_atomic_int_get(stop) != 0;
}

/* Waits for `events` until `until`: 1 ready, 0 time is over, -1 with errno (ECANCELED: stopped). */
static int wait_fd(int fd, short events, int64_t until, const volatile gint *stop)
{
	for (;;) {
		int64_t left = (until - g_get_monotonic_time()) / 1000;
		if (is_stopped(stop)) {
			errno = ECANCELED;
			return -1;
		}
		if (left <= 0)
			return 0;
		struct pollfd poll_fd = {.fd = fd, .events = events};
		int n = poll(&poll_fd, 1, (int)MIN(left, SLICE_MS));
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

/* --- resolving: getaddrinfo has no time limit, so it runs in a thread that may be left behind --- */

struct lookup {
	gint references;
	GMutex lock;
	GCond done_cond;
	gint done;
	char *host, *port;
	int result;
	struct addrinfo *addresses;
};

static void lookup_unref(struct lookup *lookup)
{
	if (!g_atomic_int_dec_and_test(&lookup->references))
		return;
	if (lookup->addresses)
		freeaddrinfo(lookup->addresses);
	g_mutex_clear(&lookup->lock);
	g_cond_clear(&lookup->done_cond);
	g_free(lookup->host);
	g_free(lookup->port);
	g_free(lookup);
}

static gpointer lookup_run(gpointer data)
{
	struct lookup *lookup = data;
	const struct addrinfo hints = {
	        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *addresses = NULL;
	int result = getaddrinfo(lookup->host, lookup->port, &hints, &addresses);
	if (result == EAI_NONAME || result == EAI_ADDRFAMILY) { /* a machine with a loopback only */
		const struct addrinfo plain = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
		result = getaddrinfo(lookup->host, lookup->port, &plain, &addresses);
	}
	g_mutex_lock(&lookup->lock);
	lookup->result = result;
	lookup->addresses = addresses;
	g_atomic_int_set(&lookup->done, 1);
	g_cond_signal(&lookup->done_cond);
	g_mutex_unlock(&lookup->lock);
	lookup_unref(lookup);
	return NULL;
}

static struct lookup *lookup_new(const char *host, int port)
{
	struct lookup *lookup = g_new0(struct lookup, 1);
	lookup->references = 1;
	g_mutex_init(&lookup->lock);
	g_cond_init(&lookup->done_cond);
	lookup->host = g_strdup(host);
	lookup->port = g_strdup_printf("%d", port);
	return lookup;
}

/* True if it ended in time; the result stands in it. */
static bool lookup_wait(struct lookup *lookup, int64_t deadline, const volatile gint *stop)
{
	g_atomic_int_inc(&lookup->references);
	g_thread_unref(g_thread_new("resolve", lookup_run, lookup));
	g_mutex_lock(&lookup->lock);
	while (!g_atomic_int_get(&lookup->done) && g_get_monotonic_time() < deadline && !is_stopped(stop))
		g_cond_wait_until(&lookup->done_cond, &lookup->lock,
		        MIN(deadline, g_get_monotonic_time() + SLICE_MS * 1000));
	bool done = g_atomic_int_get(&lookup->done) != 0;
	g_mutex_unlock(&lookup->lock);
	return done;
}

/* --- connecting --- */

static int connect_one(const struct addrinfo *address, int64_t deadline, const volatile gint *stop)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	int failure = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
	if (failure == EINPROGRESS) {
		int ready = wait_fd(fd, POLLOUT, deadline, stop);
		socklen_t size = sizeof failure;
		failure = ready == 0 ? ETIMEDOUT : errno;
		if (ready == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
	}
	if (failure == 0)
		return fd;
	close(fd);
	errno = failure;
	return -1;
}

static int connect_any(const struct lookup *lookup, int64_t deadline, const volatile gint *stop)
{
	unsigned left = 0;
	for (const struct addrinfo *a = lookup->addresses; a; a = a->ai_next)
		left++;
	errno = EADDRNOTAVAIL;
	for (const struct addrinfo *a = lookup->addresses; a; a = a->ai_next, left--) {
		int64_t now = g_get_monotonic_time();
		int64_t share = now + (deadline - now) / left; /* a dead address leaves time for the others */
		int fd = connect_one(a, share, stop);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

struct tls_channel *tls_connect(
        const char *host, int port, int64_t deadline, const volatile gint *stop, GError **error)
{
	struct lookup *lookup = lookup_new(host, port);
	int fd = -1;
	if (!lookup_wait(lookup, deadline, stop))
		fail(error, ERROR_UNAVAILABLE, "%s: resolving the name took too long", host);
	else if (lookup->result != 0)
		fail(error, ERROR_UNAVAILABLE, "%s: %s", host, gai_strerror(lookup->result));
	else if ((fd = connect_any(lookup, deadline, stop)) < 0)
		fail(error, ERROR_UNAVAILABLE, "%s:%d: %s", host, port, g_strerror(errno));
	lookup_unref(lookup);
	if (fd < 0)
		return NULL;
	struct tls_channel *channel = g_new0(struct tls_channel, 1);
	channel->fd = fd;
	channel->deadline = deadline;
	channel->stop = stop;
	return channel;
}

void tls_channel_free(struct tls_channel *channel)
{
	if (!channel)
		return;
	if (channel->session) {
		gnutls_bye(channel->session, GNUTLS_SHUT_WR); /* non-blocking: at most one try */
		gnutls_deinit(channel->session);
	}
	if (channel->credentials)
		gnutls_certificate_free_credentials(channel->credentials);
	close(channel->fd);
	g_free(channel);
}

/* --- TLS --- */

static bool load_trust(struct tls_channel *channel, const char *ca_file, GError **error)
{
	gnutls_certificate_allocate_credentials(&channel->credentials);
	int n = ca_file ? gnutls_certificate_set_x509_trust_file(
	                          channel->credentials, ca_file, GNUTLS_X509_FMT_PEM)
	                : gnutls_certificate_set_x509_system_trust(channel->credentials);
	if (n > 0)
		return true;
	fail(error, ERROR_CONFIG, "%s: no certificate authority could be read",
	        ca_file ? ca_file : "the system's trust store");
	return false;
}

/* One large recv for many small wishes of GnuTLS. */
static ssize_t pull_bytes(gnutls_transport_ptr_t data, void *into, size_t size)
{
	struct tls_channel *channel = data;
	if (channel->at == channel->filled) {
		ssize_t n = recv(channel->fd, channel->buffer, sizeof channel->buffer, 0);
		if (n <= 0) {
			gnutls_transport_set_errno(channel->session, n == 0 ? 0 : errno);
			return n;
		}
		channel->at = 0;
		channel->filled = (size_t)n;
	}
	size_t part = MIN(size, channel->filled - channel->at);
	memcpy(into, channel->buffer + channel->at, part);
	channel->at += part;
	return (ssize_t)part;
}

static ssize_t push_bytes(gnutls_transport_ptr_t data, const void *bytes, size_t size)
{
	struct tls_channel *channel = data;
	ssize_t n = send(channel->fd, bytes, size, MSG_NOSIGNAL);
	if (n < 0)
		gnutls_transport_set_errno(channel->session, errno);
	return n;
}

static bool is_address(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void fail_handshake(const struct tls_channel *channel, const char *host, int result, GError **error)
{
	if (result != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR && result != GNUTLS_E_CERTIFICATE_ERROR) {
		fail(error, ERROR_UNAVAILABLE, "%s: TLS: %s", host, gnutls_strerror(result));
		return;
	}
	unsigned status = gnutls_session_get_verify_cert_status(channel->session);
	gnutls_datum_t words = {0};
	gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0);
	fail(error, ERROR_UNAVAILABLE, "%s: certificate refused: %s", host,
	        words.data ? (const char *)words.data : "not trusted");
	gnutls_free(words.data);
}

/* 0, or the GnuTLS error; GNUTLS_E_TIMEDOUT at the deadline. */
static int shake_hands(struct tls_channel *channel)
{
	for (;;) {
		int result = gnutls_handshake(channel->session);
		if (result == 0 || gnutls_error_is_fatal(result))
			return result;
		if (result != GNUTLS_E_AGAIN && result != GNUTLS_E_INTERRUPTED)
			continue;
		if (channel->at < channel->filled)
			continue;
		short events = gnutls_record_get_direction(channel->session) ? POLLOUT : POLLIN;
		if (wait_fd(channel->fd, events, channel->deadline, channel->stop) != 1)
			return GNUTLS_E_TIMEDOUT;
	}
}

bool tls_start(struct tls_channel *channel, const char *host, const char *ca_file, GError **error)
{
	g_assert(!channel->session);
	if (!load_trust(channel, ca_file, error))
		return false;
	gnutls_init(&channel->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	gnutls_priority_set_direct(channel->session, PRIORITY, NULL);
	gnutls_credentials_set(channel->session, GNUTLS_CRD_CERTIFICATE, channel->credentials);
	if (!is_address(host))
		gnutls_server_name_set(channel->session, GNUTLS_NAME_DNS, host, strlen(host));
	gnutls_typed_vdata_st expected[] = {
	        {.type = GNUTLS_DT_DNS_HOSTNAME,
	                .data = (unsigned char *)host,
	                .size = (unsigned)strlen(host)},
	        {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER},
	};
	gnutls_session_set_verify_cert2(channel->session, expected, G_N_ELEMENTS(expected), 0);
	gnutls_transport_set_ptr(channel->session, channel);
	gnutls_transport_set_pull_function(channel->session, pull_bytes);
	gnutls_transport_set_push_function(channel->session, push_bytes);
	int result = shake_hands(channel);
	if (result != 0)
		fail_handshake(channel, host, result, error);
	return result == 0;
}

bool tls_is_secure(const struct tls_channel *channel)
{
	return channel->session != NULL;
}

/* --- bytes --- */

void tls_set_deadline(struct tls_channel *channel, int64_t deadline)
{
	channel->deadline = deadline;
}

/* True: try again; false with errno: over. */
static bool wait_for(struct tls_channel *channel, short events)
{
	if (events == POLLIN && channel->at < channel->filled)
		return true;
	int ready = wait_fd(channel->fd, events, channel->deadline, channel->stop);
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready == 1;
}

/* One try: > 0 bytes; 0 would block; -1 with errno (0 = end of the stream). */
static ssize_t read_once(struct tls_channel *channel, void *into, size_t size)
{
	ssize_t n = channel->session ? gnutls_record_recv(channel->session, into, size)
	                             : recv(channel->fd, into, size, 0);
	if (n > 0)
		return n;
	bool blocked = channel->session ? n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED
	                                : n < 0 && (errno == EAGAIN || errno == EINTR);
	if (blocked)
		return 0;
	if (n == 0)
		errno = 0;
	else if (channel->session)
		errno = EIO;
	return -1;
}

ssize_t tls_read(struct tls_channel *channel, void *into, size_t size)
{
	for (;;) {
		if (g_get_monotonic_time() >= channel->deadline) { /* a trickling server never blocks */
			errno = ETIMEDOUT;
			return -1;
		}
		ssize_t n = read_once(channel, into, size);
		if (n != 0)
			return n;
		if (!wait_for(channel, POLLIN))
			return -1;
	}
}

static ssize_t write_once(struct tls_channel *channel, const void *data, size_t size)
{
	ssize_t n = channel->session ? gnutls_record_send(channel->session, data, size)
	                             : send(channel->fd, data, size, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	bool blocked = channel->session ? n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED
	                                : errno == EAGAIN || errno == EINTR;
	if (!blocked && channel->session)
		errno = EIO;
	return blocked ? 0 : -1;
}

ssize_t tls_write(struct tls_channel *channel, const void *data, size_t size)
{
	const char *p = data;
	for (size_t left = size; left > 0;) {
		ssize_t n = write_once(channel, p, left);
		if (n < 0 || (n == 0 && !wait_for(channel, POLLOUT)))
			return -1;
		p += n;
		left -= (size_t)n;
	}
	return (ssize_t)size;
}

int tls_wait(struct tls_channel *channel, int64_t until)
{
	if (channel->at < channel->filled ||
	        (channel->session && gnutls_record_check_pending(channel->session) > 0))
		return 1;
	return wait_fd(channel->fd, POLLIN, until, channel->stop);
}

int tls_fd(const struct tls_channel *channel)
{
	return channel->fd;
}
