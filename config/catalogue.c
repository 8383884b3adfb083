/* catalogue.c - reads catalogue.yaml. */
#include "config/catalogue.h"
#include "config/yaml.h"

#include <string.h>

static const char *const payment_words[] = {"no", "yes", "address_bound", "name", "absence", NULL};

static void concern_free(void *data)
{
	struct concern *concern = data;
	g_free(concern->id);
	g_free(concern->title);
	g_ptr_array_unref(concern->aliases);
	g_free(concern);
}

void catalogue_free(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	g_ptr_array_unref(catalogue->concerns);
	g_ptr_array_unref(catalogue->cv_entries);
	g_hash_table_unref(catalogue->by_alias);
	g_free(catalogue);
}

/* "Name / Familienstand" and "name_familienstand" are one: letters and digits only, case and umlaut spelling
 * gone. */
static char *fold_kind(const char *text)
{
	static const struct {
		gunichar from;
		const char *to;
	} umlauts[] = {{0xe4, "ae"}, {0xf6, "oe"}, {0xfc, "ue"}, {0xdf, "ss"}};
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autofree char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL_COMPOSE);
	GString *out = g_string_new(NULL);
	for (const char *p = composed; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_unichar_tolower(g_utf8_get_char(p));
		size_t i = 0;
		while (i < G_N_ELEMENTS(umlauts) && umlauts[i].from != c)
			i++;
		if (i < G_N_ELEMENTS(umlauts))
			g_string_append(out, umlauts[i].to);
		else if (g_unichar_isalnum(c))
			g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

static void add_alias(struct catalogue *catalogue, int index, const char *name, const struct yaml_node *at,
        struct diag *diag)
{
	char *key = fold_kind(name);
	gpointer known = g_hash_table_lookup(catalogue->by_alias, key);
	if (known && GPOINTER_TO_INT(known) != index + 1)
		yaml_error(diag, at, "\"%s\" already names the concern \"%s\"", name,
		        catalogue_get(catalogue, GPOINTER_TO_INT(known) - 1)->id);
	if (known)
		g_free(key);
	else
		g_hash_table_insert(catalogue->by_alias, key, GINT_TO_POINTER(index + 1));
}

static bool id_is_plain(const char *id)
{
	for (const char *p = id; *p; p++)
		if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && *p != '_')
			return false;
	return *id && strcmp(id, "none") != 0 && strcmp(id, "unknown") != 0;
}

static void load_rechtskreis(struct concern *concern, const struct yaml_node *map, struct diag *diag)
{
	static const char *const words[] = {"sgb3", "sgb2", "familienkasse", NULL};
	concern->rechtskreis_fixed = yaml_get(map, "rechtskreis") != NULL;
	concern->rechtskreis = (enum rechtskreis)yaml_enum(map, "rechtskreis", words, RECHTSKREIS_SGB3, diag);
}

static void check_priority(const struct catalogue *catalogue, const struct concern *concern,
        const struct yaml_node *map, struct diag *diag)
{
	for (guint i = 0; i < catalogue->concerns->len; i++) {
		const struct concern *other = catalogue_get(catalogue, (int)i);
		if (other->priority == concern->priority)
			yaml_error(diag, map, "concern \"%s\" has the same priority as \"%s\"", concern->id,
			        other->id);
	}
}

static void load_concern(struct catalogue *catalogue, const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {
	        "id", "title", "priority", "payment", "rechtskreis", "aliases", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *id = yaml_required(map, "id", diag), *title = yaml_required(map, "title", diag);
	yaml_required(map, "priority", diag);
	yaml_required(map, "payment", diag);
	if (!id || !title)
		return;
	if (!id_is_plain(id))
		yaml_error(diag, map, "concern id \"%s\": lower-case letters, digits and _ only", id);
	if (catalogue_find(catalogue, id) >= 0)
		yaml_error(diag, map, "concern \"%s\" is there twice", id);
	struct concern *concern = g_new0(struct concern, 1);
	concern->id = g_strdup(id);
	concern->title = g_strdup(title);
	concern->priority = (int)yaml_int(map, "priority", 0, 0, 1000000, diag);
	concern->payment =
	        (enum payment_kind)yaml_enum(map, "payment", payment_words, PAYMENT_KIND_YES, diag);
	load_rechtskreis(concern, map, diag);
	check_priority(catalogue, concern, map, diag);
	concern->aliases = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(catalogue->concerns, concern);
	int index = (int)catalogue->concerns->len - 1;
	add_alias(catalogue, index, id, map, diag);
	g_autoptr(GPtrArray) aliases = yaml_strings(map, "aliases", diag);
	for (guint i = 0; i < aliases->len; i++) {
		g_ptr_array_add(concern->aliases, g_strdup(g_ptr_array_index(aliases, i)));
		add_alias(catalogue, index, g_ptr_array_index(aliases, i), yaml_get(map, "aliases"), diag);
	}
}

static void load_cv(struct catalogue *catalogue, const struct yaml_node *root, struct diag *diag)
{
	g_autoptr(GPtrArray) names = yaml_strings(root, "cv_entries", diag);
	const struct yaml_node *at = yaml_get(root, "cv_entries");
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		if (!id_is_plain(name) || strcmp(name, "several") == 0)
			yaml_error(diag, at, "CV entry \"%s\": not a name an entry may have", name);
		else if (catalogue_find_cv(catalogue, name) >= 0)
			yaml_error(diag, at, "CV entry \"%s\" is there twice", name);
		else
			g_ptr_array_add(catalogue->cv_entries, g_strdup(name));
	}
	if (catalogue->cv_entries->len > CATALOGUE_MAX_CV)
		yaml_error(diag, at, "more than %d CV entries", CATALOGUE_MAX_CV);
}

static void load_root(struct catalogue *catalogue, const struct yaml_node *root, struct diag *diag)
{
	static const char *const known[] = {"concerns", "cv_entries", NULL};
	if (!yaml_expect(root, YAML_MAP, diag))
		return;
	yaml_check_keys(root, known, diag);
	const struct yaml_node *list = yaml_get(root, "concerns");
	if (!list)
		yaml_error(diag, root, "missing key \"concerns\"");
	else if (yaml_expect(list, YAML_LIST, diag))
		for (guint i = 0; i < list->children->len && i < CATALOGUE_MAX_CONCERNS; i++)
			load_concern(catalogue, g_ptr_array_index(list->children, i), diag);
	if (list && list->kind == YAML_LIST && list->children->len > CATALOGUE_MAX_CONCERNS)
		yaml_error(diag, list, "more than %d concerns", CATALOGUE_MAX_CONCERNS);
	load_cv(catalogue, root, diag);
}

struct catalogue *catalogue_load(const struct bundle *bundle, struct diag *diag)
{
	struct catalogue *catalogue = g_new0(struct catalogue, 1);
	catalogue->concerns = g_ptr_array_new_with_free_func(concern_free);
	catalogue->cv_entries = g_ptr_array_new_with_free_func(g_free);
	catalogue->by_alias = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GBytes *text = bundle_get(bundle, "catalogue.yaml");
	const char *file = bundle_file_name(bundle, "catalogue.yaml");
	if (!text) {
		diag_add(diag, SEVERITY_ERROR, file, 0, 0, "the bundle has no catalogue.yaml");
		return catalogue;
	}
	AUTO(yaml_file) yaml = yaml_load(file, text, diag);
	if (yaml)
		load_root(catalogue, yaml_root(yaml), diag);
	return catalogue;
}

int catalogue_find(const struct catalogue *catalogue, const char *id)
{
	for (guint i = 0; i < catalogue->concerns->len; i++)
		if (strcmp(catalogue_get(catalogue, (int)i)->id, id) == 0)
			return (int)i;
	return -1;
}

const struct concern *catalogue_get(const struct catalogue *catalogue, int index)
{
	return g_ptr_array_index(catalogue->concerns, index);
}

int catalogue_find_kind(const struct catalogue *catalogue, const char *kind)
{
	g_autofree char *key = fold_kind(kind);
	return GPOINTER_TO_INT(g_hash_table_lookup(catalogue->by_alias, key)) - 1;
}

int catalogue_find_cv(const struct catalogue *catalogue, const char *name)
{
	for (guint i = 0; i < catalogue->cv_entries->len; i++)
		if (strcmp(g_ptr_array_index(catalogue->cv_entries, i), name) == 0)
			return (int)i;
	return -1;
}
