/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal against a disk that fails: whatever breaks, what was acknowledged is read back, in order and once, and
 * what was refused never is, not even after kill -9 and a new start.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_here.h"

/* --- a failing disk --- */

enum { COURSE_FRAMES = 9 };

/* Nine frames over several segments, the keeper at work between them. Returns how many were refused. */
static size_t
write_course(struct journal *journal, struct journal_writer *writer, struct numbers *accepted,
	     uint32_t from, bool stop_at_refusal)
{
	size_t refused = 0;
	for (uint32_t i = from; i < from + COURSE_FRAMES && !(refused && stop_at_refusal); i++) {
		if (write_number(writer, i, i % 3 ? BIG : 50) == 0)
			accepted->list[accepted->count++] = i;
		else
			refused++;
		journal_tend(journal);
	}
	return refused;
}

/* The disk is well again and writing goes on, unless the process is killed first. */
static void
go_on(struct journal *journal, struct journal_writer *writer, struct numbers *accepted)
{
	disk.fail_at = 0;
	assert_int_equal(write_course(journal, writer, accepted, 100, false), 0);
	assert_holds(journal, accepted);
	assert_int_equal(journal_damaged(journal), 0);
	assert_int_equal(journal_allocated(journal), list()->allocated);
}

/* True when the n-th call was reached. */
static bool
fail_call(enum conf_sync sync, int error, unsigned n, bool crash)
{
	struct journal *journal = open_with(sync, 2 * SMALL_QUOTA, false);
	struct journal_writer *writer = journal_writer_new(journal);
	struct numbers accepted = {0};
	disk_mend();
	disk.fail_at = n;
	disk.error = error;
	size_t refused = write_course(journal, writer, &accepted, 0, crash);
	bool struck = disk.calls >= n;
	assert_in_range(refused, 0, 1);
	assert_holds(journal, &accepted);
	disk.fail_at = 0;
	if (!crash)
		go_on(journal, writer, &accepted);
	assert_survives(&accepted);
	journal_writer_free(writer);
	journal_close(journal);
	assert_survives(&accepted);
	assert_int_equal(list()->temporaries, 0);
	return struck;
}

/* One call fails, the n-th of all, for every n: nothing acknowledged is lost, nothing refused is read. */
static void
fail_each_call(enum conf_sync sync, int error, bool crash)
{
	unsigned n = 1;
	for (bool struck = true; struck; n++) {
		struck = fail_call(sync, error, n, crash);
		tear_down(NULL);
		set_up(NULL);
	}
	assert_true(n > COURSE_FRAMES);
}

static void
test_one_failure_anywhere(void **state)
{
	(void)state;
	static const enum conf_sync syncs[] = {CONF_SYNC_ALWAYS, CONF_SYNC_EVERYSEC, CONF_SYNC_NO};
	static const int errors[] = {EIO, ENOSPC, 0};
	for (size_t i = 0; i < COUNT_OF(syncs); i++) {
		for (size_t j = 0; j < COUNT_OF(errors); j++) {
			fail_each_call(syncs[i], errors[j], false);
			fail_each_call(syncs[i], errors[j], true);
		}
	}
}

/*
 * fdatasync fails when the frame is whole on the disk, and so do operations that would take it back: what remains
 * (cutting, overwriting, or only the next segment) keeps it from being read.
 */
static void
refuse_without(unsigned broken, bool crash)
{
	struct journal *journal = open_small(CONF_SYNC_ALWAYS);
	struct journal_writer *writer = journal_writer_new(journal);
	must_write(writer, 1, 100);
	disk.broken = broken;
	disk.fail_at = disk.calls + 2; /* pwrite, fdatasync */
	disk.error = EIO;
	disk.spared = disk.count[PWRITE] + 1; /* the frame itself */
	assert_int_equal(write_number(writer, 2, 100), JOURNAL_IO);
	/* Of each frame, and of what takes the second back, where something can. */
	bool undone = !(broken >> FTRUNCATE & 1) || !(broken >> PWRITE & 1);
	assert_int_equal(disk.count[FDATASYNC], undone ? 3 : 2);
	assert_holds_these(journal, 1, 1);
	disk_mend();
	struct numbers accepted = {{1}, 1};
	if (!crash) {
		must_write(writer, 3, 100);
		accepted = (struct numbers){{1, 3}, 2};
		assert_holds(journal, &accepted);
	}
	assert_survives(&accepted);
	journal_writer_free(writer);
	journal_close(journal);
	assert_survives(&accepted);
}

static void
test_refused_frame_that_cannot_be_undone(void **state)
{
	static const unsigned broken[] = {
		0,
		1 << FTRUNCATE,
		1 << FTRUNCATE | 1 << PWRITE,
		1 << FDATASYNC,
		1 << FDATASYNC | 1 << FTRUNCATE,
		1 << RENAME | 1 << FTRUNCATE,
	};
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		for (int crash = 0; crash < 2; crash++) {
			refuse_without(broken[i], crash);
			tear_down(state);
			set_up(state);
		}
	}
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

/* --- wanting room --- */

/* Frames of which two fill a segment. */
static void
write_segments(struct journal_writer *writer, unsigned segments)
{
	for (unsigned i = 0; i < 2 * segments; i++)
		must_write(writer, i, BIG);
}

/* A full disk is as good a reason to remove segments as a used up quota; the journal asks for one segment's room. */
static void
test_full_disk_wants_room(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	write_segments(writer, 1);
	struct stream *stream = only_stream(journal);
	assert_false(journal_wants_room(journal));
	/* The keeper is the first to notice, before anything has to be refused. */
	disk.broken = 1 << FALLOCATE;
	disk.error = ENOSPC;
	journal_tend(journal);
	assert_true(journal_wants_room(journal));
	disk_mend();
	journal_tend(journal);
	assert_false(journal_wants_room(journal));
	write_segments(writer, 2);
	disk.broken = 1 << FALLOCATE;
	disk.error = EDQUOT;
	assert_int_equal(write_number(writer, 1, BIG), JOURNAL_FULL);
	assert_true(journal_wants_room(journal));
	/* It was cut to its frames, three quarters of what is wanted. */
	uint64_t allocated = journal_allocated(journal), size = journal_segment_size(journal);
	stream_remove_oldest(journal, stream);
	assert_true(allocated - journal_allocated(journal) < size);
	assert_true(journal_wants_room(journal));
	stream_remove_oldest(journal, stream);
	assert_false(journal_wants_room(journal));
	/* The disk is still full, and that is said again. */
	assert_int_equal(write_number(writer, 1, BIG), JOURNAL_FULL);
	assert_true(journal_wants_room(journal));
	disk_mend();
	must_write(writer, 2, BIG);
	assert_false(journal_wants_room(journal));
	assert_holds_these(journal, 3, 2, 3, 2);
	journal_writer_free(writer);
	journal_close(journal);
}

/* Room is wanted while one segment can still be prepared, not when nothing is left. An I/O error is no lack of room. */
static void
test_quota_wants_room(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	disk.broken = 1 << FALLOCATE;
	disk.error = EIO;
	assert_int_equal(write_number(writer, 1, BIG), JOURNAL_IO);
	assert_false(journal_wants_room(journal));
	disk_mend();
	while (!journal_wants_room(journal))
		must_write(writer, 1, BIG);
	/* One worker: its next segment, and one more. */
	uint64_t left = SMALL_QUOTA - journal_allocated(journal),
		 size = journal_segment_size(journal);
	assert_in_range(left, size, 2 * size - 1);
	stream_remove_oldest(journal, only_stream(journal));
	assert_false(journal_wants_room(journal));
	journal_writer_free(writer);
	journal_close(journal);
}

/* A segment whose first frame is refused leaves nothing behind. */
static void
test_refused_first_frame(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_EVERYSEC);
	struct journal_writer *writer = journal_writer_new(journal);
	disk.broken = 1 << PWRITE;
	disk.error = EIO;
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(write_number(writer, 1, 100), JOURNAL_IO);
		assert_int_equal(list()->logs + list()->temporaries, 0);
		assert_int_equal(journal_allocated(journal), 0);
		assert_int_equal(journal_write_errors(journal), i);
	}
	disk.broken = 1 << RENAME;
	assert_int_equal(write_number(writer, 1, 100), JOURNAL_IO);
	assert_int_equal(list()->logs + list()->temporaries, 0);
	assert_int_equal(journal_allocated(journal), 0);
	disk_mend();
	for (uint32_t i = 0; i < 3; i++)
		must_write(writer, i, BIG);
	struct segment_info info;
	assert_true(stream_oldest_segment(only_stream(journal), &info));
	assert_int_equal(info.end, 2 * (24 + BIG));
	journal_writer_free(writer);
	journal_close(journal);
}

/* always: a name that may not last takes no frame, and is synced anew. */
static void
test_directory_sync_fails(void **state)
{
	(void)state;
	struct journal *journal = open_small(CONF_SYNC_ALWAYS);
	struct journal_writer *writer = journal_writer_new(journal);
	for (unsigned n = 4; n <= 5;
	     n++) { /* fallocate, fsync, rename, fsync of the stream's, of the journal's */
		disk_mend();
		disk.fail_at = n;
		disk.error = EIO;
		assert_int_equal(write_number(writer, 1, 100), JOURNAL_IO);
		assert_int_equal(disk.count[PWRITE], 0);
		assert_int_equal(list()->logs, 0);
	}
	disk_mend();
	must_write(writer, 2, 100);
	assert_int_equal(disk.count[FSYNC], 3);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_failure_anywhere),   TEST(test_refused_frame_that_cannot_be_undone),
		TEST(test_disk_full_at_the_start), TEST(test_refused_first_frame),
		TEST(test_directory_sync_fails),   TEST(test_keeper_sync_fails),
		TEST(test_full_disk_wants_room),   TEST(test_quota_wants_room),
	};
	log_set_level(-1); /* the failures are wanted */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
