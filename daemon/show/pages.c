/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of pages: buckets of one cache line of tags and their entries, a lock each, that cost no memory until they
 * are touched; and the queue of what the reader is to fetch. Never waits for Redis, never allocates after its birth.
 */
#include "show/pages.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "show/counts.h"

enum {
	BUCKETS = 1 << 13,
	WAYS = 15,
	SPINS = 100, /* before the holder of a lock is given the processor */
	QUEUE_MAX = 512,
	STALE_MS = 1000,
	STALE_PER_SECOND = 50, /* known pages that are asked for again */
	ASK_AGAIN_MS = 50,
	NOTIFIED_MAX = 256,
	NEVER = INT32_MIN,
};

struct entry {
	uint64_t high;
	int32_t day; /* of hits_day, visits_day and pending_day */
	/* Own hits that Redis is not known to hold; below 0 while their workers are yet to add them. */
	int32_t pending, pending_day;
	uint32_t epoch;              /* of its shard when it was taken; 0: not known */
	uint32_t used, asked, taken; /* monotonic ms, which wrap */
	struct page_counts redis;
};

/*
 * A tag is the upper half of the key's low word; 0: free. The orphans, pending hits of pages that have no entry, are
 * summed up with each page's own weight: a plain number would be 0 as well when a hit of one page is still to be
 * confirmed and one of another was confirmed before it was added.
 */
struct bucket {
	_Alignas(64) atomic_uint locked;
	uint32_t tags[WAYS];
	struct entry entries[WAYS];
	uint64_t orphans;
};

struct pages {
	struct bucket buckets[BUCKETS];
	uint64_t seed;
	_Atomic uint32_t epochs[CONF_SHARDS];
	_Atomic bool settled[CONF_SHARDS];
	_Atomic bool connected;

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wanted;
	struct page_want queue[QUEUE_MAX];
	size_t first, count;
	bool woken;
	int64_t stale_until_ms; /* of the second in which stale_left are still taken */
	int stale_left;
	int notified[NOTIFIED_MAX];
	size_t notified_count;
};

struct pages *
pages_new(void)
{
	struct pages *pages = mmap(NULL, sizeof(*pages), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("there is no memory left for the table of pages");
	/* A huge page would be resident whole after its first use. Where there are none this fails: fine. */
	(void)madvise(pages, sizeof(*pages), MADV_NOHUGEPAGE);
	randombytes_buf(&pages->seed, sizeof(pages->seed));
	for (int i = 0; i < CONF_SHARDS; i++)
		atomic_init(&pages->epochs[i], 1);
	/* Until the reader says otherwise: a first answer waits for it to connect. */
	atomic_init(&pages->connected, true);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pages->wanted, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&pages->lock, NULL);
	return pages;
}

void
pages_free(struct pages *pages)
{
	if (pages)
		munmap(pages, sizeof(*pages));
}

struct page_key
pages_key(const struct pages *pages, struct slice site, int shard, struct slice path)
{
	uint64_t seed = pages->seed + XXH3_64bits(site.ptr, site.len);
	XXH128_hash_t hash = XXH3_128bits_withSeed(path.ptr, path.len, seed);
	return (struct page_key){hash.low64, hash.high64, shard};
}

/* --- entries --- */

static struct bucket *
bucket_lock(struct pages *pages, struct page_key key)
{
	struct bucket *bucket = &pages->buckets[key.low % BUCKETS];
	for (int spins = 1; atomic_exchange_explicit(&bucket->locked, 1, memory_order_acquire);
	     spins++)
		if (spins % SPINS == 0)
			sched_yield();
	return bucket;
}

static void
bucket_unlock(struct bucket *bucket)
{
	atomic_store_explicit(&bucket->locked, 0, memory_order_release);
}

static uint32_t
tag_of(struct page_key key)
{
	uint32_t tag = (uint32_t)(key.low >> 32);
	return tag ? tag : 1;
}

/* Odd, so that no number of hits but 0 comes to 0. */
static uint64_t
weight_of(struct page_key key)
{
	return key.high | 1;
}

/* Locked, as all that follow. */
static struct entry *
entry_find(struct bucket *bucket, struct page_key key)
{
	uint32_t tag = tag_of(key);
	for (int i = 0; i < WAYS; i++)
		if (bucket->tags[i] == tag && bucket->entries[i].high == key.high)
			return &bucket->entries[i];
	return NULL;
}

/* The place of a new entry: a free one, or that of the longest unused one that may go. NULL: all must stay. */
static struct entry *
entry_place(struct bucket *bucket, uint32_t now)
{
	struct entry *oldest = NULL;
	for (int i = 0; i < WAYS; i++) {
		struct entry *entry = &bucket->entries[i];
		if (bucket->tags[i] == 0)
			return entry;
		if (entry->pending == 0 && (!oldest || now - entry->used > now - oldest->used))
			oldest = entry;
	}
	return oldest;
}

/* A page that may have hits among the orphans gets no entry: it would not count them. */
static struct entry *
entry_make(struct bucket *bucket, struct page_key key, uint32_t now)
{
	struct entry *entry = bucket->orphans == 0 ? entry_place(bucket, now) : NULL;
	if (!entry)
		return NULL;
	bucket->tags[entry - bucket->entries] = tag_of(key);
	*entry = (struct entry){.high = key.high, .day = NEVER, .asked = now - ASK_AGAIN_MS};
	return entry;
}

/* A later day begins with nothing of its own; what others counted on it is not known yet. */
static void
entry_enter_day(struct entry *entry, int32_t day)
{
	if (day <= entry->day)
		return;
	entry->day = day;
	entry->pending_day = 0;
	entry->epoch = 0;
}

static void
add_pending(struct entry *entry, int32_t day, int64_t hits)
{
	entry->pending += (int32_t)hits;
	if (day == entry->day)
		entry->pending_day += (int32_t)hits;
}

/* --- workers --- */

void
pages_add(struct pages *pages, struct page_key key, int32_t day)
{
	uint32_t now = (uint32_t)clock_coarse_ms();
	struct bucket *bucket = bucket_lock(pages, key);
	struct entry *entry = entry_find(bucket, key);
	if (!entry)
		entry = entry_make(bucket, key, now);
	if (entry) {
		entry_enter_day(entry, day);
		add_pending(entry, day, 1);
		entry->used = now;
	} else {
		bucket->orphans += weight_of(key);
	}
	bucket_unlock(bucket);
}

static int64_t
sum(int64_t redis, int32_t pending)
{
	return redis < 0 ? COUNT_UNKNOWN : redis + pending;
}

/* Of a day before the entry's, as a clock that was set back or a site's new zone asks for, only the total is known. */
static enum page_state
entry_read(const struct pages *pages, const struct entry *entry, struct page_key key, int32_t day,
	   struct page_counts *out)
{
	uint32_t epoch = atomic_load_explicit(&pages->epochs[key.shard], memory_order_relaxed);
	if (entry->epoch == epoch) {
		bool today = day == entry->day;
		*out = (struct page_counts){
			today ? sum(entry->redis.hits_today, entry->pending_day) : COUNT_UNKNOWN,
			sum(entry->redis.hits_total, entry->pending),
			today ? entry->redis.visits_today : COUNT_UNKNOWN,
			entry->redis.visits_total,
		};
		return PAGE_KNOWN;
	}
	bool fetchable = atomic_load_explicit(&pages->connected, memory_order_relaxed) &&
			 atomic_load_explicit(&pages->settled[key.shard], memory_order_relaxed);
	return fetchable ? PAGE_FETCHABLE : PAGE_UNKNOWN;
}

enum page_state
pages_get(struct pages *pages, struct page_key key, int32_t day, struct page_counts *out,
	  bool *stale)
{
	uint32_t now = (uint32_t)clock_coarse_ms();
	enum page_state state = PAGE_UNKNOWN;
	*out = (struct page_counts){COUNT_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN};
	struct bucket *bucket = bucket_lock(pages, key);
	struct entry *entry = entry_find(bucket, key);
	if (!entry)
		entry = entry_make(bucket, key, now);
	if (entry) {
		entry_enter_day(entry, day);
		entry->used = now;
		state = entry_read(pages, entry, key, day, out);
	}
	*stale = entry && now - entry->taken > STALE_MS;
	bucket_unlock(bucket);
	return state;
}

/* Whether the page was not asked for just now. */
static bool
claim_asking(struct pages *pages, struct page_key key)
{
	uint32_t now = (uint32_t)clock_coarse_ms();
	struct bucket *bucket = bucket_lock(pages, key);
	struct entry *entry = entry_find(bucket, key);
	bool first = entry && now - entry->asked >= ASK_AGAIN_MS;
	if (first)
		entry->asked = now;
	bucket_unlock(bucket);
	return first;
}

/* Holding the lock. What nobody waits for takes no more than its share of each second. */
static bool
has_turn(struct pages *pages, bool waiting)
{
	int64_t now = clock_coarse_ms();
	if (waiting)
		return true;
	if (now >= pages->stale_until_ms) {
		pages->stale_until_ms = now + STALE_MS;
		pages->stale_left = STALE_PER_SECOND;
	}
	return pages->stale_left-- > 0;
}

void
pages_want(struct pages *pages, const struct page_want *want, bool waiting)
{
	if (!claim_asking(pages, want->key))
		return;
	pthread_mutex_lock(&pages->lock);
	if (pages->count < QUEUE_MAX && has_turn(pages, waiting)) {
		size_t last = (pages->first + pages->count++) % QUEUE_MAX;
		pages->queue[last] = *want;
		pthread_cond_signal(&pages->wanted);
	}
	pthread_mutex_unlock(&pages->lock);
}

void
pages_notify(struct pages *pages, int eventfd)
{
	pthread_mutex_lock(&pages->lock);
	assert(pages->notified_count < NOTIFIED_MAX);
	pages->notified[pages->notified_count++] = eventfd;
	pthread_mutex_unlock(&pages->lock);
}

/* --- the reader --- */

static int
compare_wants(const void *a, const void *b)
{
	const struct page_want *left = a, *right = b;
	if (left->key.shard != right->key.shard)
		return left->key.shard - right->key.shard;
	if (left->site_len != right->site_len)
		return left->site_len - right->site_len;
	int order = memcmp(left->site, right->site, left->site_len);
	return order ? order : left->day - right->day;
}

size_t
pages_wanted(struct pages *pages, struct page_want *out, size_t room, int timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	const struct timespec deadline = {until / 1000, until % 1000 * 1000000};
	size_t count = 0;
	pthread_mutex_lock(&pages->lock);
	while (pages->count == 0 && !pages->woken && clock_mono_ms() < until)
		pthread_cond_timedwait(&pages->wanted, &pages->lock, &deadline);
	pages->woken = false;
	for (; count < room && pages->count > 0; pages->count--) {
		out[count++] = pages->queue[pages->first];
		pages->first = (pages->first + 1) % QUEUE_MAX;
	}
	pthread_mutex_unlock(&pages->lock);
	qsort(out, count, sizeof(*out), compare_wants);
	return count;
}

void
pages_wake(struct pages *pages)
{
	pthread_mutex_lock(&pages->lock);
	pages->woken = true;
	pthread_cond_signal(&pages->wanted);
	pthread_mutex_unlock(&pages->lock);
}

void
pages_dealt_with(struct pages *pages, const struct page_want *wants, size_t count)
{
	uint32_t now = (uint32_t)clock_coarse_ms();
	for (size_t i = 0; i < count; i++) {
		struct bucket *bucket = bucket_lock(pages, wants[i].key);
		struct entry *entry = entry_find(bucket, wants[i].key);
		if (entry)
			entry->asked = now - ASK_AGAIN_MS;
		bucket_unlock(bucket);
	}
	pthread_mutex_lock(&pages->lock);
	for (size_t i = 0; i < pages->notified_count; i++)
		if (eventfd_write(pages->notified[i], 1) < 0)
			log_debug("page_notify_failed worker=%zu", i);
	pthread_mutex_unlock(&pages->lock);
}

void
pages_take(struct pages *pages, const struct page_want *want, const struct page_counts *redis)
{
	struct bucket *bucket = bucket_lock(pages, want->key);
	struct entry *entry = entry_find(bucket, want->key);
	if (entry && entry->day == want->day) {
		entry->redis = *redis;
		entry->epoch = atomic_load(&pages->epochs[want->key.shard]);
		entry->taken = (uint32_t)clock_coarse_ms();
	}
	bucket_unlock(bucket);
}

/* --- the tally --- */

/* A number that is not known stays so. */
static void
raise(int64_t *number, int64_t by)
{
	if (*number >= 0)
		*number += by;
}

/* Fresh hits are pending no more. Returns the page's entry, or NULL. */
static struct entry *
settle_pending(struct bucket *bucket, struct page_key key, int32_t day, int64_t fresh)
{
	struct entry *entry = entry_find(bucket, key);
	if (entry)
		add_pending(entry, day, -fresh);
	else
		bucket->orphans -= weight_of(key) * (uint64_t)fresh;
	return entry;
}

void
pages_confirm(struct pages *pages, struct page_key key, int32_t day, int64_t hits, int64_t fresh,
	      int64_t visits)
{
	struct bucket *bucket = bucket_lock(pages, key);
	struct entry *entry = settle_pending(bucket, key, day, fresh);
	if (entry) {
		raise(&entry->redis.hits_total, hits);
		raise(&entry->redis.visits_total, visits);
		entry->taken = (uint32_t)clock_coarse_ms();
	}
	if (entry && day == entry->day) {
		raise(&entry->redis.hits_today, hits);
		raise(&entry->redis.visits_today, visits);
	}
	bucket_unlock(bucket);
}

void
pages_throw_away(struct pages *pages, struct page_key key, int32_t day, int64_t fresh)
{
	struct bucket *bucket = bucket_lock(pages, key);
	(void)settle_pending(bucket, key, day, fresh);
	bucket_unlock(bucket);
}

void
pages_unsettle(struct pages *pages, int shard)
{
	atomic_store(&pages->settled[shard], false);
	atomic_fetch_add(&pages->epochs[shard], 1);
}

void
pages_settle(struct pages *pages, int shard)
{
	atomic_store(&pages->settled[shard], true);
}

void
pages_connected(struct pages *pages, bool connected)
{
	atomic_store_explicit(&pages->connected, connected, memory_order_relaxed);
}
