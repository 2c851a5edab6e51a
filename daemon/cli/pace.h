/* SPDX-License-Identifier: BSD-2-Clause */
/* A period that is not over: how much of it has passed, what it may come to, how it compares with the one before (pure). */
#ifndef CLI_PACE_H
#define CLI_PACE_H

#include "base/period.h"
#include "base/zone.h"

/* Seconds of the local clock; 0 where nothing has passed. */
struct pace {
	int64_t passed, whole;
};
struct pace pace_of(enum period_kind kind, struct local_time now);

/*
 * Linear: what is counted so far divided by the share that has passed, and what an operator added to it, which does not
 * grow; COUNT_UNKNOWN: that cannot be said.
 */
int64_t pace_estimate(int64_t counted, int64_t adjusted, struct pace pace);

/* Two numbers that can be held against each other; `known` false: they cannot. */
struct compared {
	int64_t now, before;
	bool known;
};
/* How much more now is, in ten thousandths of before. False: that cannot be said. */
bool pace_change(struct compared compared, int64_t *change);

/*
 * Which days are compared when the period of `today` is: the first `days` of each, and of metrics whose hours are known
 * also what was counted of day `before_first + days` until this time of the day, where `partly`.
 */
struct pace_days {
	int32_t now_first, before_first;
	int32_t now_days, before_days;
	int32_t before_day; /* the day that today is held against */
	bool partly;        /* there is such a day */
};
struct pace_days pace_days(enum period_kind kind, int32_t today);

#endif
