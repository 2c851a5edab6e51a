/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is forgotten of a hit: every field by hand, the time of the mark its last millisecond. 2020-05-20 is day 18402, in
 * the ISO week 2020-W21.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/marks.h"

enum { DAY = 18402 };

static struct hit
hit_at(int64_t time_ms)
{
	struct hit hit = {.site = SLICE("a"),
			  .time_ms = time_ms,
			  .day = DAY,
			  .count = 1,
			  .visitor = 7,
			  .values[HIT_PAGES] = SLICE("/tin")};
	return hit;
}

enum left { ALL, NOTHING, NO_PAGE, NO_VISITOR };

static enum left
left_of(struct marks *marks, int64_t time_ms)
{
	struct hit hit = hit_at(time_ms);
	if (!marks_pass(marks, &hit))
		return NOTHING;
	return !hit.values[HIT_PAGES].ptr ? NO_PAGE : hit.visitor == 0 ? NO_VISITOR : ALL;
}

static void
what_a_field_forgets(void **state)
{
	static const struct {
		const char *field;
		enum left left;
	} cases[] = {
		{"a", NOTHING},
		{"*", NOTHING},
		{"b", ALL},
		{"a 2020-05-20", NOTHING},
		{"a 2020-05-19", ALL},
		{"a 2020-W21", NOTHING},
		{"a 2020-05", NOTHING},
		{"a 2020", NOTHING},
		{"a 2019", ALL},
		{"b 2020", ALL},
		{"* 2020", NOTHING},
		{"a /tin", NO_PAGE},
		{"a /tin/", ALL},
		{"b /tin", ALL},
		{"a visitors", NO_VISITOR},
		{"* visitors", NO_VISITOR},
		{":", ALL},
		{"a soon", ALL},
		{"a ", ALL},
		{"", ALL},
		{"a all", NOTHING},
		{"a restored", NOTHING},
		{"b restored", ALL},
		{"a merged", ALL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct marks marks = {0};
		(void)marks_put(&marks, slice_of(cases[i].field), 1000);
		if (left_of(&marks, 1000) != cases[i].left)
			fail_msg("\"%s\"", cases[i].field);
		assert_int_equal(left_of(&marks, 1001), ALL);
		marks_release(&marks);
	}
}

static void
marks_only_grow(void **state)
{
	(void)state;
	struct marks marks = {0};
	assert_non_null(marks_put(&marks, SLICE("a"), 1000));
	assert_null(marks_put(&marks, SLICE("a"), 1000));
	assert_null(marks_put(&marks, SLICE("a"), 999));
	assert_int_equal(left_of(&marks, 1000), NOTHING);
	assert_int_equal(marks_put(&marks, SLICE("a"), 2000)->ms, 2000);
	assert_int_equal(left_of(&marks, 2000), NOTHING);
	assert_non_null(marks_put(&marks, SLICE("a /tin"), 500));
	assert_int_equal(marks.count, 2);
	assert_int_equal(marks.newest, 2000);
	marks_release(&marks);
}

/* A hit that counts for its page alone is nothing without it; both at once are both. */
static void
several_marks(void **state)
{
	(void)state;
	struct marks marks = {0};
	struct hit hit = hit_at(1000);
	(void)marks_put(&marks, SLICE("a /tin"), 1000);
	(void)marks_put(&marks, SLICE("a visitors"), 1000);
	assert_true(marks_pass(&marks, &hit));
	assert_true(!hit.values[HIT_PAGES].ptr && hit.visitor == 0);
	hit = hit_at(1000);
	hit.page_only = true;
	assert_false(marks_pass(&marks, &hit));
	hit = hit_at(1001);
	hit.page_only = true;
	assert_true(marks_pass(&marks, &hit));
	marks_release(&marks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_field_forgets),
		cmocka_unit_test(marks_only_grow),
		cmocka_unit_test(several_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
