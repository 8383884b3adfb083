/* analyse_marks.c - what is read from dates and numbers: length of an absence, customer's numbers and their
 * conflict, authority, and the Rechtskreis of each concern. */
#include "classifiers/analyse_internal.h"

#include <string.h>

#define MAX_ABSENCE 3660 /* days; longer is a slip of the pen: unknown */

static bool hit_in_sentence(const struct term_matches *matches, uint32_t sentence, target_id target)
{
	for (guint i = 0; target && i < matches->hits->len; i++) {
		const struct hit *hit = &g_array_index(matches->hits, struct hit, i);
		if (hit->sentence == sentence && hit->target == target)
			return true;
	}
	return false;
}

static bool states_authority(const struct analyser *analyser, const struct term_matches *matches)
{
	for (guint i = 0; analyser->authority && i < matches->hits->len; i++) {
		const struct hit *hit = &g_array_index(matches->hits, struct hit, i);
		if (hit->target == analyser->authority &&
		        !hit_in_sentence(matches, hit->sentence, analyser->negation))
			return true;
	}
	return false;
}

static void add_number(GPtrArray *numbers, const char *number)
{
	for (guint i = 0; i < numbers->len; i++)
		if (strcmp(g_ptr_array_index(numbers, i), number) == 0)
			return;
	g_ptr_array_add(numbers, g_strdup(number));
}

static bool has_cue(const struct prepared *prepared, enum cue_kind kind)
{
	for (guint i = 0; i < prepared->cues->len; i++)
		if (g_array_index(prepared->cues, struct cue, i).kind == kind)
			return true;
	return false;
}

static void read_numbers(const struct prepared *prepared, struct findings *findings)
{
	for (guint i = 0; i < prepared->cues->len; i++) {
		const struct cue *cue = &g_array_index(prepared->cues, struct cue, i);
		if (cue->kind == CUE_KUNDENNUMMER)
			add_number(findings->kundennummern, cue->number);
	}
	findings->numbers_conflict = findings->kundennummern->len > 1;
}

/* Days between two dates, both counted; DAY_NONE dates are unknown (-1), an end before the start is doubt. */
static int days_away(int32_t from, int32_t to, struct findings *findings)
{
	if (from == DAY_NONE || to == DAY_NONE)
		return -1;
	if (to < from) {
		findings_doubt(findings, "dates");
		return -1;
	}
	int64_t days = (int64_t)to - from + 1;
	return days <= MAX_ABSENCE ? (int)days : -1;
}

/* All ranges of the text together: leaning to the long side leans to the eAkte. */
static int days_of_ranges(const struct prepared *prepared, struct findings *findings, bool *any)
{
	int64_t sum = 0;
	for (guint i = 0; i < prepared->cues->len; i++) {
		const struct cue *cue = &g_array_index(prepared->cues, struct cue, i);
		if (!cue_is_range(cue->kind))
			continue;
		int days = days_away(cue->from, cue->to, findings);
		*any = true;
		if (days < 0)
			return -1;
		sum += days;
	}
	return sum > 0 && sum <= MAX_ABSENCE ? (int)sum : -1;
}

/* "I fly on the 19th … back on the 5th": exactly two dates in sentences about being away or coming back. */
static int days_of_two_dates(
        const struct analyser *analyser, const struct analyser_scratch *scratch, struct findings *findings)
{
	int32_t dates[2] = {DAY_NONE, DAY_NONE};
	unsigned n = 0;
	for (guint i = 0; i < scratch->matches.hits->len; i++) {
		const struct hit *hit = &g_array_index(scratch->matches.hits, struct hit, i);
		if (hit->target >= CUE_COUNT || !cue_is_date((enum cue_kind)hit->target))
			continue;
		if (!hit_in_sentence(&scratch->matches, hit->sentence, analyser->away) &&
		        !hit_in_sentence(&scratch->matches, hit->sentence, analyser->returning))
			continue;
		uint32_t cue = prepared_token(&scratch->prepared, hit->first)->cue_index;
		int32_t day = g_array_index(scratch->prepared.cues, struct cue, cue).from;
		if (n && dates[n - 1] == day)
			continue;
		if (n == 2)
			return -1;
		dates[n++] = day;
	}
	return n == 2 && dates[1] > dates[0] ? days_away(dates[0], dates[1], findings) : -1;
}

static void read_absence(const struct analyser *analyser, const struct analyser_scratch *scratch,
        const struct message *message, struct findings *findings)
{
	if (!findings_find(findings, "ortsabwesenheit"))
		return;
	const struct form *form = message->form;
	if (form && (form->from != DAY_NONE || form->to != DAY_NONE)) {
		findings->absence_days = days_away(form->from, form->to, findings);
		return;
	}
	bool any = false;
	int days = days_of_ranges(&scratch->prepared, findings, &any);
	findings->absence_days = any ? days : days_of_two_dates(analyser, scratch, findings);
}

static enum rechtskreis mailbox_rechtskreis(const struct combination *c, const char *mailbox)
{
	g_autofree char *lower = mailbox ? g_ascii_strdown(mailbox, -1) : NULL;
	for (unsigned i = 0; lower && i < c->mailbox_count; i++)
		if (strstr(lower, c->mailboxes[i].part))
			return c->mailboxes[i].rechtskreis;
	return RECHTSKREIS_SGB3;
}

/* No Kundennummer anywhere, and a BG-Nummer anywhere, or a Kindergeldnummer in the very sentence that speaks
 * for the concern: a parent has one besides whatever else they write about. */
static enum rechtskreis number_rechtskreis(
        const struct analyser *analyser, const struct analyser_scratch *scratch, const char *concern)
{
	int output = analyser->model ? concern_model_find(analyser->model, concern) : -1;
	if (output < 0 || scratch->prepared.sentences->len == 0 ||
	        has_cue(&scratch->prepared, CUE_KUNDENNUMMER))
		return RECHTSKREIS_SGB3;
	uint32_t sentence = scratch->scores.best[output];
	if (hit_in_sentence(&scratch->matches, sentence, CUE_KINDERGELDNUMMER))
		return RECHTSKREIS_FAMILIENKASSE;
	return has_cue(&scratch->prepared, CUE_BG_NUMMER) ? RECHTSKREIS_SGB2 : RECHTSKREIS_SGB3;
}

static void read_rechtskreis(const struct analyser *analyser, const struct analyser_scratch *scratch,
        const struct message *message, struct findings *findings)
{
	enum rechtskreis mailbox = mailbox_rechtskreis(analyser->combination, message->mailbox);
	for (guint i = 0; i < findings->concerns->len; i++) {
		struct finding *finding = g_ptr_array_index(findings->concerns, i);
		int index = catalogue_find(analyser->catalogue, finding->concern);
		const struct concern *concern = index >= 0 ? catalogue_get(analyser->catalogue, index) : NULL;
		if (concern && concern->rechtskreis_fixed)
			finding->rechtskreis = concern->rechtskreis;
		else if (mailbox != RECHTSKREIS_SGB3)
			finding->rechtskreis = mailbox;
		else
			finding->rechtskreis = number_rechtskreis(analyser, scratch, finding->concern);
	}
}

void analyse_marks(const struct analyser *analyser, struct analyser_scratch *scratch,
        const struct message *message, struct findings *findings)
{
	read_numbers(&scratch->prepared, findings);
	findings->authority_stated = states_authority(analyser, &scratch->matches);
	read_absence(analyser, scratch, message, findings);
	read_rechtskreis(analyser, scratch, message, findings);
}
