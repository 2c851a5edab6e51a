/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hits of a log begin a visit: the rule at its edges, and that sweeping the table changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/visits.h"

enum { GAP = 1800 * 1000, START = 1000 * 1000 * 1000 };

static void
begins_after_the_gap(void **state)
{
	(void)state;
	static const struct {
		uint64_t visitor;
		int64_t ms;
		bool begins;
	} hits[] = {
		{1, 0, true},
		{1, GAP - 1, false},      /* one millisecond too soon */
		{1, GAP - 1 + GAP, true}, /* counted from the last hit, not from the first */
		{2, GAP - 1 + GAP, true}, /* another one */
		{1, GAP, false},          /* late, but not far behind: nothing moves back */
		{1, 3 * GAP - 2, false},  /* still less than the gap after the last */
		{1, 5 * GAP, true},
		{1, 5 * GAP - GAP - VISITS_KEEP_MS, false},
		{1, 5 * GAP - GAP - VISITS_KEEP_MS - 1, true}, /* another stretch of time */
		{1, 5 * GAP - GAP - VISITS_KEEP_MS + 5, false},
	};
	struct visits *visits = visits_new(GAP);
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		if (visits_note(visits, hits[i].visitor, START + hits[i].ms) != hits[i].begins)
			fail_msg("hit %zu", i);
	visits_clear(visits);
	assert_true(visits_note(visits, 1, START + 5 * (int64_t)GAP));
	visits_free(visits);
}

/* 100,000 visitors, each twice, the second time within the gap; then all of them after it. */
static void
remembers_many(void **state)
{
	(void)state;
	enum { VISITORS = 100000 };
	struct visits *visits = visits_new(GAP);
	for (int round = 0; round < 3; round++)
		for (uint64_t i = 1; i <= VISITORS; i++) {
			int64_t ms =
				START + (int64_t)(i / 100) + (round == 2 ? 2 * GAP : round * 1000);
			/* An odd multiplier spreads them, as a hash would. */
			bool begins = visits_note(visits, i * UINT64_C(0x9e3779b97f4a7c15), ms);
			assert_int_equal(begins, round != 1);
		}
	visits_free(visits);
}

/* Visitors that come once and never again, for a week: nothing of them may be kept for long. */
static void
forgets_who_is_gone(void **state)
{
	(void)state;
	struct visits *visits = visits_new(GAP);
	for (uint64_t i = 1; i <= 3 * (uint64_t)VISITS_MAX; i++)
		assert_true(visits_note(visits, i * UINT64_C(0x9e3779b97f4a7c15),
					START + (int64_t)i * 100));
	visits_free(visits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_after_the_gap),
		cmocka_unit_test(remembers_many),
		cmocka_unit_test(forgets_who_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
