/* log_tree.h - the Merkle tree over log records (RFC 6962 section 2.1; proofs as in RFC 9162 section 2.1).
 *
 * Appending needs only the compact range: the roots of the perfect subtrees that make up the tree, at most 63
 * hashes. Proofs are made from the array of all leaf hashes.
 */
#ifndef JOURNAL_LOG_TREE_H
#define JOURNAL_LOG_TREE_H

#include "core/hash.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_TREE_MAX_PEAKS 63

struct log_hash {
	uint8_t bytes[HASH_SIZE];
};

/* A tree of `size` leaves as its compact range, largest subtree first. All zero is the empty tree. */
struct log_tree {
	uint64_t size;
	unsigned n_peaks;
	struct log_hash peaks[LOG_TREE_MAX_PEAKS];
};

/* SHA-256(0x00 ‖ record). */
void log_leaf_hash(const void *record, size_t size, struct log_hash *out);
/* SHA-256(0x01 ‖ left ‖ right). */
void log_node_hash(const struct log_hash *left, const struct log_hash *right, struct log_hash *out);

void log_tree_append(struct log_tree *tree, const struct log_hash *leaf);
/* Root of the empty tree is SHA-256 of nothing. */
void log_tree_root(const struct log_tree *tree, struct log_hash *out);

/* The compact range as bytes (peaks in order, 32 bytes each) for the checkpoint row, and back. */
GBytes *log_tree_pack(const struct log_tree *tree);
/* False if the number of bytes does not fit the size. */
bool log_tree_unpack(uint64_t size, const void *data, size_t length, struct log_tree *out);

/* Proofs: arrays of struct log_hash (GArray), made over leaves[0…size). */
GArray *log_inclusion_proof(const struct log_hash *leaves, uint64_t size, uint64_t index);
bool log_inclusion_check(const struct log_hash *leaf, uint64_t index, uint64_t size,
        const struct log_hash *proof, unsigned n, const struct log_hash *root);
GArray *log_consistency_proof(const struct log_hash *leaves, uint64_t old_size, uint64_t size);
bool log_consistency_check(uint64_t old_size, const struct log_hash *old_root, uint64_t size,
        const struct log_hash *root, const struct log_hash *proof, unsigned n);

bool log_hash_equal(const struct log_hash *a, const struct log_hash *b);

#endif
