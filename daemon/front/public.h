/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public service of one worker: counting hits, showing counts, the script. Used by the worker's thread only; what
 * it shares with others (board, salts, nonces, limits, configuration) is made for that.
 */
#ifndef FRONT_PUBLIC_H
#define FRONT_PUBLIC_H

#include "front/counters.h"
#include "front/route.h"
#include "hit/limits.h"
#include "hit/nonce.h"
#include "hit/visitor.h"
#include "journal/journal.h"
#include "show/board.h"

struct public_options {
	struct conf_current *conf;
	struct journal_writer *writer;
	struct board *board;
	struct salts *salts;
	struct nonces *nonces;
	struct limits *limits;
	struct front_counters *counters;
	int workers; /* they share limits.connections */
};

/* The context of public_service. */
struct public_state;
struct public_state *public_new(const struct public_options *options);
void public_free(struct public_state *state);

extern const struct service public_service;

#endif
