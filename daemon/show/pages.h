/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live numbers of pages, as the board is that of sites:
 *
 *   shown = what Redis holds + own hits in the journal past the positions that belong to it
 *
 * One table of fixed size for the whole process; a page not in it is fetched from Redis by the reader when somebody
 * looks at it. One with own hits that Redis is not known to hold (pending) stays in it: forgetting those would show too
 * little. Where so many are pending that a page finds no place, they are summed up for all such pages together, and
 * none of them can be known until the sum is 0 again.
 */
#ifndef SHOW_PAGES_H
#define SHOW_PAGES_H

#include "base/base.h"
#include "base/conf.h"
#include "hit/hit.h"

enum { PAGES_ASKED_MAX = 50, PAGES_WAIT_MS = 50 };

struct pages;

struct pages *pages_new(void);
void pages_free(struct pages *pages);

/* A page of a site; made once and passed along. */
struct page_key {
	uint64_t low, high;
	int shard;
};
struct page_key pages_key(const struct pages *pages, struct slice site, int shard,
			  struct slice path);

/* Of the local day and of all time; COUNT_UNKNOWN: not known. */
struct page_counts {
	int64_t hits_today, hits_total, visits_today, visits_total;
};

enum page_state {
	PAGE_KNOWN,
	PAGE_FETCHABLE, /* Redis can be asked: see pages_want */
	PAGE_UNKNOWN,   /* and cannot be known now */
};

/* --- workers --- */

/* An own hit of the page on `day` is in the journal. */
void pages_add(struct pages *pages, struct page_key key, int32_t day);
/*
 * What is shown of it on `day`; *stale: known, but somebody else may have counted since. Of a day before the last one
 * that was seen of it only the total is known.
 */
enum page_state pages_get(struct pages *pages, struct page_key key, int32_t day,
			  struct page_counts *out, bool *stale);

/* A page to be fetched. */
struct page_want {
	struct page_key key;
	int32_t day;
	uint8_t site_len;
	uint16_t path_len;
	char site[CONF_SITE_KEY_MAX];
	char path[HIT_PAGE_MAX];
};
/* Asks the reader for it, unless that was done just now. `waiting`: an answer waits for it; the others are few. */
void pages_want(struct pages *pages, const struct page_want *want, bool waiting);
/* An eventfd that is written to when wanted pages have been dealt with. At most 256 of them. */
void pages_notify(struct pages *pages, int eventfd);

/* --- the tally's side; the lock of the shard (show/board.h) is held where it says "locked" --- */

/* Takes up to `room` wanted pages, in the order of their shards and sites; waits for the first until timeout_ms. */
size_t pages_wanted(struct pages *pages, struct page_want *out, size_t room, int timeout_ms);
/* Ends that wait: there is something else for the reader to do. Any thread. */
void pages_wake(struct pages *pages);
/* They were dealt with, fetched or not. */
void pages_dealt_with(struct pages *pages, const struct page_want *wants, size_t count);
/* Locked. Redis' numbers, read at the positions that the tally holds. */
void pages_take(struct pages *pages, const struct page_want *want, const struct page_counts *redis);
/* Locked. `hits` of a delta are in Redis now, of which `fresh` were added as own hits; `visits` began with it. */
void pages_confirm(struct pages *pages, struct page_key key, int32_t day, int64_t hits,
		   int64_t fresh, int64_t visits);
/* Locked. Fresh hits of a delta that was thrown away: they will be read again, and are no longer fresh then. */
void pages_throw_away(struct pages *pages, struct page_key key, int32_t day, int64_t fresh);
/* Locked. The shard is out of step with Redis: nothing fetched counts, and nothing is fetched, until it is settled. */
void pages_unsettle(struct pages *pages, int shard);
void pages_settle(struct pages *pages, int shard);
/* Whether the reader has a connection: without one nothing is fetchable. */
void pages_connected(struct pages *pages, bool connected);

#endif
