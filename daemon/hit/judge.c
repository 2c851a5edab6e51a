/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judgement of a beacon, as one table of questions in their order: the first that has an objection ends it. What
 * costs more stands further down, and nothing is claimed for a hit that an earlier question refuses.
 */
#include "hit/judge.h"

#include <xxhash.h>

#include "hit/origin.h"
#include "hit/referrer.h"

#define X(id, name) [REASON_##id] = name,
const char *const reason_names[REASON_COUNT] = {[REASON_NONE] = NULL, REASONS(X)};
#undef X

#define AUTOMATED "(automated)"
#define INTERNAL "(internal)"

static bool
says_one(struct slice text)
{
	return text.len == 1 && *text.ptr == '1';
}

/* --- the questions --- */

static enum reason
ask_origin(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	out->origin = origin_judge(judge->conf, hit->site, hit->request, hit->beacon->url,
				   &out->origin_host);
	if (out->origin == ORIGIN_LOCAL)
		return REASON_LOCAL;
	if (out->origin == ORIGIN_FINE)
		return REASON_NONE;
	out->status = 403;
	return REASON_ORIGIN;
}

static enum reason
ask_exclusion(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	const struct conf_site *site = hit->site;
	client_find(&out->client, judge->conf, hit->peer, hit->request);
	if (site->exclude_count > 0 &&
	    networks_have(site->exclude, site->exclude_count, &out->client.address.any))
		return REASON_EXCLUDED;
	bool blocked = judge->rules->blocked && hit->beacon->referrer.len > 0 &&
		       blocklist_has(judge->rules->blocked, url_host(hit->beacon->referrer));
	return blocked ? REASON_EXCLUDED : REASON_NONE;
}

/* Sec-GPC and DNT, where they are sent, are "1". */
static bool
asks_for_privacy(const struct http_request *request)
{
	return says_one(request->gpc) || says_one(request->dnt);
}

static enum reason
ask_privacy(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	(void)judge, (void)out;
	bool refuse = hit->site->respect_gpc == CONF_GPC_REFUSE && asks_for_privacy(hit->request);
	return refuse ? REASON_OPTOUT : REASON_NONE;
}

/* A front server that names no client stands for all of them: no limit of one client fits it. */
static enum reason
ask_rate(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	int most = judge->conf->hits_per_minute;
	if (!judge->limits || most == 0 || out->client.how == CLIENT_LOST)
		return REASON_NONE;
	enum limit_verdict verdict =
		limits_take(judge->limits, &out->client.address.any, most, hit->mono_ms);
	if (verdict == LIMIT_FAR_OVER)
		out->status = 429;
	return verdict == LIMIT_WITHIN ? REASON_NONE : REASON_RATE;
}

static enum reason
ask_prefetch(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	(void)judge, (void)out;
	return agent_is_prefetch(hit->request) ? REASON_PREFETCH : REASON_NONE;
}

static enum reason
ask_agent(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	agent_find(judge->memo, judge->rules->bots, hit->request, &out->agent);
	out->automated = says_one(hit->beacon->automated);
	return out->agent.bot.ptr || out->automated ? REASON_BOT : REASON_NONE;
}

static void
find_visitor(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	bool anonymous =
		hit->site->respect_gpc == CONF_GPC_ANONYMOUS && asks_for_privacy(hit->request);
	if (anonymous || !judge->salts)
		return;
	struct salt salt = salts_get(judge->salts, hit->day);
	out->visitor = visitor_id(&salt, hit->site->key_slice, &out->client.address.any,
				  hit->request->user_agent);
}

/* A page view that was reported already, whatever it is: asked before `repeat`, which would take its answer away. */
static enum reason
ask_nonce(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	if (!judge->nonces || hit->beacon->nonce.len == 0)
		return REASON_NONE;
	uint64_t nonce = nonce_hash(hit->site->key_slice, hit->beacon->nonce);
	if (!nonces_claim(judge->nonces, nonce, hit->time_ms, NONCE_KEEP_MS))
		return REASON_DUPLICATE;
	out->nonce = nonce;
	return REASON_NONE;
}

static enum reason
ask_repeat(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	find_visitor(judge, hit, out);
	if (!judge->repeats || hit->site->repeat == 0 || out->visitor == 0 || !hit->page.ptr)
		return REASON_NONE;
	uint64_t hash = XXH3_64bits_withSeed(hit->page.ptr, hit->page.len, out->visitor);
	hash = hash ? hash : 1;
	if (!nonces_claim(judge->repeats, hash, hit->time_ms, hit->site->repeat * 1000))
		return REASON_REPEAT;
	out->repeat = hash;
	return REASON_NONE;
}

typedef enum reason question(const struct judge *judge, const struct judge_case *hit,
			     struct judgement *out);

static question *const questions[] = {
	ask_exclusion, ask_origin, ask_privacy, ask_rate,
	ask_prefetch,  ask_agent,  ask_nonce,   ask_repeat,
};

/* --- the rest --- */

/* The referrer is on the page's own host: of a site with "*" for a host there is no other way to tell. */
static bool
is_own(const struct beacon *beacon)
{
	struct slice host = url_host(beacon->referrer);
	return host.ptr && slice_case_eq(host, url_host(beacon->url));
}

static void
find_facts(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	const struct beacon *beacon = hit->beacon;
	if (judge->rules->geo)
		out->country = geo_country(judge->rules->geo, &out->client.address.any);
	out->referrer = is_own(beacon) ? SLICE(INTERNAL)
				       : referrer_value(beacon->referrer, judge->conf, hit->site,
							out->referrer_text);
	out->language =
		agent_language(beacon->tongue, hit->request->accept_language, out->language_text);
	out->screen = agent_screen(beacon->width);
}

void
judge_hit(const struct judge *judge, const struct judge_case *hit, struct judgement *out)
{
	/* All but the texts, which need no zeroes. */
	memset(out, 0, offsetof(struct judgement, referrer_text));
	out->status = 200;
	for (size_t i = 0; i < COUNT_OF(questions) && out->reason == REASON_NONE; i++)
		out->reason = questions[i](judge, hit, out);
	if (out->reason == REASON_NONE)
		find_facts(judge, hit, out);
	else if (out->reason == REASON_REPEAT)
		judge_release(judge, out->nonce, 0);
}

void
judge_release(const struct judge *judge, uint64_t nonce, uint64_t repeat)
{
	if (nonce)
		nonces_release(judge->nonces, nonce);
	if (repeat)
		nonces_release(judge->repeats, repeat);
}

struct slice
judgement_bot(const struct judgement *judgement)
{
	return judgement->agent.bot.ptr ? judgement->agent.bot : SLICE(AUTOMATED);
}
