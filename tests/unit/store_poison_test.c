/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in the way of one key: it is reported, everything else of the delta is counted once, and the keys say so.
 * And full tables. The delta, by hand: visitor 1 views /a, then /b; visitor 2 views /b; a bot, a refusal of 41 requests.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_here.h"

/* 2020-05-20T07:32:07Z */
static const int64_t noon = INT64_C(1589959927000);
enum { GAP = 1800000 };

static struct hit
hit_with(int64_t time_ms, uint64_t visitor, enum hit_dimension dimension, const char *value)
{
	struct hit hit = {.site = SLICE(SITE),
			  .time_ms = time_ms,
			  .day = DAY,
			  .hour = 14,
			  .count = dimension == HIT_REFUSED ? 41 : 1,
			  .visitor = visitor};
	hit.values[dimension] = slice_of(value);
	return hit;
}

static struct delta *
whole_delta(void)
{
	struct delta *delta = delta_new();
	struct hit hits[] = {
		hit_with(noon, 1, HIT_PAGES, "/a"),
		hit_with(noon + 1, 2, HIT_PAGES, "/b"),
		hit_with(noon + 2, 1, HIT_PAGES, "/b"),
		hit_with(noon + 3, 0, HIT_BOTS, "Googlebot"),
		hit_with(noon + 4, 0, HIT_REFUSED, "rate"),
	};
	hits[0].values[HIT_COUNTRIES] = SLICE("VN");
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		delta_add(delta, &hits[i], GAP, true);
	return delta;
}

/* What is in Redis afterwards: its key, the question, the answer. */
static const struct left {
	const char *key, *question, *answer;
} wholes[] = {
	{"hits:2020", "HGET %s 05-20", "3"},
	{"hits", "HMGET %s 2020-W21 2020-05 2020 all", "3 3 3 3"},
	{"visits:2020", "HGET %s 05-20", "2"},
	{"visits", "HMGET %s 2020-W21 2020-05 2020 all", "2 2 2 2"},
	{"visitors:2020", "HGET %s 05-20", "2"},
	{"visitors", "HMGET %s 2020-W21 2020-05 2020 all", "2 2 2 2"},
	{"bots:2020", "HGET %s 05-20", "1"},
	{"bots", "HMGET %s 2020-W21 2020-05 2020 all", "1 1 1 1"},
	{"hours:2020-05-20", "HGETALL %s", "14 3"},
	{"pages:2020-05-20", "ZRANGE %s 0 -1 WITHSCORES", "/a 1 /b 2"},
	{"pages:2020-05", "ZRANGE %s 0 -1 WITHSCORES", "/a 1 /b 2"},
	{"pages", "ZRANGE %s 0 -1 WITHSCORES", "/a 1 /b 2"},
	{"countries:2020-05-20", "ZRANGE %s 0 -1 WITHSCORES", "VN 1"},
	{"countries:2020-05", "ZRANGE %s 0 -1 WITHSCORES", "VN 1"},
	{"bots:2020-05-20", "ZRANGE %s 0 -1 WITHSCORES", "Googlebot 1"},
	{"bots:2020-05", "ZRANGE %s 0 -1 WITHSCORES", "Googlebot 1"},
	{"refused:2020-05-20", "ZRANGE %s 0 -1 WITHSCORES", "rate 41"},
	{"refused:2020-05", "ZRANGE %s 0 -1 WITHSCORES", "rate 41"},
	{"pagevisits:2020-05-20", "ZRANGE %s 0 -1 WITHSCORES", "/a 1 /b 1"},
	{"pagevisits", "ZRANGE %s 0 -1 WITHSCORES", "/a 1 /b 1"},
	{"seen", "ZRANGE %s 0 -1 WITHSCORES",
	 "0000000000000002 1589959927001 0000000000000001 1589959927002"},
	{"unique:2020-05-20", "PFCOUNT %s", "2"},
};

/* All but those that are named in `spoiled` (each with a blank behind it). */
static void
assert_all_but(struct redis_here *here, const char *spoiled)
{
	for (size_t i = 0; i < COUNT_OF(wholes); i++) {
		char key[64], name[64], question[128];
		snprintf(name, sizeof(name), " %s ", wholes[i].key);
		if (strstr(spoiled, name))
			continue;
		snprintf(key, sizeof(key), KEY ":%s", wholes[i].key);
		snprintf(question, sizeof(question), "%.*s%s%s",
			 (int)(strstr(wholes[i].question, "%s") - wholes[i].question),
			 wholes[i].question, key, strstr(wholes[i].question, "%s") + 2);
		struct words answer = ask(here, question);
		if (strcmp(answer.text, wholes[i].answer) != 0)
			fail_msg("with%spoisoned, %s holds %s", spoiled, wholes[i].key,
				 answer.text);
	}
}

#define WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
#define NO_INTEGER "ERR hash value is not an integer"

/* A poison, the key it is in, what cannot be right then (of `wholes`), the fields refused, and Redis' own words. */
static const struct poison {
	const char *poison, *key, *spoiled;
	size_t refused;
	const char *words;
} poisons[] = {
	{"SET %s x", "hits:2020", " hits:2020 ", 1, WRONG_TYPE},
	{"SET %s x", "hits", " hits ", 4, WRONG_TYPE},
	{"HSET %s all x", "hits", " hits ", 1, NO_INTEGER},
	{"SET %s x", "visits:2020", " visits:2020 ", 1, WRONG_TYPE},
	{"SET %s x", "visits", " visits ", 4, WRONG_TYPE},
	{"SET %s x", "visitors", " visitors ", 4, WRONG_TYPE},
	/* By how much the day grew is not known then. */
	{"SET %s x", "visitors:2020", " visitors:2020 visitors ", 1, WRONG_TYPE},
	{"HSET %s 05-20 x", "visitors:2020", " visitors:2020 visitors ", 1, NO_INTEGER},
	{"SET %s x", "unique:2020-05-20", " unique:2020-05-20 visitors:2020 visitors ", 1,
	 "WRONGTYPE Key is not a valid HyperLogLog string value."},
	/* The visits cannot be judged, and who is online not read. */
	{"SET %s x", "seen", " seen visits:2020 visits pagevisits pagevisits:2020-05-20 ", 2,
	 WRONG_TYPE},
	{"SET %s x", "bots:2020", " bots:2020 ", 1, WRONG_TYPE},
	{"SET %s x", "bots", " bots ", 4, WRONG_TYPE},
	{"SET %s x", "hours:2020-05-20", " hours:2020-05-20 ", 1, WRONG_TYPE},
	{"HSET %s a 1", "pages:2020-05-20", " pages:2020-05-20 ", 2, WRONG_TYPE},
	{"HSET %s a 1", "pages:2020-05", " pages:2020-05 ", 2, WRONG_TYPE},
	{"HSET %s a 1", "pages", " pages ", 2, WRONG_TYPE},
	{"HSET %s a 1", "countries:2020-05-20", " countries:2020-05-20 ", 1, WRONG_TYPE},
	{"HSET %s a 1", "bots:2020-05", " bots:2020-05 ", 1, WRONG_TYPE},
	{"HSET %s a 1", "refused:2020-05", " refused:2020-05 ", 1, WRONG_TYPE},
	{"HSET %s a 1", "pagevisits", " pagevisits ", 2, WRONG_TYPE},
	{"HSET %s a 1", "pagevisits:2020-05-20", " pagevisits:2020-05-20 ", 2, WRONG_TYPE},
};

static void
test_nothing_poisoned(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = whole_delta();
	struct apply_reply reply;
	assert_int_equal(apply(store, SHARD, 0, 1, delta, &reply), STORE_OK);
	assert_int_equal(reply.refused, 0);
	assert_int_equal(reply.days[0].bots, 1);
	assert_all_but(here, " ");
	assert_answer(here, "23", "DBSIZE"); /* those, and the positions */
	apply_reply_release(&reply);
	delta_free(delta);
	store_free(store);
}

static void
test_each_key(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = whole_delta();
	for (size_t i = 0; i < COUNT_OF(poisons); i++) {
		struct apply_reply reply;
		char key[64], words[192];
		snprintf(key, sizeof(key), KEY ":%s", poisons[i].key);
		snprintf(words, sizeof(words), "%s: %s", key, poisons[i].words);
		assert_answer(here, "OK", "FLUSHALL");
		(void)ask(here, poisons[i].poison, key);
		assert_int_equal(apply(store, SHARD, 0, 1, delta, &reply), STORE_OK);
		if (reply.refused != poisons[i].refused)
			fail_msg("%s: %zu fields are refused", poisons[i].key, reply.refused);
		assert_string_equal(reply.refusal, words);
		assert_answer(here, "1:20200520", "HGET thongke:{03}:streams stream");
		assert_all_but(here, poisons[i].spoiled);
		apply_reply_release(&reply);
	}
	delta_free(delta);
	store_free(store);
}

/* A number that was refused is -1 in the reply, the others are what Redis holds. */
static void
test_numbers_of_a_refusal(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = whole_delta();
	struct apply_reply reply;
	const int64_t expected[METRIC_COUNT][PERIOD_KINDS] = {
		{3, 3, -1, 3, 3}, {-1, 2, 2, 2, 2}, {2, -1, -1, -1, -1}};
	(void)ask(here, "HSET " KEY ":hits 2020-05 x");
	(void)ask(here, "SET " KEY ":visits:2020 x");
	(void)ask(here, "SET " KEY ":visitors x");
	(void)ask(here, "SET " KEY ":bots:2020 x");
	assert_int_equal(apply(store, SHARD, 0, 1, delta, &reply), STORE_OK);
	assert_memory_equal(reply.days[0].numbers, expected, sizeof(expected));
	assert_int_equal(reply.days[0].bots, -1);
	assert_int_equal(reply.refused, 1 + 1 + 4 + 1);
	assert_string_equal(reply.refusal, KEY ":hits: " NO_INTEGER);
	apply_reply_release(&reply);
	delta_free(delta);
	store_free(store);
}

/* The keys are mended: what was refused is lost, what comes is counted. */
static void
test_mended(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	struct delta *delta = whole_delta();
	(void)ask(here, "SET " KEY ":seen x");
	(void)ask(here, "SET " KEY ":hits x");
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	(void)ask(here, "DEL " KEY ":seen " KEY ":hits");
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	assert_answer(here, "3 3 3 3", "HMGET " KEY ":hits 2020-W21 2020-05 2020 all");
	assert_answer(here, "6", "HGET " KEY ":hits:2020 05-20");
	assert_answer(here, "2", "HGET " KEY ":visits all");
	assert_answer(here, "2", "HGET " KEY ":visitors all");
	delta_free(delta);
	store_free(store);
}

/* --- full tables --- */

static void
apply_pages(struct store *store, uint64_t *at, const char *const *pages, size_t count)
{
	struct delta *delta = delta_new();
	for (size_t i = 0; i < count; i++) {
		struct hit hit =
			hit_with(noon + (int64_t)*at, 100 + *at * 10 + i, HIT_PAGES, pages[i]);
		delta_add(delta, &hit, GAP, true);
	}
	assert_int_equal(apply_quietly(store, *at, *at + 1, delta), STORE_OK);
	++*at;
	delta_free(delta);
}

/* Two places a day: who has a row keeps it and goes on rising, whoever else comes is "(other)", however often. */
static void
test_full_tables(void **state)
{
	static const char *const first[] = {"/a", "/b"}, *const late[] = {"/c", "/b", "/d", "/c"},
				 *const again[] = {"/c", "/a"};
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 2);
	uint64_t at = 0;
	apply_pages(store, &at, first, COUNT_OF(first));
	apply_pages(store, &at, late, COUNT_OF(late));
	assert_answer(here, "/a 1 /b 2 (other) 3",
		      "ZRANGE " KEY ":pages:2020-05-20 0 -1 WITHSCORES");
	assert_answer(here, "/a 1 /b 2 (other) 3",
		      "ZRANGE " KEY ":pagevisits:2020-05-20 0 -1 WITHSCORES");
	apply_pages(store, &at, again, COUNT_OF(again));
	assert_answer(here, "/a 2 /b 2 (other) 4",
		      "ZRANGE " KEY ":pages:2020-05-20 0 -1 WITHSCORES");
	assert_answer(here, "/a 2 /b 2 (other) 4",
		      "ZRANGE " KEY ":pagevisits:2020-05-20 0 -1 WITHSCORES");
	/* 20 times as many in the month and in all. */
	assert_answer(here, "/d 1 /a 2 /b 2 /c 3", "ZRANGE " KEY ":pages:2020-05 0 -1 WITHSCORES");
	assert_answer(here, "/d 1 /a 2 /b 2 /c 3", "ZRANGE " KEY ":pagevisits 0 -1 WITHSCORES");
	store_free(store);
}

/* More members than the script passes at once: none of them is lost between two of its pieces. */
static void
test_a_long_table(void **state)
{
	enum { MEMBERS = 5000, PLACES = 4500 };
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PLACES);
	struct delta *delta = delta_new();
	for (int round = 1; round <= 2; round++)
		for (int i = 0; i < MEMBERS; i++) {
			char page[16];
			snprintf(page, sizeof(page), "/%d", i);
			struct hit hit = hit_with(noon, 0, HIT_PAGES, page);
			delta_add(delta, &hit, GAP, true);
		}
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	assert_answer(here, "4501", "ZCARD " KEY ":pages:2020-05-20");
	assert_answer(here, "4500", "ZCOUNT " KEY ":pages:2020-05-20 2 2");
	assert_answer(here, "1000", "ZSCORE " KEY ":pages:2020-05-20 (other)");
	assert_answer(here, "5000", "ZCOUNT " KEY ":pages 2 2");
	delta_free(delta);
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_poisoned, redis_here_empty),
		cmocka_unit_test_setup(test_each_key, redis_here_empty),
		cmocka_unit_test_setup(test_numbers_of_a_refusal, redis_here_empty),
		cmocka_unit_test_setup(test_mended, redis_here_empty),
		cmocka_unit_test_setup(test_full_tables, redis_here_empty),
		cmocka_unit_test_setup(test_a_long_table, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_poison", tests, redis_here_start,
					   redis_here_stop);
}
