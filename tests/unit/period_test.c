/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calendar arithmetic against the C library (timegm, strftime) for every day of 1970 to 2100, and against dates of the
 * ISO 8601 calendar whose weeks surprise.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/period.h"

enum { SECONDS_PER_DAY = 86400, LAST_DAY = 47846 /* 2100-12-31, `date -u -d 2100-12-31 +%s` */ };

static int32_t
day_of(int year, int month, int day)
{
	return day_of_civil((struct civil){year, month, day});
}

static void
assert_name(enum period_kind kind, int32_t id, const char *expected)
{
	char name[PERIOD_NAME_SIZE];
	assert_string_equal(period_name(kind, id, name), expected);
}

static void
assert_period_named(enum period_kind kind, int32_t day, const struct tm *tm, const char *format)
{
	char expected[32];
	assert_true(strftime(expected, sizeof(expected), format, tm) > 0);
	assert_name(kind, period_of_day(kind, day), expected);
}

static void
every_day_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int32_t day = 0; day <= LAST_DAY; day++) {
		time_t noon = (time_t)day * SECONDS_PER_DAY + SECONDS_PER_DAY / 2;
		struct tm tm;
		gmtime_r(&noon, &tm);
		struct civil date = civil_of_day(day);
		assert_int_equal(date.year, tm.tm_year + 1900);
		assert_int_equal(date.month, tm.tm_mon + 1);
		assert_int_equal(date.day, tm.tm_mday);
		assert_int_equal(weekday_of_day(day), tm.tm_wday == 0 ? 7 : tm.tm_wday);
		assert_int_equal(day_of_civil(date) * (int64_t)SECONDS_PER_DAY,
				 noon - SECONDS_PER_DAY / 2);
		assert_period_named(PERIOD_DAY, day, &tm, "%Y-%m-%d");
		assert_period_named(PERIOD_WEEK, day, &tm, "%G-W%V");
		assert_period_named(PERIOD_MONTH, day, &tm, "%Y-%m");
		assert_period_named(PERIOD_YEAR, day, &tm, "%Y");
		assert_period_named(PERIOD_ALL, day, &tm, "all");
	}
}

static void
far_dates_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int year = 0; year <= 9999; year++)
		for (int month = 1; month <= 12; month++) {
			struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1};
			int32_t day = (int32_t)(timegm(&tm) / SECONDS_PER_DAY);
			assert_int_equal(day_of(year, month, 1), day);
			struct civil before = civil_of_day(day - 1);
			assert_int_equal(before.month, month == 1 ? 12 : month - 1);
			assert_int_equal(before.year, month == 1 ? year - 1 : year);
			assert_int_equal(weekday_of_day(day), tm.tm_wday == 0 ? 7 : tm.tm_wday);
		}
}

static void
iso_weeks_at_year_ends(void **state)
{
	(void)state;
	/* `date -d DATE +%G-W%V` */
	static const struct {
		struct civil date;
		const char *week;
	} rows[] = {
		{{2020, 12, 31}, "2020-W53"}, {{2021, 1, 3}, "2020-W53"},
		{{2021, 1, 4}, "2021-W01"},   {{2018, 12, 31}, "2019-W01"},
		{{2018, 12, 30}, "2018-W52"}, {{2016, 1, 1}, "2015-W53"},
		{{2016, 1, 4}, "2016-W01"},   {{2012, 1, 1}, "2011-W52"},
		{{2024, 12, 29}, "2024-W52"}, {{2024, 12, 30}, "2025-W01"},
		{{2026, 12, 31}, "2026-W53"}, {{2027, 1, 3}, "2026-W53"},
		{{2020, 5, 20}, "2020-W21"},  {{1970, 1, 1}, "1970-W01"},
		{{1969, 12, 29}, "1970-W01"}, {{1969, 12, 28}, "1969-W52"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_name(PERIOD_WEEK, period_of_day(PERIOD_WEEK, day_of_civil(rows[i].date)),
			    rows[i].week);
}

static void
periods_begin_where_the_one_before_ends(void **state)
{
	(void)state;
	for (int kind = PERIOD_DAY; kind <= PERIOD_YEAR; kind++)
		for (int32_t day = -800; day <= LAST_DAY; day++) {
			int32_t id = period_of_day((enum period_kind)kind, day);
			int32_t first = period_first_day((enum period_kind)kind, id);
			int32_t next = period_first_day((enum period_kind)kind, id + 1);
			assert_true(first <= day && day < next);
			assert_int_equal(period_of_day((enum period_kind)kind, first), id);
			assert_int_equal(period_of_day((enum period_kind)kind, first - 1), id - 1);
		}
	assert_int_equal(period_of_day(PERIOD_ALL, 12345), 0);
	assert_int_equal(period_first_day(PERIOD_ALL, 0), INT32_MIN);
	assert_int_equal(period_first_day(PERIOD_WEEK, 0), -3);
	assert_int_equal(period_of_day(PERIOD_MONTH, 0), 1970 * 12);
	assert_int_equal(period_of_day(PERIOD_YEAR, 0), 1970);
}

static void
assert_shown(enum shown_period which, int32_t day, const char *expected)
{
	assert_name(shown_periods[which].kind, period_shown(which, day), expected);
}

static void
what_a_counter_shows(void **state)
{
	(void)state;
	static const struct {
		struct civil date;
		const char *names[SHOWN_PERIODS];
	} rows[] = {
		{{2020, 5, 20},
		 {"2020-05-20", "2020-05-19", "2020-W21", "2020-W20", "2020-05", "2020-04", "2020",
		  "2019", "all"}},
		{{2020, 3, 1},
		 {"2020-03-01", "2020-02-29", "2020-W09", "2020-W08", "2020-03", "2020-02", "2020",
		  "2019", "all"}},
		{{2021, 1, 1},
		 {"2021-01-01", "2020-12-31", "2020-W53", "2020-W52", "2021-01", "2020-12", "2021",
		  "2020", "all"}},
		{{2018, 12, 31},
		 {"2018-12-31", "2018-12-30", "2019-W01", "2018-W52", "2018-12", "2018-11", "2018",
		  "2017", "all"}},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int which = 0; which < SHOWN_PERIODS; which++)
			assert_shown((enum shown_period)which, day_of_civil(rows[i].date),
				     rows[i].names[which]);
}

static void
the_names_of_shown_periods(void **state)
{
	(void)state;
	static const char *const names[] = {"today",     "yesterday", "week",
					    "last_week", "month",     "last_month",
					    "year",      "last_year", "total"};
	assert_int_equal(COUNT_OF(names), SHOWN_PERIODS);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(shown_periods[i].name, names[i]);
}

static void
names_are_parsed_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < PERIOD_KINDS; kind++)
		for (int32_t day = 0; day <= LAST_DAY; day++) {
			char name[PERIOD_NAME_SIZE];
			int32_t id = period_of_day((enum period_kind)kind, day), back_id;
			enum period_kind back;
			period_name((enum period_kind)kind, id, name);
			assert_true(period_parse(slice_of(name), &back, &back_id));
			assert_int_equal(back, kind);
			assert_int_equal(back_id, id);
		}
}

static void
what_is_no_period_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",           "2020-13",    "2020-00",     "2020-02-30", "2019-02-29", "1900-02-29",
		"2020-04-31", "2020-01-00", "2020-01-32",  "2020-00-01", "2019-W53",   "2020-W00",
		"2020-W54",   "2020-w21",   "2020W21",     "ALL",        "all ",       " all",
		"2020-5",     "2020-5-20",  "2020-05-2x",  "20200520",   "+020",       "-001",
		"20200",      "202",        "2020-05-20T", "2020/05",    "2020-W2",    "2020-W211",
	};
	enum period_kind kind;
	int32_t id;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (period_parse(slice_of(bad[i]), &kind, &id))
			fail_msg("\"%s\" was taken for a period", bad[i]);
	assert_false(period_parse((struct slice){NULL, 0}, &kind, &id));
	assert_true(period_parse(slice_of("2000-02-29"), &kind, &id));
	assert_true(period_parse(slice_of("2020-W53"), &kind, &id));
	assert_true(period_parse(slice_of("9999-12-31"), &kind, &id));
	assert_int_equal(id, 2932896);
}

/* By the calendar: 2020-W14 is March 30 to April 5, 2020-W01 begins on 2019-12-30. */
static void
periods_that_hold_others(void **state)
{
	(void)state;
	static const struct {
		const char *outer, *inner;
		bool holds;
	} cases[] = {
		{"2020", "2020", true},
		{"2020", "2020-02-29", true},
		{"2020", "2020-12", true},
		{"2020", "2021-01-01", false},
		{"2020-03", "2020-W14", false},
		{"2020-04", "2020-W14", false},
		{"2020", "2020-W14", true},
		{"2020", "2020-W01", false},
		{"2020-W14", "2020-04-05", true},
		{"2020-W14", "2020-04-06", false},
		{"2020-W14", "2020-03", false},
		{"2020-03", "2020", false},
		{"all", "2020", true},
		{"all", "all", true},
		{"2020", "all", false},
		{"2021-02", "2021-W05", true},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum period_kind outer, inner;
		int32_t outer_id, inner_id;
		assert_true(period_parse(slice_of(cases[i].outer), &outer, &outer_id));
		assert_true(period_parse(slice_of(cases[i].inner), &inner, &inner_id));
		if (period_holds(outer, outer_id, inner, inner_id) != cases[i].holds)
			fail_msg("%s in %s", cases[i].inner, cases[i].outer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_agrees_with_the_c_library),
		cmocka_unit_test(far_dates_agree_with_the_c_library),
		cmocka_unit_test(iso_weeks_at_year_ends),
		cmocka_unit_test(periods_begin_where_the_one_before_ends),
		cmocka_unit_test(what_a_counter_shows),
		cmocka_unit_test(the_names_of_shown_periods),
		cmocka_unit_test(names_are_parsed_back),
		cmocka_unit_test(what_is_no_period_is_refused),
		cmocka_unit_test(periods_that_hold_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
