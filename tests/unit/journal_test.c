/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal against a disk that fails: whatever breaks, what was acknowledged is read back, in order and once, and
 * what was refused never is. Frames carry numbers; what must be read is the list of those that journal_write took.
 * File operations go through a table that can fail at a given call; syncs are not done for real, to be quick.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "journal/journal.h"
#include "journal/segment.h"

enum {
	NUMBERS_MAX = 4096,
	SMALL_QUOTA = 8 * 266240, /* segments of the least size: 65 pages, one frame of the greatest */
	BIG = 100 * 1000,         /* two frames of this size fill such a segment */
};

/* --- a disk that can fail --- */

enum op { PWRITE, FALLOCATE, FDATASYNC, FSYNC, FTRUNCATE, RENAME, OPS };

static struct {
	unsigned calls;     /* of any operation */
	unsigned count[OPS]; /* of each */
	unsigned fail_at;   /* the call that fails; 0: none */
	unsigned broken;    /* bit per operation that always fails */
	int error;          /* 0: a short pwrite */
} disk;

static bool
fails(enum op op)
{
	disk.calls++;
	disk.count[op]++;
	errno = disk.error ? disk.error : EIO;
	return disk.calls == disk.fail_at || (disk.broken >> op & 1);
}

/* Fails after half of it is on the disk, as a full one does. */
static ssize_t
test_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (!fails(PWRITE))
		return pwrite(fd, bytes, len, at);
	int error = errno;
	ssize_t written = pwrite(fd, bytes, len - len / 8, at);
	errno = error;
	return disk.error ? -1 : written;
}

static int
test_fallocate(int fd, off_t at, off_t len)
{
	return fails(FALLOCATE) ? errno : posix_fallocate(fd, at, len);
}

static int
test_fdatasync(int fd)
{
	(void)fd;
	return fails(FDATASYNC) ? -1 : 0;
}

static int
test_fsync(int fd)
{
	(void)fd;
	return fails(FSYNC) ? -1 : 0;
}

static int
test_ftruncate(int fd, off_t len)
{
	return fails(FTRUNCATE) ? -1 : ftruncate(fd, len);
}

static int
test_rename(const char *from, const char *to)
{
	return fails(RENAME) ? -1 : rename(from, to);
}

static const struct file_ops test_ops = {
	test_pwrite, test_fallocate, test_fdatasync, test_fsync, test_ftruncate, test_rename,
};

static void
disk_mend(void)
{
	memset(&disk, 0, sizeof(disk));
}

/* --- a directory for each test --- */

static char dir[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/thongke-journal-XXXXXX");
	disk_mend();
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_cb(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
}

static struct journal *
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

static struct journal *
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
static int
write_number(struct journal_writer *writer, uint32_t number, size_t size)
{
	static char payload[FRAME_PAYLOAD_MAX];
	memset(payload, (int)('a' + number % 26), size);
	memcpy(payload, &number, sizeof(number));
	return journal_write(writer, (struct slice){payload, size}, 1);
}

static void
must_write(struct journal_writer *writer, uint32_t number, size_t size)
{
	assert_int_equal(write_number(writer, number, size), 0);
}

static uint32_t
number_of(const struct frame *frame)
{
	uint32_t number;
	memcpy(&number, frame->payload.ptr, sizeof(number));
	char letter = (char)('a' + number % 26);
	for (size_t i = sizeof(number); i < frame->payload.len; i++)
		if (frame->payload.ptr[i] != letter)
			fail_msg("frame %u holds foreign bytes", number);
	return number;
}

static void
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

static void
assert_holds(struct journal *journal, const struct numbers *expected)
{
	struct numbers *got = calloc(1, sizeof(*got));
	journal_each(journal, read_stream_cb, got);
	assert_int_equal(got->count, expected->count);
	assert_memory_equal(got->list, expected->list, got->count * sizeof(got->list[0]));
	free(got);
}

static void
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

static void
only_stream_cb(struct stream *stream, void *arg)
{
	struct stream **only = arg;
	assert_null(*only);
	*only = stream;
}

static struct stream *
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
	char stream[512];   /* path of a stream's directory */
	char last[512];     /* path of the segment with the greatest name */
};

static struct listing found;

static void
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

static int
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

static size_t
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

static void
spill(const char *path, const char *bytes, size_t len, size_t file_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(ftruncate(fd, (off_t)file_size), 0);
	close(fd);
}

static void
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

/* --- the plain course --- */

static void
test_write_read_reopen(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	assert_int_equal(list()->logs, 0); /* no stream before the first hit */
	struct numbers all = {0};
	for (uint32_t i = 0; i < 10; i++) {
		must_write(writer, i, BIG);
		all.list[all.count++] = i;
		assert_holds(journal, &all);
	}
	struct stream *stream = only_stream(journal);
	assert_false(stream_sealed(stream));
	assert_int_equal(stream_end(stream), 10 * (24 + BIG));
	assert_int_equal(journal_written(journal), 10 * (24 + BIG));
	assert_int_equal(list()->logs, 5);
	assert_int_equal(journal_allocated(journal), list()->allocated);
	assert_int_equal(strlen(strrchr(list()->stream, '/') + 1), 32);
	journal_writer_free(writer);
	assert_true(stream_sealed(stream));
	assert_int_equal(journal_allocated(journal), list()->allocated);
	journal_close(journal);

	journal = open_small(CONF_SYNC_EVERYSEC);
	assert_holds(journal, &all);
	assert_true(stream_sealed(only_stream(journal)));
	assert_int_equal(journal_allocated(journal), list()->allocated);
	/* A new start is a new stream, the older one first. */
	writer = journal_writer_new(journal);
	must_write(writer, 77, 10);
	all.list[all.count++] = 77;
	assert_holds(journal, &all);
	journal_writer_free(writer);
	journal_close(journal);
}

static void
test_segment_size(void **state)
{
	(void)state;
	static const struct {
		uint64_t max_size;
		int workers;
		uint64_t expected;
	} cases[] = {
		{1 << 30, 1, 16 << 20},       /* the most */
		{64 << 20, 1, 8 << 20},       /* an eighth */
		{64 << 20, 16, 2 << 20},      /* two for each worker */
		{1 << 20, 4, 65 * 4096},      /* never less than the greatest frame */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char error[64];
		struct journal *journal = journal_open(
			&(struct journal_options){.dir = dir,
						  .max_size = cases[i].max_size,
						  .workers = cases[i].workers,
						  .ops = &test_ops},
			error, sizeof(error));
		assert_int_equal(journal_segment_size(journal), cases[i].expected);
		journal_close(journal);
	}
}

static void
test_greatest_frame(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_NO);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, FRAME_PAYLOAD_MAX);
	must_write(writer, 2, FRAME_PAYLOAD_MAX);
	must_write(writer, 3, 4);
	assert_holds_these(journal, 3, 1, 2, 3);
	journal_writer_free(writer);
	journal_close(journal);
}

static void
test_seek(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_NO);
	struct journal_writer *writer = journal_writer_new(journal);
	static const size_t sizes[] = {10, 200, 4, 90};
	uint64_t ends[COUNT_OF(sizes)], end = 0;
	for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
		must_write(writer, i, sizes[i]);
		ends[i] = end += 24 + sizes[i];
	}
	struct stream_reader *reader = stream_reader_new(only_stream(journal));
	struct frame frame;
	uint32_t holder = 0;
	for (uint64_t offset = 0; offset < end; offset++) {
		holder += offset == ends[holder];
		stream_reader_seek(reader, offset);
		assert_true(stream_reader_next(reader, &frame));
		assert_int_equal(number_of(&frame), holder);
	}
	stream_reader_seek(reader, end);
	assert_false(stream_reader_next(reader, &frame));
	stream_reader_seek(reader, end + 1000);
	assert_false(stream_reader_next(reader, &frame));
	must_write(writer, 9, 30);
	assert_true(stream_reader_next(reader, &frame));
	assert_int_equal(number_of(&frame), 9);
	stream_reader_free(reader);
	journal_writer_free(writer);
	journal_close(journal);
}

static void
test_seek_across_segments(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_NO);
	struct journal_writer *writer = journal_writer_new(journal);
	for (uint32_t i = 0; i < 8; i++)
		must_write(writer, i, BIG);
	struct stream_reader *reader = stream_reader_new(only_stream(journal));
	struct frame frame;
	for (uint32_t i = 8; i-- > 0;) {
		static const uint64_t within[] = {0, 1, 24, 50000, 24 + BIG - 1};
		for (size_t j = 0; j < COUNT_OF(within); j++) {
			stream_reader_seek(reader, i * (24 + BIG) + within[j]);
			assert_true(stream_reader_next(reader, &frame));
			assert_int_equal(number_of(&frame), i);
		}
	}
	stream_reader_free(reader);
	journal_writer_free(writer);
	journal_close(journal);
}

/* --- what an earlier process left --- */

/* Three frames of one stream in one segment file, to be cut and bent: where it is, its bytes, where the frames end. */
struct sample {
	char path[512];
	char *bytes;
	size_t ends[3];
};

static struct sample
sample_new(const size_t sizes[3])
{
	struct sample sample;
	struct journal *journal = open_small(CONF_SYNC_NO);
	struct journal_writer *writer = journal_writer_new(journal);
	size_t end = 0;
	for (uint32_t i = 0; i < 3; i++) {
		must_write(writer, i, sizes[i]);
		sample.ends[i] = end += 24 + sizes[i];
	}
	journal_writer_free(writer);
	journal_close(journal);
	snprintf(sample.path, sizeof(sample.path), "%s", list()->last);
	assert_int_equal(slurp(sample.path, &sample.bytes), end);
	return sample;
}

static void
assert_torn_is(const struct sample *sample, size_t cut)
{
	char path[520], *torn;
	snprintf(path, sizeof(path), "%.*s.torn", (int)strlen(sample->path) - 4, sample->path);
	while (cut > sample->ends[1] && sample->bytes[cut - 1] == 0)
		cut--;
	if (cut == sample->ends[1]) {
		assert_int_equal(access(path, F_OK), -1);
		return;
	}
	assert_int_equal(slurp(path, &torn), cut - sample->ends[1]);
	assert_memory_equal(torn, sample->bytes + sample->ends[1], cut - sample->ends[1]);
	free(torn);
	assert_int_equal(unlink(path), 0);
}

/* The last frame cut at every byte, with and without the preallocated rest. */
static void
test_torn_tail(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	struct stat status;
	for (size_t cut = sample.ends[1]; cut < sample.ends[2]; cut++) {
		for (int rest = 0; rest < 2; rest++) {
			spill(sample.path, sample.bytes, cut, rest ? 266240 : cut);
			struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
			assert_holds_these(journal, 2, 0, 1);
			assert_int_equal(stream_end(only_stream(journal)), sample.ends[1]);
			assert_int_equal(journal_damaged(journal), 0);
			journal_close(journal);
			assert_int_equal(stat(sample.path, &status), 0);
			assert_int_equal(status.st_size, sample.ends[1]);
			assert_torn_is(&sample, cut);
		}
	}
	free(sample.bytes);
}

/* Any byte of the middle frame: the other two are read, nothing is cut. */
static void
test_damage_in_the_middle(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	for (size_t at = sample.ends[0]; at < sample.ends[1]; at++) {
		spill(sample.path, sample.bytes, sample.ends[2], 266240);
		flip(sample.path, (off_t)at);
		struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
		assert_holds_these(journal, 2, 0, 2);
		assert_int_equal(journal_damaged(journal), 1);
		assert_holds_these(journal, 2, 0, 2);
		assert_int_equal(journal_damaged(journal), 1); /* the same place counts once */
		assert_int_equal(list()->torn, 0);
		assert_int_equal(stream_end(only_stream(journal)), sample.ends[2]);
		struct stream_reader *reader = stream_reader_new(only_stream(journal));
		struct frame frame;
		stream_reader_seek(reader, at);
		assert_true(stream_reader_next(reader, &frame));
		assert_int_equal(number_of(&frame), 2);
		stream_reader_free(reader);
		journal_close(journal);
	}
	free(sample.bytes);
}

/* Longer than the reader's window, so that the search goes on across reads. */
static void
test_big_damage(void **state)
{
	(void)state;
	struct journal *journal = open_with(CONF_SYNC_NO, 64 << 20, false);
	struct journal_writer *writer = journal_writer_new(journal);
	for (uint32_t i = 0; i < 30; i++)
		must_write(writer, i, BIG);
	struct stream_reader *reader = stream_reader_new(only_stream(journal));
	struct frame frame;
	assert_true(stream_reader_next(reader, &frame));
	for (off_t i = 5; i < 29; i++)
		flip(list()->last, i * (24 + BIG) + i * 1000);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(stream_reader_next(reader, &frame));
		assert_int_equal(number_of(&frame), i);
	}
	/* Its window may have been filled before the damage was done. */
	while (stream_reader_next(reader, &frame) && number_of(&frame) != 29)
		assert_true(number_of(&frame) < 8);
	assert_int_equal(number_of(&frame), 29);
	assert_int_equal(journal_damaged(journal), 1);
	stream_reader_free(reader);
	journal_writer_free(writer);
	journal_close(journal);
}

/* In an inner segment up to its end: the reader goes on in the next one. */
static void
test_damage_at_a_segments_end(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_NO);
	struct journal_writer *writer = journal_writer_new(journal);
	for (uint32_t i = 0; i < 6; i++)
		must_write(writer, i, BIG);
	char path[600];
	snprintf(path, sizeof(path), "%s/%020d.log", list()->stream, 2 * (24 + BIG));
	flip(path, 24 + BIG + 5);
	assert_holds_these(journal, 5, 0, 1, 2, 4, 5);
	assert_int_equal(truncate(path, 1000), 0);
	assert_holds_these(journal, 4, 0, 1, 4, 5);
	assert_int_equal(unlink(path), 0);
	assert_holds_these(journal, 4, 0, 1, 4, 5);
	journal_writer_free(writer);
	journal_close(journal);
	journal = open_small(CONF_SYNC_NO);
	assert_holds_these(journal, 4, 0, 1, 4, 5);
	assert_int_equal(journal_damaged(journal), 1);
	journal_close(journal);
}

static void
test_strange_files(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	char path[600];
	const char *stream = list()->stream;
	snprintf(path, sizeof(path), "%s/%020d.tmp", stream, 3);
	spill(path, "", 0, 100);
	snprintf(path, sizeof(path), "%s/notes.txt", stream);
	spill(path, "mine", 4, 4);
	snprintf(path, sizeof(path), "%s/readme", dir);
	spill(path, "mine", 4, 4);
	snprintf(path, sizeof(path), "%s/0123456789abcdef0123456789abcdef", dir);
	spill(path, "a file", 6, 6);
	snprintf(path, sizeof(path), "%s/fedcba9876543210fedcba9876543210", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	assert_holds_these(journal, 3, 0, 1, 2);
	assert_int_equal(list()->temporaries, 0);
	assert_int_equal(list()->others, 3);
	assert_int_equal(access(path, F_OK), -1); /* the stream without data */
	journal_close(journal);
	free(sample.bytes);
}

/* The last segment was made, then nothing came: it goes, and the one before it is sealed as the last. */
static void
test_empty_last_segment(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	char path[600];
	/* A refused frame stands behind the place where the empty successor begins. */
	snprintf(path, sizeof(path), "%s/%020zu.log", list()->stream, sample.ends[1]);
	spill(path, "", 0, 266240);
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	assert_holds_these(journal, 2, 0, 1);
	assert_int_equal(list()->logs, 1);
	journal_close(journal);
	journal = open_small(CONF_SYNC_EVERYSEC);
	assert_holds_these(journal, 2, 0, 1);
	journal_close(journal);
	free(sample.bytes);
}

static void
test_read_only(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	char path[600];
	struct stat status;
	spill(sample.path, sample.bytes, sample.ends[2] - 1, 266240);
	snprintf(path, sizeof(path), "%s/%020d.tmp", list()->stream, 3);
	spill(path, "", 0, 100);
	struct journal *journal = open_with(CONF_SYNC_EVERYSEC, SMALL_QUOTA, true);
	assert_holds_these(journal, 2, 0, 1);
	stream_remove_oldest(journal, only_stream(journal));
	assert_holds_these(journal, 2, 0, 1);
	journal_close(journal);
	assert_int_equal(stat(sample.path, &status), 0);
	assert_int_equal(status.st_size, 266240);
	assert_int_equal(list()->temporaries, 1);
	assert_int_equal(list()->torn, 0);
	assert_int_equal(disk.count[FTRUNCATE], 1); /* the sample's own end */
	free(sample.bytes);
}

static void
test_open_errors(void **state)
{
	(void)state;
	char error[512] = "", path[128];
	snprintf(path, sizeof(path), "%s/a/b", dir);
	struct journal_options options = {.dir = path, .max_size = SMALL_QUOTA, .workers = 1};
	assert_null(journal_open(&options, error, sizeof(error)));
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "No such file or directory"));
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	spill(sample.path, sample.bytes, sample.ends[2] - 1, 266240);
	disk.broken = 1 << FTRUNCATE;
	options = (struct journal_options){dir, CONF_SYNC_NO, SMALL_QUOTA, 1, false, &test_ops};
	assert_null(journal_open(&options, error, sizeof(error)));
	assert_non_null(strstr(error, sample.path));
	assert_non_null(strstr(error, "Input/output error"));
	free(sample.bytes);
}

/* --- a failing disk --- */

/* Without its process: what it left on the disk is opened beside it, as after kill -9. */
static void
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

enum { COURSE_FRAMES = 9 };

/* Nine frames over several segments, the keeper at work between them. Returns how many were refused. */
static size_t
write_course(struct journal *journal, struct journal_writer *writer, struct numbers *accepted,
	     uint32_t from)
{
	size_t refused = 0;
	for (uint32_t i = from; i < from + COURSE_FRAMES; i++) {
		if (write_number(writer, i, i % 3 ? BIG : 50) == 0)
			accepted->list[accepted->count++] = i;
		else
			refused++;
		journal_tend(journal);
	}
	return refused;
}

/* One call fails, the n-th of all, for every n: nothing acknowledged is lost, nothing refused is read. */
static void
fail_each_call(enum conf_sync sync, int error)
{
	unsigned n = 1;
	bool struck = true;
	for (; struck; n++) {
		set_up(NULL);
		struct journal *journal = open_with(sync, 2 * SMALL_QUOTA, false);
		struct journal_writer *writer = journal_writer_new(journal);
		struct numbers accepted = {0};
		disk_mend();
		disk.fail_at = n;
		disk.error = error;
		size_t refused = write_course(journal, writer, &accepted, 0);
		struck = disk.calls >= n;
		assert_in_range(refused, 0, 1);
		assert_holds(journal, &accepted);
		disk.fail_at = 0;
		assert_int_equal(write_course(journal, writer, &accepted, 100), 0);
		assert_holds(journal, &accepted);
		assert_int_equal(journal_damaged(journal), 0);
		assert_int_equal(journal_allocated(journal), list()->allocated);
		assert_survives(&accepted);
		journal_writer_free(writer);
		journal_close(journal);
		assert_survives(&accepted);
		tear_down(NULL);
	}
	assert_true(n > COURSE_FRAMES);
	set_up(NULL);
}

static void
test_one_failure_anywhere(void **state)
{
	(void)state;
	static const enum conf_sync syncs[] = {CONF_SYNC_ALWAYS, CONF_SYNC_EVERYSEC, CONF_SYNC_NO};
	static const int errors[] = {EIO, ENOSPC, 0};
	tear_down(NULL);
	for (size_t i = 0; i < COUNT_OF(syncs); i++) {
		for (size_t j = 0; j < COUNT_OF(errors); j++) {
			fail_each_call(syncs[i], errors[j]);
			tear_down(NULL);
		}
	}
	set_up(NULL);
}

/* fdatasync fails, and so does what would make the frame unreadable: cutting, then overwriting as well. */
static void
test_refused_frame_that_cannot_be_cut(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_ALWAYS);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, 100);
	disk.broken = 1 << FDATASYNC | 1 << FTRUNCATE;
	disk.error = EIO;
	assert_int_equal(write_number(writer, 2, 100), JOURNAL_IO);
	assert_holds_these(journal, 1, 1);
	disk_mend();
	assert_survives(&(struct numbers){{1}, 1});
	must_write(writer, 3, 100);
	assert_holds_these(journal, 2, 1, 3);
	journal_writer_free(writer);
	journal_close(journal);
	assert_survives(&(struct numbers){{1, 3}, 2});
}

/* The disk takes the frame whole and reports failure, and nothing of it can be undone but by a new segment. */
static void
test_refused_frame_bounded_by_the_next_segment(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_ALWAYS);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, 100);
	disk.broken = 1 << FTRUNCATE;
	disk.error = EIO;
	disk.fail_at = disk.calls + 4; /* pwrite, fdatasync, ftruncate, pwrite of zeros */
	unsigned failing = disk.calls + 2;
	(void)failing;
	disk.broken |= 1 << FDATASYNC;
	assert_int_equal(write_number(writer, 2, 100), JOURNAL_IO);
	disk_mend();
	assert_int_equal(list()->logs, 2);
	assert_survives(&(struct numbers){{1}, 1});
	must_write(writer, 3, 100);
	assert_holds_these(journal, 2, 1, 3);
	journal_writer_free(writer);
	journal_close(journal);
	assert_survives(&(struct numbers){{1, 3}, 2});
}

static void
test_disk_full_at_the_start(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	disk.broken = 1 << FALLOCATE;
	disk.error = ENOSPC;
	for (int i = 0; i < 3; i++)
		assert_int_equal(write_number(writer, 1, 100), JOURNAL_FULL);
	assert_int_equal(list()->logs + list()->temporaries, 0);
	assert_int_equal(journal_allocated(journal), 0);
	assert_int_equal(journal_write_errors(journal), 0);
	disk_mend();
	must_write(writer, 2, 100);
	assert_holds_these(journal, 1, 2);
	journal_writer_free(writer);
	journal_close(journal);
}

/* everysec: the keeper's sync fails. What was acknowledged stays; no more goes into that segment. */
static void
test_keeper_sync_fails(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, 100);
	disk.broken = 1 << FDATASYNC;
	disk.error = EIO;
	journal_tend(journal);
	assert_int_equal(disk.count[FDATASYNC], 1);
	assert_int_equal(journal_write_errors(journal), 1);
	disk_mend();
	must_write(writer, 2, 100);
	assert_int_equal(list()->logs, 2);
	must_write(writer, 3, 100);
	assert_int_equal(list()->logs, 2);
	assert_holds_these(journal, 3, 1, 2, 3);
	journal_writer_free(writer);
	journal_close(journal);
}

/* --- the keeper --- */

static void
test_sync_modes(void **state)
{
	(void)state;
	static const struct {
		enum conf_sync sync;
		unsigned after_write, after_tend;
	} cases[] = {{CONF_SYNC_ALWAYS, 3, 3}, {CONF_SYNC_EVERYSEC, 0, 1}, {CONF_SYNC_NO, 0, 0}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct journal *journal = open_small(cases[i].sync);
		struct journal_writer *writer = journal_writer_new(journal);
		disk_mend();
		for (uint32_t j = 0; j < 3; j++)
			must_write(writer, j, 100);
		assert_int_equal(disk.count[PWRITE], 3); /* one for each call */
		assert_int_equal(disk.count[FDATASYNC], cases[i].after_write);
		for (int j = 0; j < 3; j++)
			journal_tend(journal); /* at most once a second */
		assert_int_equal(disk.count[FDATASYNC], cases[i].after_tend);
		assert_true((disk.count[FSYNC] > 0) == (cases[i].sync != CONF_SYNC_NO));
		journal_writer_free(writer);
		journal_close(journal);
	}
}

static void
test_prepared_ahead(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, BIG);
	journal_tend(journal);
	assert_int_equal(list()->temporaries, 0); /* not yet half full */
	must_write(writer, 2, BIG);
	journal_tend(journal);
	journal_tend(journal);
	assert_int_equal(list()->temporaries, 1);
	assert_int_equal(journal_allocated(journal), list()->allocated);
	disk_mend();
	must_write(writer, 3, BIG);
	assert_int_equal(disk.count[FALLOCATE] + disk.count[FSYNC] + disk.count[FDATASYNC], 0);
	assert_int_equal(disk.count[RENAME], 1);
	assert_int_equal(list()->temporaries, 0);
	must_write(writer, 4, BIG);
	journal_tend(journal);
	assert_holds_these(journal, 4, 1, 2, 3, 4);
	journal_writer_free(writer);
	assert_int_equal(list()->temporaries, 0); /* the unused one */
	assert_int_equal(journal_allocated(journal), list()->allocated);
	journal_close(journal);
}

/* --- quota and removal --- */

static void
test_quota(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	struct numbers kept = {0};
	uint32_t number = 0;
	int error;
	while ((error = write_number(writer, number, BIG)) == 0) {
		kept.list[kept.count++] = number++;
		journal_tend(journal);
	}
	assert_int_equal(error, JOURNAL_FULL);
	assert_in_range(journal_allocated(journal), SMALL_QUOTA / 2, SMALL_QUOTA);
	assert_int_equal(journal_allocated(journal), list()->allocated);
	assert_int_equal(write_number(writer, 999, BIG), JOURNAL_FULL);
	assert_int_equal(journal_write_errors(journal), 0);
	assert_holds(journal, &kept);

	struct stream *stream = only_stream(journal);
	struct segment_info info;
	assert_true(stream_oldest_segment(stream, &info));
	assert_int_equal(info.first, 0);
	assert_int_equal(info.end, 2 * (24 + BIG));
	assert_in_range(info.age, 0, 5);
	stream_remove_oldest(journal, stream);
	stream_remove_oldest(journal, stream);
	assert_int_equal(stream_first(stream), 4 * (24 + BIG));
	must_write(writer, number, BIG);
	memmove(kept.list, kept.list + 4, (kept.count - 4) * sizeof(kept.list[0]));
	kept.count -= 4;
	kept.list[kept.count++] = number;
	assert_holds(journal, &kept);
	assert_survives(&kept);
	journal_writer_free(writer);
	journal_close(journal);
}

static void
test_remove_everything(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	struct segment_info info;
	for (uint32_t i = 0; i < 5; i++)
		must_write(writer, i, BIG);
	struct stream *stream = only_stream(journal);
	for (int i = 0; i < 2; i++) {
		assert_true(stream_oldest_segment(stream, &info));
		stream_remove_oldest(journal, stream);
	}
	assert_false(stream_oldest_segment(stream, &info)); /* being written to */
	assert_int_equal(stream_idle(stream), 0);
	assert_holds_these(journal, 1, 4);
	journal_writer_free(writer);
	assert_true(stream_oldest_segment(stream, &info));
	assert_int_equal(info.end, stream_end(stream));
	stream_remove_oldest(journal, stream);
	assert_holds_these(journal, 0);
	assert_int_equal(journal_allocated(journal), 0);
	assert_string_equal(list()->stream, "");
	journal_close(journal);
}

static void
test_age_survives_sealing(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	spill(sample.path, sample.bytes, sample.ends[2] - 1, 266240);
	struct timespec hour_ago[2];
	clock_gettime(CLOCK_REALTIME, &hour_ago[0]);
	hour_ago[0].tv_sec -= 3600;
	hour_ago[1] = hour_ago[0];
	assert_int_equal(utimensat(AT_FDCWD, sample.path, hour_ago, 0), 0);
	for (int i = 0; i < 2; i++) {
		struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
		struct segment_info info;
		assert_true(stream_oldest_segment(only_stream(journal), &info));
		assert_in_range(info.age, 3600, 3660);
		assert_in_range(stream_idle(only_stream(journal)), 3600, 3660);
		journal_close(journal);
	}
	free(sample.bytes);
}

/* --- all threads at once --- */

enum { RACE_FRAMES = 3000, RACE_WRITERS = 2 };

struct race {
	struct journal *journal;
	_Atomic int writing;
	uint32_t next[RACE_WRITERS]; /* the reading thread: what each stream must give next */
	struct stream *streams[RACE_WRITERS];
	struct stream_reader *readers[RACE_WRITERS];
	size_t count;
};

static void *
race_writer(void *arg)
{
	struct race *race = arg;
	struct journal_writer *writer = journal_writer_new(race->journal);
	for (uint32_t i = 0; i < RACE_FRAMES;) {
		int error = write_number(writer, i, 4 + i * 37 % 20000);
		assert_true(error == 0 || error == JOURNAL_FULL);
		i += error == 0;
	}
	journal_writer_free(writer);
	race->writing--;
	return NULL;
}

static void *
race_keeper(void *arg)
{
	struct race *race = arg;
	while (race->writing > 0)
		journal_tend(race->journal);
	return NULL;
}

static void
race_join_cb(struct stream *stream, void *arg)
{
	struct race *race = arg;
	for (size_t i = 0; i < race->count; i++)
		if (race->streams[i] == stream)
			return;
	race->streams[race->count] = stream;
	race->readers[race->count++] = stream_reader_new(stream);
}

static void
race_read(struct race *race, size_t i)
{
	struct frame frame;
	while (stream_reader_next(race->readers[i], &frame)) {
		assert_int_equal(number_of(&frame), race->next[i]);
		race->next[i]++;
	}
	struct segment_info info;
	while (stream_oldest_segment(race->streams[i], &info) && !stream_sealed(race->streams[i]) &&
	       info.end < stream_reader_offset(race->readers[i]))
		stream_remove_oldest(race->journal, race->streams[i]);
}

static void
test_race(void **state)
{
	(void)state;
	struct race race = {.journal = open_small(CONF_SYNC_EVERYSEC), .writing = RACE_WRITERS};
	pthread_t writers[RACE_WRITERS], keeper;
	for (int i = 0; i < RACE_WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, race_writer, &race), 0);
	assert_int_equal(pthread_create(&keeper, NULL, race_keeper, &race), 0);
	bool last = false;
	while (!last) {
		last = race.writing == 0;
		journal_each(race.journal, race_join_cb, &race);
		for (size_t i = 0; i < race.count; i++)
			race_read(&race, i);
	}
	pthread_join(keeper, NULL);
	assert_int_equal(race.count, RACE_WRITERS);
	for (int i = 0; i < RACE_WRITERS; i++) {
		pthread_join(writers[i], NULL);
		assert_int_equal(race.next[i], RACE_FRAMES);
		stream_reader_free(race.readers[i]);
	}
	assert_int_equal(journal_damaged(race.journal), 0);
	assert_int_equal(journal_allocated(race.journal), list()->allocated);
	journal_close(race.journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_read_reopen),
		TEST(test_segment_size),
		TEST(test_greatest_frame),
		TEST(test_seek),
		TEST(test_seek_across_segments),
		TEST(test_torn_tail),
		TEST(test_damage_in_the_middle),
		TEST(test_big_damage),
		TEST(test_damage_at_a_segments_end),
		TEST(test_strange_files),
		TEST(test_empty_last_segment),
		TEST(test_read_only),
		TEST(test_open_errors),
		TEST(test_one_failure_anywhere),
		TEST(test_refused_frame_that_cannot_be_cut),
		TEST(test_refused_frame_bounded_by_the_next_segment),
		TEST(test_disk_full_at_the_start),
		TEST(test_keeper_sync_fails),
		TEST(test_sync_modes),
		TEST(test_prepared_ahead),
		TEST(test_quota),
		TEST(test_remove_everything),
		TEST(test_age_survives_sealing),
		TEST(test_race),
	};
	log_set_level(-1); /* the failures are wanted */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
