/* SPDX-License-Identifier: BSD-2-Clause */
/* One page view, validated and bounded; everything that could be decided differently later is decided in it. */
#ifndef HIT_HIT_H
#define HIT_HIT_H

#include "base/base.h"

enum {
	HIT_PAGE_MAX = 512, /* bytes of a normalised path */
};

struct hit {
	int64_t time_ms;   /* since the epoch, base/clock.h */
	int32_t day;       /* local date of the site's zone, base/period.h */
	uint8_t hour;      /* local hour, 0 to 23 */
	uint64_t visitor;  /* keyed hash, hit/visitor.h; 0: none */
	uint64_t nonce;    /* hash of site and nonce, hit/nonce.h; 0: none */
	struct slice site; /* its key */
	struct slice page; /* normalised path; absent: no page is known */
};

#endif
