/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calendar arithmetic without clocks or zones (pure): days, weeks, months and years as plain numbers.
 *
 * A day is the count of days since 1970-01-01 (negative before). A period is a kind and an id:
 * the day itself; the ISO week, counted from the Monday 1969-12-29; year * 12 + month - 1; the year; 0 for
 * "all". Ids of one kind are consecutive, so "last month" is id - 1.
 */
#ifndef BASE_PERIOD_H
#define BASE_PERIOD_H

#include "base/base.h"

enum period_kind { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_YEAR, PERIOD_ALL };
enum { PERIOD_KINDS = PERIOD_ALL + 1 };

/* The periods that a counter shows: name in JSON and configuration, kind, how many back. In JSON order. */
#define PERIODS(X)                                   \
	X(TODAY, "today", PERIOD_DAY, 0)             \
	X(YESTERDAY, "yesterday", PERIOD_DAY, 1)     \
	X(THIS_WEEK, "week", PERIOD_WEEK, 0)         \
	X(LAST_WEEK, "last_week", PERIOD_WEEK, 1)    \
	X(THIS_MONTH, "month", PERIOD_MONTH, 0)      \
	X(LAST_MONTH, "last_month", PERIOD_MONTH, 1) \
	X(THIS_YEAR, "year", PERIOD_YEAR, 0)         \
	X(LAST_YEAR, "last_year", PERIOD_YEAR, 1)    \
	X(TOTAL, "total", PERIOD_ALL, 0)

#define X(id, name, kind, back) SHOWN_##id,
enum shown_period { PERIODS(X) SHOWN_PERIODS };
#undef X

struct shown_period_info {
	const char *name;
	enum period_kind kind;
	int back;
};

extern const struct shown_period_info shown_periods[SHOWN_PERIODS];

struct civil {
	int32_t year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

/* The proleptic Gregorian calendar, years 0 to 9999. */
struct civil civil_of_day(int32_t day);
int32_t day_of_civil(struct civil date);
/* ISO 8601: 1 Monday to 7 Sunday. */
int weekday_of_day(int32_t day);

/* The id of the period of this kind that holds `day`. */
int32_t period_of_day(enum period_kind kind, int32_t day);
/* The first day of a period; for PERIOD_ALL, INT32_MIN. */
int32_t period_first_day(enum period_kind kind, int32_t id);
/* The last day of a period; for PERIOD_ALL, INT32_MAX. */
int32_t period_last_day(enum period_kind kind, int32_t id);
/* Whether all of the period `kind`, `id` lies in the other one. A period holds itself. */
bool period_holds(enum period_kind outer, int32_t outer_id, enum period_kind kind, int32_t id);
/* The period that is shown as `which` on the local date `day`. */
int32_t period_shown(enum shown_period which, int32_t day);

enum { PERIOD_NAME_SIZE = 16 };
/* "2020-05-20", "2020-W21" (ISO 8601 week year), "2020-05", "2020", "all". Returns `out`. */
char *period_name(enum period_kind kind, int32_t id, char out[PERIOD_NAME_SIZE]);
/* The inverse, for any of the five forms; false when `text` is none of them or no such date exists. */
bool period_parse(struct slice text, enum period_kind *kind, int32_t *id);

/* A date and all that follows from it, worked out once a day and not once a hit. Zeroed: none. */
struct date {
	bool filled;
	int32_t day;
	struct civil civil;
	int32_t periods[PERIOD_KINDS];
	int32_t shown[SHOWN_PERIODS];
	char name[PERIOD_NAME_SIZE];
};
/* Cheap when it is this day already. */
void date_fill(struct date *date, int32_t day);

#endif
