/* providers.c - all members of the family, and the `facts:` section of the deployment file. */
#include "facts/members.h"
#include "facts/provider.h"

#include <string.h>

const struct facts_provider *const facts_providers[] = {
        &facts_provider_http,
        &facts_provider_table,
        NULL,
};

const struct facts_provider *facts_provider_find(const char *name)
{
	for (int i = 0; facts_providers[i]; i++)
		if (strcmp(facts_providers[i]->name, name) == 0)
			return facts_providers[i];
	return NULL;
}

static void outlet_free(void *data)
{
	struct facts_outlet *outlet = data;
	if (outlet->provider->clear)
		outlet->provider->clear(outlet->settings);
	options_clear(outlet->provider->options, outlet->settings);
	g_free(outlet->settings);
	g_free(outlet);
}

static void add(struct facts_config *config, const struct facts_provider *provider,
        const struct yaml_node *map, struct diag *diag)
{
	struct facts_outlet *outlet = g_new0(struct facts_outlet, 1);
	g_autoptr(GPtrArray) also = g_ptr_array_new();
	g_ptr_array_add(also, (char *)"type");
	for (int i = 0; provider->also && provider->also[i]; i++)
		g_ptr_array_add(also, (char *)provider->also[i]);
	g_ptr_array_add(also, NULL);
	outlet->provider = provider;
	outlet->settings = g_malloc0(MAX(provider->settings_size, 1));
	options_read(map, provider->options, (const char *const *)also->pdata, outlet->settings, diag);
	if (provider->check)
		provider->check(outlet->settings, map, diag);
	g_ptr_array_add(config->outlets, outlet);
}

static void read_one(struct facts_config *config, const struct yaml_node *map, struct diag *diag)
{
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	const char *name = yaml_required(map, "type", diag);
	const struct facts_provider *provider = name ? facts_provider_find(name) : NULL;
	if (provider)
		add(config, provider, map, diag);
	else if (name)
		yaml_error(diag, yaml_get(map, "type"), "no facts provider \"%s\", expected http or table",
		        name);
}

struct facts_config *facts_config_load(const struct yaml_node *section, struct diag *diag)
{
	struct facts_config *config = g_new0(struct facts_config, 1);
	config->outlets = g_ptr_array_new_with_free_func(outlet_free);
	if (!section)
		add(config, &facts_provider_table, NULL, diag);
	else if (section->kind == YAML_LIST)
		for (guint i = 0; i < section->children->len; i++)
			read_one(config, g_ptr_array_index(section->children, i), diag);
	else
		read_one(config, section, diag);
	return config;
}

void facts_config_free(struct facts_config *config)
{
	if (!config)
		return;
	g_ptr_array_unref(config->outlets);
	g_free(config);
}
