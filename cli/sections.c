/* sections.c - whoever adds an option table to the deployment file adds its line here. */
#include "cli/sections.h"
#include "config/deployment.h"
#include "config/retention.h"
#include "facts/provider.h"
#include "intake/sources.h"
#include "journal/log_settings.h"
#include "journal/settings.h"
#include "sinks/sink.h"

static void free_section(gpointer data)
{
	struct section *section = data;
	g_free(section->path);
	g_free(section);
}

/* Groups within a table follow as sections of their own. */
static void add(GPtrArray *list, const char *path, const char *type, const char *summary,
        const struct option *options)
{
	struct section *section = g_new0(struct section, 1);
	*section = (struct section){g_strdup(path), type, summary, options};
	g_ptr_array_add(list, section);
	for (const struct option *o = options; o && o->name; o++) {
		if (o->type != OPTION_GROUP)
			continue;
		g_autofree char *below = g_strdup_printf("%s%s%s", path, *path ? "." : "", o->name);
		add(list, below, NULL, o->help, o->group);
	}
}

/* A sink that can stand for several roles is told once for each. */
static void add_sinks(GPtrArray *list)
{
	static const char *const paths[SINK_ROLES] = {
	        [SINK_EAKTE] = "sinks.eakte",
	        [SINK_REPLY_EMAIL] = "sinks.reply_email",
	        [SINK_REPLY_POSTBOX] = "sinks.reply_postbox",
	        [SINK_ARCHIVE] = "sinks.archive",
	        [SINK_TICKETS] = "sinks.tickets",
	};
	add(list, "sinks", NULL, "Where effects go.", sinks_options);
	for (int role = 0; role < SINK_ROLES; role++)
		for (int i = 0; sinks_all[i]; i++)
			if (sinks_all[i]->roles & 1u << role)
				add(list, paths[role], sinks_all[i]->name, sinks_all[i]->summary,
				        sinks_all[i]->options);
}

GPtrArray *sections_list(void)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(free_section);
	add(list, "", NULL, NULL, deployment_options);
	add(list, "journal", NULL, "Where items, decisions and the log are kept.", journal_settings_options);
	add(list, "seal", NULL, "Who signs the log, and who witnesses it.", log_options);
	add(list, "retention", NULL, "How long content stays after an item is closed.", retention_options);
	add(list, "sources.NAME", NULL,
	        "Common to all sources. NAME becomes part of every item's identity: never rename it.",
	        source_options);
	for (int i = 0; connectors[i]; i++)
		add(list, "sources.NAME", connectors[i]->name, connectors[i]->summary,
		        connectors[i]->options);
	add_sinks(list);
	for (int i = 0; facts_providers[i]; i++)
		add(list, "facts", facts_providers[i]->name, facts_providers[i]->summary,
		        facts_providers[i]->options);
	return list;
}
