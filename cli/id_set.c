/* id_set.c - an open-addressing table of 128-bit hashes; a GHashTable would take five times the memory. */
#include "cli/id_set.h"

#include "core/hash.h"

#include <string.h>

struct key {
	uint64_t high, low; /* both 0: free */
};

struct id_set {
	struct key *keys;
	size_t slots; /* a power of two */
	size_t used;
};

struct id_set *id_set_new(void)
{
	struct id_set *set = g_new0(struct id_set, 1);
	set->slots = 1024;
	set->keys = g_new0(struct key, set->slots);
	return set;
}

void id_set_free(struct id_set *set)
{
	if (!set)
		return;
	g_free(set->keys);
	g_free(set);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct key *slot_of(const struct id_set *set, struct key key)
{
	size_t i = key.low & (set->slots - 1);
	while (set->keys[i].high || set->keys[i].low) {
		if (set->keys[i].high == key.high && set->keys[i].low == key.low)
			break;
		i = (i + 1) & (set->slots - 1);
	}
	return &set->keys[i];
}

static void grow(struct id_set *set)
{
	struct id_set bigger = {g_new0(struct key, set->slots * 2), set->slots * 2, set->used};
	for (size_t i = 0; i < set->slots; i++)
		if (set->keys[i].high || set->keys[i].low)
			*slot_of(&bigger, set->keys[i]) = set->keys[i];
	g_free(set->keys);
	*set = bigger;
}

bool id_set_add(struct id_set *set, const char *id)
{
	uint8_t hash[HASH_SIZE];
	struct key key;
	hash_bytes(id, strlen(id), hash);
	memcpy(&key, hash, sizeof key);
	key.low |= !key.high && !key.low;
	struct key *slot = slot_of(set, key);
	if (slot->high || slot->low)
		return false;
	*slot = key;
	if (++set->used * 4 > set->slots * 3)
		grow(set);
	return true;
}
