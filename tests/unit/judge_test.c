/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a hit is not counted: each reason provoked, and just not; what a hit that is refused must not have used up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "judge_here.h"

/* --- each reason, and just not --- */

static void
a_view(void **state)
{
	(void)state;
	struct judgement out = judged((struct asked){.origin = "https://portal.example.vn",
						     .referrer = "https://www.google.com/"});
	assert_int_equal(out.reason, REASON_NONE);
	assert_int_equal(out.status, 200);
	assert_true(out.visitor != 0);
	assert_true(slice_eq(out.referrer, SLICE("Google")));
	assert_true(slice_eq(out.language, SLICE("vi")));
	assert_true(slice_eq(out.agent.browser, SLICE("Firefox")));
	assert_true(slice_eq(out.agent.system, SLICE("Linux")));
	assert_non_null(out.screen.ptr);
	assert_null(out.country.ptr); /* no file is configured */
	assert_int_equal(out.nonce, 0);
	assert_int_equal(out.repeat, 0);
}

static void
excluded(void **state)
{
	(void)state;
	assert_reason(EXCLUDED, .site = "careful", .peer = "198.51.100.0");
	assert_reason(EXCLUDED, .site = "careful", .peer = "198.51.100.255");
	assert_reason(EXCLUDED, .site = "careful", .peer = "::ffff:198.51.100.7");
	assert_reason(NONE, .site = "careful", .peer = "198.51.99.255", .page = "/1");
	assert_reason(NONE, .site = "careful", .peer = "198.51.101.0", .page = "/2");
	assert_reason(NONE, .site = "portal", .peer = "198.51.100.7");
	/* The client is whom a trusted proxy names, not whom anybody does. */
	assert_reason(EXCLUDED, .site = "careful", .peer = "127.0.0.1",
		      .forwarded_for = "198.51.100.7");
	assert_reason(NONE, .site = "careful", .peer = "192.0.2.1", .page = "/3",
		      .forwarded_for = "198.51.100.7");
	assert_reason(EXCLUDED, .referrer = "http://spam.example/x");
	assert_reason(EXCLUDED, .referrer = "https://www.Spam.example:8443/");
	assert_reason(NONE, .referrer = "http://notspam.example/");
	assert_reason(NONE, .referrer = "http://spam.example.org/");
	assert_int_equal(judged((struct asked){.referrer = "http://spam.example/"}).status, 200);
}

static void
of_another_origin(void **state)
{
	(void)state;
	static const struct asked foreign[] = {
		{.origin = "https://evil.example"},
		{.referer = "https://evil.example/x"},
		{.origin = "https://other.example.vn"},
		{.origin = "https://portal.example.vn", .url = "https://evil.example/"},
		{.site = "strict"},
	};
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		struct judgement out = judged(foreign[i]);
		assert_int_equal(out.reason, REASON_ORIGIN);
		assert_int_equal(out.status, 403);
	}
	assert_reason(NONE, .origin = "https://portal.example.vn");
	assert_reason(NONE, .site = "strict", .origin = "https://strict.example.vn");
	assert_reason(LOCAL, .origin = "http://localhost:3000");
	assert_int_equal(judged((struct asked){.origin = "http://localhost"}).status, 200);
}

/* The signal is "1"; a site may refuse such hits, count them without a visitor, or take no notice. */
static void
privacy(void **state)
{
	(void)state;
#define STRICT .site = "strict", .origin = "https://strict.example.vn"
	assert_reason(OPTOUT, STRICT, .gpc = "1");
	assert_reason(OPTOUT, STRICT, .dnt = "1");
	assert_reason(OPTOUT, STRICT, .gpc = "0", .dnt = "1");
	assert_reason(NONE, STRICT, .gpc = "0");
	assert_reason(NONE, STRICT, .gpc = "11", .dnt = "");
	assert_reason(NONE, STRICT);
#undef STRICT
	const struct asked shy = {.site = "shy", .gpc = "1"}, seen = {.site = "shy"};
	for (int i = 0; i < 2; i++) {
		/* Without an id no page is repeated. */
		struct judgement out = judged(shy);
		assert_int_equal(out.reason, REASON_NONE);
		assert_int_equal(out.visitor, 0);
	}
	assert_true(judged(seen).visitor != 0);
	assert_true(judged((struct asked){.gpc = "1", .dnt = "1"}).visitor != 0);
}

static void
prefetched(void **state)
{
	(void)state;
	assert_reason(PREFETCH, .purpose = "prefetch");
	assert_reason(PREFETCH, .purpose = "prefetch;prerender");
	assert_reason(NONE, .purpose = "");
	assert_reason(NONE, .purpose = "fetch");
}

static void
bots(void **state)
{
	(void)state;
	static const char googlebot[] =
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
	struct judgement out = judged((struct asked){.agent = googlebot});
	assert_int_equal(out.reason, REASON_BOT);
	assert_int_equal(out.status, 200);
	assert_true(slice_eq(judgement_bot(&out), SLICE("Googlebot")));
	out = judged((struct asked){.automated = "1"});
	assert_int_equal(out.reason, REASON_BOT);
	assert_true(slice_eq(judgement_bot(&out), SLICE("(automated)")));
	/* What is known by name is called by it. */
	out = judged((struct asked){.automated = "1", .agent = googlebot});
	assert_true(slice_eq(judgement_bot(&out), SLICE("Googlebot")));
	assert_reason(BOT, .agent = "");
	assert_reason(NONE, .automated = "0");
	assert_reason(NONE, .automated = "11");
	assert_reason(NONE, .automated = "");
}

/* Three at once, then "rate"; what does not even fit ten times that is told to go away. A client is its network. */
static void
too_many(void **state)
{
	(void)state;
	conf->hits_per_minute = PER_MINUTE;
	for (int i = 1; i <= LIMIT_FAR * PER_MINUTE + 1; i++) {
		struct judgement out = judged((struct asked){0});
		assert_int_equal(out.reason, i <= PER_MINUTE ? REASON_NONE : REASON_RATE);
		assert_int_equal(out.status, i <= LIMIT_FAR * PER_MINUTE ? 200 : 429);
	}
	assert_reason(NONE, .peer = "192.0.2.2");
	assert_reason(NONE, .after_ms = 600000);
	/* A front server that names nobody stands for all of them. */
	for (int i = 0; i < 100; i++)
		assert_reason(NONE, .peer = "127.0.0.1");
	conf->hits_per_minute = 0;
	for (int i = 0; i < 100; i++)
		assert_reason(NONE, 0);
}

static void
nonces(void **state)
{
	(void)state;
	struct judgement out = judged((struct asked){.nonce = "n1"});
	assert_int_equal(out.reason, REASON_NONE);
	assert_int_equal(out.nonce, nonce_hash(SLICE("portal"), SLICE("n1")));
	assert_reason(DUPLICATE, .nonce = "n1");
	assert_reason(DUPLICATE, .nonce = "n1", .peer = "203.0.113.9", .page = "/elsewhere");
	assert_reason(NONE, .nonce = "n2");
	assert_reason(NONE, .nonce = "n1", .site = "other");
	assert_reason(NONE, .nonce = "");
	assert_reason(NONE, .nonce = "");
	assert_reason(DUPLICATE, .nonce = "n1", .after_ms = 599999);
	assert_reason(NONE, .nonce = "n1", .after_ms = 600000);
}

/* A visitor's same page within the site's 60 seconds. */
static void
repeats(void **state)
{
	(void)state;
	assert_true(judged((struct asked){.site = "careful"}).repeat != 0);
	assert_reason(REPEAT, .site = "careful");
	assert_reason(REPEAT, .site = "careful", .after_ms = 59999);
	assert_reason(NONE, .site = "careful", .page = "/other");
	assert_reason(NONE, .site = "careful", .peer = "192.0.2.2");
	assert_reason(NONE, .site = "careful", .agent = FIREFOX " (another)");
	assert_reason(NONE, .site = "careful", .after_ms = 60000);
	assert_reason(REPEAT, .site = "careful", .after_ms = 60001);
	assert_reason(NONE, 0);
	assert_reason(NONE, 0);
}

/* --- what is used up --- */

/* What each of these is refused for, a hit with the same nonce must not suffer for. */
static void
refused_hits_claim_nothing(void **state)
{
	(void)state;
#define SAME .site = "careful", .nonce = "n"
	assert_reason(EXCLUDED, SAME, .peer = "198.51.100.1");
	assert_reason(ORIGIN, SAME, .origin = "https://evil.example");
	assert_reason(LOCAL, SAME, .origin = "http://localhost");
	assert_reason(PREFETCH, SAME, .purpose = "prefetch");
	assert_reason(BOT, SAME, .agent = "");
	assert_reason(BOT, SAME, .automated = "1");
	conf->hits_per_minute = PER_MINUTE;
	for (int i = 0; i < PER_MINUTE; i++)
		assert_reason(PREFETCH, .site = "careful", .purpose = "prefetch");
	assert_reason(RATE, SAME);
	conf->hits_per_minute = 0;
	assert_reason(NONE, SAME);
	assert_reason(DUPLICATE, SAME);
	assert_reason(OPTOUT, .site = "strict", .origin = "https://strict.example.vn", .gpc = "1",
		      .nonce = "n");
	assert_reason(NONE, .site = "strict", .origin = "https://strict.example.vn", .nonce = "n");
#undef SAME
}

/* Who is not counted anyway takes nothing of what a network may send. */
static void
refused_hits_take_no_share(void **state)
{
	(void)state;
	conf->hits_per_minute = PER_MINUTE;
	for (int i = 0; i < 50; i++) {
		assert_reason(EXCLUDED, .referrer = "http://spam.example/");
		assert_reason(ORIGIN, .origin = "https://evil.example");
		assert_reason(LOCAL, .origin = "http://localhost");
		assert_reason(OPTOUT, .site = "strict", .origin = "https://strict.example.vn",
			      .gpc = "1");
	}
	for (int i = 0; i < PER_MINUTE; i++)
		assert_reason(NONE, 0);
	assert_reason(RATE, 0);
}

/* Told twice, a view is a duplicate, not a repeat: that answer would be another hit's. And a repeat keeps no nonce. */
static void
duplicates_come_before_repeats(void **state)
{
	(void)state;
	assert_reason(NONE, .site = "careful", .nonce = "n1");
	assert_reason(DUPLICATE, .site = "careful", .nonce = "n1");
	assert_reason(REPEAT, .site = "careful", .nonce = "n2");
	assert_reason(REPEAT, .site = "careful", .nonce = "n2");
	assert_reason(NONE, .site = "careful", .nonce = "n2", .page = "/other");
}

/* A hit that could not be written down may come again. */
static void
released(void **state)
{
	(void)state;
	struct judgement out = judged((struct asked){.site = "careful", .nonce = "n"});
	assert_true(out.nonce != 0 && out.repeat != 0);
	judge_release(&judge, out.nonce, 0);
	assert_reason(REPEAT, .site = "careful", .nonce = "n");
	judge_release(&judge, 0, out.repeat);
	out = judged((struct asked){.site = "careful", .nonce = "n"});
	assert_int_equal(out.reason, REASON_NONE);
	judge_release(&judge, out.nonce, out.repeat);
	assert_reason(NONE, .site = "careful", .nonce = "n");
	judge_release(&judge, 0, 0);
	assert_reason(DUPLICATE, .site = "careful", .nonce = "n");
}

/* Without tables nothing that came before plays a part, and nothing is used up. */
static void
without_a_past(void **state)
{
	(void)state;
	struct judge alone = judge;
	struct judgement out;
	alone.limits = NULL;
	alone.nonces = alone.repeats = NULL;
	conf->hits_per_minute = PER_MINUTE;
	for (int i = 0; i < 100; i++) {
		judge_with(&alone, &(struct asked){.site = "careful", .nonce = "n"}, &out, NULL,
			   NULL);
		assert_int_equal(out.reason, REASON_NONE);
		assert_int_equal(out.nonce, 0);
	}
	assert_reason(NONE, .site = "careful", .nonce = "n");
}

/* --- order --- */

/* Everything about it is wrong: what is put right lets the next objection speak. */
static void
the_first_objection_is_the_reason(void **state)
{
	(void)state;
	struct asked asked = {.site = "careful", .nonce = "n"};
	assert_int_equal(judged(asked).reason, REASON_NONE);
	conf->hits_per_minute = 1;
	assert_int_equal(judged((struct asked){.page = "/x"}).reason, REASON_NONE);
	asked.peer = "198.51.100.1";
	asked.origin = "https://evil.example";
	asked.purpose = "prefetch";
	asked.agent = "";
	assert_int_equal(judged(asked).reason, REASON_EXCLUDED);
	asked.peer = NULL;
	assert_int_equal(judged(asked).reason, REASON_ORIGIN);
	asked.origin = NULL;
	assert_int_equal(judged(asked).reason, REASON_RATE);
	conf->hits_per_minute = 0;
	assert_int_equal(judged(asked).reason, REASON_PREFETCH);
	asked.purpose = NULL;
	assert_int_equal(judged(asked).reason, REASON_BOT);
	asked.agent = NULL;
	assert_int_equal(judged(asked).reason, REASON_DUPLICATE);
	asked.nonce = NULL;
	assert_int_equal(judged(asked).reason, REASON_REPEAT);
	asked.page = "/y";
	assert_int_equal(judged(asked).reason, REASON_NONE);
}

/* The words that answers and the table of refused hits are known for. */
static void
names_of_reasons(void **state)
{
	(void)state;
	static const char *const names[REASON_COUNT] = {
		[REASON_BOT] = "bot",
		[REASON_PREFETCH] = "prefetch",
		[REASON_RATE] = "rate",
		[REASON_REPEAT] = "repeat",
		[REASON_DUPLICATE] = "duplicate",
		[REASON_EXCLUDED] = "excluded",
		[REASON_LOCAL] = "local",
		[REASON_OPTOUT] = "optout",
		[REASON_ORIGIN] = "origin",
	};
	assert_null(reason_names[REASON_NONE]);
	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
		assert_string_equal(reason_names[i], names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_view),
		TEST(excluded),
		TEST(of_another_origin),
		TEST(privacy),
		TEST(prefetched),
		TEST(bots),
		TEST(too_many),
		TEST(nonces),
		TEST(repeats),
		TEST(refused_hits_claim_nothing),
		TEST(refused_hits_take_no_share),
		TEST(duplicates_come_before_repeats),
		TEST(released),
		TEST(without_a_past),
		TEST(the_first_objection_is_the_reason),
		TEST(names_of_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
