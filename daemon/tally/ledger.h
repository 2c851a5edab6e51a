/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: how far each shard has come in each stream of the journal, and the next hit to sum.
 *
 * A track is one stream. Offsets in it are ends of records, per shard:
 *   applied  what Redis has confirmed; the `previous` of the next compare-and-set
 *   taken    what is applied or summed in the shard's delta; a record that ends at or before it is skipped
 *   counted  what the board knows as seen; never goes back
 * `cursor` is where reading goes on: rewinding one shard moves it back for all, and `taken` makes the others skip.
 * Streams that were removed from the disk are remembered: Redis must not forget them unnoticed.
 *
 * Only the tally's thread changes a ledger; `applied` and the list change under the lock given to the reader.
 */
#ifndef TALLY_LEDGER_H
#define TALLY_LEDGER_H

#include "base/conf.h"
#include "journal/journal.h"

enum { RETIRED_KEEP_S = 60 * 24 * 3600 };

struct track {
	struct stream *stream;
	char name[STREAM_NAME_SIZE];
	uint64_t applied[CONF_SHARDS];
	uint64_t taken[CONF_SHARDS];
	uint64_t counted[CONF_SHARDS];
	uint64_t cursor;
	uint64_t limit;   /* the published end when the round began */
	uint64_t settled; /* every shard's position in Redis is at least here */
	uint64_t covered; /* and in the last snapshot: what is before it may go from the disk */
	uint64_t handed;  /* everything up to here was in Redis when the last round ended */
	/* The frame being read and the record at its front, while there is one. */
	struct stream_reader *reader;
	struct frame frame;
	size_t frame_at;
	bool has_head;
	struct hit head;
	uint64_t head_end;
};

/* A stream that is gone from the disk, and the shards in which Redis holds a position of it. */
struct retired {
	char name[STREAM_NAME_SIZE];
	int64_t removed_s; /* wall clock */
	uint64_t end;      /* where Redis' positions of it stand at least */
	uint64_t shards;   /* bit NN */
};

struct ledger {
	struct journal *journal;
	struct track **tracks;
	size_t count;
	struct retired *retired;
	size_t retired_count;
	uint64_t generation;   /* rises when the list of tracks changes */
	struct track **active; /* those that the round reads from */
	size_t active_count;
};

struct ledger *ledger_new(struct journal *journal);
void ledger_free(struct ledger *ledger);

/* Adds streams that appeared. Call with the reader locked out. True when there were any. */
bool ledger_refresh(struct ledger *ledger);
struct track *ledger_find(struct ledger *ledger, const char *name);
/* Takes a track off the list and remembers it, when its stream is about to go. */
void ledger_retire(struct ledger *ledger, struct track *track, int64_t now_s);
/* Remembers a stream that Redis has positions of. Forgets those older than RETIRED_KEEP_S. */
void ledger_remember(struct ledger *ledger, const struct retired *retired, int64_t now_s);

/* A round reads what is published at its beginning. */
void ledger_begin_round(struct ledger *ledger);
/*
 * The track whose next record has the smallest time, with that record in ->head; NULL when the round is read. The
 * record stays until ledger_consume.
 */
struct track *ledger_peek(struct ledger *ledger);
void ledger_consume(struct track *track);
/* Reading goes on at `offset` at the latest. */
void track_rewind(struct track *track, uint64_t offset);
/* Everything published is read. */
bool ledger_is_read(const struct ledger *ledger);
/* Everything that was read is in Redis. */
void ledger_handed_over(struct ledger *ledger);
/* Bytes published and not yet in Redis. */
uint64_t ledger_lag(const struct ledger *ledger);

#endif
