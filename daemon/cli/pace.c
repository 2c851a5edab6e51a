/* SPDX-License-Identifier: BSD-2-Clause */
/* Estimates and comparisons of running periods. Knows no clock and reads nothing. */
#include "cli/pace.h"

#include "show/counts.h"

enum { DAY_S = 86400, TEN_THOUSAND = 10000 };

struct pace
pace_of(enum period_kind kind, struct local_time now)
{
	int32_t id = period_of_day(kind, now.day);
	int64_t first = period_first_day(kind, id), end = period_first_day(kind, id + 1);
	int64_t of_day = (now.hour * 60 + now.minute) * 60 + now.second;
	return (struct pace){(now.day - first) * DAY_S + of_day, (end - first) * DAY_S};
}

int64_t
pace_estimate(int64_t counted, int64_t adjusted, struct pace pace)
{
	if (counted < 0 || pace.passed <= 0 || pace.passed > pace.whole)
		return COUNT_UNKNOWN;
	double whole = (double)counted * (double)pace.whole / (double)pace.passed;
	return count_shown((int64_t)(whole + 0.5), adjusted);
}

bool
pace_change(struct compared compared, int64_t *change)
{
	if (!compared.known || compared.now < 0 || compared.before <= 0)
		return false;
	double more = ((double)compared.now - (double)compared.before) / (double)compared.before;
	*change = (int64_t)(more * TEN_THOUSAND + (more < 0 ? -0.5 : 0.5));
	return true;
}

/* By days from the first, as far as the shorter of two months goes. */
static struct pace_days
days_of_month(int32_t now_first, int32_t before_first, int32_t today)
{
	int32_t days = today - now_first, length = now_first - before_first;
	bool partly = days < length;
	int32_t both = partly ? days : length;
	return (struct pace_days){now_first, before_first, both, both, before_first + both, partly};
}

/* By the calendar's date, so that a leap day shifts nothing; 29 February is held against none. */
static struct pace_days
days_of_year(int32_t now_first, int32_t before_first, int32_t today)
{
	struct civil date = civil_of_day(today);
	bool partly = date.month != 2 || date.day != 29;
	struct civil then = {date.year - 1, date.month, partly ? date.day : 28};
	int32_t before_day = day_of_civil(then) + !partly;
	return (struct pace_days){now_first,         before_first,
				  today - now_first, before_day - before_first,
				  before_day,        partly};
}

struct pace_days
pace_days(enum period_kind kind, int32_t today)
{
	int32_t id = period_of_day(kind, today);
	int32_t now_first = period_first_day(kind, id);
	int32_t before_first = period_first_day(kind, id - 1);
	return kind == PERIOD_YEAR ? days_of_year(now_first, before_first, today)
				   : days_of_month(now_first, before_first, today);
}
