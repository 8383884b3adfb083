/* sources.c - from the `sources:` map to structs, with every mistake at its place. */
#include "intake/sources.h"

#include <string.h>

const struct option source_options[] = {
        {.name = "paused",
                .type = OPTION_BOOL,
                .fallback = "false",
                .offset = offsetof(struct source, paused),
                .flags = OPTION_RELOAD,
                .help = "Nothing is taken in from this source while true."},
        {.name = "poll",
                .type = OPTION_DURATION,
                .fallback = "0",
                .max = 86400,
                .offset = offsetof(struct source, poll),
                .flags = OPTION_RELOAD,
                .help = "Time between two rounds of the daemon; 0 takes limits.poll."},
        {.name = "silent_after",
                .type = OPTION_DURATION,
                .fallback = "2h",
                .min = 60,
                .max = 30 * 86400,
                .offset = offsetof(struct source, silent_after),
                .flags = OPTION_RELOAD,
                .help = "`status` exits 1 if the source was not served, or holds a message not yet taken in, "
                        "for longer than this."},
        OPTION_END,
};

struct source *source_new(const char *name, const struct connector *connector)
{
	struct source *source = g_new0(struct source, 1);
	source->name = g_strdup(name);
	source->connector = connector;
	source->settings = g_malloc0(connector->settings_size);
	return source;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	options_clear(source->connector->options, source->settings);
	options_clear(source_options, source);
	g_free(source->settings);
	g_free(source->name);
	g_free(source);
}

/* The keys of `table` as they are written in the file, appended to `keys`. */
static void add_keys(GPtrArray *keys, const struct option *table)
{
	for (; table->name; table++) {
		if (table->type != OPTION_SECRET) {
			g_ptr_array_add(keys, g_strdup(table->name));
			continue;
		}
		g_ptr_array_add(keys, g_strconcat(table->name, "_file", NULL));
		g_ptr_array_add(keys, g_strconcat(table->name, "_env", NULL));
	}
}

static GPtrArray *common_keys(void)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(keys, g_strdup("type"));
	add_keys(keys, source_options);
	g_ptr_array_add(keys, NULL);
	return keys;
}

/* Every key of the map: what is unknown was reported once already. */
static GPtrArray *all_keys(const struct yaml_node *map)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < map->keys->len; i++)
		g_ptr_array_add(keys, g_strdup(((const struct yaml_node *)map->keys->pdata[i])->text));
	g_ptr_array_add(keys, NULL);
	return keys;
}

static const struct connector *type_of(const struct yaml_node *map, struct diag *diag)
{
	const char *words[16] = {NULL};
	for (unsigned i = 0; connectors[i] && i + 1 < G_N_ELEMENTS(words); i++)
		words[i] = connectors[i]->name;
	if (!yaml_required(map, "type", diag))
		return NULL;
	int index = yaml_enum(map, "type", words, -1, diag);
	return index < 0 ? NULL : connectors[index];
}

/* A name is part of every key, of file names and of log lines. */
static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	return g_ascii_isalnum(*name) && strlen(name) <= 64 && name[strspn(name, allowed)] == '\0';
}

static struct source *read_source(const struct yaml_node *key, const struct yaml_node *map, struct diag *diag)
{
	if (!is_name(key->text))
		yaml_error(diag, key,
		        "a source's name is made of a-z, 0-9, '-', '_', '.' and begins with a letter or "
		        "digit");
	const struct connector *connector = yaml_expect(map, YAML_MAP, diag) ? type_of(map, diag) : NULL;
	if (!connector)
		return NULL;
	struct source *source = source_new(key->text, connector);
	g_autoptr(GPtrArray) common = common_keys();
	g_autoptr(GPtrArray) all = all_keys(map);
	unsigned errors = diag_count(diag, SEVERITY_ERROR);
	options_read(map, connector->options, (const char *const *)common->pdata, source->settings, diag);
	errors = diag_count(diag, SEVERITY_ERROR) - errors;
	options_read(map, source_options, (const char *const *)all->pdata, source, diag);
	if (errors == 0 && connector->check)
		connector->check(source->settings, map, diag);
	return source;
}

static void free_source(gpointer source)
{
	source_free(source);
}

GPtrArray *sources_read(const struct yaml_node *map, struct diag *diag)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func(free_source);
	if (!map || !yaml_expect(map, YAML_MAP, diag))
		return sources;
	for (unsigned i = 0; i < map->keys->len; i++) {
		struct source *source = read_source(map->keys->pdata[i], map->children->pdata[i], diag);
		if (source)
			g_ptr_array_add(sources, source);
	}
	return sources;
}

const struct source *sources_find(const GPtrArray *sources, const char *name)
{
	for (unsigned i = 0; i < sources->len; i++) {
		const struct source *source = sources->pdata[i];
		if (strcmp(source->name, name) == 0)
			return source;
	}
	return NULL;
}
