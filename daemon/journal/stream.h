/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the journal: what its writers, readers and the keeper share. Not for other folders.
 *
 * journal->lock guards the lists (streams, writers, segments, unsynced) and a writer's descriptor and spare. It is held
 * for memory work and fcntl only, never while the disk works. A segment is in the list before anything in it is published.
 */
#ifndef JOURNAL_STREAM_H
#define JOURNAL_STREAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "journal/journal.h"
#include "journal/segment.h"

struct segment {
	uint64_t first;     /* offset of its first byte; it ends where the next one begins */
	uint64_t allocated; /* bytes on disk */
	int64_t written_s;  /* wall clock of its last write, once it is no longer written to */
	bool live;
};

struct stream {
	struct journal *journal;
	struct stream_id id;
	char name[STREAM_NAME_SIZE];
	_Atomic uint64_t end; /* published: stored with release after the write */
	_Atomic bool sealed;
	struct segment *segments; /* ascending */
	size_t segment_count;
	uint64_t damage_seen; /* reading thread: damage before this offset has been counted */
};

struct journal {
	struct file_ops ops;
	char *dir;
	enum conf_sync sync;
	bool read_only;
	uint64_t max_size;
	uint64_t segment_size;
	uint64_t ahead; /* of the quota: to be free for what the workers start next */
	pthread_mutex_t lock;
	struct stream **streams;
	size_t stream_count;
	struct journal_writer **writers;
	size_t writer_count;
	int *unsynced; /* descriptors that the keeper has to fsync and close */
	size_t unsynced_count;
	int64_t next_sync_ms; /* keeper */
	struct log_limit keeper_failures;
	_Atomic uint64_t allocated;
	_Atomic uint64_t wanted; /* bytes to be removed, because a segment found no room */
	_Atomic uint64_t damaged;
	_Atomic uint64_t write_errors;
	_Atomic uint64_t written;
	_Atomic uint64_t temporaries; /* made so far, for their names */
};

/* --- stream.c --- */

/* A stream without segments, not in the journal's list. */
struct stream *stream_new(struct journal *journal, const struct stream_id *id);
void stream_free(struct stream *stream);
void stream_path(const struct stream *stream, char out[SEGMENT_PATH_MAX]);
bool stream_id_parse(const char *name, struct stream_id *id);
/* With the lock held, or before any other thread knows the stream. */
void stream_add_segment(struct stream *stream, struct segment segment);

/* Appends to one of the journal's lists of pointers, with the lock held. */
void list_add(void *list, size_t *count, void *item);
void list_remove(void *list, size_t *count, const void *item);

/* --- seal.c --- */

/* Makes what an earlier process left in a stream's directory into a sealed stream; NULL when nothing is in it. */
int stream_recover(struct journal *journal, const struct stream_id *id, struct stream **out,
		   char *error, size_t error_size) MUST_CHECK;

/* --- reader.c --- */

/* Walks the frames from `from` on: where the last valid one ends. -1 when the files cannot be read. */
int64_t stream_walk(struct stream *stream, uint64_t from) MUST_CHECK;

/* --- writer.c --- */

/* A preallocated segment under a temporary name; fd < 0: none. */
struct spare {
	int fd;
	uint64_t number; /* of its temporary name */
	uint64_t allocated;
};

struct journal_writer {
	struct journal *journal;
	struct stream *stream; /* NULL until the first write */
	bool named;            /* the stream's directory is known to last */
	int fd; /* of the current segment; -1: the next call starts one. Changes under the lock */
	uint64_t first;     /* of the current segment. Changes under the lock */
	uint64_t end;       /* the published end */
	struct spare spare; /* under the lock */
	uint64_t synced;    /* keeper: the end that was last synced */
	_Atomic bool leave; /* the keeper could not sync the segment: no more into it */
	bool full;          /* the last call found no room, and said so */
	struct log_limit failures;
	unsigned char frame[FRAME_SIZE_MAX];
};

/* Preallocates within the quota. 0 or enum journal_error. */
int spare_make(struct journal *journal, const char *stream, struct spare *spare) MUST_CHECK;
void spare_discard(struct journal *journal, const char *stream, struct spare *spare);

/* --- tend.c --- */

/* Leaves a descriptor to the keeper, to be fsynced and closed. With the lock held. */
void journal_leave(struct journal *journal, int fd);
/* Does that for all of them now. Any thread. */
void journal_sync_left(struct journal *journal);

#endif
