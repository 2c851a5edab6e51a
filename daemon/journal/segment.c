/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments as files, and the table of calls through which tests make the disk fail. Never looks at what the bytes mean,
 * except whether they are zero.
 */
#include "journal/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { NUMBER_DIGITS = 20, COPY_CHUNK = 64 * 1024 };

struct file_ops
file_ops_filled(const struct file_ops *ops)
{
	struct file_ops given = ops ? *ops : (struct file_ops){0};
	return (struct file_ops){
		.pwrite = given.pwrite ? given.pwrite : pwrite,
		.posix_fallocate = given.posix_fallocate ? given.posix_fallocate : posix_fallocate,
		.fdatasync = given.fdatasync ? given.fdatasync : fdatasync,
		.fsync = given.fsync ? given.fsync : fsync,
		.ftruncate = given.ftruncate ? given.ftruncate : ftruncate,
		.rename = given.rename ? given.rename : rename,
	};
}

void
segment_path(char out[SEGMENT_PATH_MAX], const char *dir, const char *stream, uint64_t number,
	     const char *suffix)
{
	snprintf(out, SEGMENT_PATH_MAX, "%s/%s/%020" PRIu64 "%s", dir, stream, number, suffix);
}

bool
segment_name_parse(const char *name, uint64_t *number, const char **suffix)
{
	static const char *const suffixes[] = {SEGMENT_LOG, SEGMENT_TEMPORARY, SEGMENT_TORN};
	uint64_t value = 0;
	for (int i = 0; i < NUMBER_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(name[i] - '0'), &value))
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(suffixes) && value <= INT64_MAX; i++) {
		if (strcmp(name + NUMBER_DIGITS, suffixes[i]) == 0) {
			*number = value;
			*suffix = suffixes[i];
			return true;
		}
	}
	return false;
}

/* Closes and removes, and leaves errno as it was. */
static int
give_up_file(int fd, const char *path)
{
	int saved = errno;
	close(fd);
	unlink(path);
	errno = saved;
	return -1;
}

int
segment_create(const struct file_ops *ops, const char *path, uint64_t size, bool durable)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	int error = ops->posix_fallocate(fd, 0, (off_t)size);
	if (error) {
		errno = error;
		return give_up_file(fd, path);
	}
	if (durable && ops->fsync(fd) < 0)
		return give_up_file(fd, path);
	return fd;
}

int
directory_sync(const struct file_ops *ops, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int result = ops->fsync(fd);
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

uint64_t
file_allocated(int fd)
{
	struct stat status;
	return fstat(fd, &status) < 0 ? 0 : (uint64_t)status.st_blocks * 512;
}

/* Where the zeros at the end of [from, to) begin, or -1 with errno. */
static int64_t
end_of_data(int fd, uint64_t from, uint64_t to, char *chunk)
{
	while (to > from) {
		size_t len = to - from < COPY_CHUNK ? (size_t)(to - from) : COPY_CHUNK;
		ssize_t got = pread(fd, chunk, len, (off_t)(to - len));
		if (got < 0)
			return -1;
		while (got > 0 && chunk[got - 1] == 0)
			got--;
		if (got > 0)
			return (int64_t)(to - len + (size_t)got);
		to -= len;
	}
	return (int64_t)from;
}

static int
copy_out(const struct file_ops *ops, int fd, uint64_t from, uint64_t to, const char *path,
	 char *chunk)
{
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (out < 0)
		return -1;
	for (uint64_t at = from; at < to;) {
		size_t len = to - at < COPY_CHUNK ? (size_t)(to - at) : COPY_CHUNK;
		ssize_t got = pread(fd, chunk, len, (off_t)at);
		if (got <= 0 || ops->pwrite(out, chunk, (size_t)got, (off_t)(at - from)) != got)
			return give_up_file(out, path);
		at += (uint64_t)got;
	}
	int result = ops->fdatasync(out);
	close(out);
	return result;
}

/* A copy that cannot be kept (a full disk) is no reason not to start: what is torn off holds no whole frame. */
static int
keep_torn(const struct file_ops *ops, int fd, uint64_t from, uint64_t size, const char *torn)
{
	char *chunk = xmalloc(COPY_CHUNK);
	int64_t data = end_of_data(fd, from, size, chunk);
	if (data > (int64_t)from) {
		bool kept = copy_out(ops, fd, from, (uint64_t)data, torn, chunk) == 0;
		log_warn("journal_torn_tail bytes=%" PRIu64 " copy=%s kept=%s",
			 (uint64_t)data - from, torn, kept ? "yes" : "no");
	}
	free(chunk);
	return data < 0 ? -1 : 0;
}

int
segment_seal(const struct file_ops *ops, int fd, uint64_t keep, const char *torn)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -1;
	if ((uint64_t)status.st_size > keep) {
		if (torn && keep_torn(ops, fd, keep, (uint64_t)status.st_size, torn) < 0)
			return -1;
		if (ops->ftruncate(fd, (off_t)keep) < 0)
			return -1;
		struct timespec times[2] = {status.st_atim, status.st_mtim};
		/* Only how long the segment is kept hangs on it. */
		(void)futimens(fd, times);
	}
	return ops->fdatasync(fd);
}
