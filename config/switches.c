/* switches.c - reads switches.yaml and answers what holds on a day. */
#include "config/switches.h"
#include "config/yaml.h"
#include "core/date.h"

#include <string.h>

/* Switches that code reads; each must offer exactly these words. */
static const struct {
	const char *name;
	const char *words[4];
} built_in[] = {
        {"name_change_iban", {"yes", "no", "unknown", NULL}},
        {"absence_unknown", {"unknown", "no", "yes", NULL}},
        {"pzzv_after_end", {"address_bound", "unbound", NULL}},
        {"pzzv", {"true", "false", NULL}},
};

static void switch_free(void *data)
{
	struct dated_switch *dated = data;
	g_free(dated->name);
	g_free(dated->title);
	g_free(dated->source);
	g_free(dated->certainty);
	g_ptr_array_unref(dated->words);
	g_free(dated);
}

static void closed_free(void *data)
{
	struct closed_mailbox *closed = data;
	g_free(closed->mailbox);
	g_free(closed);
}

void switches_free(struct switches *switches)
{
	if (!switches)
		return;
	g_ptr_array_unref(switches->all);
	g_ptr_array_unref(switches->closed);
	g_free(switches);
}

int switches_find(const struct switches *switches, const char *name)
{
	for (guint i = 0; i < switches->all->len; i++)
		if (strcmp(switches_get(switches, (int)i)->name, name) == 0)
			return (int)i;
	return -1;
}

const struct dated_switch *switches_get(const struct switches *switches, int index)
{
	return g_ptr_array_index(switches->all, index);
}

int switch_on(const struct dated_switch *dated, int32_t day)
{
	bool early = dated->from != DAY_NONE && day < dated->from;
	bool late = dated->until != DAY_NONE && day >= dated->until;
	return early || late ? dated->otherwise : dated->value;
}

const char *switches_word(const struct switches *switches, const char *name, int32_t day)
{
	int index = switches_find(switches, name);
	if (index < 0)
		return "";
	const struct dated_switch *dated = switches_get(switches, index);
	return g_ptr_array_index(dated->words, switch_on(dated, day));
}

bool switches_channel_closed(const struct switches *switches, const char *mailbox, int32_t day)
{
	const struct closed_mailbox *general = NULL;
	for (guint i = 0; i < switches->closed->len; i++) {
		const struct closed_mailbox *closed = g_ptr_array_index(switches->closed, i);
		if (strcmp(closed->mailbox, mailbox) == 0)
			return day >= closed->from;
		if (strcmp(closed->mailbox, "*") == 0)
			general = closed;
	}
	return general && day >= general->from;
}

/* Index of the word at `key`, or `fallback`. */
static int word_at(const struct dated_switch *dated, const struct yaml_node *map, const char *key,
        int fallback, struct diag *diag)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	for (guint i = 0; i < dated->words->len; i++)
		g_ptr_array_add(words, g_ptr_array_index(dated->words, i));
	g_ptr_array_add(words, NULL);
	return yaml_enum(map, key, (const char *const *)words->pdata, fallback, diag);
}

static void load_words(struct dated_switch *dated, const struct yaml_node *map, struct diag *diag)
{
	dated->words = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) words = yaml_strings(map, "words", diag);
	for (guint i = 0; i < words->len; i++)
		g_ptr_array_add(dated->words, g_strdup(g_ptr_array_index(words, i)));
	if (words->len == 0) {
		g_ptr_array_add(dated->words, g_strdup("true"));
		g_ptr_array_add(dated->words, g_strdup("false"));
	}
	if (words->len > 32)
		yaml_error(diag, yaml_get(map, "words"), "more than 32 words");
}

static void load_dates(struct dated_switch *dated, const struct yaml_node *map, struct diag *diag)
{
	dated->from = yaml_day(map, "from", diag);
	dated->until = yaml_day(map, "until", diag);
	bool dated_at_all = dated->from != DAY_NONE || dated->until != DAY_NONE;
	if (dated->from != DAY_NONE && dated->until != DAY_NONE && dated->from >= dated->until)
		yaml_error(diag, map, "switch \"%s\": \"until\" is not after \"from\"", dated->name);
	if (dated_at_all && !yaml_get(map, "otherwise"))
		yaml_error(diag, map, "switch \"%s\" has dates: say with \"otherwise\" what holds outside",
		        dated->name);
	if (!dated_at_all && yaml_get(map, "otherwise"))
		yaml_error(diag, map, "switch \"%s\" has \"otherwise\" but no dates", dated->name);
	dated->otherwise = word_at(dated, map, "otherwise", dated->value, diag);
}

static void load_switch(struct switches *switches, const struct yaml_node *key, const struct yaml_node *map,
        struct diag *diag)
{
	static const char *const known[] = {
	        "title", "value", "words", "from", "until", "otherwise", "source", "certainty", NULL};
	static const char *const certainties[] = {"certain", "secondary", "assumed", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	struct dated_switch *dated = g_new0(struct dated_switch, 1);
	dated->name = g_strdup(key->text);
	dated->title = g_strdup(yaml_required(map, "title", diag));
	dated->source = g_strdup(yaml_required(map, "source", diag));
	yaml_required(map, "certainty", diag);
	dated->certainty = g_strdup(certainties[yaml_enum(map, "certainty", certainties, 2, diag)]);
	load_words(dated, map, diag);
	yaml_required(map, "value", diag);
	dated->value = word_at(dated, map, "value", 0, diag);
	load_dates(dated, map, diag);
	g_ptr_array_add(switches->all, dated);
}

static void load_closed(struct switches *switches, const struct yaml_node *key, const struct yaml_node *map,
        struct diag *diag)
{
	struct closed_mailbox *closed = g_new0(struct closed_mailbox, 1);
	closed->mailbox = g_strdup(key->text);
	closed->from = yaml_day(map, key->text, diag);
	if (closed->from == DAY_NONE)
		closed->from = INT32_MAX;
	g_ptr_array_add(switches->closed, closed);
}

/* Calls `load` for each key of the map at `name`. */
static void each_key(struct switches *switches, const struct yaml_node *root, const char *name,
        void (*load)(struct switches *, const struct yaml_node *, const struct yaml_node *, struct diag *),
        struct diag *diag)
{
	const struct yaml_node *map = yaml_get(root, name);
	if (!map || !yaml_expect(map, YAML_MAP, diag))
		return;
	bool closed = load == load_closed;
	for (guint i = 0; i < map->keys->len; i++)
		load(switches, g_ptr_array_index(map->keys, i),
		        closed ? map : g_ptr_array_index(map->children, i), diag);
}

static bool offers(const struct dated_switch *dated, const char *const *words)
{
	if (dated->words->len != g_strv_length((char **)words))
		return false;
	for (guint i = 0; i < dated->words->len; i++)
		if (!g_strv_contains(words, g_ptr_array_index(dated->words, i)))
			return false;
	return true;
}

static void check_built_in(const struct switches *switches, const struct yaml_node *root, struct diag *diag)
{
	for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++) {
		int index = switches_find(switches, built_in[i].name);
		g_autofree char *all = g_strjoinv(", ", (char **)built_in[i].words);
		if (index < 0)
			yaml_error(diag, root, "missing switch \"%s\" (words: %s)", built_in[i].name, all);
		else if (!offers(switches_get(switches, index), built_in[i].words))
			yaml_error(diag, yaml_get(yaml_get(root, "switches"), built_in[i].name),
			        "switch \"%s\" must offer exactly the words %s", built_in[i].name, all);
	}
}

struct switches *switches_load(const struct bundle *bundle, struct diag *diag)
{
	static const char *const known[] = {"switches", "email_closed", "absence_limit", NULL};
	struct switches *switches = g_new0(struct switches, 1);
	switches->all = g_ptr_array_new_with_free_func(switch_free);
	switches->closed = g_ptr_array_new_with_free_func(closed_free);
	switches->absence_limit = 21;
	GBytes *text = bundle_get(bundle, "switches.yaml");
	const char *file = bundle_file_name(bundle, "switches.yaml");
	if (!text) {
		diag_add(diag, SEVERITY_ERROR, file, 0, 0, "the bundle has no switches.yaml");
		return switches;
	}
	AUTO(yaml_file) yaml = yaml_load(file, text, diag);
	if (!yaml || !yaml_expect(yaml_root(yaml), YAML_MAP, diag))
		return switches;
	const struct yaml_node *root = yaml_root(yaml);
	yaml_check_keys(root, known, diag);
	each_key(switches, root, "switches", load_switch, diag);
	each_key(switches, root, "email_closed", load_closed, diag);
	switches->absence_limit = (int)yaml_int(root, "absence_limit", 21, 0, 366, diag);
	check_built_in(switches, root, diag);
	return switches;
}
