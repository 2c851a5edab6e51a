/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which page views were counted in the last ten minutes, by the hash of site and nonce. One table for the whole
 * process, of fixed size: when more nonces are alive than it holds, the oldest of a bucket go first.
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

/* Any thread. True when nobody holds it at time_ms; it is then held until released or NONCE_KEEP_MS have passed. 0 is always won. */
bool nonces_claim(struct nonces *nonces, uint64_t hash, int64_t time_ms);
void nonces_release(struct nonces *nonces, uint64_t hash);

#endif
