/* sinks.c - all members of the family, and the `sinks:` section of the deployment file. */
#include "sinks/sink.h"
#include "sinks/members.h"

#include <string.h>

const struct sink *const sinks_all[] = {
        &sink_eakte_folder,
        &sink_reply_smtp,
        &sink_reply_postbox,
        &sink_reply_folder,
        &sink_archive_http,
        &sink_archive_jsonl,
        &sink_tickets_http,
        NULL,
};

static const char *const role_names[SINK_ROLES + 1] = {
        [SINK_EAKTE] = "eakte",
        [SINK_REPLY_EMAIL] = "reply_email",
        [SINK_REPLY_POSTBOX] = "reply_postbox",
        [SINK_ARCHIVE] = "archive",
        [SINK_TICKETS] = "tickets",
};

const struct option sinks_options[] = {
        {.name = "own_addresses",
                .type = OPTION_LIST,
                .offset = offsetof(struct sinks, own_addresses),
                .help = "Our own addresses. A mail is answered only if one of them stands in To, Cc or "
                        "Delivered-To (RFC 3834); without the option that is not looked at."},
        OPTION_END,
};

const char *sink_role_name(enum sink_role role)
{
	return role_names[role];
}

const struct sink *sink_find(const char *name, enum sink_role role)
{
	for (int i = 0; sinks_all[i]; i++)
		if ((sinks_all[i]->roles & 1u << role) && strcmp(sinks_all[i]->name, name) == 0)
			return sinks_all[i];
	return NULL;
}

static void unknown_type(
        const struct yaml_node *map, const char *name, enum sink_role role, struct diag *diag)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (int i = 0; sinks_all[i]; i++)
		if (sinks_all[i]->roles & 1u << role)
			g_ptr_array_add(names, (char *)sinks_all[i]->name);
	g_ptr_array_add(names, NULL);
	const char *const *list = (const char *const *)names->pdata;
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	const char *near = did_you_mean(name, list);
	yaml_error(diag, yaml_get(map, "type"), "%s: no type \"%s\", expected %s%s%s%s", role_names[role],
	        name, all, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void load_one(
        struct outlet *outlet, enum sink_role role, const struct yaml_node *map, struct diag *diag)
{
	static const char *const also[] = {"type", NULL};
	outlet->role = role;
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	const char *name = yaml_required(map, "type", diag);
	const struct sink *sink = name ? sink_find(name, role) : NULL;
	if (name && !sink)
		unknown_type(map, name, role, diag);
	if (!sink)
		return;
	outlet->sink = sink;
	outlet->settings = g_malloc0(sink->settings_size);
	options_read(map, sink->options, also, outlet->settings, diag);
	if (sink->check)
		sink->check(outlet->settings, role, map, diag);
}

static void check_needed(const struct sinks *sinks, const struct yaml_node *map, struct diag *diag)
{
	if (!yaml_get(map, "eakte"))
		yaml_error(diag, map, "eakte is missing: what is payment-relevant would reach no file");
	if (!yaml_get(map, "archive"))
		yaml_error(diag, map, "archive is missing: every change notice is archived (rule 4)");
	if (!sinks->outlets[SINK_REPLY_EMAIL].sink && !yaml_get(map, "reply_email"))
		yaml_warning(diag, map, "no reply_email: replies to mails become tasks (reply_draft)");
}

struct sinks *sinks_load(const struct yaml_node *map, struct diag *diag)
{
	struct sinks *sinks = g_new0(struct sinks, 1);
	if (map && yaml_expect(map, YAML_MAP, diag)) {
		options_read(map, sinks_options, role_names, sinks, diag);
		for (enum sink_role role = 0; role < SINK_ROLES; role++) {
			const struct yaml_node *child = yaml_get(map, role_names[role]);
			if (child)
				load_one(&sinks->outlets[role], role, child, diag);
		}
		check_needed(sinks, map, diag);
	}
	if (!sinks->own_addresses)
		sinks->own_addresses = g_ptr_array_new_with_free_func(g_free);
	return sinks;
}

void sinks_free(struct sinks *sinks)
{
	if (!sinks)
		return;
	for (int i = 0; i < SINK_ROLES; i++) {
		struct outlet *outlet = &sinks->outlets[i];
		if (outlet->settings)
			options_clear(outlet->sink->options, outlet->settings);
		g_free(outlet->settings);
	}
	if (sinks->own_addresses)
		g_ptr_array_unref(sinks->own_addresses);
	g_free(sinks);
}
