/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a beacon to the journal. Nothing here waits but the write itself. What is refused is summed up by site and
 * reason, a record for each in the pass, and given up where the journal has no room.
 */
#include "front/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "hit/explain.h"

/* What answers that wait may still point to when the configuration was replaced. */
struct past {
	struct past *next;
	struct conf *conf;
	struct site_slot *slots;
	int64_t since; /* monotonic ms */
};
enum { PAST_KEEP_MS = 3000 }; /* longer than any answer waits */

struct intake {
	struct intake_options options;
	struct conf *conf;
	struct past *past;
	struct rules *rules;
	uint64_t conf_generation, rules_generation;
	struct judge judge;
	struct judgement judgement; /* of the beacon in hand */
	struct site_slot *slots;    /* in the order of conf->sites */
	struct site_slot **touched; /* with refusals in this pass */
	size_t touched_count;
	int64_t time_ms, mono_ms; /* of this pass; 0: not yet asked */
	struct buf records;
	uint32_t record_count,
		hit_count; /* of this pass; hits that are lost with it are answered 503 */
	struct log_limit journal_limit;
};

/* --- what is in force --- */

/* Frees what was left at `before` or earlier. */
static void
intake_forget(struct intake *intake, int64_t before)
{
	for (struct past **at = &intake->past; *at;) {
		struct past *past = *at;
		if (past->since > before) {
			at = &past->next;
			continue;
		}
		*at = past->next;
		conf_unref(past->conf);
		free(past->slots);
		free(past);
	}
}

static void
intake_leave_conf(struct intake *intake)
{
	int64_t now = clock_mono_ms();
	struct past *past = xmalloc(sizeof(*past));
	*past = (struct past){intake->past, intake->conf, intake->slots, now};
	intake_forget(intake, now - PAST_KEEP_MS);
	past->next = intake->past;
	intake->past = past;
	free(intake->touched);
}

static void
intake_load_conf(struct intake *intake)
{
	intake->conf_generation = conf_current_generation(intake->options.conf);
	struct conf *conf = conf_current_get(intake->options.conf);
	if (intake->conf)
		intake_leave_conf(intake);
	intake->conf = conf;
	intake->slots = xcalloc(conf->site_count + 1, sizeof(*intake->slots));
	intake->touched = xcalloc(conf->site_count + 1, sizeof(*intake->touched));
	for (size_t i = 0; i < conf->site_count; i++)
		intake->slots[i].board =
			board_site(intake->options.board, conf->sites[i].key_slice);
	intake->judge.conf = conf;
}

static void
intake_load_rules(struct intake *intake)
{
	intake->rules_generation = rules_current_generation(intake->options.rules);
	rules_unref(intake->rules);
	intake->rules = rules_current_get(intake->options.rules);
	intake->judge.rules = intake->rules;
}

struct intake *
intake_new(const struct intake_options *options)
{
	struct intake *intake = xcalloc(1, sizeof(*intake));
	intake->options = *options;
	intake->judge = (struct judge){
		.memo = agent_memo_new(),
		.salts = options->salts,
		.limits = options->limits,
		.nonces = options->nonces,
		.repeats = options->repeats,
	};
	intake_load_conf(intake);
	intake_load_rules(intake);
	return intake;
}

void
intake_free(struct intake *intake)
{
	if (!intake)
		return;
	agent_memo_free(intake->judge.memo);
	rules_unref(intake->rules);
	intake_leave_conf(intake);
	intake_forget(intake, INT64_MAX);
	buf_release(&intake->records);
	free(intake);
}

const struct conf *
intake_begin(struct intake *intake)
{
	if (conf_current_generation(intake->options.conf) != intake->conf_generation)
		intake_load_conf(intake);
	if (rules_current_generation(intake->options.rules) != intake->rules_generation)
		intake_load_rules(intake);
	intake->time_ms = 0;
	intake->mono_ms = 0;
	return intake->conf;
}

int64_t
intake_time_ms(struct intake *intake)
{
	if (intake->time_ms == 0)
		intake->time_ms = clock_hit_ms();
	return intake->time_ms;
}

int64_t
intake_mono_ms(struct intake *intake)
{
	if (intake->mono_ms == 0)
		intake->mono_ms = clock_mono_ms();
	return intake->mono_ms;
}

struct site_slot *
intake_site(struct intake *intake, const struct conf_site *site, struct local_time *local)
{
	struct site_slot *slot = &intake->slots[site - intake->conf->sites];
	int64_t utc = intake_time_ms(intake) / 1000;
	if (utc < slot->span.from || utc >= slot->span.to)
		slot->span = zone_at(site->zone, utc);
	*local = zone_span_local(slot->span, utc);
	date_fill(&slot->date, local->day);
	return slot;
}

/* --- records --- */

static void
intake_put(struct intake *intake, const struct hit *hit)
{
	record_put(&intake->records, hit);
	intake->record_count++;
}

/* What all records of a pending request have in common. */
static struct hit
intake_hit_of(struct intake *intake, const struct pending *pending)
{
	return (struct hit){
		.time_ms = intake_time_ms(intake),
		.day = pending->view.local.day,
		.hour = (uint8_t)pending->view.local.hour,
		.count = 1,
		.site = pending->view.site->key_slice,
	};
}

static void
intake_put_view(struct intake *intake, struct pending *pending, bool page_only)
{
	const struct judgement *judged = &intake->judgement;
	struct hit hit = intake_hit_of(intake, pending);
	hit.page_only = page_only;
	hit.visitor = judged->visitor;
	hit.nonce = judged->nonce;
	hit.values[HIT_PAGES] = pending->view.page;
	if (!page_only) {
		hit.values[HIT_REFERRERS] = judged->referrer;
		hit.values[HIT_COUNTRIES] = judged->country;
		hit.values[HIT_BROWSERS] = judged->agent.browser;
		hit.values[HIT_SYSTEMS] = judged->agent.system;
		hit.values[HIT_DEVICES] = judged->agent.device;
		hit.values[HIT_LANGUAGES] = judged->language;
		hit.values[HIT_SCREENS] = judged->screen;
	}
	intake_put(intake, &hit);
	intake->hit_count++;
	pending->counted = true;
	pending->page_only = page_only;
	pending->nonce = judged->nonce;
	pending->repeat = judged->repeat;
	pending->view.counted = COUNTS_COUNTED;
	if (judged->client.how == CLIENT_LOST)
		counter_add(&intake->options.counters->hits_lost, 1);
}

static void
intake_put_bot(struct intake *intake, const struct pending *pending)
{
	struct hit hit = intake_hit_of(intake, pending);
	hit.values[HIT_BOTS] = judgement_bot(&intake->judgement);
	intake_put(intake, &hit);
}

static void
intake_count_refusal(struct intake *intake, struct site_slot *slot, enum reason reason)
{
	if (!slot->touched)
		intake->touched[intake->touched_count++] = slot;
	slot->touched = true;
	slot->refused[reason]++;
}

/* One record for each site and reason. There are no more of them than refused requests, so they fit the frame. */
static void
intake_put_refusals(struct intake *intake)
{
	for (size_t i = 0; i < intake->touched_count; i++) {
		struct site_slot *slot = intake->touched[i];
		const struct conf_site *site = &intake->conf->sites[slot - intake->slots];
		struct local_time local;
		(void)intake_site(intake, site, &local);
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			if (!slot->refused[reason])
				continue;
			struct hit hit = {
				.time_ms = intake_time_ms(intake),
				.day = local.day,
				.hour = (uint8_t)local.hour,
				.count = slot->refused[reason],
				.site = site->key_slice,
			};
			hit.values[HIT_REFUSED] = slice_of(reason_names[reason]);
			intake_put(intake, &hit);
			slot->refused[reason] = 0;
		}
		slot->touched = false;
	}
	intake->touched_count = 0;
}

/* --- a beacon --- */

static struct judge_case
intake_case(struct intake *intake, const struct call *call, const struct beacon *beacon,
	    const struct pending *pending)
{
	return (struct judge_case){
		.beacon = beacon,
		.request = call->request,
		.peer = call->peer,
		.site = pending->view.site,
		.page = pending->view.page,
		.day = pending->view.local.day,
		.time_ms = intake_time_ms(intake),
		.mono_ms = intake_mono_ms(intake),
	};
}

static void
intake_refuse(struct intake *intake, struct pending *pending, enum reason reason)
{
	struct front_counters *counters = intake->options.counters;
	_Atomic uint64_t *const by_reason[REASON_COUNT] = {
		[REASON_BOT] = &counters->hits_bot,
		[REASON_PREFETCH] = &counters->hits_prefetch,
		[REASON_RATE] = &counters->hits_rate,
		[REASON_REPEAT] = &counters->hits_repeat,
		[REASON_DUPLICATE] = &counters->hits_duplicate,
		[REASON_EXCLUDED] = &counters->hits_excluded,
		[REASON_LOCAL] = &counters->hits_local,
		[REASON_OPTOUT] = &counters->hits_optout,
		[REASON_ORIGIN] = &counters->hits_origin,
	};
	counter_add(by_reason[reason], 1);
	pending->view.counted = COUNTS_REFUSED;
	pending->view.reason = reason_names[reason];
	if (reason == REASON_BOT)
		intake_put_bot(intake, pending);
	else
		intake_count_refusal(intake, pending->site, reason);
}

int
intake_hit(struct intake *intake, const struct call *call, const struct beacon *beacon,
	   struct pending *pending)
{
	const struct judge_case hit = intake_case(intake, call, beacon, pending);
	struct judgement *judged = &intake->judgement;
	judge_hit(&intake->judge, &hit, judged);
	if (judged->reason == REASON_NONE)
		intake_put_view(intake, pending, slice_eq(beacon->scope, SLICE("page")));
	else
		intake_refuse(intake, pending, judged->reason);
	return judged->status;
}

bool
intake_explain(struct intake *intake, const struct call *call, const struct beacon *beacon,
	       const struct pending *pending, struct buf *out)
{
	const struct conf *conf = intake->conf;
	if (!networks_have(conf->trusted_proxies, conf->trusted_proxy_count, call->peer))
		return false;
	const struct judge_case hit = intake_case(intake, call, beacon, pending);
	struct judge judge = intake->judge;
	judge.limits = NULL;
	judge.nonces = judge.repeats = NULL;
	judge_hit(&judge, &hit, &intake->judgement);
	explain_text(out, &judge, &hit, &intake->judgement);
	return true;
}

const struct geo *
intake_geo(const struct intake *intake)
{
	return intake->rules->geo;
}

/* --- the commit --- */

static void
intake_show(struct intake *intake, const struct pending *pending, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!pending[i].counted)
			continue;
		if (!pending[i].page_only)
			board_add(pending[i].site->board, &pending[i].site->date);
		if (pending[i].view.page.ptr)
			pages_add(intake->options.pages, pending[i].key, pending[i].view.local.day);
	}
	counter_add(&intake->options.counters->hits_counted, intake->hit_count);
}

/* None of this pass's hits is in the journal: their senders may try again, with the same nonces. */
static void
intake_take_back(struct intake *intake, struct pending *pending, size_t count, int code)
{
	uint64_t held_back;
	if (intake->hit_count > 0 && log_again(&intake->journal_limit, 10000, &held_back))
		log_error("hits_refused reason=%s hits=%u held_back=%" PRIu64,
			  code == JOURNAL_FULL ? "journal_full" : "journal_write",
			  intake->hit_count, held_back);
	for (size_t i = 0; i < count; i++) {
		if (!pending[i].counted)
			continue;
		pending[i].counted = false;
		pending[i].status = 503;
		judge_release(&intake->judge, pending[i].nonce, pending[i].repeat);
	}
	counter_add(&intake->options.counters->hits_unavailable, intake->hit_count);
}

void
intake_commit(struct intake *intake, struct pending *pending, size_t count)
{
	intake_put_refusals(intake);
	if (intake->record_count == 0)
		return;
	int code = journal_write(intake->options.writer, buf_slice(&intake->records),
				 intake->record_count);
	if (code == 0)
		intake_show(intake, pending, count);
	else
		intake_take_back(intake, pending, count, code);
	buf_clear(&intake->records);
	intake->record_count = intake->hit_count = 0;
}
