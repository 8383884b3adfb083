/* date.c - civil calendar arithmetic; the algorithms are Howard Hinnant's days_from_civil family. */
#include "core/date.h"

#include <stdio.h>
#include <string.h>

int64_t instant_now(void)
{
	return g_get_real_time();
}

int32_t day_from_civil(int year, int month, int day)
{
	year -= month <= 2;
	int era = (year >= 0 ? year : year - 399) / 400;
	int yoe = year - era * 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void day_to_civil(int32_t day, int *year, int *month, int *mday)
{
	int z = day + 719468;
	int era = (z >= 0 ? z : z - 146096) / 146097;
	int doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2);
}

int day_of_week(int32_t day)
{
	return (int)((((int64_t)day + 3) % 7 + 7) % 7);
}

static bool digits(const char *s, int n, int *out)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (!g_ascii_isdigit(s[i]))
			return false;
		value = value * 10 + (s[i] - '0');
	}
	*out = value;
	return true;
}

/* The first ten characters of `text` as a civil day. */
static bool civil_prefix(const char *text, int32_t *out)
{
	int y, m, d, y2, m2, d2;
	if (strlen(text) < 10 || text[4] != '-' || text[7] != '-')
		return false;
	if (!digits(text, 4, &y) || !digits(text + 5, 2, &m) || !digits(text + 8, 2, &d))
		return false;
	if (y < 1 || m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	int32_t day = day_from_civil(y, m, d);
	day_to_civil(day, &y2, &m2, &d2);
	if (y2 != y || m2 != m || d2 != d)
		return false;
	*out = day;
	return true;
}

bool day_parse(const char *text, int32_t *out)
{
	return text && strlen(text) == 10 && civil_prefix(text, out);
}

char *day_format(int32_t day)
{
	int y, m, d;
	day_to_civil(day, &y, &m, &d);
	return g_strdup_printf("%04d-%02d-%02d", y, m, d);
}

/* 01:00 UTC on the last Sunday of a month that has 31 days. */
static int64_t last_sunday_0100(int year, int month)
{
	int32_t last = day_from_civil(year, month, 31);
	int32_t sunday = last - (day_of_week(last) + 1) % 7;
	return sunday * INSTANT_DAY + 3600 * INSTANT_SECOND;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int berlin_offset(int64_t instant)
{
	int year, month, day;
	day_to_civil((int32_t)floor_div(instant, INSTANT_DAY), &year, &month, &day);
	bool summer = instant >= last_sunday_0100(year, 3) && instant < last_sunday_0100(year, 10);
	return summer ? 7200 : 3600;
}

int32_t berlin_day(int64_t instant)
{
	return (int32_t)floor_div(instant + berlin_offset(instant) * INSTANT_SECOND, INSTANT_DAY);
}

int64_t berlin_instant(int32_t day, int hour)
{
	int64_t local = day * INSTANT_DAY + hour * 3600 * INSTANT_SECOND;
	int64_t winter = local - 3600 * INSTANT_SECOND;
	int64_t summer = local - 7200 * INSTANT_SECOND;
	return berlin_offset(summer) == 7200 ? summer : winter;
}

/* "Z", "+02:00" or "-05:30" at `s`; nothing may follow. */
static bool offset_parse(const char *s, int *seconds)
{
	int h, m;
	if ((s[0] == 'Z' || s[0] == 'z') && !s[1]) {
		*seconds = 0;
		return true;
	}
	if ((s[0] != '+' && s[0] != '-') || strlen(s) != 6 || s[3] != ':')
		return false;
	if (!digits(s + 1, 2, &h) || !digits(s + 4, 2, &m) || h > 23 || m > 59)
		return false;
	*seconds = (h * 3600 + m * 60) * (s[0] == '-' ? -1 : 1);
	return true;
}

/* ".123456789" → microseconds; moves *s behind it. */
static bool fraction_parse(const char **s, int64_t *micro)
{
	int64_t value = 0, scale = INSTANT_SECOND / 10;
	*micro = 0;
	if (**s != '.')
		return true;
	const char *p = *s + 1;
	if (!g_ascii_isdigit(*p))
		return false;
	for (; g_ascii_isdigit(*p); p++, scale /= 10)
		value += (*p - '0') * scale;
	*micro = value;
	*s = p;
	return true;
}

bool instant_parse(const char *text, int64_t *out)
{
	int32_t day;
	int h, m, s, offset;
	int64_t micro;
	if (!text || !civil_prefix(text, &day))
		return false;
	if (!text[10]) {
		*out = berlin_instant(day, 12);
		return true;
	}
	const char *p = text + 10;
	if (strlen(p) < 9 || (*p != 'T' && *p != 't' && *p != ' ') || p[3] != ':' || p[6] != ':')
		return false;
	if (!digits(p + 1, 2, &h) || !digits(p + 4, 2, &m) || !digits(p + 7, 2, &s) || h > 23 || m > 59 ||
	        s > 60)
		return false;
	p += 9;
	if (!fraction_parse(&p, &micro) || !offset_parse(p, &offset))
		return false;
	if (s == 60) {
		s = 59;
		micro = INSTANT_SECOND - 1;
	}
	*out = day * INSTANT_DAY + (h * 3600 + m * 60 + s - offset) * INSTANT_SECOND + micro;
	return true;
}

static char *format_local(int64_t instant, int offset, const char *suffix)
{
	int64_t local = instant + offset * INSTANT_SECOND;
	int64_t day = floor_div(local, INSTANT_DAY);
	int64_t rest = local - day * INSTANT_DAY;
	int seconds = (int)(rest / INSTANT_SECOND), micro = (int)(rest % INSTANT_SECOND);
	g_autofree char *date = day_format((int32_t)day);
	g_autofree char *fraction = micro ? g_strdup_printf(".%06d", micro) : g_strdup("");
	return g_strdup_printf("%sT%02d:%02d:%02d%s%s", date, seconds / 3600, seconds / 60 % 60, seconds % 60,
	        fraction, suffix);
}

char *instant_format_utc(int64_t instant)
{
	return format_local(instant, 0, "Z");
}

char *instant_format_berlin(int64_t instant)
{
	int offset = berlin_offset(instant);
	return format_local(instant, offset, offset == 7200 ? "+02:00" : "+01:00");
}
