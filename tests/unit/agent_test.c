/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sends a request: user agents as vendors document them, client hints, signs of bots, languages, screens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <unistd.h>

#include "hit/agent.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define WIN10 "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT
#define ANDROID_K "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
#define IPHONE                                                                                 \
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, " \
	"like Gecko) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "

static int
start_sodium(void **state)
{
	(void)state;
	return sodium_init() < 0;
}

static struct bots *
list_of(const char *content)
{
	char path[] = "/tmp/bots-XXXXXX", error[512];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	struct bots *bots = bots_read(path, error, sizeof(error));
	unlink(path);
	assert_non_null(bots);
	return bots;
}

static void
assert_text(struct slice got, const char *expected)
{
	char text[64];
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(got));
	assert_string_equal(text, expected);
	assert_int_equal(got.ptr != NULL, expected[0] != '\0');
}

struct expected {
	const char *user_agent;
	const char *browser, *system, *device; /* "": not known */
};

struct hinted {
	struct expected who;
	const char *brands, *platform, *mobile;
};

static const struct expected people[] = {
	{WIN10 "Chrome/124.0.0.0 Safari/537.36", "Chrome", "Windows", "desktop"},
	{WIN10 "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0", "Edge", "Windows", "desktop"},
	{WIN10 "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763", "Edge", "Windows", "desktop"},
	{WIN10 "Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0", "Opera", "Windows", "desktop"},
	{WIN10 "coc_coc_browser/103.0.150 Chrome/97.0.4692.150 Safari/537.36", "Coc Coc", "Windows",
	 "desktop"},
	{ANDROID_K "Chrome/124.0.0.0 Mobile Safari/537.36", "Chrome", "Android", "mobile"},
	{ANDROID_K "Chrome/124.0.0.0 Safari/537.36", "Chrome", "Android", "tablet"},
	{ANDROID_K "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "Samsung Internet",
	 "Android", "mobile"},
	{"Mozilla/5.0 (Linux; U; Android 10; en-US; RMX1911 Build/QKQ1.200209.002) " WEBKIT
	 "Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36",
	 "UC Browser", "Android", "mobile"},
	{"Mozilla/5.0 (Linux; U; Android 4.1.2; vi-vn; GT-N7100 Build/JZO54K) AppleWebKit/534.30 "
	 "(KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
	 "Android Browser", "Android", "mobile"},
	{"Mozilla/5.0 (Linux; Android 12; SM-A525F Build/SP1A.210812.016; wv) " WEBKIT
	 "Version/4.0 Chrome/120.0.6099.230 Mobile Safari/537.36 Zalo android/12100625 "
	 "ZaloTheme/light ZaloLanguage/vi",
	 "Zalo", "Android", "mobile"},
	{IPHONE "Mobile/15E148 Zalo iOS/502 ZaloTheme/light ZaloLanguage/vn", "Zalo", "iOS",
	 "mobile"},
	{IPHONE
	 "Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.36.102;FBDV/iPhone15,4;FBSN/iOS;FBLC/vi_VN]",
	 "Facebook", "iOS", "mobile"},
	{"Mozilla/5.0 (Linux; Android 13; SM-A336E Build/TP1A.220624.014; wv) " WEBKIT
	 "Version/4.0 Chrome/119.0.6045.163 Mobile Safari/537.36 "
	 "[FB_IAB/FB4A;FBAV/440.0.0.34.113;]",
	 "Facebook", "Android", "mobile"},
	{IPHONE "Mobile/15E148 [FBAN/MessengerForiOS;FBAV/396.0.0.25.106]", "Messenger", "iOS",
	 "mobile"},
	{IPHONE "Mobile/15E148 Instagram 342.0.3.30.92 (iPhone16,1; iOS 17_5; vi_VN; vi)",
	 "Instagram", "iOS", "mobile"},
	{IPHONE "Mobile/15E148 musical_ly_32.5.0 JsSdk/2.0 BytedanceWebview/d8a21c6", "TikTok",
	 "iOS", "mobile"},
	{IPHONE "Mobile/15E148 Safari Line/12.13.0", "Line", "iOS", "mobile"},
	{IPHONE "Version/17.5 Mobile/15E148 Safari/604.1", "Safari", "iOS", "mobile"},
	{IPHONE "CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1", "Chrome", "iOS", "mobile"},
	{IPHONE "FxiOS/124.0 Mobile/15E148 Safari/605.1.15", "Firefox", "iOS", "mobile"},
	{"Mozilla/5.0 (iPad; CPU OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	 "Version/16.3 Mobile/15E148 Safari/604.1",
	 "Safari", "iOS", "tablet"},
	{MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15", "Safari",
	 "macOS", "desktop"},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
	 "Firefox", "Windows", "desktop"},
	{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0",
	 "Firefox", "Linux", "desktop"},
	{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/121.0.0.0 Safari/537.36",
	 "Chrome", "ChromeOS", "desktop"},
	{"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
	 "Internet Explorer", "Windows", "desktop"},
	{"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0; Tablet PC 2.0)",
	 "Internet Explorer", "Windows", "desktop"},
	{"Mozilla/5.0 (Mobile; Nokia_2720_Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2",
	 "Firefox", "KaiOS", "mobile"},
	{"Mozilla/5.0 (Linux; Android 12; HarmonyOS; ELS-AN00; HMSCore 6.11.0.302) " WEBKIT
	 "Chrome/99.0.4844.88 HuaweiBrowser/13.0.5.303 Mobile Safari/537.36",
	 "Huawei Browser", "HarmonyOS", "mobile"},
	{"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) " WEBKIT "Version/5.0 TV Safari/537.36",
	 "Safari", "Tizen", "tv"},
	{"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT
	 "Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
	 "Chrome", "webOS", "tv"},
	{"Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7624; wv) " WEBKIT
	 "Version/4.0 Chrome/98.0.4758.101 Mobile Safari/537.36",
	 "Android WebView", "Android", "tv"},
	{"Mozilla/5.0 (PlayStation; PlayStation 5/5.50) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	 "Version/13.0 Safari/605.1.15",
	 "Safari", "PlayStation", "console"},
	{"Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; vi) Presto/2.8.119 Version/11.10",
	 "Opera Mini", "Java ME", "mobile"},
};

/* Brave, Edge, Coc Coc, an Android tablet and its desktop site, an iPad that calls itself a Mac; and nonsense. */
static const struct hinted hinted[] = {
	{{WIN10 "Chrome/124.0.0.0 Safari/537.36", "Brave", "Windows", "desktop"},
	 "\"Chromium\";v=\"124\", \"Brave\";v=\"124\", \"Not-A.Brand\";v=\"99\"",
	 "\"Windows\"",
	 "?0"},
	{{WIN10 "Chrome/124.0.0.0 Safari/537.36", "Edge", "Windows", "desktop"},
	 "\"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Microsoft Edge\";v=\"126\"",
	 NULL,
	 NULL},
	{{WIN10 "Chrome/95.0.4638.69 Safari/537.36", "Coc Coc", "Windows", "desktop"},
	 "\"CocCoc\";v=\"95\", \"Chromium\";v=\"95\", \";Not A Brand\";v=\"99\"",
	 "\"Windows\"",
	 "?0"},
	{{WIN10 "coc_coc_browser/103.0.150 Chrome/97.0.4692.150 Safari/537.36", "Coc Coc", "Linux",
	  "desktop"},
	 "\"Chromium\";v=\"97\", \"Google Chrome\";v=\"97\"",
	 "\"Linux\"",
	 "?0"},
	{{ANDROID_K "Chrome/124.0.0.0 Mobile Safari/537.36", "Chrome", "Android", "tablet"},
	 NULL,
	 "\"Android\"",
	 "?0"},
	{{"Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "Chrome/124.0.0.0 Safari/537.36", "Chrome",
	  "Android", "mobile"},
	 NULL,
	 "\"Android\"",
	 "?1"},
	{{MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15", "Safari",
	  "iOS", "tablet"},
	 NULL,
	 "\"iOS\"",
	 "?0"},
	{{"Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "Chrome/124.0.0.0 Safari/537.36", "Chrome",
	  "ChromeOS", "desktop"},
	 NULL,
	 "\"Chrome OS\"",
	 "?0"},
	{{"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/120.0.0.0 Safari/537.36", "Chrome",
	  "webOS", "tv"},
	 NULL,
	 "\"Linux\x01",
	 "?1"},
	{{WIN10 "Chrome/124.0.0.0 Safari/537.36", "Chrome", "Windows", "desktop"},
	 "\"",
	 "\"Windows",
	 "1"},
	{{WIN10 "Chrome/124.0.0.0 Safari/537.36", "Chrome", "Windows", "desktop"}, "", "\"\"", ""},
};

static void
expect_person(struct agent_memo *memo, struct bots *bots, const struct hinted *e)
{
	struct agent agent;
	struct http_request request = {
		.user_agent = slice_of(e->who.user_agent),
		.accept_language = SLICE("vi-VN,vi;q=0.9"),
		.ch_ua = slice_of(e->brands),
		.ch_ua_platform = slice_of(e->platform),
		.ch_ua_mobile = slice_of(e->mobile),
	};
	agent_find(memo, bots, &request, &agent);
	assert_text(agent.browser, e->who.browser);
	assert_text(agent.system, e->who.system);
	assert_text(agent.device, e->who.device);
	assert_text(agent.bot, "");
	assert_int_equal(agent.bot_line, 0);
	assert_null(agent.sign);
}

static void
test_people(void **state)
{
	(void)state;
	char error[512];
	struct bots *bots = bots_read("conf/bots.txt", error, sizeof(error));
	assert_non_null(bots);
	struct agent_memo *memo = agent_memo_new();
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < COUNT_OF(people); i++)
			expect_person(memo, bots, &(struct hinted){.who = people[i]});
		for (size_t i = 0; i < COUNT_OF(hinted); i++)
			expect_person(memo, bots, &hinted[i]);
	}
	expect_person(memo, NULL, &(struct hinted){.who = {"An unheard-of thing", "", "", ""}});
	agent_memo_free(memo);
	agent_memo_free(NULL);
	bots_unref(bots);
}

struct sign {
	const char *user_agent;
	const char *bot;
	const char *sign;
	int line;
	const char *accept_language; /* NULL: there is none */
	const char *brands;
};

#define CHROME WIN10 "Chrome/124.0.0.0 Safari/537.36"
static const struct sign signs[] = {
	{NULL, "(no user agent)", "no user agent", 0, "vi", NULL},
	{"", "(no user agent)", "no user agent", 0, "vi", NULL},
	{"Mozilla/5.0", "(too short)", "a user agent too short for a browser", 0, "vi", NULL},
	{"fifteen bytes..", "(too short)", "a user agent too short for a browser", 0, "vi", NULL},
	{"sixteen bytes...", "", NULL, 0, "vi", NULL},
	{"curl/8.5.0", "curl", NULL, 2, NULL, NULL},
	{"192.0.2.17", "(address)", "an address as user agent", 0, "vi", NULL},
	{"2001:db8::8:800:200c:417a", "(address)", "an address as user agent", 0, "vi", NULL},
	{"https://example.com/curl/", "(address)", "an address as user agent", 0, "vi", NULL},
	{"HTTP://example.com", "(address)", "an address as user agent", 0, "vi", NULL},
	{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "(random number)", "a random number as user agent",
	 0, "vi", NULL},
	{"D41D8CD98F00B204E9800998ECF8427E", "(random number)", "a random number as user agent", 0,
	 "vi", NULL},
	{"f81d4fae-7dec-11d0-a765-00a0c91e6bfg", "", NULL, 0, "vi", NULL},
	{CHROME, "", NULL, 0, "", NULL},
	{CHROME, "(no language)", "a browser without Accept-Language", 0, NULL, NULL},
	{"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/79.0.3945.79 Safari/537.36", "", NULL,
	 0, NULL, NULL},
	{IPHONE "Mobile/15E148 Zalo iOS/502 ZaloTheme/light ZaloLanguage/vn", "", NULL, 0, NULL,
	 NULL},
	{CHROME, "(headless)", "a browser without a window, by its client hints", 0, "vi",
	 "\"HeadlessChrome\";v=\"124\", \"Chromium\";v=\"124\""},
};

static void
test_signs(void **state)
{
	(void)state;
	struct bots *bots = list_of("# a list\ncurl  ^curl/\n");
	struct agent_memo *memo = agent_memo_new();
	for (size_t i = 0; i < 2 * COUNT_OF(signs); i++) {
		const struct sign *s = &signs[i % COUNT_OF(signs)];
		struct agent agent;
		struct http_request request = {
			.user_agent = slice_of(s->user_agent),
			.accept_language = slice_of(s->accept_language),
			.ch_ua = slice_of(s->brands),
		};
		agent_find(memo, bots, &request, &agent);
		assert_text(agent.bot, s->bot);
		assert_int_equal(agent.bot_line, s->line);
		assert_string_equal(agent.sign ? agent.sign : "", s->sign ? s->sign : "");
		assert_true(agent.bot.len <= HIT_WORD_MAX);
	}
	agent_memo_free(memo);
	bots_unref(bots);
}

static void
test_longest(void **state)
{
	(void)state;
	char text[8192];
	struct agent agent;
	struct agent_memo *memo = agent_memo_new();
	struct http_request request = {.user_agent = {text, AGENT_LONGEST}};
	memset(text, 'x', sizeof(text));
	agent_find(memo, NULL, &request, &agent);
	assert_text(agent.bot, "");
	request.user_agent.len++;
	agent_find(memo, NULL, &request, &agent);
	assert_text(agent.bot, "(too long)");
	request.user_agent.len = sizeof(text);
	agent_find(memo, NULL, &request, &agent);
	assert_text(agent.bot, "(too long)");
	agent_memo_free(memo);
}

static void
test_another_list(void **state)
{
	(void)state;
	struct bots *first = list_of("first  thing\n"), *second = list_of("\nsecond  thing\n");
	struct agent_memo *memo = agent_memo_new();
	struct agent agent;
	struct http_request request = {.user_agent = SLICE("a thing with a name")};
	struct bots *const lists[] = {first, second, NULL, first, first};
	static const char *const names[] = {"first", "second", "", "first", "first"};
	static const int lines[] = {1, 2, 0, 1, 1};
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		agent_find(memo, lists[i], &request, &agent);
		assert_text(agent.bot, names[i]);
		assert_int_equal(agent.bot_line, lines[i]);
	}
	/* The memo's own reference outlives the last of others. */
	bots_unref(first);
	bots_unref(second);
	agent_find(memo, first, &request, &agent);
	assert_text(agent.bot, "first");
	agent_memo_free(memo);
}

static uint32_t
random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Some words that mean something, in any order. */
static struct slice
random_agent(uint32_t *state, char *text, size_t room)
{
	static const char *const words[] = {
		"Mozilla/5.0 ",
		"(Linux; ",
		"Android ",
		"iPad",
		"Windows NT 10.0",
		"Chrome/1 ",
		"Safari/1 ",
		"Firefox/9 ",
		"Mobile ",
		"bot",
		"Edg/1",
		"Zalo ",
		"curl/",
		"X11; ",
		"Version/4 ",
		"SMART-TV ",
		"http://",
		"0123456789abcdef",
		"::",
		"x",
	};
	size_t len = 0;
	for (uint32_t left = random_next(state) % 8; left > 0; left--)
		len += (size_t)snprintf(text + len, room - len, "%s",
					words[random_next(state) % COUNT_OF(words)]);
	return (struct slice){text, len};
}

static void
assert_same(const struct agent *a, const struct agent *b)
{
	assert_true(slice_eq(a->browser, b->browser) && slice_eq(a->system, b->system));
	assert_true(slice_eq(a->device, b->device) && slice_eq(a->bot, b->bot));
	assert_int_equal(a->bot_line, b->bot_line);
	assert_ptr_equal(a->sign, b->sign);
}

static void
test_memo_changes_nothing(void **state)
{
	(void)state;
	static const char *const brands[] = {NULL, "\"Brave\";v=\"1\"", "\"HeadlessChrome\""};
	static const char *const platforms[] = {NULL, "\"Android\"", "\"Windows\""};
	static const char *const mobiles[] = {NULL, "?0", "?1"};
	uint32_t seed = 1589959927;
	struct bots *bots = list_of("bot  bot\ncurl  ^curl\nedge  Edg/1x\n");
	struct agent_memo *memo = agent_memo_new();
	for (int i = 0; i < 10000; i++) {
		char text[256];
		struct agent known, afresh;
		struct http_request request = {
			.user_agent = random_agent(&seed, text, sizeof(text)),
			.accept_language = slice_of(random_next(&seed) % 2 ? "vi" : NULL),
			.ch_ua = slice_of(brands[random_next(&seed) % COUNT_OF(brands)]),
			.ch_ua_platform =
				slice_of(platforms[random_next(&seed) % COUNT_OF(platforms)]),
			.ch_ua_mobile = slice_of(mobiles[random_next(&seed) % COUNT_OF(mobiles)]),
		};
		struct agent_memo *none = agent_memo_new();
		agent_find(memo, bots, &request, &known);
		agent_find(none, bots, &request, &afresh);
		assert_same(&known, &afresh);
		agent_find(memo, bots, &request, &known);
		assert_same(&known, &afresh);
		agent_memo_free(none);
	}
	agent_memo_free(memo);
	bots_unref(bots);
}

static void
test_prefetch(void **state)
{
	(void)state;
	static const char *const yes[] = {"prefetch",  "prefetch;prerender",
					  "Preview",   "prefetch;anonymous-client-ip",
					  "PRERENDER", "x preview"};
	static const char *const no[] = {NULL, "", "prefetc", "fetch", "pre-fetch"};
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		assert_true(agent_is_prefetch(&(struct http_request){.purpose = slice_of(yes[i])}));
	for (size_t i = 0; i < COUNT_OF(no); i++)
		assert_false(agent_is_prefetch(&(struct http_request){.purpose = slice_of(no[i])}));
}

static void
test_language(void **state)
{
	(void)state;
	static const struct {
		const char *tongue, *accept, *expected;
	} cases[] = {
		{"vi-VN", "en", "vi"},
		{"VI", NULL, "vi"},
		{"fil", NULL, "fil"},
		{"zh-Hant-TW", NULL, "zh"},
		{NULL, "da, en-gb;q=0.8, en;q=0.7", "da"}, /* RFC 9110 section 12.5.4 */
		{"", "vi-VN,vi;q=0.9,en-US;q=0.8", "vi"},
		{"english", "fr", "fr"},
		{"latn-VN", "fr", "fr"},
		{"v", "fr", "fr"},
		{"vi_VN", "fr", "fr"},
		{"v\xc3\xa9", NULL, ""},
		{"vi ", NULL, ""},
		{NULL, "*", ""},
		{NULL, "*, vi", "vi"},
		{NULL, "*;q=0.5,\ten-US ;q=0.4", "en"},
		{NULL, " , ,vi", "vi"},
		{NULL, "VI;q=1", "vi"},
		{NULL, "", ""},
		{NULL, ",", ""},
		{NULL, ";", ""},
		{NULL, NULL, ""},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[4];
		assert_text(
			agent_language(slice_of(cases[i].tongue), slice_of(cases[i].accept), out),
			cases[i].expected);
	}
}

static void
test_screen(void **state)
{
	(void)state;
	static const struct {
		const char *width, *expected;
	} cases[] = {
		{"1", "0-575"},
		{"360", "0-575"},
		{"575", "0-575"},
		{"576", "576-991"},
		{"991", "576-991"},
		{"992", "992-1439"},
		{"1439", "992-1439"},
		{"1440", "1440-1919"},
		{"1919", "1440-1919"},
		{"1920", "1920+"},
		{"32767", "1920+"},
		{"32768", ""},
		{"4294967656", ""},
		{"0", ""},
		{"", ""},
		{"-360", ""},
		{"360.5", ""},
		{"360px", ""},
		{" 360", ""},
		{"0360", "0-575"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_text(agent_screen(slice_of(cases[i].width)), cases[i].expected);
	assert_text(agent_screen((struct slice){NULL, 0}), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_another_list),
		cmocka_unit_test(test_memo_changes_nothing),
		cmocka_unit_test(test_prefetch),
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_screen),
	};
	return cmocka_run_group_tests(tests, start_sodium, NULL);
}
