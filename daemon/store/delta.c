/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sum of many hits: three open-addressing tables (site and day; day and value; day and visitor) over plain arrays,
 * their texts in one block. Everything is kept for the next use by delta_clear, so that summing a known entry allocates
 * nothing.
 */
#include "store/delta.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	PAIRS_OF_HOUR = 1,
	PAIRS_OF_RUN = 2, /* in the set of visitors seen, in the day's distinct ones */
	FIRST_SLOTS = 64, /* a power of two */
	FIRST_ENTRIES = 16,
	FIRST_TEXT = 1024,
	PAIRS_OF_HIT =
		DELTA_PAIRS_OF_DAY + PAIRS_OF_HOUR + PAIRS_OF_RUN + 1 + 2 * HIT_DIMENSION_COUNT,
};

/* The tables that a value stands in: of the day and of the month, and for pages of all time. */
static size_t
pairs_of_value(int dimension)
{
	return dimension == HIT_PAGES ? 3 : 2;
}

struct slot {
	uint32_t tag;   /* low half of the hash: its low bits are the slot it wants */
	uint32_t entry; /* index + 1; 0: free */
};

struct table {
	struct slot *slots;
	uint32_t mask;
};

struct delta {
	struct table by_day, by_value, by_visitor;
	struct delta_day *days;
	struct delta_value *values;
	struct delta_run *runs;
	size_t day_count, day_room;
	size_t value_count, value_room;
	size_t run_count, run_room;
	char *text;
	size_t text_len, text_room;
	uint64_t records;
	size_t pairs;
};

static void
table_init(struct table *table)
{
	table->slots = xcalloc(FIRST_SLOTS, sizeof(*table->slots));
	table->mask = FIRST_SLOTS - 1;
}

static void
table_clear(struct table *table)
{
	memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof(*table->slots));
}

/* At most half of the slots are ever taken, so a probe always meets a free one soon. */
static void
table_grow(struct table *table, size_t entries)
{
	if (entries * 2 <= table->mask)
		return;
	struct table old = *table;
	table->mask = old.mask * 2 + 1;
	table->slots = xcalloc((size_t)table->mask + 1, sizeof(*table->slots));
	for (uint32_t i = 0; i <= old.mask; i++) {
		if (!old.slots[i].entry)
			continue;
		uint32_t at = old.slots[i].tag & table->mask;
		while (table->slots[at].entry)
			at = (at + 1) & table->mask;
		table->slots[at] = old.slots[i];
	}
	free(old.slots);
}

struct delta *
delta_new(void)
{
	struct delta *delta = xcalloc(1, sizeof(*delta));
	table_init(&delta->by_day);
	table_init(&delta->by_value);
	table_init(&delta->by_visitor);
	return delta;
}

void
delta_free(struct delta *delta)
{
	if (!delta)
		return;
	free(delta->by_day.slots);
	free(delta->by_value.slots);
	free(delta->by_visitor.slots);
	free(delta->days);
	free(delta->values);
	free(delta->runs);
	free(delta->text);
	free(delta);
}

void
delta_clear(struct delta *delta)
{
	if (!delta->records)
		return;
	table_clear(&delta->by_day);
	table_clear(&delta->by_value);
	table_clear(&delta->by_visitor);
	delta->day_count = 0;
	delta->value_count = 0;
	delta->run_count = 0;
	delta->text_len = 0;
	delta->records = 0;
	delta->pairs = 0;
}

/* The texts move; every slice into them follows. */
static void
text_grow(struct delta *delta, size_t more)
{
	size_t room = delta->text_room ? delta->text_room : FIRST_TEXT;
	while (room - delta->text_len < more)
		room *= 2;
	char *text = xmalloc(room);
	if (delta->text_len)
		memcpy(text, delta->text, delta->text_len);
	for (size_t i = 0; i < delta->day_count; i++)
		delta->days[i].site.ptr = text + (delta->days[i].site.ptr - delta->text);
	for (size_t i = 0; i < delta->value_count; i++)
		delta->values[i].text.ptr = text + (delta->values[i].text.ptr - delta->text);
	free(delta->text);
	delta->text = text;
	delta->text_room = room;
}

static struct slice
text_add(struct delta *delta, struct slice from)
{
	if (!delta->text || delta->text_room - delta->text_len < from.len)
		text_grow(delta, from.len);
	char *to = delta->text + delta->text_len;
	if (from.len)
		memcpy(to, from.ptr, from.len);
	delta->text_len += from.len;
	return (struct slice){to, from.len};
}

static void *
array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : FIRST_ENTRIES;
	return xrealloc(array, *room * size);
}

static uint32_t
tag_of(struct slice text, uint64_t seed)
{
	return (uint32_t)XXH3_64bits_withSeed(text.len ? text.ptr : "", text.len, seed);
}

/* --- days --- */

/* The slot that holds the entry, or the free one where it belongs; so do the other two. */
static struct slot *
find_day(const struct delta *delta, uint32_t tag, const struct hit *hit)
{
	for (uint32_t at = tag;; at++) {
		struct slot *slot = &delta->by_day.slots[at & delta->by_day.mask];
		if (!slot->entry)
			return slot;
		const struct delta_day *found = &delta->days[slot->entry - 1];
		if (slot->tag == tag && found->day == hit->day && slice_eq(found->site, hit->site))
			return slot;
	}
}

static uint32_t
day_tag(const struct hit *hit)
{
	return tag_of(hit->site, (uint32_t)hit->day);
}

static uint32_t
day_index(struct delta *delta, const struct hit *hit)
{
	uint32_t tag = day_tag(hit);
	struct slot *slot = find_day(delta, tag, hit);
	if (slot->entry)
		return slot->entry - 1;
	delta->days =
		array_room(delta->days, delta->day_count, &delta->day_room, sizeof(*delta->days));
	struct slice site = text_add(delta, hit->site);
	delta->days[delta->day_count++] = (struct delta_day){.site = site, .day = hit->day};
	*slot = (struct slot){tag, (uint32_t)delta->day_count};
	table_grow(&delta->by_day, delta->day_count);
	delta->pairs += DELTA_PAIRS_OF_DAY;
	return (uint32_t)delta->day_count - 1;
}

/* --- values --- */

static struct slot *
find_value(const struct delta *delta, uint32_t tag, uint32_t day, int dimension, struct slice text)
{
	for (uint32_t at = tag;; at++) {
		struct slot *slot = &delta->by_value.slots[at & delta->by_value.mask];
		if (!slot->entry)
			return slot;
		const struct delta_value *found = &delta->values[slot->entry - 1];
		if (slot->tag == tag && found->day == day && (int)found->dimension == dimension &&
		    slice_eq(found->text, text))
			return slot;
	}
}

static uint32_t
value_tag(uint32_t day, int dimension, struct slice text)
{
	return tag_of(text, (uint64_t)day * HIT_DIMENSION_COUNT + (uint64_t)dimension);
}

/* Returns its nth + 1. */
static uint32_t
add_value(struct delta *delta, uint32_t day, int dimension, const struct hit *hit, bool fresh)
{
	struct slice text = hit->values[dimension];
	uint32_t tag = value_tag(day, dimension, text);
	struct slot *slot = find_value(delta, tag, day, dimension, text);
	if (!slot->entry) {
		delta->values = array_room(delta->values, delta->value_count, &delta->value_room,
					   sizeof(*delta->values));
		text = text_add(delta, text);
		delta->values[delta->value_count++] =
			(struct delta_value){.day = day,
					     .dimension = (enum hit_dimension)dimension,
					     .nth = delta->days[day].counts[dimension]++,
					     .text = text};
		*slot = (struct slot){tag, (uint32_t)delta->value_count};
		struct delta_value *value = &delta->values[delta->value_count - 1];
		table_grow(&delta->by_value, delta->value_count);
		delta->pairs += pairs_of_value(dimension);
		value->hits = hit->count;
		value->fresh = fresh ? hit->count : 0;
		return value->nth + 1;
	}
	struct delta_value *value = &delta->values[slot->entry - 1];
	value->hits += hit->count;
	value->fresh += fresh ? hit->count : 0;
	return value->nth + 1;
}

/* --- runs --- */

static uint32_t
run_tag(uint32_t day, uint64_t visitor)
{
	/* An id is a keyed hash already; the day is mixed in by an odd multiplier. */
	uint64_t mixed = visitor ^ (day + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mixed ^ mixed >> 32);
}

/* The slot of the visitor's latest run. */
static struct slot *
find_run(const struct delta *delta, uint32_t tag, uint32_t day, uint64_t visitor)
{
	for (uint32_t at = tag;; at++) {
		struct slot *slot = &delta->by_visitor.slots[at & delta->by_visitor.mask];
		if (!slot->entry)
			return slot;
		const struct delta_run *found = &delta->runs[slot->entry - 1];
		if (slot->tag == tag && found->day == day && found->visitor == visitor)
			return slot;
	}
}

static void
run_new(struct delta *delta, struct slot *slot, uint32_t tag, const struct delta_run *run)
{
	delta->runs =
		array_room(delta->runs, delta->run_count, &delta->run_room, sizeof(*delta->runs));
	delta->runs[delta->run_count++] = *run;
	delta->days[run->day].runs++;
	*slot = (struct slot){tag, (uint32_t)delta->run_count};
	table_grow(&delta->by_visitor, delta->run_count);
	/* The page that a visit may begin with stands in two tables more. */
	delta->pairs += PAIRS_OF_RUN + (run->page ? 1 : 0);
}

/* A hit not newer than the visitor's last neither begins a visit nor moves anything. */
static void
add_run(struct delta *delta, const struct delta_run *hit, int64_t gap_ms)
{
	uint32_t tag = run_tag(hit->day, hit->visitor);
	struct slot *slot = find_run(delta, tag, hit->day, hit->visitor);
	struct delta_run *last = slot->entry ? &delta->runs[slot->entry - 1] : NULL;
	bool decided = gap_ms == 0;
	if (!last || (decided ? hit->begins : hit->first_ms - last->last_ms >= gap_ms))
		run_new(delta, slot, tag, hit);
	else if (hit->last_ms > last->last_ms)
		last->last_ms = hit->last_ms;
}

/* --- hits --- */

static void
add_site(struct delta_day *day, const struct hit *hit, bool fresh, size_t *pairs)
{
	day->hits++;
	day->fresh += fresh;
	if (day->hours[hit->hour]++ == 0)
		*pairs += PAIRS_OF_HOUR;
}

static void
add(struct delta *delta, const struct hit *hit, int64_t gap_ms, bool begins, bool fresh)
{
	uint32_t index = day_index(delta, hit), page = 0;
	delta->records++;
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		uint32_t nth = hit->values[i].ptr ? add_value(delta, index, i, hit, fresh) : 0;
		if (i == HIT_PAGES)
			page = nth;
	}
	struct delta_day *day = &delta->days[index];
	day->visit_gap_ms = gap_ms;
	if (hit->values[HIT_BOTS].ptr)
		day->bots++;
	if (!hit_is_view(hit) || hit->page_only)
		return;
	add_site(day, hit, fresh, &delta->pairs);
	const struct delta_run run = {index,        page,         hit->visitor,
				      hit->time_ms, hit->time_ms, begins};
	if (hit->visitor)
		add_run(delta, &run, gap_ms);
}

void
delta_add(struct delta *delta, const struct hit *hit, int64_t visit_gap_ms, bool fresh)
{
	add(delta, hit, visit_gap_ms, false, fresh);
}

void
delta_add_decided(struct delta *delta, const struct hit *hit, bool begins)
{
	add(delta, hit, 0, begins, true);
}

/* Where the caller decides, any hit may. */
static bool
may_begin_run(const struct delta *delta, uint32_t day, const struct hit *hit)
{
	const struct slot *slot = find_run(delta, run_tag(day, hit->visitor), day, hit->visitor);
	int64_t gap = delta->days[day].visit_gap_ms;
	return gap == 0 || !slot->entry ||
	       hit->time_ms - delta->runs[slot->entry - 1].last_ms >= gap;
}

static size_t
pairs_more(const struct delta *delta, const struct hit *hit)
{
	const struct slot *slot = find_day(delta, day_tag(hit), hit);
	if (!slot->entry)
		return PAIRS_OF_HIT;
	uint32_t index = slot->entry - 1;
	size_t more = delta->days[index].hours[hit->hour] ? 0 : PAIRS_OF_HOUR;
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		struct slice text = hit->values[i];
		if (text.ptr &&
		    !find_value(delta, value_tag(index, i, text), index, i, text)->entry)
			more += pairs_of_value(i);
	}
	if (hit->visitor && may_begin_run(delta, index, hit))
		more += PAIRS_OF_RUN + 1;
	return more;
}

bool
delta_has_room(const struct delta *delta, const struct hit *hit)
{
	if (delta->records == 0 || delta->pairs + PAIRS_OF_HIT <= DELTA_PAIRS_MAX)
		return true;
	return delta->pairs + pairs_more(delta, hit) <= DELTA_PAIRS_MAX;
}

bool
delta_is_empty(const struct delta *delta)
{
	return delta->records == 0;
}

uint64_t
delta_records(const struct delta *delta)
{
	return delta->records;
}

const struct delta_day *
delta_days(const struct delta *delta, size_t *count)
{
	*count = delta->day_count;
	return delta->days;
}

const struct delta_value *
delta_values(const struct delta *delta, size_t *count)
{
	*count = delta->value_count;
	return delta->values;
}

const struct delta_run *
delta_runs(const struct delta *delta, size_t *count)
{
	*count = delta->run_count;
	return delta->runs;
}
