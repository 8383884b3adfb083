/* model.c - loading, writing and looking into a model file. */
#include "classifiers/model.h"
#include "classifiers/model_internal.h"
#include "core/error.h"
#include "core/json.h"

#include <string.h>

#define MAGIC        "posteingang-model-1\n"
#define MAX_KEYS     4000000
#define MAX_HEADER   65536
#define PRESENT_BITS 2 /* 2^2 bits of `present` a slot: one feature in eight or more passes in vain */

void concern_model_free(struct concern_model *model)
{
	if (!model)
		return;
	g_strfreev(model->names);
	g_free(model->training);
	g_free(model->slots);
	g_free(model->present);
	g_aligned_free(model->weight);
	g_free(model->bias);
	g_free(model->second);
	g_free(model);
}

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(GByteArray *out, uint32_t value)
{
	const guint8 bytes[4] = {
	        (guint8)value, (guint8)(value >> 8), (guint8)(value >> 16), (guint8)(value >> 24)};
	g_byte_array_append(out, bytes, 4);
}

static void read_slots(struct concern_model *model, const unsigned char *p)
{
	unsigned size = 1024;
	while (size < model->keys * 2)
		size *= 2;
	model->mask = size - 1;
	model->present_shift = 32 - (unsigned)g_bit_storage(size - 1) - PRESENT_BITS;
	model->present = g_new0(uint64_t, (size_t)size << PRESENT_BITS >> 6);
	model->slots = g_new(struct model_slot, size);
	memset(model->slots, 0xff, size * sizeof *model->slots);
	for (unsigned i = 0; i < model->keys; i++) {
		uint32_t key = read_u32(p + (size_t)4 * i), at = key & model->mask;
		while (model->slots[at].row >= 0)
			at = (at + 1) & model->mask;
		model->slots[at] = (struct model_slot){key, (int32_t)i};
		uint32_t bit = key >> model->present_shift;
		model->present[bit >> 6] |= UINT64_C(1) << (bit & 63);
	}
}

static void read_weights(struct concern_model *model, const unsigned char *p)
{
	unsigned k = model->outputs;
	model->weight = g_aligned_alloc0(model->keys, MODEL_ROW * sizeof(int16_t), 64);
	for (size_t i = 0; i < model->keys; i++)
		for (unsigned o = 0; o < k; o++, p += 2)
			model->weight[i * MODEL_ROW + o] = (int16_t)((unsigned)p[0] | (unsigned)p[1] << 8);
	model->bias = g_new0(int32_t, MODEL_ROW);
	for (unsigned o = 0; o < k; o++, p += 4)
		model->bias[o] = (int32_t)read_u32(p);
	size_t row = 1 + 2 * (size_t)k;
	model->second = g_new0(int32_t, row * k);
	for (size_t i = 0; i < row * k; i++, p += 4)
		model->second[i] = (int32_t)read_u32(p);
}

static bool read_header(struct concern_model *model, const char *line, size_t size, GError **error)
{
	JSON_AUTO header = json_read(line, size, error);
	if (!header)
		return false;
	json_t *outputs = json_object_get(header, "outputs");
	size_t n = json_array_size(outputs);
	int64_t keys = json_get_int(header, "keys", -1);
	if (n == 0 || n > MODEL_MAX_OUTPUTS || n > MODEL_ROW || keys < 1 || keys > MAX_KEYS ||
	        json_get_int(header, "features", -1) != FEATURES_VERSION) {
		fail(error, ERROR_CONFIG, "made for other features or damaged: train it anew");
		return false;
	}
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(outputs, i));
		g_strv_builder_add(names, name ? name : "");
	}
	model->names = g_strv_builder_end(names);
	model->outputs = (unsigned)n;
	model->keys = (unsigned)keys;
	model->training = g_strdup(json_get_string(header, "training"));
	return true;
}

static bool read_body(struct concern_model *model, const char *data, size_t size, GError **error)
{
	const char *line = data + strlen(MAGIC);
	const char *end = size > strlen(MAGIC) && memcmp(data, MAGIC, strlen(MAGIC)) == 0
	                          ? memchr(line, '\n', MIN(size - strlen(MAGIC), MAX_HEADER))
	                          : NULL;
	if (!end) {
		fail(error, ERROR_CONFIG, "this is no model file");
		return false;
	}
	if (!read_header(model, line, (size_t)(end - line), error))
		return false;
	size_t k = model->outputs, rest = size - (size_t)(end + 1 - data);
	size_t expected = (size_t)model->keys * (4 + 2 * k) + 4 * k + 4 * k * (1 + 2 * k);
	if (rest != expected) {
		fail(error, ERROR_CONFIG, "%zu bytes of weights, %zu expected: the file is cut or damaged",
		        rest, expected);
		return false;
	}
	const unsigned char *p = (const unsigned char *)end + 1;
	read_slots(model, p);
	read_weights(model, p + (size_t)4 * model->keys);
	return true;
}

struct concern_model *concern_model_load(GBytes *bytes, const char *name, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	AUTO(concern_model) model = g_new0(struct concern_model, 1);
	g_autoptr(GError) inner = NULL;
	if (read_body(model, data, size, &inner))
		return g_steal_pointer(&model);
	fail(error, ERROR_CONFIG, "%s: %s", name, inner->message);
	return NULL;
}

static char *header_line(const struct model_parts *parts)
{
	JSON_AUTO header = json_object();
	json_set_int(header, "documents", parts->documents);
	json_set_int(header, "features", FEATURES_VERSION);
	json_set_int(header, "keys", parts->keys);
	json_t *outputs = json_array();
	for (unsigned i = 0; i < parts->outputs; i++)
		json_add_string(outputs, parts->names[i]);
	json_object_set_new(header, "outputs", outputs);
	json_set_string(header, "training", parts->training);
	return json_canonical(header);
}

GBytes *concern_model_write(const struct model_parts *parts)
{
	g_autofree char *header = header_line(parts);
	GByteArray *out = g_byte_array_new();
	g_byte_array_append(out, (const guint8 *)MAGIC, (guint)strlen(MAGIC));
	g_byte_array_append(out, (const guint8 *)header, (guint)strlen(header));
	g_byte_array_append(out, (const guint8 *)"\n", 1);
	for (unsigned i = 0; i < parts->keys; i++)
		put_u32(out, parts->key[i]);
	for (size_t i = 0; i < (size_t)parts->keys * parts->outputs; i++) {
		uint16_t value = (uint16_t)parts->weight[i];
		const guint8 pair[2] = {(guint8)value, (guint8)(value >> 8)};
		g_byte_array_append(out, pair, 2);
	}
	for (unsigned i = 0; i < parts->outputs; i++)
		put_u32(out, (uint32_t)parts->bias[i]);
	for (size_t i = 0; i < (size_t)parts->outputs * (1 + 2 * (size_t)parts->outputs); i++)
		put_u32(out, (uint32_t)parts->second[i]);
	return g_byte_array_free_to_bytes(out);
}

unsigned concern_model_outputs(const struct concern_model *model)
{
	return model->outputs;
}

const char *concern_model_output(const struct concern_model *model, unsigned output)
{
	return model->names[output];
}

int concern_model_find(const struct concern_model *model, const char *output)
{
	for (unsigned i = 0; i < model->outputs; i++)
		if (strcmp(model->names[i], output) == 0)
			return (int)i;
	return -1;
}

unsigned concern_model_keys(const struct concern_model *model)
{
	return model->keys;
}

const char *concern_model_training(const struct concern_model *model)
{
	return model->training ? model->training : "";
}
