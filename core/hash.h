/* hash.h - SHA-256 and HMAC-SHA-256 over GnuTLS: content addresses and keyed pseudonyms. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE     32
#define HASH_HEX_SIZE 65 /* with the final NUL */

struct hash_stream; /* for content that does not fit in memory */

void hash_bytes(const void *data, size_t size, uint8_t out[HASH_SIZE]);
void hash_hex(const void *data, size_t size, char out[HASH_HEX_SIZE]);
void hash_keyed_hex(const void *key, size_t key_size, const void *data, size_t size, char out[HASH_HEX_SIZE]);
void hash_to_hex(const uint8_t hash[HASH_SIZE], char out[HASH_HEX_SIZE]);

struct hash_stream *hash_stream_new(void);
void hash_stream_add(struct hash_stream *stream, const void *data, size_t size);
/* Frees the stream. */
void hash_stream_end(struct hash_stream *stream, char out[HASH_HEX_SIZE]);
void hash_stream_end_raw(struct hash_stream *stream, uint8_t out[HASH_SIZE]);

/* Random bytes for salts and tokens; aborts if the system has none. */
void random_bytes(void *out, size_t size);

#endif
