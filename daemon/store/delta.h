/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sum of many hits of one shard, on its way to Redis. Knows what a hit changes, as counts per site, day, hour and
 * page; not how Redis names it (store/keys.h).
 */
#ifndef STORE_DELTA_H
#define STORE_DELTA_H

#include "hit/hit.h"

/*
 * Key-field pairs in one call. Redis takes about a microsecond for each, so no call holds it for more than two or
 * three milliseconds; and a busy site's second must fit in, or it is sent to Redis in pieces that sum nothing up.
 */
enum { DELTA_PAIRS_MAX = 2000 };

struct delta;

/* One site on one local day. */
struct delta_day {
	struct slice site; /* borrowed from the delta */
	int32_t day;
	uint32_t hits;
	uint32_t hours[24];
};

struct delta_page {
	uint32_t day; /* index into the delta's days */
	uint32_t hits;
	struct slice path;
};

struct delta *delta_new(void);
void delta_free(struct delta *delta);
void delta_clear(struct delta *delta);

/* Returns the index of the hit's day in delta_days(). */
size_t delta_add(struct delta *delta, const struct hit *hit);
/* Whether adding `hit` would keep the delta within DELTA_PAIRS_MAX (an empty delta takes any hit). */
bool delta_has_room(const struct delta *delta, const struct hit *hit);

bool delta_is_empty(const struct delta *delta);
uint64_t delta_hits(const struct delta *delta);
const struct delta_day *delta_days(const struct delta *delta, size_t *count);
const struct delta_page *delta_pages(const struct delta *delta, size_t *count);

#endif
