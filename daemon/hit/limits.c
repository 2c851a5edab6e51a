/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of networks and when each may send again (GCRA, the leaky bucket of ITU-T I.371): 4 MiB of buckets, a
 * cache line each, that cost no memory until they are touched. Keeps no address, only a hash with a seed that dies
 * with the process, so nobody can choose addresses that share a place. Never allocates after its birth.
 */
#include "hit/limits.h"

#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/network.h"

enum {
	BUCKETS = 1 << 16,
	SLOTS = 3,
	SPINS = 100, /* before the holder of a lock is given the processor */
};
#define MS INT64_C(1000000) /* times are in ns: the share of one hit may be less than 1 us */
#define MINUTE (60000 * MS)

/* When all that was taken will have been paid for, at the limit's rate and at LIMIT_FAR times that. */
struct paid {
	int64_t limit;
	int64_t far;
};

/* The slots are in the order of their last use; a tag is the upper half of the hash (0: free). */
struct bucket {
	_Alignas(64) atomic_uint locked;
	uint32_t tags[SLOTS];
	struct paid paid[SLOTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct limits {
	struct bucket buckets[BUCKETS];
	uint64_t seed;
};

struct limits *
limits_new(void)
{
	struct limits *limits = mmap(NULL, sizeof(*limits), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (limits == MAP_FAILED)
		die("there is no memory left for the table of limits");
	/* A huge page would be resident whole after its first use. Where there are none this fails: fine. */
	(void)madvise(limits, sizeof(*limits), MADV_NOHUGEPAGE);
	randombytes_buf(&limits->seed, sizeof(limits->seed));
	return limits;
}

void
limits_free(struct limits *limits)
{
	if (limits)
		munmap(limits, sizeof(*limits));
}

static struct bucket *
bucket_lock(struct limits *limits, uint64_t hash)
{
	struct bucket *bucket = &limits->buckets[hash % BUCKETS];
	for (int spins = 1; atomic_exchange_explicit(&bucket->locked, 1, memory_order_acquire);
	     spins++)
		if (spins % SPINS == 0)
			sched_yield();
	return bucket;
}

/* Holding the lock. Finds the tag's slot, or gives it the last one, and moves it to the front. */
static struct paid *
bucket_find(struct bucket *bucket, uint32_t tag)
{
	struct paid found = {0, 0};
	int at = 0;
	while (at < SLOTS - 1 && bucket->tags[at] != tag)
		at++;
	if (bucket->tags[at] == tag)
		found = bucket->paid[at];
	for (; at > 0; at--) {
		bucket->tags[at] = bucket->tags[at - 1];
		bucket->paid[at] = bucket->paid[at - 1];
	}
	bucket->tags[0] = tag;
	bucket->paid[0] = found;
	return &bucket->paid[0];
}

/* What is owed never exceeds `rate` shares, not a minute: so exactly `rate` hits fit at once, however a share is rounded. */
static bool
paid_take(int64_t *paid, int64_t rate, int64_t now)
{
	int64_t share = MINUTE / rate;
	int64_t owed = (*paid > now ? *paid - now : 0) + share;
	if (owed > share * rate)
		return false;
	*paid = now + owed;
	return true;
}

static enum limit_verdict
network_take(struct limits *limits, uint64_t hash, int64_t rate, int64_t now)
{
	uint32_t tag = (uint32_t)(hash >> 32);
	struct bucket *bucket = bucket_lock(limits, hash);
	struct paid *paid = bucket_find(bucket, tag ? tag : 1);
	enum limit_verdict verdict = LIMIT_WITHIN;
	if (!paid_take(&paid->far, rate * LIMIT_FAR, now))
		verdict = LIMIT_FAR_OVER;
	else if (!paid_take(&paid->limit, rate, now))
		verdict = LIMIT_OVER;
	atomic_store_explicit(&bucket->locked, 0, memory_order_release);
	return verdict;
}

/* The hash of a network: its first bytes, told apart from other lengths by the seed. */
static uint64_t
network_hash(const struct limits *limits, const void *bytes, size_t len)
{
	return XXH3_64bits_withSeed(bytes, len, limits->seed + len);
}

/* What the /64 may not send is not charged to the /48: one neighbour's flood is not the others' fault. */
static enum limit_verdict
take_v6(struct limits *limits, const unsigned char *bytes, int rate, int64_t now)
{
	enum limit_verdict verdict =
		network_take(limits, network_hash(limits, bytes, 8), rate, now);
	if (verdict != LIMIT_WITHIN)
		return verdict;
	return network_take(limits, network_hash(limits, bytes, 6), (int64_t)rate * LIMIT_WIDE,
			    now);
}

enum limit_verdict
limits_take(struct limits *limits, const struct sockaddr *address, int per_minute, int64_t mono_ms)
{
	const unsigned char *bytes;
	sa_family_t family = address_bytes(address, &bytes);
	if (per_minute <= 0 || family == AF_UNSPEC)
		return LIMIT_WITHIN;
	int64_t now = mono_ms * MS;
	if (family == AF_INET)
		return network_take(limits, network_hash(limits, bytes, 4), per_minute, now);
	return take_v6(limits, bytes, per_minute, now);
}
