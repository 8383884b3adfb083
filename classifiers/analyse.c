/* analyse.c - loads what the bundle says and takes a message through preparation, terms, model, combination.
 */
#include "classifiers/analyse.h"
#include "classifiers/analyse_internal.h"

#include <string.h>

static struct concern_model *load_model(const struct bundle *bundle, GBytes *given, struct diag *diag)
{
	const char *path = "classifiers/concerns.model";
	GBytes *bytes = given ? given : bundle_get(bundle, path);
	if (!bytes) {
		diag_add(diag, SEVERITY_WARNING, bundle_file_name(bundle, path), 0, 0,
		        "there is no model: only terms speak for a concern (`posteingang train` makes one)");
		return NULL;
	}
	g_autoptr(GError) error = NULL;
	struct concern_model *model = concern_model_load(bytes, bundle_file_name(bundle, path), &error);
	if (!model)
		diag_add(diag, SEVERITY_ERROR, bundle_file_name(bundle, path), 0, 0, "%s", error->message);
	return model;
}

static void find_classes(struct analyser *analyser)
{
	analyser->authority = terms_class(analyser->terms, "authority");
	analyser->away = terms_class(analyser->terms, "away");
	analyser->returning = terms_class(analyser->terms, "returning");
	analyser->negation = terms_class(analyser->terms, "act_negation");
}

static struct analyser *load(const struct bundle *bundle, bool want_model, GBytes *model, struct diag *diag)
{
	unsigned before = diag_count(diag, SEVERITY_ERROR);
	AUTO(analyser) analyser = g_new0(struct analyser, 1);
	analyser->catalogue = catalogue_load(bundle, diag);
	analyser->terms = terms_load(bundle, g_getenv("POSTEINGANG_CACHE"), diag);
	analyser->model = want_model ? load_model(bundle, model, diag) : NULL;
	analyser->combination = combination_load(bundle, analyser->catalogue, analyser->model, diag);
	if (diag_count(diag, SEVERITY_ERROR) > before || !analyser->terms || !analyser->combination)
		return NULL;
	find_classes(analyser);
	g_autofree char *terms = terms_engine();
	analyser->engine = g_strdup_printf("classifier 1 features %d %s", FEATURES_VERSION, terms);
	return g_steal_pointer(&analyser);
}

struct analyser *analyser_load_with(const struct bundle *bundle, GBytes *model, struct diag *diag)
{
	return load(bundle, true, model, diag);
}

struct analyser *analyser_load_bare(const struct bundle *bundle, struct diag *diag)
{
	return load(bundle, false, NULL, diag);
}

struct analyser *analyser_load(const struct bundle *bundle, struct diag *diag)
{
	return analyser_load_with(bundle, NULL, diag);
}

void analyser_free(struct analyser *analyser)
{
	if (!analyser)
		return;
	catalogue_free(analyser->catalogue);
	terms_free(analyser->terms);
	concern_model_free(analyser->model);
	combination_free(analyser->combination);
	g_free(analyser->engine);
	g_free(analyser);
}

const char *analyser_engine(const struct analyser *analyser)
{
	return analyser->engine;
}

size_t analyser_patterns_size(const struct analyser *analyser)
{
	return terms_size(analyser->terms);
}

struct analyser_scratch *analyser_scratch_new(const struct analyser *analyser)
{
	struct analyser_scratch *scratch = g_new0(struct analyser_scratch, 1);
	prepared_init(&scratch->prepared);
	scratch->terms = terms_scratch_new(analyser->terms);
	term_matches_init(&scratch->matches);
	speech_init(&scratch->speech, analyser->terms);
	scratch->features = g_array_new(FALSE, FALSE, sizeof(struct feature));
	scratch->model = analyser->model ? model_reader_new(analyser->model, analyser->terms) : NULL;
	scratch->points = g_new0(int, analyser->combination->count + 1);
	return scratch;
}

void analyser_scratch_free(struct analyser_scratch *scratch)
{
	if (!scratch)
		return;
	prepared_clear(&scratch->prepared);
	terms_scratch_free(scratch->terms);
	term_matches_clear(&scratch->matches);
	speech_clear(&scratch->speech);
	g_array_unref(scratch->features);
	model_reader_free(scratch->model);
	g_free(scratch->points);
	g_free(scratch);
}

struct reading analyse_reading(const struct analyser *analyser, const struct analyser_scratch *scratch)
{
	return (struct reading){&scratch->prepared, analyser->terms, &scratch->matches, &scratch->speech};
}

bool analyse_read(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message)
{
	prepare_message(&scratch->prepared, message);
	terms_match(analyser->terms, scratch->terms, &scratch->prepared, &scratch->matches);
	if (scratch->prepared.tokens->len == 0)
		return false;
	speech_read(&scratch->speech, &scratch->prepared, &scratch->matches);
	return true;
}

bool analyse_features(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message)
{
	const struct reading reading = analyse_reading(analyser, scratch);
	g_array_set_size(scratch->features, 0);
	if (!analyse_read(analyser, scratch, message))
		return false;
	features_extract(&reading, scratch->features);
	return true;
}

/* Sum of the weights of the terms that fired, each once, per concern. */
static void sum_points(const struct analyser *analyser, struct analyser_scratch *scratch)
{
	const struct combination *c = analyser->combination;
	memset(scratch->points, 0, c->count * sizeof *scratch->points);
	for (guint i = 0; i < scratch->matches.terms->len; i++) {
		const struct term_hit *hit = &g_array_index(scratch->matches.terms, struct term_hit, i);
		const struct term *term = terms_get(analyser->terms, hit->term);
		for (unsigned k = 0; k < c->count; k++)
			if (strcmp(c->concerns[k].id, term->concern) == 0)
				scratch->points[k] = CLAMP(scratch->points[k] + term->weight, -1000, 1000);
	}
}

void findings_doubt(struct findings *findings, const char *reason)
{
	findings->doubt = true;
	if (!findings->doubt_reason)
		findings->doubt_reason = g_strdup(reason);
}

static void add_concern(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, unsigned index, const struct verdict *verdict,
        struct findings *findings)
{
	const struct combine_concern *concern = &analyser->combination->concerns[index];
	bool split = (int)index == analyser->combination->split_from && verdict->split;
	const char *id = split ? analyser->combination->split_into : concern->id;
	struct finding *finding = findings_add(findings, id, verdict->score[index]);
	analyse_evidence(analyser, scratch, message, index, concern->output, finding);
}

/* Text inside a form whose kind is known adds concerns and the risk of missing one, nothing else. */
static void add_verdict(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, const struct verdict *verdict, struct findings *findings)
{
	const struct combination *c = analyser->combination;
	bool form = message->form != NULL;
	bool certain = !verdict->doubt || strcmp(verdict->reason, "payment_risk") == 0;
	bool paid = false;
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = g_ptr_array_index(findings->concerns, i);
		int index = catalogue_find(analyser->catalogue, finding->concern);
		paid = paid ||
		       (index >= 0 && catalogue_get(analyser->catalogue, index)->payment == PAYMENT_KIND_YES);
	}
	for (unsigned i = 0; i < c->count; i++)
		if (verdict->found[i] && (!form || ((int)i != c->fallback && certain)))
			add_concern(analyser, scratch, message, i, verdict, findings);
	if (verdict->doubt && (!form || (certain && !paid)))
		findings_doubt(findings, verdict->reason);
	findings->third_party = verdict->third_party;
	findings->resolved = verdict->resolved;
}

static void analyse_text(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, struct findings *findings)
{
	struct verdict verdict;
	const struct reading reading = analyse_reading(analyser, scratch);
	sum_points(analyser, scratch);
	if (analyser->model)
		model_reader_score(scratch->model, &reading, &scratch->scores);
	combine(analyser->combination, analyser->model ? &scratch->scores : NULL, scratch->points, &verdict);
	add_verdict(analyser, scratch, message, &verdict, findings);
}

static void analyse_form(const struct analyser *analyser, const struct form *form, struct findings *findings)
{
	bool registration = form->type == FORM_ARBEITSUCHENDMELDUNG;
	const char *kind = registration ? "arbeitsuchendmeldung" : form->kind;
	int index = form->type == FORM_UNKNOWN || !kind ? -1 : catalogue_find_kind(analyser->catalogue, kind);
	if (index < 0) {
		findings_doubt(findings, "unknown_form_kind");
		return;
	}
	struct finding *finding =
	        findings_add(findings, catalogue_get(analyser->catalogue, index)->id, SCORE_MAX);
	const char *value = registration ? form->type_name : form->kind;
	finding_add_evidence(finding, registration ? "form.type" : "form.kind", 0,
	        value ? (uint32_t)strlen(value) : 0, "form");
}

static int by_score(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
	return x->score != y->score ? (x->score > y->score ? -1 : 1) : strcmp(x->concern, y->concern);
}

struct findings *analyse(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message)
{
	struct findings *findings = findings_new();
	findings->automatic = message->automatic;
	findings->unsuitable_document = message->unsuitable != NULL;
	if (message->form)
		analyse_form(analyser, message->form, findings);
	if (message->undecodable)
		findings_doubt(findings, "undecodable");
	bool words = analyse_read(analyser, scratch, message);
	if (scratch->prepared.truncated)
		findings_doubt(findings, "text_too_long"); /* says more than what is thought of the rest */
	if (words)
		analyse_text(analyser, scratch, message, findings);
	analyse_marks(analyser, scratch, message, findings);
	g_ptr_array_sort(findings->concerns, by_score);
	return findings;
}
