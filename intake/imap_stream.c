/* imap_stream.c - a mailstream_low driver (facts.md part A 2.1, way A). */
#include "intake/imap_stream.h"

#include <errno.h>
#include <stdlib.h>

struct stream {
	struct tls_channel *channel;
	int64_t quota; /* bytes this command may still bring */
	struct imap_filter filter;
	const char *failure;
};

static struct stream *stream_of(mailstream_low *low)
{
	return low->data;
}

static const char *read_failure(void)
{
	switch (errno) {
	case 0:
		return "the server closed the connection";
	case ETIMEDOUT:
		return "the server took too long";
	case ECANCELED:
		return "stopped";
	}
	return "the connection broke";
}

/* -1 at the end of the stream, never 0: libetpan's literal loop would spin on 0. */
static ssize_t stream_read(mailstream_low *low, void *into, size_t size)
{
	struct stream *stream = stream_of(low);
	if (stream->failure)
		return -1;
	ssize_t n = tls_read(stream->channel, into, size);
	if (n < 0)
		stream->failure = read_failure();
	else if (n > stream->quota)
		stream->failure = "the server sent more than was asked for";
	else
		stream->failure = imap_filter_feed(&stream->filter, into, (size_t)n);
	stream->quota -= n;
	return stream->failure ? -1 : n;
}

static ssize_t stream_write(mailstream_low *low, const void *data, size_t size)
{
	struct stream *stream = stream_of(low);
	if (stream->failure)
		return -1;
	ssize_t n = tls_write(stream->channel, data, size);
	if (n < 0)
		stream->failure = read_failure();
	return n;
}

static int stream_close(mailstream_low *low)
{
	struct stream *stream = stream_of(low);
	tls_channel_free(stream->channel);
	stream->channel = NULL;
	return 0;
}

static int stream_fd(mailstream_low *low)
{
	return tls_fd(stream_of(low)->channel);
}

static void stream_free(mailstream_low *low)
{
	tls_channel_free(stream_of(low)->channel);
	g_free(low->data);
	free(low); /* libetpan's own malloc */
}

static void stream_cancel(mailstream_low *low)
{
	(void)low;
}

static struct mailstream_cancel *stream_no_cancel(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static mailstream_low_driver driver = {
        .mailstream_read = stream_read,
        .mailstream_write = stream_write,
        .mailstream_close = stream_close,
        .mailstream_get_fd = stream_fd,
        .mailstream_free = stream_free,
        .mailstream_cancel = stream_cancel,
        .mailstream_get_cancel = stream_no_cancel,
};

mailstream_low *imap_stream_new(struct tls_channel *channel)
{
	struct stream *stream = g_new0(struct stream, 1);
	stream->channel = channel;
	mailstream_low *low = mailstream_low_new(stream, &driver);
	g_assert(low);
	return low;
}

struct tls_channel *imap_stream_channel(mailstream_low *low)
{
	return stream_of(low)->channel;
}

void imap_stream_begin(mailstream_low *low, int64_t seconds, int64_t quota)
{
	struct stream *stream = stream_of(low);
	tls_set_deadline(stream->channel, g_get_monotonic_time() + seconds * G_USEC_PER_SEC);
	stream->quota = quota;
}

const char *imap_stream_failure(mailstream_low *low)
{
	return stream_of(low)->failure;
}
