/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones beside the C library's, for the tests of zone.c: the same instant in both must be the same local time. */
#ifndef TESTS_ZONE_HERE_H
#define TESTS_ZONE_HERE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/period.h"
#include "base/zone.h"

#define DIRECTORY "/usr/share/zoneinfo"

static const int64_t last_second = 4133980799; /* `date -u -d '2100-12-31 23:59:59' +%s` */

enum { HOUR = 3600, DAY = 86400 };

static inline void
set_c_zone(const char *tz)
{
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
}

static inline struct zone *
load(const char *name)
{
	struct zone *zone;
	if (zone_load(DIRECTORY, name, &zone) != 0)
		fail_msg("%s is not read", name);
	return zone;
}

/* The zone that set_c_zone() chose, at one instant. */
static inline void
compare_at(const struct zone *zone, const char *name, int64_t utc)
{
	time_t when = (time_t)utc;
	struct tm tm;
	struct local_time local = zone_local(zone, utc);
	struct civil date = civil_of_day(local.day);
	localtime_r(&when, &tm);
	if (local.offset != tm.tm_gmtoff || date.year != tm.tm_year + 1900 ||
	    date.month != tm.tm_mon + 1 || date.day != tm.tm_mday || local.hour != tm.tm_hour ||
	    local.minute != tm.tm_min || local.second != tm.tm_sec)
		fail_msg("%s at %" PRId64 ": offset %d, the C library has %ld", name, utc,
			 local.offset, tm.tm_gmtoff);
}

static inline void
compare_span(const struct zone *zone, const char *name, struct zone_span span, int64_t utc)
{
	if (span.from > utc || span.to <= utc)
		fail_msg("%s: the span at %" PRId64 " does not hold it", name, utc);
	if (span.from > 0)
		compare_at(zone, name, span.from - 1);
	if (span.from >= 0)
		compare_at(zone, name, span.from);
	compare_at(zone, name, utc);
	if (span.to <= last_second) {
		compare_at(zone, name, span.to - 1);
		compare_at(zone, name, span.to);
	}
}

/* Every span of 1970 to 2100 at its ends, and an instant each `stride` seconds. */
static inline void
compare_zone(const struct zone *zone, const char *name, int64_t stride)
{
	for (int64_t utc = 0; utc <= last_second;) {
		struct zone_span span = zone_at(zone, utc);
		compare_span(zone, name, span, utc);
		utc = span.to;
	}
	struct zone_span span = {.to = 0};
	for (int64_t utc = 0; utc <= last_second; utc += stride) {
		if (utc >= span.to)
			span = zone_at(zone, utc);
		struct zone_span again = zone_at(zone, utc);
		assert_int_equal(again.offset, span.offset);
		assert_int_equal(again.from, span.from);
		assert_int_equal(again.to, span.to);
		compare_at(zone, name, utc);
	}
}

#endif
