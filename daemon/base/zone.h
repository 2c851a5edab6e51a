/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time zones: a reader of the system's TZif files (RFC 8536, versions 1 to 4), any number of zones in one
 * process. A loaded zone is immutable and may be read by any thread.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/base.h"

struct zone;

/* An offset and the half-open interval of UTC seconds [from, to) in which it holds. */
struct zone_span {
	int64_t from;
	int64_t to;
	int32_t offset; /* seconds east of UTC */
};

enum zone_error {
	ZONE_UNKNOWN = -1, /* no such file, or a name that leaves the directory */
	ZONE_BAD = -2,     /* not a TZif file, truncated, or out of the bounds of RFC 8536 */
};

/* Reads `name` ("Asia/Ho_Chi_Minh") below `dir` (NULL: /usr/share/zoneinfo, or $TZDIR). 0 or enum zone_error. */
int zone_load(const char *dir, const char *name, struct zone **out) MUST_CHECK;
/* The parser itself (pure): TZif bytes in. 0 or ZONE_BAD. */
int zone_parse(const void *bytes, size_t len, struct zone **out) MUST_CHECK;
void zone_free(struct zone *zone);

/* The offset in force at `utc` seconds since the epoch, and how long it holds (the footer's rule included). */
struct zone_span zone_at(const struct zone *zone, int64_t utc);

/* A moment in a zone. */
struct local_time {
	int32_t day; /* base/period.h */
	int hour, minute, second;
	int32_t offset;
};
struct local_time zone_local(const struct zone *zone, int64_t utc);
/* The same from a span that holds at `utc`, for callers that keep one. */
struct local_time zone_span_local(struct zone_span span, int64_t utc);

#endif
