/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: where does Redis stand? Every position is compared with the ledger's. Ahead: applied already (a lost reply,
 * an earlier process), go on from there. Behind: Redis lost its tail, read again. Gone, or behind what the journal still
 * holds: a reset, replayed as far as the journal goes and never silent. And what was it made to forget?
 */
#include "base/clock.h"
#include "store/forget.h"
#include "tally/state.h"

/* The delta of a shard is thrown away: what it held will be read again, but has been seen. */
static void
throw_away(struct tally *tally, int index)
{
	struct shard *shard = &tally->shards[index];
	size_t count;
	const struct delta_day *days = delta_days(shard->delta, &count);
	for (size_t i = 0; i < count; i++)
		board_seen(board_site(tally->options.board, days[i].site), days[i].day,
			   days[i].fresh);
	const struct delta_value *values = delta_values(shard->delta, &count);
	for (size_t i = 0; i < count; i++) {
		const struct delta_day *day = &days[values[i].day];
		if (values[i].dimension == HIT_PAGES)
			pages_throw_away(tally->options.pages,
					 tally_page_key(tally, index, day, &values[i]), day->day,
					 values[i].fresh);
	}
	delta_clear(shard->delta);
	shard->streams = 0;
}

static void
report_loss(struct tally *tally, int index, const struct track *track,
	    const struct position *position)
{
	bool reset = !position->present || position->offset < stream_first(track->stream);
	log_warn("redis_lost_position shard=%02d stream=%s known=%" PRIu64 " stored=%" PRIu64
		 " outcome=%s",
		 index, track->name, track->applied[index], position->offset,
		 reset ? "reset" : "rewind");
	tally_count(tally, reset ? &tally->status.resets : &tally->status.rewinds);
}

/* Takes over the stored positions of a shard (one per track), of which at least one is not the ledger's. */
static void
adopt(struct tally *tally, int index, const struct position *stored)
{
	board_lock(tally->options.board, index);
	throw_away(tally, index);
	for (size_t i = 0; i < tally->ledger->count; i++) {
		struct track *track = tally->ledger->tracks[i];
		if (stored[i].offset < track->applied[index])
			report_loss(tally, index, track, &stored[i]);
		/* Records of this shard behind the stored position were read already: read them again. */
		if (track->taken[index] > stored[i].offset || tally->shards[index].blocked)
			track_rewind(track, stored[i].offset);
		track->applied[index] = track->taken[index] = stored[i].offset;
		/* What must be replayed must stay on the disk. */
		if (track->settled > stored[i].offset)
			track->settled = stored[i].offset;
		if (track->covered > stored[i].offset)
			track->covered = stored[i].offset;
	}
	tally->shards[index].settling = true;
	pages_unsettle(tally->options.pages, index);
	tally->shards[index].blocked = false;
	tally->shards[index].stale = false;
	board_unlock(tally->options.board, index);
}

/* Somebody wrote something else where the positions were. Until that is put right its hits are passed over. */
static void
block(struct tally *tally, int index)
{
	board_lock(tally->options.board, index);
	throw_away(tally, index);
	for (size_t i = 0; i < tally->ledger->count; i++)
		tally->ledger->tracks[i]->taken[index] = tally->ledger->tracks[i]->applied[index];
	tally->shards[index].settling = true;
	tally->shards[index].blocked = true;
	pages_unsettle(tally->options.pages, index);
	board_unlock(tally->options.board, index);
}

static bool
differs(const struct tally *tally, int index, const struct position *stored)
{
	if (tally->shards[index].blocked || tally->shards[index].stale)
		return true;
	for (size_t i = 0; i < tally->ledger->count; i++)
		if (stored[i].offset != tally->ledger->tracks[i]->applied[index])
			return true;
	return false;
}

/* A removed stream that Redis knew, and knows no more or not as far: nothing to replay, but not to be passed over. */
static void
check_retired(struct tally *tally, struct retired *retired, const struct position *stored,
	      size_t stride)
{
	uint64_t lost = 0;
	for (int index = 0; index < CONF_SHARDS; index++)
		if ((retired->shards >> index & 1) && !stored[(size_t)index * stride].foreign &&
		    stored[(size_t)index * stride].offset < retired->end)
			lost |= UINT64_C(1) << index;
	if (!lost)
		return;
	retired->shards &= ~lost;
	log_warn("redis_lost_position stream=%s shards=%d outcome=reset", retired->name,
		 __builtin_popcountll(lost));
	for (int index = 0; index < CONF_SHARDS; index++)
		if (lost >> index & 1) {
			tally->shards[index].settling = true;
			pages_unsettle(tally->options.pages, index);
		}
	tally_count(tally, &tally->status.resets);
}

/* A few retired streams go along with every audit; all of them when the server is another one. */
static size_t
retired_in_turn(struct tally *tally)
{
	struct ledger *ledger = tally->ledger;
	bool other = strcmp(tally->identity, store_identity(tally->store)) != 0;
	if (other || ledger->retired_count <= RETIRED_PER_AUDIT)
		return ledger->retired_count;
	return RETIRED_PER_AUDIT;
}

/* Not all are foreign: then it is the server that refuses. */
static bool
some_are_read(const struct position *stored, size_t count)
{
	for (size_t index = 0; index < CONF_SHARDS; index++)
		if (!stored[index * count].foreign)
			return true;
	return false;
}

static void
note_refusal(struct tally *tally)
{
	uint64_t held_back;
	pthread_mutex_lock(&tally->lock);
	snprintf(tally->status.error, sizeof(tally->status.error), "%s", store_error(tally->store));
	pthread_mutex_unlock(&tally->lock);
	if (log_again(&tally->foreign_positions, 10000, &held_back))
		log_error("redis_foreign_position error=\"%s\" repeated=%" PRIu64,
			  store_error(tally->store), held_back);
}

static void
compare(struct tally *tally, const struct position *stored, size_t count)
{
	for (int index = 0; index < CONF_SHARDS; index++) {
		const struct position *first = stored + (size_t)index * count;
		if (count > 0 && first->foreign)
			block(tally, index);
		else if (differs(tally, index, first))
			adopt(tally, index, first);
	}
}

/* --- what was forgotten --- */

struct learning {
	struct tally *tally;
	int index;
	const struct mark *mark;
};

static void
may_fall_cb(struct board_site *site, void *arg)
{
	const struct learning *learning = arg;
	if (slice_eq(learning->mark->site, board_site_key(site)) ||
	    slice_eq(learning->mark->site, SLICE("*")))
		board_may_fall(site);
}

static void
learn_mark_cb(struct slice field, int64_t ms, void *arg)
{
	struct learning *learning = arg;
	struct tally *tally = learning->tally;
	struct shard *shard = &tally->shards[learning->index];
	learning->mark = marks_put(&shard->marks, field, ms);
	if (!learning->mark || ms <= shard->forgotten)
		return;
	log_info("forgotten shard=%02d what=\"%s\" until=%" PRId64, learning->index,
		 learning->mark->field, ms);
	board_lock(tally->options.board, learning->index);
	board_each(tally->options.board, learning->index, may_fall_cb, learning);
	board_unlock(tally->options.board, learning->index);
}

static void
hold_mark_cb(struct slice field, int64_t ms, void *arg)
{
	(void)marks_put(arg, field, ms);
}

/* From now on calls say that this is known, so what was summed up before goes. */
static int
learn_marks(struct tally *tally, int index, int64_t newest)
{
	struct learning learning = {.tally = tally, .index = index};
	int status = store_marks(tally->store, index, learn_mark_cb, &learning);
	if (status != STORE_OK)
		return status;
	board_lock(tally->options.board, index);
	tally->shards[index].forgotten = newest;
	tally->shards[index].stale = true;
	board_unlock(tally->options.board, index);
	store_know_forgotten(tally->store, index, newest);
	return STORE_OK;
}

static int
older_first(const void *a, const void *b)
{
	const struct mark *left = *(const struct mark *const *)a;
	const struct mark *right = *(const struct mark *const *)b;
	return (left->ms > right->ms) - (left->ms < right->ms);
}

static int
forget_mark_again(struct tally *tally, int index, const struct mark *mark)
{
	struct forgetting forgetting = {.shard = index,
					.site = mark->site,
					.scope = mark->scope,
					.kind = mark->kind,
					.id = mark->id,
					.page = mark->page,
					.again = true,
					.ms = mark->ms};
	log_warn("forgotten_again shard=%02d what=\"%s\" until=%" PRId64, index, mark->field,
		 mark->ms);
	return store_forget(tally->store, &forgetting, true);
}

/*
 * Redis went back to before it was made to forget, and has it all again: nothing that is younger, since no daemon that
 * knows the marks has counted anything meanwhile. The youngest comes last: with it Redis is in step.
 */
static int
forget_again(struct tally *tally, int index)
{
	const struct marks *marks = &tally->shards[index].marks;
	const struct mark **order = xcalloc(marks->count + 1, sizeof(*order));
	struct marks held = {0};
	size_t count = 0;
	for (size_t i = 0; i < marks->count; i++)
		if (marks->list[i].scope < MARK_RESTORED) /* the others forget nothing */
			order[count++] = &marks->list[i];
	qsort(order, count, sizeof(*order), older_first);
	int status = store_marks(tally->store, index, hold_mark_cb, &held);
	for (size_t i = 0; i < count && status == STORE_OK; i++)
		if (marks_put(&held, slice_of(order[i]->field), order[i]->ms))
			status = forget_mark_again(tally, index, order[i]);
	marks_release(&held);
	free(order);
	return status;
}

static int
audit_marks(struct tally *tally)
{
	int64_t newest[CONF_SHARDS];
	int status = store_forgotten(tally->store, newest);
	for (int i = 0; i < CONF_SHARDS && status == STORE_OK; i++) {
		struct shard *shard = &tally->shards[i];
		if (newest[i] < 0 || newest[i] == shard->forgotten)
			continue;
		if (newest[i] < shard->forgotten)
			status = forget_again(tally, i);
		if (status == STORE_OK && newest[i] < shard->forgotten)
			status = store_forgotten(tally->store, newest);
		if (status == STORE_OK)
			status = learn_marks(tally, i, newest[i]);
	}
	return status;
}

bool
tally_audit(struct tally *tally)
{
	int status = audit_marks(tally);
	if (status != STORE_OK) {
		tally_failed(tally, status);
		return false;
	}
	struct ledger *ledger = tally->ledger;
	size_t retired = retired_in_turn(tally), count = ledger->count + retired;
	const char **names = xcalloc(count + 1, sizeof(*names));
	struct position *stored = xcalloc(CONF_SHARDS * count + 1, sizeof(*stored));
	for (size_t i = 0; i < ledger->count; i++)
		names[i] = ledger->tracks[i]->name;
	for (size_t i = 0; i < retired; i++)
		names[ledger->count + i] =
			ledger->retired[(tally->next_retired + i) % ledger->retired_count].name;
	status = store_positions(tally->store, names, count, stored);
	if (status == STORE_REFUSED && count > 0 && some_are_read(stored, count)) {
		note_refusal(tally);
		status = STORE_OK;
	}
	if (status == STORE_OK) {
		compare(tally, stored, count);
		for (size_t i = 0; i < retired; i++)
			check_retired(
				tally,
				&ledger->retired[(tally->next_retired + i) % ledger->retired_count],
				stored + ledger->count + i, count);
		tally->next_retired += retired;
		tally_count(tally, &tally->status.audits);
		snprintf(tally->identity, sizeof(tally->identity), "%s",
			 store_identity(tally->store));
	} else {
		tally_failed(tally, status);
	}
	free(names);
	free(stored);
	return status == STORE_OK;
}
