/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of days as operators write them. Knows no clock: today is given. */
#include "cli/range.h"

#include "base/period.h"

enum { RANGE_DAYS_MAX = 100000 };

/* "7d" is 7; 0 when it is no such thing. */
static int32_t
days_back(struct slice text)
{
	int32_t days = 0;
	if (text.len < 2 || text.ptr[text.len - 1] != 'd')
		return 0;
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || days > RANGE_DAYS_MAX)
			return 0;
		days = days * 10 + (text.ptr[i] - '0');
	}
	return days <= RANGE_DAYS_MAX ? days : 0;
}

bool
range_parse(struct slice text, int32_t today, struct range *out)
{
	enum period_kind kind = PERIOD_DAY;
	int32_t id = today;
	int32_t days = days_back(text);
	if (days > 0) {
		*out = (struct range){today - days + 1, today};
		return true;
	}
	if (slice_eq(text, SLICE("yesterday")))
		id = today - 1;
	else if (!slice_eq(text, SLICE("today")) && !period_parse(text, &kind, &id))
		return false;
	if (kind == PERIOD_ALL)
		return false;
	*out = (struct range){period_first_day(kind, id), period_first_day(kind, id + 1) - 1};
	return true;
}
