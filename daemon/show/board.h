/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's live picture of every site's numbers, in cells of absolute periods (2020-05-20, not "today"), so that
 * midnight needs nobody. Hits are
 *
 *   shown = what Redis holds + the hits of own journals past the positions that belong to it
 *           + what operators added
 *
 * Workers raise what is shown; the tally and the reader move the part that comes from Redis. A cell keeps
 *   shown      what answers show, but for the adjustment (atomic, any thread)
 *   adjusted   what operators added (atomic), kept apart: it may fall, which is no loss
 *   offset     the part of shown that is not own hits: Redis' number less `confirmed`
 *   confirmed  own hits that Redis' number contains
 *   seen       own hits that the tally has read from the journal, confirmed or not
 * Those from offset on belong to the tally's side, under the lock of the site's shard. Visits, visitors, who is online and
 * bots are decided in Redis: they are what it said last, and stand still without it.
 */
#ifndef SHOW_BOARD_H
#define SHOW_BOARD_H

#include "show/counts.h"

struct board;
struct board_site;

struct board *board_new(void);
void board_free(struct board *board);

/* --- any thread --- */

/* Finds or makes the entry of a site; it lives as long as the board. */
struct board_site *board_site(struct board *board, struct slice key);
/* A hit of this process is in the journal: raises what is shown. */
void board_add(struct board_site *site, const struct date *date);
/* What is shown on a local date, now being clock_mono_ms(); marks the site as looked at. */
void board_counts(struct board *board, struct board_site *site, const struct date *date,
		  int64_t now_ms, struct counts *out);

/* --- the tally's side; the lock of the shard is held where it says "locked" --- */

void board_lock(struct board *board, int shard);
void board_unlock(struct board *board, int shard);

/* Redis answered at this moment (clock_mono_ms): the age of everything shown counts from here. */
void board_confirmed_at(struct board *board, int64_t mono_ms);
int64_t board_age_ms(const struct board *board);

/* Locked. `hits` own hits of a day were read from the journal for the first time. */
void board_seen(struct board_site *site, int32_t day, int64_t hits);
/* What Redis said of a site with the counts of some periods; -1: not known. */
struct board_now {
	int32_t day;  /* of bots */
	int64_t bots; /* of that day */
	int64_t online;
};
/*
 * Locked. A delta of `hits` on `day` is in Redis, whose numbers are now these (-1: refused). While the shard settles
 * what is shown stands still; it is corrected once by board_take.
 */
void board_confirm(struct board_site *site, int32_t day, int64_t hits,
		   const int64_t numbers[METRIC_COUNT][PERIOD_KINDS], const struct board_now *now,
		   bool settling);
/* Locked. An own hit of a day is read from the journal, `fresh`: for the first time, and not to be counted at all. */
void board_drop(struct board_site *site, int32_t day, bool fresh);
/* Locked. An operator made Redis forget some of the site: the next settled take may show less, which is no loss. */
void board_may_fall(struct board_site *site);
/*
 * Locked. Redis' numbers for the periods around `day`, read at the positions that the tally holds. With `settled`
 * everything seen is in them. Returns by how much the total shown fell: hits that Redis has lost.
 */
int64_t board_take(struct board_site *site, int32_t day,
		   const int64_t numbers[METRIC_COUNT][SHOWN_PERIODS], const struct board_now *now,
		   bool settled);

/* Locked, right after board_take: what operators added to the same periods. */
void board_adjust(struct board_site *site, int32_t day,
		  const int64_t adjusted[METRIC_COUNT][SHOWN_PERIODS]);

/* Whether the site was looked at, or its date changed, since its numbers were last taken. Clears nothing. */
bool board_wants(const struct board_site *site, int32_t day);
/* Redis' numbers of the site have been known since the start. Any thread. */
bool board_known(const struct board_site *site);
struct slice board_site_key(const struct board_site *site);
int board_site_shard(const struct board_site *site);
/* Calls back for every site of a shard. */
void board_each(struct board *board, int shard, void (*each)(struct board_site *site, void *arg),
		void *arg);

/* Redis' side of one cell, for the snapshot. */
struct board_cell {
	int32_t period;
	int64_t redis[METRIC_COUNT];
	int64_t adjusted[METRIC_COUNT];
};
enum { BOARD_RING = 4, BOARD_CELLS = BOARD_RING * PERIOD_ALL + 1 };
/* Locked. `index` goes from 0 to BOARD_CELLS - 1; false: nothing is in it. */
bool board_cell_get(const struct board_site *site, int index, struct board_cell *cell);
/* Locked. The inverse, before anything was added; makes the site known. */
void board_cell_set(struct board_site *site, int index, const struct board_cell *cell);

#endif
