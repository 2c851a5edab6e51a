/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal as a whole: opening, closing and the sums. Writers are in writer.c, readers in reader.c, what an earlier
 * process left in seal.c, the keeper's work in tend.c. Takes no lock on the directory: main does, for all of state_dir.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "journal/stream.h"

enum {
	SEGMENT_MAX = 16 * 1024 * 1024,
	SEGMENT_MIN = (FRAME_SIZE_MAX + 4095) / 4096 * 4096,
	SEGMENTS_OF_QUOTA = 8, /* so that removing one frees a small part of the whole */
};

static uint64_t
segment_size(uint64_t max_size, int workers)
{
	uint64_t size = SEGMENT_MAX;
	if (size > max_size / SEGMENTS_OF_QUOTA)
		size = max_size / SEGMENTS_OF_QUOTA;
	/* Every worker has a current segment and one prepared; as much again is for what is kept. */
	if (workers > 0 && size > max_size / (4 * (uint64_t)workers))
		size = max_size / (4 * (uint64_t)workers);
	return size < SEGMENT_MIN ? SEGMENT_MIN : size / 4096 * 4096;
}

static struct journal *
journal_new(const struct journal_options *options)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));
	journal->ops = file_ops_filled(options->ops);
	journal->dir = xstrdup(options->dir);
	journal->sync = options->sync;
	journal->read_only = options->read_only;
	journal->max_size = options->max_size;
	journal->segment_size = segment_size(options->max_size, options->workers);
	journal->ahead = ((uint64_t)options->workers + 1) * journal->segment_size;
	pthread_mutex_init(&journal->lock, NULL);
	return journal;
}

static int
compare_last_write(const void *a, const void *b)
{
	const struct stream *left = *(struct stream *const *)a, *right = *(struct stream *const *)b;
	int64_t left_s = left->segments[left->segment_count - 1].written_s;
	int64_t right_s = right->segments[right->segment_count - 1].written_s;
	if (left_s != right_s)
		return left_s < right_s ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int
recover_streams(struct journal *journal, DIR *directory, char *error, size_t error_size)
{
	const struct dirent *entry;
	while ((entry = readdir(directory))) {
		struct stream_id id;
		struct stream *stream;
		bool directory_like = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
		if (!directory_like || !stream_id_parse(entry->d_name, &id))
			continue;
		if (stream_recover(journal, &id, &stream, error, error_size) < 0)
			return -1;
		if (stream)
			list_add(&journal->streams, &journal->stream_count, stream);
	}
	if (journal->stream_count)
		qsort(journal->streams, journal->stream_count, sizeof(struct stream *),
		      compare_last_write);
	return 0;
}

/* The directory's own name may be new as well. */
static int
names_last(struct journal *journal, char *error, size_t error_size)
{
	char parent[SEGMENT_PATH_MAX];
	snprintf(parent, sizeof(parent), "%s/..", journal->dir);
	if (directory_sync(&journal->ops, journal->dir) == 0 &&
	    directory_sync(&journal->ops, parent) == 0)
		return 0;
	snprintf(error, error_size, "cannot sync %s: %s", journal->dir, strerror(errno));
	return -1;
}

static int
journal_recover(struct journal *journal, char *error, size_t error_size)
{
	if (!journal->read_only && mkdir(journal->dir, 0750) < 0 && errno != EEXIST) {
		snprintf(error, error_size, "cannot make %s: %s", journal->dir, strerror(errno));
		return -1;
	}
	DIR *directory = opendir(journal->dir);
	if (!directory) {
		snprintf(error, error_size, "cannot open %s: %s", journal->dir, strerror(errno));
		return -1;
	}
	int result = recover_streams(journal, directory, error, error_size);
	closedir(directory);
	return result < 0 || journal->read_only ? result : names_last(journal, error, error_size);
}

/* Every worker needs a current segment and a prepared one, or some of them could never write. */
static int
check_room(const struct journal_options *options, char *error, size_t error_size)
{
	uint64_t least = 2 * (uint64_t)options->workers * SEGMENT_MIN;
	if (options->read_only || options->max_size >= least)
		return 0;
	snprintf(error, error_size,
		 "journal.max_size is %" PRIu64 " bytes; allowed with %d workers: %" PRIu64
		 " or more",
		 options->max_size, options->workers, least);
	return -1;
}

struct journal *
journal_open(const struct journal_options *options, char *error, size_t error_size)
{
	if (check_room(options, error, error_size) < 0)
		return NULL;
	if (strlen(options->dir) > SEGMENT_DIR_MAX) {
		snprintf(error, error_size,
			 "the name of the journal's directory is longer than %d bytes",
			 SEGMENT_DIR_MAX);
		return NULL;
	}
	struct journal *journal = journal_new(options);
	if (journal_recover(journal, error, error_size) == 0)
		return journal;
	journal_close(journal);
	return NULL;
}

void
journal_close(struct journal *journal)
{
	journal_sync_left(journal);
	for (size_t i = 0; i < journal->stream_count; i++)
		stream_free(journal->streams[i]);
	free(journal->streams);
	free(journal->writers);
	free(journal->dir);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

bool
journal_wants_room(const struct journal *journal)
{
	return journal_allocated(journal) + journal->ahead > journal->max_size ||
	       atomic_load_explicit(&journal->wanted, memory_order_relaxed) > 0;
}

uint64_t
journal_allocated(const struct journal *journal)
{
	return atomic_load_explicit(&journal->allocated, memory_order_relaxed);
}

uint64_t
journal_segment_size(const struct journal *journal)
{
	return journal->segment_size;
}

uint64_t
journal_damaged(const struct journal *journal)
{
	return atomic_load_explicit(&journal->damaged, memory_order_relaxed);
}

uint64_t
journal_write_errors(const struct journal *journal)
{
	return atomic_load_explicit(&journal->write_errors, memory_order_relaxed);
}

uint64_t
journal_written(const struct journal *journal)
{
	return atomic_load_explicit(&journal->written, memory_order_relaxed);
}
