/* SPDX-License-Identifier: BSD-2-Clause */
/* The delta against a plain list that is searched from its start, and its size against arithmetic done by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/delta.h"

enum { DAY = 18402 /* 2020-05-20 */ };

static struct hit
hit_of(const char *site, int32_t day, int hour, const char *page)
{
	return (struct hit){
		.site = slice_of(site), .day = day, .hour = (uint8_t)hour, .count = 1, .values[HIT_PAGES] = slice_of(page)};
}

static size_t
add(struct delta *delta, const char *site, int32_t day, int hour, const char *page)
{
	struct hit hit = hit_of(site, day, hour, page);
	return delta_add(delta, &hit);
}

static void
test_sums(void **state)
{
	struct delta *delta = *state;
	size_t count;
	assert_true(delta_is_empty(delta));
	assert_int_equal(add(delta, "a", DAY, 14, "/x"), 0);
	assert_int_equal(add(delta, "a", DAY, 14, "/x"), 0);
	assert_int_equal(add(delta, "a", DAY, 23, "/y"), 0);
	assert_int_equal(add(delta, "a", DAY + 1, 0, "/x"), 1);
	assert_int_equal(add(delta, "ab", DAY, 14, NULL), 2);
	assert_false(delta_is_empty(delta));
	assert_int_equal(delta_hits(delta), 5);
	const struct delta_day *days = delta_days(delta, &count);
	assert_int_equal(count, 3);
	assert_true(slice_eq(days[0].site, SLICE("a")));
	assert_int_equal(days[0].day, DAY);
	assert_int_equal(days[0].hits, 3);
	assert_int_equal(days[0].hours[14], 2);
	assert_int_equal(days[0].hours[23], 1);
	assert_int_equal(days[1].day, DAY + 1);
	assert_int_equal(days[1].hours[0], 1);
	assert_true(slice_eq(days[2].site, SLICE("ab")));
	assert_int_equal(days[2].hits, 1);
	const struct delta_page *pages = delta_pages(delta, &count);
	assert_int_equal(count, 3);
	assert_true(slice_eq(pages[0].path, SLICE("/x")) && pages[0].day == 0);
	assert_int_equal(pages[0].hits, 2);
	assert_true(slice_eq(pages[1].path, SLICE("/y")) && pages[1].hits == 1);
	assert_true(slice_eq(pages[2].path, SLICE("/x")) && pages[2].day == 1);
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
	}
	delta_clear(delta);
	assert_true(delta_is_empty(delta));
	assert_int_equal(delta_hits(delta), 0);
	(void)delta_days(delta, &count);
	assert_int_equal(count, 0);
	(void)delta_pages(delta, &count);
	assert_int_equal(count, 0);
	add(delta, "b", DAY, 1, "/499");
	const struct delta_day *days = delta_days(delta, &count);
	assert_int_equal(count, 1);
	assert_int_equal(days[0].hits, 1);
	assert_int_equal(days[0].hours[1], 1);
}

static bool
room_for(const struct delta *delta, const char *site, int32_t day, int hour, const char *page)
{
	struct hit hit = hit_of(site, day, hour, page);
	return delta_has_room(delta, &hit);
}

/* A site's day is 5 fields and 1 for each hour, a page is 3. */
static void
test_room(void **state)
{
	enum { PAGES = (DELTA_PAIRS_MAX - 6) / 3, SPARE = (DELTA_PAIRS_MAX - 6) % 3 };
	struct delta *delta = *state;
	for (int i = 0; i < PAGES; i++) {
		char page[16];
		snprintf(page, sizeof(page), "/%d", i);
		assert_true(room_for(delta, "a", DAY, 0, page));
		assert_int_equal(add(delta, "a", DAY, 0, page), 0);
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

struct plain {
	char site[8], page[8];
	int32_t day;
	int hour;
	uint32_t hits;
};

/* Every site, day and hour, and every page of a day, as a list would count them. */
static void
test_many(void **state)
{
	enum { HITS = 20000, MOST = 2000 };
	struct delta *delta = *state;
	struct plain *list = calloc(MOST, sizeof(*list));
	size_t length = 0, count;
	unsigned random = 7;
	for (int i = 0; i < HITS; i++) {
		struct plain hit = {.hits = 1};
		random = random * 1103515245 + 12345;
		snprintf(hit.site, sizeof(hit.site), "s%u", random >> 16 & 7);
		snprintf(hit.page, sizeof(hit.page), "/%u", random >> 19 & 15);
		hit.day = DAY + (int32_t)(random >> 23 & 3);
		hit.hour = (int)(random >> 25 & 1);
		add(delta, hit.site, hit.day, hit.hour, hit.page);
		size_t at = 0;
		while (at < length &&
		       (strcmp(list[at].site, hit.site) || strcmp(list[at].page, hit.page) ||
			list[at].day != hit.day || list[at].hour != hit.hour))
			at++;
		assert_in_range(at, 0, MOST - 1);
		list[at].hits += 1;
		if (at == length) {
			list[at] = hit;
			length++;
		}
	}
	assert_int_equal(delta_hits(delta), HITS);
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
	}
	const struct delta_page *pages = delta_pages(delta, &count);
	assert_int_equal(count, 8 * 4 * 16);
	for (size_t i = 0; i < count; i++) {
		uint32_t hits = 0;
		for (size_t at = 0; at < length; at++)
			if (slice_eq(days[pages[i].day].site, slice_of(list[at].site)) &&
			    days[pages[i].day].day == list[at].day &&
			    slice_eq(pages[i].path, slice_of(list[at].page)))
				hits += list[at].hits;
		assert_int_equal(pages[i].hits, hits);
	}
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clear_begins_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};
	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
