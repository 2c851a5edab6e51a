/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a stream: big reads, every checksum verified, segments joined into one run of offsets, damage stepped over
 * frame by frame. Never reads past the published end, and never writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "journal/stream.h"

enum {
	WINDOW_SIZE = 2 * (256 * 1024 + 4096),
	SMALL_READ = 4096, /* when a big read fails, to get past a bad block */
	FAILURE_LOG_MS = 10000,
};

_Static_assert(WINDOW_SIZE >= (int)FRAME_SIZE_MAX, "a frame must fit in the window");

struct stream_reader {
	struct stream *stream;
	uint64_t offset; /* of the next frame */
	bool quiet;      /* damage is somebody else's to count */
	bool failed;     /* the last call gave up for another reason than damage */
	bool unreadable; /* a block was given as zeros */
	/* The segment being read: [first, limit), limit being where the next one begins or the published end. */
	int fd;
	uint64_t first, limit;
	/* The bytes [window_at, window_at + window_len) of the stream. */
	uint64_t window_at;
	size_t window_len;
	struct log_limit failures;
	char *window;
};

struct stream_reader *
stream_reader_new(struct stream *stream)
{
	struct stream_reader *reader = xcalloc(1, sizeof(*reader));
	reader->stream = stream;
	reader->offset = stream_first(stream);
	reader->fd = -1;
	reader->window = xmalloc(WINDOW_SIZE);
	return reader;
}

void
stream_reader_free(struct stream_reader *reader)
{
	if (!reader)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader->window);
	free(reader);
}

uint64_t
stream_reader_offset(const struct stream_reader *reader)
{
	return reader->offset;
}

bool
stream_reader_failed(const struct stream_reader *reader)
{
	return reader->failed;
}

/* Steps over [offset, to), which holds no valid frame. */
static void
skip(struct stream_reader *reader, uint64_t to)
{
	struct stream *stream = reader->stream;
	if (!reader->quiet && reader->offset >= stream->damage_seen) {
		atomic_fetch_add(&stream->journal->damaged, 1);
		log_error("journal_damage stream=%s offset=%" PRIu64 " bytes=%" PRIu64,
			  stream->name, reader->offset, to - reader->offset);
		stream->damage_seen = to;
	}
	reader->offset = to;
}

/* --- segments --- */

/* The segment that holds the offset, or else the first one behind it; `limit` is where it ends. */
static bool
find_segment(struct stream_reader *reader, uint64_t end, uint64_t *first, uint64_t *limit,
	     bool *removed)
{
	struct stream *stream = reader->stream;
	bool found = false;
	pthread_mutex_lock(&stream->journal->lock);
	for (size_t i = 0; i < stream->segment_count && !found; i++) {
		bool last = i + 1 == stream->segment_count;
		*first = stream->segments[i].first;
		*limit = last || stream->segments[i + 1].first > end
				 ? end
				 : stream->segments[i + 1].first;
		*removed = i == 0; /* what is missing before it was removed, not lost */
		found = *limit > reader->offset;
	}
	pthread_mutex_unlock(&stream->journal->lock);
	return found;
}

/* 0; 1: the segment cannot be had and was stepped over; -1: try again later. */
static int
open_segment(struct stream_reader *reader, uint64_t first)
{
	char path[SEGMENT_PATH_MAX];
	const struct stream *stream = reader->stream;
	segment_path(path, stream->journal->dir, stream->name, first, SEGMENT_LOG);
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	reader->first = first;
	reader->window_len = 0;
	if (reader->fd >= 0)
		return 0;
	if (errno == ENOENT) {
		skip(reader, reader->limit);
		return 1;
	}
	uint64_t held_back;
	if (log_again(&reader->failures, FAILURE_LOG_MS, &held_back))
		log_error("journal_open_failed file=%s error=\"%s\"", path, strerror(errno));
	return -1;
}

/* Makes the reader stand in an open segment with something to read: 1, or 0 at the published end, or -1. */
static int
enter_segment(struct stream_reader *reader)
{
	for (;;) {
		/* In this order: a segment is listed before anything in it is published. */
		uint64_t end = stream_end(reader->stream), first, limit;
		bool removed;
		if (reader->offset >= end)
			return 0;
		if (!find_segment(reader, end, &first, &limit, &removed)) {
			reader->offset = end; /* all removed */
			return 0;
		}
		if (first > reader->offset && removed)
			reader->offset = first;
		else if (first > reader->offset)
			skip(reader, first);
		reader->limit = limit;
		int opened =
			reader->fd >= 0 && reader->first == first ? 0 : open_segment(reader, first);
		if (opened <= 0)
			return opened < 0 ? -1 : 1;
	}
}

/* --- bytes --- */

/* Reads once more in a small piece what could not be read in a big one; a bad block reads as zeros. */
static ssize_t
read_past_error(struct stream_reader *reader, size_t want, off_t at)
{
	size_t len = want < SMALL_READ ? want : SMALL_READ;
	ssize_t got = pread(reader->fd, reader->window, len, at);
	if (got >= 0)
		return got;
	reader->unreadable = true;
	memset(reader->window, 0, len);
	return (ssize_t)len;
}

static struct slice
windowed(const struct stream_reader *reader, uint64_t at)
{
	uint64_t skipped = at - reader->window_at;
	if (at < reader->window_at || skipped >= reader->window_len)
		return (struct slice){"", 0};
	return (struct slice){reader->window + skipped, reader->window_len - skipped};
}

/* The bytes from `at` on: as many as a frame can have, or as there are up to the segment's limit. */
static struct slice
view(struct stream_reader *reader, uint64_t at)
{
	struct slice held = windowed(reader, at);
	uint64_t left = reader->limit - at;
	if (held.len >= FRAME_SIZE_MAX || held.len >= left)
		return held;
	size_t want = left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE, have = 0;
	off_t from = (off_t)(at - reader->first);
	ssize_t got = pread(reader->fd, reader->window, want, from);
	if (got < 0)
		got = read_past_error(reader, want, from);
	while (got > 0 && (have += (size_t)got) < want)
		got = pread(reader->fd, reader->window + have, want - have, from + (off_t)have);
	reader->window_at = at;
	reader->window_len = have;
	return windowed(reader, at);
}

/* The place of the next valid frame behind the damaged one that the reader stands at, or the segment's limit. */
static uint64_t
next_valid(struct stream_reader *reader)
{
	struct frame frame;
	uint64_t at = reader->offset + 1;
	while (at < reader->limit) {
		struct slice bytes = view(reader, at);
		if (bytes.len < FRAME_HEADER_SIZE)
			break;
		const char *magic = memmem(bytes.ptr, bytes.len, FRAME_MAGIC, FRAME_MAGIC_SIZE);
		if (!magic) {
			at += bytes.len - (FRAME_MAGIC_SIZE - 1);
			continue;
		}
		at += (uint64_t)(magic - bytes.ptr);
		if (frame_parse(view(reader, at), &reader->stream->id, at, &frame) > 0)
			return at;
		at++;
	}
	return reader->limit;
}

/* --- frames --- */

bool
stream_reader_next(struct stream_reader *reader, struct frame *frame)
{
	const struct stream_id *id = &reader->stream->id;
	int64_t size = frame_parse(windowed(reader, reader->offset), id, reader->offset, frame);
	while (size <= 0) {
		int entered = enter_segment(reader);
		reader->failed = entered < 0;
		if (entered <= 0)
			return false;
		size = frame_parse(view(reader, reader->offset), id, reader->offset, frame);
		if (size <= 0)
			skip(reader, next_valid(reader));
	}
	reader->offset += (uint64_t)size;
	return true;
}

void
stream_reader_seek(struct stream_reader *reader, uint64_t offset)
{
	uint64_t end = stream_end(reader->stream), first, limit;
	bool removed;
	reader->offset = offset < end ? offset : end;
	reader->window_len = 0;
	if (reader->offset == end || !find_segment(reader, end, &first, &limit, &removed) ||
	    first >= offset)
		return;
	reader->offset = first;
	struct frame frame;
	while (reader->offset < offset && stream_reader_next(reader, &frame)) {
		if (reader->offset > offset) {
			reader->offset = frame.offset;
			break;
		}
	}
}

int64_t
stream_walk(struct stream *stream, uint64_t from)
{
	struct stream_reader *reader = stream_reader_new(stream);
	struct frame frame;
	uint64_t end = from;
	reader->quiet = true;
	reader->offset = from;
	while (stream_reader_next(reader, &frame))
		end = frame.offset + FRAME_HEADER_SIZE + frame.payload.len;
	bool failed = reader->failed || reader->unreadable;
	stream_reader_free(reader);
	return failed ? -1 : (int64_t)end;
}
