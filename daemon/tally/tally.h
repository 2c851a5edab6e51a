/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tally: reads the journal, sums hits into one delta per shard, applies the deltas to Redis and keeps the board
 * true. Two threads: the tally writes to Redis, the reader reads from it; both may wait for Redis, nothing waits for
 * them.
 */
#ifndef TALLY_TALLY_H
#define TALLY_TALLY_H

#include "base/conf.h"
#include "hit/nonce.h"
#include "hit/visitor.h"
#include "journal/journal.h"
#include "show/board.h"
#include "show/pages.h"
#include "show/stats_cache.h"
#include "store/store.h"

struct tally;

struct tally_options {
	struct conf_current *conf;
	const char *redis; /* store_options.target */
	struct journal *journal;
	struct board *board;
	struct pages *pages;
	struct stats_cache *stats;
	struct salts *salts;
	struct nonces *nonces;
	bool private_redis; /* ours: its append-only file is rewritten daily, so that no old salt stays in it */
};

/* NULL: error holds one sentence (a bad target, an unreadable snapshot directory). */
struct tally *tally_new(const struct tally_options *options, char *error, size_t error_size);
/*
 * Fills the board and the nonce table: from Redis if it answers within wait_ms, else from the last snapshot, and from
 * the journals past their positions. Called once, before anything is served; `meanwhile` is called while it waits.
 */
void tally_load(struct tally *tally, int wait_ms, void (*meanwhile)(void *arg), void *arg);
void tally_start(struct tally *tally);
/* Hands over what is in the journal, for at most wait_ms, writes the snapshot and ends both threads. */
void tally_stop(struct tally *tally, int wait_ms);
void tally_free(struct tally *tally);

/* For the admin listener; any thread. */
struct tally_status {
	bool loaded;        /* every configured site's counts are known */
	bool connected;     /* to Redis, by the tally */
	int64_t age;        /* seconds since Redis last confirmed anything */
	uint64_t applied;   /* hits handed to Redis since the start */
	uint64_t lag_bytes; /* of journal not yet handed over */
	uint64_t
		gap_hits; /* hits that had been shown and that Redis lost beyond what the journal holds */
	uint64_t resets;  /* positions that Redis no longer knew */
	uint64_t rewinds; /* positions that Redis had lost and that were read again */
	uint64_t refused_fields;
	uint64_t audits;
	uint64_t cut_batches;     /* sent before their round was over, because they were full */
	int settling;             /* shards that replay and do not yet show Redis' numbers */
	int blocked;              /* shards whose positions in Redis are none */
	struct store_stats redis; /* of both connections together */
	int64_t journal_kept;     /* seconds: age of the oldest segment */
	char warning[160];        /* how Redis is set up wrongly, or "" */
	char error[160];          /* why it is not connected, or "" */
};
void tally_status(struct tally *tally, struct tally_status *out);

#endif
