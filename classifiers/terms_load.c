/* terms_load.c - reads classes and terms; every error is reported where it stands. */
#include "classifiers/terms_internal.h"

#include <string.h>

static void add_pattern(
        struct terms *terms, const struct yaml_node *node, target_id target, struct diag *diag)
{
	struct pattern pattern;
	if (terms->patterns->len >= TERMS_MAX_PATTERNS) {
		yaml_error(diag, node, "more than %d patterns", TERMS_MAX_PATTERNS);
		return;
	}
	if (!pattern_parse(node, &pattern, diag))
		return;
	pattern.target = target;
	g_array_append_val(terms->patterns, pattern);
}

/* A scalar, or lists of scalars to any reasonable depth. */
static void add_patterns(
        struct terms *terms, const struct yaml_node *node, target_id target, int depth, struct diag *diag)
{
	if (node->kind == YAML_SCALAR) {
		add_pattern(terms, node, target, diag);
		return;
	}
	if (depth > 3 || !yaml_expect(node, YAML_LIST, diag))
		return;
	for (guint i = 0; i < node->children->len; i++)
		add_patterns(terms, g_ptr_array_index(node->children, i), target, depth + 1, diag);
}

static unsigned targets(const struct terms *terms)
{
	return CUE_COUNT + terms->classes->len + terms->terms->len;
}

static void read_classes(struct terms *terms, const struct yaml_node *classes, struct diag *diag)
{
	for (guint i = 0; classes && yaml_expect(classes, YAML_MAP, diag) && i < classes->keys->len; i++) {
		const struct yaml_node *key = g_ptr_array_index(classes->keys, i);
		if (targets(terms) >= TERMS_MAX_TARGETS) {
			yaml_error(diag, key, "more than %d classes and terms", TERMS_MAX_TARGETS);
			return;
		}
		struct term_class class = {g_strdup(key->text), prepare_hash(key->text, strlen(key->text))};
		g_array_append_val(terms->classes, class);
		g_hash_table_insert(terms->class_index, class.name, GUINT_TO_POINTER(terms->classes->len));
		add_patterns(terms, g_ptr_array_index(classes->children, i),
		        (target_id)(CUE_COUNT + terms->classes->len - 1), 0, diag);
	}
}

/* @class or #cue; 0 and an error if there is no such thing. */
static target_id named_target(const struct terms *terms, const struct yaml_node *node, struct diag *diag)
{
	const char *name = node->text + 1;
	if (node->text[0] == '#') {
		enum cue_kind kind = cue_find(name);
		if (kind == CUE_NONE)
			yaml_error(diag, node, "there is no cue \"%s\"", name);
		return (target_id)kind;
	}
	target_id target = terms_class(terms, name);
	if (!target)
		yaml_error(diag, node, "there is no class \"%s\" in lexicon.yaml", name);
	return target;
}

/* The operands of `key`: names, and patterns, which all get the term's own target. */
static GArray *read_operands(
        struct terms *terms, const struct yaml_node *map, const char *key, target_id own, struct diag *diag)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(target_id));
	const struct yaml_node *value = yaml_get(map, key);
	bool own_used = false;
	if (!value)
		return out;
	bool list = value->kind == YAML_LIST;
	for (guint i = 0; i < (list ? value->children->len : 1); i++) {
		const struct yaml_node *node = list ? g_ptr_array_index(value->children, i) : value;
		if (!yaml_expect(node, YAML_SCALAR, diag))
			continue;
		if (node->text[0] == '@' || node->text[0] == '#') {
			target_id target = named_target(terms, node, diag);
			g_array_append_val(out, target);
		} else if (own) {
			add_pattern(terms, node, own, diag);
			own_used = true;
		} else {
			yaml_error(diag, node, "here only @class and #cue can stand");
		}
	}
	if (own_used)
		g_array_append_val(out, own);
	return out;
}

static void read_term(struct terms *terms, const struct yaml_node *map, const char *concern, target_id own,
        struct diag *diag)
{
	static const char *const known[] = {
	        "id", "any", "near", "within", "requires", "excludes", "weight", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *id = yaml_required(map, "id", diag);
	struct term term = {.concern = g_strdup(concern),
	        .id = g_strdup(id ? id : ""),
	        .line = map->line,
	        .column = map->column};
	term.name = g_strdup_printf("term:%s.%s", concern, term.id);
	term.feature = prepare_hash(term.name, strlen(term.name));
	term.weight = (int)yaml_int(map, "weight", 10, -TERMS_MAX_WEIGHT, TERMS_MAX_WEIGHT, diag);
	term.within = (int)yaml_int(map, "within", 8, 0, 100, diag);
	term.any = read_operands(terms, map, "any", own, diag);
	term.near = read_operands(terms, map, "near", 0, diag);
	term.requires = read_operands(terms, map, "requires", 0, diag);
	term.excludes = read_operands(terms, map, "excludes", 0, diag);
	if (term.any->len == 0)
		yaml_error(diag, map, "the term has no `any`: it can never match");
	char *file = g_strdup(map->file);
	g_ptr_array_add(terms->files, file);
	term.file = file;
	g_array_append_val(terms->terms, term);
}

static void read_terms_file(struct terms *terms, const struct yaml_node *root, struct diag *diag)
{
	static const char *const known[] = {"version", "concern", "terms", "tests", NULL};
	yaml_check_keys(root, known, diag);
	const char *concern = yaml_required(root, "concern", diag);
	const struct yaml_node *list = yaml_get(root, "terms");
	if (!concern || !list || !yaml_expect(list, YAML_LIST, diag))
		return;
	for (guint i = 0; i < list->children->len; i++) {
		if (targets(terms) >= TERMS_MAX_TARGETS) {
			yaml_error(diag, list, "more than %d classes and terms", TERMS_MAX_TARGETS);
			return;
		}
		target_id own = (target_id)(CUE_COUNT + terms->classes->len + terms->terms->len);
		read_term(terms, g_ptr_array_index(list->children, i), concern, own, diag);
	}
}

/* Two terms of the same name cannot be told apart in evidence. */
static void check_names(const struct terms *terms, struct diag *diag)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < terms->terms->len; i++) {
		const struct term *term = &g_array_index(terms->terms, struct term, i);
		if (!g_hash_table_add(seen, term->name))
			diag_add(diag, SEVERITY_ERROR, term->file, term->line, term->column,
			        "there are two terms \"%s\" of %s", term->id, term->concern);
	}
}

void terms_read(struct terms *terms, const struct bundle *bundle, struct diag *diag)
{
	const char *lexicon = "classifiers/lexicon.yaml";
	GBytes *bytes = bundle_get(bundle, lexicon);
	if (bytes) {
		static const char *const known[] = {"version", "classes", NULL};
		AUTO(yaml_file) yaml = yaml_load(bundle_file_name(bundle, lexicon), bytes, diag);
		if (yaml) {
			yaml_check_keys(yaml_root(yaml), known, diag);
			read_classes(terms, yaml_get(yaml_root(yaml), "classes"), diag);
		}
	}
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "classifiers/terms_", ".yaml");
	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);
		AUTO(yaml_file)
		yaml = yaml_load(bundle_file_name(bundle, path), bundle_get(bundle, path), diag);
		if (yaml)
			read_terms_file(terms, yaml_root(yaml), diag);
	}
	check_names(terms, diag);
}
