/* replay_compare.c - two decisions side by side: what kind of change is it, and is a voucher lost? */
#include "classifiers/replay.h"

#include <string.h>

/* "eakte", "task.fraud_check", "reply.email": what an action is, without rule, citation and wording. */
static char *action_kind(const json_t *action)
{
	const char *handler = json_get_string(action, "handler");
	const char *detail = NULL;
	static const char *const details[] = {"kind", "channel", "to", "queue"};
	for (unsigned i = 0; i < G_N_ELEMENTS(details) && !detail; i++)
		detail = json_get_string(action, details[i]);
	return g_strdup_printf("%s%s%s", handler ? handler : "?", detail ? "." : "", detail ? detail : "");
}

/* Multiset of the kinds of actions: name → count. */
static GHashTable *action_kinds(const json_t *decision)
{
	GHashTable *kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	size_t i;
	json_t *action;
	json_array_foreach (json_object_get(decision, "actions"), i, action) {
		char *kind = action_kind(action);
		int count = GPOINTER_TO_INT(g_hash_table_lookup(kinds, kind));
		g_hash_table_replace(kinds, kind, GINT_TO_POINTER(count + 1));
	}
	return kinds;
}

static void add_surplus(GPtrArray *out, GHashTable *these, GHashTable *others, const char *sign)
{
	GHashTableIter iter;
	void *kind, *count;
	g_hash_table_iter_init(&iter, these);
	while (g_hash_table_iter_next(&iter, &kind, &count))
		if (GPOINTER_TO_INT(count) > GPOINTER_TO_INT(g_hash_table_lookup(others, kind)))
			g_ptr_array_add(out, g_strconcat(sign, (const char *)kind, NULL));
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids of the concerns as one sorted text. */
static char *concern_list(const json_t *decision)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	size_t i;
	json_t *concern;
	json_array_foreach (json_object_get(decision, "concerns"), i, concern) {
		const char *id = json_get_string(concern, "id");
		g_ptr_array_add(ids, (gpointer)(id ? id : ""));
	}
	g_ptr_array_sort(ids, by_text);
	g_ptr_array_add(ids, NULL);
	return g_strjoinv(",", (char **)ids->pdata);
}

static void add_plain(GPtrArray *out, const json_t *before, const json_t *after)
{
	static const char *const keys[] = {"contact_code", "doubt", "payment_relevant", "rechtskreis",
	        "resolved", "ruleset", "third_party"};
	for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
		if (!json_equal(json_object_get(before, keys[i]), json_object_get(after, keys[i])))
			g_ptr_array_add(out, g_strdup(keys[i]));
}

GPtrArray *replay_differences(const json_t *before, const json_t *after)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) old = action_kinds(before), fresh = action_kinds(after);
	g_autofree char *concerns = concern_list(before), *now = concern_list(after);
	add_surplus(out, old, fresh, "-");
	add_surplus(out, fresh, old, "+");
	add_plain(out, before, after);
	if (strcmp(concerns, now) != 0)
		g_ptr_array_add(out, g_strdup("concerns"));
	g_ptr_array_sort(out, by_text);
	return out;
}

static bool has_handler(const json_t *decision, const char *handler)
{
	size_t i;
	json_t *action;
	json_array_foreach (json_object_get(decision, "actions"), i, action)
		if (g_strcmp0(json_get_string(action, "handler"), handler) == 0)
			return true;
	return false;
}

bool replay_leaves_eakte(const json_t *before, const json_t *after)
{
	const char *relevance = json_get_string(before, "payment_relevant");
	return g_strcmp0(relevance, "no") != 0 && has_handler(before, "eakte") &&
	       !has_handler(after, "eakte");
}
