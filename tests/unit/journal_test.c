/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal when nothing breaks: writing, reading, seeking, segments and their removal, the keeper, the quota, and
 * all its threads at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_here.h"

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
		{1 << 30, 1, 16 << 20},  /* the most */
		{64 << 20, 1, 8 << 20},  /* an eighth */
		{64 << 20, 16, 1 << 20}, /* four for each worker */
		{3 << 20, 4, 65 * 4096}, /* never less than the greatest frame */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char error[64];
		struct journal *journal =
			journal_open(&(struct journal_options){.dir = dir,
							       .max_size = cases[i].max_size,
							       .workers = cases[i].workers,
							       .ops = &test_ops},
				     error, sizeof(error));
		assert_int_equal(journal_segment_size(journal), cases[i].expected);
		journal_close(journal);
	}
}

/* 16 workers, each with a current and a prepared segment of 65 * 4096 bytes at least. */
static void
test_quota_too_small_for_its_workers(void **state)
{
	(void)state;
	char error[128];
	struct journal_options options = {
		.dir = dir, .max_size = 32 * 65 * 4096 - 1, .workers = 16, .ops = &test_ops};
	assert_null(journal_open(&options, error, sizeof(error)));
	assert_string_equal(error, "journal.max_size is 8519679 bytes; allowed with 16 workers: "
				   "8519680 or more");
	options.max_size++;
	journal_close(journal_open(&options, error, sizeof(error)));
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
		assert_true(number < 100);
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

/* --- all threads at once --- */

enum { RACE_FRAMES = 3000, RACE_WRITERS = 2, RACE_LIMIT_MS = 60 * 1000 };

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
	int64_t give_up = clock_mono_ms() + RACE_LIMIT_MS;
	for (uint32_t i = 0; i < RACE_FRAMES && clock_mono_ms() < give_up;) {
		int error = write_number(writer, i, 4 + i * 37 % 20000);
		if (error != 0 && error != JOURNAL_FULL)
			break; /* the reader misses it */
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
	/* All that is read, but never a whole stream: it is looked at again below. */
	struct segment_info info;
	struct stream *stream = race->streams[i];
	while (stream_oldest_segment(stream, &info) &&
	       info.end <= stream_reader_offset(race->readers[i]) &&
	       !(stream_sealed(stream) && info.end == stream_end(stream)))
		stream_remove_oldest(race->journal, stream);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_read_reopen),
		TEST(test_segment_size),
		TEST(test_quota_too_small_for_its_workers),
		TEST(test_greatest_frame),
		TEST(test_seek),
		TEST(test_seek_across_segments),
		TEST(test_sync_modes),
		TEST(test_prepared_ahead),
		TEST(test_quota),
		TEST(test_remove_everything),
		TEST(test_race),
	};
	log_set_level(-1); /* the failures are wanted */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
