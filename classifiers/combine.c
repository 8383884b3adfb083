/* combine.c - thresholds applied: found, candidate, or doubt that leans towards the eAkte. */
#include "classifiers/combine.h"
#include "config/yaml.h"

#include <string.h>

#define WITHOUT_MODEL (-3000) /* logit/1000 of a concern that only terms can speak for */

void combination_free(struct combination *combination)
{
	if (!combination)
		return;
	for (unsigned i = 0; i < combination->count; i++)
		g_free(combination->concerns[i].id);
	for (unsigned i = 0; i < combination->mailbox_count; i++)
		g_free(combination->mailboxes[i].part);
	g_free(combination->split_into);
	g_free(combination);
}

static int read_score(const struct yaml_node *map, const struct yaml_node *defaults, const char *key,
        int fallback, struct diag *diag)
{
	int base = (int)yaml_int(defaults, key, fallback, 0, SCORE_MAX, diag);
	return (int)yaml_int(map, key, base, 0, SCORE_MAX, diag);
}

static void read_concern(struct combination *c, const struct yaml_node *key, const struct yaml_node *map,
        const struct yaml_node *defaults, const struct catalogue *catalogue,
        const struct concern_model *model, struct diag *diag)
{
	static const char *const known[] = {"accept", "lower", "risk", "sure", "terms", NULL};
	int index = catalogue_find(catalogue, key->text);
	if (index < 0)
		yaml_error(diag, key, "the catalogue has no concern \"%s\"", key->text);
	if (index < 0 || c->count == COMBINE_MAX_CONCERNS || !yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	struct combine_concern *concern = &c->concerns[c->count++];
	concern->id = g_strdup(key->text);
	concern->output = model ? concern_model_find(model, key->text) : -1;
	concern->accept = read_score(map, defaults, "accept", 500000, diag);
	concern->lower = read_score(map, defaults, "lower", 300000, diag);
	concern->risk = read_score(map, defaults, "risk", SCORE_MAX, diag);
	concern->sure = read_score(map, defaults, "sure", 0, diag);
	concern->terms = read_score(map, defaults, "terms", 0, diag);
	concern->payment = catalogue_get(catalogue, index)->payment == PAYMENT_KIND_YES;
	if (concern->lower > concern->accept)
		yaml_error(diag, map,
		        "lower lies above accept: a candidate in doubt must be easier than a finding");
}

static int find_concern(const struct combination *c, const char *id)
{
	for (unsigned i = 0; id && i < c->count; i++)
		if (strcmp(c->concerns[i].id, id) == 0)
			return (int)i;
	return -1;
}

static void read_split(struct combination *c, const struct yaml_node *map, const struct concern_model *model,
        struct diag *diag)
{
	static const char *const known[] = {"from", "into", "at", NULL};
	c->split_from = c->split_output = -1;
	if (!map || !yaml_expect(map, YAML_MAP, diag))
		return;
	yaml_check_keys(map, known, diag);
	const char *from = yaml_required(map, "from", diag), *into = yaml_required(map, "into", diag);
	c->split_from = find_concern(c, from);
	if (from && c->split_from < 0)
		yaml_error(diag, map, "\"%s\" is no concern above", from);
	c->split_into = g_strdup(into);
	c->split_output = model && into ? concern_model_find(model, into) : -1;
	c->split_at = (int)yaml_int(map, "at", 500000, 0, SCORE_MAX, diag);
}

static void read_marks(struct combination *c, const struct yaml_node *map, const struct concern_model *model,
        struct diag *diag)
{
	static const char *const known[] = {"third_party", "resolved", NULL};
	if (map)
		yaml_check_keys(map, known, diag);
	c->third_output = model ? concern_model_find(model, "third_party") : -1;
	c->resolved_output = model ? concern_model_find(model, "resolved") : -1;
	c->third_at = (int)yaml_int(map, "third_party", 500000, 0, SCORE_MAX, diag);
	c->resolved_at = (int)yaml_int(map, "resolved", 500000, 0, SCORE_MAX, diag);
}

static void read_mailboxes(struct combination *c, const struct yaml_node *map, struct diag *diag)
{
	if (!map || !yaml_expect(map, YAML_MAP, diag))
		return;
	for (guint i = 0; i < map->keys->len && c->mailbox_count < COMBINE_MAX_MAILBOX; i++) {
		const struct yaml_node *key = g_ptr_array_index(map->keys, i);
		const char *name = yaml_string(map, key->text, "", diag);
		struct combine_mailbox *mailbox = &c->mailboxes[c->mailbox_count];
		if (!rechtskreis_parse(name, &mailbox->rechtskreis)) {
			yaml_error(diag, key, "expected sgb3, sgb2 or familienkasse");
			continue;
		}
		mailbox->part = g_ascii_strdown(key->text, -1);
		c->mailbox_count++;
	}
}

static void combination_read(struct combination *c, const struct yaml_node *root,
        const struct catalogue *catalogue, const struct concern_model *model, struct diag *diag)
{
	static const char *const known[] = {
	        "version", "defaults", "concerns", "fallback", "split", "marks", "mailboxes", NULL};
	yaml_check_keys(root, known, diag);
	const struct yaml_node *concerns = yaml_get(root, "concerns");
	if (!concerns || !yaml_expect(concerns, YAML_MAP, diag)) {
		yaml_error(diag, root, "combine.yaml needs `concerns`");
		return;
	}
	for (guint i = 0; i < concerns->keys->len; i++)
		read_concern(c, g_ptr_array_index(concerns->keys, i),
		        g_ptr_array_index(concerns->children, i), yaml_get(root, "defaults"), catalogue,
		        model, diag);
	const char *fallback = yaml_string(root, "fallback", NULL, diag);
	c->fallback = find_concern(c, fallback);
	if (fallback && c->fallback < 0)
		yaml_error(diag, root, "fallback: \"%s\" is no concern above", fallback);
	read_split(c, yaml_get(root, "split"), model, diag);
	read_marks(c, yaml_get(root, "marks"), model, diag);
	read_mailboxes(c, yaml_get(root, "mailboxes"), diag);
}

struct combination *combination_load(const struct bundle *bundle, const struct catalogue *catalogue,
        const struct concern_model *model, struct diag *diag)
{
	const char *path = "classifiers/combine.yaml";
	GBytes *bytes = bundle_get(bundle, path);
	if (!bytes) {
		diag_add(diag, SEVERITY_ERROR, bundle_file_name(bundle, path), 0, 0,
		        "there is no such file: it says from which score on a concern is found");
		return NULL;
	}
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	AUTO(yaml_file) yaml = yaml_load(bundle_file_name(bundle, path), bytes, diag);
	AUTO(combination) combination = g_new0(struct combination, 1);
	if (yaml)
		combination_read(combination, yaml_root(yaml), catalogue, model, diag);
	return diag_count(diag, SEVERITY_ERROR) > before ? NULL : g_steal_pointer(&combination);
}

static void score_concerns(const struct combination *c, const struct model_scores *scores, const int *points,
        struct verdict *out)
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct combine_concern *concern = &c->concerns[i];
		int64_t z = scores && concern->output >= 0 ? scores->final[concern->output] : WITHOUT_MODEL;
		z += (int64_t)concern->terms * (points ? points[i] : 0);
		out->score[i] = model_probability((int32_t)CLAMP(z, -100000, 100000));
	}
}

/* The best concern of those found (or of all), the fallback left out; -1 if there is none. */
static int best_of(const struct combination *c, const struct verdict *v, bool found_only)
{
	int best = -1;
	for (unsigned i = 0; i < c->count; i++) {
		if ((int)i == c->fallback || (found_only && !v->found[i]))
			continue;
		if (best < 0 || v->score[i] > v->score[best])
			best = (int)i;
	}
	return best;
}

static void find_concerns(const struct combination *c, struct verdict *v)
{
	for (unsigned i = 0; i < c->count; i++)
		v->found[i] = (int)i != c->fallback && v->score[i] >= c->concerns[i].accept;
	int best = best_of(c, v, true);
	bool alone = c->fallback >= 0 && v->score[c->fallback] >= c->concerns[c->fallback].accept &&
	             (best < 0 || v->score[c->fallback] > v->score[best]);
	if (!alone)
		return;
	memset(v->found, 0, sizeof v->found);
	v->found[c->fallback] = true;
}

/* A payment-relevant concern that might be there and would not reach the eAkte. */
static bool payment_at_risk(const struct combination *c, const struct verdict *v)
{
	bool risk = false;
	for (unsigned i = 0; i < c->count; i++) {
		if (v->found[i] && c->concerns[i].payment)
			return false;
		risk = risk || (c->concerns[i].payment && v->score[i] >= c->concerns[i].risk);
	}
	return risk;
}

/* Something found that stays below what its consequences (a reply) ask for. */
static bool unsure(const struct combination *c, const struct verdict *v)
{
	for (unsigned i = 0; i < c->count; i++)
		if (v->found[i] && v->score[i] < c->concerns[i].sure)
			return true;
	return false;
}

static const char *reason_for_doubt(const struct combination *c, const struct verdict *v)
{
	bool fallback = c->fallback >= 0 && v->found[c->fallback];
	if (!fallback && best_of(c, v, true) < 0)
		return "below_threshold";
	if (unsure(c, v))
		return "unsure";
	return payment_at_risk(c, v) ? "payment_risk" : NULL;
}

/* In doubt: what was found stays; if nothing was, all above the lower threshold, at least the best. */
static void choose_candidates(const struct combination *c, struct verdict *v)
{
	bool any = false;
	for (unsigned i = 0; i < c->count; i++)
		any = any || v->found[i];
	if (any)
		return;
	int best = best_of(c, v, false);
	if (c->fallback >= 0 && (best < 0 || v->score[c->fallback] > v->score[best]))
		best = c->fallback;
	for (unsigned i = 0; i < c->count; i++)
		v->found[i] = (int)i == best || ((int)i != c->fallback && best != c->fallback &&
		                                        v->score[i] >= c->concerns[i].lower);
}

static int mark_score(const struct model_scores *scores, int output)
{
	return scores && output >= 0 ? model_probability(scores->final[output]) : 0;
}

void combine(const struct combination *combination, const struct model_scores *scores, const int *term_points,
        struct verdict *out)
{
	const struct combination *c = combination;
	*out = (struct verdict){0};
	score_concerns(c, scores, term_points, out);
	find_concerns(c, out);
	out->reason = reason_for_doubt(c, out);
	out->doubt = out->reason != NULL;
	if (out->doubt)
		choose_candidates(c, out);
	out->third_score = mark_score(scores, c->third_output);
	out->resolved_score = mark_score(scores, c->resolved_output);
	out->split_score = mark_score(scores, c->split_output);
	out->third_party = out->third_score >= c->third_at && c->third_output >= 0;
	out->resolved = out->resolved_score >= c->resolved_at && c->resolved_output >= 0;
	out->split = out->split_score >= c->split_at && c->split_output >= 0;
}
