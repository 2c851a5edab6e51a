/* SPDX-License-Identifier: BSD-2-Clause */
/* The delta against a plain list that is searched from its start, and its size against arithmetic done by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/delta.h"

enum { DAY = 18402 /* 2020-05-20 */, GAP = 1800000 };

static struct hit
hit_of(const char *site, int32_t day, int hour, const char *page)
{
	return (struct hit){.site = slice_of(site),
			    .day = day,
			    .hour = (uint8_t)hour,
			    .count = 1,
			    .values[HIT_PAGES] = slice_of(page)};
}

static void
add(struct delta *delta, const char *site, int32_t day, int hour, const char *page)
{
	struct hit hit = hit_of(site, day, hour, page);
	delta_add(delta, &hit, GAP, true);
}

static void
test_sums(void **state)
{
	struct delta *delta = *state;
	size_t count;
	assert_true(delta_is_empty(delta));
	add(delta, "a", DAY, 14, "/x");
	add(delta, "a", DAY, 14, "/x");
	add(delta, "a", DAY, 23, "/y");
	add(delta, "a", DAY + 1, 0, "/x");
	add(delta, "ab", DAY, 14, NULL);
	assert_false(delta_is_empty(delta));
	assert_int_equal(delta_records(delta), 5);
	const struct delta_day *days = delta_days(delta, &count);
	assert_int_equal(count, 3);
	assert_true(slice_eq(days[0].site, SLICE("a")));
	assert_int_equal(days[0].day, DAY);
	assert_int_equal(days[0].hits, 3);
	assert_int_equal(days[0].hours[14], 2);
	assert_int_equal(days[0].hours[23], 1);
	assert_int_equal(days[0].counts[HIT_PAGES], 2);
	assert_int_equal(days[0].visit_gap_ms, GAP);
	assert_int_equal(days[1].day, DAY + 1);
	assert_int_equal(days[1].hours[0], 1);
	assert_true(slice_eq(days[2].site, SLICE("ab")));
	assert_int_equal(days[2].hits, 1);
	assert_int_equal(days[2].counts[HIT_PAGES], 0);
	const struct delta_value *pages = delta_values(delta, &count);
	assert_int_equal(count, 3);
	assert_true(slice_eq(pages[0].text, SLICE("/x")) && pages[0].day == 0);
	assert_int_equal(pages[0].hits, 2);
	assert_int_equal(pages[0].nth, 0);
	assert_true(slice_eq(pages[1].text, SLICE("/y")) && pages[1].hits == 1);
	assert_int_equal(pages[1].nth, 1);
	assert_true(slice_eq(pages[2].text, SLICE("/x")) && pages[2].day == 1);
	assert_int_equal(pages[2].nth, 0);
}

/* A hit that is read again after its delta was thrown away is summed like any other, and not called fresh. */
static void
test_fresh(void **state)
{
	struct delta *delta = *state;
	struct hit hit = hit_of("a", DAY, 1, "/x");
	size_t count;
	delta_add(delta, &hit, GAP, false);
	delta_add(delta, &hit, GAP, true);
	delta_add(delta, &hit, GAP, false);
	const struct delta_day *day = delta_days(delta, &count);
	assert_int_equal(day->hits, 3);
	assert_int_equal(day->fresh, 1);
	const struct delta_value *page = delta_values(delta, &count);
	assert_int_equal(page->hits, 3);
	assert_int_equal(page->fresh, 1);
}

/* A bot's hit and a sum of refusals are no hits of people; the page of `scope=page` is counted, its site is not. */
static void
test_what_is_no_view(void **state)
{
	struct delta *delta = *state;
	struct hit bot = {.site = SLICE("a"), .day = DAY, .hour = 3, .count = 1, .visitor = 7};
	struct hit refused = {.site = SLICE("a"), .day = DAY, .hour = 3, .count = 41, .visitor = 7};
	struct hit page_only = hit_of("a", DAY, 3, "/x");
	size_t count;
	bot.values[HIT_BOTS] = SLICE("Googlebot");
	refused.values[HIT_REFUSED] = SLICE("rate");
	page_only.page_only = true;
	page_only.visitor = 7;
	delta_add(delta, &bot, GAP, true);
	delta_add(delta, &bot, GAP, true);
	delta_add(delta, &refused, GAP, true);
	delta_add(delta, &page_only, GAP, true);
	assert_int_equal(delta_records(delta), 4);
	const struct delta_day *day = delta_days(delta, &count);
	assert_int_equal(count, 1);
	assert_int_equal(day->hits, 0);
	assert_int_equal(day->bots, 2);
	assert_int_equal(day->hours[3], 0);
	assert_int_equal(day->runs, 0);
	const struct delta_value *values = delta_values(delta, &count);
	assert_int_equal(count, 3);
	assert_int_equal(values[0].dimension, HIT_BOTS);
	assert_int_equal(values[0].hits, 2);
	assert_int_equal(values[1].dimension, HIT_REFUSED);
	assert_int_equal(values[1].hits, 41);
	assert_int_equal(values[2].dimension, HIT_PAGES);
	assert_int_equal(values[2].hits, 1);
	(void)delta_runs(delta, &count);
	assert_int_equal(count, 0);
}

/* --- runs --- */

static void
visit(struct delta *delta, uint64_t visitor, int64_t time_ms, const char *page)
{
	struct hit hit = hit_of("a", DAY, 1, page);
	hit.visitor = visitor;
	hit.time_ms = time_ms;
	delta_add(delta, &hit, GAP, true);
}

static void
assert_run(const struct delta_run *run, uint64_t visitor, int64_t first_ms, int64_t last_ms,
	   uint32_t page)
{
	assert_int_equal(run->visitor, visitor);
	assert_int_equal(run->first_ms, first_ms);
	assert_int_equal(run->last_ms, last_ms);
	assert_int_equal(run->page, page);
}

/* A run ends where the gap is reached; what is not newer than its last hit changes nothing. */
static void
test_runs(void **state)
{
	struct delta *delta = *state;
	size_t count;
	visit(delta, 1, 1000, NULL);
	visit(delta, 2, 1001, "/a");
	visit(delta, 1, 1000 + GAP - 1, "/a");
	visit(delta, 2, 1001 + GAP, "/b");
	visit(delta, 2, 1001 + GAP - 5000, "/c");
	visit(delta, 1, 1000 + 2 * GAP - 2, "/b");
	visit(delta, 1, 1000 + 3 * GAP - 2, "/a");
	visit(delta, 0, 5000, "/a");
	const struct delta_run *runs = delta_runs(delta, &count);
	assert_int_equal(count, 4);
	assert_run(&runs[0], 1, 1000, 1000 + 2 * GAP - 2, 0);
	assert_run(&runs[1], 2, 1001, 1001, 1);
	assert_run(&runs[2], 2, 1001 + GAP, 1001 + GAP, 2);
	assert_run(&runs[3], 1, 1000 + 3 * GAP - 2, 1000 + 3 * GAP - 2, 1);
	assert_int_equal(delta_days(delta, &count)->runs, 4);
	assert_int_equal(delta_days(delta, &count)->hits, 8);
}

/* A visitor's hits on two days or two sites are runs of their own. */
static void
test_runs_of_days_and_sites(void **state)
{
	struct delta *delta = *state;
	struct hit hits[] = {hit_of("a", DAY, 23, NULL), hit_of("a", DAY + 1, 0, NULL),
			     hit_of("b", DAY, 23, NULL)};
	size_t count;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < COUNT_OF(hits); i++) {
			hits[i].visitor = 7;
			hits[i].time_ms = 1000 + round;
			delta_add(delta, &hits[i], GAP, true);
		}
	const struct delta_run *runs = delta_runs(delta, &count);
	assert_int_equal(count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_run(&runs[i], 7, 1000, 1001, 0);
		assert_int_equal(runs[i].day, i);
	}
}

/* Where the caller has decided, time plays no part. */
static void
test_decided(void **state)
{
	struct delta *delta = *state;
	struct hit hit = hit_of("a", DAY, 1, "/a");
	size_t count;
	hit.visitor = 7;
	delta_add_decided(delta, &hit, false);
	hit.time_ms = 10 * GAP;
	delta_add_decided(delta, &hit, false);
	delta_add_decided(delta, &hit, true);
	delta_add_decided(delta, &hit, false);
	delta_add_decided(delta, &hit, true);
	const struct delta_run *runs = delta_runs(delta, &count);
	assert_int_equal(count, 3);
	assert_false(runs[0].begins);
	assert_true(runs[1].begins);
	assert_true(runs[2].begins);
	const struct delta_day *day = delta_days(delta, &count);
	assert_int_equal(day->visit_gap_ms, 0);
	assert_int_equal(day->hits, 5);
	assert_int_equal(day->fresh, 5);
}

static void
test_clear_begins_again(void **state)
{
	struct delta *delta = *state;
	size_t count;
	for (int i = 0; i < 500; i++) {
		char page[16];
		snprintf(page, sizeof(page), "/%d", i);
		add(delta, "a", DAY + i, 1, page);
		visit(delta, (uint64_t)i + 1, 1000, page);
	}
	delta_clear(delta);
	assert_true(delta_is_empty(delta));
	assert_int_equal(delta_records(delta), 0);
	(void)delta_days(delta, &count);
	assert_int_equal(count, 0);
	(void)delta_values(delta, &count);
	assert_int_equal(count, 0);
	(void)delta_runs(delta, &count);
	assert_int_equal(count, 0);
	add(delta, "b", DAY, 1, "/499");
	const struct delta_day *days = delta_days(delta, &count);
	assert_int_equal(count, 1);
	assert_int_equal(days[0].hits, 1);
	assert_int_equal(days[0].hours[1], 1);
	assert_int_equal(days[0].counts[HIT_PAGES], 1);
	assert_int_equal(days[0].runs, 0);
}

/* --- its size --- */

static bool
room_for(const struct delta *delta, const char *site, int32_t day, int hour, const char *page)
{
	struct hit hit = hit_of(site, day, hour, page);
	return delta_has_room(delta, &hit);
}

/*
 * A site's day is 20 fields (hits, visits, visitors and bots of the day, week, month, year and all) and 1 for each hour;
 * a page stands in 3 tables.
 */
static void
test_room(void **state)
{
	enum { PAGES = (DELTA_PAIRS_MAX - 21) / 3, SPARE = (DELTA_PAIRS_MAX - 21) % 3 };
	struct delta *delta = *state;
	for (int i = 0; i < PAGES; i++) {
		char page[16];
		snprintf(page, sizeof(page), "/%d", i);
		assert_true(room_for(delta, "a", DAY, 0, page));
		add(delta, "a", DAY, 0, page);
	}
	assert_false(room_for(delta, "a", DAY, 0, "/new"));
	assert_false(room_for(delta, "a", DAY + 1, 0, NULL));
	assert_false(room_for(delta, "b", DAY, 0, NULL));
	assert_true(room_for(delta, "a", DAY, 0, "/163"));
	for (int hour = 1; hour <= SPARE; hour++) {
		assert_true(room_for(delta, "a", DAY, hour, "/163"));
		add(delta, "a", DAY, hour, NULL);
	}
	assert_false(room_for(delta, "a", DAY, 3, NULL));
	assert_true(room_for(delta, "a", DAY, 0, "/0"));
	delta_clear(delta);
	assert_true(room_for(delta, "a", DAY, 3, "/new"));
}

/* A run is a visitor in two sets, and its page may be one that a visit begins with: 3, be the visitor new or known. */
static void
test_room_of_runs(void **state)
{
	enum { RUNS = (DELTA_PAIRS_MAX - 24) / 3 };
	for (int known = 0; known < 2; known++) {
		struct delta *delta = *state;
		struct hit hit = hit_of("a", DAY, 0, "/");
		int runs = 0;
		delta_clear(delta);
		hit.visitor = 1;
		while (delta_has_room(delta, &hit) && runs <= RUNS) {
			delta_add(delta, &hit, GAP, true);
			hit.visitor += !known;
			hit.time_ms += GAP;
			runs++;
		}
		assert_int_equal(runs, RUNS);
	}
}

/* A day's table and a month's: every dimension but the pages stands in 2. */
static void
test_room_of_dimensions(void **state)
{
	enum { VALUES = (DELTA_PAIRS_MAX - 21) / 2 };
	for (int dimension = HIT_PAGES + 1; dimension < HIT_BOTS; dimension++) {
		struct delta *delta = *state;
		int values = 0;
		delta_clear(delta);
		for (; values <= VALUES; values++) {
			struct hit hit = hit_of("a", DAY, 0, NULL);
			char text[16];
			snprintf(text, sizeof(text), "%d", values);
			hit.values[dimension] = slice_of(text);
			if (!delta_has_room(delta, &hit))
				break;
			delta_add(delta, &hit, GAP, true);
		}
		assert_int_equal(values, VALUES);
	}
}

/* --- against a list --- */

struct plain {
	char site[8], page[8];
	int32_t day;
	int hour;
	uint32_t hits;
};

enum { MOST = 2000 };

static size_t
list_add(struct plain *list, size_t length, const struct plain *hit)
{
	size_t at = 0;
	while (at < length &&
	       (strcmp(list[at].site, hit->site) || strcmp(list[at].page, hit->page) ||
		list[at].day != hit->day || list[at].hour != hit->hour))
		at++;
	assert_in_range(at, 0, MOST - 1);
	if (at == length)
		list[length++] = *hit;
	else
		list[at].hits += hit->hits;
	return length;
}

static void
check_days(const struct delta *delta, const struct plain *list, size_t length)
{
	size_t count;
	const struct delta_day *days = delta_days(delta, &count);
	assert_int_equal(count, 8 * 4);
	for (size_t i = 0; i < count; i++) {
		uint32_t hours[2] = {0};
		for (size_t at = 0; at < length; at++)
			if (slice_eq(days[i].site, slice_of(list[at].site)) &&
			    days[i].day == list[at].day)
				hours[list[at].hour] += list[at].hits;
		assert_int_equal(days[i].hours[0], hours[0]);
		assert_int_equal(days[i].hours[1], hours[1]);
		assert_int_equal(days[i].hits, hours[0] + hours[1]);
		assert_int_equal(days[i].counts[HIT_PAGES], 16);
	}
}

static void
check_pages(const struct delta *delta, const struct plain *list, size_t length)
{
	size_t count;
	const struct delta_day *days = delta_days(delta, &count);
	const struct delta_value *pages = delta_values(delta, &count);
	assert_int_equal(count, 8 * 4 * 16);
	for (size_t i = 0; i < count; i++) {
		uint32_t hits = 0;
		for (size_t at = 0; at < length; at++)
			if (slice_eq(days[pages[i].day].site, slice_of(list[at].site)) &&
			    days[pages[i].day].day == list[at].day &&
			    slice_eq(pages[i].text, slice_of(list[at].page)))
				hits += list[at].hits;
		assert_int_equal(pages[i].hits, hits);
	}
}

/* Every site, day and hour, and every page of a day, as a list would count them. */
static void
test_many(void **state)
{
	enum { HITS = 20000 };
	struct delta *delta = *state;
	struct plain *list = calloc(MOST, sizeof(*list));
	size_t length = 0;
	unsigned random = 7;
	for (int i = 0; i < HITS; i++) {
		struct plain hit = {.hits = 1};
		random = random * 1103515245 + 12345;
		snprintf(hit.site, sizeof(hit.site), "s%u", random >> 16 & 7);
		snprintf(hit.page, sizeof(hit.page), "/%u", random >> 19 & 15);
		hit.day = DAY + (int32_t)(random >> 23 & 3);
		hit.hour = (int)(random >> 25 & 1);
		add(delta, hit.site, hit.day, hit.hour, hit.page);
		length = list_add(list, length, &hit);
	}
	assert_int_equal(delta_records(delta), HITS);
	check_days(delta, list, length);
	check_pages(delta, list, length);
	free(list);
}

static int
setup(void **state)
{
	*state = delta_new();
	return 0;
}

static int
teardown(void **state)
{
	delta_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sums),
		TEST(test_fresh),
		TEST(test_what_is_no_view),
		TEST(test_runs),
		TEST(test_runs_of_days_and_sites),
		TEST(test_decided),
		TEST(test_clear_begins_again),
		TEST(test_room),
		TEST(test_room_of_runs),
		TEST(test_room_of_dimensions),
		TEST(test_many),
	};
	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
