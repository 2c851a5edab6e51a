/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A year of one site's hits, written to a Redis as thongked writes them, to see what memory they take. People come by
 * Zipf's law to pages and from referrers; a visitor makes two hits and a half. site_year.py runs it and measures.
 *
 *   site_year REDIS HITS-A-DAY
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "store/store.h"

enum {
	LAST_DAY = 20453 /* 2025-12-31 */,
	DAYS = 365,
	PAGES = 10000,
	REFERRERS = 2000,
	GAP_MS = 1800000
};

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* Rank 0 is the most frequent: the inverse of the distribution that 1/rank comes close to. */
static unsigned
zipf(uint64_t *state, unsigned count)
{
	double share = (double)(next_random(state) >> 11) / 9007199254740992.0;
	unsigned rank = (unsigned)pow(count, share) - 1;
	return rank < count ? rank : count - 1;
}

/* One of `count` names: a few of them have most of the hits. */
static struct slice
name(char *to, size_t room, const char *format, uint64_t *state, unsigned count)
{
	return (struct slice){to, (size_t)snprintf(to, room, format, zipf(state, count))};
}

struct texts {
	char page[96], referrer[64], browser[24], system[24], language[8], country[8], bot[24];
};

static struct hit
make_hit(uint64_t *state, int32_t day, int64_t n, int64_t hits, struct texts *texts)
{
	static const char *const screens[] = {"0-575", "576-991", "992-1439", "1440-1919", "1920+"};
	struct hit hit = {
		.time_ms = day * INT64_C(86400000) + n * (INT64_C(86400000) / hits),
		.day = day,
		.hour = (uint8_t)(n * 24 / hits),
		.count = 1,
		.site = SLICE("portal"),
	};
	if (next_random(state) % 100 < 15) {
		hit.values[HIT_BOTS] = name(texts->bot, 24, "Crawler %u", state, 60);
		return hit;
	}
	hit.visitor = (uint64_t)day << 32 | (next_random(state) % (uint64_t)(hits * 2 / 5) + 1);
	hit.values[HIT_PAGES] =
		name(texts->page, 96, "/tin-tuc/2025/a-longer-article-name-%u", state, PAGES);
	hit.values[HIT_REFERRERS] =
		name(texts->referrer, 64, "blog-%u.example.org", state, REFERRERS);
	hit.values[HIT_COUNTRIES] = name(texts->country, 8, "C%u", state, 60);
	hit.values[HIT_BROWSERS] = name(texts->browser, 24, "Browser %u", state, 12);
	hit.values[HIT_SYSTEMS] = name(texts->system, 24, "System %u", state, 6);
	hit.values[HIT_DEVICES] = SLICE("mobile");
	hit.values[HIT_LANGUAGES] = name(texts->language, 8, "l%u", state, 20);
	hit.values[HIT_SCREENS] = slice_of(screens[next_random(state) % COUNT_OF(screens)]);
	return hit;
}

static void
apply(struct store *store, int shard, struct delta *delta, uint64_t *offset)
{
	struct advance advance = {"year", *offset, *offset + 1, "20251231"};
	struct apply_reply reply;
	if (store_send(store, shard, &advance, 1, delta) != STORE_OK ||
	    store_receive(store, &reply) != STORE_OK || reply.refused) {
		fprintf(stderr, "site_year: %s\n", store_error(store));
		exit(1);
	}
	apply_reply_release(&reply);
	delta_clear(delta);
	++*offset;
}

int
main(int argc, char **argv)
{
	char error[256];
	struct store_options options = {
		argc > 2 ? argv[1] : "", "thongke", "", 10000, 10000, 86400};
	struct store *store = store_new(&options, error, sizeof(error));
	if (!store || store_connect(store) != STORE_OK) {
		fprintf(stderr, "usage: site_year unix:/path HITS-A-DAY\n");
		return 2;
	}
	int64_t hits = strtoll(argv[2], NULL, 10);
	int shard = crc16_xmodem(SLICE("portal")) % CONF_SHARDS;
	uint64_t state = 88172645463325252, offset = 0;
	struct delta *delta = delta_new();
	struct texts texts;
	for (int32_t day = LAST_DAY - DAYS + 1; day <= LAST_DAY; day++)
		for (int64_t n = 0; n < hits; n++) {
			struct hit hit = make_hit(&state, day, n, hits, &texts);
			if (!delta_has_room(delta, &hit))
				apply(store, shard, delta, &offset);
			delta_add(delta, &hit, GAP_MS, true);
		}
	apply(store, shard, delta, &offset);
	for (int32_t day = LAST_DAY - DAYS + 1; day < LAST_DAY - STORE_WHOLE_DAYS; day++)
		if (store_trim(store, SLICE("portal"), day) != STORE_OK)
			return 1;
	delta_free(delta);
	store_free(store);
	return 0;
}
