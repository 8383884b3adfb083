/* analyse_evidence.c - why a concern was found: terms that fired, the model's strongest features in the best
 * sentence, each at its place in the original field. */
#include "classifiers/analyse_html.h"
#include "classifiers/analyse_internal.h"

#include <string.h>

#define MAX_TERMS 4
#define MAX_MODEL 4

/* How often text[0…size) stands in `text` before `end`: which occurrence the place is. */
static unsigned occurrences(const char *text, uint32_t offset, uint32_t size)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < offset; i++)
		n += memcmp(text + i, text + offset, size) == 0;
	return n;
}

static void add_place(
        struct finding *finding, const struct message *message, struct place place, const char *by)
{
	bool html = place.field == FIELD_BODY && message->html;
	if (html) {
		const char *text = message->text + place.offset;
		unsigned which = occurrences(message->text, place.offset, place.length);
		uint32_t offset, length;
		if (html_place(message->html, text, place.length, which, &offset, &length) ||
		        html_place(message->html, text, place.length, 0, &offset, &length))
			finding_add_evidence(finding, "html", offset, length, by);
		return;
	}
	finding_add_evidence(finding, field_name(place.field), place.offset, place.length, by);
}

static bool known_place(const struct finding *finding, struct place place)
{
	for (guint i = 0; i < finding->evidence->len; i++) {
		const struct evidence *evidence = g_ptr_array_index(finding->evidence, i);
		if (evidence->offset == place.offset && evidence->length == place.length &&
		        strcmp(evidence->field, field_name(place.field)) == 0)
			return true;
	}
	return false;
}

static void add_terms(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, const char *concern, struct finding *finding)
{
	unsigned n = 0;
	for (guint i = 0; i < scratch->matches.terms->len && n < MAX_TERMS; i++) {
		const struct term_hit *hit = &g_array_index(scratch->matches.terms, struct term_hit, i);
		const struct term *term = terms_get(analyser->terms, hit->term);
		if (strcmp(term->concern, concern) != 0 || term->weight <= 0)
			continue;
		add_place(finding, message, prepared_place(&scratch->prepared, hit->first, hit->last),
		        term->name);
		n++;
	}
}

/* "cue:iban" where the feature is one cue, "class:move" where it is a class, else the kind of the feature. */
static char *feature_name(
        const struct analyser *analyser, const struct analyser_scratch *scratch, const struct contribution *c)
{
	const struct token *token = prepared_token(&scratch->prepared, c->first);
	if (token->cue && c->first == c->last)
		return g_strdup_printf("cue:%s", cue_name((enum cue_kind)token->cue));
	bool class =
	        c->kind == FEATURE_CLASS || c->kind == FEATURE_ZONE_CLASS || c->kind == FEATURE_CLASS_ACT;
	for (guint i = 0; class && i < scratch->matches.hits->len; i++) {
		const struct hit *hit = &g_array_index(scratch->matches.hits, struct hit, i);
		if (hit->first == c->first && hit->last == c->last && hit->target >= CUE_COUNT &&
		        hit->target - CUE_COUNT < (int)terms_classes(analyser->terms))
			return g_strdup_printf(
			        "class:%s", terms_class_name(analyser->terms, hit->target - CUE_COUNT));
	}
	return g_strdup_printf("model:%s", feature_kind_name(c->kind));
}

static void add_model(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, int output, struct finding *finding)
{
	struct contribution top[MAX_MODEL];
	const struct reading reading = analyse_reading(analyser, scratch);
	uint32_t sentence = scratch->scores.best[output];
	features_of_sentence(&reading, sentence, scratch->features);
	unsigned n = concern_model_explain(
	        analyser->model, scratch->features, sentence, (unsigned)output, top, MAX_MODEL);
	for (unsigned i = 0; i < n; i++) {
		struct place place = prepared_place(&scratch->prepared, top[i].first, top[i].last);
		g_autofree char *by = feature_name(analyser, scratch, &top[i]);
		if (!known_place(finding, place))
			add_place(finding, message, place, by);
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct evidence *x = *(struct evidence *const *)a, *y = *(struct evidence *const *)b;
	int field = strcmp(x->field, y->field);
	if (field)
		return field;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return strcmp(x->by, y->by);
}

void analyse_evidence(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, unsigned index, int output, struct finding *finding)
{
	add_terms(analyser, scratch, message, analyser->combination->concerns[index].id, finding);
	if (analyser->model && output >= 0)
		add_model(analyser, scratch, message, output, finding);
	g_ptr_array_sort(finding->evidence, by_offset);
}
