/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's formula and its periods. Every expected number is a sum done by hand: what Redis was said to hold, and own
 * hits beyond that.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "board_here.h"

/* --- known and unknown --- */

/* Not knowing Redis' part, a board shows nothing rather than too little; what came meanwhile is not lost. */
static void
unknown_until_redis_was_heard(void **state)
{
	(void)state;
	static const int64_t unknown[] = {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN,
					  UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
	add(TODAY, 3);
	assert_false(board_known(site));
	assert_shown(TODAY, unknown);
	assert_int_equal(take(TODAY,
			      (const int64_t[]){650, 1508, 700, 0, 20000, 5, 160000, 6, 200000},
			      false),
			 0);
	assert_true(board_known(site));
	assert_shown(TODAY, (const int64_t[]){653, 1508, 703, 0, 20003, 5, 160003, 6, 200003});
}

static void
a_number_that_was_not_answered_moves_nothing(void **state)
{
	(void)state;
	add(TODAY, 2);
	take_each(10, false);
	take(TODAY, (const int64_t[]){20, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME}, false);
	assert_shown(TODAY, (const int64_t[]){22, 0, 12, 0, 12, 0, 12, 0, 12});
}

static void
wanted_when_looked_at_or_on_another_date(void **state)
{
	(void)state;
	assert_true(board_wants(site, TODAY));
	take_each(1, false);
	assert_false(board_wants(site, TODAY));
	assert_true(board_wants(site, TOMORROW));
	shown_today();
	assert_true(board_wants(site, TODAY));
	assert_true(board_wants(site, TODAY)); /* asking clears nothing */
	take_each(1, false);
	assert_false(board_wants(site, TODAY));
}

static void
age_counts_from_redis_last_word(void **state)
{
	(void)state;
	static const struct {
		int64_t ms, seconds;
	} ages[] = {{0, 0}, {1999, 0}, {2000, 2}, {3999, 3}, {61000, 61}};
	board_confirmed_at(board, mono_ms);
	int64_t start = mono_ms;
	for (size_t i = 0; i < COUNT_OF(ages); i++) {
		mono_ms = start + ages[i].ms;
		assert_int_equal(board_age_ms(board), ages[i].ms);
		assert_int_equal(shown_on(TODAY).age, ages[i].seconds);
	}
	board_confirmed_at(board, mono_ms);
	assert_int_equal(shown_on(TODAY).age, 0);
}

/* --- Redis' part and ours --- */

/* A hit is on the board at once; that it arrives in Redis later changes nothing, and what others count shows then. */
static void
a_confirmed_hit_is_not_added_twice(void **state)
{
	(void)state;
	take_each(1000, false);
	add(TODAY, 5);
	assert_int_equal(shown_today(), 1005);
	seen(TODAY, 5);
	assert_int_equal(shown_today(), 1005);
	confirm_each(TODAY, 5, 1005);
	assert_int_equal(shown_today(), 1005);
	add(TODAY, 3);
	seen(TODAY, 2);
	/* Redis: 1000, our 5 and 2, and 40 of another daemon. One of ours is not there yet. */
	confirm_each(TODAY, 2, 1047);
	assert_int_equal(shown_today(), 1048);
	seen(TODAY, 1);
	confirm_each(TODAY, 1, 1048);
	assert_shown(TODAY, (const int64_t[]){1048, 0, 1048, 0, 1048, 0, 1048, 0, 1048});
}

static void
a_refused_field_moves_nothing(void **state)
{
	(void)state;
	take_each(100, false);
	add(TODAY, 4);
	seen(TODAY, 4);
	confirm(TODAY, 4, (const int64_t[]){110, SAME, 120, SAME, 130}, false);
	assert_shown(TODAY, (const int64_t[]){110, 0, 104, 0, 120, 0, 104, 0, 130});
}

/* While a rewind is replayed Redis' numbers are behind: what is shown goes on rising with new hits and no less. */
static void
settling_stands_still_until_everything_is_applied(void **state)
{
	(void)state;
	take_each(100, false);
	add(TODAY, 10);
	seen(TODAY, 10);
	confirm_each(TODAY, 10, 110);
	/* Redis lost its tail and is at 103; the seven are read again and sent in two deltas. */
	confirm(TODAY, 0, (const int64_t[]){103, 103, 103, 103, 103}, true);
	assert_int_equal(shown_today(), 110);
	confirm(TODAY, 4, (const int64_t[]){107, 107, 107, 107, 107}, true);
	add(TODAY, 2);
	assert_int_equal(shown_today(), 112);
	seen(TODAY, 2);
	confirm(TODAY, 5, (const int64_t[]){112, 112, 112, 112, 112}, true);
	assert_int_equal(shown_today(), 112);
	/* Everything seen is in Redis' number; one hit is not yet read. */
	add(TODAY, 1);
	assert_int_equal(take_each(112, true), 0);
	assert_int_equal(shown_today(), 113);
	seen(TODAY, 1);
	confirm_each(TODAY, 1, 113);
	assert_int_equal(shown_today(), 113);
}

/* Not settled, the numbers belong to what was confirmed; settled, to all that was seen. */
static void
numbers_taken_settled_and_not(void **state)
{
	(void)state;
	take_each(100, false);
	add(TODAY, 7);
	seen(TODAY, 4);
	confirm_each(TODAY, 2, 102);
	assert_int_equal(shown_today(), 107);
	/* Redis at the same positions, and 8 hits of others: 102 + 8, and 5 that are not in it. */
	assert_int_equal(take_each(110, false), 0);
	assert_int_equal(shown_today(), 115);
	/* The other two that were seen are in it too: 112, and 3 that are not. */
	assert_int_equal(take_each(112, true), 0);
	assert_int_equal(shown_today(), 115);
	/* An operator's correction shows at once, downwards as well. */
	take_each(12, true);
	assert_int_equal(shown_today(), 15);
}

/* Only a fall of the whole is a loss, and only of a site that was known. */
static void
a_fall_is_reported(void **state)
{
	(void)state;
	add(TODAY, 5);
	seen(TODAY, 5);
	confirm_each(TODAY, 5, 106);
	assert_int_equal(take_each(105, true), 0);
	assert_int_equal(take_each(98, true), 7);
	assert_int_equal(shown_today(), 98);
	assert_int_equal(take_each(98, true), 0);
	assert_int_equal(take(TODAY, (const int64_t[]){90, 0, 90, 0, 90, 0, 90, 0, 98}, true), 0);
	assert_shown(TODAY, (const int64_t[]){90, 0, 90, 0, 90, 0, 90, 0, 98});
}

/* --- what Redis alone decides --- */

static void
assert_others(int32_t day, int64_t visits_today, int64_t visits_total, int64_t visitors_today,
	      int64_t online, int64_t bots)
{
	struct counts counts = shown_on(day);
	assert_int_equal(counts.numbers[METRIC_VISITS][SHOWN_TODAY], visits_today);
	assert_int_equal(counts.numbers[METRIC_VISITS][SHOWN_TOTAL], visits_total);
	assert_int_equal(counts.numbers[METRIC_VISITORS][SHOWN_TODAY], visitors_today);
	assert_int_equal(counts.online, online);
	assert_int_equal(counts.bots, bots);
}

/* Of the day, week, month, year and all: hits, visits and visitors. */
static void
confirm_numbers(int32_t day, int64_t visits, int64_t visitors, struct board_now now, bool settling)
{
	const int64_t numbers[METRIC_COUNT][PERIOD_KINDS] = {
		{5, 5, 5, 5, 5},
		{visits, visits, visits, visits, visits + 1000},
		{visitors, visitors, visitors, visitors, visitors}};
	board_lock(board, board_site_shard(site));
	board_confirm(site, day, 0, numbers, &now, settling);
	board_unlock(board, board_site_shard(site));
}

/* They are what Redis said last, whatever is added here; what it refused leaves them where they are. */
static void
visits_are_what_redis_said(void **state)
{
	(void)state;
	assert_others(TODAY, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
	take_each(5, true);
	assert_others(TODAY, 0, 0, 0, UNKNOWN, 0);
	confirm_numbers(TODAY, 3, 2, (struct board_now){TODAY, 7, 4}, false);
	assert_others(TODAY, 3, 1003, 2, 4, 7);
	add(TODAY, 10);
	assert_others(TODAY, 3, 1003, 2, 4, 7);
	confirm_each(TODAY, 0, 5);
	assert_others(TODAY, 3, 1003, 2, 4, 7);
	take_each(5, true);
	assert_others(TODAY, 3, 1003, 2, 4, 7);
}

/* While the shard settles they stand still as well. */
static void
visits_stand_still_while_settling(void **state)
{
	(void)state;
	take_each(5, true);
	confirm_numbers(TODAY, 3, 2, (struct board_now){TODAY, 7, 4}, false);
	confirm_numbers(TODAY, 1, 1, (struct board_now){TODAY, 5, 3}, true);
	assert_others(TODAY, 3, 1003, 2, 4, 7);
}

/* Of another day there are none yet; a late hit of the day before says nothing about today's. */
static void
bots_are_of_their_day(void **state)
{
	(void)state;
	take_each(5, true);
	confirm_numbers(TODAY, 3, 2, (struct board_now){TODAY, 7, 4}, false);
	assert_others(TOMORROW, 0, 1003, 0, 4, 0);
	confirm_numbers(TODAY - 1, 8, 6, (struct board_now){TODAY - 1, 70, 5}, false);
	assert_int_equal(shown_on(TODAY).bots, 7);
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITS][SHOWN_YESTERDAY], 8);
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITORS][SHOWN_YESTERDAY], 6);
	assert_int_equal(shown_on(TODAY).online, 5);
	/* A clock that was ahead: nobody's bots of September hide today's. */
	confirm_numbers(SEPTEMBER, 1, 1, (struct board_now){SEPTEMBER, 99, 5}, false);
	assert_int_equal(shown_on(TODAY).bots, 7);
}

/* 5 of ours are in Redis' 105, 3 on their way; then an operator forgets the site, and two of those 3 with it. */
static void
what_was_forgotten_is_no_loss(void **state)
{
	(void)state;
	add(TODAY, 8);
	seen(TODAY, 5);
	confirm_each(TODAY, 5, 105);
	take_each(105, false);
	assert_int_equal(shown_today(), 108);
	board_lock(board, board_site_shard(site));
	board_may_fall(site);
	board_drop(site, TODAY, true);
	board_drop(site, TODAY, true);
	board_unlock(board, board_site_shard(site));
	assert_int_equal(shown_today(), 106);
	seen(TODAY, 1);
	confirm(TODAY, 1, (const int64_t[]){1, 1, 1, 1, 1}, true);
	assert_int_equal(take_each(1, true), 0);
	assert_int_equal(shown_today(), 1);
	assert_int_equal(take_each(0, true), 1); /* that is one again */
}

/* --- periods --- */

static void
a_hit_counts_in_every_period_of_its_day(void **state)
{
	(void)state;
	take_each(0, true);
	add(LAST_YEAR, 6);
	add(LAST_MONTH, 5);
	add(SUNDAY, 2);
	add(MONDAY, 3);
	add(TODAY, 4);
	assert_shown(TODAY, (const int64_t[]){4, 0, 3 + 4, 2, 2 + 3 + 4, 5, 5 + 2 + 3 + 4, 6,
					      6 + 5 + 2 + 3 + 4});
}

/* Midnight needs nobody: another date asked is another period shown. */
static void
the_next_day_begins_at_zero(void **state)
{
	(void)state;
	take_each(10, true);
	add(TODAY, 2);
	assert_shown(TODAY, (const int64_t[]){12, 0, 12, 0, 12, 0, 12, 0, 12});
	assert_shown(TOMORROW, (const int64_t[]){0, 12, 12, 0, 12, 0, 12, 0, 12});
	add(TOMORROW, 1);
	assert_shown(TOMORROW, (const int64_t[]){1, 12, 13, 0, 13, 0, 13, 0, 13});
	assert_shown(TODAY, (const int64_t[]){12, 0, 13, 0, 13, 0, 13, 0, 13});
}

/* A place holds a later period: a late hit of an earlier one raises what is still there, and resets nothing. */
static void
a_late_hit_finds_its_place_taken(void **state)
{
	(void)state;
	take_each(0, true);
	add(TODAY, 4);
	add(TODAY - BOARD_RING, 3); /* 2020-05-16, Saturday: the same place as today */
	seen(TODAY - BOARD_RING, 3);
	confirm_each(TODAY - BOARD_RING, 3, 3);
	assert_shown(TODAY, (const int64_t[]){4, 0, 4, 3, 7, 0, 7, 0, 7});
}

/* The cells of an earlier period are used again: nothing of it is left in the new one. */
static void
a_place_begins_anew_with_a_later_period(void **state)
{
	(void)state;
	int32_t before = TODAY - BOARD_RING;
	take(before, (const int64_t[]){50, 0, 50, 0, 50, 0, 50, 0, 50}, true);
	add(before, 9);
	seen(before, 9);
	confirm_each(before, 4, 54);
	add(TODAY, 1);
	assert_int_equal(shown_today(), 1);
	seen(TODAY, 1);
	confirm(TODAY, 1, (const int64_t[]){1, 1, 60, 60, 60}, false);
	/* Redis: 54 and this one, 5 of another daemon. Five of ours are still on their way. */
	assert_shown(TODAY, (const int64_t[]){1, 0, 1, 59, 65, 0, 65, 0, 65});
	/* Today's only hit of ours is among Redis' six. */
	take(TODAY, (const int64_t[]){6, 0, 6, 59, 65, 0, 65, 0, 65}, true);
	assert_shown(TODAY, (const int64_t[]){6, 0, 6, 59, 65, 0, 65, 0, 65});
}

/* A clock that was once ahead: such hits count where their period has begun, and never take the place of the present. */
static void
days_to_come_do_not_hide_the_present(void **state)
{
	(void)state;
	take_each(10, true);
	add(SEPTEMBER, 2);
	seen(SEPTEMBER, 2);
	confirm(SEPTEMBER, 2, (const int64_t[]){2, 2, 2, 12, 12}, false);
	take(SEPTEMBER, (const int64_t[]){2, 0, 2, 0, 2, 0, 12, 0, 12}, true);
	assert_shown(TODAY, (const int64_t[]){10, 0, 10, 0, 10, 0, 12, 0, 12});
	add(TODAY, 1);
	assert_shown(TODAY, (const int64_t[]){11, 0, 11, 0, 11, 0, 13, 0, 13});
	/* A zone may be a day ahead of UTC, and no more. */
	add(TOMORROW, 1);
	add(TOMORROW + 1, 1);
	assert_int_equal(shown_on(TOMORROW).numbers[METRIC_HITS][SHOWN_TODAY], 1);
	assert_int_equal(shown_on(TOMORROW + 1).numbers[METRIC_HITS][SHOWN_TODAY], 0);
	assert_int_equal(shown_on(TOMORROW + 1).numbers[METRIC_HITS][SHOWN_THIS_WEEK], 13);
}

/* --- what operators added --- */

static void
adjust(const int64_t hits[SHOWN_PERIODS], int64_t visits_today)
{
	int64_t adjusted[METRIC_COUNT][SHOWN_PERIODS] = {0};
	memcpy(adjusted[METRIC_HITS], hits, sizeof(adjusted[METRIC_HITS]));
	adjusted[METRIC_VISITS][SHOWN_TODAY] = visits_today;
	board_lock(board, board_site_shard(site));
	board_adjust(site, TODAY, adjusted);
	board_unlock(board, board_site_shard(site));
}

/* 1000 before the year, 100 in it, 30 in its month, 5 today; then less, which is no loss; and never less than 0. */
static void
an_adjustment_is_shown_and_may_fall(void **state)
{
	(void)state;
	take_each(10, false);
	adjust((const int64_t[]){5, 0, 5, 0, 30, 0, 100, 0, 1000}, 4);
	assert_shown(TODAY, (const int64_t[]){15, 0, 15, 0, 40, 0, 110, 0, 1010});
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITS][SHOWN_TODAY], 4);
	add(TODAY, 2);
	seen(TODAY, 2);
	confirm_each(TODAY, 2, 12);
	assert_shown(TODAY, (const int64_t[]){17, 0, 17, 0, 42, 0, 112, 0, 1012});
	assert_int_equal(take_each(12, false), 0);
	adjust((const int64_t[]){-13, 0, -2, 0, 0, 0, 0, 0, 7}, -1);
	assert_shown(TODAY, (const int64_t[]){0, 0, 10, 0, 12, 0, 12, 0, 19});
	assert_int_equal(take_each(12, false), 0);
	/* The next day begins with nothing added. */
	add(TOMORROW, 1);
	assert_int_equal(shown_on(TOMORROW).numbers[METRIC_HITS][SHOWN_TODAY], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_until_redis_was_heard),
		TEST(a_number_that_was_not_answered_moves_nothing),
		TEST(wanted_when_looked_at_or_on_another_date),
		TEST(age_counts_from_redis_last_word),
		TEST(a_confirmed_hit_is_not_added_twice),
		TEST(a_refused_field_moves_nothing),
		TEST(settling_stands_still_until_everything_is_applied),
		TEST(numbers_taken_settled_and_not),
		TEST(a_fall_is_reported),
		TEST(visits_are_what_redis_said),
		TEST(visits_stand_still_while_settling),
		TEST(bots_are_of_their_day),
		TEST(what_was_forgotten_is_no_loss),
		TEST(a_hit_counts_in_every_period_of_its_day),
		TEST(the_next_day_begins_at_zero),
		TEST(a_late_hit_finds_its_place_taken),
		TEST(a_place_begins_anew_with_a_later_period),
		TEST(days_to_come_do_not_hide_the_present),
		TEST(an_adjustment_is_shown_and_may_fall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
