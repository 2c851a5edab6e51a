/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines to batches, batches to calls. Every call expects the position that the one before it moves to, so that of calls
 * on their way none can be applied whose lines do not follow those that are counted: where one does not match, the
 * next ones do not either, unless somebody else counted exactly its lines meanwhile.
 */
#include "cli/logimport.h"

#include <poll.h>
#include <sodium.h>

#include "base/clock.h"
#include "cli/redial.h"

enum { PROGRESS_EVERY_MS = 100, PROGRESS_EVERY_LINES = 1024, PROGRESS_BAR = 30 };

void
logimport_release(struct logimport *import)
{
	logplace_release(&import->place);
}

void
logimport_day_cb(int32_t day, struct logday *out, void *arg)
{
	struct logimport *import = arg;
	struct store *store = import->place.asks;
	struct slice site = import->place.site->key_slice;
	int64_t deadline = clock_mono_ms() + REDIAL_MS;
	int status;
	do {
		randombytes_buf(out->salt.bytes, sizeof(out->salt.bytes));
		status = import->dry ? STORE_OK
				     : store_import_salt(store, site, day, out->salt.bytes);
		if (status == STORE_OK)
			status = store_beacon_hits(store, site, day, &out->beacon_hits);
		status = redial_status(store, status);
		if (status == STORE_UNAVAILABLE)
			redial(store, deadline, CLI_COUNTED_SO_FAR);
	} while (status == STORE_UNAVAILABLE);
	cli_check(store, status);
}

/* --- reading a batch --- */

static void
note(struct logimport *import, enum logjudge_verdict verdict, uint64_t line_number)
{
	if (import->batch.of[verdict]++ == 0 && verdict == LOGJUDGE_BAD)
		import->batch.first_bad = line_number;
}

/* Days that beacons counted have this log's views already, unless the operator knows better. */
static bool
may_count(struct logimport *import, const struct hit *hit)
{
	if (import->overlap || logjudge_beacon_hits(import->place.judge, hit) == 0)
		return true;
	import->full_day = hit->day;
	import->stopped = true;
	return false;
}

/* Judges one line and adds it to the batch; false when the batch has no room for it, or its day must not be added to. */
static bool
add_line(struct logimport *import, struct slice line)
{
	struct hit hit;
	enum logjudge_verdict verdict = logjudge_line(import->place.judge, line, &hit);
	if (verdict <= LOGJUDGE_EXCLUDED) {
		if (!may_count(import, &hit) || !delta_has_room(import->delta, &hit))
			return false;
		bool begins = verdict == LOGJUDGE_VIEW &&
			      visits_note(import->place.visits, hit.visitor, hit.time_ms);
		delta_add_decided(import->delta, &hit, begins);
		landmarks_note(&import->place.landmarks, logfile_offset(import->place.file),
			       hit.time_ms / 1000);
	}
	note(import, verdict, logfile_lines(import->place.file) + 1);
	return true;
}

static void
show_progress(struct logimport *import)
{
	int64_t now = clock_mono_ms();
	if (now < import->progress_next)
		return;
	import->progress_next = now + PROGRESS_EVERY_MS;
	double share = logfile_share(import->place.file);
	int full = (int)(share * PROGRESS_BAR);
	fprintf(stderr, "\r[");
	for (int i = 0; i < PROGRESS_BAR; i++)
		fputs(i < full ? "█" : " ", stderr);
	fprintf(stderr, "] %3d %% %" PRIu64 " lines", (int)(share * 100),
		logfile_lines(import->place.file));
}

/*
 * Reads lines until the batch is full (true) or no whole line is left (false). A line is taken after it was added, so
 * the file always stands where the batch ends.
 */
static bool
read_batch(struct logimport *import)
{
	for (;;) {
		struct slice line;
		enum logfile_line got = logfile_peek(import->place.file, &line);
		if (got == LOGFILE_END)
			return false;
		if (import->progress &&
		    logfile_lines(import->place.file) % PROGRESS_EVERY_LINES == 0)
			show_progress(import);
		if (got == LOGFILE_LINE && !add_line(import, line))
			return true;
		if (!logfile_take(import->place.file))
			return false;
		if (got == LOGFILE_LONG)
			note(import, LOGJUDGE_BAD, logfile_lines(import->place.file));
	}
}

/* --- calls on their way --- */

static struct flight *
flight_at(struct logimport *import, size_t nth)
{
	return &import->flights[(import->first + nth) % LOGIMPORT_FLIGHTS];
}

static void
count_in(struct logimport *import, const struct flight *flight)
{
	struct sums *done = &import->done;
	if (done->of[LOGJUDGE_BAD] == 0)
		done->first_bad = flight->sums.first_bad;
	for (size_t i = 0; i < COUNT_OF(done->of); i++)
		done->of[i] += flight->sums.of[i];
	import->place.position = flight->next;
}

/* After a lost connection the position tells which calls had arrived: those were ours. */
static void
accept_lost(struct logimport *import, const struct position *stored)
{
	size_t arrived = 0;
	for (size_t i = 0; i < import->lost_count; i++)
		if (import->lost[i].next == stored->offset &&
		    strcmp(import->lost[i].rest, stored->rest) == 0)
			arrived = i + 1;
	for (size_t i = 0; i < arrived; i++)
		count_in(import, &import->lost[i]);
	import->lost_count -= arrived;
	memmove(import->lost, import->lost + arrived, import->lost_count * sizeof(*import->lost));
}

/* The batch is to be read again from where Redis stands. */
static void
rewind_to(struct logimport *import, const struct position *stored)
{
	accept_lost(import, stored);
	delta_clear(import->delta);
	import->batch = (struct sums){0};
	import->stopped = false;
	logplace_take(&import->place, stored);
	import->sent = import->place.position;
}

static void
lose_flights(struct logimport *import)
{
	import->lost_count = import->count;
	for (size_t i = 0; i < import->count; i++)
		import->lost[i] = *flight_at(import, i);
	import->count = 0;
}

static void
recover(struct logimport *import)
{
	struct position stored;
	if (import->deadline == 0)
		import->deadline = clock_mono_ms() + REDIAL_MS;
	redial(import->store, import->deadline, CLI_COUNTED_SO_FAR);
	lose_flights(import);
	logplace_ask(&import->place, &stored);
	rewind_to(import, &stored);
}

static void
note_refusal(struct logimport *import, const struct apply_reply *reply)
{
	if (reply->refused > 0 && import->refused == 0)
		memcpy(import->refusal, reply->refusal, sizeof(import->refusal));
	import->refused += reply->refused;
}

/* The reply to the first call on its way; `stored` is what Redis holds after it. */
static int
land(struct logimport *import, struct position *stored)
{
	struct apply_reply reply;
	struct flight *flight = flight_at(import, 0);
	int status = redial_status(import->store, store_receive(import->store, &reply));
	if (status == STORE_REFUSED)
		cli_fail(CLI_REFUSED, "%s", store_error(import->store));
	if (status != STORE_UNAVAILABLE) {
		import->first = (import->first + 1) % LOGIMPORT_FLIGHTS;
		import->count--;
	}
	if (status == STORE_OK) {
		count_in(import, flight);
		import->deadline = 0;
		import->lost_count = 0; /* Redis is past what they expect */
	}
	if (status == STORE_MISMATCH) {
		store_know_forgotten(import->store, import->place.site->shard, reply.forgotten);
		*stored = reply.stored[0];
	}
	note_refusal(import, &reply);
	apply_reply_release(&reply);
	return status;
}

/* Waits until at most `most` calls are on their way. False: the batch is thrown away and read again. */
static bool
await(struct logimport *import, size_t most)
{
	struct position stored = {0};
	int status = STORE_OK;
	while (import->count > (status == STORE_MISMATCH ? 0 : most)) {
		status = land(import, &stored);
		if (status == STORE_UNAVAILABLE) {
			recover(import);
			return false;
		}
	}
	if (status == STORE_OK)
		return true;
	rewind_to(import, &stored);
	return false;
}

static void
start_batch(struct logimport *import, uint64_t position)
{
	import->sent = position;
	import->batch = (struct sums){0};
	delta_clear(import->delta);
}

/* The position and the counts together, or neither. */
static void
send_batch(struct logimport *import)
{
	uint64_t next = logfile_offset(import->place.file);
	if (next == import->sent || !await(import, LOGIMPORT_FLIGHTS - 1))
		return;
	struct flight *flight = flight_at(import, import->count++);
	flight->next = next;
	flight->sums = import->batch;
	if (import->dry) {
		import->count--;
		count_in(import, flight);
		start_batch(import, next);
		return;
	}
	logplace_describe(&import->place, flight->rest);
	const struct advance advance = {import->place.stream, import->sent, next, flight->rest};
	int status = store_send(import->store, import->place.site->shard, &advance, 1,
				delta_is_empty(import->delta) ? NULL : import->delta);
	if (status == STORE_UNAVAILABLE) {
		recover(import);
		return;
	}
	cli_check(import->store, status);
	start_batch(import, next);
}

bool
logimport_is_ended(const struct logimport *import)
{
	struct pollfd signals = {.fd = import->signals, .events = POLLIN};
	return import->signals >= 0 && poll(&signals, 1, 0) > 0;
}

void
logimport_run(struct logimport *import)
{
	struct slice line;
	if (import->place.stream[0] == '\0') {
		/* A file that has no line yet has no name either. */
		if (logfile_peek(import->place.file, &line) == LOGFILE_END)
			return;
		logplace_find(&import->place);
		import->sent = import->place.position;
	}
	bool more = true;
	while (more) {
		more = read_batch(import) && !logimport_is_ended(import);
		/* Lines that count nothing move the position too, or they would be judged again each time. */
		uint64_t end = logfile_offset(import->place.file);
		send_batch(import);
		if (!more || import->stopped)
			more = !await(import, 0) || import->sent != end;
	}
	if (import->progress)
		fprintf(stderr, "\r\033[K");
}
