/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calendar arithmetic: dates to day numbers and back, periods to ids, names and back. Pure: asks no clock, knows no
 * zone, and never fails on a date of the years 0 to 9999.
 */
#include "base/period.h"

enum {
	DAYS_PER_ERA = 146097, /* 400 years, after which the calendar repeats */
	EPOCH_SHIFT = 719468,  /* from 0000-03-01, on which eras begin, to 1970-01-01 */
	MONDAY_SHIFT = 3,      /* from Monday 1969-12-29 to Thursday 1970-01-01 */
	WEEK_THURSDAY = 3,     /* the day of an ISO week whose year is the week's */
};

const struct shown_period_info shown_periods[SHOWN_PERIODS] = {
#define X(id, period_name, period_kind, periods_back) \
	[SHOWN_##id] = {.name = (period_name), .kind = (period_kind), .back = (periods_back)},
	PERIODS(X)
#undef X
};

/* Rounds down, where C rounds towards 0: days before 1970 are negative. */
static int32_t
floor_div(int32_t value, int32_t by)
{
	return value / by - (value % by < 0);
}

/* Unsigned, because every answer comes by here: one era is added and taken off again, so that year 0 fits. */
struct civil
civil_of_day(int32_t day)
{
	uint32_t shifted = (uint32_t)day + EPOCH_SHIFT + DAYS_PER_ERA;
	uint32_t era = shifted / DAYS_PER_ERA;
	uint32_t era_day = shifted - era * DAYS_PER_ERA;
	uint32_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	uint32_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	/* Years begin in March here, so that the leap day is the last; 153 days are five such months. */
	uint32_t march_month = (5 * year_day + 2) / 153;
	uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
	return (struct civil){
		.year = (int32_t)(era * 400 + era_year + (month <= 2)) - 400,
		.month = (int)month,
		.day = (int)(year_day - (153 * march_month + 2) / 5 + 1),
	};
}

int32_t
day_of_civil(struct civil date)
{
	int32_t year = date.year - (date.month <= 2);
	int32_t era = floor_div(year, 400);
	int32_t era_year = year - era * 400;
	int32_t march_month = date.month > 2 ? date.month - 3 : date.month + 9;
	int32_t year_day = (153 * march_month + 2) / 5 + date.day - 1;
	int32_t era_day = era_year * 365 + era_year / 4 - era_year / 100 + year_day;
	return era * DAYS_PER_ERA + era_day - EPOCH_SHIFT;
}

static int32_t
week_of_day(int32_t day)
{
	return floor_div(day + MONDAY_SHIFT, 7);
}

static int32_t
monday_of_week(int32_t week)
{
	return week * 7 - MONDAY_SHIFT;
}

int
weekday_of_day(int32_t day)
{
	return day - monday_of_week(week_of_day(day)) + 1;
}

int32_t
period_of_day(enum period_kind kind, int32_t day)
{
	if (kind == PERIOD_DAY)
		return day;
	if (kind == PERIOD_WEEK)
		return week_of_day(day);
	if (kind == PERIOD_ALL)
		return 0;
	struct civil date = civil_of_day(day);
	return kind == PERIOD_MONTH ? date.year * 12 + date.month - 1 : date.year;
}

static int32_t
month_first_day(int32_t id)
{
	int32_t year = floor_div(id, 12);
	return day_of_civil((struct civil){year, id - year * 12 + 1, 1});
}

int32_t
period_first_day(enum period_kind kind, int32_t id)
{
	if (kind == PERIOD_DAY)
		return id;
	if (kind == PERIOD_WEEK)
		return monday_of_week(id);
	if (kind == PERIOD_MONTH)
		return month_first_day(id);
	if (kind == PERIOD_YEAR)
		return day_of_civil((struct civil){id, 1, 1});
	return INT32_MIN;
}

int32_t
period_last_day(enum period_kind kind, int32_t id)
{
	return kind == PERIOD_ALL ? INT32_MAX : period_first_day(kind, id + 1) - 1;
}

bool
period_holds(enum period_kind outer, int32_t outer_id, enum period_kind kind, int32_t id)
{
	return period_first_day(outer, outer_id) <= period_first_day(kind, id) &&
	       period_last_day(outer, outer_id) >= period_last_day(kind, id);
}

int32_t
period_shown(enum shown_period which, int32_t day)
{
	const struct shown_period_info *info = &shown_periods[which];
	return period_of_day(info->kind, day) - info->back;
}

/* January 4 always lies in the first ISO week of its year. */
static int32_t
first_week_of_year(int32_t year)
{
	return week_of_day(day_of_civil((struct civil){year, 1, 4}));
}

/* The last `width` digits of a value that is not negative; returns where they end. */
static char *
put_digits(char *to, int32_t value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + width;
}

static char *
put_week(char *to, int32_t id)
{
	int32_t year = civil_of_day(monday_of_week(id) + WEEK_THURSDAY).year;
	to = put_digits(to, year, 4);
	*to++ = '-';
	*to++ = 'W';
	return put_digits(to, id - first_week_of_year(year) + 1, 2);
}

static char *
put_date(char *to, struct civil date, bool with_day)
{
	to = put_digits(to, date.year, 4);
	*to++ = '-';
	to = put_digits(to, date.month, 2);
	if (!with_day)
		return to;
	*to++ = '-';
	return put_digits(to, date.day, 2);
}

char *
period_name(enum period_kind kind, int32_t id, char out[PERIOD_NAME_SIZE])
{
	char *end = out;
	if (kind == PERIOD_ALL)
		end = (char *)mempcpy(out, "all", 3);
	else if (kind == PERIOD_YEAR)
		end = put_digits(out, id, 4);
	else if (kind == PERIOD_WEEK)
		end = put_week(out, id);
	else
		end = put_date(out, civil_of_day(period_first_day(kind, id)), kind == PERIOD_DAY);
	*end = '\0';
	return out;
}

/* Whether text has the pattern's form: '0' stands for any digit, everything else for itself. */
static bool
has_form(struct slice text, const char *pattern)
{
	if (text.len != strlen(pattern))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
		if (pattern[i] == '0' ? !digit : text.ptr[i] != pattern[i])
			return false;
	}
	return true;
}

static int
digits_at(struct slice text, size_t from, size_t count)
{
	int value = 0;
	for (size_t i = from; i < from + count; i++)
		value = value * 10 + (text.ptr[i] - '0');
	return value;
}

/* Each reads a text of its kind's form; false when there is no such period. */

/* A date that does not exist comes back as another one. */
static bool
parse_day(struct slice text, int32_t *id)
{
	struct civil date = {digits_at(text, 0, 4), digits_at(text, 5, 2), digits_at(text, 8, 2)};
	if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31)
		return false;
	*id = day_of_civil(date);
	return civil_of_day(*id).day == date.day;
}

static bool
parse_week(struct slice text, int32_t *id)
{
	int year = digits_at(text, 0, 4), week = digits_at(text, 6, 2);
	*id = first_week_of_year(year) + week - 1;
	return week >= 1 && *id < first_week_of_year(year + 1);
}

static bool
parse_month(struct slice text, int32_t *id)
{
	int month = digits_at(text, 5, 2);
	*id = digits_at(text, 0, 4) * 12 + month - 1;
	return month >= 1 && month <= 12;
}

static bool
parse_year(struct slice text, int32_t *id)
{
	*id = digits_at(text, 0, 4);
	return true;
}

static bool
parse_all(struct slice text, int32_t *id)
{
	(void)text;
	*id = 0;
	return true;
}

bool
period_parse(struct slice text, enum period_kind *kind, int32_t *id)
{
	static const struct {
		const char *form;
		bool (*parse)(struct slice text, int32_t *id);
	} kinds[PERIOD_KINDS] = {
		[PERIOD_DAY] = {"0000-00-00", parse_day},  [PERIOD_WEEK] = {"0000-W00", parse_week},
		[PERIOD_MONTH] = {"0000-00", parse_month}, [PERIOD_YEAR] = {"0000", parse_year},
		[PERIOD_ALL] = {"all", parse_all},
	};
	for (int i = 0; i < PERIOD_KINDS; i++)
		if (has_form(text, kinds[i].form)) {
			*kind = (enum period_kind)i;
			return kinds[i].parse(text, id);
		}
	return false;
}

void
date_fill(struct date *date, int32_t day)
{
	if (date->filled && date->day == day)
		return;
	*date = (struct date){.filled = true, .day = day, .civil = civil_of_day(day)};
	for (int kind = 0; kind < PERIOD_KINDS; kind++)
		date->periods[kind] = period_of_day((enum period_kind)kind, day);
	for (int which = 0; which < SHOWN_PERIODS; which++)
		date->shown[which] = period_shown((enum shown_period)which, day);
	period_name(PERIOD_DAY, day, date->name);
}
