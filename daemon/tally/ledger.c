/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger: merges the streams by time and remembers positions. Never talks to Redis. */
#include "tally/ledger.h"

struct ledger *
ledger_new(struct journal *journal)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));
	ledger->journal = journal;
	return ledger;
}

static void
track_free(struct track *track)
{
	stream_reader_free(track->reader);
	free(track);
}

void
ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->count; i++)
		track_free(ledger->tracks[i]);
	free(ledger->tracks);
	free(ledger->active);
	free(ledger->retired);
	free(ledger);
}

/* --- the list --- */

struct track *
ledger_find(struct ledger *ledger, const char *name)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (strcmp(ledger->tracks[i]->name, name) == 0)
			return ledger->tracks[i];
	return NULL;
}

static void
add_stream_cb(struct stream *stream, void *arg)
{
	struct ledger *ledger = arg;
	if (ledger_find(ledger, stream_name(stream)))
		return;
	struct track *track = xcalloc(1, sizeof(*track));
	track->stream = stream;
	snprintf(track->name, sizeof(track->name), "%s", stream_name(stream));
	ledger->tracks = xrealloc(ledger->tracks, (ledger->count + 1) * sizeof(struct track *));
	ledger->tracks[ledger->count++] = track;
	ledger->generation++;
}

bool
ledger_refresh(struct ledger *ledger)
{
	uint64_t before = ledger->generation;
	journal_each(ledger->journal, add_stream_cb, ledger);
	return ledger->generation != before;
}

void
ledger_remember(struct ledger *ledger, const struct retired *retired, int64_t now_s)
{
	size_t kept = 0;
	for (size_t i = 0; i < ledger->retired_count; i++)
		if (now_s - ledger->retired[i].removed_s < RETIRED_KEEP_S)
			ledger->retired[kept++] = ledger->retired[i];
	ledger->retired = xrealloc(ledger->retired, (kept + 1) * sizeof(*retired));
	ledger->retired[kept] = *retired;
	ledger->retired_count = kept + 1;
}

void
ledger_retire(struct ledger *ledger, struct track *track, int64_t now_s)
{
	struct retired retired = {.removed_s = now_s, .end = track->settled};
	memcpy(retired.name, track->name, sizeof(retired.name));
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		if (track->applied[shard])
			retired.shards |= UINT64_C(1) << shard;
	ledger_remember(ledger, &retired, now_s);
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->tracks[i] == track)
			ledger->tracks[i] = ledger->tracks[--ledger->count];
	ledger->generation++;
	track_free(track);
}

/* --- reading --- */

static void
track_close_reader(struct track *track)
{
	stream_reader_free(track->reader);
	track->reader = NULL;
	track->frame = (struct frame){0};
	track->frame_at = 0;
	track->has_head = false;
}

void
ledger_begin_round(struct ledger *ledger)
{
	ledger->active = xrealloc(ledger->active, (ledger->count + 1) * sizeof(struct track *));
	ledger->active_count = 0;
	for (size_t i = 0; i < ledger->count; i++) {
		struct track *track = ledger->tracks[i];
		track->limit = stream_end(track->stream);
		if (track->has_head || track->cursor < track->limit)
			ledger->active[ledger->active_count++] = track;
		else if (track->reader && stream_sealed(track->stream))
			track_close_reader(track);
	}
}

/* The next frame below the limit. */
static bool
track_next_frame(struct track *track)
{
	if (track->cursor >= track->limit)
		return false;
	if (!track->reader) {
		track->reader = stream_reader_new(track->stream);
		stream_reader_seek(track->reader, track->cursor);
	}
	track->frame_at = 0;
	if (stream_reader_next(track->reader, &track->frame)) {
		track->cursor = track->frame.offset;
		return true;
	}
	/* What is left is damage, already logged and counted; or it cannot be read just now. */
	if (!stream_reader_failed(track->reader))
		track->cursor = track->limit;
	track->frame = (struct frame){0};
	return false;
}

static bool
track_has_head(struct track *track)
{
	while (!track->has_head) {
		struct slice rest = {track->frame.payload.ptr + track->frame_at,
				     track->frame.payload.len - track->frame_at};
		if (rest.len == 0) {
			if (!track_next_frame(track))
				break;
			continue;
		}
		int taken = record_get(rest, &track->head);
		if (taken < 0) { /* of another version: a valid frame whose record we cannot read */
			track->frame_at = track->frame.payload.len;
			continue;
		}
		track->frame_at += (size_t)taken;
		track->head_end = track->frame.offset + FRAME_HEADER_SIZE + track->frame_at;
		track->has_head = true;
	}
	return track->has_head;
}

struct track *
ledger_peek(struct ledger *ledger)
{
	struct track *first = NULL;
	for (size_t i = 0; i < ledger->active_count; i++) {
		struct track *track = ledger->active[i];
		if (!track->has_head && track->cursor >= track->limit)
			continue;
		if (track_has_head(track) && (!first || track->head.time_ms < first->head.time_ms))
			first = track;
	}
	return first;
}

void
ledger_consume(struct track *track)
{
	track->has_head = false;
	track->cursor = track->head_end;
}

void
track_rewind(struct track *track, uint64_t offset)
{
	if (offset >= track->cursor)
		return;
	track_close_reader(track);
	track->cursor = offset;
	track->handed = track->handed < offset ? track->handed : offset;
}

bool
ledger_is_read(const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->tracks[i]->has_head ||
		    ledger->tracks[i]->cursor < ledger->tracks[i]->limit)
			return false;
	return true;
}

void
ledger_handed_over(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++)
		ledger->tracks[i]->handed = ledger->tracks[i]->cursor;
}

uint64_t
ledger_lag(const struct ledger *ledger)
{
	uint64_t lag = 0;
	for (size_t i = 0; i < ledger->count; i++) {
		uint64_t end = stream_end(ledger->tracks[i]->stream);
		if (end > ledger->tracks[i]->handed)
			lag += end - ledger->tracks[i]->handed;
	}
	return lag;
}
