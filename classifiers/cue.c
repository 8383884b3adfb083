/* cue.c - names of cues, and the order in which shapes are tried at the start of a word. */
#include "classifiers/cue.h"
#include "classifiers/cue_shape.h"
#include "classifiers/fold.h"

#include <string.h>

static const struct {
	const char *name, *word;
} kinds[CUE_COUNT] = {
        [CUE_NONE] = {"none", ""},
        [CUE_IBAN] = {"iban", "xiban"},
        [CUE_IBAN_SHAPE] = {"iban_shape", "xibanform"},
        [CUE_KUNDENNUMMER] = {"kundennummer", "xkunde"},
        [CUE_KINDERGELDNUMMER] = {"kindergeldnummer", "xkindergeldnr"},
        [CUE_BG_NUMMER] = {"bg_nummer", "xbgnr"},
        [CUE_DATE] = {"date", "xdatum"},
        [CUE_DATE_PAST] = {"date_past", "xdatum"},
        [CUE_DATE_SOON] = {"date_soon", "xdatum"},
        [CUE_DATE_FUTURE] = {"date_future", "xdatum"},
        [CUE_DATE_RANGE] = {"date_range", "xzeitraum"},
        [CUE_RANGE_PAST] = {"range_past", "xzeitraum"},
        [CUE_EURO] = {"euro", "xeuro"},
        [CUE_EURO_LIMIT] = {"euro_limit", "xminijobgrenze"},
        [CUE_HOURS] = {"hours", "xstunden"},
        [CUE_HOURS_SMALL] = {"hours_small", "xwenigstunden"},
        [CUE_HOURS_FULL] = {"hours_full", "xvolstunden"},
        [CUE_POSTCODE] = {"postcode", "xplz"},
        [CUE_HOUSE] = {"house", "xhausnr"},
        [CUE_TIME] = {"time", "xuhrzeit"},
        [CUE_PHONE] = {"phone", "xtelefon"},
        [CUE_PERCENT] = {"percent", "xprozent"},
        [CUE_YEAR] = {"year", "xjahr"},
        [CUE_NUMBER] = {"number", "xzahl"},
        [CUE_EMAIL] = {"email", "xmail"},
        [CUE_URL] = {"url", "xurl"},
};

const char *cue_name(enum cue_kind kind)
{
	return kinds[kind].name;
}

const char *cue_word(enum cue_kind kind)
{
	return kinds[kind].word;
}

enum cue_kind cue_find(const char *name)
{
	for (int i = 1; i < CUE_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return (enum cue_kind)i;
	return CUE_NONE;
}

typedef bool (*shape)(const struct cue_text *, struct cue *);

/* Most telling shapes first; every one fills kind and length. */
static const shape of_digits[] = {cue_shape_email, cue_shape_kindergeldnummer, cue_shape_kundennummer,
        cue_shape_bg_nummer, cue_shape_range, cue_shape_date, cue_shape_time, cue_shape_amount,
        cue_shape_hours, cue_shape_percent, cue_shape_phone, cue_shape_postcode, cue_shape_house,
        cue_shape_number};
static const shape of_letters[] = {
        cue_shape_url, cue_shape_email, cue_shape_iban, cue_shape_amount, cue_shape_postcode};

bool cue_word_may_begin(const char *text, size_t size, size_t at, size_t end)
{
	const struct cue_text in = {text, size, at, 0};
	char first = text[at], second = cue_peek(&in, at + 1), third = cue_peek(&in, at + 2);
	bool link = cue_link_byte(cue_peek(&in, end)) || (first == 'h' && second == 't');
	bool account = end - at == 2 || fold_is_digit(third) || cue_mask(third);
	return link || account || (first == 'e' && second == 'u');
}

bool cue_at(const char *text, size_t size, size_t at, int32_t today, struct cue *out)
{
	struct cue_text in = {text, size, at, today};
	char first = text[at];
	if (!fold_is_digit(first) && !g_ascii_islower(first))
		return false;
	const shape *shapes = fold_is_digit(first) ? of_digits : of_letters;
	size_t count = fold_is_digit(first) ? G_N_ELEMENTS(of_digits) : G_N_ELEMENTS(of_letters);
	struct cue cue = {.start = (uint32_t)at, .from = DAY_NONE, .to = DAY_NONE};
	for (size_t i = 0; i < count; i++) {
		if (shapes[i](&in, &cue)) {
			*out = cue;
			return true;
		}
	}
	return false;
}
