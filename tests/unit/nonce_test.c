/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of nonces: a claim is won once, by one thread, for as long as it says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "hit/nonce.h"

enum { THREADS = 4, CLAIMS = 20000 };

/* 2020-05-20T07:32:07Z: far from where the lower 32 bits of the milliseconds wrap. */
static const int64_t now = INT64_C(1589959927000);
static const uint64_t hash = UINT64_C(0x123456789abcdef0);

static void
test_hash(void **state)
{
	(void)state;
	struct slice empty = SLICE("");
	uint64_t hashes[] = {
		nonce_hash(SLICE("site"), SLICE("nonce")),
		nonce_hash(SLICE("sit"), SLICE("enonce")),
		nonce_hash(SLICE("siten"), SLICE("once")),
		nonce_hash(SLICE("sitenonce"), empty),
		nonce_hash(empty, SLICE("sitenonce")),
		nonce_hash(SLICE("site2"), SLICE("nonce")),
		nonce_hash(SLICE("site"), SLICE("nonce2")),
		nonce_hash(empty, empty),
	};
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		assert_int_not_equal(hashes[i], 0);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(hashes[i], hashes[j]);
	}
	/* It is kept in journals: the same in every process. */
	assert_int_equal(hashes[0], nonce_hash(SLICE("site"), SLICE("nonce")));
	assert_int_equal(hashes[7], nonce_hash((struct slice){0}, (struct slice){0}));
}

static void
test_claim_and_release(void **state)
{
	(void)state;
	struct nonces *nonces = nonces_new();
	assert_true(nonces_claim(nonces, hash, now, NONCE_KEEP_MS));
	assert_false(nonces_claim(nonces, hash, now, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, hash + 1, now, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, hash ^ UINT64_C(1) << 63, now, NONCE_KEEP_MS));
	nonces_release(nonces, hash);
	assert_false(nonces_claim(nonces, hash + 1, now, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, hash, now, NONCE_KEEP_MS));
	assert_false(nonces_claim(nonces, hash, now, NONCE_KEEP_MS));
	nonces_release(nonces, hash + 2);
	assert_true(nonces_claim(nonces, 0, now, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, 0, now, NONCE_KEEP_MS));
	nonces_free(nonces);
	nonces_free(NULL);
}

static void
test_ten_minutes(void **state)
{
	(void)state;
	/* The second start is where the lower 32 bits of the milliseconds wrap. */
	const int64_t starts[] = {now, INT64_C(371) << 32, (INT64_C(371) << 32) - 1};
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct nonces *nonces = nonces_new();
		int64_t start = starts[i];
		assert_true(nonces_claim(nonces, hash, start, NONCE_KEEP_MS));
		assert_false(nonces_claim(nonces, hash, start + 599999, NONCE_KEEP_MS));
		assert_false(nonces_claim(nonces, hash, start - 5000, NONCE_KEEP_MS));
		assert_true(nonces_claim(nonces, hash, start + 600000, NONCE_KEEP_MS));
		assert_false(nonces_claim(nonces, hash, start + 1199999, NONCE_KEEP_MS));
		assert_true(
			nonces_claim(nonces, hash, start + INT64_C(86400000) * 40, NONCE_KEEP_MS));
		nonces_free(nonces);
	}
}

/* Claims of any length may lie in one table: each is held against its own. */
static void
test_other_spans(void **state)
{
	(void)state;
	const int64_t days = INT64_C(86400000) * 24;
	struct nonces *nonces = nonces_new();
	assert_true(nonces_claim(nonces, hash, now, 5000));
	assert_false(nonces_claim(nonces, hash, now + 4999, 5000));
	assert_true(nonces_claim(nonces, hash, now + 5000, 5000));
	assert_true(nonces_claim(nonces, hash + 1, now, days));
	assert_false(nonces_claim(nonces, hash + 1, now + days - 1, days));
	assert_true(nonces_claim(nonces, hash + 1, now + days, days));
	nonces_free(nonces);
}

/* Hashes of one bucket, whatever the table's size: equal in their lower half. */
static uint64_t
neighbour(unsigned i)
{
	return hash + ((uint64_t)i << 32);
}

static void
test_oldest_goes_first(void **state)
{
	(void)state;
	struct nonces *nonces = nonces_new();
	for (unsigned i = 0; i < 7; i++)
		assert_true(nonces_claim(nonces, neighbour(i), now + (i + 3) % 7, NONCE_KEEP_MS));
	for (unsigned i = 0; i < 7; i++)
		assert_false(nonces_claim(nonces, neighbour(i), now + 10, NONCE_KEEP_MS));
	/* The oldest is the fifth: (4 + 3) % 7 is 0. */
	assert_true(nonces_claim(nonces, neighbour(7), now + 10, NONCE_KEEP_MS));
	assert_false(nonces_claim(nonces, neighbour(5), now + 10, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, neighbour(4), now + 10, NONCE_KEEP_MS));
	assert_true(nonces_claim(nonces, neighbour(5), now + 10, NONCE_KEEP_MS));
	nonces_free(nonces);
}

/* A bucket full of claims from weeks ago, on either side of half the wrap, is as good as empty. */
static void
test_old_claims_do_not_block(void **state)
{
	(void)state;
	for (int64_t days = 1; days < 100; days++) {
		struct nonces *nonces = nonces_new();
		int64_t later = now + days * 86400000;
		for (unsigned i = 0; i < 7; i++)
			assert_true(nonces_claim(nonces, neighbour(i), now, NONCE_KEEP_MS));
		for (unsigned i = 10; i < 17; i++)
			assert_true(nonces_claim(nonces, neighbour(i), later, NONCE_KEEP_MS));
		for (unsigned i = 10; i < 17; i++)
			assert_false(nonces_claim(nonces, neighbour(i), later, NONCE_KEEP_MS));
		nonces_free(nonces);
	}
}

/*
 * Many at once, few enough that no bucket overflows by more than chance: 20,000 in 65,536 buckets
 * of 7.
 */
static void
test_many(void **state)
{
	(void)state;
	struct nonces *nonces = nonces_new();
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < CLAIMS; i++) {
			struct slice text = {(const char *)&i, sizeof(i)};
			uint64_t each = nonce_hash(SLICE("site"), text);
			assert_int_equal(nonces_claim(nonces, each, now, NONCE_KEEP_MS), pass == 0);
		}
	nonces_free(nonces);
}

struct race {
	struct nonces *nonces;
	atomic_int ready;
	atomic_int won[CLAIMS];
};

static void *
race_claim(void *argument)
{
	struct race *race = argument;
	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < THREADS)
		;
	for (int i = 0; i < CLAIMS; i++) {
		struct slice text = {(const char *)&i, sizeof(i)};
		if (nonces_claim(race->nonces, nonce_hash(SLICE("site"), text), now, NONCE_KEEP_MS))
			atomic_fetch_add(&race->won[i], 1);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	(void)state;
	static struct race race;
	pthread_t threads[THREADS];
	race.nonces = nonces_new();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_claim, &race), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CLAIMS; i++)
		assert_int_equal(atomic_load(&race.won[i]), 1);
	nonces_free(race.nonces);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_claim_and_release),
		cmocka_unit_test(test_ten_minutes),
		cmocka_unit_test(test_other_spans),
		cmocka_unit_test(test_oldest_goes_first),
		cmocka_unit_test(test_old_claims_do_not_block),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
