/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is due between rounds: salts and settings are exchanged with Redis, what is still counted under a site's former key
 * follows it, the snapshot is written, and segments that nobody needs any more are removed.
 */
#include "base/clock.h"
#include "store/merge.h"
#include "tally/state.h"

enum {
	SNAPSHOT_MS = 1000,
	SNAPSHOT_SHARE = 20, /* of the time that the last one took, at least */
	REWRITE_FIRST_MS = 60 * 60 * 1000,
	REWRITE_MS = 24 * REWRITE_FIRST_MS,
	REWRITE_RETRY_MS = 60 * 1000,
	KEPT_WHOLE_DAYS = STORE_WHOLE_DAYS + 1, /* the date may still be the one before somewhere */
	TRIMMED_PER_TURN = 20,
};

/* The dates that are today somewhere, and the next: a salt is agreed on a day ahead. */
static void
exchange_salts(struct tally *tally)
{
	int64_t now = clock_mono_ms();
	if (now < tally->next_salts_ms)
		return;
	tally->next_salts_ms = now + AUDIT_MS;
	int32_t today = (int32_t)(clock_wall_ms() / 86400000);
	for (int32_t day = today - 1; day <= today + 2; day++) {
		struct salt salt = salts_get(tally->options.salts, day);
		int status = store_salt(tally->store, day, salt.bytes);
		if (status != STORE_OK) {
			tally_failed(tally, status);
			return;
		}
		salts_set(tally->options.salts, day, &salt);
	}
}

/* An operator has merged it once: what is left is what journals had not handed over by then. */
static bool
was_merged(const struct tally *tally, struct slice alias)
{
	const struct marks *marks = &tally->shards[crc16_xmodem(alias) % CONF_SHARDS].marks;
	for (size_t i = 0; i < marks->count; i++)
		if (marks->list[i].scope == MARK_MERGED && slice_eq(marks->list[i].site, alias))
			return true;
	return false;
}

static int
merge_alias(struct tally *tally, struct slice alias, struct slice site)
{
	struct merging merging = {.from = alias, .to = site};
	bool any;
	int status = store_has_counts(tally->store, alias, &any);
	if (status != STORE_OK || !any)
		return status;
	status = store_merge(tally->store, &merging, true);
	if (status == STORE_OK)
		log_info("merged from=%.*s into=%.*s keys=%zu", SLICE_ARG(alias), SLICE_ARG(site),
			 merging.keys);
	return status;
}

static void
merge_aliases(struct tally *tally)
{
	int64_t now = clock_mono_ms();
	int status = STORE_OK;
	if (now < tally->next_merge_ms)
		return;
	tally->next_merge_ms = now + AUDIT_MS;
	for (size_t i = 0; i < tally->conf->site_count && status == STORE_OK; i++) {
		const struct conf_site *site = &tally->conf->sites[i];
		for (size_t a = 0; a < site->alias_count && status == STORE_OK; a++)
			if (was_merged(tally, slice_of(site->aliases[a])))
				status = merge_alias(tally, slice_of(site->aliases[a]),
						     site->key_slice);
	}
	if (status != STORE_OK)
		tally_failed(tally, status);
}

/* A rewritten append-only file holds no salt that has expired. */
static void
rewrite_daily(struct tally *tally)
{
	int64_t now = clock_mono_ms();
	if (!tally->options.private_redis || now < tally->next_rewrite_ms)
		return;
	if (tally->next_rewrite_ms == 0)
		tally->next_rewrite_ms = now + REWRITE_FIRST_MS;
	else if (store_rewrite(tally->store) == STORE_OK)
		tally->next_rewrite_ms = now + REWRITE_MS;
	else
		tally->next_rewrite_ms = now + REWRITE_RETRY_MS;
}

static char *
settings_text(const struct conf_site *site)
{
	struct buf text = {0};
	buf_addf(&text, "timezone=%s language=%s hosts=", site->timezone,
		 site->language == CONF_VI ? "vi" : "en");
	for (size_t i = 0; i < site->host_count; i++)
		buf_addf(&text, "%s%s", i ? "," : "", site->hosts[i]);
	return text.data;
}

static void
note_sites(struct tally *tally)
{
	uint64_t generation = conf_current_generation(tally->options.conf);
	if (generation != tally->conf_generation) {
		conf_unref(tally->conf);
		tally->conf = conf_current_get(tally->options.conf);
		tally->conf_generation = generation;
		tally->noted = false;
	}
	if (tally->noted)
		return;
	size_t count = tally->conf->site_count;
	const char **keys = xcalloc(count, sizeof(*keys));
	char **settings = xcalloc(count, sizeof(*settings));
	for (size_t i = 0; i < count; i++) {
		keys[i] = tally->conf->sites[i].key;
		settings[i] = settings_text(&tally->conf->sites[i]);
	}
	int status = store_note_sites(tally->store, keys, (const char *const *)settings, count);
	if (status == STORE_OK)
		tally->noted = true;
	else
		tally_failed(tally, status);
	for (size_t i = 0; i < count; i++)
		free(settings[i]);
	free(settings);
	free(keys);
}

/* The track with the segment that was written to longest ago, of those that may go. */
static struct track *
oldest_removable(struct tally *tally, struct segment_info *oldest)
{
	struct track *found = NULL;
	for (size_t i = 0; i < tally->ledger->count; i++) {
		struct track *track = tally->ledger->tracks[i];
		struct segment_info info;
		if (!stream_oldest_segment(track->stream, &info) || track->covered < info.end)
			continue;
		if (!found || info.age > oldest->age) {
			found = track;
			*oldest = info;
		}
	}
	return found;
}

/*
 * A shard that had no hit in a stream has no position in it either. Before a segment may go, every shard stands behind
 * it, or its missing position would look like a loss one day; and a stream that is done need not be read at a start. A
 * segment's worth of them is worth the calls; less is where room is wanted and nothing else may go.
 */
static void
settle_positions(struct tally *tally)
{
	struct segment_info oldest;
	if (tally_blocked(tally)) /* what it has not applied must stay on the disk */
		return;
	bool pressed =
		journal_wants_room(tally->options.journal) && !oldest_removable(tally, &oldest);
	uint64_t stride = pressed ? 1 : journal_segment_size(tally->options.journal);
	for (size_t i = 0; i < tally->ledger->count; i++) {
		struct track *track = tally->ledger->tracks[i];
		uint64_t read = track->handed;
		if (read <= track->settled)
			continue;
		bool done = stream_sealed(track->stream) && read >= stream_end(track->stream);
		if ((done || read - track->settled >= stride) &&
		    !tally_settle_positions(tally, track, read))
			return;
	}
}

static void
write_snapshot(struct tally *tally)
{
	int64_t begin = clock_mono_ms();
	/* A snapshot holds numbers with the positions that belong to them; while a shard settles it has no such pair. */
	if (!tally->changed || begin < tally->next_snapshot_ms || tally_settling(tally))
		return;
	if (snapshot_write(tally)) {
		tally->changed = false;
		for (size_t i = 0; i < tally->ledger->count; i++)
			tally->ledger->tracks[i]->covered = tally->ledger->tracks[i]->settled;
	}
	int64_t took = clock_mono_ms() - begin;
	tally->next_snapshot_ms =
		begin + (took * SNAPSHOT_SHARE > SNAPSHOT_MS ? took * SNAPSHOT_SHARE : SNAPSHOT_MS);
}

/* --- retention --- */

static void
remove_segments(struct tally *tally)
{
	struct segment_info oldest = {0};
	struct track *track;
	while ((track = oldest_removable(tally, &oldest))) {
		if (oldest.age < tally->conf->journal_retain &&
		    !journal_wants_room(tally->options.journal))
			break;
		struct stream *stream = track->stream;
		log_info("journal_segment_removed stream=%s first=%" PRIu64 " age=%" PRId64,
			 track->name, oldest.first, oldest.age);
		if (stream_sealed(stream) && oldest.end >= stream_end(stream)) {
			pthread_mutex_lock(&tally->list_lock);
			ledger_retire(tally->ledger, track, clock_wall_ms() / 1000);
			pthread_mutex_unlock(&tally->list_lock);
			tally->changed = true;
		}
		stream_remove_oldest(tally->options.journal, stream);
	}
}

/* The days that nobody has looked through yet, once a day. What was never looked through has no old tables. */
static int
begin_trimming(struct tally *tally)
{
	int32_t today = (int32_t)(clock_wall_ms() / 86400000), done = 0;
	if (tally->trim_to == today)
		return STORE_OK;
	int status = store_trimmed(tally->store, &done);
	if (status != STORE_OK)
		return status;
	tally->trim_from = done == INT32_MIN ? today : done;
	tally->trim_to = today;
	tally->next_trimmed = 0;
	return STORE_OK;
}

/* The last site's turn ends the work of the day, and is noted. */
static int
trim_site(struct tally *tally)
{
	struct slice key = tally->conf->sites[tally->next_trimmed].key_slice;
	int status = STORE_OK;
	for (int32_t day = tally->trim_from; day < tally->trim_to && status == STORE_OK; day++)
		status = store_trim(tally->store, key, day - KEPT_WHOLE_DAYS);
	bool last = tally->next_trimmed + 1 == tally->conf->site_count;
	if (status == STORE_OK && last)
		status = store_note_trimmed(tally->store, tally->trim_to);
	tally->next_trimmed += status == STORE_OK;
	return status;
}

/* Tables of days that are no longer kept whole are cut, a few sites at a time. */
static void
trim_tables(struct tally *tally)
{
	int status = begin_trimming(tally);
	for (int n = 0; n < TRIMMED_PER_TURN && status == STORE_OK &&
			tally->next_trimmed < tally->conf->site_count;
	     n++)
		status = trim_site(tally);
	if (status != STORE_OK)
		tally_failed(tally, status);
}

static int64_t
journal_kept(const struct tally *tally)
{
	int64_t kept = 0;
	for (size_t i = 0; i < tally->ledger->count; i++) {
		struct segment_info info;
		if (stream_oldest_segment(tally->ledger->tracks[i]->stream, &info) &&
		    info.age > kept)
			kept = info.age;
	}
	return kept;
}

static bool
all_known(const struct tally *tally)
{
	for (size_t i = 0; i < tally->conf->site_count; i++) {
		const struct board_site *site =
			board_site(tally->options.board, tally->conf->sites[i].key_slice);
		if (!board_known(site) && !tally->shards[board_site_shard(site)].blocked)
			return false;
	}
	return true;
}

void
tally_chores(struct tally *tally, bool in_step)
{
	if (in_step) {
		note_sites(tally);
		exchange_salts(tally);
		merge_aliases(tally);
		settle_positions(tally);
		rewrite_daily(tally);
		trim_tables(tally);
	}
	write_snapshot(tally);
	remove_segments(tally);
	bool loaded = tally->status.loaded || all_known(tally);
	int64_t kept = journal_kept(tally);
	tally_note_stats(tally, 0, tally->store);
	pthread_mutex_lock(&tally->lock);
	tally->status.loaded = loaded;
	tally->status.connected = store_connected(tally->store);
	tally->status.settling = tally_settling(tally);
	tally->status.blocked = tally_blocked(tally);
	tally->status.lag_bytes = ledger_lag(tally->ledger);
	tally->status.journal_kept = kept;
	pthread_mutex_unlock(&tally->lock);
}
