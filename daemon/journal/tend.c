/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's work, so that no worker waits for the disk: preparing segments before they are needed, and syncing
 * what sync = everysec owes. Never writes a byte of a stream. A writer may go while the keeper works for it: after
 * every wait for the disk it is looked up again.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/stream.h"

enum { SYNC_EVERY_MS = 1000, FAILURE_LOG_MS = 10000 };

void
journal_leave(struct journal *journal, int fd)
{
	journal->unsynced = xrealloc(journal->unsynced,
				     (journal->unsynced_count + 1) * sizeof(*journal->unsynced));
	journal->unsynced[journal->unsynced_count++] = fd;
}

void
journal_sync_left(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	int *fds = journal->unsynced;
	size_t count = journal->unsynced_count;
	journal->unsynced = NULL;
	journal->unsynced_count = 0;
	pthread_mutex_unlock(&journal->lock);
	for (size_t i = 0; i < count; i++) {
		if (journal->ops.fsync(fds[i]) < 0) {
			atomic_fetch_add(&journal->write_errors, 1);
			log_error("journal_sync_failed error=\"%s\"", strerror(errno));
		}
		close(fds[i]);
	}
	free(fds);
}

/* With the lock held: the writer in place i, if it still writes the stream of that name (NULL: any). */
static struct journal_writer *
writer_at(const struct journal *journal, size_t i, const char *name)
{
	if (i >= journal->writer_count)
		return NULL;
	struct journal_writer *writer = journal->writers[i];
	if (!writer->stream || (name && strcmp(writer->stream->name, name) != 0))
		return NULL;
	return writer;
}

static size_t
count_writers(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	size_t count = journal->writer_count;
	pthread_mutex_unlock(&journal->lock);
	return count;
}

/* --- preparing --- */

static bool
nearly_full(const struct journal_writer *writer)
{
	return writer->fd >= 0 && writer->spare.fd < 0 &&
	       stream_end(writer->stream) - writer->first > writer->journal->segment_size / 2;
}

static void
prepare(struct journal *journal, size_t i)
{
	char name[STREAM_NAME_SIZE];
	pthread_mutex_lock(&journal->lock);
	const struct journal_writer *needy = writer_at(journal, i, NULL);
	bool needed = needy && nearly_full(needy);
	if (needed)
		memcpy(name, needy->stream->name, sizeof(name));
	pthread_mutex_unlock(&journal->lock);
	struct spare spare;
	/* The worker will meet the same lack of room, and say so. */
	if (!needed || spare_make(journal, name, &spare) != 0)
		return;
	pthread_mutex_lock(&journal->lock);
	struct journal_writer *writer = writer_at(journal, i, name);
	if (writer && writer->spare.fd < 0) {
		writer->spare = spare;
		spare.fd = -1;
	}
	pthread_mutex_unlock(&journal->lock);
	spare_discard(journal, name, &spare);
}

/* --- syncing --- */

struct debt {
	char name[STREAM_NAME_SIZE];
	uint64_t first, end;
	int fd; /* a duplicate: the worker may close its own */
};

static bool
find_debt(struct journal *journal, size_t i, struct debt *debt)
{
	bool owed = false;
	pthread_mutex_lock(&journal->lock);
	const struct journal_writer *writer = writer_at(journal, i, NULL);
	if (writer && writer->fd >= 0 && stream_end(writer->stream) != writer->synced) {
		memcpy(debt->name, writer->stream->name, sizeof(debt->name));
		debt->first = writer->first;
		debt->end = stream_end(writer->stream);
		debt->fd = fcntl(writer->fd, F_DUPFD_CLOEXEC, 0);
		owed = debt->fd >= 0;
	}
	pthread_mutex_unlock(&journal->lock);
	return owed;
}

/* After a failure the segment is left: what the disk lost of it must not be written a second time. */
static void
settle_debt(struct journal *journal, size_t i, const struct debt *debt, bool synced)
{
	pthread_mutex_lock(&journal->lock);
	struct journal_writer *writer = writer_at(journal, i, debt->name);
	if (writer)
		writer->synced = debt->end;
	if (writer && !synced && writer->fd >= 0 && writer->first == debt->first)
		atomic_store(&writer->leave, true);
	pthread_mutex_unlock(&journal->lock);
}

static void
sync_writer(struct journal *journal, size_t i)
{
	struct debt debt;
	if (!find_debt(journal, i, &debt))
		return;
	bool synced = journal->ops.fdatasync(debt.fd) == 0;
	uint64_t held_back;
	if (!synced) {
		atomic_fetch_add(&journal->write_errors, 1);
		if (log_again(&journal->keeper_failures, FAILURE_LOG_MS, &held_back))
			log_error("journal_sync_failed stream=%s error=\"%s\" repeated=%" PRIu64,
				  debt.name, strerror(errno), held_back);
	}
	close(debt.fd);
	settle_debt(journal, i, &debt, synced);
}

void
journal_tend(struct journal *journal)
{
	size_t writers = count_writers(journal);
	for (size_t i = 0; i < writers; i++)
		prepare(journal, i);
	int64_t now = clock_mono_ms();
	if (journal->sync != CONF_SYNC_EVERYSEC || now < journal->next_sync_ms)
		return;
	journal->next_sync_ms = now + SYNC_EVERY_MS;
	for (size_t i = 0; i < writers; i++)
		sync_writer(journal, i);
	/* Last: a segment that a worker left meanwhile is among them. */
	journal_sync_left(journal);
}
