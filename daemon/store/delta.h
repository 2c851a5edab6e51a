/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sum of many hits of one shard, on its way to Redis. Knows what a hit changes: counts per site, day and hour, the
 * values of each dimension, who was seen when; not how Redis names it (store/keys.h).
 */
#ifndef STORE_DELTA_H
#define STORE_DELTA_H

#include "hit/hit.h"

/*
 * Key-field pairs in one call. Redis takes about a microsecond for each, so no call holds it for more than a few
 * milliseconds; and the more of a busy site's second fits in, the more is summed up before it gets there.
 */
enum { DELTA_PAIRS_MAX = 5000, DELTA_PAIRS_OF_DAY = 20 };

struct delta;

/* One site on one local day. */
struct delta_day {
	struct slice site; /* borrowed from the delta */
	int32_t day;
	uint32_t hits;  /* of people */
	uint32_t fresh; /* of those, the ones that were added as such */
	uint32_t bots;
	uint32_t hours[24];
	uint32_t counts[HIT_DIMENSION_COUNT]; /* how many values of each dimension it has */
	uint32_t runs;                        /* and how many runs */
	int64_t visit_gap_ms;                 /* 0: the caller decides what begins a visit */
};

/* One value of a dimension on one day. */
struct delta_value {
	uint32_t day; /* index into the delta's days */
	enum hit_dimension dimension;
	uint32_t hits, fresh;
	uint32_t nth; /* among the values of its day and dimension */
	struct slice text;
};

/*
 * Hits of one visitor on one day, each less than the visit gap after the one before. Where the caller decides, begins
 * is what it said of the first.
 */
struct delta_run {
	uint32_t day;
	uint32_t page; /* nth + 1 of the page of its first hit; 0: none is known */
	uint64_t visitor;
	int64_t first_ms, last_ms;
	bool begins;
};

struct delta *delta_new(void);
void delta_free(struct delta *delta);
void delta_clear(struct delta *delta);

/* Adds a hit of a site with this visit gap. `fresh`: it was never added to any delta before. */
void delta_add(struct delta *delta, const struct hit *hit, int64_t visit_gap_ms, bool fresh);
/* The same where the caller knows whether the hit begins a visit. */
void delta_add_decided(struct delta *delta, const struct hit *hit, bool begins);
/* Whether adding `hit` would keep the delta within DELTA_PAIRS_MAX (an empty delta takes any hit). */
bool delta_has_room(const struct delta *delta, const struct hit *hit);

bool delta_is_empty(const struct delta *delta);
/* Records added: hits, bots' hits and sums of refusals. */
uint64_t delta_records(const struct delta *delta);
const struct delta_day *delta_days(const struct delta *delta, size_t *count);
const struct delta_value *delta_values(const struct delta *delta, size_t *count);
const struct delta_run *delta_runs(const struct delta *delta, size_t *count);

#endif
