/* charset_guess.c - told by what comes out: a candidate must decode without fault, and nearly all of it into
 * the letters that its language writes most.
 *
 * Only where Western text is out of the question: there at most every seventh letter or so is not ASCII.
 */
#include "core/charset_guess.h"

#include <glib.h>
#include <stdbool.h>

enum { SAMPLE = 4000, LEAST = 8, WESTERN_PERCENT = 30 };

/* Letters outside ASCII, by script. */
struct tally {
	size_t all, kana, hangul, han, lower, upper;
	guint32 letters; /* which Cyrillic ones */
};

static bool is_han(gunichar c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3000 && c <= 0x303f) || (c >= 0xff01 && c <= 0xff5e);
}

static void count_letter(struct tally *tally, gunichar c)
{
	tally->all++;
	tally->kana += c >= 0x3041 && c <= 0x30ff;
	tally->hangul += c >= 0xac00 && c <= 0xd7a3;
	tally->han += is_han(c);
	tally->lower += c >= 0x430 && c <= 0x45f;
	tally->upper += c >= 0x400 && c <= 0x42f;
	if (c >= 0x430 && c <= 0x44f)
		tally->letters |= 1u << (c - 0x430);
}

static bool decode(const unsigned char *bytes, size_t size, const char *name, struct tally *tally)
{
	g_autofree char *text = NULL;
	gsize used = 0, length = 0;
	text = g_convert((const char *)bytes, (gssize)size, "UTF-8", name, &used, &length, NULL);
	*tally = (struct tally){0};
	for (const char *p = text; text && p < text + length; p = g_utf8_next_char(p))
		if ((guchar)*p >= 0x80)
			count_letter(tally, g_utf8_get_char(p));
	return text && used == size && tally->all > 0;
}

static bool is_share(size_t part, size_t all, size_t percent)
{
	return part * 100 >= all * percent;
}

static bool is_japanese(const struct tally *t)
{
	return is_share(t->kana, t->all, 20) && is_share(t->kana + t->han, t->all, 95);
}

static bool is_korean(const struct tally *t)
{
	return is_share(t->hangul, t->all, 85);
}

static bool is_chinese(const struct tally *t)
{
	return is_share(t->han, t->all, 97);
}

static bool is_russian(const struct tally *t)
{
	unsigned different = 0; /* umlauts alone are four */
	for (guint32 letters = t->letters; letters; letters &= letters - 1)
		different++;
	return different >= 6 && is_share(t->lower + t->upper, t->all, 90) && is_share(t->lower, t->all, 70);
}

/* Strict forms are asked for where the wide ones take anything. */
static const struct candidate {
	const char *strict, *name;
	bool (*fits)(const struct tally *tally);
} candidates[] = {
        {"EUC-JP", "EUC-JP", is_japanese},
        {"CP932", "CP932", is_japanese},
        {"EUC-KR", "CP949", is_korean},
        {"EUC-CN", "GB18030", is_chinese},
        {"BIG5", "BIG5-HKSCS", is_chinese},
        {"WINDOWS-1251", "WINDOWS-1251", is_russian},
        {"KOI8-R", "KOI8-R", is_russian},
        {"ISO-8859-5", "ISO-8859-5", is_russian},
};

static bool is_western(const unsigned char *bytes, size_t size, size_t strays)
{
	size_t high = 0, letters = 0;
	for (size_t i = 0; i < size; i++) {
		high += bytes[i] >= 0x80;
		letters += bytes[i] > ' ';
	}
	return high < LEAST || strays * 2 < high || !is_share(high, letters, WESTERN_PERCENT);
}

const char *charset_guess(const unsigned char *bytes, size_t size, size_t strays)
{
	struct tally tally;
	if (is_western(bytes, size, strays))
		return NULL;
	size_t sample = MIN(size, SAMPLE);
	while (sample < size && sample > SAMPLE / 2 && bytes[sample - 1] >= 0x80) /* not within a letter */
		sample--;
	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++)
		if (decode(bytes, sample, candidates[i].strict, &tally) && candidates[i].fits(&tally))
			return candidates[i].name;
	return NULL;
}
