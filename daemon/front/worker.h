/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side as a whole: its listening sockets and its worker threads, each with an event loop and a journal
 * stream of its own. Called by the main thread only, but for front_stats.
 */
#ifndef FRONT_WORKER_H
#define FRONT_WORKER_H

#include "base/conf.h"
#include "front/counters.h"
#include "hit/limits.h"
#include "hit/nonce.h"
#include "hit/rules.h"
#include "hit/visitor.h"
#include "journal/journal.h"
#include "show/board.h"
#include "show/pages.h"
#include "show/stats_cache.h"

struct front;

struct front_options {
	struct conf_current *conf;
	struct journal *journal;
	struct rules_current *rules;
	struct board *board;
	struct pages *pages;
	struct salts *salts;
	struct nonces *nonces, *repeats;
	struct limits *limits;
	struct stats_cache *stats;
};

/* How many workers a configuration means: its own number, or one per CPU that this process may use. */
int front_worker_count(const struct conf *conf);

/* Binds every address for every worker; nobody is served yet. NULL: error holds one sentence. */
struct front *front_new(const struct front_options *options, char *error, size_t error_size);
/* Starts the threads; they answer from now on. */
void front_start(struct front *front);
/*
 * Stops accepting, closes idle connections, answers what is under way and ends the threads; what is still open after
 * wait_ms is closed.
 */
void front_drain(struct front *front, int wait_ms);
/* After front_drain, or instead of front_start. Seals the journal's writers. */
void front_free(struct front *front);

/* Any thread. */
struct front_stats front_stats(const struct front *front);

#endif
