/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an earlier process left, made into sealed streams: each ends where its last valid frame does, everything is
 * on the disk for good, and nothing appends to it again. Never touches a file whose name is not the journal's own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/stream.h"

struct sealing {
	struct journal *journal;
	struct stream *stream;
	char path[SEGMENT_PATH_MAX]; /* what is being worked on */
	char *error;
	size_t error_size;
};

static int
fail(struct sealing *sealing, const char *what)
{
	snprintf(sealing->error, sealing->error_size, "cannot %s %s: %s", what, sealing->path,
		 strerror(errno));
	return -1;
}

static int
compare_segments(const void *a, const void *b)
{
	const struct segment *left = a, *right = b;
	return left->first < right->first ? -1 : left->first > right->first;
}

static int
list_segments(struct sealing *sealing)
{
	struct stream *stream = sealing->stream;
	stream_path(stream, sealing->path);
	DIR *directory = opendir(sealing->path);
	if (!directory)
		return fail(sealing, "open");
	const struct dirent *entry;
	while ((entry = readdir(directory))) {
		uint64_t number;
		const char *suffix;
		if (!segment_name_parse(entry->d_name, &number, &suffix))
			continue;
		if (strcmp(suffix, SEGMENT_LOG) == 0)
			stream_add_segment(stream, (struct segment){.first = number});
		else if (strcmp(suffix, SEGMENT_TEMPORARY) == 0 && !sealing->journal->read_only)
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	closedir(directory);
	if (stream->segment_count)
		qsort(stream->segments, stream->segment_count, sizeof(*stream->segments),
		      compare_segments);
	return 0;
}

/* Opens a segment and notes when it was last written to. */
static int
open_segment(struct sealing *sealing, struct segment *segment, uint64_t *size)
{
	bool read_only = sealing->journal->read_only;
	segment_path(sealing->path, sealing->journal->dir, sealing->stream->name, segment->first,
		     SEGMENT_LOG);
	int fd = open(sealing->path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	struct stat status;
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) < 0) {
		close(fd);
		return -1;
	}
	segment->written_s = status.st_mtim.tv_sec;
	*size = (uint64_t)status.st_size;
	return fd;
}

static int
seal_segment(struct sealing *sealing, struct segment *segment, int fd, uint64_t keep, bool last)
{
	struct journal *journal = sealing->journal;
	char torn[SEGMENT_PATH_MAX];
	segment_path(torn, journal->dir, sealing->stream->name, segment->first, SEGMENT_TORN);
	int result = 0;
	if (!journal->read_only && segment_seal(&journal->ops, fd, keep, last ? torn : NULL) < 0)
		result = fail(sealing, "seal");
	segment->allocated = file_allocated(fd);
	close(fd);
	return result;
}

/*
 * One that has a successor ends where that begins: what stands behind is a frame that was refused, or the preallocated
 * rest. A hole before that end is damage, which readers meet.
 */
static int
seal_inner(struct sealing *sealing, size_t i)
{
	struct segment *segment = &sealing->stream->segments[i];
	uint64_t size;
	int fd = open_segment(sealing, segment, &size);
	if (fd < 0)
		return sealing->journal->read_only && errno == ENOENT ? 0 : fail(sealing, "open");
	return seal_segment(sealing, segment, fd, segment[1].first - segment->first, false);
}

/* Finds the stream's end in its last segment: 1, 0 when there is nothing in it, or -1. */
static int
seal_last(struct sealing *sealing)
{
	struct stream *stream = sealing->stream;
	struct segment *segment = &stream->segments[stream->segment_count - 1];
	uint64_t size;
	int fd = open_segment(sealing, segment, &size);
	if (fd < 0)
		return sealing->journal->read_only && errno == ENOENT ? 0 : fail(sealing, "open");
	atomic_store(&stream->end, segment->first + size);
	int64_t end = stream_walk(stream, segment->first);
	if (end < 0) {
		close(fd);
		return fail(sealing, "read");
	}
	atomic_store(&stream->end, (uint64_t)end);
	uint64_t keep = (uint64_t)end - segment->first;
	if (seal_segment(sealing, segment, fd, keep, true) < 0)
		return -1;
	if (keep)
		return 1;
	if (!sealing->journal->read_only && unlink(sealing->path) < 0)
		return fail(sealing, "remove");
	return 0;
}

static int
seal_stream(struct sealing *sealing)
{
	struct stream *stream = sealing->stream;
	for (size_t i = 0; i + 1 < stream->segment_count; i++)
		if (seal_inner(sealing, i) < 0)
			return -1;
	int sealed = 0;
	while (stream->segment_count && (sealed = seal_last(sealing)) == 0)
		stream->segment_count--;
	if (sealed < 0)
		return -1;
	stream_path(stream, sealing->path);
	if (!sealing->journal->read_only &&
	    directory_sync(&sealing->journal->ops, sealing->path) < 0)
		return fail(sealing, "sync");
	atomic_store(&stream->sealed, true);
	return 0;
}

/* The streams that hold nothing are removed, unless somebody put files of their own there. */
static void
drop_empty(struct sealing *sealing)
{
	if (!sealing->journal->read_only)
		rmdir(sealing->path);
	stream_free(sealing->stream);
	sealing->stream = NULL;
}

int
stream_recover(struct journal *journal, const struct stream_id *id, struct stream **out,
	       char *error, size_t error_size)
{
	struct sealing sealing = {.journal = journal, .error = error, .error_size = error_size};
	sealing.stream = stream_new(journal, id);
	if (list_segments(&sealing) < 0 || seal_stream(&sealing) < 0) {
		stream_free(sealing.stream);
		return -1;
	}
	if (sealing.stream->segment_count == 0)
		drop_empty(&sealing);
	for (size_t i = 0; sealing.stream && i < sealing.stream->segment_count; i++)
		atomic_fetch_add(&journal->allocated, sealing.stream->segments[i].allocated);
	*out = sealing.stream;
	return 0;
}
