/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment as a file: its name, how it comes to be, how it is cut. Knows nothing of frames, streams' lists or sums.
 *
 *   <dir>/<stream>/<20 digits>.log    the first offset
 *   <dir>/<stream>/<20 digits>.tmp    preallocated, not yet entered under an offset; the digits mean nothing
 *   <dir>/<stream>/<20 digits>.torn   what was cut off an unfinished end
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <sys/types.h>

#include "journal/record.h"

/* What a test may make fail. NULL fields mean the real calls. Each behaves and reports as the call it is named after. */
struct file_ops {
	ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
	int (*posix_fallocate)(int fd, off_t at, off_t len); /* returns the error */
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*ftruncate)(int fd, off_t len);
	int (*rename)(const char *from, const char *to);
};

/* `ops` (or NULL) with every NULL field filled in. */
struct file_ops file_ops_filled(const struct file_ops *ops);

#define SEGMENT_LOG ".log"
#define SEGMENT_TEMPORARY ".tmp"
#define SEGMENT_TORN ".torn"

enum {
	SEGMENT_DIR_MAX = 3900, /* bytes of the journal's directory name */
	SEGMENT_PATH_MAX = 4096,
};

void segment_path(char out[SEGMENT_PATH_MAX], const char *dir, const char *stream, uint64_t number,
		  const char *suffix);
/* Takes such a file name apart; false when it is none. */
bool segment_name_parse(const char *name, uint64_t *number, const char **suffix);

/*
 * Makes a file of `size` allocated bytes that read as zeros, fsynced when `durable`. Returns its descriptor; on failure
 * -1 with errno, and nothing is left behind.
 */
int segment_create(const struct file_ops *ops, const char *path, uint64_t size,
		   bool durable) MUST_CHECK;

/* fsyncs a directory, so that the names in it last. 0, or -1 with errno. */
int directory_sync(const struct file_ops *ops, const char *path) MUST_CHECK;

/* Bytes that the file takes on the disk. */
uint64_t file_allocated(int fd);

/*
 * Cuts an earlier process's segment to `keep` bytes and fdatasyncs it. What stood behind them goes to `torn` first,
 * unless torn is NULL or all of it is zero. The time of its last write stays. 0, or -1 with errno.
 */
int segment_seal(const struct file_ops *ops, int fd, uint64_t keep, const char *torn) MUST_CHECK;

#endif
