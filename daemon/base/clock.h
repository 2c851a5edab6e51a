/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocks. Intervals and deadlines use the monotonic one; only a hit's time is wall time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_mono_ms(void);
/* The same, as of the last tick of the kernel: a few ms late, and cheap. For ages, not for deadlines. */
int64_t clock_coarse_ms(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);
/*
 * The time of a hit, in ms since the epoch: max(now, last - 5 s), `last` being the greatest time this
 * process has given. A clock set back makes hits stand still for a while, not travel into a past day.
 */
int64_t clock_hit_ms(void);

#endif
