/* SPDX-License-Identifier: BSD-2-Clause */
/* One page view, validated and bounded; everything that could be decided differently later is decided in it. */
#ifndef HIT_HIT_H
#define HIT_HIT_H

#include "base/base.h"

enum {
	HIT_PAGE_MAX = 512,  /* bytes of a normalised path */
	HIT_VALUE_MAX = 253, /* of any other value; a host name's most, RFC 1035 section 2.3.4 */
	HIT_WORD_MAX = 23,   /* of a value that comes from a table of ours */
};

/* What is counted in a table of its own, by day and month: id, name in keys, commands and JSON. */
#define HIT_DIMENSIONS(X)         \
	X(PAGES, "pages")         \
	X(REFERRERS, "referrers") \
	X(COUNTRIES, "countries") \
	X(BROWSERS, "browsers")   \
	X(SYSTEMS, "systems")     \
	X(DEVICES, "devices")     \
	X(LANGUAGES, "languages") \
	X(SCREENS, "screens")     \
	X(BOTS, "bots")           \
	X(REFUSED, "refused")

#define X(id, name) HIT_##id,
enum hit_dimension { HIT_DIMENSIONS(X) HIT_DIMENSION_COUNT };
#undef X

/*
 * A view is what neither BOTS nor REFUSED has a value of. A bot's hit has the bot's name alone; a refusal the
 * reason, and stands for `count` requests.
 */
struct hit {
	int64_t time_ms;                          /* since the epoch, base/clock.h */
	int32_t day;                              /* local date of the site's zone, base/period.h */
	uint8_t hour;                             /* local hour, 0 to 23 */
	bool page_only;                           /* counts its page, but not the site */
	uint32_t count;                           /* of a refusal; else 1 */
	uint64_t visitor;                         /* keyed hash, hit/visitor.h; 0: none */
	uint64_t nonce;                           /* hash of site and nonce, hit/nonce.h; 0: none */
	struct slice site;                        /* its key */
	struct slice values[HIT_DIMENSION_COUNT]; /* absent: not known, counted in no table */
};

static inline bool
hit_is_view(const struct hit *hit)
{
	return !hit->values[HIT_BOTS].ptr && !hit->values[HIT_REFUSED].ptr;
}

#endif
