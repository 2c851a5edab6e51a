/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the board: one board with one site, a clock that stands still, and short words for what happens. Dates
 * are those of a calendar: 2020-05-20 is day 18402 (`date -u -d 2020-05-20 +%s` / 86400), a Wednesday.
 */
#ifndef TESTS_BOARD_HERE_H
#define TESTS_BOARD_HERE_H

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
clock_coarse_ms(void)
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

static inline int
set_up(void **state)
{
	(void)state;
	mono_ms = 1000000;
	board = board_new();
	site = board_site(board, SLICE("sotttt"));
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static inline void
add(int32_t day, int hits)
{
	struct date date = {0};
	date_fill(&date, day);
	for (int i = 0; i < hits; i++)
		board_add(site, &date);
}

static inline void
seen(int32_t day, int64_t hits)
{
	board_lock(board, board_site_shard(site));
	board_seen(site, day, hits);
	board_unlock(board, board_site_shard(site));
}

/* What Redis did not say, or refused, of bots and of who is online. */
static const struct board_now silence = {.day = TODAY, .bots = SAME, .online = SAME};

/* `redis`: its hits of the day, week, month, year and in all. */
static inline void
confirm(int32_t day, int64_t hits, const int64_t redis[PERIOD_KINDS], bool settling)
{
	int64_t numbers[METRIC_COUNT][PERIOD_KINDS];
	memset(numbers, SAME, sizeof(numbers));
	memcpy(numbers[METRIC_HITS], redis, sizeof(numbers[METRIC_HITS]));
	board_lock(board, board_site_shard(site));
	board_confirm(site, day, hits, numbers, &silence, settling);
	board_unlock(board, board_site_shard(site));
}

static inline void
confirm_each(int32_t day, int64_t hits, int64_t redis)
{
	const int64_t values[PERIOD_KINDS] = {redis, redis, redis, redis, redis};
	confirm(day, hits, values, false);
}

static inline int64_t
take(int32_t day, const int64_t redis[SHOWN_PERIODS], bool settled)
{
	int64_t numbers[METRIC_COUNT][SHOWN_PERIODS];
	memset(numbers, SAME, sizeof(numbers));
	memcpy(numbers[METRIC_HITS], redis, sizeof(numbers[METRIC_HITS]));
	board_lock(board, board_site_shard(site));
	int64_t fell = board_take(site, day, numbers, &silence, settled);
	board_unlock(board, board_site_shard(site));
	return fell;
}

/* Redis holds `redis` of today, this week, month, year and in all, and nothing of the periods before. */
static inline int64_t
take_each(int64_t redis, bool settled)
{
	return take(TODAY, (const int64_t[]){redis, 0, redis, 0, redis, 0, redis, 0, redis},
		    settled);
}

static inline struct counts
shown_on(int32_t day)
{
	struct counts counts;
	struct date date = {0};
	date_fill(&date, day);
	board_counts(board, site, &date, clock_mono_ms(), &counts);
	return counts;
}

static inline int64_t
shown_today(void)
{
	return shown_on(TODAY).numbers[METRIC_HITS][SHOWN_TODAY];
}

/* Today, yesterday, week, last week, month, last month, year, last year, total. */
static inline void
assert_shown(int32_t day, const int64_t expected[SHOWN_PERIODS])
{
	struct counts counts = shown_on(day);
	for (int which = 0; which < SHOWN_PERIODS; which++)
		if (counts.numbers[METRIC_HITS][which] != expected[which])
			fail_msg("%s is %" PRId64 ", not %" PRId64, shown_periods[which].name,
				 counts.numbers[METRIC_HITS][which], expected[which]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
