/* SPDX-License-Identifier: BSD-2-Clause */
/* Which days are held against which, what a running period may come to: dates and sums worked out by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/pace.h"
#include "show/counts.h"

static int32_t
day(int32_t year, int month, int date)
{
	return day_of_civil((struct civil){year, month, date});
}

static void
holds_days_against_those_of_the_period_before(void **state)
{
	(void)state;
	const struct {
		enum period_kind kind;
		int32_t today, now_first, now_days, before_first, before_days, before_day;
		bool partly;
	} rows[] = {
		{PERIOD_DAY, day(2020, 5, 20), day(2020, 5, 20), 0, day(2020, 5, 19), 0,
		 day(2020, 5, 19), true},
		{PERIOD_MONTH, day(2020, 5, 20), day(2020, 5, 1), 19, day(2020, 4, 1), 19,
		 day(2020, 4, 20), true},
		{PERIOD_MONTH, day(2020, 5, 1), day(2020, 5, 1), 0, day(2020, 4, 1), 0,
		 day(2020, 4, 1), true},
		/* 31 May: all 30 days of April against the first 30 of May. */
		{PERIOD_MONTH, day(2020, 5, 31), day(2020, 5, 1), 30, day(2020, 4, 1), 30,
		 day(2020, 5, 1), false},
		{PERIOD_MONTH, day(2021, 3, 31), day(2021, 3, 1), 28, day(2021, 2, 1), 28,
		 day(2021, 3, 1), false},
		{PERIOD_YEAR, day(2021, 5, 20), day(2021, 1, 1), 139, day(2020, 1, 1), 140,
		 day(2020, 5, 20), true},
		{PERIOD_YEAR, day(2020, 2, 29), day(2020, 1, 1), 59, day(2019, 1, 1), 59,
		 day(2019, 3, 1), false},
		{PERIOD_YEAR, day(2020, 3, 1), day(2020, 1, 1), 60, day(2019, 1, 1), 59,
		 day(2019, 3, 1), true},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct pace_days days = pace_days(rows[i].kind, rows[i].today);
		assert_int_equal(days.now_first, rows[i].now_first);
		assert_int_equal(days.now_days, rows[i].now_days);
		assert_int_equal(days.before_first, rows[i].before_first);
		assert_int_equal(days.before_days, rows[i].before_days);
		assert_int_equal(days.before_day, rows[i].before_day);
		assert_int_equal(days.partly, rows[i].partly);
	}
}

static void
says_what_a_period_may_come_to(void **state)
{
	(void)state;
	struct local_time noon = {.day = day(2020, 5, 16), .hour = 12};
	struct pace pace = pace_of(PERIOD_DAY, noon);
	assert_int_equal(pace_estimate(653, 0, pace), 1306);
	/* Half of May: 15 days and a half of 31. */
	assert_int_equal(pace_estimate(1000, 0, pace_of(PERIOD_MONTH, noon)), 2000);
	noon.hour = 0;
	assert_int_equal(pace_estimate(1, 0, pace_of(PERIOD_DAY, noon)), COUNT_UNKNOWN);
	assert_int_equal(pace_estimate(COUNT_UNKNOWN, 0, pace), COUNT_UNKNOWN);
	/* What an operator added does not grow. */
	assert_int_equal(pace_estimate(653, 1000, pace), 2306);
}

static void
says_how_much_more(void **state)
{
	(void)state;
	const struct {
		struct compared compared;
		bool known;
		int64_t change;
	} rows[] = {
		{{150, 100, true}, true, 5000}, {{50, 100, true}, true, -5000},
		{{0, 100, true}, true, -10000}, {{100, 100, true}, true, 0},
		{{4, 3, true}, true, 3333},     {{1, 3, true}, true, -6667},
		{{100, 0, true}, false, 0},     {{100, 100, false}, false, 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t change = 0;
		assert_int_equal(pace_change(rows[i].compared, &change), rows[i].known);
		assert_int_equal(change, rows[i].change);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_days_against_those_of_the_period_before),
		cmocka_unit_test(says_what_a_period_may_come_to),
		cmocka_unit_test(says_how_much_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
