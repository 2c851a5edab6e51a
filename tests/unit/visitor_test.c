/* SPDX-License-Identifier: BSD-2-Clause */
/* Visitor ids: who is told apart and who is not. Salts: one per date, the same for every thread. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "hit/visitor.h"

enum { DAY = 18402, THREADS = 4 };

static const struct salt salt = {"0123456789abcdef"};
#define SITE SLICE("sotttt")
#define AGENT SLICE("Mozilla/5.0")

static uint64_t
id_of(const char *address, struct slice site, struct slice agent)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	if (inet_pton(AF_INET, address, &at.v4.sin_addr) == 1) {
		at.any.sa_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &at.v6.sin6_addr), 1);
		at.any.sa_family = AF_INET6;
	}
	return visitor_id(&salt, site, &at.any, agent);
}

static void
test_same_visitor(void **state)
{
	(void)state;
	uint64_t v4 = id_of("192.0.2.1", SITE, AGENT), v6 = id_of("2001:db8:1:2::1", SITE, AGENT);
	assert_int_not_equal(v4, 0);
	assert_int_equal(v4, id_of("192.0.2.1", SITE, AGENT));
	assert_int_equal(v4, id_of("::ffff:192.0.2.1", SITE, AGENT));
	assert_int_equal(v6, id_of("2001:db8:1:2:ffff:ffff:ffff:ffff", SITE, AGENT));
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = 1}, b = a;
	b.sin_port = 2;
	assert_int_equal(visitor_id(&salt, SITE, (struct sockaddr *)&a, AGENT),
			 visitor_id(&salt, SITE, (struct sockaddr *)&b, AGENT));
}

static void
test_other_visitor(void **state)
{
	(void)state;
	struct salt other_salt = {"0123456789abcdeF"};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	uint64_t ids[] = {
		id_of("192.0.2.1", SITE, AGENT),
		id_of("192.0.2.2", SITE, AGENT),
		id_of("2001:db8:1:2::1", SITE, AGENT),
		id_of("2001:db8:1:3::1", SITE, AGENT),
		id_of("c000:201::", SITE, AGENT), /* begins with the bytes of 192.0.2.1 */
		id_of("192.0.2.1", SLICE("sotttt2"), AGENT),
		id_of("192.0.2.1", SLICE("sott"), SLICE("ttMozilla/5.0")),
		id_of("192.0.2.1", SLICE("sottttM"), SLICE("ozilla/5.0")),
		id_of("192.0.2.1", SITE, SLICE("Mozilla/5.1")),
		id_of("192.0.2.1", SITE, (struct slice){0}),
		id_of("0.0.0.0", SITE, AGENT),
		visitor_id(&salt, SITE, NULL, AGENT),
		visitor_id(&other_salt, SITE, (struct sockaddr *)&v4, AGENT),
	};
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
}

static void
test_unix_socket(void **state)
{
	(void)state;
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/a"}, b = a;
	b.sun_path[1] = 'b';
	assert_int_equal(visitor_id(&salt, SITE, (struct sockaddr *)&a, AGENT),
			 visitor_id(&salt, SITE, (struct sockaddr *)&b, AGENT));
}

static bool
salt_eq(struct salt a, struct salt b)
{
	return memcmp(a.bytes, b.bytes, SALT_SIZE) == 0;
}

static void
test_salts(void **state)
{
	(void)state;
	struct salts *salts = salts_new();
	struct salt today = salts_get(salts, DAY), nothing = {{0}};
	assert_false(salt_eq(today, nothing));
	assert_true(salt_eq(today, salts_get(salts, DAY)));
	assert_false(salt_eq(today, salts_get(salts, DAY + 1)));
	assert_false(salt_eq(today, salts_get(salts, DAY - 1)));
	salts_set(salts, DAY, &salt);
	assert_true(salt_eq(salt, salts_get(salts, DAY)));
	assert_false(salt_eq(salt, salts_get(salts, DAY + 1)));
	/* Four dates are current at once: three zones' todays, and the newest's tomorrow. */
	struct salt dates[4];
	for (int i = 0; i < 4; i++)
		dates[i] = salts_get(salts, DAY + i);
	for (int i = 0; i < 4; i++)
		assert_true(salt_eq(dates[i], salts_get(salts, DAY + i)));
	salts_free(salts);
	salts_free(NULL);
}

static void
test_old_salts_go(void **state)
{
	(void)state;
	struct salts *salts = salts_new();
	salts_set(salts, DAY, &salt);
	salts_set(salts, -1, &salt);
	assert_true(salt_eq(salt, salts_get(salts, -1)));
	(void)salts_get(salts, DAY + 3);
	assert_true(salt_eq(salt, salts_get(salts, DAY)));
	(void)salts_get(salts, DAY + 4);
	assert_false(salt_eq(salt, salts_get(salts, DAY)));
	assert_false(salt_eq(salt, salts_get(salts, -1)));
	salts_free(salts);
}

struct race {
	struct salts *salts;
	atomic_int ready;
	struct salt first[THREADS][64];
	atomic_int at;
};

static void *
race_get(void *argument)
{
	struct race *race = argument;
	int me = atomic_fetch_add(&race->at, 1);
	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < THREADS)
		;
	for (int i = 0; i < 64; i++)
		race->first[me][i] = salts_get(race->salts, DAY + i / 16);
	return NULL;
}

static void
test_threads_agree(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		static struct race race;
		pthread_t threads[THREADS];
		race.salts = salts_new();
		atomic_store(&race.ready, 0);
		atomic_store(&race.at, 0);
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, race_get, &race), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < THREADS; i++)
			for (int j = 0; j < 64; j++)
				assert_true(salt_eq(race.first[i][j], race.first[0][j / 16 * 16]));
		salts_free(race.salts);
	}
}

static void *
race_set(void *argument)
{
	struct race *race = argument;
	struct salt own;
	for (int i = 0; atomic_load(&race->ready) == 0; i++) {
		memset(own.bytes, i, SALT_SIZE);
		salts_set(race->salts, DAY, &own);
	}
	return NULL;
}

/* A salt is read whole: all its bytes are of the same writing. */
static void
test_no_torn_salt(void **state)
{
	(void)state;
	static struct race race;
	pthread_t writer;
	struct salt start = {{0}};
	race.salts = salts_new();
	salts_set(race.salts, DAY, &start);
	assert_int_equal(pthread_create(&writer, NULL, race_set, &race), 0);
	/* Until the two have met often enough, or, on one processor, long enough. */
	for (int reads = 0, changes = 0, last = 0; reads < 5000000 && changes < 20000; reads++) {
		struct salt got = salts_get(race.salts, DAY);
		for (int b = 1; b < SALT_SIZE; b++)
			if (got.bytes[b] != got.bytes[0])
				fail_msg("a salt of two writings");
		changes += got.bytes[0] != last;
		last = got.bytes[0];
	}
	atomic_store(&race.ready, 1);
	pthread_join(writer, NULL);
	salts_free(race.salts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_visitor), cmocka_unit_test(test_other_visitor),
		cmocka_unit_test(test_unix_socket),  cmocka_unit_test(test_salts),
		cmocka_unit_test(test_old_salts_go), cmocka_unit_test(test_threads_agree),
		cmocka_unit_test(test_no_torn_salt),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
