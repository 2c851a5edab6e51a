/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applying deltas to a real Redis: what is stored under which name, and that every call counts once or not at all,
 * whatever Redis answers. 2021-01-01 is day 18628 and in the ISO week 2020-W53.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_here.h"

enum { NEW_YEAR = 18628 };

static void
add(struct delta *delta, const char *site, int32_t day, int hour, const char *page, int times)
{
	struct hit hit = {.site = slice_of(site),
			  .day = day,
			  .hour = (uint8_t)hour,
			  .count = 1,
			  .values[HIT_PAGES] = slice_of(page)};
	while (times-- > 0)
		delta_add(delta, &hit, 1800000, true);
}

static struct delta *
delta_of(const char *site, int32_t day, int hour, const char *page, int times)
{
	struct delta *delta = delta_new();
	add(delta, site, day, hour, page, times);
	return delta;
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All keys, sorted, in one text. */
static struct words
all_keys(struct redis_here *here)
{
	struct words found = ask(here, "KEYS *"), sorted = {""};
	char *names[64], *rest = NULL;
	size_t count = 0, len = 0;
	for (char *at = strtok_r(found.text, " ", &rest); at && count < COUNT_OF(names);
	     at = strtok_r(NULL, " ", &rest))
		names[count++] = at;
	qsort(names, count, sizeof(*names), compare_words);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(sorted.text + len, sizeof(sorted.text) - len, "%s%s",
					i ? " " : "", names[i]);
	return sorted;
}

static void
test_key_names(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/tin-tuc", 2);
	struct apply_reply reply;
	add(delta, SITE, DAY, 9, "/", 1);
	add(delta, SITE, NEW_YEAR, 0, NULL, 1);
	assert_int_equal(apply(store, SHARD, 0, 120, delta, &reply), STORE_OK);
	assert_string_equal(all_keys(here).text,
			    KEY ":hits " KEY ":hits:2020 " KEY ":hits:2021 " KEY
				":hours:2020-05-20 " KEY ":hours:2021-01-01 " KEY ":pages " KEY
				":pages:2020-05 " KEY ":pages:2020-05-20 thongke:{03}:streams");
	assert_answer(here, "120:20200520", "HGET thongke:{03}:streams stream");
	assert_answer(here, "3 3 1 1 3 1 4 nil",
		      "HMGET " KEY ":hits 2020-05 2020-W21 2021-01 2020-W53 2020 2021 all x");
	assert_answer(here, "05-20 3", "HGETALL " KEY ":hits:2020");
	assert_answer(here, "01-01 1", "HGETALL " KEY ":hits:2021");
	assert_answer(here, "1 2", "HMGET " KEY ":hours:2020-05-20 09 14");
	assert_answer(here, "00 1", "HGETALL " KEY ":hours:2021-01-01");
	assert_answer(here, "/ 1 /tin-tuc 2", "ZRANGE " KEY ":pages:2020-05-20 0 -1 WITHSCORES");
	assert_answer(here, "/ 1 /tin-tuc 2", "ZRANGE " KEY ":pages:2020-05 0 -1 WITHSCORES");
	assert_answer(here, "/ 1 /tin-tuc 2", "ZRANGE " KEY ":pages 0 -1 WITHSCORES");
	/* Day, week, month, year, all. Nobody was told apart, so nobody visited. */
	const int64_t first[METRIC_COUNT][PERIOD_KINDS] = {{3, 3, 3, 3, 3}};
	const int64_t second[METRIC_COUNT][PERIOD_KINDS] = {{1, 1, 1, 1, 4}};
	assert_int_equal(reply.day_count, 2);
	assert_memory_equal(reply.days[0].numbers, first, sizeof(first));
	assert_memory_equal(reply.days[1].numbers, second, sizeof(second));
	assert_int_equal(reply.days[0].online, 0);
	assert_int_equal(reply.days[0].bots, 0);
	assert_int_equal(reply.refused, 0);
	assert_string_equal(reply.refusal, "");
	apply_reply_release(&reply);
	delta_free(delta);
	store_free(store);
}

/* What lives 400 days, and what for ever (TTL -1). */
static void
test_expiry(void **state)
{
	static const char *const passing[] = {"hours:2020-05-20", "pages:2020-05-20"};
	static const char *const lasting[] = {"hits", "hits:2020", "pages", "pages:2020-05"};
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	for (size_t i = 0; i < COUNT_OF(passing); i++) {
		int64_t left = strtoll(ask(here, "TTL " KEY ":%s", passing[i]).text, NULL, 10);
		assert_in_range(left, 400 * 86400 - 60, 400 * 86400);
	}
	for (size_t i = 0; i < COUNT_OF(lasting); i++)
		assert_answer(here, "-1", "TTL " KEY ":%s", lasting[i]);
	assert_answer(here, "-1", "TTL thongke:{03}:streams");
	delta_free(delta);
	store_free(store);
}

static void
test_compare_and_set(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	struct apply_reply reply;
	assert_int_equal(apply_quietly(store, 7, 8, delta), STORE_MISMATCH);
	assert_answer(here, "", "KEYS *");
	assert_int_equal(apply_quietly(store, 0, UINT64_MAX - 1, delta), STORE_OK);
	assert_answer(here, "18446744073709551614:20200520", "HGET thongke:{03}:streams stream");
	/* The two greatest offsets are one and the same double. */
	assert_int_equal(apply(store, SHARD, UINT64_MAX, 5, delta, &reply), STORE_MISMATCH);
	assert_int_equal(reply.stored_count, 1);
	assert_true(reply.stored[0].present);
	assert_true(reply.stored[0].offset == UINT64_MAX - 1);
	assert_string_equal(reply.stored[0].rest, "20200520");
	apply_reply_release(&reply);
	assert_int_equal(apply_quietly(store, UINT64_MAX - 1, 9, NULL), STORE_OK);
	assert_answer(here, "9:20200520", "HGET thongke:{03}:streams stream");
	assert_answer(here, "1", "HGET " KEY ":hits all");
	delta_free(delta);
	store_free(store);
}

/* What the caller does not know to be forgotten it may have summed up. A key that holds something else stops nothing. */
static void
test_forgotten(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	struct apply_reply reply;
	int64_t newest[CONF_SHARDS];
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	(void)ask(here, "HSET thongke:{03}:forgotten " SITE " 1589959927000 : 1589959927001");
	assert_int_equal(apply(store, SHARD, 1, 2, delta, &reply), STORE_MISMATCH);
	assert_int_equal(reply.forgotten, INT64_C(1589959927001));
	assert_true(reply.stored_count == 1 && reply.stored[0].offset == 1);
	apply_reply_release(&reply);
	assert_int_equal(store_forgotten(store, newest), STORE_OK);
	for (int i = 0; i < CONF_SHARDS; i++)
		assert_int_equal(newest[i], i == SHARD ? INT64_C(1589959927001) : 0);
	assert_answer(here, "1", "HGET " KEY ":hits all");
	store_know_forgotten(store, SHARD, newest[SHARD]);
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	/* Redis knows less: it has it all again. */
	(void)ask(here, "DEL thongke:{03}:forgotten");
	assert_int_equal(apply_quietly(store, 2, 3, delta), STORE_MISMATCH);
	(void)ask(here, "SET thongke:{03}:forgotten poison");
	assert_int_equal(apply(store, SHARD, 2, 3, delta, &reply), STORE_OK);
	assert_int_equal(reply.refused, 1);
	assert_non_null(strstr(reply.refusal, "thongke:{03}:forgotten"));
	apply_reply_release(&reply);
	assert_int_equal(store_forgotten(store, newest), STORE_OK);
	assert_int_equal(newest[SHARD], -1);
	assert_answer(here, "3", "HGET " KEY ":hits all");
	delta_free(delta);
	store_free(store);
}

static void
test_all_streams_or_none(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	struct apply_reply reply;
	struct advance advances[] = {{"a", 10, 20, "x"}, {"b", 0, 5, "y:z"}, {"c", 1, 2, ""}};
	(void)ask(here, "HSET thongke:{03}:streams a 10 c 2:rest:more");
	assert_int_equal(store_send(store, SHARD, advances, 3, delta), STORE_OK);
	assert_int_equal(store_receive(store, &reply), STORE_MISMATCH);
	assert_int_equal(reply.stored_count, 3);
	assert_true(reply.stored[0].present && reply.stored[0].offset == 10);
	assert_string_equal(reply.stored[0].rest, "");
	assert_true(!reply.stored[1].present && reply.stored[1].offset == 0);
	assert_true(reply.stored[2].present && reply.stored[2].offset == 2);
	assert_string_equal(reply.stored[2].rest, "rest:more");
	apply_reply_release(&reply);
	assert_answer(here, "10 nil 2:rest:more", "HMGET thongke:{03}:streams a b c");
	assert_answer(here, "0", "EXISTS " KEY ":hits");
	advances[2].previous = 2;
	assert_int_equal(store_send(store, SHARD, advances, 3, delta), STORE_OK);
	assert_int_equal(store_receive(store, &reply), STORE_OK);
	apply_reply_release(&reply);
	assert_answer(here, "20:x 5:y:z 2:", "HMGET thongke:{03}:streams a b c");
	assert_answer(here, "1", "HGET " KEY ":hits all");
	delta_free(delta);
	store_free(store);
}

/* A position that is no number is nobody's to guess: refused, and the connection stays good. */
static void
test_spoiled_position(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	(void)ask(here, "HSET thongke:{03}:streams stream abc");
	assert_int_equal(apply_quietly(store, 0, 1, NULL), STORE_REFUSED);
	assert_true(store_connected(store));
	assert_non_null(strstr(store_error(store), "thongke:{03}:streams"));
	store_free(store);
}

/* Refused as a whole: nothing is done, and the same call goes through when Redis is well again. */
static void
check_refusal(struct redis_here *here, const char *spoil, const char *heal, const char *word)
{
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	assert_answer(here, "OK", spoil);
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_REFUSED);
	assert_non_null(strstr(store_error(store), word));
	assert_true(store_connected(store));
	assert_answer(here, "OK", heal);
	assert_answer(here, "1:20200520", "HGET thongke:{03}:streams stream");
	assert_answer(here, "1", "HGET " KEY ":hits all");
	assert_answer(here, "1", "ZSCORE " KEY ":pages /");
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	assert_answer(here, "2", "HGET " KEY ":hits all");
	assert_answer(here, "2", "ZSCORE " KEY ":pages /");
	delta_free(delta);
	store_free(store);
}

static void
test_out_of_memory(void **state)
{
	check_refusal(*state, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "OOM");
}

static void
test_forbidden(void **state)
{
	check_refusal(*state, "ACL SETUSER default -hset", "ACL SETUSER default +hset",
		      "can't run this command");
}

static void
test_read_only(void **state)
{
	check_refusal(*state, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READONLY");
}

/* What stands in the way of one key is reported; everything else is counted, once. */
static void
test_poisoned_key(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/a", 1);
	struct apply_reply reply;
	add(delta, SITE, DAY, 14, "/b", 1);
	(void)ask(here, "SET " KEY ":pages:2020-05-20 poison");
	(void)ask(here, "HSET " KEY ":hits 2020-05 poison");
	assert_int_equal(apply(store, SHARD, 0, 1, delta, &reply), STORE_OK);
	assert_int_equal(reply.refused, 3);
	assert_string_equal(reply.refusal,
			    KEY ":pages:2020-05-20: WRONGTYPE Operation against a key holding the "
				"wrong kind of value");
	const int64_t expected[METRIC_COUNT][PERIOD_KINDS] = {{2, 2, -1, 2, 2}};
	assert_memory_equal(reply.days[0].numbers, expected, sizeof(expected));
	apply_reply_release(&reply);
	assert_answer(here, "poison", "GET " KEY ":pages:2020-05-20");
	assert_answer(here, "-1", "TTL " KEY ":pages:2020-05-20");
	assert_answer(here, "poison 2 2 2", "HMGET " KEY ":hits 2020-05 2020-W21 2020 all");
	assert_answer(here, "/a 1 /b 1", "ZRANGE " KEY ":pages 0 -1 WITHSCORES");
	assert_answer(here, "14 2", "HGETALL " KEY ":hours:2020-05-20");
	delta_free(delta);
	store_free(store);
}

/* Two values fit in a day's table and 20 times that in the others: who is in stays, who comes late is "(other)". */
static void
test_caps(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 2);
	struct delta *delta = delta_of(SITE, DAY, 14, "/a", 1);
	assert_int_equal(apply_quietly(store, 0, 1, delta), STORE_OK);
	add(delta, SITE, DAY, 14, "/b", 1);
	add(delta, SITE, DAY, 14, "/c", 4);
	add(delta, SITE, DAY, 14, "/d", 5);
	assert_int_equal(apply_quietly(store, 1, 2, delta), STORE_OK);
	assert_answer(here, "/b 1 /a 2 (other) 9",
		      "ZRANGE " KEY ":pages:2020-05-20 0 -1 WITHSCORES");
	assert_answer(here, "/b 1 /a 2 /c 4 /d 5", "ZRANGE " KEY ":pages:2020-05 0 -1 WITHSCORES");
	delta_clear(delta);
	for (int i = 0; i < 40; i++) {
		char page[16];
		snprintf(page, sizeof(page), "/%d", i);
		add(delta, SITE, DAY + 1, 14, page, 1);
	}
	assert_int_equal(apply_quietly(store, 2, 3, delta), STORE_OK);
	assert_answer(here, "41", "ZCARD " KEY ":pages:2020-05");
	assert_answer(here, "4", "ZSCORE " KEY ":pages:2020-05 (other)");
	assert_answer(here, "4", "ZSCORE " KEY ":pages (other)");
	assert_answer(here, "1", "ZSCORE " KEY ":pages /35");
	assert_answer(here, "nil", "ZSCORE " KEY ":pages /36");
	assert_answer(here, "38", "ZSCORE " KEY ":pages:2020-05-21 (other)");
	delta_free(delta);
	store_free(store);
}

/* --- pipelines --- */

static int
send_one(struct store *store, int shard, uint64_t previous, uint64_t next,
	 const struct delta *delta)
{
	struct advance advance = {"stream", previous, next, "20200520"};
	return store_send(store, shard, &advance, 1, delta);
}

static void
expect_values(struct store *store, int64_t all)
{
	struct apply_reply reply;
	assert_int_equal(store_receive(store, &reply), STORE_OK);
	assert_int_equal(reply.day_count, 1);
	assert_int_equal(reply.days[0].numbers[METRIC_HITS][PERIOD_ALL], all);
	apply_reply_release(&reply);
}

static void
test_64_calls_at_once(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *delta = delta_new();
	for (int shard = 0; shard < 64; shard++) {
		add(delta, SITE, DAY, 14, NULL, 1);
		assert_int_equal(send_one(store, shard, 0, 1, delta), STORE_OK);
	}
	assert_int_equal(send_one(store, 0, 1, 2, delta), STORE_REFUSED);
	for (int shard = 0; shard < 64; shard++)
		expect_values(store, shard + 1);
	assert_answer(here, "64", "HGET thongke:{63}:" SITE ":hits all");
	delta_free(delta);
	store_free(store);
}

static void
await_hits(struct redis_here *here, long hits)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	while (strtol(ask(here, "HGET " KEY ":hits all").text, NULL, 10) != hits) {
		assert_true(clock_mono_ms() < deadline);
		pause_briefly();
	}
}

/*
 * The script is forgotten between the first call and the others: those are sent again, and the replies still come in
 * the order asked. The first call is large enough to leave at once; that it was done is seen in Redis.
 */
static void
test_forgotten_script(void **state)
{
	enum { PAGES = 100 };
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct delta *large = delta_new(), *small = delta_new();
	for (int i = 0; i < PAGES; i++) {
		char page[512];
		snprintf(page, sizeof(page), "/%0500d", i);
		add(large, SITE, DAY, 1, page, 1);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(send_one(store, 3, (uint64_t)round, (uint64_t)round + 1, large),
				 STORE_OK);
		await_hits(here, PAGES * (round + 1));
		assert_answer(here, "OK", "SCRIPT FLUSH");
		for (int shard = 4; shard < 8; shard++) {
			add(small, SITE, DAY, 1, NULL, 1);
			assert_int_equal(
				send_one(store, shard, (uint64_t)round, (uint64_t)round + 1, small),
				STORE_OK);
		}
		expect_values(store, PAGES * (round + 1));
		for (int shard = 4; shard < 8; shard++)
			expect_values(store, round ? 2 * (shard - 3) + 4 : shard - 3);
		assert_answer(here, "4",
			      "EXISTS thongke:{04}:streams thongke:{05}:streams "
			      "thongke:{06}:streams thongke:{07}:streams");
	}
	delta_free(large);
	delta_free(small);
	store_free(store);
}

/* A frozen server: no answer within the timeout, for all that is on its way. The counts are settled afterwards. */
static void
test_timeout(void **state)
{
	enum { SHORT_MS = 100 };
	struct redis_here *here = *state;
	struct store *store = store_at(here, SHORT_MS, 10000);
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	struct apply_reply reply;
	assert_int_equal(kill(here->pid, SIGSTOP), 0);
	int64_t start = clock_mono_ms();
	for (int shard = 3; shard < 6; shard++)
		assert_int_equal(send_one(store, shard, 0, 1, delta), STORE_OK);
	for (int shard = 3; shard < 6; shard++)
		assert_int_equal(store_receive(store, &reply), STORE_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - start, SHORT_MS, 20 * SHORT_MS);
	assert_non_null(strstr(store_error(store), "100 ms"));
	assert_false(store_connected(store));
	assert_int_equal(store_send(store, SHARD, &(struct advance){"s", 0, 1, ""}, 1, NULL),
			 STORE_UNAVAILABLE);
	assert_int_equal(store_connect(store), STORE_UNAVAILABLE);
	assert_int_equal(kill(here->pid, SIGCONT), 0);
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	while (store_connect(store) != STORE_OK && clock_mono_ms() < deadline)
		pause_briefly();
	for (int shard = 3; shard < 6; shard++) {
		int status = apply(store, shard, 0, 1, delta, &reply);
		assert_true(status == STORE_OK || status == STORE_MISMATCH);
		if (status == STORE_MISMATCH)
			assert_true(reply.stored[0].offset == 1);
		apply_reply_release(&reply);
		assert_answer(here, "1", "HGET thongke:{%02d}:" SITE ":hits all", shard);
	}
	delta_free(delta);
	store_free(store);
}

/* Replies that were on their way when the connection ended are reported as lost, even behind a new connection. */
static void
test_lost_replies(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, 10000);
	struct apply_reply reply;
	assert_int_equal(send_one(store, 3, 0, 1, NULL), STORE_OK);
	assert_int_equal(send_one(store, 4, 0, 1, NULL), STORE_OK);
	store_disconnect(store);
	assert_int_equal(store_connect(store), STORE_OK);
	assert_int_equal(send_one(store, 5, 0, 1, NULL), STORE_OK);
	assert_int_equal(store_receive(store, &reply), STORE_UNAVAILABLE);
	assert_int_equal(store_receive(store, &reply), STORE_UNAVAILABLE);
	assert_true(store_connected(store));
	assert_int_equal(store_receive(store, &reply), STORE_OK);
	apply_reply_release(&reply);
	assert_int_equal(store_receive(store, &reply), STORE_REFUSED);
	assert_true(store_connected(store));
	assert_answer(here, "1", "CLIENT KILL TYPE normal SKIPME yes");
	assert_int_equal(apply_quietly(store, 1, 2, NULL), STORE_UNAVAILABLE);
	assert_false(store_connected(store));
	store_free(store);
}

/* Whoever is first moves the position; the other one's hits are not counted beside it. */
static void
test_race(void **state)
{
	enum { ROUNDS = 50 };
	struct redis_here *here = *state;
	struct store *stores[] = {store_at(here, TIMEOUT_MS, 10000),
				  store_at(here, TIMEOUT_MS, 10000)};
	struct delta *delta = delta_of(SITE, DAY, 14, "/", 1);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		int won = 0, lost = 0;
		for (int i = 0; i < 2; i++)
			assert_int_equal(send_one(stores[i], SHARD, round, round + 1, delta),
					 STORE_OK);
		for (int i = 0; i < 2; i++) {
			struct apply_reply reply;
			int status = store_receive(stores[(round + (uint64_t)i) % 2], &reply);
			won += status == STORE_OK;
			lost += status == STORE_MISMATCH && reply.stored[0].offset == round + 1;
			apply_reply_release(&reply);
		}
		assert_int_equal(won, 1);
		assert_int_equal(lost, 1);
	}
	assert_answer(here, "50", "HGET " KEY ":hits all");
	delta_free(delta);
	store_free(stores[0]);
	store_free(stores[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_key_names, redis_here_empty),
		cmocka_unit_test_setup(test_expiry, redis_here_empty),
		cmocka_unit_test_setup(test_compare_and_set, redis_here_empty),
		cmocka_unit_test_setup(test_forgotten, redis_here_empty),
		cmocka_unit_test_setup(test_all_streams_or_none, redis_here_empty),
		cmocka_unit_test_setup(test_spoiled_position, redis_here_empty),
		cmocka_unit_test_setup(test_out_of_memory, redis_here_empty),
		cmocka_unit_test_setup(test_forbidden, redis_here_empty),
		cmocka_unit_test_setup(test_read_only, redis_here_empty),
		cmocka_unit_test_setup(test_poisoned_key, redis_here_empty),
		cmocka_unit_test_setup(test_caps, redis_here_empty),
		cmocka_unit_test_setup(test_64_calls_at_once, redis_here_empty),
		cmocka_unit_test_setup(test_forgotten_script, redis_here_empty),
		cmocka_unit_test_setup(test_timeout, redis_here_empty),
		cmocka_unit_test_setup(test_lost_replies, redis_here_empty),
		cmocka_unit_test_setup(test_race, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store", tests, redis_here_start, redis_here_stop);
}
