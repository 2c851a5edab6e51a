/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that are asked for, and many threads at once: the queue of what the reader is to fetch, with its limits by hand;
 * workers who add while a tally hands over, throws away and takes, and the sums that must be right when they are done.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pages_here.h"

/* --- the queue --- */

enum { MANY = 1000 };

static struct page_want wants[MANY];

static void
want_of(struct page_key page, const char *site, int32_t day, bool waiting)
{
	static struct page_want want;
	want = (struct page_want){.key = page, .day = day, .site_len = (uint8_t)strlen(site)};
	memcpy(want.site, site, strlen(site));
	pages_want(pages, &want, waiting);
}

/* Somebody looks at it, and asks for it. */
static void
look_and_want(unsigned i, bool waiting)
{
	struct page_counts counts;
	bool stale;
	(void)pages_get(pages, key_of(i), TODAY, &counts, &stale);
	want_of(key_of(i), "a", TODAY, waiting);
}

static size_t
wanted(void)
{
	return pages_wanted(pages, wants, MANY, 0);
}

static void
asked_for_once(void **state)
{
	(void)state;
	assert_int_equal(wanted(), 0);
	look_and_want(1, true);
	look_and_want(1, true);
	look_and_want(2, true);
	assert_int_equal(wanted(), 2);
	assert_int_equal(wanted(), 0);
	/* Being fetched: nobody asks for it again, unless nothing is heard for a while. */
	look_and_want(1, true);
	assert_int_equal(wanted(), 0);
	mono_ms += PAGES_WAIT_MS;
	look_and_want(1, true);
	assert_int_equal(wanted(), 1);
	/* Dealt with, be it in vain: whoever looks now may ask at once. */
	pages_dealt_with(pages, wants, 1);
	look_and_want(1, true);
	assert_int_equal(wanted(), 1);
	assert_int_equal(wants[0].day, TODAY);
	assert_true(wants[0].key.high == key_of(1).high);
	/* What has no place cannot be taken in. */
	want_of(key_of(3), "a", TODAY, true);
	assert_int_equal(wanted(), 0);
}

/* So that one question to Redis serves many: by shard, then by site, then by day. */
static void
in_the_order_of_shards_and_sites(void **state)
{
	(void)state;
	static const struct {
		int shard;
		const char *site;
		int32_t day;
	} asked[] = {{9, "b", 5}, {1, "b", 5}, {9, "a", 6}, {1, "b", 4},
		     {9, "a", 5}, {1, "c", 5}, {1, "b", 5}},
	  sorted[] = {{1, "b", 4}, {1, "b", 5}, {1, "b", 5}, {1, "c", 5},
		      {9, "a", 5}, {9, "a", 6}, {9, "b", 5}};
	for (unsigned i = 0; i < COUNT_OF(asked); i++) {
		struct page_counts counts;
		struct page_key page = key_of(i);
		bool stale;
		page.shard = asked[i].shard;
		(void)pages_get(pages, page, asked[i].day, &counts, &stale);
		want_of(page, asked[i].site, asked[i].day, true);
	}
	assert_int_equal(wanted(), COUNT_OF(sorted));
	for (size_t i = 0; i < COUNT_OF(sorted); i++) {
		assert_int_equal(wants[i].key.shard, sorted[i].shard);
		assert_int_equal(wants[i].site[0], sorted[i].site[0]);
		assert_int_equal(wants[i].day, sorted[i].day);
	}
}

/* As many as there is room for, the others later. */
static void
a_few_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		look_and_want(i, true);
	assert_int_equal(pages_wanted(pages, wants, 4, 0), 4);
	assert_int_equal(pages_wanted(pages, wants + 4, 4, 0), 4);
	assert_int_equal(pages_wanted(pages, wants + 8, 4, 0), 2);
	for (unsigned i = 0; i < 10; i++) {
		size_t met = 0;
		for (unsigned j = 0; j < 10; j++)
			met += wants[j].key.high == key_of(i).high;
		assert_int_equal(met, 1);
	}
}

/* More than the queue holds: those that are lost may be asked for again a moment later. */
static void
more_than_the_queue_holds(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		look_and_want(i, true);
	size_t first = wanted();
	assert_in_range(first, 1, MANY - 1);
	pages_dealt_with(pages, wants, first);
	mono_ms += PAGES_WAIT_MS;
	for (unsigned i = (unsigned)first; i < MANY; i++)
		look_and_want(i, true);
	assert_int_equal(wanted(), MANY - first);
}

/* Nobody waits for a fresher number of a page that is known: 50 of them a second, and as many others as will. */
static void
few_stale_ones(void **state)
{
	(void)state;
	for (int second = 0; second < 3; second++) {
		for (unsigned i = 0; i < 80; i++)
			look_and_want(i, false);
		assert_int_equal(wanted(), 50);
		for (unsigned i = 100; i < 180; i++)
			look_and_want(i, true);
		assert_int_equal(wanted(), 80);
		mono_ms += 999;
		look_and_want(200, false);
		assert_int_equal(wanted(), 0);
		mono_ms += 1;
	}
}

/* Known, but a second old: somebody else may have counted since. Redis' word makes it fresh. */
static void
stale_after_a_second(void **state)
{
	(void)state;
	struct page_counts counts;
	struct page_key page = key_of(1);
	bool stale = true;
	settle();
	take_new(page, TODAY, 10, 100, 5, 50);
	assert_int_equal(pages_get(pages, page, TODAY, &counts, &stale), PAGE_KNOWN);
	assert_false(stale);
	mono_ms += 1000;
	(void)pages_get(pages, page, TODAY, &counts, &stale);
	assert_false(stale);
	mono_ms += 1;
	(void)pages_get(pages, page, TODAY, &counts, &stale);
	assert_true(stale);
	pages_confirm(pages, page, TODAY, 1, 0, 0);
	(void)pages_get(pages, page, TODAY, &counts, &stale);
	assert_false(stale);
}

/* Whoever waits is told, also of what could not be fetched. */
static void
notified(void **state)
{
	(void)state;
	int fds[2];
	for (int i = 0; i < 2; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		pages_notify(pages, fds[i]);
	}
	look_and_want(1, true);
	assert_int_equal(wanted(), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(poll(&(struct pollfd){fds[i], POLLIN, 0}, 1, 0), 0);
	pages_dealt_with(pages, wants, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(poll(&(struct pollfd){fds[i], POLLIN, 0}, 1, 0), 1);
		close(fds[i]);
	}
}

static void *
want_later_main(void *arg)
{
	(void)arg;
	look_and_want(1, true);
	return NULL;
}

static int64_t
real_mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The reader sleeps until something is wanted, long before its time is over. */
static void
the_reader_is_woken(void **state)
{
	(void)state;
	enum { LONG_MS = 20000 };
	pthread_t thread;
	const int64_t start = mono_ms = real_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, want_later_main, NULL), 0);
	assert_int_equal(pages_wanted(pages, wants, MANY, LONG_MS), 1);
	assert_in_range(real_mono_ms() - start, 0, LONG_MS - 1);
	pthread_join(thread, NULL);
}

/* --- many threads --- */

/* Some pages of their own, and a crowd in one place; what was written, what Redis holds, and what was handed over. */
enum { APART = 8, TOGETHER = 40, PAGES = APART + TOGETHER, ADDERS = 3, ADDS = 20000 };

static struct world {
	_Atomic int written[PAGES];
	int redis[PAGES], handed[PAGES], thrown[PAGES];
	_Atomic bool over;
	_Atomic bool wrong;
} world;

static struct page_key
page_at(int i)
{
	return i < APART ? key_of((unsigned)i + 1000) : neighbour((unsigned)i);
}

/* A worker: its hit is in the journal first, so that the tally may be there before it is added. */
static void *
add_main(void *arg)
{
	unsigned random = *(unsigned *)arg;
	for (int i = 0; i < ADDS; i++) {
		random = random * 1103515245 + 12345;
		int page = (int)((random >> 16) % PAGES);
		world.written[page]++;
		pages_add(pages, page_at(page), TODAY);
	}
	return NULL;
}

/* Answers: no number that anybody could have counted is exceeded. */
static void *
look_main(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !world.over; i++) {
		struct page_counts counts;
		bool stale;
		enum page_state is =
			pages_get(pages, page_at((int)(i % PAGES)), TODAY, &counts, &stale);
		bool sound = is != PAGE_KNOWN ||
			     (counts.hits_total >= -ADDERS && counts.hits_total <= ADDERS * ADDS);
		if (!sound)
			world.wrong = true;
	}
	return NULL;
}

/* A delta of all that is written and not handed over: confirmed, or thrown away and read again. */
static void
hand_over(bool lost)
{
	int batch[PAGES];
	for (int i = 0; i < PAGES; i++) {
		batch[i] = world.written[i] - world.handed[i];
		world.handed[i] += batch[i];
	}
	if (lost)
		pages_unsettle(pages, SHARD);
	for (int i = 0; i < PAGES; i++) {
		world.redis[i] += batch[i];
		if (lost)
			pages_throw_away(pages, page_at(i), TODAY, batch[i]);
		pages_confirm(pages, page_at(i), TODAY, batch[i], lost ? 0 : batch[i], 0);
	}
	if (lost)
		pages_settle(pages, SHARD);
}

static void
fetch_all(void)
{
	for (int i = 0; i < PAGES; i++)
		take_new(page_at(i), TODAY, world.redis[i], world.redis[i], 0, 0);
}

static int
handed_over(void)
{
	int sum = 0;
	for (int i = 0; i < PAGES; i++)
		sum += world.handed[i];
	return sum;
}

static void
many_threads_add_while_one_confirms(void **state)
{
	(void)state;
	pthread_t adders[ADDERS], looker;
	unsigned seeds[ADDERS];
	settle();
	for (unsigned i = 0; i < ADDERS; i++) {
		seeds[i] = i + 1;
		assert_int_equal(pthread_create(&adders[i], NULL, add_main, &seeds[i]), 0);
	}
	assert_int_equal(pthread_create(&looker, NULL, look_main, NULL), 0);
	for (int turn = 1; handed_over() < ADDERS * ADDS; turn++) {
		hand_over(turn % 5 == 0);
		if (turn % 3 == 0)
			fetch_all();
	}
	for (int i = 0; i < ADDERS; i++)
		pthread_join(adders[i], NULL);
	world.over = true;
	pthread_join(looker, NULL);
	assert_false(world.wrong);
	/* Nothing is on its way: each page can be known, and shows what Redis holds. */
	for (int i = 0; i < PAGES; i++) {
		take_new(page_at(i), TODAY, world.redis[i], world.redis[i], 0, 0);
		assert_shown(page_at(i), TODAY, world.redis[i], world.redis[i], 0, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asked_for_once),
		TEST(in_the_order_of_shards_and_sites),
		TEST(a_few_at_a_time),
		TEST(more_than_the_queue_holds),
		TEST(few_stale_ones),
		TEST(stale_after_a_second),
		TEST(notified),
		TEST(the_reader_is_woken),
		TEST(many_threads_add_while_one_confirms),
	};
	return cmocka_run_group_tests(tests, initialise, NULL);
}
