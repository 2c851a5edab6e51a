/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The snapshot, <state_dir>/board: Redis' numbers as last confirmed, and the positions that belong to them. With it the
 * board can be shown when Redis is away at the start, and a Redis that forgot something is noticed.
 *
 *   magic u32 "TKB3" · XXH3-64 u64 of all that follows · wall clock ms u64 · gap_hits u64
 *   tracks u32, each: name, settled u64, 64 applied u64
 *   retired u32, each: name, removed u64, end u64, shards u64
 *   64 shards, each: newest mark u64, marks u32, each: ms u64, length u16, field
 *   sites u32, each: key length u8, key, cells u8, each: index u8, period i32, numbers i64, adjustments i64
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tally/state.h"

enum {
	SNAPSHOT_MAGIC = 0x33424b54, /* "TKB3" */
	SNAPSHOT_HEADER = 12,
	CELL_SIZE = 1 + 4 + 2 * 8 * METRIC_COUNT,
	SNAPSHOT_MAX = 256 * 1024 * 1024,
};

/* --- writing --- */

static void
put_site_cb(struct board_site *site, void *arg)
{
	struct buf *out = arg;
	struct slice key = board_site_key(site);
	if (!board_known(site))
		return;
	put_le(out, key.len, 1);
	buf_add_slice(out, key);
	size_t count_at = out->len;
	put_le(out, 0, 1);
	unsigned char cells = 0;
	for (int i = 0; i < BOARD_CELLS; i++) {
		struct board_cell cell;
		if (!board_cell_get(site, i, &cell))
			continue;
		put_le(out, (uint64_t)i, 1);
		put_le(out, (uint32_t)cell.period, 4);
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			put_le(out, (uint64_t)cell.redis[metric], 8);
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			put_le(out, (uint64_t)cell.adjusted[metric], 8);
		cells++;
	}
	out->data[count_at] = (char)cells;
}

static void
put_tracks(struct buf *out, const struct ledger *ledger)
{
	put_le(out, ledger->count, 4);
	for (size_t i = 0; i < ledger->count; i++) {
		const struct track *track = ledger->tracks[i];
		buf_add(out, track->name, sizeof(track->name) - 1);
		put_le(out, track->settled, 8);
		for (int shard = 0; shard < CONF_SHARDS; shard++)
			put_le(out, track->applied[shard], 8);
	}
	put_le(out, ledger->retired_count, 4);
	for (size_t i = 0; i < ledger->retired_count; i++) {
		buf_add(out, ledger->retired[i].name, sizeof(ledger->retired[i].name) - 1);
		put_le(out, (uint64_t)ledger->retired[i].removed_s, 8);
		put_le(out, ledger->retired[i].end, 8);
		put_le(out, ledger->retired[i].shards, 8);
	}
}

static void
put_marks(struct buf *out, const struct tally *tally)
{
	for (int i = 0; i < CONF_SHARDS; i++) {
		const struct shard *shard = &tally->shards[i];
		put_le(out, (uint64_t)shard->forgotten, 8);
		put_le(out, shard->marks.count, 4);
		for (size_t n = 0; n < shard->marks.count; n++) {
			struct slice field = slice_of(shard->marks.list[n].field);
			put_le(out, (uint64_t)shard->marks.list[n].ms, 8);
			put_le(out, field.len, 2);
			buf_add_slice(out, field);
		}
	}
}

/* The sites of all shards; their count goes in front and is not known before. */
static void
put_sites(struct buf *out, struct tally *tally)
{
	struct buf sites = {0};
	uint32_t count = 0;
	for (int shard = 0; shard < CONF_SHARDS; shard++) {
		board_lock(tally->options.board, shard);
		board_each(tally->options.board, shard, put_site_cb, &sites);
		board_unlock(tally->options.board, shard);
	}
	for (size_t at = 0; at < sites.len; count++) {
		size_t key = (unsigned char)sites.data[at];
		at += 1 + key;
		at += 1 + (size_t)(unsigned char)sites.data[at] * CELL_SIZE;
	}
	put_le(out, count, 4);
	buf_add_slice(out, buf_slice(&sites));
	buf_release(&sites);
}

/* Over what is there, whose space it takes. */
static int
write_file(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	int result = ftruncate(fd, (off_t)bytes.len);
	while (bytes.len && result == 0) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);
		if (written > 0) {
			bytes.ptr += written;
			bytes.len -= (size_t)written;
		} else if (errno != EINTR) {
			result = -1;
		}
	}
	if (result == 0)
		result = fdatasync(fd);
	if (close(fd) != 0)
		result = -1;
	return result;
}

/*
 * The snapshot before stays, under the temporary name, as the room for the next one: on a full disk no segment could go
 * that was not in a snapshot, and no snapshot be written before a segment went.
 */
static int
exchange_files(const char *temporary, const char *path)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return 0;
	return rename(temporary, path); /* there was none, or the file system cannot */
}

bool
snapshot_write(struct tally *tally)
{
	struct buf out = {0};
	put_le(&out, SNAPSHOT_MAGIC, 4);
	put_le(&out, 0, 8);
	put_le(&out, (uint64_t)(clock_wall_ms() - board_age_ms(tally->options.board)), 8);
	put_le(&out, tally->status.gap_hits, 8);
	put_tracks(&out, tally->ledger);
	put_marks(&out, tally);
	put_sites(&out, tally);
	struct buf header = {0};
	put_le(&header, XXH3_64bits(out.data + SNAPSHOT_HEADER, out.len - SNAPSHOT_HEADER), 8);
	memcpy(out.data + 4, header.data, 8);
	bool written = write_file(tally->board_temporary, buf_slice(&out)) == 0 &&
		       exchange_files(tally->board_temporary, tally->board_path) == 0;
	uint64_t held_back;
	if (!written && log_again(&tally->snapshot_failures, 10000, &held_back))
		log_error("snapshot_failed file=%s error=\"%s\" repeated=%" PRIu64,
			  tally->board_path, strerror(errno), held_back);
	buf_release(&header);
	buf_release(&out);
	return written;
}

void
snapshot_reserve(struct tally *tally)
{
	for (int i = 0; i < 2 && access(tally->board_temporary, F_OK) < 0; i++)
		snapshot_write(tally);
}

/* --- reading --- */

static void
get_name(struct slice *in, char out[STREAM_NAME_SIZE], bool *ok)
{
	struct slice name = get_bytes(in, STREAM_NAME_SIZE - 1, ok);
	memset(out, 0, STREAM_NAME_SIZE);
	if (name.ptr)
		memcpy(out, name.ptr, name.len);
}

/* A track whose stream is gone from the disk is one that Redis must still know. */
static void
get_track(struct tally *tally, struct slice *in, bool *ok)
{
	struct track read = {0};
	get_name(in, read.name, ok);
	read.settled = get_le(in, 8, ok);
	struct retired gone = {.removed_s = clock_wall_ms() / 1000};
	memcpy(gone.name, read.name, sizeof(gone.name));
	for (int shard = 0; shard < CONF_SHARDS; shard++) {
		read.applied[shard] = get_le(in, 8, ok);
		if (!read.applied[shard])
			continue;
		gone.shards |= UINT64_C(1) << shard;
		gone.end =
			gone.end && gone.end < read.applied[shard] ? gone.end : read.applied[shard];
	}
	if (!*ok)
		return;
	struct track *track = ledger_find(tally->ledger, read.name);
	if (!track) {
		ledger_remember(tally->ledger, &gone, gone.removed_s);
		return;
	}
	track->settled = track->covered = read.settled;
	memcpy(track->applied, read.applied, sizeof(track->applied));
	memcpy(track->taken, read.applied, sizeof(track->taken));
	memcpy(track->counted, read.applied, sizeof(track->counted));
}

static void
get_retired(struct tally *tally, struct slice *in, bool *ok)
{
	struct retired retired;
	get_name(in, retired.name, ok);
	retired.removed_s = (int64_t)get_le(in, 8, ok);
	retired.end = get_le(in, 8, ok);
	retired.shards = get_le(in, 8, ok);
	if (*ok)
		ledger_remember(tally->ledger, &retired, clock_wall_ms() / 1000);
}

static void
get_marks(struct tally *tally, struct slice *in, bool *ok)
{
	for (int i = 0; i < CONF_SHARDS && *ok; i++) {
		struct shard *shard = &tally->shards[i];
		shard->forgotten = (int64_t)get_le(in, 8, ok);
		store_know_forgotten(tally->store, i, shard->forgotten);
		uint64_t count = get_le(in, 4, ok);
		for (uint64_t n = 0; n < count && *ok; n++) {
			int64_t ms = (int64_t)get_le(in, 8, ok);
			struct slice field = get_bytes(in, get_le(in, 2, ok), ok);
			if (*ok)
				(void)marks_put(&shard->marks, field, ms);
		}
	}
}

static void
get_site(struct tally *tally, struct slice *in, bool *ok)
{
	struct slice key = get_bytes(in, get_le(in, 1, ok), ok);
	uint64_t cells = get_le(in, 1, ok);
	if (!*ok)
		return;
	struct board_site *site = board_site(tally->options.board, key);
	for (uint64_t i = 0; i < cells && *ok; i++) {
		uint64_t index = get_le(in, 1, ok);
		struct board_cell cell = {.period = (int32_t)get_le(in, 4, ok)};
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			cell.redis[metric] = (int64_t)get_le(in, 8, ok);
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			cell.adjusted[metric] = (int64_t)get_le(in, 8, ok);
		if (*ok && index < BOARD_CELLS)
			board_cell_set(site, (int)index, &cell);
	}
}

static void
get_list(struct tally *tally, struct slice *in, void (*get)(struct tally *, struct slice *, bool *),
	 bool *ok)
{
	uint64_t count = get_le(in, 4, ok);
	for (uint64_t i = 0; i < count && *ok; i++)
		get(tally, in, ok);
}

static void
get_snapshot(struct tally *tally, struct slice in)
{
	bool ok = true;
	bool magic = get_le(&in, 4, &ok) == SNAPSHOT_MAGIC;
	uint64_t sum = get_le(&in, 8, &ok);
	if (!ok || !magic || sum != XXH3_64bits(in.ptr, in.len)) {
		log_error("snapshot_damaged file=%s outcome=ignored", tally->board_path);
		return;
	}
	int64_t age = clock_wall_ms() - (int64_t)get_le(&in, 8, &ok);
	board_confirmed_at(tally->options.board, clock_mono_ms() - (age > 0 ? age : 0));
	tally->status.gap_hits = get_le(&in, 8, &ok);
	get_list(tally, &in, get_track, &ok);
	get_list(tally, &in, get_retired, &ok);
	get_marks(tally, &in, &ok);
	get_list(tally, &in, get_site, &ok);
}

void
snapshot_read(struct tally *tally)
{
	int fd = open(tally->board_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	struct buf bytes = {0};
	ssize_t got;
	while ((got = read(fd, buf_reserve(&bytes, 65536), 65536)) > 0 && bytes.len < SNAPSHOT_MAX)
		bytes.len += (size_t)got;
	close(fd);
	get_snapshot(tally, buf_slice(&bytes));
	buf_release(&bytes);
}
