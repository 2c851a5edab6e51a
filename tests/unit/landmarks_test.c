/* SPDX-License-Identifier: BSD-2-Clause */
/* How far back in a log one has to go for so many seconds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/landmarks.h"

enum { MIB = LANDMARK_EVERY };

/* A mark each MiB, one every 100 s: the line at 10 MiB is of the second 1000. */
static void
goes_back_far_enough(void **state)
{
	(void)state;
	struct landmarks landmarks = {0};
	assert_int_equal(landmarks_before(&landmarks, 5, 10), 0);
	for (uint64_t i = 0; i < 2000; i++) {
		landmarks_note(&landmarks, i * MIB, (int64_t)i * 100);
		landmarks_note(&landmarks, i * MIB + MIB / 2, 999999); /* too near: passed over */
	}
	assert_int_equal(landmarks.count, 2000);
	assert_int_equal(landmarks_before(&landmarks, 10 * (uint64_t)MIB, 300), 7 * (uint64_t)MIB);
	assert_int_equal(landmarks_before(&landmarks, 10 * (uint64_t)MIB, 301), 6 * (uint64_t)MIB);
	assert_int_equal(landmarks_before(&landmarks, 10 * (uint64_t)MIB - 1, 300),
			 6 * (uint64_t)MIB);
	assert_int_equal(landmarks_before(&landmarks, 10 * (uint64_t)MIB, 0), 10 * (uint64_t)MIB);
	assert_int_equal(landmarks_before(&landmarks, 10 * (uint64_t)MIB, 1001), 0);
	assert_int_equal(landmarks_before(&landmarks, 1, 1), 0);
	landmarks_release(&landmarks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(goes_back_far_enough)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
