/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's sites and cells: what the snapshot takes from them and gives back, and many threads at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "board_here.h"

/* --- the snapshot --- */

static size_t
copy_cells(struct board *to)
{
	struct board_site *copy = board_site(to, board_site_key(site));
	size_t copied = 0;
	for (int i = 0; i < BOARD_CELLS; i++) {
		struct board_cell cell;
		if (!board_cell_get(site, i, &cell))
			continue;
		board_cell_set(copy, i, &cell);
		copied++;
	}
	return copied;
}

static void
take_visits_of_last_week(int64_t visits, int64_t visitors)
{
	int64_t numbers[METRIC_COUNT][SHOWN_PERIODS];
	memset(numbers, SAME, sizeof(numbers));
	numbers[METRIC_VISITS][SHOWN_LAST_WEEK] = visits;
	numbers[METRIC_VISITORS][SHOWN_LAST_WEEK] = visitors;
	board_lock(board, board_site_shard(site));
	assert_int_equal(board_take(site, TODAY, numbers, &silence, false), 0);
	board_unlock(board, board_site_shard(site));
}

/* It holds Redis' part alone: own hits past it are read from the journal again. */
static void
cells_hold_what_redis_holds(void **state)
{
	(void)state;
	take(TODAY, (const int64_t[]){650, 1508, 700, 0, 20000, 5, 160000, 6, 200000}, true);
	add(TODAY, 3);
	seen(TODAY, 2);
	confirm(TODAY, 1, (const int64_t[]){651, 701, 20001, 160001, 200001}, false);
	struct board *later = board_new();
	take_visits_of_last_week(33, 22);
	/* today and yesterday, two weeks, two months, two years, all */
	assert_int_equal(copy_cells(later), 9);
	board_free(board);
	board = later;
	site = board_site(board, SLICE("sotttt"));
	assert_true(board_known(site));
	static const int64_t redis[] = {651, 1508, 701, 0, 20001, 5, 160001, 6, 200001};
	assert_shown(TODAY, redis);
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITS][SHOWN_LAST_WEEK], 33);
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITORS][SHOWN_LAST_WEEK], 22);
	assert_int_equal(shown_on(TODAY).numbers[METRIC_VISITS][SHOWN_TODAY], 0);
	/* Read again from the journal: the two that Redis does not have, now one of them in it. */
	add(TODAY, 2);
	seen(TODAY, 2);
	confirm_each(TODAY, 1, SAME);
	assert_int_equal(shown_today(), 653);
	assert_int_equal(take(TODAY, redis, false), 1); /* one of the two is gone from Redis */
	assert_int_equal(shown_today(), 652);
}

static void
an_untouched_site_has_no_cells(void **state)
{
	(void)state;
	struct board *later = board_new();
	assert_int_equal(copy_cells(later), 0);
	assert_false(board_known(board_site(later, SLICE("sotttt"))));
	board_free(later);
}

/* A snapshot may come from a process whose clock was ahead. */
static void
a_cell_of_days_to_come_is_left_out(void **state)
{
	(void)state;
	board_cell_set(site, 0, &(struct board_cell){SEPTEMBER, {1000, 900, 800}, {0}});
	assert_true(board_known(site));
	assert_int_equal(shown_on(SEPTEMBER).numbers[METRIC_HITS][SHOWN_TODAY], 0);
	add(TODAY, 1);
	assert_int_equal(shown_today(), 1);
}

/* --- sites --- */

static void
count_cb(struct board_site *each, void *arg)
{
	unsigned *met = arg;
	unsigned long number;
	struct slice key = board_site_key(each);
	if (key.ptr[0] == 'n' && (number = strtoul(key.ptr + 1, NULL, 10)) < 1000)
		met[number]++;
}

static void
a_site_stays_where_it_is(void **state)
{
	(void)state;
	static struct board_site *sites[1000];
	static unsigned met[1000];
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "n%d", i);
		sites[i] = board_site(board, slice_of(key));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "n%d", i);
		assert_ptr_equal(board_site(board, slice_of(key)), sites[i]);
		assert_true(slice_eq(board_site_key(sites[i]), slice_of(key)));
	}
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		board_each(board, shard, count_cb, met);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(met[i], 1);
	assert_ptr_equal(board_site(board, SLICE("sotttt")), site);
	/* CRC-16/XMODEM of "sotttt" and of "a", modulo 64, by Python's binascii.crc_hqx */
	assert_int_equal(board_site_shard(site), 27);
	assert_int_equal(board_site_shard(board_site(board, SLICE("a"))), 7);
}

static void
sites_do_not_mix(void **state)
{
	(void)state;
	struct board_site *first = site, *other = board_site(board, SLICE("other"));
	take_each(10, true);
	add(TODAY, 1);
	site = other;
	take_each(500, true);
	add(TODAY, 2);
	assert_int_equal(shown_today(), 502);
	site = first;
	assert_int_equal(shown_today(), 11);
}

/* --- threads --- */

enum { THREADS = 3, ADDS = 20000, OTHERS = 7 };

static _Atomic int added; /* hits on the board */
static _Atomic bool over;

static void *
add_main(void *arg)
{
	struct date date = {0};
	(void)arg;
	date_fill(&date, TODAY);
	for (int i = 0; i < ADDS; i++) {
		board_add(site, &date);
		added++;
	}
	return NULL;
}

/* What answers show rises with every hit and never falls. */
static void *
look_main(void *arg)
{
	int64_t last = 0, now;
	bool *fell = arg;
	do {
		int64_t before = added;
		now = shown_today();
		*fell |= now < last || now < before;
		last = now;
	} while (!over);
	return NULL;
}

/* The tally: hands over what it has read, and takes Redis' numbers; another daemon counts OTHERS hits each time. */
static void
tally_and_reader(void)
{
	int64_t redis = 0, handed = 0;
	for (int turn = 1; handed < (int64_t)THREADS * ADDS; turn++) {
		int64_t batch = added - handed;
		redis += batch + OTHERS;
		handed += batch;
		seen(TODAY, batch);
		if (turn % 3 == 0) {
			take_each(redis, true);
		} else {
			confirm_each(TODAY, batch, redis);
			take_each(redis, false);
		}
	}
	assert_int_equal(shown_today(), redis);
}

static void
many_threads_add_while_offsets_move(void **state)
{
	(void)state;
	pthread_t adders[THREADS], looker;
	bool fell = false;
	added = 0;
	over = false;
	take_each(0, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&adders[i], NULL, add_main, NULL), 0);
	assert_int_equal(pthread_create(&looker, NULL, look_main, &fell), 0);
	tally_and_reader();
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(adders[i], NULL);
	pthread_join(looker, NULL);
	assert_false(fell);
	assert_int_equal(added, THREADS * ADDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cells_hold_what_redis_holds),
		TEST(an_untouched_site_has_no_cells),
		TEST(a_cell_of_days_to_come_is_left_out),
		TEST(a_site_stays_where_it_is),
		TEST(sites_do_not_mix),
		TEST(many_threads_add_while_offsets_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
