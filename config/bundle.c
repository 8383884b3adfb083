/* bundle.c - the files that decide, sorted and hashed.
 *
 * Packed form: "posteingang-bundle-1\n" + hash + "\n", then for each file "path\nsize\n" and its bytes. The
 * hash is SHA-256 over the part behind the header.
 */
#include "config/bundle.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

#include <string.h>

#define MAGIC "posteingang-bundle-1\n"

struct bundle_file {
	char *path, *display;
	GBytes *bytes;
};

struct bundle {
	GPtrArray *files; /* sorted by path */
	char hash[HASH_HEX_SIZE];
	char *origin; /* folder, or NULL for one from the journal */
};

static void bundle_file_free(void *data)
{
	struct bundle_file *file = data;
	g_free(file->path);
	g_free(file->display);
	g_bytes_unref(file->bytes);
	g_free(file);
}

static struct bundle *bundle_new(const char *origin)
{
	struct bundle *bundle = g_new0(struct bundle, 1);
	bundle->files = g_ptr_array_new_with_free_func(bundle_file_free);
	bundle->origin = g_strdup(origin);
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	g_ptr_array_unref(bundle->files);
	g_free(bundle->origin);
	g_free(bundle);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct bundle_file *const *)a)->path, (*(struct bundle_file *const *)b)->path);
}

static void bundle_add(struct bundle *bundle, const char *path, GBytes *bytes)
{
	struct bundle_file *file = g_new0(struct bundle_file, 1);
	file->path = g_strdup(path);
	file->bytes = bytes;
	g_ptr_array_add(bundle->files, file);
}

static GString *pack_files(const struct bundle *bundle)
{
	GString *body = g_string_new(NULL);
	for (guint i = 0; i < bundle->files->len; i++) {
		const struct bundle_file *file = g_ptr_array_index(bundle->files, i);
		gsize size;
		const char *data = g_bytes_get_data(file->bytes, &size);
		g_string_append_printf(body, "%s\n%" G_GSIZE_FORMAT "\n", file->path, size);
		g_string_append_len(body, data, (gssize)size);
	}
	return body;
}

/* Sorts, hashes and names the files: the last step of making a bundle. */
static void bundle_finish(struct bundle *bundle)
{
	g_ptr_array_sort(bundle->files, by_path);
	g_autoptr(GString) body = pack_files(bundle);
	hash_hex(body->str, body->len, bundle->hash);
	for (guint i = 0; i < bundle->files->len; i++) {
		struct bundle_file *file = g_ptr_array_index(bundle->files, i);
		file->display = bundle->origin ? g_build_filename(bundle->origin, file->path, NULL)
		                               : g_strdup_printf("bundle %.8s/%s", bundle->hash, file->path);
	}
}

static bool belongs(const char *name)
{
	return name[0] != '.' && (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".txt") ||
	                                 g_str_has_suffix(name, ".model") || g_str_has_suffix(name, ".csv"));
}

GBytes *config_file_read(const char *path, size_t max, GError **error)
{
	g_autoptr(GError) why = NULL;
	GBytes *bytes = file_read(path, max, &why);
	if (!bytes)
		fail(error, ERROR_CONFIG, "%s", why->message);
	return bytes;
}

static bool read_one(struct bundle *bundle, const char *folder, const char *path, GError **error)
{
	g_autofree char *full = g_build_filename(folder, path, NULL);
	GBytes *bytes = config_file_read(full, BUNDLE_MAX_FILE, error);
	if (bytes)
		bundle_add(bundle, path, bytes);
	return bytes != NULL;
}

static bool read_folder(struct bundle *bundle, const char *folder, const char *sub, GError **error)
{
	g_autofree char *full = g_build_filename(folder, sub, NULL);
	g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(sub, name, NULL);
		if (belongs(name) && !read_one(bundle, folder, path, error))
			return false;
	}
	return true;
}

struct bundle *bundle_read(const char *folder, GError **error)
{
	static const char *const singles[] = {"catalogue.yaml", "switches.yaml", "contact_codes.yaml"};
	static const char *const folders[] = {"classifiers", "rulesets", "templates"};
	g_autofree char *catalogue = g_build_filename(folder, singles[0], NULL);
	if (!g_file_test(catalogue, G_FILE_TEST_IS_REGULAR)) {
		fail(error, ERROR_CONFIG, "%s: not a bundle: it has no %s", folder, singles[0]);
		return NULL;
	}
	AUTO(bundle) bundle = bundle_new(folder);
	for (size_t i = 0; i < G_N_ELEMENTS(singles); i++) {
		g_autofree char *full = g_build_filename(folder, singles[i], NULL);
		if (g_file_test(full, G_FILE_TEST_EXISTS) && !read_one(bundle, folder, singles[i], error))
			return NULL;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (!read_folder(bundle, folder, folders[i], error))
			return NULL;
	bundle_finish(bundle);
	return g_steal_pointer(&bundle);
}

GBytes *bundle_pack(const struct bundle *bundle)
{
	g_autoptr(GString) body = pack_files(bundle);
	GString *packed = g_string_new(MAGIC);
	g_string_append_printf(packed, "%s\n", bundle->hash);
	g_string_append_len(packed, body->str, (gssize)body->len);
	return g_string_free_to_bytes(packed);
}

/* "path\nsize\n" + bytes at *p; moves *p behind it. */
static bool unpack_file(struct bundle *bundle, const char **p, const char *end)
{
	const char *line = *p;
	const char *newline = memchr(line, '\n', (size_t)(end - line));
	if (!newline)
		return false;
	g_autofree char *path = g_strndup(line, (gsize)(newline - line));
	const char *number = newline + 1;
	newline = memchr(number, '\n', (size_t)(end - number));
	if (!newline)
		return false;
	g_autofree char *digits = g_strndup(number, (gsize)(newline - number));
	guint64 size;
	if (!g_ascii_string_to_unsigned(digits, 10, 0, (guint64)(end - newline - 1), &size, NULL))
		return false;
	bundle_add(bundle, path, g_bytes_new(newline + 1, (gsize)size));
	*p = newline + 1 + size;
	return true;
}

struct bundle *bundle_unpack(GBytes *packed, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(packed, &size);
	const size_t header = strlen(MAGIC) + HASH_HEX_SIZE;
	AUTO(bundle) bundle = bundle_new(NULL);
	bool ok = size >= header && memcmp(data, MAGIC, strlen(MAGIC)) == 0 && data[header - 1] == '\n';
	const char *p = ok ? data + header : NULL;
	while (ok && p < data + size)
		ok = unpack_file(bundle, &p, data + size);
	if (ok)
		bundle_finish(bundle);
	if (ok && memcmp(data + strlen(MAGIC), bundle->hash, HASH_HEX_SIZE - 1) == 0)
		return g_steal_pointer(&bundle);
	fail(error, ERROR_CONFIG, "the stored bundle is damaged: its bytes do not have the hash it carries");
	return NULL;
}

const char *bundle_hash(const struct bundle *bundle)
{
	return bundle->hash;
}

static const struct bundle_file *bundle_find(const struct bundle *bundle, const char *path)
{
	for (guint i = 0; i < bundle->files->len; i++) {
		const struct bundle_file *file = g_ptr_array_index(bundle->files, i);
		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

const char *bundle_file_name(const struct bundle *bundle, const char *path)
{
	const struct bundle_file *file = bundle_find(bundle, path);
	return file ? file->display : path;
}

GBytes *bundle_get(const struct bundle *bundle, const char *path)
{
	const struct bundle_file *file = bundle_find(bundle, path);
	return file ? file->bytes : NULL;
}

GPtrArray *bundle_list(const struct bundle *bundle, const char *prefix, const char *suffix)
{
	GPtrArray *paths = g_ptr_array_new();
	for (guint i = 0; i < bundle->files->len; i++) {
		const struct bundle_file *file = g_ptr_array_index(bundle->files, i);
		if (g_str_has_prefix(file->path, prefix) && g_str_has_suffix(file->path, suffix))
			g_ptr_array_add(paths, file->path);
	}
	return paths;
}
