/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of judgements: a small configuration, lists of bots and of blocked referrers, the tables that judges
 * share, and a request that counts until a test changes one thing about it.
 */
#ifndef TESTS_JUDGE_HERE_H
#define TESTS_JUDGE_HERE_H

#include <sodium.h>

#include "conf_files.h"
#include "hit/judge.h"

enum { TODAY = 18402 /* 2020-05-20 */, PER_MINUTE = 3 };

#define FIREFOX "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0"

static const char configuration[] =
	"trusted_proxies = {\"127.0.0.0/8\"}\n"
	"site \"portal\" { hosts = {\"portal.example.vn\", \"*.portal.example.vn\", \"10.9.8.7\"} "
	"}\n"
	"site \"other\" { hosts = {\"other.example.vn\"} }\n"
	"site \"any\" { hosts = {\"*\"} }\n"
	"site \"careful\" { hosts = {\"careful.example.vn\"} exclude = {\"198.51.100.0/24\"}\n"
	"                   repeat = 60 }\n"
	"site \"strict\" { hosts = {\"strict.example.vn\"} require_origin = true\n"
	"                  respect_gpc = \"refuse\" }\n"
	"site \"shy\" { hosts = {\"shy.example.vn\"} respect_gpc = \"anonymous\" repeat = 60 }\n";

static struct conf *conf;
static struct rules rules;
static struct judge judge;

/* What is asked of a judge, in words. NULL: absent. */
struct asked {
	const char *site;
	const char *origin, *referer, *agent, *purpose, *gpc, *dnt, *forwarded_for;
	const char *url, *referrer, *nonce, *automated, *page, *peer;
	int64_t after_ms; /* since the test began */
};

static inline int
set_up(void **state)
{
	char error[512];
	if (sodium_init() < 0 || make_directory(state))
		return -1;
	conf = load_text(configuration);
	conf->hits_per_minute = 0;
	write_file("bots.txt", "Googlebot  Googlebot\n");
	write_file("blocked.txt", "spam.example\n");
	rules = (struct rules){
		.bots = bots_read(path_of("bots.txt"), error, sizeof(error)),
		.blocked = blocklist_read(path_of("blocked.txt"), error, sizeof(error))};
	judge = (struct judge){
		.conf = conf,
		.rules = &rules,
		.memo = agent_memo_new(),
		.salts = salts_new(),
		.limits = limits_new(),
		.nonces = nonces_new(),
		.repeats = nonces_new(),
	};
	return rules.bots && rules.blocked ? 0 : -1;
}

static inline int
tear_down(void **state)
{
	agent_memo_free(judge.memo);
	salts_free(judge.salts);
	limits_free(judge.limits);
	nonces_free(judge.nonces);
	nonces_free(judge.repeats);
	bots_unref(rules.bots);
	blocklist_unref(rules.blocked);
	conf_unref(conf);
	return remove_directory(state);
}

static inline struct slice
or_default(const char *text, const char *otherwise)
{
	return slice_of(text ? text : otherwise);
}

/* An absent agent is Firefox, an absent page "/", an absent peer somebody; an empty one is empty. */
static inline struct http_request
request_of(const struct asked *asked)
{
	return (struct http_request){
		.method = HTTP_POST,
		.minor = 1,
		.origin = slice_of(asked->origin),
		.referer = slice_of(asked->referer),
		.user_agent = or_default(asked->agent, FIREFOX),
		.accept_language = SLICE("vi-VN,vi;q=0.9"),
		.purpose = slice_of(asked->purpose),
		.gpc = slice_of(asked->gpc),
		.dnt = slice_of(asked->dnt),
		.forwarded_for = slice_of(asked->forwarded_for),
	};
}

static inline void
judge_with(const struct judge *with, const struct asked *asked, struct judgement *out,
	   void (*look)(const struct judge_case *hit, const struct judgement *out, void *arg),
	   void *arg)
{
	static struct beacon beacon;
	const struct http_request request = request_of(asked);
	union address peer;
	beacon.url = slice_of(asked->url);
	beacon.referrer = slice_of(asked->referrer);
	beacon.nonce = slice_of(asked->nonce);
	beacon.automated = slice_of(asked->automated);
	beacon.width = SLICE("1920");
	assert_true(address_parse(or_default(asked->peer, "192.0.2.1"), &peer));
	const struct judge_case hit = {
		.beacon = &beacon,
		.request = &request,
		.peer = &peer.any,
		.site = conf_site_by_key(conf, or_default(asked->site, "portal")),
		.page = or_default(asked->page, "/"),
		.day = TODAY,
		.time_ms = INT64_C(1589959927000) + asked->after_ms,
		.mono_ms = 1000000 + asked->after_ms,
	};
	assert_non_null(hit.site);
	judge_hit(with, &hit, out);
	if (look)
		look(&hit, out, arg);
}

static inline struct judgement
judged(struct asked asked)
{
	struct judgement out;
	judge_with(&judge, &asked, &out, NULL, NULL);
	return out;
}

#define assert_reason(expected, ...) \
	assert_int_equal(judged((struct asked){__VA_ARGS__}).reason, REASON_##expected)

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
