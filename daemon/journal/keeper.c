/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's thread: calls journal_tend ten times a second until it is stopped. Knows nothing of what is tended;
 * that is in tend.c.
 */
#include "journal/keeper.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"

enum { TEND_EVERY_MS = 100 };

struct keeper {
	struct journal *journal;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
};

static void *
keeper_main(void *arg)
{
	struct keeper *keeper = arg;
	pthread_setname_np(pthread_self(), "keeper");
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping) {
		pthread_mutex_unlock(&keeper->lock);
		journal_tend(keeper->journal);
		int64_t until = clock_mono_ms() + TEND_EVERY_MS;
		struct timespec deadline = {until / 1000, until % 1000 * 1000000};
		pthread_mutex_lock(&keeper->lock);
		if (!keeper->stopping)
			pthread_cond_timedwait(&keeper->wake, &keeper->lock, &deadline);
	}
	pthread_mutex_unlock(&keeper->lock);
	journal_tend(keeper->journal);
	return NULL;
}

struct keeper *
keeper_start(struct journal *journal)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));
	keeper->journal = journal;
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&keeper->lock, NULL);
	if (pthread_create(&keeper->thread, NULL, keeper_main, keeper) != 0)
		die("cannot start a thread");
	return keeper;
}

void
keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	free(keeper);
}
