/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of claimed nonces: 4 MiB of buckets, a cache line each, that cost no memory until they
 * are touched. Never allocates after its birth and never says "held" of a hash that nobody claimed,
 * but for 48 equal bits.
 */
#include "hit/nonce.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "base/log.h"

enum {
	BUCKETS = 1 << 16,
	SLOTS = 7,
	SPINS = 100, /* before the holder of a lock is given the processor */
	CLOCK_BACK_MS =
		60000, /* a claim this far in the future is still one; more is 49 days old */
};

/*
 * Both words wrap: a tag is the upper half of the hash (0: free), a time the lower half of the
 * milliseconds.
 */
struct slot {
	uint32_t tag;
	uint32_t time;
};

struct bucket {
	_Alignas(64) atomic_uint locked;
	struct slot slots[SLOTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct nonces {
	struct bucket buckets[BUCKETS];
};

struct nonces *
nonces_new(void)
{
	void *memory = mmap(NULL, sizeof(struct nonces), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("there is no memory left for the table of nonces");
	/*
	 * A huge page would be resident whole after its first claim. Where there are none this
	 * fails: fine.
	 */
	(void)madvise(memory, sizeof(struct nonces), MADV_NOHUGEPAGE);
	return memory;
}

void
nonces_free(struct nonces *nonces)
{
	if (nonces)
		munmap(nonces, sizeof(*nonces));
}

uint64_t
nonce_hash(struct slice site, struct slice nonce)
{
	uint64_t seed = XXH3_64bits(site.ptr, site.len);
	uint64_t hash = XXH3_64bits_withSeed(nonce.ptr, nonce.len, seed);
	return hash ? hash : 1;
}

static struct bucket *
bucket_lock(struct nonces *nonces, uint64_t hash)
{
	struct bucket *bucket = &nonces->buckets[hash % BUCKETS];
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
tag_of(uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32);
	return tag ? tag : 1;
}

/* How long ago a slot was claimed: below 0 when the clock went back, the most there is when it is free or was left. */
static int32_t
slot_age(const struct slot *slot, uint32_t now)
{
	int32_t age = (int32_t)(now - slot->time);
	return slot->tag == 0 || age < -CLOCK_BACK_MS ? INT32_MAX : age;
}

/* Holding the lock. */
static bool
bucket_claim(struct bucket *bucket, uint32_t tag, uint32_t now, int64_t keep_ms)
{
	struct slot *oldest = bucket->slots;
	for (struct slot *slot = bucket->slots; slot < bucket->slots + SLOTS; slot++) {
		int32_t age = slot_age(slot, now);
		if (slot->tag == tag && age < keep_ms)
			return false;
		if (slot->tag == tag || age > slot_age(oldest, now))
			oldest = slot;
		if (slot->tag == tag)
			break;
	}
	*oldest = (struct slot){tag, now};
	return true;
}

bool
nonces_claim(struct nonces *nonces, uint64_t hash, int64_t time_ms, int64_t keep_ms)
{
	if (hash == 0)
		return true;
	struct bucket *bucket = bucket_lock(nonces, hash);
	bool won = bucket_claim(bucket, tag_of(hash), (uint32_t)time_ms, keep_ms);
	bucket_unlock(bucket);
	return won;
}

void
nonces_release(struct nonces *nonces, uint64_t hash)
{
	if (hash == 0)
		return;
	struct bucket *bucket = bucket_lock(nonces, hash);
	uint32_t tag = tag_of(hash);
	for (struct slot *slot = bucket->slots; slot < bucket->slots + SLOTS; slot++)
		if (slot->tag == tag)
			slot->tag = 0;
	bucket_unlock(bucket);
}
