/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests that apply deltas to a real Redis: a store, one site in shard 3 (the CRC-16/XMODEM of "123456789" is the
 * check value 0x31C3), and one call with its reply. Dates by hand: 2020-05-20 is day 18402, in the ISO week 2020-W21.
 */
#ifndef TESTS_STORE_HERE_H
#define TESTS_STORE_HERE_H

#include "redis_here.h"
#include "store/store.h"

enum { DAY = 18402, SHARD = 3, TIMEOUT_MS = 2000, PAGES_PER_DAY = 10000, RETAIN_S = 86400 };

#define SITE "123456789"
#define KEY "thongke:{03}:" SITE

static inline struct store *
store_at(struct redis_here *here, int timeout_ms, int64_t pages_per_day)
{
	char error[256] = "";
	struct store_options options = {here->target, "thongke",     "",
					timeout_ms,   pages_per_day, RETAIN_S};
	struct store *store = store_new(&options, error, sizeof(error));
	assert_string_equal(error, "");
	assert_int_equal(store_connect(store), STORE_OK);
	return store;
}

/* One call for one stream: its status, the reply for the caller to release. */
static inline int
apply(struct store *store, int shard, uint64_t previous, uint64_t next, const struct delta *delta,
      struct apply_reply *reply)
{
	struct advance advance = {"stream", previous, next, "20200520"};
	int status = store_send(store, shard, &advance, 1, delta);
	*reply = (struct apply_reply){.status = status};
	return status == STORE_OK ? store_receive(store, reply) : status;
}

static inline int
apply_quietly(struct store *store, uint64_t previous, uint64_t next, const struct delta *delta)
{
	struct apply_reply reply;
	int status = apply(store, SHARD, previous, next, delta, &reply);
	apply_reply_release(&reply);
	return status;
}

#endif
