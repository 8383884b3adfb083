/* terms.c - the compiled set of patterns: building it, keeping it in a cache folder, giving it away.
 *
 * A cache file is named by the hash of all expressions, the library's version and the platform; it is only a
 * saving of time, so whatever is wrong with it means compiling. */
#include "classifiers/terms_internal.h"
#include "core/file.h"
#include "core/hash.h"

#include <string.h>

#define MAX_CACHE (256 * 1024 * 1024)

static void term_clear(void *data)
{
	struct term *term = data;
	g_free(term->concern);
	g_free(term->id);
	g_free(term->name);
	g_array_unref(term->any);
	g_array_unref(term->near);
	g_array_unref(term->requires);
	g_array_unref(term->excludes);
}

static void pattern_clear_func(void *data)
{
	pattern_clear(data);
}

static void class_clear(void *data)
{
	g_free(((struct term_class *)data)->name);
}

static void index_free(void *data)
{
	if (data)
		g_array_unref(data);
}

static struct terms *terms_new(void)
{
	struct terms *terms = g_new0(struct terms, 1);
	terms->patterns = g_array_new(FALSE, FALSE, sizeof(struct pattern));
	terms->classes = g_array_new(FALSE, FALSE, sizeof(struct term_class));
	terms->terms = g_array_new(FALSE, FALSE, sizeof(struct term));
	g_array_set_clear_func(terms->patterns, pattern_clear_func);
	g_array_set_clear_func(terms->classes, class_clear);
	g_array_set_clear_func(terms->terms, term_clear);
	terms->files = g_ptr_array_new_with_free_func(g_free);
	terms->by_target = g_ptr_array_new_with_free_func(index_free);
	terms->class_index = g_hash_table_new(g_str_hash, g_str_equal);
	return terms;
}

void terms_free(struct terms *terms)
{
	if (!terms)
		return;
	g_hash_table_unref(terms->class_index);
	g_array_unref(terms->patterns);
	g_array_unref(terms->classes);
	g_array_unref(terms->terms);
	g_ptr_array_unref(terms->files);
	g_ptr_array_unref(terms->by_target);
	hs_free_database(terms->database);
	g_free(terms->shapes);
	g_free(terms);
}

/* Folder and name of the cache file; NULL without a folder. */
static char *cache_path(const struct terms *terms, const char *cache)
{
	if (!cache)
		return NULL;
	hs_platform_info_t platform = {0};
	hs_populate_platform(&platform);
	g_autoptr(GString) all = g_string_new(hs_version());
	g_string_append_printf(all, "\n%u %llx\n", platform.tune, platform.cpu_features);
	for (guint i = 0; i < terms->patterns->len; i++)
		g_string_append_printf(
		        all, "%s\n", g_array_index(terms->patterns, struct pattern, i).expression);
	char hex[HASH_HEX_SIZE];
	hash_hex(all->str, all->len, hex);
	g_autofree char *name = g_strdup_printf("terms-%s.hsdb", hex);
	return g_build_filename(cache, name, NULL);
}

/* File: SHA-256 in hex, newline, serialised database. */
static hs_database_t *cache_read(const char *path)
{
	g_autoptr(GBytes) bytes = path ? file_read(path, MAX_CACHE, NULL) : NULL;
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
	if (size <= HASH_HEX_SIZE)
		return NULL;
	char hex[HASH_HEX_SIZE];
	hash_hex(data + HASH_HEX_SIZE, size - HASH_HEX_SIZE, hex);
	hs_database_t *database = NULL;
	if (memcmp(hex, data, HASH_HEX_SIZE - 1) != 0 ||
	        hs_deserialize_database(data + HASH_HEX_SIZE, size - HASH_HEX_SIZE, &database) != HS_SUCCESS)
		return NULL;
	return database;
}

static void cache_write(const char *path, const hs_database_t *database)
{
	char *bytes = NULL;
	size_t size = 0;
	if (!path || hs_serialize_database(database, &bytes, &size) != HS_SUCCESS)
		return;
	g_autoptr(GString) file = g_string_sized_new(size + HASH_HEX_SIZE);
	char hex[HASH_HEX_SIZE];
	hash_hex(bytes, size, hex);
	g_string_append_printf(file, "%s\n", hex);
	g_string_append_len(file, bytes, (gssize)size);
	free(bytes);
	file_write_durable(path, file->str, file->len, 0600, NULL);
}

static hs_database_t *compile(const struct terms *terms, struct diag *diag)
{
	guint n = terms->patterns->len;
	g_autofree const char **expressions = g_new(const char *, n);
	g_autofree unsigned *ids = g_new(unsigned, n);
	g_autofree unsigned *flags = g_new0(unsigned, n);
	for (guint i = 0; i < n; i++) {
		expressions[i] = g_array_index(terms->patterns, struct pattern, i).expression;
		ids[i] = i;
	}
	hs_database_t *database = NULL;
	hs_compile_error_t *wrong = NULL;
	if (hs_compile_multi(expressions, flags, ids, n, HS_MODE_BLOCK, NULL, &database, &wrong) !=
	        HS_SUCCESS) {
		const char *text =
		        wrong->expression >= 0
		                ? g_array_index(terms->patterns, struct pattern, wrong->expression).text
		                : "all terms together";
		diag_add(diag, SEVERITY_ERROR, "classifiers", 0, 0, "%s: %s", text, wrong->message);
		hs_free_compile_error(wrong);
	}
	return database;
}

bool terms_compile(struct terms *terms, const char *cache, struct diag *diag)
{
	if (terms->patterns->len == 0)
		return true;
	g_autofree char *path = cache_path(terms, cache);
	terms->database = cache_read(path);
	if (terms->database)
		return true;
	terms->database = compile(terms, diag);
	if (terms->database)
		cache_write(path, terms->database);
	return terms->database != NULL;
}

static void index_terms(struct terms *terms)
{
	g_ptr_array_set_size(terms->by_target, (gint)(CUE_COUNT + terms->classes->len + terms->terms->len));
	for (unsigned t = 0; t < terms->terms->len; t++) {
		const GArray *any = g_array_index(terms->terms, struct term, t).any;
		for (guint i = 0; i < any->len; i++) {
			gpointer *slot =
			        &g_ptr_array_index(terms->by_target, g_array_index(any, target_id, i));
			if (!*slot)
				*slot = g_array_new(FALSE, FALSE, sizeof(unsigned));
			g_array_append_val((GArray *)*slot, t);
		}
	}
}

static void shape_patterns(struct terms *terms)
{
	terms->shapes = g_new(struct pattern_shape, terms->patterns->len + 1);
	for (guint i = 0; i < terms->patterns->len; i++) {
		const struct pattern *pattern = &g_array_index(terms->patterns, struct pattern, i);
		terms->shapes[i] =
		        (struct pattern_shape){pattern->target, pattern->words, pattern->blank_end};
	}
}

struct terms *terms_load(const struct bundle *bundle, const char *cache, struct diag *diag)
{
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	AUTO(terms) terms = terms_new();
	terms_read(terms, bundle, diag);
	if (diag_count(diag, SEVERITY_ERROR) > before || !terms_compile(terms, cache, diag))
		return NULL;
	index_terms(terms);
	shape_patterns(terms);
	return g_steal_pointer(&terms);
}

unsigned terms_count(const struct terms *terms)
{
	return terms->terms->len;
}

const struct term *terms_get(const struct terms *terms, unsigned index)
{
	return &g_array_index(terms->terms, struct term, index);
}

unsigned terms_patterns(const struct terms *terms)
{
	return terms->patterns->len;
}

size_t terms_size(const struct terms *terms)
{
	size_t size = 0;
	if (terms->database)
		hs_database_size(terms->database, &size);
	return size;
}

unsigned terms_classes(const struct terms *terms)
{
	return terms->classes->len;
}

const char *terms_class_name(const struct terms *terms, unsigned index)
{
	return g_array_index(terms->classes, struct term_class, index).name;
}

uint64_t terms_class_hash(const struct terms *terms, unsigned index)
{
	return g_array_index(terms->classes, struct term_class, index).hash;
}

target_id terms_class(const struct terms *terms, const char *name)
{
	unsigned index = GPOINTER_TO_UINT(g_hash_table_lookup(terms->class_index, name));
	return index ? (target_id)(CUE_COUNT + index - 1) : 0;
}

const char *terms_pattern_text(const struct terms *terms, uint32_t pattern)
{
	return g_array_index(terms->patterns, struct pattern, pattern).text;
}

char *terms_engine(void)
{
	return g_strdup_printf("terms 1 vectorscan %s", hs_version());
}
