/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live numbers of pages: what Redis was said to hold and own hits beyond that, added up by hand. Keys are made by
 * hand where many must share one place: those of equal lower halves do, whatever the table's size.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pages_here.h"

enum { CROWD = 100 /* more pages than share one place */ };

/* --- known and not known --- */

static void
unknown_then_fetchable_then_known(void **state)
{
	(void)state;
	struct page_key page = key_of(1), elsewhere = key_of(2);
	elsewhere.shard = SHARD + 1;
	/* Until the reader has tried, an answer waits for it. */
	assert_state(page, TODAY, PAGE_UNKNOWN);
	pages_settle(pages, SHARD);
	assert_state(page, TODAY, PAGE_FETCHABLE);
	pages_connected(pages, false);
	assert_state(page, TODAY, PAGE_UNKNOWN);
	pages_connected(pages, true);
	assert_state(page, TODAY, PAGE_FETCHABLE);
	assert_state(elsewhere, TODAY, PAGE_UNKNOWN);
	take(page, TODAY, 10, 100, 5, 50);
	assert_shown(page, TODAY, 10, 100, 5, 50);
	/* What is known needs nobody. */
	pages_connected(pages, false);
	assert_shown(page, TODAY, 10, 100, 5, 50);
	assert_state(key_of(3), TODAY, PAGE_UNKNOWN);
}

static void
own_hits_are_added(void **state)
{
	(void)state;
	struct page_key page = key_of(1);
	settle();
	add(page, TODAY, 3);
	assert_state(page, TODAY, PAGE_FETCHABLE);
	take(page, TODAY, 10, 100, 5, 50);
	assert_shown(page, TODAY, 13, 103, 5, 50);
	/* Two of the three, with which one visit began. */
	pages_confirm(pages, page, TODAY, 2, 2, 1);
	assert_shown(page, TODAY, 13, 103, 6, 51);
	add(page, TODAY, 1);
	assert_shown(page, TODAY, 14, 104, 6, 51);
	/* The other two, and three that were read again after their delta was thrown away. */
	pages_confirm(pages, page, TODAY, 5, 2, 0);
	assert_shown(page, TODAY, 17, 107, 6, 51);
	/* Redis at the same positions: four of another daemon. */
	take(page, TODAY, 21, 111, 7, 52);
	assert_shown(page, TODAY, 21, 111, 7, 52);
}

/* A number that Redis does not know stays unknown, whatever comes. */
static void
numbers_that_are_not_known(void **state)
{
	(void)state;
	struct page_key page = key_of(1);
	settle();
	add(page, TODAY, 1);
	take(page, TODAY, UNKNOWN, 100, UNKNOWN, 50);
	assert_shown(page, TODAY, UNKNOWN, 101, UNKNOWN, 50);
	pages_confirm(pages, page, TODAY, 1, 1, 1);
	assert_shown(page, TODAY, UNKNOWN, 101, UNKNOWN, 51);
	take(page, TODAY, 5, UNKNOWN, 4, UNKNOWN);
	assert_shown(page, TODAY, 5, UNKNOWN, 4, UNKNOWN);
}

/* The tally may read a hit from the journal, and Redis have it, before its worker comes to say so here. */
static void
confirmed_before_it_is_added(void **state)
{
	(void)state;
	struct page_counts counts;
	struct page_key page = key_of(1), unseen = key_of(2);
	bool stale;
	settle();
	take_new(page, TODAY, 10, 100, 5, 50);
	pages_confirm(pages, page, TODAY, 1, 1, 0);
	assert_int_equal(pages_get(pages, page, TODAY, &counts, &stale), PAGE_KNOWN);
	assert_in_range(counts.hits_today, 10, 11);
	assert_in_range(counts.hits_total, 100, 101);
	add(page, TODAY, 1);
	assert_shown(page, TODAY, 11, 101, 5, 50);
	pages_confirm(pages, unseen, TODAY, 1, 1, 0);
	add(unseen, TODAY, 1);
	take_new(unseen, TODAY, 1, 1, 0, 0);
	assert_shown(unseen, TODAY, 1, 1, 0, 0);
}

/* --- out of step --- */

static void
unsettled_pages_are_fetched_anew(void **state)
{
	(void)state;
	struct page_key page = key_of(1), elsewhere = key_of(2);
	elsewhere.shard = SHARD + 1;
	settle();
	pages_settle(pages, SHARD + 1);
	take_new(elsewhere, TODAY, 1, 2, 3, 4);
	add(page, TODAY, 2);
	take(page, TODAY, 10, 100, 5, 50);
	pages_unsettle(pages, SHARD);
	assert_state(page, TODAY, PAGE_UNKNOWN);
	assert_shown(elsewhere, TODAY, 1, 2, 3, 4);
	pages_settle(pages, SHARD);
	assert_state(page, TODAY, PAGE_FETCHABLE);
	take(page, TODAY, 8, 98, 4, 49);
	assert_shown(page, TODAY, 10, 100, 4, 49);
	/* A page that was never seen is no better off. */
	pages_unsettle(pages, SHARD);
	assert_state(key_of(3), TODAY, PAGE_UNKNOWN);
}

/* Two hits of a delta that was thrown away are read again; a third came meanwhile. */
static void
thrown_away_hits_come_back(void **state)
{
	(void)state;
	struct page_key page = key_of(1);
	settle();
	add(page, TODAY, 2);
	take(page, TODAY, 10, 100, 5, 50);
	pages_unsettle(pages, SHARD);
	pages_throw_away(pages, page, TODAY, 2);
	add(page, TODAY, 1);
	pages_confirm(pages, page, TODAY, 2, 0, 1);
	pages_settle(pages, SHARD);
	take(page, TODAY, 12, 102, 6, 51);
	assert_shown(page, TODAY, 13, 103, 6, 51);
	pages_confirm(pages, page, TODAY, 1, 1, 0);
	assert_shown(page, TODAY, 13, 103, 6, 51);
}

/* --- days --- */

static void
another_day(void **state)
{
	(void)state;
	struct page_key page = key_of(1);
	settle();
	add(page, TODAY, 2);
	take(page, TODAY, 10, 100, 5, 50);
	assert_state(page, TODAY + 1, PAGE_FETCHABLE);
	add(page, TODAY + 1, 1);
	/* The answer to yesterday's question says nothing about today. */
	take(page, TODAY, 11, 101, 6, 51);
	assert_state(page, TODAY + 1, PAGE_FETCHABLE);
	take(page, TODAY + 1, 4, 104, 3, 53);
	assert_shown(page, TODAY + 1, 5, 107, 3, 53);
	/* Yesterday's two, then today's one. */
	pages_confirm(pages, page, TODAY, 2, 2, 1);
	assert_shown(page, TODAY + 1, 5, 107, 3, 54);
	pages_confirm(pages, page, TODAY + 1, 1, 1, 1);
	assert_shown(page, TODAY + 1, 5, 107, 4, 55);
}

/* A late hit of the day before, and a question about it: what is in memory is another day's. */
static void
the_day_before(void **state)
{
	(void)state;
	struct page_key page = key_of(1);
	settle();
	take_new(page, TODAY + 1, 4, 104, 3, 53);
	add(page, TODAY, 1);
	assert_shown(page, TODAY + 1, 4, 105, 3, 53);
	assert_shown(page, TODAY, UNKNOWN, 105, UNKNOWN, 53);
	pages_confirm(pages, page, TODAY, 1, 1, 1);
	assert_shown(page, TODAY + 1, 4, 105, 3, 54);
}

/* --- a crowd in one place --- */

static void
pending_pages_stay(void **state)
{
	(void)state;
	struct page_key page = neighbour(0);
	settle();
	add(page, TODAY, 2);
	take(page, TODAY, 10, 100, 5, 50);
	for (unsigned i = 1; i < CROWD; i++)
		take_new(neighbour(i), TODAY, 1, 1, 1, 1);
	assert_shown(page, TODAY, 12, 102, 5, 50);
	/* Nothing of it is ours alone: it may go, and is fetched when somebody looks. */
	pages_confirm(pages, page, TODAY, 2, 2, 0);
	for (unsigned i = 1; i < CROWD; i++)
		take_new(neighbour(i), TODAY, 1, 1, 1, 1);
	assert_state(page, TODAY, PAGE_FETCHABLE);
}

static size_t
count_known(unsigned count)
{
	size_t known = 0;
	for (unsigned i = 0; i < count; i++) {
		struct page_counts counts;
		bool stale;
		known += pages_get(pages, neighbour(i), TODAY, &counts, &stale) == PAGE_KNOWN;
	}
	return known;
}

/* Pages that find no place cannot be known, nor can any new one, until all such hits are in Redis. */
static void
hits_without_a_place(void **state)
{
	(void)state;
	settle();
	for (unsigned i = 0; i < CROWD; i++) {
		add(neighbour(i), TODAY, 2);
		take(neighbour(i), TODAY, 10, 100, 5, 50);
	}
	size_t known = count_known(CROWD);
	assert_in_range(known, 1, CROWD - 1);
	assert_state(neighbour(CROWD), TODAY, PAGE_UNKNOWN);
	for (unsigned i = 0; i < CROWD; i++) {
		if (i < known)
			assert_shown(neighbour(i), TODAY, 12, 102, 5, 50);
		else
			assert_state(neighbour(i), TODAY, PAGE_UNKNOWN);
		pages_confirm(pages, neighbour(i), TODAY, 2, 2, 0);
		/* Places are free now, but not all hits without one are accounted for. */
		if (i + 1 < CROWD)
			assert_state(neighbour(CROWD), TODAY, PAGE_UNKNOWN);
	}
	assert_state(neighbour(CROWD), TODAY, PAGE_FETCHABLE);
	take_new(neighbour(CROWD - 1), TODAY, 12, 102, 5, 50);
	assert_shown(neighbour(CROWD - 1), TODAY, 12, 102, 5, 50);
	add(neighbour(CROWD - 1), TODAY, 1);
	assert_shown(neighbour(CROWD - 1), TODAY, 13, 103, 5, 50);
}

/* The same where they are thrown away and read again. */
static void
hits_without_a_place_thrown_away(void **state)
{
	(void)state;
	settle();
	for (unsigned i = 0; i < CROWD; i++)
		add(neighbour(i), TODAY, 1);
	pages_unsettle(pages, SHARD);
	for (unsigned i = 0; i < CROWD; i++)
		pages_throw_away(pages, neighbour(i), TODAY, 1);
	for (unsigned i = 0; i < CROWD; i++)
		pages_confirm(pages, neighbour(i), TODAY, 1, 0, 0);
	pages_settle(pages, SHARD);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_state(neighbour(i), TODAY, PAGE_FETCHABLE);
		take(neighbour(i), TODAY, 1, 1, 1, 1);
		assert_shown(neighbour(i), TODAY, 1, 1, 1, 1);
	}
}

/* A hit of one page is in Redis before it is added, one of another is added and not in Redis: that makes no zero. */
static void
hits_of_different_pages_do_not_cancel(void **state)
{
	(void)state;
	struct page_key early = neighbour(1), late = neighbour(2);
	settle();
	pages_confirm(pages, early, TODAY, 1, 1, 0);
	add(late, TODAY, 1);
	assert_state(late, TODAY, PAGE_UNKNOWN);
	add(early, TODAY, 1);
	pages_confirm(pages, late, TODAY, 1, 1, 0);
	assert_state(early, TODAY, PAGE_FETCHABLE);
	take(early, TODAY, 1, 1, 0, 0);
	take_new(late, TODAY, 1, 1, 0, 0);
	assert_shown(early, TODAY, 1, 1, 0, 0);
	assert_shown(late, TODAY, 1, 1, 0, 0);
}

/* --- keys --- */

static void
a_key_for_each_page(void **state)
{
	(void)state;
	static const struct {
		struct slice site, path;
	} rows[] = {
		{{"a", 1}, {"/x", 2}}, {{"a", 1}, {"/y", 2}}, {{"b", 1}, {"/x", 2}},
		{{"a/", 2}, {"x", 1}}, {{"a", 1}, {"", 0}},
	};
	settle();
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		add(pages_key(pages, rows[i].site, SHARD, rows[i].path), TODAY, (int)i + 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct page_key page = pages_key(pages, rows[i].site, SHARD, rows[i].path);
		assert_int_equal(page.shard, SHARD);
		take(page, TODAY, 0, 100, 0, 0);
		assert_shown(page, TODAY, (int64_t)i + 1, 101 + (int64_t)i, 0, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_then_fetchable_then_known),
		TEST(own_hits_are_added),
		TEST(numbers_that_are_not_known),
		TEST(confirmed_before_it_is_added),
		TEST(unsettled_pages_are_fetched_anew),
		TEST(thrown_away_hits_come_back),
		TEST(another_day),
		TEST(the_day_before),
		TEST(pending_pages_stay),
		TEST(hits_without_a_place),
		TEST(hits_without_a_place_thrown_away),
		TEST(hits_of_different_pages_do_not_cancel),
		TEST(a_key_for_each_page),
	};
	return cmocka_run_group_tests(tests, initialise, NULL);
}
