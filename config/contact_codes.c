/* contact_codes.c - reads contact_codes.yaml. */
#include "config/contact_codes.h"
#include "config/yaml.h"
#include "core/date.h"

#include <string.h>

static void code_free(void *data)
{
	struct contact_code *code = data;
	g_free(code->code);
	g_free(code->label);
	g_ptr_array_unref(code->kinds);
	g_free(code);
}

void contact_codes_free(struct contact_codes *codes)
{
	if (!codes)
		return;
	g_ptr_array_unref(codes->all);
	g_free(codes);
}

static bool has_kind(const struct contact_code *code, const char *kind)
{
	for (guint i = 0; i < code->kinds->len; i++)
		if (strcmp(g_ptr_array_index(code->kinds, i), kind) == 0)
			return true;
	return false;
}

static bool holds_on(const struct contact_code *code, int32_t day)
{
	return (code->from == DAY_NONE || day >= code->from) &&
	       (code->until == DAY_NONE || day < code->until);
}

static const struct contact_code *find_exact(
        const struct contact_codes *codes, enum rechtskreis rechtskreis, const char *kind, int32_t day)
{
	for (guint i = 0; i < codes->all->len; i++) {
		const struct contact_code *code = g_ptr_array_index(codes->all, i);
		if (code->rechtskreis == rechtskreis && has_kind(code, kind) && holds_on(code, day))
			return code;
	}
	return NULL;
}

const struct contact_code *contact_codes_find(
        const struct contact_codes *codes, enum rechtskreis rechtskreis, const char *kind, int32_t day)
{
	const struct contact_code *code = find_exact(codes, rechtskreis, kind, day);
	return code ? code : find_exact(codes, rechtskreis, CONTACT_CODE_OTHER, day);
}

static bool overlap(const struct contact_code *a, const struct contact_code *b)
{
	bool before = a->until != DAY_NONE && b->from != DAY_NONE && a->until <= b->from;
	bool after = b->until != DAY_NONE && a->from != DAY_NONE && b->until <= a->from;
	return a->rechtskreis == b->rechtskreis && !before && !after;
}

static void check_unique(const struct contact_codes *codes, const struct contact_code *code,
        const struct yaml_node *at, struct diag *diag)
{
	for (guint i = 0; i < codes->all->len; i++) {
		const struct contact_code *other = g_ptr_array_index(codes->all, i);
		for (guint k = 0; k < code->kinds->len && overlap(code, other); k++) {
			const char *kind = g_ptr_array_index(code->kinds, k);
			if (has_kind(other, kind))
				yaml_error(diag, at,
				        "codes \"%s\" and \"%s\" both stand for \"%s\" on some day",
				        other->code, code->code, kind);
		}
	}
}

static void load_kinds(struct contact_code *code, const struct catalogue *catalogue,
        const struct yaml_node *map, struct diag *diag)
{
	static const char *const words[] = {
	        CONTACT_CODE_AUTOMATIC, CONTACT_CODE_DOUBT, CONTACT_CODE_OTHER, NULL};
	g_autoptr(GPtrArray) kinds = yaml_strings(map, "for", diag);
	code->kinds = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < kinds->len; i++) {
		const char *kind = g_ptr_array_index(kinds, i);
		g_ptr_array_add(code->kinds, g_strdup(kind));
		if (!g_strv_contains(words, kind) && catalogue_find(catalogue, kind) < 0)
			yaml_error(diag, yaml_get(map, "for"),
			        "\"%s\" is no concern of the catalogue and none of automatic, doubt, other",
			        kind);
	}
	if (kinds->len == 0)
		yaml_error(diag, map, "the code stands for nothing: \"for\" is missing or empty");
}

static void load_code(struct contact_codes *codes, const struct catalogue *catalogue,
        const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {
	        "code", "label", "rechtskreis", "for", "valid_from", "valid_to", NULL};
	static const char *const words[] = {"sgb3", "sgb2", "familienkasse", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	struct contact_code *code = g_new0(struct contact_code, 1);
	code->code = g_strdup(yaml_required(map, "code", diag));
	code->label = g_strdup(yaml_required(map, "label", diag));
	yaml_required(map, "rechtskreis", diag);
	code->rechtskreis = (enum rechtskreis)yaml_enum(map, "rechtskreis", words, 0, diag);
	code->from = yaml_day(map, "valid_from", diag);
	code->until = yaml_day(map, "valid_to", diag);
	load_kinds(code, catalogue, map, diag);
	check_unique(codes, code, map, diag);
	g_ptr_array_add(codes->all, code);
}

/* "other" must answer on every day: without dates. */
static void check_other(const struct contact_codes *codes, const struct yaml_node *root, struct diag *diag)
{
	for (int r = RECHTSKREIS_SGB3; r <= RECHTSKREIS_FAMILIENKASSE; r++) {
		const struct contact_code *code =
		        find_exact(codes, (enum rechtskreis)r, CONTACT_CODE_OTHER, 0);
		if (!code || code->from != DAY_NONE || code->until != DAY_NONE)
			yaml_error(diag, root, "%s has no code for \"other\" that holds on every day",
			        rechtskreis_name((enum rechtskreis)r));
	}
}

static void load_root(struct contact_codes *codes, const struct catalogue *catalogue,
        const struct yaml_node *root, struct diag *diag)
{
	static const char *const known[] = {"codes", NULL};
	if (!yaml_expect(root, YAML_MAP, diag))
		return;
	yaml_check_keys(root, known, diag);
	const struct yaml_node *list = yaml_get(root, "codes");
	if (list && yaml_expect(list, YAML_LIST, diag))
		for (guint i = 0; i < list->children->len; i++)
			load_code(codes, catalogue, g_ptr_array_index(list->children, i), diag);
	check_other(codes, root, diag);
}

struct contact_codes *contact_codes_load(
        const struct bundle *bundle, const struct catalogue *catalogue, struct diag *diag)
{
	struct contact_codes *codes = g_new0(struct contact_codes, 1);
	codes->all = g_ptr_array_new_with_free_func(code_free);
	GBytes *text = bundle_get(bundle, "contact_codes.yaml");
	const char *file = bundle_file_name(bundle, "contact_codes.yaml");
	if (!text) {
		diag_add(diag, SEVERITY_ERROR, file, 0, 0, "the bundle has no contact_codes.yaml");
		return codes;
	}
	AUTO(yaml_file) yaml = yaml_load(file, text, diag);
	if (yaml)
		load_root(codes, catalogue, yaml_root(yaml), diag);
	return codes;
}
