/* yaml.c - libyaml's event stream turned into a tree with places. */
#include "config/yaml.h"
#include "core/date.h"

#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64, MAX_NODES = 2000000 };

struct yaml_file {
	char *file;
	struct yaml_node *root;
};

struct builder {
	yaml_parser_t parser;
	const char *file;
	struct diag *diag;
	unsigned nodes;
	bool failed;
};

static void node_free(void *data)
{
	struct yaml_node *node = data;
	if (!node)
		return;
	g_free(node->text);
	if (node->keys)
		g_ptr_array_unref(node->keys);
	if (node->children)
		g_ptr_array_unref(node->children);
	g_free(node);
}

static struct yaml_node *node_new(struct builder *b, enum yaml_kind kind, const yaml_mark_t *mark)
{
	struct yaml_node *node = g_new0(struct yaml_node, 1);
	node->kind = kind;
	node->file = b->file;
	node->line = (int)mark->line + 1;
	node->column = (int)mark->column + 1;
	if (kind != YAML_SCALAR)
		node->children = g_ptr_array_new_with_free_func(node_free);
	if (kind == YAML_MAP)
		node->keys = g_ptr_array_new_with_free_func(node_free);
	return node;
}

static void report(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	b->failed = true;
	diag_add(b->diag, SEVERITY_ERROR, b->file, (int)mark->line + 1, (int)mark->column + 1, "%s", text);
}

/* The next event; false (reported) on a syntax error. */
static bool next_event(struct builder *b, yaml_event_t *event)
{
	if (yaml_parser_parse(&b->parser, event))
		return true;
	g_autofree char *text =
	        b->parser.context ? g_strdup_printf("%s, %s", b->parser.problem, b->parser.context)
	                          : g_strdup(b->parser.problem ? b->parser.problem : "not readable as YAML");
	report(b, &b->parser.problem_mark, text);
	return false;
}

static struct yaml_node *build(struct builder *b, const yaml_event_t *event, int depth);

static struct yaml_node *build_next(struct builder *b, yaml_event_type_t end, int depth)
{
	yaml_event_t event;
	if (b->failed) /* what is behind a failure may take libyaml quadratic time */
		return NULL;
	if (!next_event(b, &event))
		return NULL;
	struct yaml_node *node = event.type == end ? NULL : build(b, &event, depth);
	yaml_event_delete(&event);
	return node;
}

static void check_repeated(struct builder *b, const struct yaml_node *map, const struct yaml_node *key)
{
	for (guint i = 0; i < map->keys->len; i++) {
		const struct yaml_node *other = g_ptr_array_index(map->keys, i);
		if (strcmp(other->text, key->text) == 0)
			yaml_error(b->diag, key, "key \"%s\" is repeated (first in line %d)", key->text,
			        other->line);
	}
}

static void fill_map(struct builder *b, struct yaml_node *map, int depth)
{
	for (;;) {
		struct yaml_node *key = build_next(b, YAML_MAPPING_END_EVENT, depth);
		if (!key || b->failed) {
			node_free(key);
			return;
		}
		struct yaml_node *value = build_next(b, YAML_NO_EVENT, depth);
		if (!value) {
			node_free(key);
			return;
		}
		if (key->kind != YAML_SCALAR) {
			yaml_error(b->diag, key, "a key must be a plain word");
			node_free(key);
			node_free(value);
			continue;
		}
		check_repeated(b, map, key);
		g_ptr_array_add(map->keys, key);
		g_ptr_array_add(map->children, value);
	}
}

static void fill_list(struct builder *b, struct yaml_node *list, int depth)
{
	struct yaml_node *entry;
	while ((entry = build_next(b, YAML_SEQUENCE_END_EVENT, depth)) != NULL)
		g_ptr_array_add(list->children, entry);
}

static struct yaml_node *build_scalar(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = node_new(b, YAML_SCALAR, &event->start_mark);
	node->text = g_strndup((const char *)event->data.scalar.value, event->data.scalar.length);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return node;
}

static struct yaml_node *build(struct builder *b, const yaml_event_t *event, int depth)
{
	if (++b->nodes > MAX_NODES || depth > MAX_DEPTH) {
		report(b, &event->start_mark, "too large or too deeply nested");
		return NULL;
	}
	struct yaml_node *node;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return build_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		node = node_new(b, YAML_LIST, &event->start_mark);
		fill_list(b, node, depth + 1);
		return node;
	case YAML_MAPPING_START_EVENT:
		node = node_new(b, YAML_MAP, &event->start_mark);
		fill_map(b, node, depth + 1);
		return node;
	case YAML_ALIAS_EVENT:
		report(b, &event->start_mark, "aliases are not allowed here: write the value out");
		return NULL;
	default:
		report(b, &event->start_mark, "unexpected end");
		return NULL;
	}
}

/* Skips stream and document start; builds the one document. */
static struct yaml_node *build_document(struct builder *b)
{
	struct yaml_node *root = NULL;
	for (bool more = true; more && !b->failed;) {
		yaml_event_t event;
		if (!next_event(b, &event))
			break;
		if (event.type == YAML_STREAM_END_EVENT)
			more = false;
		else if (event.type == YAML_DOCUMENT_START_EVENT && root)
			report(b, &event.start_mark, "a second document; one file holds one");
		else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
		         event.type != YAML_DOCUMENT_END_EVENT)
			root = build(b, &event, 0);
		yaml_event_delete(&event);
	}
	return root;
}

static bool is_nothing(const struct yaml_node *node)
{
	return !node || (node->kind == YAML_SCALAR && !node->quoted && !*node->text);
}

struct yaml_file *yaml_load(const char *file, GBytes *text, struct diag *diag)
{
	struct yaml_file *yaml = g_new0(struct yaml_file, 1);
	yaml->file = g_strdup(file);
	struct builder b = {.file = yaml->file, .diag = diag};
	gsize size;
	const unsigned char *data = g_bytes_get_data(text, &size);
	if (!yaml_parser_initialize(&b.parser))
		g_error("libyaml: out of memory");
	yaml_parser_set_input_string(&b.parser, data ? data : (const unsigned char *)"", size);
	yaml->root = build_document(&b);
	yaml_parser_delete(&b.parser);
	if (!b.failed && is_nothing(yaml->root)) {
		node_free(yaml->root);
		yaml->root = node_new(&b, YAML_MAP, &(yaml_mark_t){0});
	}
	if (yaml->root)
		return yaml;
	yaml_file_free(yaml);
	return NULL;
}

void yaml_file_free(struct yaml_file *yaml)
{
	if (!yaml)
		return;
	node_free(yaml->root);
	g_free(yaml->file);
	g_free(yaml);
}

const struct yaml_node *yaml_root(const struct yaml_file *yaml)
{
	return yaml->root;
}

G_GNUC_PRINTF(4, 0)
static void add_at(struct diag *diag, enum severity severity, const struct yaml_node *node,
        const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	diag_add(diag, severity, node->file, node->line, node->column, "%s", text);
}

void yaml_error(struct diag *diag, const struct yaml_node *node, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_at(diag, SEVERITY_ERROR, node, format, args);
	va_end(args);
}

void yaml_warning(struct diag *diag, const struct yaml_node *node, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_at(diag, SEVERITY_WARNING, node, format, args);
	va_end(args);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (guint i = 0; i < map->keys->len; i++) {
		const struct yaml_node *candidate = g_ptr_array_index(map->keys, i);
		if (strcmp(candidate->text, key) == 0)
			return g_ptr_array_index(map->children, i);
	}
	return NULL;
}

bool yaml_expect(const struct yaml_node *node, enum yaml_kind kind, struct diag *diag)
{
	static const char *const names[] = {"a single value", "a list", "a map of keys"};
	if (node->kind == kind)
		return true;
	yaml_error(diag, node, "expected %s, found %s", names[kind], names[node->kind]);
	return false;
}

void yaml_check_keys(const struct yaml_node *map, const char *const *known, struct diag *diag)
{
	if (!map || map->kind != YAML_MAP)
		return;
	for (guint i = 0; i < map->keys->len; i++) {
		const struct yaml_node *key = g_ptr_array_index(map->keys, i);
		if (g_strv_contains(known, key->text))
			continue;
		const char *hint = did_you_mean(key->text, known);
		g_autofree char *all = g_strjoinv(", ", (char **)known);
		if (hint)
			yaml_error(diag, key, "unknown key \"%s\", did you mean \"%s\"?", key->text, hint);
		else
			yaml_error(diag, key, "unknown key \"%s\", expected one of: %s", key->text, all);
	}
}

static const struct yaml_node *scalar_at(const struct yaml_node *map, const char *key, struct diag *diag)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node && yaml_expect(node, YAML_SCALAR, diag) ? node : NULL;
}

const char *yaml_string(const struct yaml_node *map, const char *key, const char *fallback, struct diag *diag)
{
	const struct yaml_node *node = scalar_at(map, key, diag);
	return node ? node->text : fallback;
}

const char *yaml_required(const struct yaml_node *map, const char *key, struct diag *diag)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (!node) {
		yaml_error(diag, map, "missing key \"%s\"", key);
		return NULL;
	}
	if (!yaml_expect(node, YAML_SCALAR, diag))
		return NULL;
	if (!*node->text) {
		yaml_error(diag, node, "\"%s\" is empty", key);
		return NULL;
	}
	return node->text;
}

bool yaml_bool(const struct yaml_node *map, const char *key, bool fallback, struct diag *diag)
{
	static const char *const words[] = {"false", "true", NULL};
	return yaml_enum(map, key, words, fallback, diag) != 0;
}

int64_t yaml_int(const struct yaml_node *map, const char *key, int64_t fallback, int64_t min, int64_t max,
        struct diag *diag)
{
	const struct yaml_node *node = scalar_at(map, key, diag);
	gint64 value;
	if (!node)
		return fallback;
	if (g_ascii_string_to_signed(node->text, 10, min, max, &value, NULL))
		return value;
	yaml_error(diag, node,
	        "\"%s\" is \"%s\", expected a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
	        key, node->text, (gint64)min, (gint64)max);
	return fallback;
}

int yaml_enum(const struct yaml_node *map, const char *key, const char *const *words, int fallback,
        struct diag *diag)
{
	const struct yaml_node *node = scalar_at(map, key, diag);
	if (!node)
		return fallback;
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], node->text) == 0)
			return i;
	g_autofree char *all = g_strjoinv(", ", (char **)words);
	const char *hint = did_you_mean(node->text, words);
	yaml_error(diag, node, "\"%s\" is \"%s\", expected one of: %s%s%s%s", key, node->text, all,
	        hint ? " (did you mean \"" : "", hint ? hint : "", hint ? "\"?)" : "");
	return fallback;
}

int32_t yaml_day(const struct yaml_node *map, const char *key, struct diag *diag)
{
	const struct yaml_node *node = scalar_at(map, key, diag);
	int32_t day;
	if (!node)
		return DAY_NONE;
	if (day_parse(node->text, &day))
		return day;
	yaml_error(diag, node, "\"%s\" is \"%s\", expected a date YYYY-MM-DD", key, node->text);
	return DAY_NONE;
}

GPtrArray *yaml_strings(const struct yaml_node *map, const char *key, struct diag *diag)
{
	GPtrArray *strings = g_ptr_array_new();
	const struct yaml_node *node = yaml_get(map, key);
	if (!node)
		return strings;
	if (node->kind == YAML_SCALAR) {
		g_ptr_array_add(strings, node->text);
		return strings;
	}
	if (!yaml_expect(node, YAML_LIST, diag))
		return strings;
	for (guint i = 0; i < node->children->len; i++) {
		const struct yaml_node *entry = g_ptr_array_index(node->children, i);
		if (yaml_expect(entry, YAML_SCALAR, diag))
			g_ptr_array_add(strings, entry->text);
	}
	return strings;
}
