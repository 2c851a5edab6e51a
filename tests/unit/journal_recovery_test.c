/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an earlier process left, in every state that a crash, a power cut or a bad disk can leave it: torn tails are
 * cut and kept aside, damage is stepped over, strange files stay.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_here.h"

/* --- what an earlier process left --- */

/* Three frames of one stream in one segment file, to be cut and bent: where it is, its bytes, where the frames end. */
struct sample {
	char path[256];
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

static void
test_torn_copy_goes_with_its_segment(void **state)
{
	(void)state;
	struct sample sample = sample_new((size_t[]){40, 50, 60});
	spill(sample.path, sample.bytes, sample.ends[2] - 1, 266240);
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	assert_int_equal(list()->torn, 1);
	stream_remove_oldest(journal, only_stream(journal));
	assert_int_equal(list()->torn, 0);
	assert_string_equal(list()->stream, "");
	journal_close(journal);
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

/* Longer than the reader's window, so that the search goes on across reads; with magics in it, and without any. */
static void
test_big_damage(void **state)
{
	(void)state;
	static const char zeros[20 * BIG];
	struct journal *journal = open_with(CONF_SYNC_NO, 64 << 20, false);
	struct journal_writer *writer = journal_writer_new(journal);
	for (uint32_t i = 0; i < 30; i++)
		must_write(writer, i, BIG);
	for (off_t i = 5; i < 29; i++)
		flip(list()->last, i * (24 + BIG) + i * 1000);
	assert_holds_these(journal, 6, 0, 1, 2, 3, 4, 29);
	assert_int_equal(journal_damaged(journal), 1);
	int fd = open(list()->last, O_WRONLY);
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 7 * BIG), sizeof(zeros));
	close(fd);
	assert_holds_these(journal, 6, 0, 1, 2, 3, 4, 29);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_torn_tail),
		TEST(test_torn_copy_goes_with_its_segment),
		TEST(test_damage_in_the_middle),
		TEST(test_big_damage),
		TEST(test_damage_at_a_segments_end),
		TEST(test_strange_files),
		TEST(test_empty_last_segment),
		TEST(test_read_only),
		TEST(test_open_errors),
		TEST(test_age_survives_sealing),
	};
	log_set_level(-1); /* the failures are wanted */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
