/* train_labels.c - reads labelled files strictly: a label that the catalogue does not know is an error, since
 * a slip there would teach the model nonsense. */
#include "classifiers/train_labels.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"

#include <string.h>

static void labelled_free(void *data)
{
	struct labelled *labelled = data;
	g_free(labelled->id);
	g_free(labelled->difficulty);
	g_free(labelled->why);
	message_free(labelled->message);
	g_free(labelled);
}

void labels_free(struct labels *labels)
{
	if (!labels)
		return;
	g_ptr_array_unref(labels->files);
	g_ptr_array_unref(labels->messages);
	g_array_unref(labels->apart);
	g_free(labels->hash);
	g_free(labels);
}

static bool read_bits(const json_t *line, const char *key, const struct catalogue *catalogue, uint32_t *bits,
        GError **error)
{
	const json_t *array = json_object_get(line, key);
	*bits = 0;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *id = json_string_value(json_array_get(array, i));
		int index = id ? catalogue_find(catalogue, id) : -1;
		if (index < 0 || index >= 32) {
			fail(error, ERROR_INPUT, "%s: the catalogue has no concern \"%s\"", key,
			        id ? id : "?");
			return false;
		}
		*bits |= UINT32_C(1) << index;
	}
	return true;
}

static struct labelled *read_line(
        const char *text, size_t size, const struct catalogue *catalogue, GError **error)
{
	JSON_AUTO line = json_read(text, size, error);
	struct message *message = line ? message_from_json(line, error) : NULL;
	if (!message)
		return NULL;
	struct labelled *labelled = g_new0(struct labelled, 1);
	labelled->message = message;
	labelled->id = g_strdup(json_get_string(line, "id"));
	labelled->difficulty = g_strdup(json_get_string(line, "difficulty"));
	labelled->why = g_strdup(json_get_string(line, "why"));
	labelled->third_party = json_get_bool(line, "third_party", false);
	labelled->resolved = json_get_bool(line, "resolved", false);
	if (read_bits(line, "concerns", catalogue, &labelled->concerns, error) &&
	        read_bits(line, "optional", catalogue, &labelled->optional, error))
		return labelled;
	labelled_free(labelled);
	return NULL;
}

static bool read_lines(struct labels *labels, const char *name, GBytes *bytes,
        const struct catalogue *catalogue, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size), *end = data + size;
	int number = 0, apart = catalogue_find(catalogue, "arbeitslosmeldung");
	bool tells = false;
	for (const char *p = data; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		number++;
		g_autoptr(GError) inner = NULL;
		struct labelled *labelled =
		        stop > p ? read_line(p, (size_t)(stop - p), catalogue, &inner) : NULL;
		if (inner) {
			fail(error, ERROR_INPUT, "%s:%d: %s", name, number, inner->message);
			return false;
		}
		if (labelled) {
			labelled->file = labels->files->len;
			tells = tells || (apart >= 0 && (labelled->concerns >> apart & 1));
			g_ptr_array_add(labels->messages, labelled);
		}
		p = stop + 1;
	}
	g_ptr_array_add(labels->files, g_strdup(name));
	g_array_append_val(labels->apart, tells);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_files(const char *path)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;
	if (!dir)
		g_ptr_array_add(files, g_strdup(path));
	while (dir && (name = g_dir_read_name(dir)) != NULL)
		if (g_str_has_suffix(name, ".jsonl"))
			g_ptr_array_add(files, g_build_filename(path, name, NULL));
	g_ptr_array_sort(files, by_name);
	return files;
}

struct labels *labels_read(const char *path, const struct catalogue *catalogue, GError **error)
{
	AUTO(labels) labels = g_new0(struct labels, 1);
	labels->files = g_ptr_array_new_with_free_func(g_free);
	labels->messages = g_ptr_array_new_with_free_func(labelled_free);
	labels->apart = g_array_new(FALSE, FALSE, sizeof(bool));
	g_autoptr(GPtrArray) files = list_files(path);
	g_autoptr(GString) all = g_string_new(NULL);
	for (guint i = 0; i < files->len; i++) {
		const char *file = g_ptr_array_index(files, i);
		g_autofree char *name = g_path_get_basename(file);
		g_autoptr(GBytes) bytes = file_read(file, LABELS_MAX_FILE, error);
		if (!bytes || !read_lines(labels, name, bytes, catalogue, error))
			return NULL;
		char hex[HASH_HEX_SIZE];
		hash_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), hex);
		g_string_append_printf(all, "%s %s\n", name, hex);
	}
	if (labels->messages->len == 0) {
		fail(error, ERROR_INPUT, "%s: no labelled message there", path);
		return NULL;
	}
	char hex[HASH_HEX_SIZE];
	hash_hex(all->str, all->len, hex);
	labels->hash = g_strdup(hex);
	return g_steal_pointer(&labels);
}
