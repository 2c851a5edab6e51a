/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where workers ask for a site's statistics and the reader leaves them. Of a limited number of sites, each kept for a
 * few seconds: however many ask, Redis is asked once. Any thread; nothing here waits for Redis.
 */
#ifndef SHOW_STATS_CACHE_H
#define SHOW_STATS_CACHE_H

#include "show/stats.h"

enum {
	STATS_SITES_MAX = 64,
	STATS_KEEP_MS = 5000,
	STATS_AGAIN_MS = 1000, /* after a failure */
	STATS_WAIT_MS = 1000,  /* how long an answer waits for them */
};

struct stats_cache;
struct stats_cache *stats_cache_new(void);
void stats_cache_free(struct stats_cache *cache);

/* --- workers --- */

enum stats_state {
	STATS_FRESH,
	STATS_COMING,  /* the reader fetches them */
	STATS_UNKNOWN, /* and will not be there soon */
};
/*
 * The site's statistics of a local date. *out: the best there are, fresh or not, until stats_unref; NULL: none. *asked:
 * the reader has something to do that it does not know of yet.
 */
enum stats_state stats_cache_get(struct stats_cache *cache, struct slice site, int32_t day,
				 const struct stats **out, bool *asked);
void stats_unref(const struct stats *stats);

/* --- the reader --- */

struct stats_want {
	char site[CONF_SITE_KEY_MAX];
	size_t len;
	int32_t day;
};
/* The next that somebody asked for; false: there is none. */
bool stats_cache_wanted(struct stats_cache *cache, struct stats_want *want);
/* To be filled in and put. */
struct stats *stats_new(void);
/* Takes over the reference; NULL: they could not be fetched. */
void stats_cache_put(struct stats_cache *cache, const struct stats_want *want, struct stats *stats);

#endif
