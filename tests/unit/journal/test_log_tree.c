/* The Merkle tree against the test vectors of RFC 6962's reference implementation, and every proof of every
 * size. */
#include "journal/log_tree.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MOST = 70 };

static void assert_hex(const struct log_hash *hash, const char *expected)
{
	char hex[HASH_HEX_SIZE];
	hash_to_hex(hash->bytes, hex);
	cr_assert_str_eq(hex, expected);
}

Test(log_tree, the_reference_vectors_hold)
{
	static const struct {
		const char *data;
		size_t size;
	} inputs[] = {{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2}, {"\x30\x31", 2},
	        {"\x40\x41\x42\x43", 4}, {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
	        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
	static const char *const roots[] = {
	        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	struct log_tree tree = {0};
	struct log_hash root;
	log_tree_root(&tree, &root);
	assert_hex(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
		struct log_hash leaf;
		log_leaf_hash(inputs[i].data, inputs[i].size, &leaf);
		log_tree_append(&tree, &leaf);
		log_tree_root(&tree, &root);
		assert_hex(&root, roots[i]);
	}
}

static void fill(struct log_hash *leaves, struct log_hash *roots)
{
	struct log_tree tree = {0};
	log_tree_root(&tree, &roots[0]);
	for (unsigned i = 0; i < MOST; i++) {
		log_leaf_hash(&i, sizeof i, &leaves[i]);
		log_tree_append(&tree, &leaves[i]);
		log_tree_root(&tree, &roots[i + 1]);
	}
}

Test(log_tree, every_leaf_of_every_size_is_proved_and_no_other_leaf_is)
{
	struct log_hash leaves[MOST], roots[MOST + 1];
	fill(leaves, roots);
	for (uint64_t size = 1; size <= MOST; size++) {
		for (uint64_t i = 0; i < size; i++) {
			g_autoptr(GArray) proof = log_inclusion_proof(leaves, size, i);
			const struct log_hash *p = (const struct log_hash *)(void *)proof->data;
			cr_assert(log_inclusion_check(&leaves[i], i, size, p, proof->len, &roots[size]));
			cr_assert_not(log_inclusion_check(
			        &leaves[(i + 1) % MOST], i, size, p, proof->len, &roots[size]));
			cr_assert_not(
			        log_inclusion_check(&leaves[i], i, size, p, proof->len, &roots[size - 1]));
		}
	}
}

Test(log_tree, every_pair_of_sizes_is_proved_consistent_and_a_changed_root_is_not)
{
	struct log_hash leaves[MOST], roots[MOST + 1];
	fill(leaves, roots);
	for (uint64_t size = 1; size <= MOST; size++) {
		for (uint64_t old = 0; old <= size; old++) {
			g_autoptr(GArray) proof = log_consistency_proof(leaves, old, size);
			const struct log_hash *p = (const struct log_hash *)(void *)proof->data;
			cr_assert(log_consistency_check(old, &roots[old], size, &roots[size], p, proof->len),
			        "%d %d", (int)old, (int)size);
			struct log_hash bent = roots[size];
			bent.bytes[7] ^= 1;
			if (old)
				cr_assert_not(
				        log_consistency_check(old, &roots[old], size, &bent, p, proof->len));
			bent = roots[old];
			bent.bytes[0] ^= 1;
			if (old)
				cr_assert_not(
				        log_consistency_check(old, &bent, size, &roots[size], p, proof->len));
		}
	}
}

Test(log_tree, a_packed_compact_range_goes_on_as_if_it_had_never_stopped)
{
	struct log_hash leaves[MOST], roots[MOST + 1];
	fill(leaves, roots);
	struct log_tree tree = {0};
	for (unsigned i = 0; i < MOST; i++) {
		g_autoptr(GBytes) packed = log_tree_pack(&tree);
		gsize length;
		const void *data = g_bytes_get_data(packed, &length);
		struct log_tree again;
		cr_assert(log_tree_unpack(tree.size, data, length, &again));
		tree = again;
		log_tree_append(&tree, &leaves[i]);
		struct log_hash root;
		log_tree_root(&tree, &root);
		cr_assert(log_hash_equal(&root, &roots[i + 1]));
	}
	cr_assert_not(log_tree_unpack(3, leaves, 32, &tree));
}
