/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visitor ids and the salts they are made with. Keeps no address and no user agent, and no salt for
 * longer than its dates are of use. Readers of a known date take no lock.
 */
#include "hit/visitor.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <xxhash.h>

#include "base/conf.h"
#include "base/network.h"

enum {
	SLOTS = 8,     /* consecutive dates that have a place each */
	KEEP_DAYS = 3, /* before the newest date */
	NO_DAY = INT32_MIN,
};

/*
 * A sequence lock: odd while it is being written. What it guards is atomic, so that a torn read is
 * only repeated.
 */
struct slot {
	_Atomic uint32_t sequence;
	_Atomic int32_t day;
	_Atomic uint64_t words[SALT_SIZE / 8];
};

struct salts {
	struct slot slots[SLOTS];
	pthread_mutex_t writing;
};

struct salts *
salts_new(void)
{
	struct salts *salts = xcalloc(1, sizeof(*salts));
	for (int i = 0; i < SLOTS; i++)
		atomic_init(&salts->slots[i].day, NO_DAY);
	pthread_mutex_init(&salts->writing, NULL);
	return salts;
}

void
salts_free(struct salts *salts)
{
	if (!salts)
		return;
	pthread_mutex_destroy(&salts->writing);
	sodium_memzero(salts->slots, sizeof(salts->slots));
	free(salts);
}

static struct slot *
slot_of(struct salts *salts, int32_t day)
{
	return &salts->slots[(uint32_t)day % SLOTS];
}

/* False when the slot holds another date. */
static bool
slot_read(struct slot *slot, int32_t day, struct salt *out)
{
	for (;;) {
		uint64_t words[SALT_SIZE / 8];
		uint32_t before = atomic_load_explicit(&slot->sequence, memory_order_acquire);
		int32_t found = atomic_load_explicit(&slot->day, memory_order_acquire);
		for (size_t i = 0; i < COUNT_OF(words); i++)
			words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
		uint32_t after = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
		if (before % 2 != 0 || before != after)
			continue;
		memcpy(out->bytes, words, sizeof(words));
		return found == day;
	}
}

/* Holding `writing`. */
static void
slot_write(struct slot *slot, int32_t day, const struct salt *salt)
{
	uint64_t words[SALT_SIZE / 8];
	uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
	memcpy(words, salt->bytes, sizeof(words));
	atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_relaxed);
	atomic_store_explicit(&slot->day, day, memory_order_release);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		atomic_store_explicit(&slot->words[i], words[i], memory_order_release);
	atomic_store_explicit(&slot->sequence, sequence + 2, memory_order_release);
}

/* Holding `writing`. */
static void
wipe_before(struct salts *salts, int32_t oldest)
{
	static const struct salt nothing;
	for (int i = 0; i < SLOTS; i++) {
		int32_t day = atomic_load_explicit(&salts->slots[i].day, memory_order_relaxed);
		if (day != NO_DAY && day < oldest)
			slot_write(&salts->slots[i], NO_DAY, &nothing);
	}
}

void
salts_set(struct salts *salts, int32_t day, const struct salt *salt)
{
	struct slot *slot = slot_of(salts, day);
	struct salt held;
	pthread_mutex_lock(&salts->writing);
	/* Usually it is held already: every audit sets it again. */
	if (!slot_read(slot, day, &held) || memcmp(&held, salt, sizeof(held)) != 0) {
		wipe_before(salts, day - KEEP_DAYS);
		slot_write(slot, day, salt);
	}
	pthread_mutex_unlock(&salts->writing);
}

static struct salt
salts_make(struct salts *salts, int32_t day)
{
	struct salt salt;
	pthread_mutex_lock(&salts->writing);
	/* Another thread may have made it while this one waited. */
	if (!slot_read(slot_of(salts, day), day, &salt)) {
		randombytes_buf(salt.bytes, sizeof(salt.bytes));
		wipe_before(salts, day - KEEP_DAYS);
		slot_write(slot_of(salts, day), day, &salt);
	}
	pthread_mutex_unlock(&salts->writing);
	return salt;
}

struct salt
salts_get(struct salts *salts, int32_t day)
{
	struct salt salt;
	if (slot_read(slot_of(salts, day), day, &salt))
		return salt;
	return salts_make(salts, day);
}

/* What of an address tells visitors apart. Zeroed: nobody in particular. */
struct origin {
	unsigned char kind; /* 4 or 6 */
	unsigned char bytes[8];
};

static struct origin
origin_of(const struct sockaddr *address)
{
	struct origin origin = {0};
	const unsigned char *bytes;
	sa_family_t family = address_bytes(address, &bytes);
	if (family == AF_UNSPEC)
		return origin;
	origin.kind = family == AF_INET ? 4 : 6;
	memcpy(origin.bytes, bytes, family == AF_INET ? 4 : 8);
	return origin;
}

static uint64_t
keyed_hash(const struct salt *salt, const void *bytes, size_t len)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t hash;
	crypto_shorthash(out, bytes, len, salt->bytes);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}

/*
 * The user agent, of any length, goes in as its own hash: all before the site has a fixed length. That one needs no key,
 * as the outer one covers it; who finds two user agents of one hash has made himself one visitor.
 */
uint64_t
visitor_id(const struct salt *salt, struct slice site, const struct sockaddr *address,
	   struct slice user_agent)
{
	struct {
		uint64_t agent;
		struct origin origin;
		char site[CONF_SITE_KEY_MAX];
	} in;
	size_t site_len = site.len < sizeof(in.site) ? site.len : sizeof(in.site);
	in.agent = XXH3_64bits(user_agent.ptr ? user_agent.ptr : "", user_agent.len);
	in.origin = origin_of(address);
	if (site_len > 0)
		memcpy(in.site, site.ptr, site_len);
	uint64_t id = keyed_hash(salt, &in, offsetof(__typeof__(in), site) + site_len);
	return id ? id : 1;
}
