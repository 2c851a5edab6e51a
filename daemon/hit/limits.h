/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many hits a client's network may still send this minute. One table for the whole process, of fixed size: when
 * more networks send than it holds, the one of a bucket that was silent longest is forgotten, which lets it send anew.
 */
#ifndef HIT_LIMITS_H
#define HIT_LIMITS_H

#include <sys/socket.h>

#include "base/base.h"

/* How many times a limit is far over it, and how many networks' worth of hits the one around them may send. */
enum { LIMIT_FAR = 10, LIMIT_WIDE = 8 };

enum limit_verdict { LIMIT_WITHIN, LIMIT_OVER, LIMIT_FAR_OVER };

struct limits;
/* The process runs sodium_init() first. */
struct limits *limits_new(void);
void limits_free(struct limits *limits);

/*
 * Any thread. Takes one hit of what the network of `address` may send: per_minute of them at once, and then one for
 * every per_minute-th part of a minute. Far over is what does not even fit LIMIT_FAR times that. A network is an IPv4
 * address (also a v4-mapped one) or an IPv6 /64; its /48 may send LIMIT_WIDE times as much. What has no address is
 * always within, as all are when per_minute is 0; a front server's own address is the caller's to spare.
 */
enum limit_verdict limits_take(struct limits *limits, const struct sockaddr *address,
			       int per_minute, int64_t mono_ms);

#endif
