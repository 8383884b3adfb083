/* rules_cond.c - conditions: from YAML to a tree of tests, three-valued evaluation, and back to words. */
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

static struct cond *cond_new(struct cond_parser *parser, enum cond_op op, const struct yaml_node *at)
{
	struct cond *cond = rules_arena_alloc(parser->arena, sizeof *cond);
	cond->op = op;
	if (at) {
		cond->line = at->line;
		cond->column = at->column;
	}
	if (++parser->nodes == RULES_MAX_CONDS)
		yaml_error(parser->diag, at, "a condition of more than %d parts", RULES_MAX_CONDS);
	return cond;
}

static void cond_set_parts(struct cond_parser *parser, struct cond *cond, const GPtrArray *parts)
{
	cond->count = parts->len;
	cond->parts = rules_arena_alloc(parser->arena, parts->len * sizeof *cond->parts);
	if (parts->len)
		memcpy(cond->parts, parts->pdata, parts->len * sizeof *cond->parts);
}

/* Index of `word` for the variable, or -1 (reported). */
static int find_word(
        struct cond_parser *parser, const struct var_info *info, const struct yaml_node *at, const char *word)
{
	if (info->kind == VAR_KIND_MAILBOX) {
		int index = rules_vars_mailbox(parser->vars, word);
		if (index < 0)
			yaml_error(
			        parser->diag, at, "rules name more than %d mailboxes", RULES_MAX_WORDS - 1);
		return index;
	}
	for (guint i = 0; i < info->words->len; i++)
		if (strcmp(g_ptr_array_index(info->words, i), word) == 0)
			return (int)i;
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (guint i = 0; i < info->words->len; i++)
		g_ptr_array_add(all, g_ptr_array_index(info->words, i));
	g_ptr_array_add(all, NULL);
	g_autofree char *joined = g_strjoinv(", ", (char **)all->pdata);
	const char *hint = did_you_mean(word, (const char *const *)all->pdata);
	yaml_error(parser->diag, at, "%s cannot be \"%s\", expected one of: %s%s%s%s", info->name, word,
	        joined, hint ? " (did you mean \"" : "", hint ? hint : "", hint ? "\"?)" : "");
	return -1;
}

static void add_one_word(struct cond_parser *parser, struct cond *test, const struct var_info *info,
        const struct yaml_node *node)
{
	if (!yaml_expect(node, YAML_SCALAR, parser->diag))
		return;
	int word = find_word(parser, info, node, node->text);
	if (word < 0)
		return;
	word_set_add(test->set, word);
	test->asks_unknown |= info->unknowable && word == 0;
}

static void parse_words(struct cond_parser *parser, struct cond *test, const struct var_info *info,
        const struct yaml_node *node)
{
	test->set = rules_arena_alloc(parser->arena, sizeof *test->set);
	test->definite = !info->unknowable;
	if (node->kind != YAML_LIST) {
		add_one_word(parser, test, info, node);
		return;
	}
	if (node->children->len == 0)
		yaml_error(parser->diag, node, "an empty list: %s can never be one of nothing", info->name);
	for (guint i = 0; i < node->children->len; i++)
		add_one_word(parser, test, info, g_ptr_array_index(node->children, i));
}

/* A day or number at `key`, or `fallback`. */
static int32_t bound(struct cond_parser *parser, const struct var_info *info, const struct yaml_node *map,
        const char *key, int32_t fallback)
{
	if (!yaml_get(map, key))
		return fallback;
	if (info->kind == VAR_KIND_NUMBER)
		return (int32_t)yaml_int(map, key, fallback, 0, 100000, parser->diag);
	int32_t day = yaml_day(map, key, parser->diag);
	return day == DAY_NONE ? fallback : day;
}

static void parse_interval(struct cond_parser *parser, struct cond *test, const struct var_info *info,
        const struct yaml_node *map)
{
	static const char *const for_days[] = {"from", "before", NULL};
	static const char *const for_numbers[] = {"at_least", "above", "below", "at_most", NULL};
	bool days = info->kind == VAR_KIND_DAY;
	yaml_check_keys(map, days ? for_days : for_numbers, parser->diag);
	int32_t low = bound(parser, info, map, days ? "from" : "at_least", RULES_UNKNOWN + 1);
	int32_t high = bound(parser, info, map, days ? "before" : "below", INT32_MAX);
	if (!days && yaml_get(map, "above"))
		low = MAX(low, bound(parser, info, map, "above", 0) + 1);
	if (!days && yaml_get(map, "at_most"))
		high = MIN(high, bound(parser, info, map, "at_most", 0) + 1);
	test->low = low;
	test->high = high;
	if (low >= high)
		yaml_error(parser->diag, map, "no value of %s fits between these bounds", info->name);
}

static void parse_range(struct cond_parser *parser, struct cond *test, const struct var_info *info,
        const struct yaml_node *node)
{
	if (node->kind == YAML_MAP) {
		parse_interval(parser, test, info, node);
		return;
	}
	if (!yaml_expect(node, YAML_SCALAR, parser->diag))
		return;
	int32_t day;
	gint64 number;
	test->definite = strcmp(node->text, "known") == 0;
	test->asks_unknown = strcmp(node->text, "unknown") == 0;
	test->low = test->definite ? RULES_UNKNOWN + 1 : 0;
	test->high = test->definite ? INT32_MAX : 0;
	if (test->definite || test->asks_unknown) {
		if (!info->unknowable)
			yaml_error(parser->diag, node, "%s is always known", info->name);
	} else if (info->kind == VAR_KIND_DAY && day_parse(node->text, &day)) {
		test->low = day;
		test->high = day + 1;
	} else if (info->kind == VAR_KIND_NUMBER &&
	           g_ascii_string_to_signed(node->text, 10, 0, 100000, &number, NULL)) {
		test->low = (int32_t)number;
		test->high = (int32_t)number + 1;
	} else {
		yaml_error(parser->diag, node, "%s cannot be \"%s\", expected %s", info->name, node->text,
		        info->kind == VAR_KIND_DAY
		                ? "a date YYYY-MM-DD, known, unknown, or {from: …, before: …}"
		                : "a whole number, known, unknown, or {at_least, above, below, at_most: …}");
	}
}

static void report_variable(struct cond_parser *parser, const struct yaml_node *key)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < parser->vars->all->len; i++)
		g_ptr_array_add(names, (char *)rules_vars_get(parser->vars, (int)i)->name);
	g_ptr_array_add(names, (char *)"all");
	g_ptr_array_add(names, (char *)"any");
	g_ptr_array_add(names, (char *)"not");
	g_ptr_array_add(names, NULL);
	const char *hint = did_you_mean(key->text, (const char *const *)names->pdata);
	if (strcmp(key->text, "score") == 0 || strcmp(key->text, "text") == 0)
		yaml_error(parser->diag, key,
		        "\"%s\": conditions over scores or free text are not allowed (they cannot be proved)",
		        key->text);
	else if (hint)
		yaml_error(
		        parser->diag, key, "unknown variable \"%s\", did you mean \"%s\"?", key->text, hint);
	else
		yaml_error(parser->diag, key,
		        "unknown variable \"%s\" (posteingang-rules(7) lists all of them)", key->text);
}

static struct cond *parse_test(
        struct cond_parser *parser, const struct yaml_node *key, const struct yaml_node *value)
{
	struct cond *test = cond_new(parser, COND_TEST, key);
	int var = rules_vars_find(parser->vars, key->text);
	if (var < 0) {
		report_variable(parser, key);
		return NULL;
	}
	const struct var_info *info = rules_vars_get(parser->vars, var);
	if (info->per_concern && parser->per_item)
		yaml_error(parser->diag, key,
		        "%s belongs to one concern: not readable in a rule \"per: item\"", info->name);
	test->var = var;
	if (info->words)
		parse_words(parser, test, info, value);
	else
		parse_range(parser, test, info, value);
	return test;
}

static struct cond *parse_map(struct cond_parser *parser, const struct yaml_node *map, int depth);

static struct cond *parse_list(
        struct cond_parser *parser, enum cond_op op, const struct yaml_node *list, int depth)
{
	struct cond *cond = cond_new(parser, op, list);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	if (!yaml_expect(list, YAML_LIST, parser->diag))
		return cond;
	if (list->children->len == 0)
		yaml_error(parser->diag, list, "an empty list of conditions");
	for (guint i = 0; i < list->children->len; i++)
		g_ptr_array_add(parts, parse_map(parser, g_ptr_array_index(list->children, i), depth + 1));
	cond_set_parts(parser, cond, parts);
	return cond;
}

static struct cond *parse_not(struct cond_parser *parser, const struct yaml_node *map, int depth)
{
	struct cond *cond = cond_new(parser, COND_NOT, map);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_ptr_array_add(parts, parse_map(parser, map, depth + 1));
	cond_set_parts(parser, cond, parts);
	return cond;
}

static struct cond *parse_entry(
        struct cond_parser *parser, const struct yaml_node *key, const struct yaml_node *value, int depth)
{
	if (strcmp(key->text, "all") == 0)
		return parse_list(parser, COND_ALL, value, depth);
	if (strcmp(key->text, "any") == 0)
		return parse_list(parser, COND_ANY, value, depth);
	if (strcmp(key->text, "not") == 0)
		return parse_not(parser, value, depth);
	return parse_test(parser, key, value);
}

static struct cond *parse_map(struct cond_parser *parser, const struct yaml_node *map, int depth)
{
	struct cond *all = cond_new(parser, COND_ALL, map);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	if (depth > RULES_MAX_DEPTH) {
		yaml_error(parser->diag, map, "a condition nested more than %d deep", RULES_MAX_DEPTH);
		return all;
	}
	if (!yaml_expect(map, YAML_MAP, parser->diag))
		return all;
	if (map->keys->len == 0 && depth > 0)
		yaml_error(parser->diag, map, "an empty condition");
	for (guint i = 0; i < map->keys->len; i++) {
		struct cond *part = parse_entry(
		        parser, g_ptr_array_index(map->keys, i), g_ptr_array_index(map->children, i), depth);
		if (part)
			g_ptr_array_add(parts, part);
	}
	if (parts->len == 1)
		return g_ptr_array_index(parts, 0);
	cond_set_parts(parser, all, parts);
	return all;
}

struct cond *cond_parse(struct cond_parser *parser, const struct yaml_node *node)
{
	parser->nodes = 0;
	return node ? parse_map(parser, node, 0) : cond_new(parser, COND_ALL, NULL);
}

/* ---- evaluation ---- */

enum truth cond_test(const struct cond *test, int32_t value)
{
	if (test->set) {
		if (word_set_has(test->set, value))
			return TRUTH_TRUE;
		return test->definite || value != 0 ? TRUTH_FALSE : TRUTH_UNKNOWN;
	}
	if (value != RULES_UNKNOWN)
		return value >= test->low && value < test->high ? TRUTH_TRUE : TRUTH_FALSE;
	if (test->asks_unknown)
		return TRUTH_TRUE;
	return test->definite ? TRUTH_FALSE : TRUTH_UNKNOWN;
}

enum truth cond_eval(const struct cond *cond, const int32_t *env)
{
	bool all = cond->op == COND_ALL;
	enum truth truth = all ? TRUTH_TRUE : TRUTH_FALSE, last = TRUTH_TRUE - truth;
	if (cond->op == COND_TEST)
		return cond_test(cond, env[cond->var]);
	if (cond->op == COND_NOT)
		return TRUTH_TRUE - cond_eval(cond->parts[0], env);
	for (unsigned i = 0; i < cond->count && truth != last; i++) {
		enum truth part = cond_eval(cond->parts[i], env);
		truth = all ? MIN(truth, part) : MAX(truth, part);
	}
	return truth;
}

bool cond_can_be_unknown(const struct cond *cond, const struct rules_vars *vars)
{
	if (cond->op == COND_TEST)
		return rules_vars_get(vars, cond->var)->unknowable && !cond->asks_unknown && !cond->definite;
	for (unsigned i = 0; i < cond->count; i++)
		if (cond_can_be_unknown(cond->parts[i], vars))
			return true;
	return false;
}

/* ---- words ---- */

static void print_words(const struct cond *test, const struct var_info *info, GString *out)
{
	unsigned found = 0;
	for (guint i = 0; i < info->words->len; i++) {
		if (!word_set_has(test->set, (int32_t)i))
			continue;
		g_string_append_printf(
		        out, "%s%s", found++ ? "/" : " is ", (char *)g_ptr_array_index(info->words, i));
	}
}

static void print_range(const struct cond *test, const struct rules_vars *vars, GString *out)
{
	bool low = test->low > RULES_UNKNOWN + 1, high = test->high < INT32_MAX;
	g_autofree char *from = low ? rules_vars_word(vars, test->var, test->low) : NULL;
	g_autofree char *to = high ? rules_vars_word(vars, test->var, test->high) : NULL;
	if (test->asks_unknown)
		g_string_append(out, " is unknown");
	else if (test->definite)
		g_string_append(out, " is known");
	else if (low && high && test->high == test->low + 1)
		g_string_append_printf(out, " is %s", from);
	else if (low && high)
		g_string_append_printf(out, " from %s and before %s", from, to);
	else if (low)
		g_string_append_printf(out, " from %s", from);
	else
		g_string_append_printf(out, " before %s", to);
}

static void print_test(const struct cond *test, const struct rules_vars *vars, GString *out)
{
	const struct var_info *info = rules_vars_get(vars, test->var);
	g_string_append(out, info->name);
	if (test->set)
		print_words(test, info, out);
	else
		print_range(test, vars, out);
}

static void print_part(const struct cond *cond, const struct rules_vars *vars, GString *out)
{
	bool braces = cond->op == COND_ALL || cond->op == COND_ANY;
	if (braces)
		g_string_append_c(out, '(');
	cond_print(cond, vars, out);
	if (braces)
		g_string_append_c(out, ')');
}

void cond_print(const struct cond *cond, const struct rules_vars *vars, GString *out)
{
	if (cond->op == COND_TEST) {
		print_test(cond, vars, out);
	} else if (cond->op == COND_NOT) {
		g_string_append(out, "not ");
		print_part(cond->parts[0], vars, out);
	} else {
		for (unsigned i = 0; i < cond->count; i++) {
			if (i)
				g_string_append(out, cond->op == COND_ALL ? " and " : " or ");
			print_part(cond->parts[i], vars, out);
		}
		if (cond->count == 0)
			g_string_append(out, "always");
	}
}

void cond_print_failed(
        const struct cond *test, const struct rules_vars *vars, const int32_t *env, GString *out)
{
	g_autofree char *found = rules_vars_word(vars, test->var, env[test->var]);
	print_test(test, vars, out);
	g_string_append_printf(out, " (it is %s)", found);
}
