/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits: how many of a network's hits pass, worked out by hand: 120 in a minute are one in 500 ms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#include "base/network.h"
#include "hit/limits.h"

enum { LIMIT = 120, THREADS = 4, NOW = 1000000 };

static union address
address_of(const char *text)
{
	union address at;
	assert_true(address_parse(slice_of(text), &at));
	return at;
}

static enum limit_verdict
take(struct limits *limits, const char *text, int64_t now)
{
	union address at = address_of(text);
	return limits_take(limits, &at.any, LIMIT, now);
}

/* How many of `count` hits at one moment get the verdict. */
static int
take_many(struct limits *limits, const char *text, int count, enum limit_verdict verdict,
	  int64_t now)
{
	int found = 0;
	for (int i = 0; i < count; i++)
		found += take(limits, text, now) == verdict;
	return found;
}

static void
a_minutes_worth_passes_at_once_and_then_one_in_half_a_second(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	for (int i = 0; i < 120; i++)
		assert_int_equal(take(limits, "192.0.2.1", NOW), LIMIT_WITHIN);
	assert_int_equal(take(limits, "192.0.2.1", NOW), LIMIT_OVER);
	assert_int_equal(take(limits, "192.0.2.1", NOW + 499), LIMIT_OVER);
	assert_int_equal(take(limits, "192.0.2.1", NOW + 500), LIMIT_WITHIN);
	assert_int_equal(take(limits, "192.0.2.1", NOW + 500), LIMIT_OVER);
	/* A steady flow at the limit passes for ever. */
	for (int i = 2; i < 1000; i++)
		assert_int_equal(take(limits, "192.0.2.1", NOW + 500 * i), LIMIT_WITHIN);
	/* However long the silence, it saves up a minute's worth and no more. */
	assert_int_equal(take_many(limits, "192.0.2.1", 130, LIMIT_WITHIN, NOW + 90000000), 120);
	limits_free(limits);
	limits_free(NULL);
}

static void
far_over_is_ten_times_the_limit(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	assert_int_equal(take_many(limits, "192.0.2.1", 120, LIMIT_WITHIN, NOW), 120);
	assert_int_equal(take_many(limits, "192.0.2.1", 1080, LIMIT_OVER, NOW), 1080);
	assert_int_equal(take(limits, "192.0.2.1", NOW), LIMIT_FAR_OVER);
	/* 1,200 in a minute are one in 50 ms. */
	assert_int_equal(take(limits, "192.0.2.1", NOW + 49), LIMIT_FAR_OVER);
	assert_int_equal(take(limits, "192.0.2.1", NOW + 50), LIMIT_OVER);
	assert_int_equal(take(limits, "192.0.2.1", NOW + 50), LIMIT_FAR_OVER);
	/* A minute of silence forgives everything. */
	assert_int_equal(take(limits, "192.0.2.1", NOW + 60050), LIMIT_WITHIN);
	limits_free(limits);
}

/* Rates that do not divide a minute, up to the greatest: still exactly as many at once. */
static void
any_rate_is_exact(void **state)
{
	(void)state;
	static const int rates[] = {1, 7, 59, 61, 7919, 99991, 1000000};
	union address at = address_of("192.0.2.1");
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		struct limits *limits = limits_new();
		int passed = 0;
		for (int n = 0; n < rates[i] + 9; n++)
			passed += limits_take(limits, &at.any, rates[i], NOW) == LIMIT_WITHIN;
		assert_int_equal(passed, rates[i]);
		assert_int_equal(limits_take(limits, &at.any, rates[i], NOW + 60000), LIMIT_WITHIN);
		limits_free(limits);
	}
}

static void
networks_are_independent(void **state)
{
	(void)state;
	static const char *const others[] = {
		"127.0.0.1",       "192.0.2.2",  "1.2.0.192",
		"2001:db8:1:2::1", "c000:201::", /* begins with the bytes of 192.0.2.1 */
		"::192.0.2.1",
	};
	struct limits *limits = limits_new();
	assert_int_equal(take_many(limits, "192.0.2.1", 121, LIMIT_WITHIN, NOW), 120);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(take_many(limits, others[i], 121, LIMIT_WITHIN, NOW), 120);
	/* The same address in its other form. */
	assert_int_equal(take(limits, "::ffff:192.0.2.1", NOW), LIMIT_OVER);
	assert_int_equal(take(limits, "::ffff:192.0.2.3", NOW), LIMIT_WITHIN);
	limits_free(limits);
}

static void
addresses_of_a_64_share_a_limit(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	assert_int_equal(take_many(limits, "2001:db8:1:2::1", 60, LIMIT_WITHIN, NOW), 60);
	assert_int_equal(
		take_many(limits, "2001:db8:1:2:ffff:ffff:ffff:ffff", 61, LIMIT_WITHIN, NOW), 60);
	assert_int_equal(take(limits, "2001:db8:1:2::1", NOW), LIMIT_OVER);
	assert_int_equal(take(limits, "2001:db8:1:3::1", NOW), LIMIT_WITHIN);
	limits_free(limits);
}

/* Eight times 120 are 960, whoever of the /48 sends them; ten times that are 9,600. */
static void
a_48_has_eight_times_as_much(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	enum { SENT = 9700 };
	int verdicts[3] = {0};
	union address at = address_of("2001:db8:1::1");
	/* A flood of one /64 costs its neighbours no more than its own 120. */
	assert_int_equal(take_many(limits, "2001:db8:1:ffff::1", 1000, LIMIT_WITHIN, NOW), 120);
	for (int i = 0; i < SENT; i++) {
		at.v6.sin6_addr.s6_addr[6] = (unsigned char)(i / 128);
		at.v6.sin6_addr.s6_addr[7] = (unsigned char)(i % 128);
		verdicts[limits_take(limits, &at.any, LIMIT, NOW)]++;
	}
	assert_int_equal(verdicts[LIMIT_WITHIN], 960 - 120);
	assert_int_equal(verdicts[LIMIT_OVER], 9600 - 960);
	assert_int_equal(verdicts[LIMIT_FAR_OVER], SENT - (9600 - 120));
	assert_int_equal(take(limits, "2001:db8:2::1", NOW), LIMIT_WITHIN);
	limits_free(limits);
}

static void
some_are_never_limited(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	union address at = {.any.sa_family = AF_UNIX}, nobody = {.any.sa_family = AF_UNSPEC};
	union address far = address_of("192.0.2.1");
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(limits_take(limits, &at.any, LIMIT, NOW), LIMIT_WITHIN);
		assert_int_equal(limits_take(limits, &nobody.any, LIMIT, NOW), LIMIT_WITHIN);
		assert_int_equal(limits_take(limits, NULL, LIMIT, NOW), LIMIT_WITHIN);
		assert_int_equal(limits_take(limits, &far.any, 0, NOW), LIMIT_WITHIN);
	}
	/* Without a limit nothing was charged either. */
	assert_int_equal(take_many(limits, "192.0.2.1", 121, LIMIT_WITHIN, NOW), 120);
	limits_free(limits);
}

static union address
stranger(uint32_t number)
{
	union address at = {.any.sa_family = AF_INET};
	at.v4.sin_addr.s_addr = htonl(0x0a000000 + number);
	return at;
}

/*
 * A million strangers push out no network that is heard in between: three of fifty in its one of 65,536 buckets are
 * one case in 10^10. Two million push out a silent one: fewer than three of them in its bucket are one case in
 * 10^10.
 */
static void
the_longest_silent_is_forgotten(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	assert_int_equal(take_many(limits, "192.0.2.1", 120, LIMIT_WITHIN, NOW), 120);
	for (uint32_t i = 0; i < 3000000; i++) {
		union address at = stranger(i);
		limits_take(limits, &at.any, LIMIT, NOW);
		if (i < 1000000 && i % 50 == 0)
			assert_int_not_equal(take(limits, "192.0.2.1", NOW), LIMIT_WITHIN);
	}
	assert_int_equal(take(limits, "192.0.2.1", NOW), LIMIT_WITHIN);
	limits_free(limits);
}

/* Of 20,000 networks, three of which fit each of 65,536 buckets, one in a thousand is expected to be forgotten. */
static void
many_are_remembered_at_once(void **state)
{
	(void)state;
	struct limits *limits = limits_new();
	int verdicts[2][3] = {0};
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < 20000; i++) {
			union address at = stranger(i);
			verdicts[pass][limits_take(limits, &at.any, 1, NOW)]++;
		}
	assert_int_equal(verdicts[0][LIMIT_WITHIN], 20000);
	assert_in_range(verdicts[1][LIMIT_OVER], 19800, 20000);
	limits_free(limits);
}

struct race {
	struct limits *limits;
	atomic_int ready;
	atomic_int verdicts[3];
};

static void *
race_take(void *argument)
{
	struct race *race = argument;
	union address at = address_of("2001:db8::1");
	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < THREADS)
		;
	for (int i = 0; i < 20000; i++)
		atomic_fetch_add(&race->verdicts[limits_take(race->limits, &at.any, 2000, NOW)], 1);
	return NULL;
}

static void
threads_share_exactly_one_limit(void **state)
{
	(void)state;
	struct race race = {.limits = limits_new()};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_take, &race), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&race.verdicts[LIMIT_WITHIN]), 2000);
	assert_int_equal(atomic_load(&race.verdicts[LIMIT_OVER]), 18000);
	assert_int_equal(atomic_load(&race.verdicts[LIMIT_FAR_OVER]), 60000);
	limits_free(race.limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_worth_passes_at_once_and_then_one_in_half_a_second),
		cmocka_unit_test(far_over_is_ten_times_the_limit),
		cmocka_unit_test(any_rate_is_exact),
		cmocka_unit_test(networks_are_independent),
		cmocka_unit_test(addresses_of_a_64_share_a_limit),
		cmocka_unit_test(a_48_has_eight_times_as_much),
		cmocka_unit_test(some_are_never_limited),
		cmocka_unit_test(the_longest_silent_is_forgotten),
		cmocka_unit_test(many_are_remembered_at_once),
		cmocka_unit_test(threads_share_exactly_one_limit),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
