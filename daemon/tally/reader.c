/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader's thread: fetches the pages that somebody looks at and that are not in memory, as soon as they are wanted;
 * the statistics of sites, likewise; and once a second, for the sites that are looked at, what other daemons counted, and for
 * all of them, whether an operator changed anything. Writes nothing to Redis.
 */
#include "base/clock.h"
#include "tally/state.h"

enum {
	WANTS_MAX = 64, /* pages of one turn */
	TRIES = 4,      /* of a shard, while batches are applied that are not confirmed yet */
	TRY_MS = 2,
	IDLE_MS = 100,
	READ_MS = 1000,
	CONNECT_MS = 1000,
};

/* What is shown: a page's adjustments move along with its number. */
static int64_t
with(int64_t counted, int64_t adjusted)
{
	return counted < 0 ? COUNT_UNKNOWN : count_shown(counted, adjusted);
}

static struct page_counts
shown_of(const struct page_numbers *page)
{
	return (struct page_counts){
		with(page->hits_day, page->adjusted.hits_day),
		with(page->hits_all, page->adjusted.hits_all),
		with(page->visits_day, page->adjusted.visits_day),
		with(page->visits_all, page->adjusted.visits_all),
	};
}

static struct page_numbers
page_of(const struct page_want *want)
{
	return (struct page_numbers){
		.site = {want->site, want->site_len},
		.path = {want->path, want->path_len},
		.day = want->day,
	};
}

/* Some pages of one shard, read at the positions that the ledger holds. */
static int
take_pages(struct tally *tally, int shard, const struct page_want *wants, size_t count)
{
	struct page_numbers numbers[WANTS_MAX];
	struct names names = tally_names(tally);
	struct position *positions = xcalloc(names.count + 1, sizeof(*positions));
	for (size_t i = 0; i < count; i++)
		numbers[i] = page_of(&wants[i]);
	int status = store_read_pages(tally->reader_store, shard, numbers, count, names.pointers,
				      names.count, positions);
	if (status == STORE_OK) {
		tally_lock_shard(tally, shard);
		bool ours = tally_positions_are_ours(tally, shard, &names, positions,
						     numbers[0].forgotten) &&
			    !tally->shards[shard].settling;
		for (size_t i = 0; ours && i < count; i++)
			pages_take(tally->options.pages, &wants[i],
				   (const struct page_counts[]){shown_of(&numbers[i])});
		tally_unlock_shard(tally, shard);
		status = ours ? STORE_OK : STORE_MISMATCH;
	}
	tally_names_release(&names);
	free(positions);
	return status;
}

static int
fetch_shard(struct tally *tally, const struct page_want *wants, size_t count)
{
	int status = STORE_MISMATCH;
	for (int i = 0; i < TRIES && status == STORE_MISMATCH; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000}, NULL);
		status = take_pages(tally, wants->key.shard, wants, count);
	}
	return status;
}

static void
fetch_wanted(struct tally *tally, const struct page_want *wants, size_t count)
{
	int status = STORE_OK;
	for (size_t first = 0, end; first < count && status != STORE_UNAVAILABLE; first = end) {
		for (end = first; end < count && wants[end].key.shard == wants[first].key.shard;)
			end++;
		if (store_connected(tally->reader_store))
			status = fetch_shard(tally, wants + first, end - first);
	}
	pages_dealt_with(tally->options.pages, wants, count);
}

/* Pages of a shard whose numbers in memory are no longer believed. One that settles believes none anyway. */
static void
renew_pages(struct tally *tally, int shard)
{
	tally_lock_shard(tally, shard);
	if (!tally->shards[shard].settling) {
		pages_unsettle(tally->options.pages, shard);
		pages_settle(tally->options.pages, shard);
	}
	tally_unlock_shard(tally, shard);
}

/* An operator changed something: every shard is read once, whether its sites are looked at or not. */
static int
look_for_changes(struct tally *tally)
{
	int64_t changes;
	int status = store_changes(tally->reader_store, &changes);
	if (status != STORE_OK || changes == tally->changes)
		return status;
	tally->changes = changes;
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		renew_pages(tally, shard);
	memset(tally->renew, true, sizeof(tally->renew));
	return status;
}

static void
read_sites(struct tally *tally)
{
	struct conf *conf = conf_current_get(tally->options.conf);
	int status = look_for_changes(tally);
	for (int shard = 0; shard < CONF_SHARDS && status != STORE_UNAVAILABLE && !tally->stopping;
	     shard++) {
		status = tally_take_numbers(tally, tally->reader_store, conf, shard, false,
					    tally->renew[shard]);
		if (status == STORE_OK)
			tally->renew[shard] = false;
	}
	conf_unref(conf);
	tally_note_stats(tally, 1, tally->reader_store);
}

void *
tally_reader_main(void *arg)
{
	struct tally *tally = arg;
	int64_t next_read_ms = clock_mono_ms() + READ_MS, next_connect_ms = 0;
	struct page_want wants[WANTS_MAX];
	pthread_setname_np(pthread_self(), "reader");
	while (!tally->stopping) {
		int64_t now = clock_mono_ms();
		if (!store_connected(tally->reader_store) && now >= next_connect_ms) {
			next_connect_ms = now + CONNECT_MS;
			(void)!store_connect(tally->reader_store);
		}
		pages_connected(tally->options.pages, store_connected(tally->reader_store));
		size_t count = pages_wanted(tally->options.pages, wants, WANTS_MAX, IDLE_MS);
		if (count > 0)
			fetch_wanted(tally, wants, count);
		tally_fetch_statistics(tally);
		if (clock_mono_ms() < next_read_ms)
			continue;
		next_read_ms = clock_mono_ms() + READ_MS;
		if (store_connected(tally->reader_store))
			read_sites(tally);
	}
	return NULL;
}
