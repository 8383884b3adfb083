/* log_tree.c - RFC 6962 hashing, the compact range, and the two proofs. */
#include "journal/log_tree.h"

#include <string.h>

void log_leaf_hash(const void *record, size_t size, struct log_hash *out)
{
	struct hash_stream *stream = hash_stream_new();
	hash_stream_add(stream, "\0", 1);
	hash_stream_add(stream, record, size);
	hash_stream_end_raw(stream, out->bytes);
}

void log_node_hash(const struct log_hash *left, const struct log_hash *right, struct log_hash *out)
{
	uint8_t input[1 + 2 * HASH_SIZE] = {1};
	memcpy(input + 1, left->bytes, HASH_SIZE);
	memcpy(input + 1 + HASH_SIZE, right->bytes, HASH_SIZE);
	hash_bytes(input, sizeof input, out->bytes);
}

bool log_hash_equal(const struct log_hash *a, const struct log_hash *b)
{
	return memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}

void log_tree_append(struct log_tree *tree, const struct log_hash *leaf)
{
	struct log_hash carry = *leaf;
	for (uint64_t size = tree->size; size & 1; size >>= 1)
		log_node_hash(&tree->peaks[--tree->n_peaks], &carry, &carry);
	tree->peaks[tree->n_peaks++] = carry;
	tree->size++;
}

void log_tree_root(const struct log_tree *tree, struct log_hash *out)
{
	if (tree->n_peaks == 0) {
		hash_bytes("", 0, out->bytes);
		return;
	}
	struct log_hash root = tree->peaks[tree->n_peaks - 1];
	for (unsigned i = tree->n_peaks - 1; i-- > 0;)
		log_node_hash(&tree->peaks[i], &root, &root);
	*out = root;
}

GBytes *log_tree_pack(const struct log_tree *tree)
{
	return g_bytes_new(tree->peaks, tree->n_peaks * sizeof tree->peaks[0]);
}

bool log_tree_unpack(uint64_t size, const void *data, size_t length, struct log_tree *out)
{
	unsigned peaks = (unsigned)__builtin_popcountll(size);
	if (length != peaks * sizeof(struct log_hash) || size >> LOG_TREE_MAX_PEAKS)
		return false;
	*out = (struct log_tree){.size = size, .n_peaks = peaks};
	if (length)
		memcpy(out->peaks, data, length);
	return true;
}

/* Root of leaves[0…n), n ≥ 1. */
static void subtree_root(const struct log_hash *leaves, uint64_t n, struct log_hash *out)
{
	struct log_tree tree = {0};
	for (uint64_t i = 0; i < n; i++)
		log_tree_append(&tree, &leaves[i]);
	log_tree_root(&tree, out);
}

/* Largest power of two below n (n ≥ 2). */
static uint64_t split_point(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void push_root(GArray *proof, const struct log_hash *leaves, uint64_t n)
{
	struct log_hash root;
	subtree_root(leaves, n, &root);
	g_array_append_val(proof, root);
}

static void reverse(GArray *proof)
{
	for (guint i = 0, j = proof->len; i + 1 < j; i++) {
		j--;
		struct log_hash swap = g_array_index(proof, struct log_hash, i);
		g_array_index(proof, struct log_hash, i) = g_array_index(proof, struct log_hash, j);
		g_array_index(proof, struct log_hash, j) = swap;
	}
}

GArray *log_inclusion_proof(const struct log_hash *leaves, uint64_t size, uint64_t index)
{
	GArray *proof = g_array_new(FALSE, FALSE, sizeof(struct log_hash));
	while (size > 1) { /* top down; RFC 9162 wants bottom up */
		uint64_t k = split_point(size);
		if (index < k) {
			push_root(proof, leaves + k, size - k);
			size = k;
		} else {
			push_root(proof, leaves, k);
			leaves += k;
			index -= k;
			size -= k;
		}
	}
	reverse(proof);
	return proof;
}

/* RFC 9162 section 2.1.3.2. */
bool log_inclusion_check(const struct log_hash *leaf, uint64_t index, uint64_t size,
        const struct log_hash *proof, unsigned n, const struct log_hash *root)
{
	if (index >= size)
		return false;
	uint64_t fn = index, sn = size - 1;
	struct log_hash r = *leaf;
	for (unsigned i = 0; i < n; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			log_node_hash(&proof[i], &r, &r);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			log_node_hash(&r, &proof[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && log_hash_equal(&r, root);
}

GArray *log_consistency_proof(const struct log_hash *leaves, uint64_t old_size, uint64_t size)
{
	GArray *proof = g_array_new(FALSE, FALSE, sizeof(struct log_hash));
	bool whole = true; /* the old tree is still a complete left part of what is looked at */
	if (old_size == 0 || old_size >= size)
		return proof;
	while (old_size < size) {
		uint64_t k = split_point(size);
		if (old_size <= k) {
			push_root(proof, leaves + k, size - k);
			size = k;
		} else {
			push_root(proof, leaves, k);
			leaves += k;
			old_size -= k;
			size -= k;
			whole = false;
		}
	}
	if (!whole)
		push_root(proof, leaves, size);
	reverse(proof);
	return proof;
}

/* RFC 9162 section 2.1.4.2. */
bool log_consistency_check(uint64_t old_size, const struct log_hash *old_root, uint64_t size,
        const struct log_hash *root, const struct log_hash *proof, unsigned n)
{
	if (old_size > size)
		return false;
	if (old_size == size)
		return n == 0 && log_hash_equal(old_root, root);
	if (old_size == 0)
		return n == 0;
	uint64_t fn = old_size - 1, sn = size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	unsigned i = 0;
	struct log_hash fr, sr;
	if (fn == 0) { /* old_size is a power of two: its root starts the proof */
		fr = sr = *old_root;
	} else {
		if (n == 0)
			return false;
		fr = sr = proof[i++];
	}
	for (; i < n; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			log_node_hash(&proof[i], &fr, &fr);
			log_node_hash(&proof[i], &sr, &sr);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			log_node_hash(&sr, &proof[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && log_hash_equal(&fr, old_root) && log_hash_equal(&sr, root);
}
