/* SPDX-License-Identifier: BSD-2-Clause */
/* The board: cells, their rings, and the one formula that keeps them true. Never waits for Redis or the disk. */
#include "show/board.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <xxhash.h>

#include "base/clock.h"

enum {
	NO_PERIOD = INT32_MIN,
	TABLE_MIN = 64,
	AGE_SHOWN_MS = 2000, /* the tally hears from Redis every second: younger than this is 0 */
	OTHERS = METRIC_COUNT - 1,
};

struct cell {
	_Atomic int32_t period;
	_Atomic int64_t shown;
	int64_t offset;
	int64_t confirmed;
	int64_t seen;
	_Atomic int64_t others[OTHERS]; /* the metrics behind hits */
	_Atomic int64_t adjusted[METRIC_COUNT];
};

struct board_site {
	struct board *board;
	struct board_site *next; /* of the same shard */
	struct slice key;
	int shard;
	int32_t taken_day; /* locked: the date at which Redis' numbers were last taken */
	bool may_fall;     /* locked */
	_Atomic bool known;
	_Atomic bool looked_at;
	_Atomic int32_t bots_day;
	_Atomic int64_t bots, online;
	struct cell cells[BOARD_CELLS];
	char key_text[];
};

struct board {
	pthread_mutex_t table_lock;
	struct board_site **table; /* open addressing, a power of two */
	size_t table_size;
	size_t count;
	_Atomic int64_t confirmed_ms;
	pthread_mutex_t locks[CONF_SHARDS];
	struct board_site *_Atomic shards[CONF_SHARDS];
};

struct board *
board_new(void)
{
	struct board *board = xcalloc(1, sizeof(*board));
	pthread_mutex_init(&board->table_lock, NULL);
	for (int i = 0; i < CONF_SHARDS; i++)
		pthread_mutex_init(&board->locks[i], NULL);
	board->table_size = TABLE_MIN;
	board->table = xcalloc(TABLE_MIN, sizeof(*board->table));
	board->confirmed_ms = clock_mono_ms();
	return board;
}

void
board_free(struct board *board)
{
	if (!board)
		return;
	for (size_t i = 0; i < board->table_size; i++)
		free(board->table[i]);
	free(board->table);
	free(board);
}

void
board_lock(struct board *board, int shard)
{
	pthread_mutex_lock(&board->locks[shard]);
}

void
board_unlock(struct board *board, int shard)
{
	pthread_mutex_unlock(&board->locks[shard]);
}

/* --- the table of sites --- */

static struct board_site **
table_slot(struct board_site **table, size_t size, struct slice key)
{
	size_t at = XXH3_64bits(key.ptr, key.len) & (size - 1);
	while (table[at] && !slice_eq(table[at]->key, key))
		at = (at + 1) & (size - 1);
	return &table[at];
}

static void
table_grow(struct board *board)
{
	size_t size = board->table_size * 2;
	struct board_site **table = xcalloc(size, sizeof(*table));
	for (size_t i = 0; i < board->table_size; i++)
		if (board->table[i])
			*table_slot(table, size, board->table[i]->key) = board->table[i];
	free(board->table);
	board->table = table;
	board->table_size = size;
}

static struct board_site *
site_new(struct board *board, struct slice key)
{
	struct board_site *site = xcalloc(1, sizeof(*site) + key.len + 1);
	memcpy(site->key_text, key.ptr, key.len);
	site->key = (struct slice){site->key_text, key.len};
	site->board = board;
	site->shard = crc16_xmodem(key) % CONF_SHARDS;
	site->taken_day = NO_PERIOD;
	site->bots_day = NO_PERIOD;
	site->online = COUNT_UNKNOWN;
	for (int i = 0; i < BOARD_CELLS; i++)
		site->cells[i].period = NO_PERIOD;
	site->next = board->shards[site->shard];
	board->shards[site->shard] = site;
	return site;
}

struct board_site *
board_site(struct board *board, struct slice key)
{
	pthread_mutex_lock(&board->table_lock);
	struct board_site **slot = table_slot(board->table, board->table_size, key);
	if (!*slot) {
		if (board->count * 2 >= board->table_size) {
			table_grow(board);
			slot = table_slot(board->table, board->table_size, key);
		}
		*slot = site_new(board, key);
		board->count++;
	}
	struct board_site *site = *slot;
	pthread_mutex_unlock(&board->table_lock);
	return site;
}

void
board_each(struct board *board, int shard, void (*each)(struct board_site *, void *), void *arg)
{
	for (struct board_site *site = board->shards[shard]; site; site = site->next)
		each(site, arg);
}

struct slice
board_site_key(const struct board_site *site)
{
	return site->key;
}

int
board_site_shard(const struct board_site *site)
{
	return site->shard;
}

bool
board_known(const struct board_site *site)
{
	return site->known;
}

/* --- cells --- */

static struct cell *
cell_slot(struct board_site *site, enum period_kind kind, int32_t period)
{
	if (kind == PERIOD_ALL)
		return &site->cells[BOARD_CELLS - 1];
	return &site->cells[(int)kind * BOARD_RING + (int)((uint32_t)period % BOARD_RING)];
}

/*
 * A clock that was once ahead leaves hits of days to come: they are counted, but must not take the place of the
 * present, or nothing would be shown until then. Zones are at most a day ahead of UTC.
 */
static bool
is_future(enum period_kind kind, int32_t period)
{
	return period_first_day(kind, period) > clock_wall_ms() / 86400000 + 1;
}

/* Locked. A cell begins its period at 0; one that has gone on to a later period stays there. */
static bool
cell_begin(struct cell *cell, enum period_kind kind, int32_t period)
{
	int32_t current = atomic_load_explicit(&cell->period, memory_order_relaxed);
	if (current < period && !is_future(kind, period)) {
		atomic_store_explicit(&cell->shown, 0, memory_order_relaxed);
		cell->offset = cell->confirmed = cell->seen = 0;
		for (int i = 0; i < OTHERS; i++)
			atomic_store_explicit(&cell->others[i], 0, memory_order_relaxed);
		for (int i = 0; i < METRIC_COUNT; i++)
			atomic_store_explicit(&cell->adjusted[i], 0, memory_order_relaxed);
		atomic_store_explicit(&cell->period, period, memory_order_release);
		return true;
	}
	return current == period;
}

/* Locked. The cell of a period, or NULL when its place belongs to a later one. */
static struct cell *
cell_locked(struct board_site *site, enum period_kind kind, int32_t period)
{
	struct cell *cell = cell_slot(site, kind, period);
	return cell_begin(cell, kind, period) ? cell : NULL;
}

void
board_add(struct board_site *site, const struct date *date)
{
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		int32_t period = date->periods[kind];
		struct cell *cell = cell_slot(site, (enum period_kind)kind, period);
		bool ours = atomic_load_explicit(&cell->period, memory_order_acquire) == period;
		if (!ours) {
			board_lock(site->board, site->shard);
			ours = cell_begin(cell, (enum period_kind)kind, period);
			board_unlock(site->board, site->shard);
		}
		if (ours)
			atomic_fetch_add_explicit(&cell->shown, 1, memory_order_relaxed);
	}
}

static int64_t
cell_number(struct board_site *site, enum metric metric, enum shown_period which,
	    const struct date *date)
{
	int32_t period = date->shown[which];
	struct cell *cell = cell_slot(site, shown_periods[which].kind, period);
	if (atomic_load_explicit(&cell->period, memory_order_acquire) != period)
		return 0;
	int64_t counted = atomic_load_explicit(metric == METRIC_HITS ? &cell->shown
								     : &cell->others[metric - 1],
					       memory_order_relaxed);
	return count_shown(counted,
			   atomic_load_explicit(&cell->adjusted[metric], memory_order_relaxed));
}

static int64_t
bots_of(const struct board_site *site, int32_t day)
{
	bool today = atomic_load_explicit(&site->bots_day, memory_order_acquire) == day;
	return today ? atomic_load_explicit(&site->bots, memory_order_relaxed) : 0;
}

void
board_counts(struct board *board, struct board_site *site, const struct date *date, int64_t now_ms,
	     struct counts *out)
{
	bool known = atomic_load_explicit(&site->known, memory_order_acquire);
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		for (int which = 0; which < SHOWN_PERIODS; which++)
			out->numbers[metric][which] =
				known ? cell_number(site, (enum metric)metric,
						    (enum shown_period)which, date)
				      : COUNT_UNKNOWN;
	out->bots = known ? bots_of(site, date->day) : COUNT_UNKNOWN;
	out->online = atomic_load_explicit(&site->online, memory_order_relaxed);
	if (!atomic_load_explicit(&site->looked_at, memory_order_relaxed))
		atomic_store_explicit(&site->looked_at, true, memory_order_relaxed);
	int64_t age = now_ms - board->confirmed_ms;
	out->age = age < AGE_SHOWN_MS ? 0 : age / 1000;
}

void
board_confirmed_at(struct board *board, int64_t mono_ms)
{
	board->confirmed_ms = mono_ms;
}

int64_t
board_age_ms(const struct board *board)
{
	return clock_mono_ms() - board->confirmed_ms;
}

/* --- the tally's side --- */

void
board_seen(struct board_site *site, int32_t day, int64_t hits)
{
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		int32_t period = period_of_day((enum period_kind)kind, day);
		struct cell *cell = cell_locked(site, (enum period_kind)kind, period);
		if (cell)
			cell->seen += hits;
	}
}

/* Locked. Moves what is shown along with the part that comes from Redis. */
static void
cell_set_offset(struct cell *cell, int64_t offset)
{
	atomic_fetch_add_explicit(&cell->shown, offset - cell->offset, memory_order_relaxed);
	cell->offset = offset;
}

/* Locked. Numbers that were refused leave what is there. */
static void
cell_set_others(struct cell *cell, const int64_t others[OTHERS])
{
	for (int i = 0; i < OTHERS; i++)
		if (others[i] >= 0)
			atomic_store_explicit(&cell->others[i], others[i], memory_order_relaxed);
}

/* Locked. An older day's bots say nothing about a later one's. */
static void
site_set_now(struct board_site *site, const struct board_now *now)
{
	if (now->online >= 0)
		atomic_store_explicit(&site->online, now->online, memory_order_relaxed);
	if (now->bots < 0 || now->day < site->bots_day || is_future(PERIOD_DAY, now->day))
		return;
	atomic_store_explicit(&site->bots, now->bots, memory_order_relaxed);
	atomic_store_explicit(&site->bots_day, now->day, memory_order_release);
}

void
board_confirm(struct board_site *site, int32_t day, int64_t hits,
	      const int64_t numbers[METRIC_COUNT][PERIOD_KINDS], const struct board_now *now,
	      bool settling)
{
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		int32_t period = period_of_day((enum period_kind)kind, day);
		struct cell *cell = cell_locked(site, (enum period_kind)kind, period);
		if (!cell)
			continue;
		cell->confirmed += hits;
		if (settling)
			continue;
		if (numbers[METRIC_HITS][kind] >= 0)
			cell_set_offset(cell, numbers[METRIC_HITS][kind] - cell->confirmed);
		cell_set_others(cell, (const int64_t[]){numbers[METRIC_VISITS][kind],
							numbers[METRIC_VISITORS][kind]});
	}
	if (settling)
		return;
	site_set_now(site, now);
	/* What it was looked at for has just been confirmed. */
	if (site->taken_day == day)
		atomic_store_explicit(&site->looked_at, false, memory_order_relaxed);
}

void
board_drop(struct board_site *site, int32_t day, bool fresh)
{
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		int32_t period = period_of_day((enum period_kind)kind, day);
		struct cell *cell = cell_locked(site, (enum period_kind)kind, period);
		if (!cell)
			continue;
		cell->seen += fresh;
		cell->confirmed++;
		cell_set_offset(cell, cell->offset - 1);
	}
}

void
board_may_fall(struct board_site *site)
{
	site->may_fall = true;
}

int64_t
board_take(struct board_site *site, int32_t day, const int64_t numbers[METRIC_COUNT][SHOWN_PERIODS],
	   const struct board_now *now, bool settled)
{
	int64_t fell = 0;
	if (settled)
		for (int i = 0; i < BOARD_CELLS; i++)
			site->cells[i].confirmed = site->cells[i].seen;
	for (int which = 0; which < SHOWN_PERIODS; which++) {
		int32_t period = period_shown((enum shown_period)which, day);
		struct cell *cell = cell_locked(site, shown_periods[which].kind, period);
		if (!cell)
			continue;
		cell_set_others(cell, (const int64_t[]){numbers[METRIC_VISITS][which],
							numbers[METRIC_VISITORS][which]});
		if (numbers[METRIC_HITS][which] < 0)
			continue;
		int64_t offset = numbers[METRIC_HITS][which] - cell->confirmed;
		if (which == SHOWN_TOTAL && site->known && !site->may_fall && offset < cell->offset)
			fell = cell->offset - offset;
		cell_set_offset(cell, offset);
	}
	if (settled)
		site->may_fall = false;
	site_set_now(site, now);
	site->taken_day = day;
	atomic_store_explicit(&site->looked_at, false, memory_order_relaxed);
	atomic_store_explicit(&site->known, true, memory_order_release);
	return fell;
}

void
board_adjust(struct board_site *site, int32_t day,
	     const int64_t adjusted[METRIC_COUNT][SHOWN_PERIODS])
{
	for (int which = 0; which < SHOWN_PERIODS; which++) {
		int32_t period = period_shown((enum shown_period)which, day);
		struct cell *cell = cell_locked(site, shown_periods[which].kind, period);
		for (int i = 0; cell && i < METRIC_COUNT; i++)
			atomic_store_explicit(&cell->adjusted[i], adjusted[i][which],
					      memory_order_relaxed);
	}
}

bool
board_wants(const struct board_site *site, int32_t day)
{
	return site->taken_day != day ||
	       atomic_load_explicit(&site->looked_at, memory_order_relaxed);
}

bool
board_cell_get(const struct board_site *site, int index, struct board_cell *out)
{
	assert(index >= 0 && index < BOARD_CELLS);
	const struct cell *cell = &site->cells[index];
	out->period = cell->period;
	out->redis[METRIC_HITS] = cell->offset + cell->confirmed;
	for (int i = 0; i < OTHERS; i++)
		out->redis[i + 1] = cell->others[i];
	for (int i = 0; i < METRIC_COUNT; i++)
		out->adjusted[i] = cell->adjusted[i];
	return out->period != NO_PERIOD;
}

void
board_cell_set(struct board_site *site, int index, const struct board_cell *from)
{
	assert(index >= 0 && index < BOARD_CELLS);
	struct cell *cell = &site->cells[index];
	site->known = true;
	if (is_future((enum period_kind)(index / BOARD_RING), from->period))
		return;
	cell->period = from->period;
	cell->offset = from->redis[METRIC_HITS];
	cell->shown = from->redis[METRIC_HITS];
	for (int i = 0; i < OTHERS; i++)
		cell->others[i] = from->redis[i + 1];
	for (int i = 0; i < METRIC_COUNT; i++)
		cell->adjusted[i] = from->adjusted[i];
}
