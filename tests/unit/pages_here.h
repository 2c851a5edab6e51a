/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests of pages: one table of them, a clock that stands still, and short words for what happens. */
#ifndef TESTS_PAGES_HERE_H
#define TESTS_PAGES_HERE_H

#include <sodium.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "show/counts.h"

enum { TODAY = 18402 /* 2020-05-20 */, SHARD = 27, UNKNOWN = COUNT_UNKNOWN };

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

/* --- one table, and short words for what happens to it --- */

static struct pages *pages;

static inline int
initialise(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

static inline int
set_up(void **state)
{
	(void)state;
	mono_ms = 1000000;
	pages = pages_new();
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	pages_free(pages);
	return 0;
}

/* As good as a hash (David Stafford's mix13 of splitmix64); keys are hashes, and their bits depend on no others'. */
static inline uint64_t
mixed(uint64_t i)
{
	i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
	return i ^ i >> 31;
}

static inline struct page_key
key_of(unsigned i)
{
	return (struct page_key){
		.low = (uint64_t)i << 32 | i, .high = mixed(i + 1), .shard = SHARD};
}

/* Keys that share one place. */
static inline struct page_key
neighbour(unsigned i)
{
	return (struct page_key){
		.low = ((uint64_t)i + 1) << 32 | 7, .high = mixed(i + 1), .shard = SHARD};
}

/* The shard is in step with Redis, and the reader connected. */
static inline void
settle(void)
{
	pages_settle(pages, SHARD);
	pages_connected(pages, true);
}

static inline void
add(struct page_key page, int32_t day, int hits)
{
	while (hits-- > 0)
		pages_add(pages, page, day);
}

/* Redis' numbers of a page that somebody has looked at. */
static inline void
take(struct page_key page, int32_t day, int64_t hits_today, int64_t hits_total,
     int64_t visits_today, int64_t visits_total)
{
	struct page_want want = {.key = page, .day = day};
	struct page_counts counts = {hits_today, hits_total, visits_today, visits_total};
	pages_take(pages, &want, &counts);
}

static inline void
assert_state(struct page_key page, int32_t day, enum page_state expected)
{
	struct page_counts counts;
	bool stale;
	assert_int_equal(pages_get(pages, page, day, &counts, &stale), expected);
	if (expected != PAGE_KNOWN) {
		assert_int_equal(counts.hits_today, UNKNOWN);
		assert_int_equal(counts.hits_total, UNKNOWN);
		assert_int_equal(counts.visits_today, UNKNOWN);
		assert_int_equal(counts.visits_total, UNKNOWN);
	}
}

/* Somebody looks at it first. */
static inline void
take_new(struct page_key page, int32_t day, int64_t hits_today, int64_t hits_total,
	 int64_t visits_today, int64_t visits_total)
{
	struct page_counts counts;
	bool stale;
	(void)pages_get(pages, page, day, &counts, &stale);
	take(page, day, hits_today, hits_total, visits_today, visits_total);
}

static inline void
assert_shown(struct page_key page, int32_t day, int64_t hits_today, int64_t hits_total,
	     int64_t visits_today, int64_t visits_total)
{
	struct page_counts counts;
	bool stale;
	assert_int_equal(pages_get(pages, page, day, &counts, &stale), PAGE_KNOWN);
	assert_int_equal(counts.hits_today, hits_today);
	assert_int_equal(counts.hits_total, hits_total);
	assert_int_equal(counts.visits_today, visits_today);
	assert_int_equal(counts.visits_total, visits_total);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
