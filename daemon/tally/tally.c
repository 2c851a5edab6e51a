/* SPDX-License-Identifier: BSD-2-Clause */
/* The tally's life: made, loaded before anything is served, run in two threads, stopped. The work is in round.c. */
#include "tally/tally.h"

#include <unistd.h>

#include "base/clock.h"
#include "store/redis_server.h"
#include "tally/state.h"

static struct store *
make_store(const struct tally_options *options, const struct conf *conf, char *error,
	   size_t error_size)
{
	struct store_options store = {
		.target = options->redis,
		.prefix = conf->redis_prefix,
		.password_file = conf->redis_password_file,
		.timeout_ms = REDIS_TIMEOUT_MS,
		.pages_per_day = conf->pages_per_day,
		.journal_retain = conf->journal_retain,
	};
	return store_new(&store, error, error_size);
}

static char *
path_in(const char *dir, const char *name)
{
	struct buf path = {0};
	buf_addf(&path, "%s/%s", dir, name);
	return path.data;
}

static void
init_locks(struct tally *tally)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&tally->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&tally->lock, NULL);
	pthread_mutex_init(&tally->list_lock, NULL);
}

struct tally *
tally_new(const struct tally_options *options, char *error, size_t error_size)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));
	tally->options = *options;
	init_locks(tally);
	tally->conf_generation = conf_current_generation(options->conf);
	tally->conf = conf_current_get(options->conf);
	tally->board_path = path_in(tally->conf->state_dir, "board");
	tally->board_temporary = path_in(tally->conf->state_dir, "board.tmp");
	tally->ledger = ledger_new(options->journal);
	for (int i = 0; i < CONF_SHARDS; i++)
		tally->shards[i].delta = delta_new();
	tally->backoff_ms = BACKOFF_MIN_MS;
	tally->store = make_store(options, tally->conf, error, error_size);
	if (tally->store)
		tally->reader_store = make_store(options, tally->conf, error, error_size);
	if (tally->reader_store)
		return tally;
	tally_free(tally);
	return NULL;
}

void
tally_free(struct tally *tally)
{
	if (!tally)
		return;
	store_free(tally->store);
	store_free(tally->reader_store);
	for (int i = 0; i < CONF_SHARDS; i++) {
		delta_free(tally->shards[i].delta);
		marks_release(&tally->shards[i].marks);
	}
	ledger_free(tally->ledger);
	conf_unref(tally->conf);
	free(tally->board_path);
	free(tally->board_temporary);
	free(tally);
}

/* --- loading --- */

/* A hit that the snapshot does not contain is shown. */
static void
load_hit(struct tally *tally, const struct track *track, const struct hit *hit, uint64_t end)
{
	struct board_site *site = board_site(tally->options.board, hit->site);
	struct slice page = hit->values[HIT_PAGES];
	int shard = board_site_shard(site);
	if (end <= track->counted[shard])
		return;
	if (hit_is_view(hit) && !hit->page_only) {
		date_fill(&tally->loading, hit->day);
		board_add(site, &tally->loading);
	}
	if (page.ptr)
		pages_add(tally->options.pages,
			  pages_key(tally->options.pages, hit->site, shard, page), hit->day);
}

/* What earlier processes wrote past the positions of the snapshot is shown; recent nonces are remembered. */
static void
load_track(struct tally *tally, struct track *track, int64_t now_ms)
{
	uint64_t from = UINT64_MAX;
	for (int i = 0; i < CONF_SHARDS; i++)
		from = track->counted[i] < from ? track->counted[i] : from;
	track->cursor = from;
	bool recent = stream_idle(track->stream) * 1000 < NONCE_KEEP_MS;
	struct stream_reader *reader = stream_reader_new(track->stream);
	stream_reader_seek(reader, recent ? 0 : from);
	struct frame frame;
	struct hit hit;
	while (stream_reader_next(reader, &frame)) {
		int taken;
		for (size_t at = 0; at < frame.payload.len; at += (size_t)taken) {
			taken = record_get(
				(struct slice){frame.payload.ptr + at, frame.payload.len - at},
				&hit);
			if (taken < 0)
				break;
			uint64_t end = frame.offset + FRAME_HEADER_SIZE + at + (size_t)taken;
			load_hit(tally, track, &hit, end);
			if (hit.nonce && now_ms - hit.time_ms < NONCE_KEEP_MS)
				(void)nonces_claim(tally->options.nonces, hit.nonce, hit.time_ms,
						   NONCE_KEEP_MS);
		}
	}
	stream_reader_free(reader);
}

void
tally_load(struct tally *tally, int wait_ms, void (*meanwhile)(void *arg), void *arg)
{
	for (size_t i = 0; i < tally->conf->site_count; i++)
		(void)board_site(tally->options.board, tally->conf->sites[i].key_slice);
	ledger_refresh(tally->ledger);
	snapshot_read(tally);
	snapshot_reserve(tally);
	for (size_t i = 0; i < tally->ledger->count; i++)
		load_track(tally, tally->ledger->tracks[i], clock_wall_ms());
	for (int i = 0; i < CONF_SHARDS; i++)
		tally->shards[i].settling = true;
	int64_t deadline = clock_mono_ms() + wait_ms;
	tally->failures.next_ms = deadline; /* a Redis that is only starting is no news */
	bool in_step = tally_round(tally, deadline);
	while (!in_step && clock_mono_ms() < deadline) {
		meanwhile(arg);
		tally_pause(tally, BACKOFF_MIN_MS / 5);
		in_step = tally_round(tally, deadline);
	}
	tally_chores(tally, in_step);
}

/* --- running --- */

/* Few hits are handed over at once; the more there are, the more a longer pause sums up. */
static int64_t
pause_after(const struct tally *tally, uint64_t applied_before)
{
	if (tally->audit_due)
		return BACKOFF_MIN_MS;
	if (!ledger_is_read(tally->ledger))
		return 0;
	return tally->status.applied - applied_before < BUSY_HITS ? QUIET_TICK_MS : TICK_MS;
}

static void *
tally_main(void *arg)
{
	struct tally *tally = arg;
	uint64_t before;
	pthread_setname_np(pthread_self(), "tally");
	/*
	 * Answers go first where there is not enough of the processor for all: the journal can wait, visitors cannot.
	 * On Linux this is the thread's own niceness (nice(2), "C library/kernel differences").
	 */
	(void)!nice(REDIS_SERVER_NICE);
	do {
		before = tally->status.applied;
		tally_chores(tally, tally_round(tally, clock_mono_ms() + ROUND_MS));
	} while (tally_pause(tally, pause_after(tally, before)));
	/* The last hits: nothing is lost where this fails, the next start reads them from the journal. */
	while (!(tally_round(tally, tally->stop_at_ms) && ledger_is_read(tally->ledger)) &&
	       clock_mono_ms() < tally->stop_at_ms) {
		struct timespec pause = {.tv_nsec = BACKOFF_MIN_MS * 1000000};
		nanosleep(&pause, NULL);
	}
	tally->next_snapshot_ms = 0;
	tally_chores(tally, false);
	return NULL;
}

void
tally_start(struct tally *tally)
{
	if (pthread_create(&tally->thread, NULL, tally_main, tally) != 0 ||
	    pthread_create(&tally->reader_thread, NULL, tally_reader_main, tally) != 0)
		die("cannot start a thread");
	tally->started = true;
}

void
tally_stop(struct tally *tally, int wait_ms)
{
	if (!tally->started)
		return;
	pthread_mutex_lock(&tally->lock);
	tally->stop_at_ms = clock_mono_ms() + wait_ms;
	tally->stopping = true;
	pthread_cond_broadcast(&tally->wake);
	pthread_mutex_unlock(&tally->lock);
	pthread_join(tally->thread, NULL);
	pthread_join(tally->reader_thread, NULL);
	tally->started = false;
}

void
tally_count(struct tally *tally, uint64_t *counter)
{
	pthread_mutex_lock(&tally->lock);
	++*counter;
	pthread_mutex_unlock(&tally->lock);
}

void
tally_note_stats(struct tally *tally, int which, const struct store *store)
{
	struct store_stats stats = store_stats(store);
	pthread_mutex_lock(&tally->lock);
	tally->stats[which] = stats;
	pthread_mutex_unlock(&tally->lock);
}

void
tally_status(struct tally *tally, struct tally_status *out)
{
	pthread_mutex_lock(&tally->lock);
	*out = tally->status;
	for (size_t i = 0; i < COUNT_OF(tally->stats); i++) {
		const struct store_stats *stats = &tally->stats[i];
		out->redis.calls += stats->calls;
		out->redis.errors += stats->errors;
		out->redis.wait_us += stats->wait_us;
		for (int wait = 0; wait <= STORE_WAIT_BOUNDS; wait++)
			out->redis.waits[wait] += stats->waits[wait];
	}
	pthread_mutex_unlock(&tally->lock);
	out->age = board_age_ms(tally->options.board) / 1000;
}
