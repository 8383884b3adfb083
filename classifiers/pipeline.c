/* pipeline.c - one way from message to decision for all who decide. */
#include "classifiers/pipeline.h"

#include "core/engine.h"
#include "core/error.h"
#include "core/json.h"

struct pipeline {
	struct bundle *bundle;
	struct rules *rules;
	struct analyser *analyser;
	struct templates *templates;
	char *engine;
	gint references;
};

struct pipeline *pipeline_load(struct bundle *bundle, struct diag *diag)
{
	struct pipeline *pipeline = g_new0(struct pipeline, 1);
	pipeline->references = 1;
	pipeline->bundle = bundle;
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	/* All are loaded before giving up: one run shows all errors. */
	pipeline->rules = rules_load(bundle, diag);
	pipeline->analyser = analyser_load(bundle, diag);
	pipeline->templates = templates_load(bundle, diag);
	if (!pipeline->rules || !pipeline->analyser || diag_count(diag, SEVERITY_ERROR) > before) {
		pipeline_free(pipeline);
		return NULL;
	}
	pipeline->engine = engine_hash(analyser_engine(pipeline->analyser));
	return pipeline;
}

struct pipeline *pipeline_open(struct bundle *bundle, GError **error)
{
	AUTO(diag) diag = diag_new();
	struct pipeline *pipeline = pipeline_load(bundle, diag);
	if (pipeline)
		return pipeline;
	if (diag_ok(diag, error))
		fail(error, ERROR_CONFIG, "the bundle cannot be used");
	return NULL;
}

struct pipeline *pipeline_ref(struct pipeline *pipeline)
{
	g_atomic_int_inc(&pipeline->references);
	return pipeline;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline || !g_atomic_int_dec_and_test(&pipeline->references))
		return;
	templates_free(pipeline->templates);
	analyser_free(pipeline->analyser);
	rules_free(pipeline->rules);
	bundle_free(pipeline->bundle);
	g_free(pipeline->engine);
	g_free(pipeline);
}

const struct bundle *pipeline_bundle(const struct pipeline *pipeline)
{
	return pipeline->bundle;
}

const char *pipeline_engine(const struct pipeline *pipeline)
{
	return pipeline->engine;
}

const struct rules *pipeline_rules(const struct pipeline *pipeline)
{
	return pipeline->rules;
}

const struct analyser *pipeline_analyser(const struct pipeline *pipeline)
{
	return pipeline->analyser;
}

const struct templates *pipeline_templates(const struct pipeline *pipeline)
{
	return pipeline->templates;
}

void verdict_free(struct verdict *verdict)
{
	if (!verdict)
		return;
	decision_free(verdict->decision);
	rule_input_free(verdict->input);
	findings_free(verdict->findings);
	g_free(verdict);
}

struct verdict *pipeline_conclude(const struct pipeline *pipeline, const struct message *message,
        struct findings *findings, const struct circumstances *circumstances)
{
	struct verdict *verdict = g_new0(struct verdict, 1);
	struct facts nothing;
	facts_init(&nothing);
	findings->received_in_future = circumstances->received_in_future;
	verdict->findings = findings;
	verdict->input = rule_input_from(
	        pipeline->rules, message, findings, circumstances->facts ? circumstances->facts : &nothing);
	verdict->input->own_bounce = circumstances->own_bounce;
	verdict->decision = rules_decide(pipeline->rules, verdict->input);
	return verdict;
}

struct verdict *pipeline_decide(const struct pipeline *pipeline, struct analyser_scratch *scratch,
        const struct message *message, const struct circumstances *circumstances)
{
	struct findings *findings = analyse(pipeline->analyser, scratch, message);
	return pipeline_conclude(pipeline, message, findings, circumstances);
}

struct verdict *pipeline_doubt(const struct pipeline *pipeline, const struct message *message,
        const char *reason, const struct circumstances *circumstances)
{
	struct findings *findings = findings_new();
	findings->doubt = true;
	findings->doubt_reason = g_strdup(reason);
	return pipeline_conclude(pipeline, message, findings, circumstances);
}

/* -- the line that classify prints -- */

static json_t *evidence_json(const struct evidence *evidence)
{
	json_t *object = json_object();
	json_set_string(object, "field", evidence->field);
	json_set_int(object, "offset", evidence->offset);
	json_set_int(object, "length", evidence->length);
	json_set_string(object, "by", evidence->by);
	return object;
}

static json_t *concerns_json(const struct findings *findings)
{
	json_t *list = json_array();
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = findings->concerns->pdata[i];
		json_t *object = json_object();
		json_t *evidence = json_array();
		for (guint e = 0; e < finding->evidence->len; e++)
			json_array_append_new(evidence, evidence_json(finding->evidence->pdata[e]));
		json_set_string(object, "id", finding->concern);
		json_set_int(object, "score", finding->score);
		json_object_set_new(object, "evidence", evidence);
		json_array_append_new(list, object);
	}
	return list;
}

/* Moves the keys of the decision that are wanted at this place of the line. */
static void take(json_t *line, json_t *decision, const char *const *keys)
{
	for (; *keys; keys++) {
		json_t *value = json_object_get(decision, *keys);
		json_object_set_new(line, *keys, value ? json_incref(value) : json_null());
	}
}

static const char *const action_keys[] = {"handler", "kind", "rule", "cites", NULL};
static const char *const suppressed_keys[] = {"handler", "rule", "reason", "cites", NULL};

/* The same objects with these keys in front, null where one has none. */
static json_t *in_order(json_t *list, const char *const *keys)
{
	json_t *ordered = json_array();
	size_t i;
	json_t *entry;
	json_array_foreach (list, i, entry) {
		json_t *object = json_object();
		take(object, entry, keys);
		json_object_update_missing(object, entry);
		json_array_append_new(ordered, object);
	}
	return ordered;
}

/* The objects themselves, with null where one has no such key. */
static json_t *completed(json_t *list, const char *const *keys)
{
	size_t i;
	json_t *entry;
	json_array_foreach (list, i, entry)
		for (const char *const *key = keys; *key; key++)
			if (!json_object_get(entry, *key))
				json_object_set_new(entry, *key, json_null());
	return json_incref(list);
}

/* `ordered`: the keys of the lists stand in the order of DESIGN.md section 5; else in any. */
static json_t *verdict_line(
        const struct pipeline *pipeline, const struct verdict *verdict, json_t *id, bool ordered)
{
	const struct findings *findings = verdict->findings;
	JSON_AUTO decision = decision_to_json(verdict->decision);
	json_t *actions = json_object_get(decision, "actions"), *line = json_object();
	json_t *suppressed = json_object_get(decision, "suppressed");
	if (id)
		json_object_set(line, "id", id);
	json_set_string(line, "bundle", bundle_hash(pipeline->bundle));
	json_set_string(line, "engine", pipeline->engine);
	take(line, decision, (const char *const[]){"ruleset", "basis", "rechtskreis", NULL});
	json_object_set_new(line, "concerns", concerns_json(findings));
	json_set_bool(line, "third_party", findings->third_party);
	json_set_bool(line, "resolved", findings->resolved);
	json_set_string(line, "automatic", automatic_name(findings->automatic));
	take(line, decision, (const char *const[]){"payment_relevant", "doubt", "contact_code", NULL});
	json_t *(*list)(json_t *, const char *const *) = ordered ? in_order : completed;
	json_object_set_new(line, "actions", list(actions, action_keys));
	json_object_set_new(line, "suppressed", list(suppressed, suppressed_keys));
	return line;
}

json_t *verdict_to_json(const struct pipeline *pipeline, const struct verdict *verdict, json_t *id)
{
	return verdict_line(pipeline, verdict, id, true);
}

json_t *verdict_to_archive(const struct pipeline *pipeline, const struct verdict *verdict, json_t *id)
{
	return verdict_line(pipeline, verdict, id, false);
}
