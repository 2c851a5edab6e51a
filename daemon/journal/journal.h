/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: what makes an answered hit survive. A stream is one worker's journal since one process start, named by
 * 128 random bits; within it offsets only grow and count the bytes of its frames. Streams of earlier starts are sealed
 * when the journal is opened: cut to their real end, fdatasynced, never appended to.
 *
 *   <dir>/<stream>/<first offset, 20 digits>.log   segments, preallocated, without header
 *   <dir>/<stream>/<first offset>.torn             what was cut off an unfinished end
 *
 * Threads: each writer belongs to one worker; journal_tend() to one keeper thread; everything about streams, readers
 * and removal to one reading thread (the tally). Only the published end, the list and the sums cross threads.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/conf.h"
#include "journal/record.h"

struct journal;
struct journal_writer;
struct stream;

enum journal_error {
	JOURNAL_FULL =
		-1, /* max_size is used up, or the disk is: nothing written, try again later */
	JOURNAL_IO =
		-2, /* the write failed; the hits of this call are not in the journal; a new segment comes next */
};

/* Takes the place of system calls in tests (journal/segment.h); NULL fields mean the real ones. */
struct file_ops;

struct journal_options {
	const char *dir;
	enum conf_sync sync;
	uint64_t max_size; /* bytes allocated, all segments together */
	int workers;       /* how many writers there will be, for the size of a segment */
	bool read_only;    /* to look on, beside a running daemon: nothing is changed; no writers */
	const struct file_ops *ops; /* NULL: the real ones */
};

/* Opens or creates the directory and seals what is there. NULL: error holds one sentence. */
struct journal *journal_open(const struct journal_options *options, char *error, size_t error_size);
/* Readers and writers must be gone. */
void journal_close(struct journal *journal);

/* --- writers: one per worker --- */

struct journal_writer *journal_writer_new(struct journal *journal);
/* Cuts the preallocated rest off and syncs. */
void journal_writer_free(struct journal_writer *writer);

/*
 * Appends one frame of `count` records with one pwrite and publishes the stream's new end; with sync = always after
 * fdatasync. The payload is at most FRAME_PAYLOAD_MAX. The stream is made at the first call.
 * 0 or enum journal_error, after which none of these records will ever be read: what may have reached the disk is cut
 * off, or else overwritten, and the next segment begins where it does. Only a disk that fails all three, followed by a
 * restart, can bring such a frame back: the log then says journal_refused_frame_kept.
 */
int journal_write(struct journal_writer *writer, struct slice payload, uint32_t count) MUST_CHECK;

/* --- the keeper thread --- */

/*
 * To be called several times a second: fdatasyncs what sync = everysec owes (at most once a second), and makes the
 * next segment of a writer whose current one is nearly full, so that no worker waits for the disk to allocate.
 */
void journal_tend(struct journal *journal);

/* --- the reading thread --- */

/*
 * Calls back for every stream, the one written to longest ago first; a stream that a writer has just made appears in
 * the next call. The callback may remove segments of its stream.
 */
void journal_each(struct journal *journal, void (*each)(struct stream *stream, void *arg),
		  void *arg);

const struct stream_id *stream_id(const struct stream *stream);
const char *stream_name(const struct stream *stream);
/* No process appends to it any more. */
bool stream_sealed(const struct stream *stream);
/* The offset of the oldest byte still on disk. */
uint64_t stream_first(const struct stream *stream);
/* The end that the writer has published; everything before it may be read. */
uint64_t stream_end(const struct stream *stream);

/* Seconds since its last write; 0 while it is being written to. */
int64_t stream_idle(const struct stream *stream);

struct stream_reader;
struct stream_reader *stream_reader_new(struct stream *stream);
void stream_reader_free(struct stream_reader *reader);
/* To the frame that holds `offset`, or the first one after it. */
void stream_reader_seek(struct stream_reader *reader, uint64_t offset);
/*
 * The next frame, valid until the next call: true, and the reader stands behind it. False: nothing published is left.
 * Frames that do not verify are skipped, logged and counted (journal_damaged).
 */
bool stream_reader_next(struct stream_reader *reader, struct frame *frame);
/* Where it stands: behind the last frame it gave, or behind the damage that follows it. */
uint64_t stream_reader_offset(const struct stream_reader *reader);
/* Something could not be read for another reason than damage (no file descriptors left): try again later. */
bool stream_reader_failed(const struct stream_reader *reader);

/* The oldest segment of a stream; none when it is the last one of a stream that is not sealed. */
struct segment_info {
	uint64_t first, end; /* offsets */
	int64_t age;         /* seconds since its last write */
};
bool stream_oldest_segment(const struct stream *stream, struct segment_info *info);
/* Removes it from the disk. A sealed stream without segments is removed as a whole: `stream` is then gone. */
void stream_remove_oldest(struct journal *journal, struct stream *stream);

/* --- any thread --- */

/*
 * Segments should go before their time: max_size is nearly used up, or the disk had no room for another. False again when
 * as much was removed, or one was made.
 */
bool journal_wants_room(const struct journal *journal);
uint64_t journal_allocated(const struct journal *journal); /* bytes on disk */
uint64_t journal_segment_size(const struct journal *journal);
uint64_t journal_damaged(const struct journal *journal); /* places skipped, each once */
uint64_t journal_write_errors(const struct journal *journal);
uint64_t journal_written(const struct journal *journal); /* bytes appended since the start */

#endif
