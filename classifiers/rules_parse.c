/* rules_parse.c - the rows and invariants of one rule set file. */
#include "classifiers/rules_internal.h"

#include <string.h>

static const char *const handler_words[] = {
        "eakte", "reply", "call", "ticket", "task", "klaerung", "forward", "archive", "none", NULL};
static const char *const task_kinds[] = {"registration", "process_notice", "postbox_dialog", "pzzv_steps",
        "fraud_check", "arbeitslosmeldung_urgent", "account_check", "confirm_resolved", "unsuitable_document",
        "channel_closed", "representative", "reply_draft", "reply_uncertain", "reply_undeliverable",
        "dead_letter", NULL};
static const char *const basis_words[] = {"in_force", "expired", "continued", "statute", "practice", NULL};

/* Which parameters a handler takes; "!" in front: must be there. */
static const struct {
	const char *keys[8];
} parameters[HANDLER_COUNT] = {
        [HANDLER_EAKTE] = {{"!reason"}},
        [HANDLER_REPLY] = {{"!channel", "template"}},
        [HANDLER_CALL] = {{"!reason"}},
        [HANDLER_TICKET] = {{"!queue", "!dated", "after_days"}},
        [HANDLER_TASK] = {{"!kind", "!text"}},
        [HANDLER_KLAERUNG] = {{"!reason"}},
        [HANDLER_FORWARD] = {{"!to"}},
        [HANDLER_ARCHIVE] = {{"!mode"}},
        [HANDLER_NONE] = {{"!reason"}},
};

static const char *keep(struct rules *rules, const char *text)
{
	return rules_arena_string(rules->arena, text);
}

static bool check_parameters(enum handler handler, const struct yaml_node *map, struct diag *diag)
{
	const char *known[9] = {NULL};
	bool ok = true;
	for (int i = 0; parameters[handler].keys[i]; i++) {
		const char *key = parameters[handler].keys[i];
		known[i] = key + (key[0] == '!');
		if (key[0] == '!' && !yaml_required(map, known[i], diag))
			ok = false;
	}
	yaml_check_keys(map, known, diag);
	return ok;
}

static const char *one_of(struct rules *rules, const struct yaml_node *map, const char *key,
        const char *const *words, struct diag *diag)
{
	if (!yaml_get(map, key))
		return NULL;
	return keep(rules, words[yaml_enum(map, key, words, 0, diag)]);
}

static void fill_then(struct rules *rules, struct then *then, const struct yaml_node *map, struct diag *diag)
{
	static const char *const channels[] = {"email", "postbox", NULL};
	static const char *const modes[] = {"assert", "write", NULL};
	static const char *const dates[] = {"received", "expected_claim_start", NULL};
	then->reason = keep(rules, yaml_string(map, "reason", NULL, diag));
	then->kind = one_of(rules, map, "kind", task_kinds, diag);
	then->text = keep(rules, yaml_string(map, "text", NULL, diag));
	then->channel = one_of(rules, map, "channel", channels, diag);
	then->template = keep(rules, yaml_string(map, "template", NULL, diag));
	then->queue = keep(rules, yaml_string(map, "queue", NULL, diag));
	then->dated = (enum ticket_date)yaml_enum(map, "dated", dates, 0, diag);
	then->after_days = (int)yaml_int(map, "after_days", 0, 0, 3660, diag);
	then->to = keep(rules, yaml_string(map, "to", NULL, diag));
	then->mode = one_of(rules, map, "mode", modes, diag);
}

/* One entry of `then`: a map with one key, the handler. */
static void parse_action(struct rules *rules, struct row *row, GPtrArray *list, const struct yaml_node *entry,
        struct diag *diag)
{
	enum handler handler;
	if (!yaml_expect(entry, YAML_MAP, diag))
		return;
	yaml_check_keys(entry, handler_words, diag);
	if (entry->keys->len != 1) {
		yaml_error(diag, entry, "one action per list entry, for example \"- eakte: {reason: …}\"");
		return;
	}
	const struct yaml_node *key = g_ptr_array_index(entry->keys, 0);
	const struct yaml_node *map = g_ptr_array_index(entry->children, 0);
	if (!handler_parse(key->text, &handler) || !yaml_expect(map, YAML_MAP, diag))
		return;
	if (!check_parameters(handler, map, diag))
		return;
	if (handler == HANDLER_REPLY && row->per_item)
		yaml_error(diag, key, "a reply belongs to one concern: not possible in a rule \"per: item\"");
	struct then *then = rules_arena_alloc(rules->arena, sizeof *then);
	then->handler = handler;
	fill_then(rules, then, map, diag);
	g_ptr_array_add(list, then);
}

static void parse_then(struct rules *rules, struct row *row, const struct yaml_node *node, struct diag *diag)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	if (!node || !yaml_expect(node, YAML_LIST, diag))
		return;
	for (guint i = 0; i < node->children->len; i++)
		parse_action(rules, row, list, g_ptr_array_index(node->children, i), diag);
	row->then_count = list->len;
	row->then = rules_arena_alloc(rules->arena, list->len * sizeof *row->then);
	if (list->len)
		memcpy(row->then, list->pdata, list->len * sizeof *row->then);
}

/* Says that `word` is no `what`, with a hint if there is a near one. */
static void not_a(const struct yaml_node *at, const char *word, const char *what, const char *const *words,
        struct diag *diag)
{
	const char *hint = did_you_mean(word, words);
	if (hint)
		yaml_error(diag, at, "\"%s\" is no %s, did you mean \"%s\"?", word, what, hint);
	else
		yaml_error(diag, at, "\"%s\" is no %s", word, what);
}

/* "reply", "task.fraud_check", "ticket.QUEUE". */
static void check_target(const struct yaml_node *at, const char *name, struct diag *diag)
{
	enum handler handler;
	const char *dot = strchr(name, '.');
	g_autofree char *head = dot ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name);
	if (!handler_parse(head, &handler)) {
		not_a(at, head, "handler", handler_words, diag);
	} else if (dot && handler == HANDLER_TASK && !g_strv_contains(task_kinds, dot + 1)) {
		not_a(at, dot + 1, "kind of task", task_kinds, diag);
	} else if (dot && handler != HANDLER_TASK && handler != HANDLER_TICKET) {
		yaml_error(diag, at, "only task and ticket have a kind behind the dot");
	}
}

static struct target_list *parse_targets(
        struct rules *rules, const struct yaml_node *map, const char *key, struct diag *diag)
{
	static const char *const known[] = {"all_but", NULL};
	const struct yaml_node *node = yaml_get(map, key);
	if (!node)
		return NULL;
	struct target_list *list = rules_arena_alloc(rules->arena, sizeof *list);
	if (node->kind == YAML_MAP) {
		list->all_but = true;
		yaml_check_keys(node, known, diag);
		map = node;
		key = "all_but";
	}
	g_autoptr(GPtrArray) names = yaml_strings(map, key, diag);
	if (names->len == 0)
		yaml_error(diag, node, "names no handler");
	list->names = rules_arena_alloc(rules->arena, names->len * sizeof *list->names);
	for (guint i = 0; i < names->len; i++) {
		check_target(node, g_ptr_array_index(names, i), diag);
		list->names[list->count++] = keep(rules, g_ptr_array_index(names, i));
	}
	return list;
}

static bool source_is_known(const struct rules *rules, const struct ruleset *set, const char *id)
{
	guint left = rules->sets->len + 1; /* "extends" may run in a circle: reported elsewhere */
	for (; set && left; left--, set = set->extends ? ruleset_find(rules, set->extends) : NULL)
		for (guint i = 0; i < set->sources->len; i++)
			if (strcmp(((struct source *)g_ptr_array_index(set->sources, i))->id, id) == 0)
				return true;
	return false;
}

static void parse_cite(struct rules *rules, const struct ruleset *set, GPtrArray *list,
        const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {"source", "section", "basis", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *source = yaml_required(map, "source", diag),
	           *section = yaml_required(map, "section", diag);
	if (!source || !section)
		return;
	if (!source_is_known(rules, set, source))
		yaml_error(diag, yaml_get(map, "source"),
		        "source \"%s\" is not listed under \"sources\" of the rule set", source);
	struct cite *cite = rules_arena_alloc(rules->arena, sizeof *cite);
	cite->source = (char *)keep(rules, source);
	cite->section = (char *)keep(rules, section);
	cite->basis = (enum basis)yaml_enum(map, "basis", basis_words, (int)set->basis, diag);
	g_ptr_array_add(list, cite);
}

static void parse_cites(struct rules *rules, const struct ruleset *set, struct row *row,
        const struct yaml_node *map, struct diag *diag)
{
	const struct yaml_node *node = yaml_get(map, "cites");
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	if (!node || (node->kind == YAML_LIST && node->children->len == 0)) {
		yaml_error(diag, node ? node : map, "rule \"%s\" cites nothing: every action needs a source",
		        row->id);
		return;
	}
	if (!yaml_expect(node, YAML_LIST, diag))
		return;
	for (guint i = 0; i < node->children->len; i++)
		parse_cite(rules, set, list, g_ptr_array_index(node->children, i), diag);
	row->cite_count = list->len;
	row->cites = rules_arena_alloc(rules->arena, list->len * sizeof *row->cites);
	if (list->len)
		memcpy(row->cites, list->pdata, list->len * sizeof *row->cites);
}

static void parse_unknown(
        const struct rules *rules, struct row *row, const struct yaml_node *map, struct diag *diag)
{
	static const char *const words[] = {"skips", "applies", NULL};
	const struct yaml_node *node = yaml_get(map, "unknown");
	bool needed = cond_can_be_unknown(row->when, rules->vars);
	row->unknown_stated = node != NULL;
	row->on_unknown = (enum on_unknown)yaml_enum(map, "unknown", words, ON_UNKNOWN_SKIPS, diag);
	if (needed && !node)
		yaml_error(diag, map,
		        "rule \"%s\" reads a fact that may be unknown: say \"unknown: skips\" or \"unknown: "
		        "applies\", or ask for unknown in \"when\"",
		        row->id);
	if (!needed && node)
		yaml_warning(diag, node, "\"unknown\" has no effect: nothing in \"when\" can be unknown");
}

static void parse_effects(
        struct rules *rules, struct row *row, const struct yaml_node *map, struct diag *diag)
{
	parse_then(rules, row, yaml_get(map, "then"), diag);
	row->bars = parse_targets(rules, map, "bars", diag);
	row->adds = parse_targets(rules, map, "adds_to", diag);
	row->reason = keep(rules, yaml_string(map, "reason", NULL, diag));
	row->block = keep(rules, yaml_string(map, "block", NULL, diag));
	if (!yaml_get(map, "then") && !row->bars && !row->adds)
		yaml_error(
		        diag, map, "rule \"%s\" does nothing: no \"then\", \"bars\" or \"adds_to\"", row->id);
	if (!row->bars != !row->reason)
		yaml_error(diag, map, "rule \"%s\": \"bars\" and \"reason\" belong together", row->id);
	if (!row->adds != !row->block)
		yaml_error(diag, map, "rule \"%s\": \"adds_to\" and \"block\" belong together", row->id);
}

static void parse_row(
        struct rules *rules, struct ruleset *set, const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {"id", "row", "title", "per", "when", "unknown", "then", "bars",
	        "reason", "adds_to", "block", "cites", "note", NULL};
	static const char *const scopes[] = {"concern", "item", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *id = yaml_required(map, "id", diag), *title = yaml_required(map, "title", diag);
	if (!id || !title)
		return;
	struct row *row = rules_arena_alloc(rules->arena, sizeof *row);
	row->id = keep(rules, id);
	row->name = keep(rules, yaml_string(map, "row", "", diag));
	row->title = keep(rules, title);
	row->per_item = yaml_enum(map, "per", scopes, 0, diag) == 1;
	row->origin = set->id;
	row->file = set->file;
	row->line = map->line;
	row->column = map->column;
	struct cond_parser parser = {
	        .arena = rules->arena, .vars = rules->vars, .diag = diag, .per_item = row->per_item};
	row->when = cond_parse(&parser, yaml_get(map, "when"));
	parse_unknown(rules, row, map, diag);
	parse_effects(rules, row, map, diag);
	parse_cites(rules, set, row, map, diag);
	g_ptr_array_add(set->rows, row);
}

void ruleset_parse_rows(struct rules *rules, struct ruleset *set, struct diag *diag)
{
	const struct yaml_node *list = yaml_get(set->tree, "rules");
	if (!list || !yaml_expect(list, YAML_LIST, diag))
		return;
	for (guint i = 0; i < list->children->len; i++)
		parse_row(rules, set, g_ptr_array_index(list->children, i), diag);
}

/* ---- invariants ---- */

static unsigned parse_handlers(const struct yaml_node *map, const char *key, struct diag *diag)
{
	g_autoptr(GPtrArray) names = yaml_strings(map, key, diag);
	unsigned mask = 0;
	for (guint i = 0; i < names->len; i++) {
		enum handler handler;
		const char *name = g_ptr_array_index(names, i);
		if (handler_parse(name, &handler))
			mask |= 1U << handler;
		else
			not_a(yaml_get(map, key), name, "handler", handler_words, diag);
	}
	return mask;
}

static void parse_only_rules(
        struct rules *rules, struct invariant *invariant, const struct yaml_node *map, struct diag *diag)
{
	g_autoptr(GPtrArray) names = yaml_strings(map, "only_rules", diag);
	invariant->kind = INVARIANT_ONLY_RULES;
	invariant->rules = rules_arena_alloc(rules->arena, (names->len + 1) * sizeof *invariant->rules);
	for (guint i = 0; i < names->len; i++)
		invariant->rules[i] = keep(rules, g_ptr_array_index(names, i));
}

/* Which of the four kinds it is follows from its keys. */
static void parse_claim(
        struct rules *rules, struct invariant *invariant, const struct yaml_node *map, struct diag *diag)
{
	struct cond_parser parser = {.arena = rules->arena, .vars = rules->vars, .diag = diag};
	bool requires = yaml_get(map, "requires") || yaml_get(map, "requires_other_than");
	invariant->handlers = parse_handlers(map, "action", diag);
	if (requires) {
		parser.per_item = true;
		invariant->kind = INVARIANT_REQUIRES;
		invariant->handlers = yaml_get(map, "requires")
		                              ? parse_handlers(map, "requires", diag)
		                              : ((1U << HANDLER_COUNT) - 1) &
		                                        ~parse_handlers(map, "requires_other_than", diag);
		invariant->when = cond_parse(&parser, yaml_get(map, "when"));
	} else if (yaml_get(map, "only_when")) {
		invariant->kind = INVARIANT_ONLY_WHEN;
		invariant->when = cond_parse(&parser, yaml_get(map, "only_when"));
	} else if (yaml_get(map, "at_most")) {
		invariant->kind = INVARIANT_AT_MOST;
		invariant->limit = (int)yaml_int(map, "at_most", 1, 0, 100, diag);
	} else if (yaml_get(map, "only_rules")) {
		parse_only_rules(rules, invariant, map, diag);
	} else {
		yaml_error(diag, map,
		        "invariant \"%s\" claims nothing: requires, requires_other_than, only_when, at_most "
		        "or "
		        "only_rules",
		        invariant->id);
	}
	if (!invariant->handlers)
		yaml_error(diag, map, "invariant \"%s\" speaks of no action", invariant->id);
}

static void parse_invariant(
        struct rules *rules, struct ruleset *set, const struct yaml_node *map, struct diag *diag)
{
	static const char *const known[] = {"id", "title", "when", "requires", "requires_other_than",
	        "action", "only_when", "at_most", "only_rules", NULL};
	if (!yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *id = yaml_required(map, "id", diag), *title = yaml_required(map, "title", diag);
	if (!id || !title)
		return;
	struct invariant *invariant = rules_arena_alloc(rules->arena, sizeof *invariant);
	invariant->id = keep(rules, id);
	invariant->title = keep(rules, title);
	invariant->file = set->file;
	invariant->line = map->line;
	invariant->column = map->column;
	parse_claim(rules, invariant, map, diag);
	g_ptr_array_add(set->invariants, invariant);
}

void ruleset_parse_invariants(struct rules *rules, struct ruleset *set, struct diag *diag)
{
	const struct yaml_node *list = yaml_get(set->tree, "invariants");
	if (!list || !yaml_expect(list, YAML_LIST, diag))
		return;
	for (guint i = 0; i < list->children->len; i++)
		parse_invariant(rules, set, g_ptr_array_index(list->children, i), diag);
}
