/* cue_date.c - dates and date ranges as people write them: "3. bis 17.8.", "vom 24. Juli bis zum 7. August".
 */
#include "classifiers/cue_shape.h"
#include "classifiers/fold.h"

#include <string.h>

#define NEAR 3 /* days around the receipt that are "now" */

static const struct {
	const char *name;
	int month;
} months[] = {{"januar", 1}, {"janer", 1}, {"jan", 1}, {"jen", 1}, {"februar", 2}, {"feber", 2}, {"feb", 2},
        {"marz", 3}, {"mrz", 3}, {"mar", 3}, {"mars", 3}, {"merz", 3}, {"april", 4}, {"apr", 4}, {"mai", 5},
        {"may", 5}, {"juni", 6}, {"jun", 6}, {"juno", 6}, {"june", 6}, {"juli", 7}, {"jul", 7}, {"july", 7},
        {"julei", 7}, {"august", 8}, {"aug", 8}, {"september", 9}, {"sept", 9}, {"sep", 9}, {"septembr", 9},
        {"oktober", 10}, {"okt", 10}, {"october", 10}, {"november", 11}, {"nov", 11}, {"novembr", 11},
        {"dezember", 12}, {"dez", 12}, {"december", 12}};

static int month_at(const struct cue_text *in, size_t at, size_t *length)
{
	for (size_t i = 0; i < G_N_ELEMENTS(months); i++) {
		if (cue_word_is(in, at, months[i].name)) {
			*length = strlen(months[i].name);
			return months[i].month;
		}
	}
	return 0;
}

/* A year of two or four digits at *at; 0 if there is none. */
static int year_at(const struct cue_text *in, size_t *at)
{
	size_t i = *at;
	int value = cue_digits(in, &i, 4);
	size_t n = i - *at;
	if (value < 0 || (n != 2 && n != 4) || fold_is_word(cue_peek(in, i)))
		return 0;
	if (n == 4 && (value < 1900 || value > 2100))
		return 0;
	*at = i;
	return n == 2 ? (value < 70 ? 2000 + value : 1900 + value) : value;
}

static bool iso_date(const struct cue_text *in, size_t at, struct cue_date *out)
{
	int32_t day;
	char buffer[11] = {0};
	if (at + 10 > in->size)
		return false;
	memcpy(buffer, in->text + at, 10);
	if (!day_parse(buffer, &day) || fold_is_word(cue_peek(in, at + 10)))
		return false;
	day_to_civil(day, &out->year, &out->month, &out->day);
	out->length = 10;
	return true;
}

/* Behind "D.": month as a number or a name, then perhaps a year. */
static bool rest_of_date(const struct cue_text *in, size_t at, size_t i, bool dot, struct cue_date *out)
{
	size_t length = 0, j = cue_blanks(in, i, 2);
	out->month = month_at(in, j, &length);
	if (out->month) {
		j += length;
		if (cue_peek(in, j) == '.')
			j++;
		size_t y = cue_blanks(in, j, 1);
		int year = year_at(in, &y);
		out->year = year;
		out->length = (year ? y : j) - at;
		return true;
	}
	if (!dot)
		return false;
	int month = cue_digits(in, &j, 2);
	bool closed = month >= 1 && month <= 12 && (cue_peek(in, j) == '.' || cue_peek(in, j) == '/');
	if (!closed) {
		*out = (struct cue_date){out->day, 0, 0, i - at};
		return true;
	}
	size_t y = cue_blanks(in, j + 1, 1);
	out->month = month;
	out->year = year_at(in, &y);
	out->length = (out->year ? y : j + 1) - at;
	return true;
}

bool cue_read_date(const struct cue_text *in, size_t at, struct cue_date *out)
{
	struct cue_date date = {0};
	if (!fold_is_digit(cue_peek(in, at)))
		return false;
	if (iso_date(in, at, &date)) {
		*out = date;
		return true;
	}
	size_t i = at;
	date.day = cue_digits(in, &i, 2);
	if (date.day < 1 || date.day > 31)
		return false;
	bool dot = cue_peek(in, i) == '.' || cue_peek(in, i) == '/';
	bool slash = cue_peek(in, i) == '/';
	if (!rest_of_date(in, at, dot ? i + 1 : i, dot, &date) || (slash && !date.month))
		return false;
	*out = date;
	return true;
}

/* The day; without a year the one nearest to `today`. */
static int32_t date_day(const struct cue_date *date, int32_t today)
{
	if (!date->month)
		return DAY_NONE;
	int year, month, day;
	day_to_civil(today, &year, &month, &day);
	int32_t best = DAY_NONE;
	for (int y = year - 1; y <= year + 1; y++) {
		int candidate = date->year ? date->year : y;
		int32_t d = day_from_civil(candidate, date->month, date->day);
		int back_year, back_month, back_day;
		day_to_civil(d, &back_year, &back_month, &back_day);
		if (back_day != date->day || back_month != date->month)
			continue;
		if (best == DAY_NONE || ABS((int64_t)d - today) < ABS((int64_t)best - today))
			best = d;
	}
	return best;
}

bool cue_shape_date(const struct cue_text *in, struct cue *out)
{
	struct cue_date date;
	if (!cue_read_date(in, in->at, &date) || !date.month)
		return false;
	out->length = (uint32_t)date.length;
	out->from = out->to = date_day(&date, in->today);
	int32_t distance = out->from == DAY_NONE ? 0 : out->from - in->today;
	out->kind = out->from == DAY_NONE ? CUE_DATE
	            : distance < -NEAR    ? CUE_DATE_PAST
	            : distance > NEAR     ? CUE_DATE_FUTURE
	                                  : CUE_DATE_SOON;
	return true;
}

static size_t skip_words(const struct cue_text *in, size_t at, const char *const *words)
{
	for (bool again = true; again;) {
		again = false;
		at = cue_blanks(in, at, 3);
		for (const char *const *w = words; *w && !again; w++) {
			if (cue_word_is(in, at, *w)) {
				at += strlen(*w);
				if (cue_peek(in, at) == '.')
					at++;
				again = true;
			}
		}
	}
	return at;
}

/* "bis", "-", "und" between two dates; 0 if there is none. */
static size_t range_word(const struct cue_text *in, size_t at)
{
	static const char *const fill[] = {"zum", "einschlieslich", "einschl", "inkl", "inklusive", "am",
	        "den", "dem", "incl", "zu", "voraussichtlich", "mindestens", "so", "etwa", "ca", "sontag",
	        "samstag", "montag", "freitag", "so", "sa", "mo", "fr", NULL};
	static const char *const words[] = {"bis", "bs", "bis", "til", "until", "to", "-", NULL};
	at = cue_blanks(in, at, 3);
	if (cue_peek(in, at) == ',')
		at = cue_blanks(in, at + 1, 1);
	for (size_t i = 0; words[i]; i++) {
		bool dash = words[i][0] == '-';
		if (dash ? cue_peek(in, at) == '-' : cue_word_is(in, at, words[i]))
			return skip_words(in, at + strlen(words[i]), fill);
	}
	return 0;
}

static bool before_word(const struct cue_text *in, const char *word)
{
	size_t n = strlen(word);
	return in->at > n && in->text[in->at - 1] == ' ' && memcmp(in->text + in->at - 1 - n, word, n) == 0 &&
	       (in->at - 1 == n || !fold_is_word(in->text[in->at - 2 - n]));
}

/* "zwischen 3. und 17. mai", "am 3. und 4. mai" is no range: "und" only behind "zwischen". */
static size_t between_word(const struct cue_text *in, size_t at)
{
	at = cue_blanks(in, at, 2);
	return before_word(in, "zwischen") && cue_word_is(in, at, "und")
	               ? skip_words(in, at + 3, (const char *const[]){"dem", NULL})
	               : 0;
}

bool cue_shape_range(const struct cue_text *in, struct cue *out)
{
	struct cue_date a, b;
	if (!cue_read_date(in, in->at, &a)) {
		size_t i = in->at; /* "von 3 bis 17. august" */
		int day = cue_digits(in, &i, 2);
		if (day < 1 || day > 31 || !(before_word(in, "vom") || before_word(in, "von")))
			return false;
		a = (struct cue_date){day, 0, 0, i - in->at};
	}
	size_t next = range_word(in, in->at + a.length);
	if (!next)
		next = between_word(in, in->at + a.length);
	if (!next || next - in->at > 60 || !cue_read_date(in, next, &b) || (!b.month && !a.month))
		return false;
	if (!a.month)
		a.month = b.month;
	if (!b.month)
		b.month = a.month;
	int year = a.year ? a.year : b.year;
	if (!a.year && b.year)
		a.year = a.month > b.month ? year - 1 : year;
	out->to = date_day(&b, in->today);
	out->from = date_day(&a, in->today);
	if (!a.year && !b.year && out->from != DAY_NONE && out->to != DAY_NONE && out->to < out->from &&
	        b.month < a.month) {
		struct cue_date c = b; /* over new year: the end lies in the year after */
		int m, d;
		day_to_civil(out->from, &c.year, &m, &d);
		c.year++;
		out->to = date_day(&c, in->today);
	}
	out->kind = out->to != DAY_NONE && out->to < in->today ? CUE_RANGE_PAST : CUE_DATE_RANGE;
	out->length = (uint32_t)(next + b.length - in->at);
	return true;
}
