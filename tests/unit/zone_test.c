/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system's zones against the C library: every file of its tzdata at every change of 1970 to 2100 and at many instants
 * between. Named moments are those that `zdump -v` prints.
 */
#include "zone_here.h"

#include <ftw.h>

static bool
is_tzif(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "rb");
	size_t got = file ? fread(magic, 1, sizeof(magic), file) : 0;
	if (file)
		fclose(file);
	return got == sizeof(magic) && memcmp(magic, "TZif", sizeof(magic)) == 0;
}

/* nftw() has no argument for the caller. */
static int zones_compared;

static int
compare_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)place;
	const char *name = path + strlen(DIRECTORY "/");
	/* posix/ repeats the others; right/ counts leap seconds, which the time of a hit does not. */
	if (type != FTW_F || !S_ISREG(status->st_mode) || strncmp(name, "posix/", 6) == 0 ||
	    strncmp(name, "right/", 6) == 0 || !is_tzif(path))
		return 0;
	struct zone *zone = load(name);
	set_c_zone(name);
	/* Not a divisor of days or weeks, so that the samples wander through the hours. */
	compare_zone(zone, name, 13 * DAY + 7 * HOUR + 1234);
	zone_free(zone);
	zones_compared++;
	return 0;
}

static void
every_zone_agrees_with_the_c_library(void **state)
{
	(void)state;
	zones_compared = 0;
	assert_int_equal(nftw(DIRECTORY, compare_file, 16, 0), 0);
	/* tzdata has some 340 zones and, with those kept apart for old times, 500 names. */
	assert_in_range(zones_compared, 300, 2000);
}

static void
odd_zones_agree_twice_a_day(void **state)
{
	(void)state;
	static const char *const names[] = {
		"Australia/Lord_Howe", "Pacific/Apia",     "Asia/Kathmandu",   "Africa/Casablanca",
		"Europe/Dublin",       "Asia/Ho_Chi_Minh", "America/New_York", "America/Sao_Paulo",
		"Asia/Gaza",           "Africa/Cairo",     "America/Nuuk",     "Antarctica/Troll",
		"Pacific/Chatham",     "America/Caracas",  "Asia/Pyongyang",   "Pacific/Kwajalein",
	};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct zone *zone = load(names[i]);
		set_c_zone(names[i]);
		compare_zone(zone, names[i], 12 * HOUR + 97);
		zone_free(zone);
	}
}

/* What the clock on the wall shows at a second of `zdump -v NAME`. */
struct moment {
	const char *zone;
	int64_t utc;
	struct civil date;
	int hour, minute, second;
	int32_t offset;
};

static void
assert_moment(const struct moment *moment)
{
	struct zone *zone = load(moment->zone);
	struct local_time local = zone_local(zone, moment->utc);
	zone_free(zone);
	assert_int_equal(local.day, day_of_civil(moment->date));
	assert_int_equal(local.hour, moment->hour);
	assert_int_equal(local.minute, moment->minute);
	assert_int_equal(local.second, moment->second);
	assert_int_equal(local.offset, moment->offset);
}

static void
lord_howe_moves_by_half_an_hour(void **state)
{
	(void)state;
	static const struct moment moments[] = {
		{"Australia/Lord_Howe", 1586012399, {2020, 4, 5}, 1, 59, 59, 39600},
		{"Australia/Lord_Howe", 1586012400, {2020, 4, 5}, 1, 30, 0, 37800},
		{"Australia/Lord_Howe", 1601738999, {2020, 10, 4}, 1, 59, 59, 37800},
		{"Australia/Lord_Howe", 1601739000, {2020, 10, 4}, 2, 30, 0, 39600},
	};
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		assert_moment(&moments[i]);
}

static void
apia_has_no_30th_of_december_2011(void **state)
{
	(void)state;
	static const struct moment moments[] = {
		{"Pacific/Apia", 1325239199, {2011, 12, 29}, 23, 59, 59, -36000},
		{"Pacific/Apia", 1325239200, {2011, 12, 31}, 0, 0, 0, 50400},
	};
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		assert_moment(&moments[i]);
}

static void
kathmandu_is_fifteen_minutes_off(void **state)
{
	(void)state;
	static const struct moment moments[] = {
		{"Asia/Kathmandu", 504901799, {1985, 12, 31}, 23, 59, 59, 19800},
		{"Asia/Kathmandu", 504901800, {1986, 1, 1}, 0, 15, 0, 20700},
	};
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		assert_moment(&moments[i]);
}

static void
casablanca_sets_its_clock_back_for_ramadan(void **state)
{
	(void)state;
	static const struct moment moments[] = {
		{"Africa/Casablanca", 1587261599, {2020, 4, 19}, 2, 59, 59, 3600},
		{"Africa/Casablanca", 1587261600, {2020, 4, 19}, 2, 0, 0, 0},
		{"Africa/Casablanca", 1590890399, {2020, 5, 31}, 1, 59, 59, 0},
		{"Africa/Casablanca", 1590890400, {2020, 5, 31}, 3, 0, 0, 3600},
	};
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		assert_moment(&moments[i]);
}

static void
dublin_has_negative_winter_time(void **state)
{
	(void)state;
	static const struct moment moments[] = {
		{"Europe/Dublin", 1585443599, {2020, 3, 29}, 0, 59, 59, 0},
		{"Europe/Dublin", 1585443600, {2020, 3, 29}, 2, 0, 0, 3600},
		{"Europe/Dublin", 1603587599, {2020, 10, 25}, 1, 59, 59, 3600},
		{"Europe/Dublin", 1603587600, {2020, 10, 25}, 1, 0, 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(moments); i++)
		assert_moment(&moments[i]);
}

static void
vietnam_has_one_span_since_1975(void **state)
{
	(void)state;
	struct zone *zone = load("Asia/Ho_Chi_Minh");
	struct zone_span span = zone_at(zone, 1589959927);
	zone_free(zone);
	assert_int_equal(span.from, 171820800); /* 1975-06-13 00:00 by the old clock, +08 */
	assert_true(span.to == INT64_MAX);
	assert_int_equal(span.offset, 7 * HOUR);
	struct local_time local = zone_span_local(span, 1589959927);
	assert_int_equal(local.day, day_of_civil((struct civil){2020, 5, 20}));
	assert_int_equal(local.hour * 10000 + local.minute * 100 + local.second, 143207);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lord_howe_moves_by_half_an_hour),
		cmocka_unit_test(apia_has_no_30th_of_december_2011),
		cmocka_unit_test(kathmandu_is_fifteen_minutes_off),
		cmocka_unit_test(casablanca_sets_its_clock_back_for_ramadan),
		cmocka_unit_test(dublin_has_negative_winter_time),
		cmocka_unit_test(vietnam_has_one_span_since_1975),
		cmocka_unit_test(every_zone_agrees_with_the_c_library),
		cmocka_unit_test(odd_zones_agree_twice_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
