/* A bundle is its content: the same files give the same hash, and a packed one unpacks to itself. */
#include "config/bundle.h"
#include "core/error.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static char *folder_with(const char *catalogue)
{
	char *folder = g_dir_make_tmp("bundle-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "catalogue.yaml", NULL);
	g_autofree char *sub = g_build_filename(folder, "rulesets", NULL);
	g_autofree char *rules = g_build_filename(sub, "a.yaml", NULL);
	g_mkdir(sub, 0700);
	g_file_set_contents(file, catalogue, -1, NULL);
	g_file_set_contents(rules, "rules: []\n", -1, NULL);
	return folder;
}

Test(bundle, the_hash_depends_on_the_bytes_not_on_the_place)
{
	g_autofree char *a = folder_with("x: 1\n"), *b = folder_with("x: 1\n"), *c = folder_with("x: 2\n");
	AUTO(bundle) first = bundle_read(a, NULL);
	AUTO(bundle) same = bundle_read(b, NULL);
	AUTO(bundle) other = bundle_read(c, NULL);
	cr_assert_str_eq(bundle_hash(first), bundle_hash(same));
	cr_assert_str_neq(bundle_hash(first), bundle_hash(other));
}

Test(bundle, packed_and_unpacked_it_is_the_same)
{
	g_autofree char *folder = folder_with("x: 1\n");
	AUTO(bundle) bundle = bundle_read(folder, NULL);
	g_autoptr(GBytes) packed = bundle_pack(bundle);
	AUTO(bundle) again = bundle_unpack(packed, NULL);
	cr_assert_str_eq(bundle_hash(bundle), bundle_hash(again));
	g_autoptr(GPtrArray) rules = bundle_list(again, "rulesets/", ".yaml");
	cr_assert_eq(rules->len, 1);
	cr_assert_str_eq(g_ptr_array_index(rules, 0), "rulesets/a.yaml");
}

Test(bundle, a_changed_byte_is_noticed_when_unpacking)
{
	g_autofree char *folder = folder_with("x: 1\n");
	AUTO(bundle) bundle = bundle_read(folder, NULL);
	g_autoptr(GBytes) packed = bundle_pack(bundle);
	gsize size;
	const char *data = g_bytes_get_data(packed, &size);
	for (gsize i = 0; i < size; i++) {
		g_autofree char *copy = g_memdup2(data, size);
		copy[i] ^= 1;
		g_autoptr(GBytes) bent = g_bytes_new(copy, size);
		g_autoptr(GError) error = NULL;
		AUTO(bundle) got = bundle_unpack(bent, &error);
		cr_assert_null(got, "byte %zu", (size_t)i);
		cr_assert_eq(error_class(error), ERROR_CONFIG);
	}
}

Test(bundle, a_folder_without_catalogue_is_no_bundle)
{
	g_autoptr(GError) error = NULL;
	AUTO(bundle) got = bundle_read("/nonexistent", &error);
	cr_assert_null(got);
	cr_assert(strstr(error->message, "not a bundle"));
}
