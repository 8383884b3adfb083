/* Civil days, instants and Berlin's offset, against GLib's time zone data where it is installed. */
#include "core/date.h"

#include <criterion/criterion.h>

Test(date, civil_days_round_trip_over_four_centuries)
{
	for (int32_t day = -80000; day < 80000; day++) {
		int y, m, d;
		day_to_civil(day, &y, &m, &d);
		cr_assert_eq(day_from_civil(y, m, d), day);
	}
}

Test(date, a_day_that_does_not_exist_is_refused)
{
	int32_t day;
	cr_assert(day_parse("2024-02-29", &day));
	cr_assert_not(day_parse("2023-02-29", &day));
	cr_assert_not(day_parse("2023-2-9", &day));
	cr_assert_not(day_parse("2023-02-09 ", &day));
}

Test(date, berlin_agrees_with_the_time_zone_database_every_half_hour_of_ten_years)
{
	g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
	if (!berlin)
		cr_skip_test("no tzdata here");
	int64_t start = day_from_civil(2018, 1, 1) * INSTANT_DAY;
	for (int64_t t = start; t < start + 3653 * INSTANT_DAY; t += 1800 * INSTANT_SECOND) {
		int interval = g_time_zone_find_interval(berlin, G_TIME_TYPE_UNIVERSAL, t / INSTANT_SECOND);
		cr_assert_eq(berlin_offset(t), g_time_zone_get_offset(berlin, interval));
	}
}

Test(date, midnight_in_berlin_has_the_offset_of_the_season)
{
	int32_t day;
	cr_assert(day_parse("2024-04-08", &day));
	g_autofree char *summer = instant_format_berlin(berlin_instant(day, 0));
	cr_assert_str_eq(summer, "2024-04-08T00:00:00+02:00");
	g_autofree char *changing = instant_format_berlin(berlin_instant(day_from_civil(2024, 3, 31), 12));
	cr_assert_str_eq(changing, "2024-03-31T12:00:00+02:00");
	g_autofree char *before = instant_format_berlin(berlin_instant(day_from_civil(2024, 10, 27), 0));
	cr_assert_str_eq(before, "2024-10-27T00:00:00+02:00");
}

Test(date, rfc3339_and_plain_dates_are_read)
{
	int64_t a, b;
	cr_assert(instant_parse("2023-05-12T00:30:00+02:00", &a));
	cr_assert(instant_parse("2023-05-11T22:30:00Z", &b));
	cr_assert_eq(a, b);
	cr_assert(instant_parse("2023-05-12", &a));
	g_autofree char *noon = instant_format_berlin(a);
	cr_assert_str_eq(noon, "2023-05-12T12:00:00+02:00");
	cr_assert_not(instant_parse("2023-05-12T00:30:00", &a));
	cr_assert_not(instant_parse("2023-05-12T24:30:00Z", &a));
}
