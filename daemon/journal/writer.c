/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing: one frame with one pwrite into the current segment, then the stream's end is published. What was not written
 * whole (or, with sync = always, not synced) is made unreadable before the call returns. Never waits for the disk to
 * allocate while the keeper has a segment prepared.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/stream.h"

enum { FAILURE_LOG_MS = 10000 };

struct journal_writer *
journal_writer_new(struct journal *journal)
{
	assert(!journal->read_only);
	struct journal_writer *writer = xcalloc(1, sizeof(*writer));
	writer->journal = journal;
	writer->fd = -1;
	writer->spare.fd = -1;
	pthread_mutex_lock(&journal->lock);
	list_add(&journal->writers, &journal->writer_count, writer);
	pthread_mutex_unlock(&journal->lock);
	return writer;
}

/* --- failures --- */

static int
error_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? JOURNAL_FULL : JOURNAL_IO;
}

/* Says what failed, at most every ten seconds, from errno. */
static int
write_failed(struct journal_writer *writer, const char *what)
{
	int error = error_of_errno();
	uint64_t held_back;
	if (error == JOURNAL_IO)
		atomic_fetch_add(&writer->journal->write_errors, 1);
	if (log_again(&writer->failures, FAILURE_LOG_MS, &held_back))
		log_error("journal_write_failed stream=%s at=%s error=\"%s\" repeated=%" PRIu64,
			  writer->stream ? writer->stream->name : "(new)", what, strerror(errno),
			  held_back);
	return error;
}

static int
note_full(struct journal_writer *writer, int error)
{
	bool full = error == JOURNAL_FULL;
	if (full && !writer->full)
		log_error("journal_full allocated=%" PRIu64 " max_size=%" PRIu64,
			  journal_allocated(writer->journal), writer->journal->max_size);
	else if (!full && writer->full)
		log_info("journal_has_room allocated=%" PRIu64, journal_allocated(writer->journal));
	writer->full = full;
	return error;
}

/* --- a new segment --- */

/* What the reading thread hears of room: none for a segment, or one was made. Returns the error. */
static int
note_room(struct journal *journal, int error)
{
	if (error == JOURNAL_FULL)
		atomic_store(&journal->wanted, journal->segment_size);
	else if (error == 0)
		atomic_store(&journal->wanted, 0);
	return error;
}

static int
reserve(struct journal *journal)
{
	uint64_t before = atomic_fetch_add(&journal->allocated, journal->segment_size);
	if (before + journal->segment_size <= journal->max_size)
		return 0;
	atomic_fetch_sub(&journal->allocated, journal->segment_size);
	errno = ENOSPC;
	return JOURNAL_FULL;
}

static int
preallocate(struct journal *journal, const char *stream, struct spare *spare)
{
	spare->fd = -1;
	if (reserve(journal) < 0)
		return JOURNAL_FULL;
	char path[SEGMENT_PATH_MAX];
	spare->number = atomic_fetch_add(&journal->temporaries, 1);
	segment_path(path, journal->dir, stream, spare->number, SEGMENT_TEMPORARY);
	spare->fd = segment_create(&journal->ops, path, journal->segment_size,
				   journal->sync != CONF_SYNC_NO);
	if (spare->fd < 0) {
		atomic_fetch_sub(&journal->allocated, journal->segment_size);
		return error_of_errno();
	}
	spare->allocated = file_allocated(spare->fd);
	atomic_fetch_add(&journal->allocated, spare->allocated - journal->segment_size);
	return 0;
}

int
spare_make(struct journal *journal, const char *stream, struct spare *spare)
{
	return note_room(journal, preallocate(journal, stream, spare));
}

void
spare_discard(struct journal *journal, const char *stream, struct spare *spare)
{
	if (spare->fd < 0)
		return;
	char path[SEGMENT_PATH_MAX];
	int saved = errno;
	segment_path(path, journal->dir, stream, spare->number, SEGMENT_TEMPORARY);
	unlink(path);
	close(spare->fd);
	spare->fd = -1;
	atomic_fetch_sub(&journal->allocated, spare->allocated);
	errno = saved;
}

static int
make_stream(struct journal_writer *writer)
{
	struct journal *journal = writer->journal;
	struct stream_id id;
	char path[SEGMENT_PATH_MAX];
	if (getrandom(id.bytes, sizeof(id.bytes), 0) != sizeof(id.bytes))
		return write_failed(writer, "getrandom");
	struct stream *stream = stream_new(journal, &id);
	stream_path(stream, path);
	if (mkdir(path, 0750) < 0) {
		stream_free(stream);
		return note_room(journal, write_failed(writer, "mkdir"));
	}
	pthread_mutex_lock(&journal->lock);
	writer->stream = stream;
	list_add(&journal->streams, &journal->stream_count, stream);
	pthread_mutex_unlock(&journal->lock);
	return 0;
}

/* The one that the keeper prepared, or else one made now. */
static int
take_spare(struct journal_writer *writer, struct spare *spare)
{
	pthread_mutex_lock(&writer->journal->lock);
	*spare = writer->spare;
	writer->spare.fd = -1;
	pthread_mutex_unlock(&writer->journal->lock);
	return spare->fd >= 0 ? 0 : spare_make(writer->journal, writer->stream->name, spare);
}

/* Makes the name of a directory's entries last: now, or within a second by the keeper. */
static int
sync_names(struct journal *journal, const char *path)
{
	if (journal->sync == CONF_SYNC_NO)
		return 0;
	if (journal->sync == CONF_SYNC_ALWAYS)
		return directory_sync(&journal->ops, path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	pthread_mutex_lock(&journal->lock);
	journal_leave(journal, fd);
	pthread_mutex_unlock(&journal->lock);
	return 0;
}

static int
sync_new_names(struct journal_writer *writer)
{
	char path[SEGMENT_PATH_MAX];
	stream_path(writer->stream, path);
	if (sync_names(writer->journal, path) < 0)
		return -1;
	if (!writer->named && sync_names(writer->journal, writer->journal->dir) < 0)
		return -1;
	writer->named = true;
	return 0;
}

/* The spare becomes the segment that begins at the stream's end. */
static int
enter_spare(struct journal_writer *writer, struct spare *spare)
{
	struct journal *journal = writer->journal;
	char from[SEGMENT_PATH_MAX], to[SEGMENT_PATH_MAX];
	segment_path(from, journal->dir, writer->stream->name, spare->number, SEGMENT_TEMPORARY);
	segment_path(to, journal->dir, writer->stream->name, writer->end, SEGMENT_LOG);
	if (journal->ops.rename(from, to) < 0)
		return -1;
	pthread_mutex_lock(&journal->lock);
	stream_add_segment(writer->stream, (struct segment){.first = writer->end,
							    .allocated = spare->allocated,
							    .live = true});
	writer->first = writer->end;
	writer->fd = spare->fd;
	pthread_mutex_unlock(&journal->lock);
	atomic_store(&writer->leave, false);
	return 0;
}

/* --- leaving a segment --- */

static bool
cut_segment(struct journal_writer *writer)
{
	off_t length = (off_t)(writer->end - writer->first);
	return writer->journal->ops.ftruncate(writer->fd, length) == 0;
}

/* A segment without a frame goes altogether: the next one has the same name. */
static void
drop_segment(struct journal_writer *writer)
{
	struct stream *stream = writer->stream;
	char path[SEGMENT_PATH_MAX];
	segment_path(path, writer->journal->dir, stream->name, writer->first, SEGMENT_LOG);
	unlink(path);
	uint64_t allocated = stream->segments[--stream->segment_count].allocated;
	atomic_fetch_sub(&writer->journal->allocated, allocated);
	close(writer->fd);
}

static void
keep_segment(struct journal_writer *writer)
{
	struct stream *stream = writer->stream;
	struct segment *segment = &stream->segments[stream->segment_count - 1];
	uint64_t allocated = file_allocated(writer->fd);
	atomic_fetch_add(&writer->journal->allocated, allocated - segment->allocated);
	segment->allocated = allocated;
	segment->written_s = clock_wall_ms() / 1000;
	segment->live = false;
	if (writer->journal->sync == CONF_SYNC_EVERYSEC)
		journal_leave(writer->journal, writer->fd);
	else
		close(writer->fd);
}

/* Closes the current segment for ever; it has been cut, or could not be. */
static void
leave_segment(struct journal_writer *writer)
{
	pthread_mutex_lock(&writer->journal->lock);
	if (writer->end == writer->first)
		drop_segment(writer);
	else
		keep_segment(writer);
	writer->fd = -1;
	pthread_mutex_unlock(&writer->journal->lock);
}

static int
start_segment(struct journal_writer *writer)
{
	struct spare spare;
	if (!writer->stream) {
		int error = make_stream(writer);
		if (error)
			return note_full(writer, error);
	}
	int error = take_spare(writer, &spare);
	if (error)
		return note_full(writer,
				 error == JOURNAL_IO ? write_failed(writer, "create") : error);
	note_full(writer, 0);
	if (enter_spare(writer, &spare) < 0) {
		spare_discard(writer->journal, writer->stream->name, &spare);
		return write_failed(writer, "rename");
	}
	if (sync_new_names(writer) < 0) {
		leave_segment(writer);
		return write_failed(writer, "fsync");
	}
	return 0;
}

/* --- frames --- */

/* Overwrites the frame's header, where cutting is not possible. */
static bool
blank_frame(struct journal_writer *writer)
{
	static const char zeros[FRAME_HEADER_SIZE];
	off_t at = (off_t)(writer->end - writer->first);
	return writer->journal->ops.pwrite(writer->fd, zeros, sizeof(zeros), at) ==
	       (ssize_t)sizeof(zeros);
}

/*
 * Makes sure that a frame which was not accepted is never read: not now (it is behind the published end) and not after
 * a restart. When neither cutting nor overwriting can be relied on, the next segment's first offset bounds this one.
 */
static int
refuse_frame(struct journal_writer *writer, const char *what)
{
	int error = write_failed(writer, what);
	const struct file_ops *ops = &writer->journal->ops;
	bool gone = cut_segment(writer) || blank_frame(writer);
	if (gone && writer->journal->sync == CONF_SYNC_ALWAYS)
		gone = ops->fdatasync(writer->fd) == 0;
	leave_segment(writer);
	if (!gone && start_segment(writer) != 0)
		log_error("journal_refused_frame_kept stream=%s offset=%" PRIu64,
			  writer->stream->name, writer->end);
	return error;
}

static int
make_room(struct journal_writer *writer, size_t size)
{
	if (writer->fd >= 0 && !atomic_load_explicit(&writer->leave, memory_order_relaxed) &&
	    writer->end - writer->first + size <= writer->journal->segment_size)
		return 0;
	if (writer->fd >= 0) {
		/* When it cannot be cut, its rest stays allocated and the next start cuts it. */
		(void)!cut_segment(writer);
		leave_segment(writer);
	}
	return start_segment(writer);
}

int
journal_write(struct journal_writer *writer, struct slice payload, uint32_t count)
{
	assert(payload.len > 0 && payload.len <= FRAME_PAYLOAD_MAX);
	const struct journal *journal = writer->journal;
	size_t size = FRAME_HEADER_SIZE + payload.len;
	int error = make_room(writer, size);
	if (error)
		return error;
	struct frame frame = {.offset = writer->end, .count = count, .payload = payload};
	frame_header(writer->frame, &writer->stream->id, &frame);
	memcpy(writer->frame + FRAME_HEADER_SIZE, payload.ptr, payload.len);
	errno = EIO; /* of a short write */
	if (journal->ops.pwrite(writer->fd, writer->frame, size,
				(off_t)(writer->end - writer->first)) != (ssize_t)size)
		return refuse_frame(writer, "pwrite");
	if (journal->sync == CONF_SYNC_ALWAYS && journal->ops.fdatasync(writer->fd) < 0)
		return refuse_frame(writer, "fdatasync");
	writer->end += size;
	atomic_store_explicit(&writer->stream->end, writer->end, memory_order_release);
	atomic_fetch_add_explicit(&writer->journal->written, size, memory_order_relaxed);
	return 0;
}

void
journal_writer_free(struct journal_writer *writer)
{
	if (!writer)
		return;
	struct journal *journal = writer->journal;
	if (writer->fd >= 0) {
		(void)!cut_segment(writer);
		if (journal->sync != CONF_SYNC_NO && journal->ops.fdatasync(writer->fd) < 0)
			write_failed(writer, "fdatasync");
		leave_segment(writer);
	}
	pthread_mutex_lock(&journal->lock);
	list_remove(&journal->writers, &journal->writer_count, writer);
	struct spare spare = writer->spare;
	pthread_mutex_unlock(&journal->lock);
	if (writer->stream) {
		spare_discard(journal, writer->stream->name, &spare);
		atomic_store_explicit(&writer->stream->sealed, true, memory_order_release);
	}
	free(writer);
	journal_sync_left(journal);
}
