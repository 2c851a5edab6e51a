/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocks; the one place that asks the system for the time. */
#include "base/clock.h"

#include <stdatomic.h>

enum { MAX_STEP_BACK_MS = 5000 };

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t
clock_coarse_ms(void)
{
	return read_ms(CLOCK_MONOTONIC_COARSE);
}

int64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_hit_ms(void)
{
	static _Atomic int64_t greatest;
	int64_t now = clock_wall_ms();
	int64_t last = atomic_load_explicit(&greatest, memory_order_relaxed);
	while (now > last)
		if (atomic_compare_exchange_weak_explicit(
			    &greatest, &last, now, memory_order_relaxed, memory_order_relaxed))
			return now;
	return now > last - MAX_STEP_BACK_MS ? now : last - MAX_STEP_BACK_MS;
}
