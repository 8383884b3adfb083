/* speech.c - speech acts per sentence from the lexicon's act_* classes. */
#include "classifiers/speech.h"

#include <string.h>

static const char *const names[ACT_COUNT] = {"notice", "request", "question", "hypothetical", "negation",
        "unchanged", "past", "other", "resolved", "third"};

const char *act_name(enum act act)
{
	return names[act];
}

uint64_t act_hash(enum act act)
{
	return prepare_hash(names[act], strlen(names[act]));
}

void speech_init(struct speech *speech, const struct terms *terms)
{
	speech->targets = CUE_COUNT + terms_classes(terms);
	speech->act_of = g_new0(uint8_t, speech->targets);
	for (int act = 0; act < ACT_COUNT; act++) {
		g_autofree char *name = g_strdup_printf("act_%s", names[act]);
		target_id target = terms_class(terms, name);
		if (target)
			speech->act_of[target] = (uint8_t)(act + 1);
	}
	speech->acts = g_array_new(FALSE, FALSE, sizeof(uint16_t));
}

void speech_clear(struct speech *speech)
{
	g_free(speech->act_of);
	if (speech->acts)
		g_array_unref(speech->acts);
	*speech = (struct speech){0};
}

/* The bit of the act that a target belongs to, or 0. */
static unsigned act_bit(const struct speech *speech, target_id target)
{
	unsigned act = target < speech->targets ? speech->act_of[target] : 0;
	return act ? 1u << (act - 1) : 0;
}

bool speech_is_act(const struct speech *speech, target_id target)
{
	return act_bit(speech, target) != 0;
}

void speech_read(struct speech *speech, const struct prepared *prepared, const struct term_matches *matches)
{
	g_array_set_size(speech->acts, 0);
	g_array_set_size(speech->acts, prepared->sentences->len);
	uint16_t *acts = (uint16_t *)(void *)speech->acts->data;
	for (uint32_t i = 0; i < prepared->sentences->len; i++)
		acts[i] = prepared_sentence(prepared, i)->question ? 1u << ACT_QUESTION : 0;
	for (guint i = 0; i < matches->hits->len; i++) {
		const struct hit *hit = &g_array_index(matches->hits, struct hit, i);
		acts[hit->sentence] = (uint16_t)(acts[hit->sentence] | act_bit(speech, hit->target));
	}
	for (uint32_t i = 0; i < prepared->sentences->len; i++)
		if (!(acts[i] & ~(1u << ACT_THIRD)))
			acts[i] |= 1u << ACT_NOTICE;
}
