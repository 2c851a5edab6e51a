/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of dimensions and the numbers of pages, read from what plain commands put there; and old tables cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_here.h"

/* May 2020, in the ids of base/period.h: year * 12 + month - 1. */
enum { MAY = 2020 * 12 + 4 };

static void
append_cb(struct slice value, int64_t hits, void *arg)
{
	struct buf *out = arg;
	buf_addf(out, "[%.*s %" PRId64 "]", SLICE_ARG(value), hits);
}

static void
assert_top(struct store *store, enum hit_dimension dimension, enum period_kind kind, int32_t id,
	   size_t limit, const char *expected, int64_t expected_rows)
{
	struct buf found = {0};
	int64_t rows = -1;
	assert_int_equal(
		store_top(store, SLICE(SITE), dimension, kind, id, limit, append_cb, &found, &rows),
		STORE_OK);
	buf_add(&found, "", 1);
	assert_string_equal(found.data, expected);
	assert_int_equal(rows, expected_rows);
	buf_release(&found);
}

static void
test_top(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	(void)ask(here, "ZADD " KEY ":pages:2020-05-20 3 /c 1 /a 20 (other) 2 /b");
	(void)ask(here, "ZADD " KEY ":pages:2020-05 4 /may");
	(void)ask(here, "ZADD " KEY ":pages 5 /ever");
	(void)ask(here, "ZADD " KEY ":countries:2020-05-20 9007199254740992 VN 7 %b", "\0\r\n", 3);
	(void)ask(here, "ZADD " KEY ":refused:2020-05 41 rate 6 local");
	assert_top(store, HIT_PAGES, PERIOD_DAY, DAY, 0, "[(other) 20][/c 3][/b 2][/a 1]", 4);
	assert_top(store, HIT_PAGES, PERIOD_DAY, DAY, 2, "[(other) 20][/c 3]", 4);
	assert_top(store, HIT_PAGES, PERIOD_DAY, DAY, 4, "[(other) 20][/c 3][/b 2][/a 1]", 4);
	assert_top(store, HIT_PAGES, PERIOD_DAY, DAY, 1000, "[(other) 20][/c 3][/b 2][/a 1]", 4);
	assert_top(store, HIT_PAGES, PERIOD_DAY, DAY + 1, 10, "", 0);
	assert_top(store, HIT_PAGES, PERIOD_MONTH, MAY, 10, "[/may 4]", 1);
	assert_top(store, HIT_PAGES, PERIOD_ALL, 0, 10, "[/ever 5]", 1);
	assert_top(store, HIT_COUNTRIES, PERIOD_DAY, DAY, 1, "[VN 9007199254740992]", 2);
	assert_top(store, HIT_REFUSED, PERIOD_MONTH, MAY, 0, "[rate 41][local 6]", 2);
	store_free(store);
}

/* What is no table is refused, and the connection goes on. */
static void
test_top_of_a_poisoned_key(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct buf found = {0};
	int64_t rows = 7;
	(void)ask(here, "SET " KEY ":pages poison");
	(void)ask(here, "ZADD " KEY ":bots:2020-05 4 Googlebot");
	assert_int_equal(store_top(store, SLICE(SITE), HIT_PAGES, PERIOD_ALL, 0, 9, append_cb,
				   &found, &rows),
			 STORE_REFUSED);
	assert_int_equal(rows, 0);
	assert_int_equal(found.len, 0);
	assert_non_null(strstr(store_error(store), "WRONGTYPE"));
	assert_true(store_connected(store));
	assert_top(store, HIT_BOTS, PERIOD_MONTH, MAY, 0, "[Googlebot 4]", 1);
	buf_release(&found);
	store_free(store);
}

/* --- cutting --- */

static void
fill_table(struct redis_here *here, const char *tail, int rows)
{
	assert_answer(here, "done", "EVAL %s 1 " KEY ":%s %d",
		      "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], i, '/' .. i) end "
		      "return 'done'",
		      tail, rows);
}

/* A day's tables to their first 100; everything else as it was. */
static void
test_trim(void **state)
{
	static const char *const cut[] = {"pages:2020-05-20", "pagevisits:2020-05-20",
					  "referrers:2020-05-20", "refused:2020-05-20"};
	static const char *const whole[] = {"pages:2020-05", "pages", "pagevisits",
					    "pages:2020-05-21", "referrers:2020-05"};
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	for (size_t i = 0; i < COUNT_OF(cut); i++)
		fill_table(here, cut[i], 150);
	for (size_t i = 0; i < COUNT_OF(whole); i++)
		fill_table(here, whole[i], 150);
	fill_table(here, "countries:2020-05-20", 100);
	(void)ask(here, "EXPIRE " KEY ":pages:2020-05-20 5000");
	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_trim(store, SLICE(SITE), DAY), STORE_OK);
		for (size_t i = 0; i < COUNT_OF(cut); i++) {
			assert_answer(here, "100", "ZCARD " KEY ":%s", cut[i]);
			assert_answer(here, "/51 51 /52 52", "ZRANGE " KEY ":%s 0 1 WITHSCORES",
				      cut[i]);
		}
		for (size_t i = 0; i < COUNT_OF(whole); i++)
			assert_answer(here, "150", "ZCARD " KEY ":%s", whole[i]);
		assert_answer(here, "100", "ZCARD " KEY ":countries:2020-05-20");
	}
	assert_in_range(strtol(ask(here, "TTL " KEY ":pages:2020-05-20").text, NULL, 10), 4900,
			5000);
	/* Written anew: 100 short values are no hash any more. https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/ */
	assert_answer(here, "listpack", "OBJECT ENCODING " KEY ":refused:2020-05-20");
	assert_int_equal(store_trim(store, SLICE("nobody"), DAY), STORE_OK);
	store_free(store);
}

static void
test_trim_of_a_poisoned_key(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	fill_table(here, "refused:2020-05-20", 101);
	(void)ask(here, "SET " KEY ":pages:2020-05-20 poison");
	assert_int_equal(store_trim(store, SLICE(SITE), DAY), STORE_REFUSED);
	assert_answer(here, "100", "ZCARD " KEY ":refused:2020-05-20");
	assert_true(store_connected(store));
	assert_top(store, HIT_REFUSED, PERIOD_DAY, DAY, 1, "[/101 101]", 100);
	store_free(store);
}

/* --- pages --- */

static void
assert_page(const struct page_numbers *page, int64_t hits_day, int64_t hits_all, int64_t visits_day,
	    int64_t visits_all)
{
	assert_int_equal(page->hits_day, hits_day);
	assert_int_equal(page->hits_all, hits_all);
	assert_int_equal(page->visits_day, visits_day);
	assert_int_equal(page->visits_all, visits_all);
}

/* One without a row was never counted; where all places are taken it may as well be among the others. */
static void
test_pages(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 3);
	struct position position;
	struct page_numbers pages[] = {
		{.site = SLICE(SITE), .path = SLICE("/a"), .day = DAY},
		{.site = SLICE(SITE), .path = SLICE("/late"), .day = DAY},
		{.site = SLICE(SITE), .path = SLICE("/a"), .day = DAY + 1},
		{.site = SLICE("other"), .path = SLICE("/a"), .day = DAY},
	};
	(void)ask(here, "ZADD " KEY ":pages:2020-05-20 5 /a 6 /b 7 /c 8 (other)");
	(void)ask(here, "ZADD " KEY ":pages:2020-05-21 2 /b 1 /c");
	(void)ask(here, "ZADD " KEY ":pages 50 /a 60 /b 70 /c");
	(void)ask(here, "ZADD " KEY ":pagevisits:2020-05-20 3 /a");
	(void)ask(here, "ZADD " KEY ":pagevisits 30 /a");
	(void)ask(here, "HSET thongke:{03}:streams a 5:x");
	assert_int_equal(store_read_pages(store, SHARD, pages, COUNT_OF(pages),
					  (const char *[]){"a"}, 1, &position),
			 STORE_OK);
	assert_page(&pages[0], 5, 50, 3, 30);
	assert_page(&pages[1], -1, 0, -1, 0);
	assert_page(&pages[2], 0, 50, 0, 30);
	assert_page(&pages[3], 0, 0, 0, 0);
	assert_true(position.present && position.offset == 5);
	(void)ask(here, "EVAL %s 1 " KEY ":pages",
		  "for i = 1, 57 do redis.call('ZADD', KEYS[1], i, '/' .. i) end");
	assert_int_equal(store_read_pages(store, SHARD, pages, 2, NULL, 0, NULL), STORE_OK);
	assert_page(&pages[0], 5, 50, 3, 30);
	assert_page(&pages[1], -1, -1, -1, -1);
	store_free(store);
}

/* Visits begin on pages that have no row of hits as well, so their table may be full before a page's first visit. */
static void
test_pages_where_visits_are_full(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 3);
	struct page_numbers pages[] = {
		{.site = SLICE(SITE), .path = SLICE("/a"), .day = DAY},
		{.site = SLICE(SITE), .path = SLICE("/b"), .day = DAY},
	};
	(void)ask(here, "ZADD " KEY ":pages:2020-05-20 5 /a 6 /b 7 /c 8 (other)");
	(void)ask(here, "ZADD " KEY ":pages 50 /a 60 /b 70 /c");
	(void)ask(here, "ZADD " KEY ":pagevisits:2020-05-20 1 /a 1 /x 1 /y 2 (other)");
	(void)ask(here, "ZADD " KEY ":pagevisits 1 /a 1 /x 1 /y");
	assert_int_equal(store_read_pages(store, SHARD, pages, 2, NULL, 0, NULL), STORE_OK);
	assert_page(&pages[0], 5, 50, 1, 1);
	assert_page(&pages[1], 6, 60, -1, 0);
	store_free(store);
}

/* A poisoned table makes its own numbers unknown. */
static void
test_pages_of_poisoned_keys(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 3);
	struct page_numbers pages[] = {
		{.site = SLICE(SITE), .path = SLICE("/a"), .day = DAY},
		{.site = SLICE("other"), .path = SLICE("/a"), .day = DAY},
	};
	(void)ask(here, "SET " KEY ":pages poison");
	(void)ask(here, "ZADD " KEY ":pages:2020-05-20 5 /a");
	(void)ask(here, "SET " KEY ":pagevisits:2020-05-20 poison");
	(void)ask(here, "ZADD thongke:{03}:other:pages 9 /a");
	assert_int_equal(store_read_pages(store, SHARD, pages, 2, NULL, 0, NULL), STORE_OK);
	assert_page(&pages[0], 5, -1, -1, -1);
	assert_page(&pages[1], 0, 9, 0, 0);
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_top, redis_here_empty),
		cmocka_unit_test_setup(test_top_of_a_poisoned_key, redis_here_empty),
		cmocka_unit_test_setup(test_trim, redis_here_empty),
		cmocka_unit_test_setup(test_trim_of_a_poisoned_key, redis_here_empty),
		cmocka_unit_test_setup(test_pages, redis_here_empty),
		cmocka_unit_test_setup(test_pages_where_visits_are_full, redis_here_empty),
		cmocka_unit_test_setup(test_pages_of_poisoned_keys, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_tables", tests, redis_here_start,
					   redis_here_stop);
}
