/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board. Every expected number is a sum done by hand: what Redis was said to hold, and own hits beyond that. Dates are
 * those of a calendar: 2020-05-20 is day 18402 (`date -u -d 2020-05-20 +%s` / 86400), a Wednesday.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "show/board.h"

enum {
	LAST_YEAR = 18261,  /* 2019-12-31 */
	LAST_MONTH = 18382, /* 2020-04-30 */
	SUNDAY = 18399,     /* 2020-05-17, of the week before */
	MONDAY = 18400,     /* 2020-05-18 */
	TODAY = 18402,      /* 2020-05-20 */
	TOMORROW = 18403,
	SEPTEMBER = 18525, /* 2020-09-20 */
	UNKNOWN = COUNT_UNKNOWN,
	SAME = -1, /* Redis refused the field, or was not asked */
};

/* --- the clock stands still: this takes the place of base/clock.c --- */

static _Atomic int64_t mono_ms;

int64_t
clock_mono_ms(void)
{
	return mono_ms;
}

int64_t
clock_wall_ms(void)
{
	return INT64_C(1589976000000); /* 2020-05-20T12:00:00Z */
}

int64_t
clock_hit_ms(void)
{
	return clock_wall_ms();
}

/* --- one board with one site, and short words for what happens to it --- */

static struct board *board;
static struct board_site *site;

static int
set_up(void **state)
{
	(void)state;
	mono_ms = 1000000;
	board = board_new();
	site = board_site(board, SLICE("sotttt"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static void
add(int32_t day, int hits)
{
	for (int i = 0; i < hits; i++)
		board_add(site, day);
}

static void
seen(int32_t day, int64_t hits)
{
	board_lock(board, board_site_shard(site));
	board_seen(site, day, hits);
	board_unlock(board, board_site_shard(site));
}

/* `redis`: its numbers of the day, week, month, year and in all. */
static void
confirm(int32_t day, int64_t hits, const int64_t redis[PERIOD_KINDS], bool settling)
{
	board_lock(board, board_site_shard(site));
	board_confirm(site, day, hits, redis, settling);
	board_unlock(board, board_site_shard(site));
}

static void
confirm_each(int32_t day, int64_t hits, int64_t redis)
{
	const int64_t values[PERIOD_KINDS] = {redis, redis, redis, redis, redis};
	confirm(day, hits, values, false);
}

static int64_t
take(int32_t day, const int64_t redis[SHOWN_PERIODS], bool settled)
{
	board_lock(board, board_site_shard(site));
	int64_t fell = board_take(site, day, redis, settled);
	board_unlock(board, board_site_shard(site));
	return fell;
}

/* Redis holds `redis` of today, this week, month, year and in all, and nothing of the periods before. */
static int64_t
take_each(int64_t redis, bool settled)
{
	return take(TODAY, (const int64_t[]){redis, 0, redis, 0, redis, 0, redis, 0, redis},
		    settled);
}

static struct counts
shown_on(int32_t day)
{
	struct counts counts;
	board_counts(board, site, day, &counts);
	return counts;
}

static int64_t
shown_today(void)
{
	return shown_on(TODAY).hits[SHOWN_TODAY];
}

/* Today, yesterday, week, last week, month, last month, year, last year, total. */
static void
assert_shown(int32_t day, const int64_t expected[SHOWN_PERIODS])
{
	struct counts counts = shown_on(day);
	for (int which = 0; which < SHOWN_PERIODS; which++)
		if (counts.hits[which] != expected[which])
			fail_msg("%s is %" PRId64 ", not %" PRId64, shown_periods[which].name,
				 counts.hits[which], expected[which]);
}

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
	assert_int_equal(shown_on(TOMORROW).hits[SHOWN_TODAY], 1);
	assert_int_equal(shown_on(TOMORROW + 1).hits[SHOWN_TODAY], 0);
	assert_int_equal(shown_on(TOMORROW + 1).hits[SHOWN_THIS_WEEK], 13);
}

/* --- the snapshot --- */

static size_t
copy_cells(struct board *to)
{
	struct board_site *copy = board_site(to, board_site_key(site));
	size_t copied = 0;
	for (int i = 0; i < BOARD_CELLS; i++) {
		int32_t period;
		int64_t redis;
		if (!board_cell_get(site, i, &period, &redis))
			continue;
		board_cell_set(copy, i, period, redis);
		copied++;
	}
	return copied;
}

/* It holds Redis' part alone: own hits past it are read from the journal again. */
static void
cells_hold_what_redis_holds(void **state)
{
	(void)state;
	take(TODAY, (const int64_t[]){650, 1508, 700, 0, 20000, 5, 160000, 6, 200000}, true);
	add(TODAY, 3);
	seen(TODAY, 2);
	confirm(TODAY, 1, (const int64_t[]){651, 701, 20001, 160001, 200001}, false);
	struct board *later = board_new();
	/* today and yesterday, two weeks, two months, two years, all */
	assert_int_equal(copy_cells(later), 9);
	board_free(board);
	board = later;
	site = board_site(board, SLICE("sotttt"));
	assert_true(board_known(site));
	static const int64_t redis[] = {651, 1508, 701, 0, 20001, 5, 160001, 6, 200001};
	assert_shown(TODAY, redis);
	/* Read again from the journal: the two that Redis does not have, now one of them in it. */
	add(TODAY, 2);
	seen(TODAY, 2);
	confirm_each(TODAY, 1, SAME);
	assert_int_equal(shown_today(), 653);
	assert_int_equal(take(TODAY, redis, false), 1); /* one of the two is gone from Redis */
	assert_int_equal(shown_today(), 652);
}

static void
an_untouched_site_has_no_cells(void **state)
{
	(void)state;
	struct board *later = board_new();
	assert_int_equal(copy_cells(later), 0);
	assert_false(board_known(board_site(later, SLICE("sotttt"))));
	board_free(later);
}

/* A snapshot may come from a process whose clock was ahead. */
static void
a_cell_of_days_to_come_is_left_out(void **state)
{
	(void)state;
	board_cell_set(site, 0, SEPTEMBER, 1000);
	assert_true(board_known(site));
	assert_int_equal(shown_on(SEPTEMBER).hits[SHOWN_TODAY], 0);
	add(TODAY, 1);
	assert_int_equal(shown_today(), 1);
}

/* --- sites --- */

static void
count_cb(struct board_site *each, void *arg)
{
	unsigned *met = arg;
	unsigned long number;
	struct slice key = board_site_key(each);
	if (key.ptr[0] == 'n' && (number = strtoul(key.ptr + 1, NULL, 10)) < 1000)
		met[number]++;
}

static void
a_site_stays_where_it_is(void **state)
{
	(void)state;
	static struct board_site *sites[1000];
	static unsigned met[1000];
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "n%d", i);
		sites[i] = board_site(board, slice_of(key));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "n%d", i);
		assert_ptr_equal(board_site(board, slice_of(key)), sites[i]);
		assert_true(slice_eq(board_site_key(sites[i]), slice_of(key)));
	}
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		board_each(board, shard, count_cb, met);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(met[i], 1);
	assert_ptr_equal(board_site(board, SLICE("sotttt")), site);
	/* CRC-16/XMODEM of "sotttt" and of "a", modulo 64, by Python's binascii.crc_hqx */
	assert_int_equal(board_site_shard(site), 27);
	assert_int_equal(board_site_shard(board_site(board, SLICE("a"))), 7);
}

static void
sites_do_not_mix(void **state)
{
	(void)state;
	struct board_site *first = site, *other = board_site(board, SLICE("other"));
	take_each(10, true);
	add(TODAY, 1);
	site = other;
	take_each(500, true);
	add(TODAY, 2);
	assert_int_equal(shown_today(), 502);
	site = first;
	assert_int_equal(shown_today(), 11);
}

/* --- threads --- */

enum { THREADS = 3, ADDS = 20000, OTHERS = 7 };

static _Atomic int added; /* hits on the board */
static _Atomic bool over;

static void *
add_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < ADDS; i++) {
		board_add(site, TODAY);
		added++;
	}
	return NULL;
}

/* What answers show rises with every hit and never falls. */
static void *
look_main(void *arg)
{
	int64_t last = 0, now;
	bool *fell = arg;
	do {
		int64_t before = added;
		now = shown_today();
		*fell |= now < last || now < before;
		last = now;
	} while (!over);
	return NULL;
}

/* The tally: hands over what it has read, and takes Redis' numbers; another daemon counts OTHERS hits each time. */
static void
tally_and_reader(void)
{
	int64_t redis = 0, handed = 0;
	for (int turn = 1; handed < (int64_t)THREADS * ADDS; turn++) {
		int64_t batch = added - handed;
		redis += batch + OTHERS;
		handed += batch;
		seen(TODAY, batch);
		if (turn % 3 == 0) {
			take_each(redis, true);
		} else {
			confirm_each(TODAY, batch, redis);
			take_each(redis, false);
		}
	}
	assert_int_equal(shown_today(), redis);
}

static void
many_threads_add_while_offsets_move(void **state)
{
	(void)state;
	pthread_t adders[THREADS], looker;
	bool fell = false;
	added = 0;
	over = false;
	take_each(0, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&adders[i], NULL, add_main, NULL), 0);
	assert_int_equal(pthread_create(&looker, NULL, look_main, &fell), 0);
	tally_and_reader();
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(adders[i], NULL);
	pthread_join(looker, NULL);
	assert_false(fell);
	assert_int_equal(added, THREADS * ADDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		TEST(a_hit_counts_in_every_period_of_its_day),
		TEST(the_next_day_begins_at_zero),
		TEST(a_late_hit_finds_its_place_taken),
		TEST(a_place_begins_anew_with_a_later_period),
		TEST(days_to_come_do_not_hide_the_present),
		TEST(cells_hold_what_redis_holds),
		TEST(an_untouched_site_has_no_cells),
		TEST(a_cell_of_days_to_come_is_left_out),
		TEST(a_site_stays_where_it_is),
		TEST(sites_do_not_mix),
		TEST(many_threads_add_while_offsets_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
