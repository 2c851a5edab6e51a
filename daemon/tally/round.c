/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One round: from the journal's files into one delta per shard, and from there into Redis. A delta and the positions
 * that cover it go in one call or not at all; whatever happens in between, the next audit finds out where Redis stands.
 */
#include "base/clock.h"
#include "tally/state.h"

/* --- connecting --- */

void
tally_failed(struct tally *tally, int status)
{
	if (status == STORE_MISMATCH) {
		tally->audit_due = true;
		return;
	}
	pthread_mutex_lock(&tally->lock);
	snprintf(tally->status.error, sizeof(tally->status.error), "%s", store_error(tally->store));
	pthread_mutex_unlock(&tally->lock);
	/* A master that became a replica may have a successor at the same address. */
	if (status == STORE_REFUSED && (strncmp(store_error(tally->store), "READONLY", 8) == 0 ||
					strncmp(store_error(tally->store), "MASTERDOWN", 10) == 0))
		store_disconnect(tally->store);
	uint64_t held_back;
	if (log_again(&tally->failures, 10000, &held_back))
		log_warn("redis_failed error=\"%s\" repeated=%" PRIu64, store_error(tally->store),
			 held_back);
	tally->audit_due = true;
	tally->next_connect_ms = clock_mono_ms() + tally->backoff_ms;
	tally->backoff_ms =
		tally->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : tally->backoff_ms * 2;
}

static bool
connected(struct tally *tally)
{
	if (clock_mono_ms() < tally->next_connect_ms)
		return false;
	if (store_connected(tally->store))
		return true;
	int status = store_connect(tally->store);
	if (status == STORE_OK)
		status = store_check_schema(tally->store);
	if (status != STORE_OK) {
		tally_failed(tally, status);
		store_disconnect(tally->store);
		return false;
	}
	log_info("redis_connected server=%s", store_identity(tally->store));
	if (store_warning(tally->store)[0])
		log_warn("redis_setup warning=\"%s\"", store_warning(tally->store));
	pthread_mutex_lock(&tally->lock);
	tally->status.error[0] = '\0';
	snprintf(tally->status.warning, sizeof(tally->status.warning), "%s",
		 store_warning(tally->store));
	pthread_mutex_unlock(&tally->lock);
	tally->audit_due = true;
	tally->noted = false;
	return true;
}

/* --- applying --- */

static size_t
advances_of(struct tally *tally, int shard, const char *today, struct advance *out)
{
	size_t count = 0;
	for (size_t i = 0; i < tally->ledger->count; i++) {
		struct track *track = tally->ledger->tracks[i];
		if (track->taken[shard] > track->applied[shard])
			out[count++] = (struct advance){.stream = track->name,
							.previous = track->applied[shard],
							.next = track->taken[shard],
							.rest = today};
	}
	return count;
}

static void
today_text(char out[9])
{
	char name[PERIOD_NAME_SIZE];
	period_name(PERIOD_DAY, (int32_t)(clock_wall_ms() / 86400000), name);
	snprintf(out, 9, "%.4s%.2s%.2s", name, name + 5, name + 8);
}

struct page_key
tally_page_key(const struct tally *tally, int index, const struct delta_day *day,
	       const struct delta_value *value)
{
	return pages_key(tally->options.pages, day->site, index, value->text);
}

/* Locked. Visits come back by the place that a page has among those of its day. */
static void
confirm_pages(struct tally *tally, int index, const struct apply_reply *reply)
{
	size_t day_count, value_count, total = 0;
	const struct delta *delta = tally->shards[index].delta;
	const struct delta_day *days = delta_days(delta, &day_count);
	const struct delta_value *values = delta_values(delta, &value_count);
	for (size_t i = 0; i < day_count; i++) {
		tally->page_starts[i] = total;
		total += days[i].counts[HIT_PAGES];
	}
	memset(tally->page_visits, 0, total * sizeof(tally->page_visits[0]));
	for (size_t i = 0; i < reply->day_count; i++)
		for (size_t p = 0; p < reply->days[i].page_count; p++) {
			const struct apply_page *page = &reply->days[i].pages[p];
			if (page->nth < days[i].counts[HIT_PAGES])
				tally->page_visits[tally->page_starts[i] + page->nth] =
					page->visits;
		}
	for (size_t i = 0; i < value_count; i++) {
		const struct delta_value *value = &values[i];
		const struct delta_day *day = &days[value->day];
		if (value->dimension == HIT_PAGES)
			pages_confirm(
				tally->options.pages, tally_page_key(tally, index, day, value),
				day->day, value->hits, value->fresh,
				tally->page_visits[tally->page_starts[value->day] + value->nth]);
	}
}

/* Locked. */
static uint64_t
confirm_sites(struct tally *tally, int index, const struct apply_reply *reply)
{
	const struct shard *shard = &tally->shards[index];
	size_t count;
	uint64_t hits = 0;
	const struct delta_day *days = delta_days(shard->delta, &count);
	for (size_t i = 0; i < count && i < reply->day_count; i++) {
		const struct apply_day *redis = &reply->days[i];
		struct board_site *site = board_site(tally->options.board, days[i].site);
		const struct board_now now = {days[i].day, redis->bots, redis->online};
		board_seen(site, days[i].day, days[i].fresh);
		board_confirm(site, days[i].day, days[i].hits, redis->numbers, &now,
			      shard->settling);
		hits += days[i].hits;
	}
	return hits;
}

/* A delta is in Redis: the positions that cover it, the board and the pages follow, together. */
static void
confirm(struct tally *tally, int index, const struct apply_reply *reply)
{
	struct shard *shard = &tally->shards[index];
	board_lock(tally->options.board, index);
	for (size_t i = 0; i < tally->ledger->count; i++)
		tally->ledger->tracks[i]->applied[index] = tally->ledger->tracks[i]->taken[index];
	uint64_t hits = confirm_sites(tally, index, reply);
	confirm_pages(tally, index, reply);
	board_unlock(tally->options.board, index);
	pthread_mutex_lock(&tally->lock);
	tally->status.applied += hits;
	tally->status.refused_fields += reply->refused;
	pthread_mutex_unlock(&tally->lock);
	if (reply->refused)
		log_error("redis_refused_fields shard=%02d count=%zu first=\"%s\"", index,
			  reply->refused, reply->refusal);
	delta_clear(shard->delta);
	shard->streams = 0;
	tally->changed = true;
}

static bool
send_shard(struct tally *tally, int index, const char *today, struct advance *advances)
{
	size_t count = advances_of(tally, index, today, advances);
	return store_send(tally->store, index, advances, count, tally->shards[index].delta) ==
	       STORE_OK;
}

/*
 * Sends every delta that holds at least `least` records, pipelined, and takes the answers. What was not confirmed stays
 * as it is; the audit that must follow decides about it.
 */
static bool
flush(struct tally *tally, uint64_t least)
{
	struct advance *advances = xmalloc((tally->ledger->count + 1) * sizeof(*advances));
	int sent[CONF_SHARDS];
	int count = 0, worst = STORE_OK;
	char today[9];
	today_text(today);
	for (int i = 0; i < CONF_SHARDS && worst == STORE_OK; i++) {
		if (delta_is_empty(tally->shards[i].delta) ||
		    delta_records(tally->shards[i].delta) < least)
			continue;
		if (send_shard(tally, i, today, advances))
			sent[count++] = i;
		else
			worst = STORE_UNAVAILABLE;
	}
	for (int i = 0; i < count; i++) {
		struct apply_reply reply = {0};
		int status = store_receive(tally->store, &reply);
		if (status == STORE_OK)
			confirm(tally, sent[i], &reply);
		else if (worst == STORE_OK || status == STORE_UNAVAILABLE)
			worst = status;
		apply_reply_release(&reply);
	}
	free(advances);
	if (worst != STORE_OK)
		tally_failed(tally, worst);
	else if (count)
		tally->heard_ms = clock_mono_ms();
	return worst == STORE_OK;
}

bool
tally_settle_positions(struct tally *tally, struct track *track, uint64_t end)
{
	char today[9];
	today_text(today);
	int sent[CONF_SHARDS];
	int count = 0, worst = STORE_OK;
	for (int i = 0; i < CONF_SHARDS && worst == STORE_OK; i++) {
		struct advance advance = {track->name, track->applied[i], end, today};
		if (track->applied[i] >= end)
			continue;
		worst = store_send(tally->store, i, &advance, 1, NULL);
		if (worst == STORE_OK)
			sent[count++] = i;
	}
	for (int i = 0; i < count; i++) {
		struct apply_reply reply = {0};
		int status = store_receive(tally->store, &reply);
		if (status == STORE_OK) {
			board_lock(tally->options.board, sent[i]);
			track->applied[sent[i]] = track->taken[sent[i]] = end;
			board_unlock(tally->options.board, sent[i]);
		} else {
			worst = status;
		}
		apply_reply_release(&reply);
	}
	if (worst != STORE_OK) {
		tally_failed(tally, worst);
		return false;
	}
	track->settled = end;
	tally->changed = true;
	return true;
}

/* --- summing --- */

static int64_t
visit_gap_ms(const struct tally *tally, struct slice key)
{
	const struct conf_site *site = conf_site_by_key(tally->conf, key);
	return 1000 * (site ? site->visit_gap : VISIT_GAP_UNCONFIGURED);
}

/* A hit that an earlier process has handed over already: seen for the first time, but not to be counted. */
static void
see_applied(struct tally *tally, int index, const struct hit *hit)
{
	struct slice page = hit->values[HIT_PAGES];
	board_lock(tally->options.board, index);
	if (hit_is_view(hit) && !hit->page_only)
		board_seen(board_site(tally->options.board, hit->site), hit->day, 1);
	if (page.ptr)
		pages_throw_away(tally->options.pages,
				 pages_key(tally->options.pages, hit->site, index, page), hit->day,
				 1);
	board_unlock(tally->options.board, index);
}

/* An operator made the site forget it, all of it or its page. */
static void
drop(struct tally *tally, int index, const struct hit *hit, bool whole, bool fresh)
{
	struct slice page = hit->values[HIT_PAGES];
	board_lock(tally->options.board, index);
	if (whole && hit_is_view(hit) && !hit->page_only)
		board_drop(board_site(tally->options.board, hit->site), hit->day, fresh);
	if (page.ptr)
		pages_throw_away(tally->options.pages,
				 pages_key(tally->options.pages, hit->site, index, page), hit->day,
				 fresh);
	board_unlock(tally->options.board, index);
}

static void
sum_hit(struct tally *tally, int index, const struct hit *read, bool fresh)
{
	struct hit hit = *read;
	bool kept = marks_pass(&tally->shards[index].marks, &hit);
	if (kept)
		delta_add(tally->shards[index].delta, &hit, visit_gap_ms(tally, hit.site), fresh);
	if (!kept || hit.values[HIT_PAGES].ptr != read->values[HIT_PAGES].ptr)
		drop(tally, index, read, !kept, fresh);
}

/* Sums the record at the front of a track. False: Redis did not take a full delta. */
static bool
sum_head(struct tally *tally, struct track *track)
{
	int index = crc16_xmodem(track->head.site) % CONF_SHARDS;
	struct shard *shard = &tally->shards[index];
	uint64_t end = track->head_end;
	bool take = end > track->taken[index] && !shard->blocked;
	/* A call names the streams it moves, and takes only so many of them. */
	bool first = track->taken[index] == track->applied[index];
	bool room = delta_has_room(shard->delta, &track->head) &&
		    !(first && shard->streams == STORE_ADVANCES_MAX);
	if (take && !room) {
		tally_count(tally, &tally->status.cut_batches);
		return flush(tally, delta_records(shard->delta) / 2);
	}
	bool fresh = end > track->counted[index];
	if (fresh)
		track->counted[index] = end;
	if (take) {
		shard->streams += first;
		track->taken[index] = end;
		sum_hit(tally, index, &track->head, fresh);
	} else if (fresh) {
		see_applied(tally, index, &track->head);
	}
	ledger_consume(track);
	return true;
}

int
tally_settling(const struct tally *tally)
{
	int count = 0;
	for (int i = 0; i < CONF_SHARDS; i++)
		count += tally->shards[i].settling;
	return count;
}

int
tally_blocked(const struct tally *tally)
{
	int count = 0;
	for (int i = 0; i < CONF_SHARDS; i++)
		count += tally->shards[i].blocked;
	return count;
}

/* Everything published is in Redis: shards that were out of step take its numbers. */
static bool
settle(struct tally *tally)
{
	for (int i = 0; i < CONF_SHARDS; i++) {
		if (!tally->shards[i].settling || tally->shards[i].blocked)
			continue;
		int status = tally_take_numbers(tally, tally->store, tally->conf, i, true, true);
		if (status != STORE_OK) {
			tally_failed(tally, status);
			return false;
		}
		tally->shards[i].settling = false;
		pages_settle(tally->options.pages, i);
		tally->changed = true;
	}
	return true;
}

/* Positions are compared when something went wrong, when Redis has been silent, and now and then in any case. */
static bool
audited(struct tally *tally)
{
	int64_t now = clock_mono_ms();
	if (!tally->audit_due && now < tally->next_audit_ms && now < tally->heard_ms + HEARTBEAT_MS)
		return true;
	if (!tally_audit(tally))
		return false;
	tally->audit_due = false;
	tally->heard_ms = now;
	tally->next_audit_ms = now + AUDIT_MS;
	return true;
}

/* Sums what is published, for a while. False: Redis did not take a full delta. */
static bool
sum_published(struct tally *tally, int64_t until_ms)
{
	struct track *track;
	for (int n = 1; (track = ledger_peek(tally->ledger)); n++) {
		if (!sum_head(tally, track))
			return false;
		if (n % CLOCK_EVERY == 0 && clock_mono_ms() >= until_ms)
			break;
	}
	return true;
}

bool
tally_round(struct tally *tally, int64_t until_ms)
{
	pthread_mutex_lock(&tally->list_lock);
	ledger_refresh(tally->ledger);
	pthread_mutex_unlock(&tally->list_lock);
	if (!connected(tally) || !audited(tally))
		return false;
	ledger_begin_round(tally->ledger);
	if (!sum_published(tally, until_ms) || !flush(tally, 0))
		return false;
	ledger_handed_over(tally->ledger);
	tally->backoff_ms = BACKOFF_MIN_MS;
	if (!ledger_is_read(tally->ledger))
		return true;
	if (!settle(tally))
		return false;
	board_confirmed_at(tally->options.board, clock_mono_ms());
	pthread_mutex_lock(&tally->lock);
	if (!tally_blocked(tally))
		tally->status.error[0] = '\0';
	pthread_mutex_unlock(&tally->lock);
	return true;
}
