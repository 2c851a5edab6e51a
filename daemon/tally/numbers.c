/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis' numbers on their way to the board: read together with the positions that belong to them, and dropped when
 * those are not the ledger's (a batch that is applied but not yet confirmed would be added twice, for ever).
 */
#include "base/clock.h"
#include "tally/state.h"

/* The sites to read, gathered from a shard of the board. */
struct reading {
	const struct conf *conf;
	int64_t now_s;
	bool all;
	struct site_numbers *numbers;
	struct board_site **sites;
	size_t count, room;
};

static void
gather_cb(struct board_site *site, void *arg)
{
	struct reading *reading = arg;
	const struct conf_site *conf = conf_site_by_key(reading->conf, board_site_key(site));
	/* A site that is no longer configured is still settled, in UTC, but not refreshed. */
	int32_t day = conf ? zone_local(conf->zone, reading->now_s).day
			   : (int32_t)(reading->now_s / 86400);
	if (!reading->all && (!conf || !board_wants(site, day)))
		return;
	if (reading->count == reading->room) {
		reading->room = reading->room ? reading->room * 2 : 16;
		reading->numbers =
			xrealloc(reading->numbers, reading->room * sizeof(*reading->numbers));
		reading->sites =
			xrealloc(reading->sites, reading->room * sizeof(struct board_site *));
	}
	reading->numbers[reading->count] =
		(struct site_numbers){.site = board_site_key(site), .day = day};
	reading->sites[reading->count++] = site;
}

struct names
tally_names(struct tally *tally)
{
	struct names names;
	pthread_mutex_lock(&tally->list_lock);
	names.generation = tally->ledger->generation;
	names.count = tally->ledger->count;
	names.text = xcalloc(names.count + 1, sizeof(*names.text));
	names.pointers = xcalloc(names.count + 1, sizeof(*names.pointers));
	for (size_t i = 0; i < names.count; i++) {
		memcpy(names.text[i], tally->ledger->tracks[i]->name, sizeof(names.text[i]));
		names.pointers[i] = names.text[i];
	}
	pthread_mutex_unlock(&tally->list_lock);
	return names;
}

void
tally_names_release(struct names *names)
{
	free(names->text);
	free(names->pointers);
}

void
tally_lock_shard(struct tally *tally, int shard)
{
	pthread_mutex_lock(&tally->list_lock);
	board_lock(tally->options.board, shard);
}

void
tally_unlock_shard(struct tally *tally, int shard)
{
	board_unlock(tally->options.board, shard);
	pthread_mutex_unlock(&tally->list_lock);
}

bool
tally_positions_are_ours(const struct tally *tally, int shard, const struct names *names,
			 const struct position *positions, int64_t forgotten)
{
	if (tally->ledger->generation != names->generation ||
	    (forgotten >= 0 && forgotten != tally->shards[shard].forgotten))
		return false;
	for (size_t i = 0; i < names->count; i++)
		if (positions[i].offset != tally->ledger->tracks[i]->applied[shard])
			return false;
	return true;
}

static void
lost_hits(struct tally *tally, int shard, int64_t hits)
{
	log_error("redis_lost_hits shard=%02d hits=%" PRId64
		  " advice=\"restore Redis from a backup\"",
		  shard, hits);
	pthread_mutex_lock(&tally->lock);
	tally->status.gap_hits += (uint64_t)hits;
	pthread_mutex_unlock(&tally->lock);
}

static int64_t
take_one(struct board_site *site, const struct site_numbers *numbers, bool settled)
{
	const struct board_now now = {numbers->day, numbers->bots, numbers->online};
	int64_t fell = board_take(site, numbers->day, numbers->counts, &now, settled);
	board_adjust(site, numbers->day, numbers->adjusted);
	return fell;
}

/* Puts up to SITES_PER_READ of the numbers on the board. */
static int
take_some(struct tally *tally, struct store *store, int shard, bool settled,
	  const struct names *names, struct reading *reading, size_t first)
{
	size_t count = reading->count - first;
	if (count > SITES_PER_READ)
		count = SITES_PER_READ;
	struct position *positions = xcalloc(names->count + 1, sizeof(*positions));
	int status = store_read(store, shard, reading->numbers + first, count, names->pointers,
				names->count, positions);
	int64_t fell = 0;
	if (status == STORE_OK) {
		tally_lock_shard(tally, shard);
		if (!tally_positions_are_ours(tally, shard, names, positions,
					      reading->numbers[first].forgotten) ||
		    tally->shards[shard].settling != settled)
			status = STORE_MISMATCH;
		for (size_t i = first; status == STORE_OK && i < first + count; i++)
			fell += take_one(reading->sites[i], &reading->numbers[i], settled);
		tally_unlock_shard(tally, shard);
	}
	if (fell)
		lost_hits(tally, shard, fell);
	free(positions);
	return status;
}

int
tally_take_numbers(struct tally *tally, struct store *store, const struct conf *conf, int shard,
		   bool settled, bool all)
{
	struct reading reading = {.conf = conf, .now_s = clock_wall_ms() / 1000, .all = all};
	board_each(tally->options.board, shard, gather_cb, &reading);
	int status = STORE_OK;
	if (reading.count) {
		struct names names = tally_names(tally);
		for (size_t i = 0; i < reading.count && status == STORE_OK; i += SITES_PER_READ)
			status = take_some(tally, store, shard, settled, &names, &reading, i);
		tally_names_release(&names);
	}
	free(reading.numbers);
	free(reading.sites);
	return status;
}

bool
tally_pause(struct tally *tally, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	struct timespec deadline = {until / 1000, until % 1000 * 1000000};
	pthread_mutex_lock(&tally->lock);
	while (!tally->stopping && clock_mono_ms() < until)
		pthread_cond_timedwait(&tally->wake, &tally->lock, &deadline);
	pthread_mutex_unlock(&tally->lock);
	return !tally->stopping;
}
