/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sum of many hits: two open-addressing tables (site and day; day and path) over two plain arrays, their texts in
 * one block. Everything is kept for the next use by delta_clear, so that summing a known entry allocates nothing.
 */
#include "store/delta.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/period.h"

enum {
	PAIRS_OF_DAY = PERIOD_KINDS,
	PAIRS_OF_HOUR = 1,
	PAIRS_OF_PAGE = 3, /* of the day, of the month, of all time */
	PAIRS_OF_HIT = PAIRS_OF_DAY + PAIRS_OF_HOUR + PAIRS_OF_PAGE,
	FIRST_SLOTS = 64, /* a power of two */
	FIRST_ENTRIES = 16,
	FIRST_TEXT = 1024,
};

struct slot {
	uint32_t tag;   /* low half of the hash: its low bits are the slot it wants */
	uint32_t entry; /* index + 1; 0: free */
};

struct table {
	struct slot *slots;
	uint32_t mask;
};

struct delta {
	struct table by_day, by_page;
	struct delta_day *days;
	struct delta_page *pages;
	size_t day_count, day_room;
	size_t page_count, page_room;
	char *text;
	size_t text_len, text_room;
	uint64_t hits;
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
	table_init(&delta->by_page);
	return delta;
}

void
delta_free(struct delta *delta)
{
	if (!delta)
		return;
	free(delta->by_day.slots);
	free(delta->by_page.slots);
	free(delta->days);
	free(delta->pages);
	free(delta->text);
	free(delta);
}

void
delta_clear(struct delta *delta)
{
	if (!delta->hits)
		return;
	table_clear(&delta->by_day);
	table_clear(&delta->by_page);
	delta->day_count = 0;
	delta->page_count = 0;
	delta->text_len = 0;
	delta->hits = 0;
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
	for (size_t i = 0; i < delta->page_count; i++)
		delta->pages[i].path.ptr = text + (delta->pages[i].path.ptr - delta->text);
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

static uint32_t
tag_of(struct slice text, uint32_t seed)
{
	return (uint32_t)XXH3_64bits_withSeed(text.len ? text.ptr : "", text.len, seed);
}

/* The slot that holds the entry, or the free one where it belongs. */
static struct slot *
find_day(const struct delta *delta, uint32_t tag, struct slice site, int32_t day)
{
	for (uint32_t at = tag;; at++) {
		struct slot *slot = &delta->by_day.slots[at & delta->by_day.mask];
		if (!slot->entry)
			return slot;
		const struct delta_day *found = &delta->days[slot->entry - 1];
		if (slot->tag == tag && found->day == day && slice_eq(found->site, site))
			return slot;
	}
}

static struct slot *
find_page(const struct delta *delta, uint32_t tag, struct slice path, uint32_t day)
{
	for (uint32_t at = tag;; at++) {
		struct slot *slot = &delta->by_page.slots[at & delta->by_page.mask];
		if (!slot->entry)
			return slot;
		const struct delta_page *found = &delta->pages[slot->entry - 1];
		if (slot->tag == tag && found->day == day && slice_eq(found->path, path))
			return slot;
	}
}

static void *
array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : FIRST_ENTRIES;
	return xrealloc(array, *room * size);
}

static struct delta_day *
day_new(struct delta *delta, struct slot *slot, uint32_t tag, const struct hit *hit)
{
	delta->days =
		array_room(delta->days, delta->day_count, &delta->day_room, sizeof(*delta->days));
	struct slice site = text_add(delta, hit->site);
	struct delta_day *day = &delta->days[delta->day_count++];
	*day = (struct delta_day){.site = site, .day = hit->day};
	*slot = (struct slot){tag, (uint32_t)delta->day_count};
	table_grow(&delta->by_day, delta->day_count);
	delta->pairs += PAIRS_OF_DAY;
	return day;
}

static struct delta_page *
page_new(struct delta *delta, struct slot *slot, uint32_t tag, struct slice path, uint32_t day)
{
	delta->pages = array_room(delta->pages, delta->page_count, &delta->page_room,
				  sizeof(*delta->pages));
	path = text_add(delta, path);
	struct delta_page *page = &delta->pages[delta->page_count++];
	*page = (struct delta_page){.day = day, .path = path};
	*slot = (struct slot){tag, (uint32_t)delta->page_count};
	table_grow(&delta->by_page, delta->page_count);
	delta->pairs += PAIRS_OF_PAGE;
	return page;
}

size_t
delta_add(struct delta *delta, const struct hit *hit)
{
	uint32_t tag = tag_of(hit->site, (uint32_t)hit->day);
	struct slot *slot = find_day(delta, tag, hit->site, hit->day);
	struct delta_day *day =
		slot->entry ? &delta->days[slot->entry - 1] : day_new(delta, slot, tag, hit);
	delta->hits++;
	day->hits++;
	if (day->hours[hit->hour]++ == 0)
		delta->pairs += PAIRS_OF_HOUR;
	uint32_t index = (uint32_t)(day - delta->days);
	if (hit->values[HIT_PAGES].len == 0)
		return index;
	tag = tag_of(hit->values[HIT_PAGES], index);
	slot = find_page(delta, tag, hit->values[HIT_PAGES], index);
	struct delta_page *page = slot->entry ? &delta->pages[slot->entry - 1]
					      : page_new(delta, slot, tag, hit->values[HIT_PAGES], index);
	page->hits++;
	return index;
}

static size_t
pairs_more(const struct delta *delta, const struct hit *hit)
{
	uint32_t tag = tag_of(hit->site, (uint32_t)hit->day);
	const struct slot *slot = find_day(delta, tag, hit->site, hit->day);
	size_t page = hit->values[HIT_PAGES].len ? PAIRS_OF_PAGE : 0;
	if (!slot->entry)
		return PAIRS_OF_DAY + PAIRS_OF_HOUR + page;
	uint32_t index = slot->entry - 1;
	size_t hour = delta->days[index].hours[hit->hour] ? 0 : PAIRS_OF_HOUR;
	if (page && find_page(delta, tag_of(hit->values[HIT_PAGES], index), hit->values[HIT_PAGES], index)->entry)
		page = 0;
	return hour + page;
}

bool
delta_has_room(const struct delta *delta, const struct hit *hit)
{
	if (delta->hits == 0 || delta->pairs + PAIRS_OF_HIT <= DELTA_PAIRS_MAX)
		return true;
	return delta->pairs + pairs_more(delta, hit) <= DELTA_PAIRS_MAX;
}

bool
delta_is_empty(const struct delta *delta)
{
	return delta->hits == 0;
}

uint64_t
delta_hits(const struct delta *delta)
{
	return delta->hits;
}

const struct delta_day *
delta_days(const struct delta *delta, size_t *count)
{
	*count = delta->day_count;
	return delta->days;
}

const struct delta_page *
delta_pages(const struct delta *delta, size_t *count)
{
	*count = delta->page_count;
	return delta->pages;
}
