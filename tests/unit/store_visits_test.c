/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visits and visitors as the script judges them in a real Redis: single hits by hand, and random histories against a
 * model that looks at one hit after the other and knows neither deltas nor Redis.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_here.h"

/* 2020-05-20T07:32:07Z, and half an hour. */
static const int64_t noon = INT64_C(1589959927000);
enum { GAP = 1800000, MINUTE = 60000 };

static struct hit
view(int64_t time_ms, uint64_t visitor, const char *page)
{
	return (struct hit){.site = SLICE(SITE),
			    .time_ms = time_ms,
			    .day = DAY,
			    .hour = 14,
			    .count = 1,
			    .visitor = visitor,
			    .values[HIT_PAGES] = slice_of(page)};
}

/* Applies the hits at these times, all of one visitor, as one delta. */
static void
visit(struct store *store, uint64_t *at, uint64_t visitor, const int64_t *times, size_t count)
{
	struct delta *delta = delta_new();
	for (size_t i = 0; i < count; i++) {
		struct hit hit = view(times[i], visitor, "/a");
		delta_add(delta, &hit, GAP, true);
	}
	assert_int_equal(apply_quietly(store, *at, *at + 1, delta), STORE_OK);
	++*at;
	delta_free(delta);
}

static void
visit_once(struct store *store, uint64_t *at, uint64_t visitor, int64_t time_ms)
{
	visit(store, at, visitor, &time_ms, 1);
}

#define assert_visits(here, expected) \
	assert_answer((here), (expected), "HGET " KEY ":visits:2020 05-20")

/* --- the gap --- */

static void
test_gap(void **state)
{
	static const struct {
		int64_t after;
		const char *visits, *seen; /* the later of the two hits */
	} rows[] = {
		{GAP - 1, "1", "1589961726999"}, {GAP, "2", "1589961727000"},
		{GAP + 1, "2", "1589961727001"}, {0, "1", "1589959927000"},
		{-1, "1", "1589959927000"},      {-2 * GAP, "1", "1589959927000"},
	};
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	for (int together = 0; together < 2; together++)
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			const int64_t times[] = {noon, noon + rows[i].after};
			uint64_t at = 0;
			assert_answer(here, "OK", "FLUSHALL");
			visit(store, &at, 0xab, times, together ? 2 : 1);
			if (!together)
				visit(store, &at, 0xab, times + 1, 1);
			assert_visits(here, rows[i].visits);
			assert_answer(here, rows[i].seen, "ZSCORE " KEY ":seen 00000000000000ab");
			assert_answer(here, "1", "HGET " KEY ":visitors all");
		}
	store_free(store);
}

/* A visitor who comes three times within one delta, the first of them still in the visit that Redis knows. */
static void
test_runs_of_one_delta(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	uint64_t at = 0;
	visit_once(store, &at, 1, noon);
	const int64_t times[] = {noon + GAP - 1, noon + 2 * GAP - 1, noon + 2 * GAP, noon + 3 * GAP,
				 noon + 4 * GAP - 1};
	visit(store, &at, 1, times, COUNT_OF(times));
	assert_visits(here, "3");
	assert_answer(here, "1589967126999", "ZSCORE " KEY ":seen 0000000000000001");
	assert_answer(here, "3 3 3 3", "HMGET " KEY ":visits 2020-W21 2020-05 2020 all");
	assert_answer(here, "1 1 1 1", "HMGET " KEY ":visitors 2020-W21 2020-05 2020 all");
	store_free(store);
}

/* What reply and tables say of the pages that visits began with. */
static void
test_pages_of_visits(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = delta_new();
	struct apply_reply reply;
	const struct hit hits[] = {view(noon, 1, "/x"),       view(noon + 1, 1, "/y"),
				   view(noon + 2, 2, "/y"),   view(noon + 3, 3, "/y"),
				   view(noon + 4, 4, NULL),   view(noon + 5, 4, "/x"),
				   view(noon + GAP, 1, "/z"), view(noon + GAP + 2, 2, "/x")};
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		delta_add(delta, &hits[i], GAP, true);
	assert_int_equal(apply(store, SHARD, 0, 1, delta, &reply), STORE_OK);
	/* 1, 2, 3 and 4; of these only 2 comes back after the gap: 1 was there at + 1. */
	const int64_t visits = 5;
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		assert_int_equal(reply.days[0].numbers[METRIC_HITS][kind], 8);
		assert_int_equal(reply.days[0].numbers[METRIC_VISITS][kind], visits);
		assert_int_equal(reply.days[0].numbers[METRIC_VISITORS][kind], 4);
	}
	/* 1 began with /x, 2 and 3 with /y, then 2 with /x; 4's first page is not known. */
	int64_t of_pages[3] = {0};
	assert_int_equal(reply.days[0].page_count, 2);
	for (size_t i = 0; i < 2; i++)
		of_pages[reply.days[0].pages[i].nth] = reply.days[0].pages[i].visits;
	assert_memory_equal(of_pages, ((int64_t[]){2, 2, 0}), sizeof(of_pages));
	assert_answer(here, "/x 2 /y 2", "ZRANGE " KEY ":pagevisits 0 -1 WITHSCORES");
	assert_answer(here, "/x 2 /y 2", "ZRANGE " KEY ":pagevisits:2020-05-20 0 -1 WITHSCORES");
	apply_reply_release(&reply);
	delta_free(delta);
	store_free(store);
}

/* A caller that knows better: as it says, and nobody is remembered. */
static void
test_decided(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = delta_new();
	const struct hit hit = view(noon, 1, "/a"), other = view(noon, 2, "/b");
	uint64_t at = 0;
	visit_once(store, &at, 1, noon);
	delta_add_decided(delta, &hit, false);
	delta_add_decided(delta, &hit, true);
	delta_add_decided(delta, &other, false);
	delta_add_decided(delta, &hit, true);
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	assert_visits(here, "3");
	assert_answer(here, "5", "HGET " KEY ":hits all");
	assert_answer(here, "2", "HGET " KEY ":visitors all");
	assert_answer(here, "/a 3", "ZRANGE " KEY ":pagevisits 0 -1 WITHSCORES");
	assert_answer(here, "1", "ZCARD " KEY ":seen");
	assert_answer(here, "1589959927000", "ZSCORE " KEY ":seen 0000000000000001");
	delta_free(delta);
	store_free(store);
}

/* --- who is remembered, and for how long --- */

static int64_t
ttl(struct redis_here *here, const char *tail)
{
	return strtoll(ask(here, "TTL " KEY ":%s", tail).text, NULL, 10);
}

/* What is read while hits of a day may still arrive lives longer than that; a day's table 400 days. */
static void
test_expiry(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	uint64_t at = 0;
	for (int round = 0; round < 2; round++) {
		visit_once(store, &at, 1, noon + round * GAP);
		visit_once(store, &at, 2 + (uint64_t)round, noon);
		assert_in_range(ttl(here, "seen"), 72 * 3600 - 60, 72 * 3600);
		assert_in_range(ttl(here, "unique:2020-05-20"), RETAIN_S + 86400,
				RETAIN_S + 2 * 86400);
		assert_in_range(ttl(here, "pagevisits:2020-05-20"), 400 * 86400 - 60, 400 * 86400);
		assert_int_equal(ttl(here, "pagevisits"), -1);
		/* The second time begins anew. */
		(void)ask(here, "EXPIRE " KEY ":seen 100");
		(void)ask(here, "EXPIRE " KEY ":unique:2020-05-20 100");
	}
	store_free(store);
}

/* The last max(gap, 5 minutes) before the newest hit stay; what is far older goes. */
static void
test_forgetting(void **state)
{
	static const struct {
		int64_t gap;
		const char *left;
	} rows[] = {{GAP, "at_gap at_5min now"}, {MINUTE, "at_5min at_gap now"}};
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct delta *delta = delta_new();
		const struct hit hit = view(noon, 1, "/");
		const long long gap = rows[i].gap, now = noon;
		(void)ask(here, "FLUSHALL");
		(void)ask(here, "ZADD " KEY ":seen %lld at_gap %lld at_5min %lld old %lld now",
			  now - gap, now - 5 * MINUTE, now - gap - 5 * MINUTE - 1, now);
		delta_add(delta, &hit, rows[i].gap, true);
		assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
		(void)ask(here, "ZREM " KEY ":seen 0000000000000001");
		assert_answer(here, rows[i].left, "ZRANGE " KEY ":seen 0 -1");
		delta_free(delta);
	}
	store_free(store);
}

/* One delta of many hours, as a replay makes them: none of its visitors is forgotten before its own hits are judged. */
static void
test_a_delta_of_hours(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = delta_new();
	const struct hit hits[] = {view(noon + GAP - 1, 1, "/"), view(noon + 9 * GAP, 2, "/")};
	uint64_t at = 0;
	visit_once(store, &at, 1, noon);
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		delta_add(delta, &hits[i], GAP, true);
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	assert_visits(here, "2");
	delta_free(delta);
	store_free(store);
}

static void
fill_seen(struct redis_here *here, int count, int64_t time_ms)
{
	assert_answer(here, "done", "EVAL %s 1 " KEY ":seen %d %lld",
		      "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2], 'v' .. i) end "
		      "return 'done'",
		      count, (long long)time_ms);
}

/*
 * 200,000 are held: a new one begins no visit and is not remembered, but is a visitor; a known one goes on as ever. The
 * last place goes to the first of two who come at once.
 */
static void
test_full(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	uint64_t at = 0;
	visit_once(store, &at, 1, noon);
	fill_seen(here, 199998, noon);
	struct delta *delta = delta_new();
	const struct hit hits[] = {view(noon + 1, 2, "/"), view(noon + 2, 3, "/")};
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		delta_add(delta, &hits[i], GAP, true);
	assert_int_equal(apply_quietly(store, at, at + 1, delta), STORE_OK);
	at++;
	assert_visits(here, "2");
	assert_answer(here, "1589959927001", "ZSCORE " KEY ":seen 0000000000000002");
	assert_answer(here, "nil", "ZSCORE " KEY ":seen 0000000000000003");
	visit_once(store, &at, 4, noon + 3);
	assert_visits(here, "2");
	assert_answer(here, "4", "HGET " KEY ":visitors:2020 05-20");
	assert_answer(here, "200000", "ZCARD " KEY ":seen");
	visit_once(store, &at, 1, noon + GAP);
	assert_visits(here, "3");
	delta_free(delta);
	store_free(store);
}

/* And all of them were there long ago: they make room at once. At midnight no id is known any more. */
static void
test_full_of_the_past(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	uint64_t at = 0;
	fill_seen(here, 200000, noon - 2 * GAP);
	visit_once(store, &at, 1, noon);
	assert_visits(here, "1");
	assert_answer(here, "1", "ZCARD " KEY ":seen");
	store_free(store);
}

/* Within five minutes of the wall clock, in the script's answer and where the numbers are read. */
static void
test_online(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	const int64_t now = clock_wall_ms();
	const struct hit hits[] = {view(now - 6 * MINUTE, 1, "/"), view(now - 4 * MINUTE, 2, "/"),
				   view(now, 3, "/")};
	struct site_numbers numbers = {.site = SLICE(SITE), .day = DAY};
	for (size_t i = 0; i < COUNT_OF(hits); i++) {
		struct delta *delta = delta_new();
		struct apply_reply reply;
		delta_add(delta, &hits[i], GAP, true);
		assert_int_equal(apply(store, SHARD, i, i + 1, delta, &reply), STORE_OK);
		assert_int_equal(reply.days[0].online, i);
		assert_int_equal(store_read(store, SHARD, &numbers, 1, NULL, 0, NULL), STORE_OK);
		assert_int_equal(numbers.online, i);
		apply_reply_release(&reply);
		delta_free(delta);
	}
	store_free(store);
}

/* --- distinct visitors --- */

#define VISITORS_OF "visitors 2020-W21 2020-05 2020 all"

/* The sum of what the days grew by, which a HyperLogLog that is gone never lowers. */
static void
test_growth(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	uint64_t at = 0;
	(void)ask(here, "HSET " KEY ":visitors 2020-W21 10 2020-05 100 2020 1000 all 5000");
	for (uint64_t visitor = 1; visitor <= 3; visitor++)
		visit_once(store, &at, visitor, noon);
	visit_once(store, &at, 2, noon + GAP);
	assert_answer(here, "3", "PFCOUNT " KEY ":unique:2020-05-20");
	assert_answer(here, "3", "HGET " KEY ":visitors:2020 05-20");
	assert_answer(here, "13 103 1003 5003", "HMGET " KEY ":" VISITORS_OF);
	assert_answer(here, "1", "DEL " KEY ":unique:2020-05-20");
	for (uint64_t visitor = 11; visitor <= 13; visitor++)
		visit_once(store, &at, visitor, noon);
	assert_answer(here, "3", "PFCOUNT " KEY ":unique:2020-05-20");
	assert_answer(here, "3", "HGET " KEY ":visitors:2020 05-20");
	assert_answer(here, "13 103 1003 5003", "HMGET " KEY ":" VISITORS_OF);
	visit_once(store, &at, 14, noon);
	assert_answer(here, "4", "HGET " KEY ":visitors:2020 05-20");
	assert_answer(here, "14 104 1004 5004", "HMGET " KEY ":" VISITORS_OF);
	store_free(store);
}

/* 10,000 visitors, within four standard errors of 0.81 %; every sum shows the same number as the day. */
static void
test_many_visitors(void **state)
{
	enum { MANY = 10000, ALLOWED = MANY * 324 / 10000 };
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = delta_new();
	uint64_t at = 0, id = 7;
	for (int i = 1; i <= MANY; i++) {
		id = id * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		struct hit hit = view(noon + i, id, "/");
		if (!delta_has_room(delta, &hit)) {
			assert_int_equal(apply_quietly(store, at, at + 1, delta), STORE_OK);
			delta_clear(delta);
			at++;
		}
		delta_add(delta, &hit, GAP, true);
	}
	assert_int_equal(apply_quietly(store, at, at + 1, delta), STORE_OK);
	struct words day = ask(here, "HGET " KEY ":visitors:2020 05-20");
	assert_in_range(strtol(day.text, NULL, 10), MANY - ALLOWED, MANY + ALLOWED);
	assert_answer(here, day.text, "PFCOUNT " KEY ":unique:2020-05-20");
	assert_answer(here, day.text, "HGET " KEY ":visitors all");
	assert_visits(here, "10000");
	delta_free(delta);
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_gap, redis_here_empty),
		cmocka_unit_test_setup(test_runs_of_one_delta, redis_here_empty),
		cmocka_unit_test_setup(test_pages_of_visits, redis_here_empty),
		cmocka_unit_test_setup(test_decided, redis_here_empty),
		cmocka_unit_test_setup(test_expiry, redis_here_empty),
		cmocka_unit_test_setup(test_forgetting, redis_here_empty),
		cmocka_unit_test_setup(test_a_delta_of_hours, redis_here_empty),
		cmocka_unit_test_setup(test_full, redis_here_empty),
		cmocka_unit_test_setup(test_full_of_the_past, redis_here_empty),
		cmocka_unit_test_setup(test_online, redis_here_empty),
		cmocka_unit_test_setup(test_growth, redis_here_empty),
		cmocka_unit_test_setup(test_many_visitors, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_visits", tests, redis_here_start,
					   redis_here_stop);
}
