/* redecide.c - rules from archived findings, classifier from kept content, and samples nobody can choose. */
#include "classifiers/redecide.h"
#include "classifiers/pipeline.h"
#include "classifiers/replay.h"
#include "core/error.h"
#include "core/hash.h"
#include "journal/bundles.h"
#include "journal/items.h"

#include <string.h>

enum { DRAWS_EACH = 1000 };

/* What one bundle decides with. */
struct loaded {
	struct bundle *bundle; /* NULL once the pipeline has it */
	struct rules *rules;
	struct pipeline *pipeline; /* loaded when first needed */
	struct analyser_scratch *scratch;
	char *failure;
};

struct redecider {
	struct journal *journal; /* borrowed */
	bool with_classifier;
	GHashTable *bundles; /* hash → struct loaded */
};

static const char *const rules_names[] = {
        [RULES_EQUAL] = "equal",
        [RULES_DIFFER] = "differs",
        [RULES_UNREADABLE] = "unreadable",
        [RULES_NONE] = "not decided",
};
static const char *const classifier_names[] = {
        [CLASSIFIER_EQUAL] = "equal",
        [CLASSIFIER_DIFFERS] = "differs",
        [CLASSIFIER_ENGINE_DIFFERS] = "engine differs",
        [CLASSIFIER_NOT_POSSIBLE] = "not possible",
        [CLASSIFIER_NOT_ASKED] = "not asked",
};

const char *redecide_rules_name(enum redecide_rules outcome)
{
	return rules_names[outcome];
}

const char *redecide_classifier_name(enum redecide_classifier outcome)
{
	return classifier_names[outcome];
}

void redecide_result_clear(struct redecide_result *result)
{
	g_free(result->bundle);
	g_free(result->difference);
	*result = (struct redecide_result){0};
}

static void loaded_free(void *data)
{
	struct loaded *loaded = data;
	analyser_scratch_free(loaded->scratch);
	pipeline_free(loaded->pipeline);
	rules_free(loaded->rules);
	bundle_free(loaded->bundle);
	g_free(loaded->failure);
	g_free(loaded);
}

struct redecider *redecider_new(struct journal *journal, bool with_classifier)
{
	struct redecider *redecider = g_new0(struct redecider, 1);
	redecider->journal = journal;
	redecider->with_classifier = with_classifier;
	redecider->bundles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, loaded_free);
	return redecider;
}

void redecider_free(struct redecider *redecider)
{
	if (!redecider)
		return;
	g_hash_table_unref(redecider->bundles);
	g_free(redecider);
}

/* A bundle that cannot be read any more is a finding of each item it decided, not a failure. */
static void load_rules(struct loaded *loaded, GBytes *packed, const char *hash)
{
	g_autoptr(GError) why = NULL;
	AUTO(diag) diag = diag_new();
	loaded->bundle = bundle_unpack(packed, &why);
	if (loaded->bundle && strcmp(bundle_hash(loaded->bundle), hash) != 0)
		loaded->failure = g_strdup("the archived bundle is not what its hash says");
	else if (loaded->bundle)
		loaded->rules = rules_read(loaded->bundle, diag);
	if (!loaded->rules && !loaded->failure)
		loaded->failure = g_strdup(why ? why->message : "the archived rule sets cannot be read");
}

static struct loaded *bundle_of(struct redecider *redecider, const char *hash, GError **error)
{
	struct loaded *loaded = g_hash_table_lookup(redecider->bundles, hash);
	if (loaded)
		return loaded;
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) packed = journal_bundle(redecider->journal, hash, &why);
	if (!packed && error_class(why) != ERROR_INPUT) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	loaded = g_new0(struct loaded, 1);
	if (packed)
		load_rules(loaded, packed, hash);
	else
		loaded->failure = g_strdup("the bundle is not archived");
	g_hash_table_insert(redecider->bundles, g_strdup(hash), loaded);
	return loaded;
}

/* ---- rules ---- */

/* As verdict_to_json() prints them: these keys stand in each entry, null where it has none. */
static void fill_up(json_t *list, const char *const *keys)
{
	size_t i;
	json_t *entry;
	json_array_foreach (list, i, entry)
		for (const char *const *key = keys; *key; key++)
			if (!json_object_get(entry, *key))
				json_object_set_new(entry, *key, json_null());
}

/* The first of the decision's keys that is not what it was; NULL if all are. */
static char *first_difference(const json_t *fresh, const json_t *archived)
{
	static const char *const keys[] = {"ruleset", "basis", "rechtskreis", "payment_relevant", "doubt",
	        "contact_code", "actions", "suppressed"};
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		JSON_AUTO nothing = json_null();
		const json_t *a = json_object_get(fresh, keys[i]), *b = json_object_get(archived, keys[i]);
		g_autofree char *left = json_canonical(a ? a : nothing);
		g_autofree char *right = json_canonical(b ? b : nothing);
		if (strcmp(left, right) != 0)
			return g_strdup(keys[i]);
	}
	return NULL;
}

static void redecide_rules(
        const struct loaded *loaded, const struct item_view *view, struct redecide_result *out)
{
	g_autoptr(GError) why = NULL;
	AUTO(rule_input) input = loaded->rules ? rule_input_from_json(view->findings, &why) : NULL;
	out->rules = RULES_UNREADABLE;
	if (!input || !facts_from_json(view->facts, &input->facts, &why)) {
		out->difference = g_strdup(loaded->failure ? loaded->failure : why->message);
		return;
	}
	AUTO(decision) decision = rules_decide(loaded->rules, input);
	JSON_AUTO fresh = decision_to_json(decision);
	fill_up(json_object_get(fresh, "actions"),
	        (const char *const[]){"handler", "kind", "rule", "cites", NULL});
	fill_up(json_object_get(fresh, "suppressed"),
	        (const char *const[]){"handler", "rule", "reason", "cites", NULL});
	out->difference = first_difference(fresh, view->decision);
	out->rules = out->difference ? RULES_DIFFER : RULES_EQUAL;
}

/* ---- classifier ---- */

static bool load_pipeline(struct redecider *redecider, struct loaded *loaded, const char *hash)
{
	if (loaded->pipeline)
		return true;
	g_autoptr(GBytes) packed = journal_bundle(redecider->journal, hash, NULL);
	struct bundle *bundle = packed ? bundle_unpack(packed, NULL) : NULL;
	loaded->pipeline = bundle ? pipeline_open(bundle, NULL) : NULL;
	if (loaded->pipeline)
		loaded->scratch = analyser_scratch_new(pipeline_analyser(loaded->pipeline));
	return loaded->pipeline != NULL;
}

static bool redecide_classifier(struct redecider *redecider, struct loaded *loaded,
        const struct item_view *view, struct redecide_result *out, GError **error)
{
	g_autoptr(GError) why = NULL;
	out->classifier = CLASSIFIER_NOT_POSSIBLE;
	if (view->content_deleted || !load_pipeline(redecider, loaded, view->bundle))
		return true;
	out->classifier = CLASSIFIER_ENGINE_DIFFERS;
	if (g_strcmp0(view->engine, pipeline_engine(loaded->pipeline)) != 0)
		return true;
	AUTO(verdict)
	verdict = replay_item(loaded->pipeline, loaded->scratch, redecider->journal, view, &why);
	out->classifier = CLASSIFIER_NOT_POSSIBLE;
	/* gone, or this user may not read content: an auditor decides the rules again, which is what counts
	 */
	bool expected = why && (error_class(why) == ERROR_INPUT || error_class(why) == ERROR_DENIED);
	if (why && !expected) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	if (!verdict)
		return true;
	JSON_AUTO id = json_string(view->name);
	JSON_AUTO line = verdict_to_json(loaded->pipeline, verdict, id);
	g_autofree char *fresh = json_canonical(line), *archived = json_canonical(view->decision);
	out->classifier = strcmp(fresh, archived) == 0 ? CLASSIFIER_EQUAL : CLASSIFIER_DIFFERS;
	return true;
}

bool redecide_item(struct redecider *redecider, int64_t item, struct redecide_result *out, GError **error)
{
	AUTO(item_view) view = journal_item(redecider->journal, item, error);
	if (!view)
		return false;
	struct redecide_result result = {
	        .item = item, .rules = RULES_NONE, .classifier = CLASSIFIER_NOT_ASKED};
	*out = result;
	if (!view->decision)
		return true;
	struct loaded *loaded = bundle_of(redecider, view->bundle, error);
	if (!loaded)
		return false;
	result.bundle = g_strdup(view->bundle);
	redecide_rules(loaded, view, &result);
	if (redecider->with_classifier && !redecide_classifier(redecider, loaded, view, &result, error)) {
		redecide_result_clear(&result);
		return false;
	}
	*out = result;
	return true;
}

/* ---- sample ---- */

static bool seed_of(
        struct journal *journal, uint64_t wanted, uint8_t seed[HASH_SIZE], uint64_t *size, GError **error)
{
	struct db_value args[] = {db_int(wanted ? (int64_t)MIN(wanted, (uint64_t)INT64_MAX) : INT64_MAX)};
	AUTO(db_rows)
	rows = db_query(journal_db(journal),
	        "SELECT size, note FROM checkpoint WHERE size <= $1 AND size > 0 ORDER BY size DESC LIMIT 1",
	        args, 1, error);
	if (!rows)
		return false;
	if (!db_rows_count(rows)) {
		fail(error, ERROR_INPUT, "there is no checkpoint to draw a sample by: nothing is sealed yet");
		return false;
	}
	const char *note = db_rows_text(rows, 0, 1);
	hash_bytes(note, strlen(note), seed);
	*size = (uint64_t)db_rows_int(rows, 0, 0);
	return true;
}

static uint64_t draw(const uint8_t seed[HASH_SIZE], uint64_t i, uint64_t size)
{
	uint8_t input[HASH_SIZE + 8], hash[HASH_SIZE];
	uint64_t value = 0;
	memcpy(input, seed, HASH_SIZE);
	for (int b = 0; b < 8; b++)
		input[HASH_SIZE + b] = (uint8_t)(i >> (56 - 8 * b));
	hash_bytes(input, sizeof input, hash);
	for (int b = 0; b < 8; b++)
		value = value << 8 | hash[b];
	return value % size;
}

/* The item decided by record `leaf`, 0 if it is no decision. */
static bool decided_at(struct journal *journal, int64_t leaf, int64_t *item, GError **error)
{
	struct db_value args[] = {db_int(leaf)};
	AUTO(db_rows)
	rows = db_query(journal_db(journal),
	        "SELECT r.item FROM leaf l JOIN record r ON r.id = l.record WHERE l.n = $1"
	        " AND r.event = 'decided'",
	        args, 1, error);
	if (!rows)
		return false;
	*item = db_rows_count(rows) ? db_rows_int(rows, 0, 0) : 0;
	return true;
}

/* Whether `value` is new to the set. */
static bool put_new(GHashTable *set, int64_t value)
{
	int64_t *key = g_new(int64_t, 1);
	*key = value;
	return g_hash_table_add(set, key);
}

GArray *redecide_sample(struct journal *journal, unsigned n, uint64_t size, uint64_t *used, GError **error)
{
	uint8_t seed[HASH_SIZE];
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GHashTable) leaves = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GHashTable) drawn = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	if (!seed_of(journal, size, seed, used, error))
		return NULL;
	/* a record is asked for once; when all have been drawn there is nothing more to find */
	for (uint64_t i = 0; i < (uint64_t)n * DRAWS_EACH && items->len < n; i++) {
		int64_t leaf = (int64_t)draw(seed, i, *used), item = 0;
		if (g_hash_table_size(leaves) >= *used)
			break;
		if (!put_new(leaves, leaf))
			continue;
		if (!decided_at(journal, leaf, &item, error))
			return NULL;
		if (item && put_new(drawn, item))
			g_array_append_val(items, item);
	}
	return g_steal_pointer(&items);
}
