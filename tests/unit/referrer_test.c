/* SPDX-License-Identifier: BSD-2-Clause */
/* What referrers are counted as: every row of the table by its public address or the name of its app; and look-alikes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_files.h"
#include "hit/referrer.h"

static const char configuration[] = "site \"portal\" { hosts = {\"portal.example.vn\", "
				    "\"*.portal.example.vn\", \"203.0.113.7\", "
				    "\"2001:db8::7\", \"in_house\"} }\n"
				    "site \"other\" { hosts = {\"other.example.vn\"} }\n"
				    "site \"any\" { hosts = {\"named.example\", \"*\"} }\n";

static void
assert_value(const struct conf *conf, const char *key, struct slice url, const char *expected)
{
	char out[HIT_VALUE_MAX];
	const struct conf_site *site = conf_site_by_key(conf, slice_of(key));
	struct slice got = referrer_value(url, conf, site, out);
	if (!slice_eq(got, slice_of(expected)))
		fail_msg("%.*s is \"%.*s\", not \"%s\"", SLICE_ARG(url), SLICE_ARG(got), expected);
}

struct row {
	const char *url, *value;
};

static void
assert_rows(const struct row *rows, size_t count)
{
	struct conf *conf = load_text(configuration);
	for (size_t i = 0; i < count; i++)
		assert_value(conf, "portal", slice_of(rows[i].url), rows[i].value);
	conf_unref(conf);
}

static const struct row named[] = {
	{"https://www.google.com/", "Google"},
	{"https://www.google.com.vn/search?q=x", "Google"},
	{"https://google.de", "Google"},
	{"https://www.google.co.uk/", "Google"},
	{"https://news.google.com/", "Google"},
	{"android-app://com.google.android.gm/", "Google"},
	{"android-app://com.google.android.googlequicksearchbox/", "Google"},
	{"https://gemini.google.com/app", "Gemini"},
	{"android-app://com.google.android.youtube", "YouTube"},
	{"https://www.facebook.com/", "Facebook"},
	{"https://l.facebook.com/l.php?u=x", "Facebook"},
	{"http://lm.facebook.com/", "Facebook"},
	{"http://m.facebook.com/", "Facebook"},
	{"https://fb.com/", "Facebook"},
	{"https://fb.me/x", "Facebook"},
	{"android-app://com.facebook.katana/", "Facebook"},
	{"android-app://com.facebook.orca", "Messenger"},
	{"https://l.messenger.com/", "Messenger"},
	{"https://m.me/x", "Messenger"},
	{"https://coccoc.com/search?query=x", "Coc Coc"},
	{"https://www.bing.com/", "Bing"},
	{"https://cn.bing.com/", "Bing"},
	{"android-app://com.microsoft.bing", "Bing"},
	{"https://copilot.microsoft.com/", "Copilot"},
	{"https://chat.zalo.me/", "Zalo"},
	{"https://zaloapp.com/", "Zalo"},
	{"android-app://com.zing.zalo/", "Zalo"},
	{"https://www.youtube.com/watch?v=x", "YouTube"},
	{"https://m.youtube.com/", "YouTube"},
	{"https://youtu.be/x", "YouTube"},
	{"https://www.tiktok.com/", "TikTok"},
	{"android-app://com.zhiliaoapp.musically/", "TikTok"},
	{"android-app://com.ss.android.ugc.trill/", "TikTok"},
	{"https://l.instagram.com/?u=x", "Instagram"},
	{"android-app://com.instagram.android", "Instagram"},
	{"https://l.threads.com/", "Threads"},
	{"https://www.threads.net/", "Threads"},
	{"https://chatgpt.com/", "ChatGPT"},
	{"https://chat.openai.com/", "ChatGPT"},
	{"android-app://com.openai.chatgpt", "ChatGPT"},
	{"https://www.perplexity.ai/", "Perplexity"},
	{"android-app://ai.perplexity.app.android", "Perplexity"},
	{"https://claude.ai/", "Claude"},
	{"https://chat.deepseek.com/", "DeepSeek"},
	{"https://grok.com/", "Grok"},
	{"https://duckduckgo.com/", "DuckDuckGo"},
	{"https://html.duckduckgo.com/", "DuckDuckGo"},
	{"https://search.yahoo.com/", "Yahoo"},
	{"https://search.yahoo.co.jp/", "Yahoo"},
	{"https://vn.search.yahoo.com/", "Yahoo"},
	{"https://yandex.ru/", "Yandex"},
	{"https://yandex.com.tr/", "Yandex"},
	{"https://ya.ru/", "Yandex"},
	{"android-app://ru.yandex.searchplugin", "Yandex"},
	{"https://www.baidu.com/link", "Baidu"},
	{"https://m.baidu.com/", "Baidu"},
	{"https://www.ecosia.org/", "Ecosia"},
	{"https://search.brave.com/", "Brave"},
	{"https://www.qwant.com/", "Qwant"},
	{"https://www.startpage.com/", "Startpage"},
	{"https://kagi.com/", "Kagi"},
	{"https://search.naver.com/", "Naver"},
	{"https://search.daum.net/", "Daum"},
	{"https://www.sogou.com/", "Sogou"},
	{"https://www.so.com/", "360 Search"},
	{"https://t.co/abc", "X"},
	{"https://x.com/", "X"},
	{"https://mobile.twitter.com/", "X"},
	{"android-app://com.twitter.android", "X"},
	{"https://www.linkedin.com/", "LinkedIn"},
	{"https://lnkd.in/x", "LinkedIn"},
	{"https://www.pinterest.com/", "Pinterest"},
	{"https://pinterest.co.uk/", "Pinterest"},
	{"https://pin.it/x", "Pinterest"},
	{"https://out.reddit.com/", "Reddit"},
	{"https://old.reddit.com/", "Reddit"},
	{"https://www.quora.com/", "Quora"},
	{"https://www.tumblr.com/", "Tumblr"},
	{"https://bsky.app/", "Bluesky"},
	{"https://go.bsky.app/", "Bluesky"},
	{"https://www.snapchat.com/", "Snapchat"},
	{"https://news.ycombinator.com/", "Hacker News"},
	{"https://web.telegram.org/", "Telegram"},
	{"https://t.me/x", "Telegram"},
	{"android-app://org.telegram.messenger", "Telegram"},
	{"https://web.whatsapp.com/", "WhatsApp"},
	{"https://wa.me/1", "WhatsApp"},
	{"https://www.viber.com/", "Viber"},
	{"https://line.me/", "LINE"},
	{"https://discord.com/", "Discord"},
	{"https://weixin.qq.com/", "WeChat"},
	{"https://mp.weixin.qq.com/", "WeChat"},
	{"https://weibo.com/", "Weibo"},
	{"https://m.weibo.cn/", "Weibo"},
	{"http://t.cn/x", "Weibo"},
	{"https://away.vk.com/", "VK"},
	{"https://vk.ru/", "VK"},
	{"https://ok.ru/", "OK"},
};

static void
names_from_the_table(void **state)
{
	(void)state;
	assert_rows(named, COUNT_OF(named));
}

static const struct row unnamed[] = {
	{"https://www.example.org/a?b#c", "example.org"},
	{"HTTPS://WWW.Example.ORG:8443/A", "example.org"},
	{"http://user:word@example.org/", "example.org"},
	{"http://example.org?x", "example.org"},
	{"http://example.org.", "example.org"},
	{"http://www.vn/", "www.vn"},
	{"http://www.example.vn", "example.vn"},
	{"http://www2.example.vn", "www2.example.vn"},
	{"http://wwwexample.vn", "wwwexample.vn"},
	{"http://localhost:3000/", "localhost"},
	{"http://198.51.100.7:8080/x", "198.51.100.7"},
	{"http://[2001:DB8:0:0::9]:80/x", "2001:db8::9"},
	{"http://xn--bo-tin-tc-yx0d.vn/", "xn--bo-tin-tc-yx0d.vn"},
	{"http://some_one.example/", "some_one.example"},
	{"https://other.example.vn/", "other.example.vn"}, /* another site's */
	{"android-app://Com.Example.App/path", "com.example.app"},
	{"android-app://org.example", "org.example"},
	{"android-app://example", "example"},
	/* What only looks like one of the table. */
	{"https://google.example.org/", "google.example.org"},
	{"https://notgoogle.com/", "notgoogle.com"},
	{"https://google.com.example.org/", "google.com.example.org"},
	{"https://www.google.info/", "google.info"},
	{"https://google.org.vn/", "google.org.vn"},
	{"https://google.com.info/", "google.com.info"},
	{"https://google.co.example/", "google.co.example"},
	{"https://google.blogspot.com/", "google.blogspot.com"},
	{"https://google/", "google"},
	{"https://facebook.com.vn/", "facebook.com.vn"},
	{"https://facebook.evil/", "facebook.evil"},
	{"https://myfacebook.com/", "myfacebook.com"},
	{"https://t.co.uk/", "t.co.uk"},
	{"https://com.vn/", "com.vn"},
	{"https://co.uk/", "co.uk"},
	{"https://www.microsoft.com/", "microsoft.com"},
	{"https://mail.qq.com/", "mail.qq.com"},
	{"https://platform.openai.com/", "platform.openai.com"},
	{"https://averyveryverylongbrand.com/", "averyveryverylongbrand.com"},
};

static void
other_hosts(void **state)
{
	(void)state;
	assert_rows(unnamed, COUNT_OF(unnamed));
}

static void
none_at_all(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"",
		"/a",
		"example.org",
		"//example.org/",
		"about:blank",
		"javascript:alert(1)",
		"file:///etc/passwd",
		"ftp://example.org/",
		"app://example.org/",
		"ios-app://example.org/",
		"http:",
		"http://",
		"http:///x",
		"http://:80/",
		"http://a b/",
		"http://a..b/",
		"http://.a/",
		"http://./",
		"http://../",
		"http://-a.org/",
		"http://a.-b/",
		"http://b\xc3\xa1o.vn/",
		"http://%61.org/",
		"http://a\"b.org/",
		"http://<script>/",
		"http://a,b.org/",
		"http://[::1/",
		"http://[::g]/",
		"http://[1.2.3.4]/",
		"http://[]/",
		"http://[fe80::1%eth0]/",
		"http://::1/",
		"android-app://",
		"android-app:///a.b",
		"android-app://a b/",
		"android-http://a.org/",
	};
	struct conf *conf = load_text(configuration);
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		assert_value(conf, "portal", slice_of(urls[i]), "(direct)");
	assert_value(conf, "portal", (struct slice){0}, "(direct)");
	assert_value(conf, "portal", SLICE("http://a\0b.org/"), "(direct)");
	conf_unref(conf);
}

static void
the_sites_own_hosts(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"http://portal.example.vn/",
		"https://Portal.Example.VN:8443/x",
		"https://www.portal.example.vn/",
		"https://a.b.portal.example.vn",
		"http://203.0.113.7/x",
		"http://[2001:db8:0::7]/",
		"http://in_house/",
	};
	struct conf *conf = load_text(configuration);
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		assert_value(conf, "portal", slice_of(urls[i]), "(internal)");
	assert_value(conf, "other", slice_of(urls[0]), "portal.example.vn");
	assert_value(conf, "portal", SLICE("android-app://portal.example.vn"), "portal.example.vn");
	/* The site of "*": it takes any host's pages, but not everybody is itself. */
	assert_value(conf, "any", SLICE("http://named.example/"), "(internal)");
	assert_value(conf, "any", SLICE("http://example.org/"), "example.org");
	assert_value(conf, "any", SLICE("https://www.google.com/"), "Google");
	conf_unref(conf);
}

static void
the_longest_host(void **state)
{
	(void)state;
	struct conf *conf = load_text(configuration);
	char url[512] = "http://", expected[HIT_VALUE_MAX + 1] = "";
	memset(url + 7, 'a', HIT_VALUE_MAX);
	memset(expected, 'a', HIT_VALUE_MAX);
	assert_value(conf, "portal", slice_of(url), expected);
	url[7 + HIT_VALUE_MAX] = 'a';
	assert_value(conf, "portal", slice_of(url), "(direct)");
	conf_unref(conf);
}

/* Every prefix, at the edge of its own memory, so that the sanitizers see a step too far. */
static void
every_prefix(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"https://www.google.com.vn/x", "http://[2001:db8::9]:80/",
		"android-app://com.google.android.gm/", "http://user@www.a.b./"};
	struct conf *conf = load_text(configuration);
	const struct conf_site *site = conf_site_by_key(conf, SLICE("portal"));
	for (size_t i = 0; i < COUNT_OF(urls); i++)
		for (size_t len = 0; len <= strlen(urls[i]); len++) {
			char *copy = xmalloc(len + !len), *out = xmalloc(HIT_VALUE_MAX);
			memcpy(copy, urls[i], len);
			struct slice got =
				referrer_value((struct slice){copy, len}, conf, site, out);
			assert_true(got.len > 0 && got.len <= HIT_VALUE_MAX);
			free(copy);
			free(out);
		}
	conf_unref(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_from_the_table), cmocka_unit_test(other_hosts),
		cmocka_unit_test(none_at_all),          cmocka_unit_test(the_sites_own_hosts),
		cmocka_unit_test(the_longest_host),     cmocka_unit_test(every_prefix),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
