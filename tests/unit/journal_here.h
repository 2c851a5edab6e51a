/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the journal: a directory for each test, a disk that fails when told to (syncs are not done for real,
 * to be quick), frames that carry numbers, and the files looked at from outside. What must be read back is the list of
 * the numbers that journal_write took.
 */
#ifndef TESTS_JOURNAL_HERE_H
#define TESTS_JOURNAL_HERE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "journal/journal.h"
#include "journal/segment.h"

enum {
	NUMBERS_MAX = 4096,
	SMALL_QUOTA =
		8 * 266240, /* segments of the least size: 65 pages, one frame of the greatest */
	BIG = 100 * 1000,   /* two frames of this size fill such a segment */
};

/* --- a disk that can fail --- */

enum op { PWRITE, FALLOCATE, FDATASYNC, FSYNC, FTRUNCATE, RENAME, OPS };

static struct {
	_Atomic unsigned calls;      /* of any operation */
	_Atomic unsigned count[OPS]; /* of each */
	unsigned fail_at;            /* the call that fails; 0: none */
	unsigned broken;             /* bit per operation that always fails */
	unsigned spared;             /* the pwrite that works all the same */
	int error;                   /* 0: a short pwrite */
} disk;

static inline bool
is_broken(enum op op)
{
	return (disk.broken >> op & 1) && !(op == PWRITE && disk.count[PWRITE] == disk.spared);
}

static inline bool
fails(enum op op)
{
	disk.calls++;
	disk.count[op]++;
	errno = disk.error ? disk.error : EIO;
	return disk.calls == disk.fail_at || is_broken(op);
}

/* A single failure comes after most of it is on the disk, as with a full one; a broken disk takes nothing. */
static inline ssize_t
test_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (!fails(PWRITE))
		return pwrite(fd, bytes, len, at);
	int error = errno;
	ssize_t written = is_broken(PWRITE) ? 0 : pwrite(fd, bytes, len - len / 8, at);
	errno = error;
	return disk.error ? -1 : written;
}

static inline int
test_fallocate(int fd, off_t at, off_t len)
{
	return fails(FALLOCATE) ? errno : posix_fallocate(fd, at, len);
}

static inline int
test_fdatasync(int fd)
{
	(void)fd;
	return fails(FDATASYNC) ? -1 : 0;
}

static inline int
test_fsync(int fd)
{
	(void)fd;
	return fails(FSYNC) ? -1 : 0;
}

static inline int
test_ftruncate(int fd, off_t len)
{
	return fails(FTRUNCATE) ? -1 : ftruncate(fd, len);
}

static inline int
test_rename(const char *from, const char *to)
{
	return fails(RENAME) ? -1 : rename(from, to);
}

static const struct file_ops test_ops = {
	test_pwrite, test_fallocate, test_fdatasync, test_fsync, test_ftruncate, test_rename,
};

static inline void
disk_mend(void)
{
	memset((void *)&disk, 0, sizeof(disk));
}

/* --- a directory for each test --- */

static char dir[64];

static inline int
set_up(void **state)
{
	(void)state;
	bool in_memory = access("/dev/shm", W_OK) == 0;
	snprintf(dir, sizeof(dir), "%s/thongke-journal-XXXXXX", in_memory ? "/dev/shm" : "/tmp");
	disk_mend();
	return mkdtemp(dir) ? 0 : -1;
}

static inline int
remove_cb(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct journal *
open_with(enum conf_sync sync, uint64_t max_size, bool read_only)
{
	char error[256] = "";
	struct journal *journal = journal_open(
		&(struct journal_options){dir, sync, max_size, 1, read_only, &test_ops}, error,
		sizeof(error));
	if (!journal)
		fail_msg("%s", error);
	return journal;
}

static inline struct journal *
open_small(enum conf_sync sync)
{
	return open_with(sync, SMALL_QUOTA, false);
}

/* --- numbered frames --- */

struct numbers {
	uint32_t list[NUMBERS_MAX];
	size_t count;
};

/* A frame of `size` payload bytes that says `number`. Returns what journal_write does. */
static inline int
write_number(struct journal_writer *writer, uint32_t number, size_t size)
{
	static _Thread_local char payload[FRAME_PAYLOAD_MAX];
	memset(payload, (int)('a' + number % 26), size);
	memcpy(payload, &number, sizeof(number));
	return journal_write(writer, (struct slice){payload, size}, 1);
}

static inline void
must_write(struct journal_writer *writer, uint32_t number, size_t size)
{
	assert_int_equal(write_number(writer, number, size), 0);
}

static inline uint32_t
number_of(const struct frame *frame)
{
	uint32_t number;
	memcpy(&number, frame->payload.ptr, sizeof(number));
	const char *filling = frame->payload.ptr + sizeof(number);
	size_t len = frame->payload.len - sizeof(number);
	if (len &&
	    (*filling != (char)('a' + number % 26) || memcmp(filling, filling + 1, len - 1) != 0))
		fail_msg("frame %u holds foreign bytes", number);
	return number;
}

static inline void
read_stream_cb(struct stream *stream, void *arg)
{
	struct numbers *numbers = arg;
	struct stream_reader *reader = stream_reader_new(stream);
	struct frame frame;
	while (stream_reader_next(reader, &frame)) {
		assert_true(numbers->count < NUMBERS_MAX);
		numbers->list[numbers->count++] = number_of(&frame);
	}
	assert_int_equal(stream_reader_offset(reader), stream_end(stream));
	assert_false(stream_reader_failed(reader));
	stream_reader_free(reader);
}

static inline void
assert_holds(struct journal *journal, const struct numbers *expected)
{
	struct numbers *got = calloc(1, sizeof(*got));
	journal_each(journal, read_stream_cb, got);
	assert_int_equal(got->count, expected->count);
	assert_memory_equal(got->list, expected->list, got->count * sizeof(got->list[0]));
	free(got);
}

static inline void
assert_holds_these(struct journal *journal, size_t count, ...)
{
	struct numbers expected = {.count = count};
	va_list args;
	va_start(args, count);
	for (size_t i = 0; i < count; i++)
		expected.list[i] = va_arg(args, unsigned);
	va_end(args);
	assert_holds(journal, &expected);
}

static inline void
only_stream_cb(struct stream *stream, void *arg)
{
	struct stream **only = arg;
	assert_null(*only);
	*only = stream;
}

static inline struct stream *
only_stream(struct journal *journal)
{
	struct stream *stream = NULL;
	journal_each(journal, only_stream_cb, &stream);
	assert_non_null(stream);
	return stream;
}

/* --- files, looked at from outside --- */

struct listing {
	size_t logs, temporaries, torn, others;
	uint64_t allocated; /* of logs and temporaries */
	char stream[256];   /* path of a stream's directory */
	char last[256];     /* path of the segment with the greatest name */
};

static struct listing found;

static inline void
list_file(const char *path, const char *name, const struct stat *status)
{
	const char *suffix = strrchr(name, '.');
	bool is_log = suffix && strcmp(suffix, ".log") == 0;
	bool is_temporary = suffix && strcmp(suffix, ".tmp") == 0;
	bool is_torn = suffix && strcmp(suffix, ".torn") == 0;
	found.logs += is_log;
	found.temporaries += is_temporary;
	found.torn += is_torn;
	found.others += !is_log && !is_temporary && !is_torn;
	if (is_log || is_temporary)
		found.allocated += (uint64_t)status->st_blocks * 512;
	if (is_log && strcmp(path, found.last) > 0)
		snprintf(found.last, sizeof(found.last), "%s", path);
}

static inline int
list_cb(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	if (type == FTW_D && ftw->level == 1)
		snprintf(found.stream, sizeof(found.stream), "%s", path);
	else if (type == FTW_F)
		list_file(path, path + ftw->base, status);
	return 0;
}

static const struct listing *
list(void)
{
	memset(&found, 0, sizeof(found));
	assert_int_equal(nftw(dir, list_cb, 16, FTW_PHYS), 0);
	return &found;
}

static inline size_t
slurp(const char *path, char **bytes)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &status) == 0);
	*bytes = malloc((size_t)status.st_size + 1);
	assert_int_equal(read(fd, *bytes, (size_t)status.st_size), status.st_size);
	close(fd);
	return (size_t)status.st_size;
}

static inline void
spill(const char *path, const char *bytes, size_t len, size_t file_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(ftruncate(fd, (off_t)file_size), 0);
	close(fd);
}

static inline void
flip(const char *path, off_t at)
{
	char byte;
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* What is on the disk now, without the process that writes it: as after kill -9. Ends that process's work. */
static inline void
assert_survives(const struct numbers *accepted)
{
	struct journal *after = open_small(CONF_SYNC_EVERYSEC);
	assert_holds(after, accepted);
	journal_close(after);
	after = open_small(CONF_SYNC_EVERYSEC);
	assert_holds(after, accepted);
	assert_int_equal(journal_damaged(after), 0);
	journal_close(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
