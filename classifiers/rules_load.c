/* rules_load.c - from the files of a bundle to rule sets: headers, inheritance, targets, sharing out. */
#include "classifiers/proof.h"
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

static const char *const basis_words[] = {"in_force", "expired", "continued", "statute", "practice", NULL};

static struct ruleset *set_at(const struct rules *rules, guint index)
{
	return g_ptr_array_index(rules->sets, index);
}

struct ruleset *ruleset_find(const struct rules *rules, const char *id)
{
	for (guint i = 0; i < rules->sets->len; i++)
		if (strcmp(set_at(rules, i)->id, id) == 0)
			return set_at(rules, i);
	return NULL;
}

static void set_free(void *data)
{
	struct ruleset *set = data;
	g_ptr_array_unref(set->drops);
	g_ptr_array_unref(set->supersedes);
	g_ptr_array_unref(set->sources);
	g_ptr_array_unref(set->rows);
	g_ptr_array_unref(set->item_rows);
	g_ptr_array_unref(set->concern_rows);
	g_ptr_array_unref(set->invariants);
	g_free(set);
}

static struct ruleset *set_new(void)
{
	struct ruleset *set = g_new0(struct ruleset, 1);
	set->drops = g_ptr_array_new();
	set->supersedes = g_ptr_array_new();
	set->sources = g_ptr_array_new();
	set->rows = g_ptr_array_new();
	set->item_rows = g_ptr_array_new();
	set->concern_rows = g_ptr_array_new();
	set->invariants = g_ptr_array_new();
	return set;
}

static int compare_names(const char *a, const char *b)
{
	return strcmp(a, b);
}

int row_compare(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
	int order = compare_names(x->id, y->id);
	return order ? order : compare_names(x->name, y->name);
}

static void keep_strings(
        struct rules *rules, GPtrArray *out, const struct yaml_node *root, const char *key, struct diag *diag)
{
	g_autoptr(GPtrArray) strings = yaml_strings(root, key, diag);
	for (guint i = 0; i < strings->len; i++)
		g_ptr_array_add(out, (char *)rules_arena_string(rules->arena, g_ptr_array_index(strings, i)));
}

static void parse_source(
        struct rules *rules, struct ruleset *set, const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {"id", "title", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *id = yaml_required(map, "id", diag), *title = yaml_required(map, "title", diag);
	struct source *source = rules_arena_alloc(rules->arena, sizeof *source);
	source->id = rules_arena_string(rules->arena, id ? id : "");
	source->title = rules_arena_string(rules->arena, title ? title : "");
	g_ptr_array_add(set->sources, source);
}

static void parse_dates(
        struct rules *rules, struct ruleset *set, const struct yaml_node *root, struct diag *diag)
{
	set->from = yaml_day(root, "valid_from", diag);
	set->until = yaml_day(root, "valid_to", diag);
	set->outside = yaml_bool(root, "outside", false, diag);
	if (set->outside && (set->from != DAY_NONE || set->until != DAY_NONE))
		yaml_error(
		        diag, root, "a rule set \"outside: true\" has no dates: it decides what none covers");
	if (!set->outside && set->from == DAY_NONE)
		yaml_error(diag, root, "missing key \"valid_from\"");
	if (set->from != DAY_NONE && set->until != DAY_NONE && set->from >= set->until)
		yaml_error(diag, yaml_get(root, "valid_to"),
		        "\"valid_to\" is not after \"valid_from\" (it is the first day no longer covered)");
	if (set->outside && rules->outside)
		yaml_error(diag, root, "a second rule set \"outside: true\" (the first is \"%s\")",
		        rules->outside->id);
	if (set->outside)
		rules->outside = set;
}

static void parse_holes(struct rules *rules, const struct yaml_node *root, struct diag *diag)
{
	static const char *const known[] = {"from", "to", "reason", NULL};
	const struct yaml_node *list = yaml_get(root, "holes");
	if (!list || !yaml_expect(list, YAML_LIST, diag))
		return;
	for (guint i = 0; i < list->children->len; i++) {
		const struct yaml_node *map = g_ptr_array_index(list->children, i);
		yaml_check_keys(map, known, diag);
		struct hole hole = {yaml_day(map, "from", diag), yaml_day(map, "to", diag), NULL};
		hole.reason = rules_arena_string(rules->arena, yaml_required(map, "reason", diag));
		if (hole.from == DAY_NONE || hole.until == DAY_NONE || hole.from >= hole.until)
			yaml_error(diag, map, "a hole needs \"from\" and, later, \"to\"");
		else
			g_array_append_val(rules->holes, hole);
	}
}

static void parse_header(
        struct rules *rules, struct ruleset *set, const struct yaml_node *root, struct diag *diag)
{
	static const char *const known[] = {"ruleset", "title", "note", "valid_from", "valid_to", "outside",
	        "basis", "extends", "inherited_basis", "drops", "supersedes", "holes", "sources",
	        "invariants", "rules", NULL};
	yaml_check_keys(root, known, diag);
	set->id = rules_arena_string(rules->arena, yaml_required(root, "ruleset", diag));
	set->id = set->id ? set->id : "";
	set->title = rules_arena_string(rules->arena, yaml_required(root, "title", diag));
	set->note = rules_arena_string(rules->arena, yaml_string(root, "note", NULL, diag));
	set->extends = rules_arena_string(rules->arena, yaml_string(root, "extends", NULL, diag));
	yaml_required(root, "basis", diag);
	set->basis = (enum basis)yaml_enum(root, "basis", basis_words, BASIS_IN_FORCE, diag);
	set->inherited_basis =
	        (enum basis)yaml_enum(root, "inherited_basis", basis_words, BASIS_CONTINUED, diag);
	if (set->extends && !yaml_get(root, "inherited_basis"))
		yaml_error(
		        diag, root, "\"extends\" needs \"inherited_basis\": how inherited rules are cited");
	keep_strings(rules, set->drops, root, "drops", diag);
	keep_strings(rules, set->supersedes, root, "supersedes", diag);
	parse_dates(rules, set, root, diag);
	parse_holes(rules, root, diag);
	const struct yaml_node *sources = yaml_get(root, "sources");
	if (sources && yaml_expect(sources, YAML_LIST, diag))
		for (guint i = 0; i < sources->children->len; i++)
			parse_source(rules, set, g_ptr_array_index(sources->children, i), diag);
}

static void load_header(
        struct rules *rules, const char *file, const struct yaml_node *root, struct diag *diag)
{
	if (!yaml_expect(root, YAML_MAP, diag))
		return;
	struct ruleset *set = set_new();
	set->file = rules_arena_string(rules->arena, file);
	set->line = root->line;
	set->column = root->column;
	set->tree = root;
	parse_header(rules, set, root, diag);
	if (ruleset_find(rules, set->id))
		yaml_error(diag, root, "rule set \"%s\" is there twice", set->id);
	g_ptr_array_add(rules->sets, set);
}

/* ---- inheritance ---- */

static bool is_dropped(const struct ruleset *set, const struct row *row)
{
	g_autofree char *full = g_strconcat(row->id, "/", row->name, NULL);
	for (guint i = 0; i < set->drops->len; i++) {
		const char *drop = g_ptr_array_index(set->drops, i);
		if (strcmp(drop, row->id) == 0 || strcmp(drop, full) == 0)
			return true;
	}
	return false;
}

static bool is_replaced(const GPtrArray *sorted, const struct row *row)
{
	guint low = 0, high = sorted->len;
	while (low < high) {
		guint middle = (low + high) / 2;
		struct row *other = g_ptr_array_index(sorted, middle);
		int order = row_compare(&row, &other);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* A copy with its own cites: those of the set itself become `inherited_basis`; statute and practice stay. */
static struct row *inherit_row(struct rules *rules, const struct ruleset *set, const struct row *row)
{
	struct row *copy = rules_arena_alloc(rules->arena, sizeof *copy);
	*copy = *row;
	copy->then = rules_arena_alloc(rules->arena, row->then_count * sizeof *copy->then);
	for (unsigned i = 0; i < row->then_count; i++) {
		copy->then[i] = rules_arena_alloc(rules->arena, sizeof *copy->then[i]);
		*copy->then[i] = *row->then[i];
	}
	copy->cites = rules_arena_alloc(rules->arena, row->cite_count * sizeof *copy->cites);
	for (unsigned i = 0; i < row->cite_count; i++) {
		copy->cites[i] = rules_arena_alloc(rules->arena, sizeof *copy->cites[i]);
		*copy->cites[i] = *row->cites[i];
		if (row->cites[i]->basis <= BASIS_CONTINUED)
			copy->cites[i]->basis = set->inherited_basis;
	}
	return copy;
}

/* Every entry of `drops` must hit something, or it is a slip. */
static void check_drops(const struct ruleset *set, const struct ruleset *parent, struct diag *diag)
{
	for (guint d = 0; d < set->drops->len; d++) {
		struct ruleset one = {.drops = g_ptr_array_new()};
		bool hit = false;
		g_ptr_array_add(one.drops, g_ptr_array_index(set->drops, d));
		for (guint i = 0; i < parent->rows->len && !hit; i++)
			hit = is_dropped(&one, g_ptr_array_index(parent->rows, i));
		g_ptr_array_unref(one.drops);
		if (!hit)
			yaml_error(diag, yaml_get(set->tree, "drops"), "\"%s\" has no rule \"%s\" to drop",
			        parent->id, (char *)g_ptr_array_index(set->drops, d));
	}
}

static void inherit(struct rules *rules, struct ruleset *set, const struct ruleset *parent, struct diag *diag)
{
	g_autoptr(GPtrArray) own = g_ptr_array_copy(set->rows, NULL, NULL);
	check_drops(set, parent, diag);
	for (guint i = 0; i < parent->rows->len; i++) {
		const struct row *row = g_ptr_array_index(parent->rows, i);
		if (!is_dropped(set, row) && !is_replaced(own, row))
			g_ptr_array_add(set->rows, inherit_row(rules, set, row));
	}
	for (guint i = 0; i < parent->invariants->len; i++)
		g_ptr_array_add(set->invariants, g_ptr_array_index(parent->invariants, i));
	g_ptr_array_sort(set->rows, row_compare);
}

static void check_unique_rows(const struct ruleset *set, struct diag *diag)
{
	for (guint i = 1; i < set->rows->len; i++) {
		const struct row *row = g_ptr_array_index(set->rows, i),
		                 *other = g_ptr_array_index(set->rows, i - 1);
		if (row_compare(&row, &other) == 0)
			diag_add(diag, SEVERITY_ERROR, row->file, MAX(row->line, other->line), row->column,
			        "rule \"%s\" row \"%s\" is there twice (also in line %d): give each its own "
			        "\"row\"",
			        row->id, row->name, MIN(row->line, other->line));
	}
}

static void resolve(struct rules *rules, struct ruleset *set, struct diag *diag)
{
	if (set->resolved == 2)
		return;
	if (set->resolved == 1) {
		yaml_error(diag, set->tree, "rule set \"%s\" extends itself", set->id);
		return;
	}
	set->resolved = 1;
	struct ruleset *parent = set->extends ? ruleset_find(rules, set->extends) : NULL;
	if (set->extends && !parent)
		yaml_error(diag, yaml_get(set->tree, "extends"), "there is no rule set \"%s\"", set->extends);
	if (parent)
		resolve(rules, parent, diag);
	ruleset_parse_rows(rules, set, diag);
	ruleset_parse_invariants(rules, set, diag);
	g_ptr_array_sort(set->rows, row_compare);
	check_unique_rows(set, diag);
	if (parent && parent->resolved == 2)
		inherit(rules, set, parent, diag);
	set->resolved = 2;
}

/* ---- sharing out and targets ---- */

static bool name_hits(const char *name, const struct then *then)
{
	size_t length = strlen(handler_name(then->handler));
	if (strncmp(name, handler_name(then->handler), length) != 0)
		return false;
	if (!name[length])
		return true;
	const char *what = then->handler == HANDLER_TASK ? then->kind : then->queue;
	return name[length] == '.' && what && strcmp(name + length + 1, what) == 0;
}

static void find_hits(
        struct rules *rules, const struct ruleset *set, struct target_list *list, const GPtrArray *actions)
{
	list->hits = rules_arena_alloc(rules->arena, (set->then_count / 64 + 1) * sizeof *list->hits);
	for (guint a = 0; a < actions->len; a++) {
		bool named = false;
		for (unsigned i = 0; i < list->count && !named; i++)
			named = name_hits(list->names[i], g_ptr_array_index(actions, a));
		if (named != list->all_but)
			list->hits[a >> 6] |= UINT64_C(1) << (a & 63);
	}
}

/* The hits belong to this set: an inherited row gets a list of its own. */
static struct target_list *own_targets(struct rules *rules, const struct ruleset *set,
        const struct target_list *list, const GPtrArray *actions)
{
	if (!list)
		return NULL;
	struct target_list *copy = rules_arena_alloc(rules->arena, sizeof *copy);
	*copy = *list;
	find_hits(rules, set, copy, actions);
	return copy;
}

void ruleset_finish(struct rules *rules, struct ruleset *set, struct diag *diag)
{
	g_autoptr(GPtrArray) actions = g_ptr_array_new();
	for (guint i = 0; i < set->rows->len; i++) {
		struct row *row = g_ptr_array_index(set->rows, i);
		g_ptr_array_add(row->per_item ? set->item_rows : set->concern_rows, row);
		for (unsigned a = 0; a < row->then_count; a++) {
			row->then[a]->index = actions->len;
			g_ptr_array_add(actions, row->then[a]);
		}
	}
	set->then_count = actions->len;
	for (guint i = 0; i < set->rows->len; i++) {
		struct row *row = g_ptr_array_index(set->rows, i);
		row->bars = own_targets(rules, set, row->bars, actions);
		row->adds = own_targets(rules, set, row->adds, actions);
	}
	if (set->invariants->len == 0)
		yaml_error(diag, set->tree, "rule set \"%s\" declares no invariants", set->id);
	set->tree = NULL;
}

/* ---- the whole ---- */

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	catalogue_free(rules->catalogue);
	switches_free(rules->switches);
	contact_codes_free(rules->codes);
	rules_vars_free(rules->vars);
	g_ptr_array_unref(rules->sets);
	g_array_unref(rules->holes);
	g_array_unref(rules->periods);
	rules_arena_free(rules->arena);
	g_free(rules);
}

static struct rules *rules_new(const struct bundle *bundle, struct diag *diag)
{
	struct rules *rules = g_new0(struct rules, 1);
	rules->catalogue = catalogue_load(bundle, diag);
	rules->switches = switches_load(bundle, diag);
	rules->codes = contact_codes_load(bundle, rules->catalogue, diag);
	rules->vars = rules_vars_new(rules->catalogue, rules->switches);
	rules->arena = rules_arena_new();
	rules->sets = g_ptr_array_new_with_free_func(set_free);
	rules->holes = g_array_new(FALSE, FALSE, sizeof(struct hole));
	rules->periods = g_array_new(FALSE, FALSE, sizeof(struct period));
	rules->name_change_iban = switches_find(rules->switches, "name_change_iban");
	rules->absence_unknown = switches_find(rules->switches, "absence_unknown");
	rules->pzzv_after_end = switches_find(rules->switches, "pzzv_after_end");
	rules->pzzv = switches_find(rules->switches, "pzzv");
	rules->sonstiges = catalogue_find(rules->catalogue, "sonstiges");
	return rules;
}

static void free_tree(void *tree)
{
	yaml_file_free(tree);
}

static void load_sets(struct rules *rules, const struct bundle *bundle, struct diag *diag)
{
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "rulesets/", ".yaml");
	g_autoptr(GPtrArray) trees = g_ptr_array_new_with_free_func(free_tree);
	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);
		struct yaml_file *tree =
		        yaml_load(bundle_file_name(bundle, path), bundle_get(bundle, path), diag);
		if (!tree)
			continue;
		g_ptr_array_add(trees, tree);
		load_header(rules, bundle_file_name(bundle, path), yaml_root(tree), diag);
	}
	for (guint i = 0; i < rules->sets->len; i++)
		resolve(rules, set_at(rules, i), diag);
	for (guint i = 0; i < rules->sets->len; i++)
		ruleset_finish(rules, set_at(rules, i), diag);
	calendar_build(rules, diag);
}

struct rules *rules_read(const struct bundle *bundle, struct diag *diag)
{
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	struct rules *rules = rules_new(bundle, diag);
	load_sets(rules, bundle, diag);
	if (diag_count(diag, SEVERITY_ERROR) == before)
		return rules;
	rules_free(rules);
	return NULL;
}

struct rules *rules_load(const struct bundle *bundle, struct diag *diag)
{
	struct rules *rules = rules_read(bundle, diag);
	if (!rules)
		return NULL;
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	proof_run(rules, diag);
	if (diag_count(diag, SEVERITY_ERROR) == before)
		return rules;
	rules_free(rules);
	return NULL;
}

const struct catalogue *rules_catalogue(const struct rules *rules)
{
	return rules->catalogue;
}

const struct switches *rules_switches(const struct rules *rules)
{
	return rules->switches;
}

const struct contact_codes *rules_contact_codes(const struct rules *rules)
{
	return rules->codes;
}
