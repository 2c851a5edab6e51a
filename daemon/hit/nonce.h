/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was counted a short while ago, by hash: page views by site and nonce for ten minutes, visitors' pages for as
 * long as their site says. A table of fixed size for the whole process: when more hashes are alive than it holds, the
 * oldest of a bucket go first.
 */
#ifndef HIT_NONCE_H
#define HIT_NONCE_H

#include "base/base.h"

enum { NONCE_KEEP_MS = 10 * 60 * 1000 };

struct nonces;
struct nonces *nonces_new(void);
void nonces_free(struct nonces *nonces);

/* Never 0. Both texts matter, and where one ends. */
uint64_t nonce_hash(struct slice site, struct slice nonce);

/*
 * Any thread. True when nobody has claimed it in the keep_ms (at most 24 days) before time_ms, or it was released since.
 * 0 is always won.
 */
bool nonces_claim(struct nonces *nonces, uint64_t hash, int64_t time_ms, int64_t keep_ms);
void nonces_release(struct nonces *nonces, uint64_t hash);

#endif
