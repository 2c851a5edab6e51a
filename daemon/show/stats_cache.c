/* SPDX-License-Identifier: BSD-2-Clause */
/* The exchange: a small table under one lock, statistics that are never changed once they are in it. */
#include "show/stats_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

struct held {
	struct stats stats; /* first: what is handed out is a pointer to it */
	atomic_int refs;
};

struct entry {
	struct stats_want key; /* len 0: free */
	struct stats *stats;   /* or NULL */
	bool wanted;           /* the reader is to fetch them, or does */
	bool taken;            /* it does */
	int64_t used_ms, fetched_ms, failed_ms;
};

struct stats_cache {
	pthread_mutex_t lock;
	struct entry entries[STATS_SITES_MAX];
};

enum { LONG_AGO_MS = 3600000 };

struct stats *
stats_new(void)
{
	struct held *held = xcalloc(1, sizeof(*held));
	held->refs = 1;
	return &held->stats;
}

void
stats_unref(const struct stats *stats)
{
	struct held *held = (struct held *)(uintptr_t)stats;
	if (held && atomic_fetch_sub(&held->refs, 1) == 1)
		free(held);
}

static const struct stats *
stats_ref(struct stats *stats)
{
	if (stats)
		atomic_fetch_add(&((struct held *)stats)->refs, 1);
	return stats;
}

struct stats_cache *
stats_cache_new(void)
{
	struct stats_cache *cache = xcalloc(1, sizeof(*cache));
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void
stats_cache_free(struct stats_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < STATS_SITES_MAX; i++)
		stats_unref(cache->entries[i].stats);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* --- locked --- */

static bool
is_of(const struct entry *entry, struct slice site)
{
	return slice_eq((struct slice){entry->key.site, entry->key.len}, site);
}

static struct entry *
find(struct stats_cache *cache, struct slice site)
{
	for (size_t i = 0; i < STATS_SITES_MAX; i++)
		if (is_of(&cache->entries[i], site))
			return &cache->entries[i];
	return NULL;
}

/* A free place, or that of the site that was not asked for longest. NULL: all are being fetched. */
static struct entry *
make_place(struct stats_cache *cache, struct slice site, int64_t now)
{
	struct entry *place = NULL;
	for (size_t i = 0; i < STATS_SITES_MAX; i++) {
		struct entry *entry = &cache->entries[i];
		if (!entry->wanted && (!place || entry->used_ms < place->used_ms))
			place = entry;
	}
	if (!place)
		return NULL;
	stats_unref(place->stats);
	*place = (struct entry){.fetched_ms = now - LONG_AGO_MS, .failed_ms = now - LONG_AGO_MS};
	memcpy(place->key.site, site.ptr, site.len);
	place->key.len = site.len;
	return place;
}

static enum stats_state
look(struct entry *entry, int32_t day, int64_t now, bool *asked)
{
	bool same_day = entry->stats && entry->stats->day == day;
	if (same_day && now - entry->fetched_ms < STATS_KEEP_MS)
		return STATS_FRESH;
	if (!entry->wanted && now - entry->failed_ms < STATS_AGAIN_MS)
		return STATS_UNKNOWN;
	*asked = !entry->wanted;
	entry->wanted = true;
	if (*asked)
		entry->key.day = day;
	return STATS_COMING;
}

/* --- any thread --- */

enum stats_state
stats_cache_get(struct stats_cache *cache, struct slice site, int32_t day, const struct stats **out,
		bool *asked)
{
	int64_t now = clock_mono_ms();
	enum stats_state state = STATS_UNKNOWN;
	*asked = false;
	*out = NULL;
	pthread_mutex_lock(&cache->lock);
	struct entry *entry = find(cache, site);
	if (!entry)
		entry = make_place(cache, site, now);
	if (entry) {
		entry->used_ms = now;
		state = look(entry, day, now, asked);
		*out = stats_ref(entry->stats);
	}
	pthread_mutex_unlock(&cache->lock);
	return state;
}

bool
stats_cache_wanted(struct stats_cache *cache, struct stats_want *want)
{
	bool found = false;
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < STATS_SITES_MAX && !found; i++) {
		struct entry *entry = &cache->entries[i];
		found = entry->wanted && !entry->taken;
		if (!found)
			continue;
		entry->taken = true;
		*want = entry->key;
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void
stats_cache_put(struct stats_cache *cache, const struct stats_want *want, struct stats *stats)
{
	const struct stats *old = stats;
	pthread_mutex_lock(&cache->lock);
	struct entry *entry = find(cache, (struct slice){want->site, want->len});
	if (entry) {
		entry->wanted = entry->taken = false;
		if (stats) {
			old = entry->stats;
			entry->stats = stats;
			entry->fetched_ms = clock_mono_ms();
		} else {
			entry->failed_ms = clock_mono_ms();
		}
	}
	pthread_mutex_unlock(&cache->lock);
	stats_unref(old);
}
