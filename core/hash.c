/* hash.c - one place for GnuTLS's digest calls. A failing digest is a broken installation: abort. */
#include "core/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

struct hash_stream {
	gnutls_hash_hd_t handle;
};

static void must(int status)
{
	if (status < 0)
		g_error("gnutls: %s", gnutls_strerror(status));
}

void hash_to_hex(const uint8_t hash[HASH_SIZE], char out[HASH_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < HASH_SIZE; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * HASH_SIZE] = '\0';
}

void hash_bytes(const void *data, size_t size, uint8_t out[HASH_SIZE])
{
	must(gnutls_hash_fast(GNUTLS_DIG_SHA256, data, size, out));
}

void hash_hex(const void *data, size_t size, char out[HASH_HEX_SIZE])
{
	uint8_t hash[HASH_SIZE];
	hash_bytes(data, size, hash);
	hash_to_hex(hash, out);
}

void hash_keyed_hex(const void *key, size_t key_size, const void *data, size_t size, char out[HASH_HEX_SIZE])
{
	uint8_t hash[HASH_SIZE];
	must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_size, data, size, hash));
	hash_to_hex(hash, out);
}

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *stream = g_new0(struct hash_stream, 1);
	must(gnutls_hash_init(&stream->handle, GNUTLS_DIG_SHA256));
	return stream;
}

void hash_stream_add(struct hash_stream *stream, const void *data, size_t size)
{
	must(gnutls_hash(stream->handle, data, size));
}

void hash_stream_end_raw(struct hash_stream *stream, uint8_t out[HASH_SIZE])
{
	gnutls_hash_deinit(stream->handle, out);
	g_free(stream);
}

void hash_stream_end(struct hash_stream *stream, char out[HASH_HEX_SIZE])
{
	uint8_t hash[HASH_SIZE];
	hash_stream_end_raw(stream, hash);
	hash_to_hex(hash, out);
}

void random_bytes(void *out, size_t size)
{
	must(gnutls_rnd(GNUTLS_RND_KEY, out, size));
}
