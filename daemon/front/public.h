/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public service of one worker: counting hits, showing counts, the script. Used by the worker's thread only; what
 * it shares with others (board, pages) is made for that.
 */
#ifndef FRONT_PUBLIC_H
#define FRONT_PUBLIC_H

#include "front/intake.h"
#include "show/stats_cache.h"

struct public_options {
	struct board *board;
	struct pages *pages;
	struct stats_cache *stats;
	struct front_counters *counters;
	int workers; /* they share limits.connections */
};

/* The context of public_service. */
struct public_state;
struct public_state *public_new(const struct public_options *options,
				const struct intake_options *intake);
void public_free(struct public_state *state);

extern const struct service public_service;

#endif
