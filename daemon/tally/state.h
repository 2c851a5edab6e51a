/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share: the tally's own state. Nobody outside includes this. */
#ifndef TALLY_STATE_H
#define TALLY_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "store/marks.h"
#include "store/store.h"
#include "tally/ledger.h"
#include "tally/tally.h"

enum {
	TICK_MS = 500,       /* a round begins this long after the last */
	QUIET_TICK_MS = 100, /* but this soon after one of fewer than BUSY_HITS */
	BUSY_HITS = 1000,
	ROUND_MS = 1000,    /* a round reads for so long at most, then the chores have their turn */
	CLOCK_EVERY = 1024, /* hits between two looks at the clock */
	HEARTBEAT_MS = 1000, /* without a word from Redis for so long, positions are audited */
	AUDIT_MS = 3000,     /* and this often in any case: a rollback is healed without new hits */
	REDIS_TIMEOUT_MS = 2000,
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 2000,
	DELTA_DAYS_MAX = DELTA_PAIRS_MAX / DELTA_PAIRS_OF_DAY + 2,
	RETIRED_PER_AUDIT = 8,
	VISIT_GAP_UNCONFIGURED = 1800, /* seconds, of a site that is in the configuration no more */
	SITES_PER_READ = 200,
};

struct shard {
	struct delta *delta;
	size_t streams; /* that the delta has hits of */
	/*
	 * Positions were not where they should be: what is shown stands still (but for new hits) until everything is
	 * read and applied again; then Redis' numbers are taken.
	 */
	bool settling;
	/* What Redis holds as its positions is none: its hits wait in the journal, all other shards go on. */
	bool blocked;
	/*
	 * What operators made it forget, as far as Redis has told, and the newest mark that Redis is known to hold.
	 * `stale`: that has just changed, and what is summed up is to be summed again.
	 */
	struct marks marks;
	int64_t forgotten;
	bool stale;
};

struct tally {
	struct tally_options options;
	char *board_path, *board_temporary; /* the snapshot */
	struct ledger *ledger;
	struct shard shards[CONF_SHARDS];
	struct conf *conf;   /* the tally thread's reference */
	struct date loading; /* scratch */
	/* Scratch: where each day's pages begin in page_visits, and how many visits began with each page. */
	size_t page_starts[DELTA_DAYS_MAX];
	int64_t page_visits[DELTA_PAIRS_MAX];
	uint64_t conf_generation;

	struct store *store;
	char identity[128]; /* of the server at the last audit */
	bool audit_due;
	bool noted;       /* the sites' settings were written since the connection */
	int64_t heard_ms; /* when Redis last answered */
	int64_t next_audit_ms, next_connect_ms, next_salts_ms, next_merge_ms, next_snapshot_ms,
		next_rewrite_ms;
	int backoff_ms;
	size_t next_retired;
	/* Old tables: the days (UTC) that are being cut, all of them for one site after the other. */
	int32_t trim_from, trim_to;
	size_t next_trimmed;
	bool changed; /* since the last snapshot */
	struct log_limit failures, snapshot_failures, foreign_positions;

	pthread_mutex_t list_lock; /* the ledger's list of tracks, for the reader */
	struct store *reader_store;
	int64_t changes; /* the reader's, as is renew: which of the operators' changes it has read */
	bool renew[CONF_SHARDS];
	pthread_t thread, reader_thread;
	bool started;

	pthread_mutex_t lock; /* the rest */
	pthread_cond_t wake;
	_Atomic bool stopping;
	int64_t stop_at_ms;
	struct tally_status status;
	struct store_stats stats[2]; /* of the tally's and the reader's connection */
};

/* --- round.c --- */

/*
 * Connects if need be, audits if due, reads what is published (until the moment given at most) and hands it to Redis.
 * False: try again later.
 */
bool tally_round(struct tally *tally, int64_t until_ms);
/* Moves every shard's position of a track to `end`, up to which everything is applied. */
bool tally_settle_positions(struct tally *tally, struct track *track, uint64_t end);
/* How many shards are settling, those that are blocked included. */
int tally_settling(const struct tally *tally);
int tally_blocked(const struct tally *tally);
/* The key under which pages are shown of a value of a shard's delta. */
struct page_key tally_page_key(const struct tally *tally, int index, const struct delta_day *day,
			       const struct delta_value *value);
/* Adds up a failure and says when to try again. */
void tally_failed(struct tally *tally, int status);

/* --- audit.c --- */

/* Compares every position with what Redis holds and rewinds or goes forward where they differ. */
bool tally_audit(struct tally *tally);

/* --- numbers.c --- */

/*
 * Reads Redis' numbers of the sites of a shard (those wanted, or all) and puts them on the board, if the positions
 * read with them are those the ledger holds, and the shard is settling or not as `settled` says. enum store_status;
 * STORE_MISMATCH: they are not.
 */
int tally_take_numbers(struct tally *tally, struct store *store, const struct conf *conf, int shard,
		       bool settled, bool all);
/* Waits; false when the tally is to stop. */
bool tally_pause(struct tally *tally, int64_t ms);
/* A copy of the tracks' names, so that nothing is locked while Redis is asked. */
struct names {
	uint64_t generation;
	size_t count;
	char (*text)[STREAM_NAME_SIZE];
	const char **pointers;
};
struct names tally_names(struct tally *tally);
void tally_names_release(struct names *names);
/* The list of tracks and what is shown of a shard. */
void tally_lock_shard(struct tally *tally, int shard);
void tally_unlock_shard(struct tally *tally, int shard);
/* Locked by them: whether these positions, one for each of the names, are the ledger's, and the newest mark is. */
bool tally_positions_are_ours(const struct tally *tally, int shard, const struct names *names,
			      const struct position *positions, int64_t forgotten);

/* --- reader.c --- */

void *tally_reader_main(void *tally);

/* --- statistics.c --- */

/* The reader's: fetches every site's statistics that an answer waits for. */
void tally_fetch_statistics(struct tally *tally);

/* --- */

/* Raises a counter of the status. */
void tally_count(struct tally *tally, uint64_t *counter);
void tally_note_stats(struct tally *tally, int which, const struct store *store);

/* --- chores.c --- */

/* What is due between rounds: salts, settings, the snapshot, retention. `in_step`: the round went through. */
void tally_chores(struct tally *tally, bool in_step);

/* --- snapshot.c --- */

/* Writes the snapshot (temporary name, fdatasync, exchange of the two). False: logged. */
bool snapshot_write(struct tally *tally);
/* Fills ledger and board from it; nothing where there is none or it does not verify. */
void snapshot_read(struct tally *tally);
/* Makes the two files that take turns, before anything fills the disk. */
void snapshot_reserve(struct tally *tally);

#endif
