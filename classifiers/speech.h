/* speech.h - what a sentence does: tells, asks for, asks about, supposes, denies, looks back, settles.
 *
 * Read from the classes act_* of the lexicon, the question mark and a few fixed orders of words; one set per
 * sentence, so that it can be shown beside the sentence. */
#ifndef CLASSIFIERS_SPEECH_H
#define CLASSIFIERS_SPEECH_H

#include "classifiers/terms.h"

enum act {
	ACT_NOTICE,       /* tells something that is so or will be so */
	ACT_REQUEST,      /* asks for something to be done */
	ACT_QUESTION,     /* asks about something */
	ACT_HYPOTHETICAL, /* supposes */
	ACT_NEGATION,
	ACT_UNCHANGED,
	ACT_PAST,     /* long done, or known already */
	ACT_OTHER,    /* about somebody else */
	ACT_RESOLVED, /* settled meanwhile */
	ACT_THIRD,    /* somebody writes for another */
	ACT_COUNT
};

const char *act_name(enum act act);
uint64_t act_hash(enum act act);

/* A class of the lexicon that belongs to an act is no content. */
struct speech {
	uint8_t *act_of;  /* per cue and class: act + 1, 0 for content */
	unsigned targets; /* how many; the terms' own patterns behind them are no act */
	GArray *acts;     /* uint16_t per sentence: bits 1 << act */
};

void speech_init(struct speech *speech, const struct terms *terms);
void speech_clear(struct speech *speech);
bool speech_is_act(const struct speech *speech, target_id target);

/* Fills `acts` for all sentences. */
void speech_read(struct speech *speech, const struct prepared *prepared, const struct term_matches *matches);

static inline unsigned speech_acts(const struct speech *speech, uint32_t sentence)
{
	return g_array_index(speech->acts, uint16_t, sentence);
}

#endif
