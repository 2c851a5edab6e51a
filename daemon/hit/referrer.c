/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Referrers by name. A host is taken apart once, from the right: news.google.com.vn is the brand "google" with the
 * ending "com.vn" and "news" below it. One look into the table then says whose it is. Never guesses at a host that
 * only looks like one of the table.
 */
#include "hit/referrer.h"

#include "hit/beacon.h"
#include "hit/host.h"

#define BRAND_MAX 16

struct source {
	char brand[BRAND_MAX]; /* filled up with zeroes */
	struct slice name;
	struct slice below;  /* empty: anything. Goes before the brand's other rows */
	struct slice ending; /* empty: com and every country's: vn, com.vn, co.uk */
};

#define ROW(its_name, under, its_brand, its_ending)                               \
	{                                                                         \
		.brand = (its_brand), .name = {(its_name), sizeof(its_name) - 1}, \
		.below = {(under), sizeof(under) - 1},                            \
		.ending = {(its_ending), sizeof(its_ending) - 1},                 \
	}

/*
 * The likely ones first. An app's name is a domain turned around, com.google.android.gm, so that most apps need no row
 * of their own; `below` is then what stands behind the brand.
 */
static const struct source sources[] = {
	ROW("Gemini", "gemini", "google", ""),
	ROW("YouTube", "android.youtube", "google", ""),
	ROW("Google", "", "google", ""),
	ROW("Messenger", "orca", "facebook", "com"),
	ROW("Facebook", "", "facebook", "com"),
	ROW("Facebook", "", "fb", "com"),
	ROW("Facebook", "", "fb", "me"),
	ROW("Coc Coc", "", "coccoc", "com"),
	ROW("Bing", "", "bing", "com"),
	ROW("Bing", "bing", "microsoft", "com"),
	ROW("Copilot", "copilot", "microsoft", "com"),
	ROW("Zalo", "", "zalo", "me"),
	ROW("Zalo", "", "zaloapp", "com"),
	ROW("Zalo", "zalo", "zing", "com"),
	ROW("YouTube", "", "youtube", "com"),
	ROW("YouTube", "", "youtu", "be"),
	ROW("TikTok", "", "tiktok", "com"),
	ROW("TikTok", "", "zhiliaoapp", "com"),
	ROW("TikTok", "android.ugc.trill", "ss", "com"),
	ROW("Instagram", "", "instagram", "com"),
	ROW("Messenger", "", "messenger", "com"),
	ROW("Messenger", "", "m", "me"),
	ROW("Threads", "", "threads", "com"),
	ROW("Threads", "", "threads", "net"),
	ROW("ChatGPT", "", "chatgpt", "com"),
	ROW("ChatGPT", "chat", "openai", "com"),
	ROW("ChatGPT", "chatgpt", "openai", "com"),
	ROW("Perplexity", "", "perplexity", "ai"),
	ROW("Claude", "", "claude", "ai"),
	ROW("DeepSeek", "", "deepseek", "com"),
	ROW("Grok", "", "grok", "com"),
	ROW("DuckDuckGo", "", "duckduckgo", "com"),
	ROW("Yahoo", "", "yahoo", ""),
	ROW("Yandex", "", "yandex", ""),
	ROW("Yandex", "", "ya", "ru"),
	ROW("Baidu", "", "baidu", "com"),
	ROW("Ecosia", "", "ecosia", "org"),
	ROW("Brave", "search", "brave", "com"),
	ROW("Qwant", "", "qwant", "com"),
	ROW("Startpage", "", "startpage", "com"),
	ROW("Kagi", "", "kagi", "com"),
	ROW("Naver", "", "naver", "com"),
	ROW("Daum", "", "daum", "net"),
	ROW("Sogou", "", "sogou", "com"),
	ROW("360 Search", "", "so", "com"),
	ROW("X", "", "t", "co"),
	ROW("X", "", "x", "com"),
	ROW("X", "", "twitter", "com"),
	ROW("LinkedIn", "", "linkedin", "com"),
	ROW("LinkedIn", "", "lnkd", "in"),
	ROW("Pinterest", "", "pinterest", ""),
	ROW("Pinterest", "", "pin", "it"),
	ROW("Reddit", "", "reddit", "com"),
	ROW("Quora", "", "quora", "com"),
	ROW("Tumblr", "", "tumblr", "com"),
	ROW("Bluesky", "", "bsky", "app"),
	ROW("Snapchat", "", "snapchat", "com"),
	ROW("Hacker News", "news", "ycombinator", "com"),
	ROW("Telegram", "", "telegram", "org"),
	ROW("Telegram", "", "t", "me"),
	ROW("WhatsApp", "", "whatsapp", "com"),
	ROW("WhatsApp", "", "wa", "me"),
	ROW("Viber", "", "viber", "com"),
	ROW("LINE", "", "line", "me"),
	ROW("Discord", "", "discord", "com"),
	ROW("WeChat", "weixin", "qq", "com"),
	ROW("WeChat", "mp.weixin", "qq", "com"),
	ROW("Weibo", "", "weibo", "com"),
	ROW("Weibo", "", "weibo", "cn"),
	ROW("Weibo", "", "t", "cn"),
	ROW("VK", "", "vk", "com"),
	ROW("VK", "", "vk", "ru"),
	ROW("OK", "", "ok", "ru"),
};

struct parts {
	struct slice below, brand, ending;
};

static struct slice
before(struct slice text, const char *end)
{
	return (struct slice){text.ptr, (size_t)(end - text.ptr)};
}

static struct slice
behind(struct slice text, const char *start)
{
	return (struct slice){start + 1, (size_t)(text.ptr + text.len - start) - 1};
}

/* Splits off the last label; the whole text when it has only one. */
static struct slice
take_last(struct slice *text)
{
	const char *dot = memrchr(text->ptr, '.', text->len);
	struct slice last = dot ? behind(*text, dot) : *text;
	*text = dot ? before(*text, dot) : (struct slice){text->ptr, 0};
	return last;
}

static bool
is_com(struct slice label)
{
	return slice_eq(label, SLICE("com")) || slice_eq(label, SLICE("co"));
}

static struct parts
parts_of_host(struct slice host)
{
	struct parts parts = {.below = host};
	parts.ending = take_last(&parts.below);
	parts.brand = take_last(&parts.below);
	if (parts.ending.len == 2 && parts.below.len > 0 && is_com(parts.brand)) {
		parts.ending = behind(host, parts.brand.ptr - 1);
		parts.brand = take_last(&parts.below);
	}
	return parts;
}

static struct parts
parts_of_app(struct slice name)
{
	struct parts parts = {.below = name};
	const char *dot = memchr(name.ptr, '.', name.len);
	if (!dot)
		return parts;
	parts.ending = before(name, dot);
	parts.brand = behind(name, dot);
	dot = memchr(parts.brand.ptr, '.', parts.brand.len);
	parts.below = dot ? behind(parts.brand, dot) : (struct slice){parts.brand.ptr, 0};
	if (dot)
		parts.brand = before(parts.brand, dot);
	return parts;
}

/* com, vn, com.vn, co.uk: all that parts_of_host leaves together has a country at its end. */
static bool
is_any_country(struct slice ending)
{
	return ending.len == 2 || memchr(ending.ptr, '.', ending.len) ||
	       slice_eq(ending, SLICE("com"));
}

static bool
source_is(const struct source *source, const struct parts *parts)
{
	if (source->below.len > 0 && !slice_eq(source->below, parts->below))
		return false;
	return source->ending.len > 0 ? slice_eq(source->ending, parts->ending)
				      : is_any_country(parts->ending);
}

/* Absent: not in the table. Brands are compared as numbers: most rows are passed over with one look. */
static struct slice
find_name(struct parts parts)
{
	uint64_t wanted[2] = {0}, brand[2];
	_Static_assert(sizeof(wanted) == BRAND_MAX, "two words");
	if (parts.brand.len == 0 || parts.brand.len > BRAND_MAX)
		return (struct slice){0};
	memcpy(wanted, parts.brand.ptr, parts.brand.len);
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		memcpy(brand, sources[i].brand, sizeof(brand));
		if (brand[0] == wanted[0] && brand[1] == wanted[1] &&
		    source_is(&sources[i], &parts))
			return sources[i].name;
	}
	return (struct slice){0};
}

/* `what` is in lower case. */
static bool
skip(struct slice *text, struct slice what)
{
	if (text->len < what.len || (text->ptr[0] | 0x20) != what.ptr[0] ||
	    strncasecmp(text->ptr, what.ptr, what.len) != 0)
		return false;
	*text = (struct slice){text->ptr + what.len, text->len - what.len};
	return true;
}

/* www.vn is a name like any other, www.a.vn is a.vn. */
static struct slice
without_www(struct slice host)
{
	struct slice rest = host;
	return skip(&rest, SLICE("www.")) && memchr(rest.ptr, '.', rest.len) ? rest : host;
}

/* The host of a web page or the name of an app, as the URL has it; absent: it is neither. */
static struct slice
source_host(struct slice url, bool *app)
{
	struct slice rest = url, dash = SLICE("android-");
	*app = skip(&rest, SLICE("android-app://"));
	if (*app) /* url_host() knows no dash in a scheme */
		return url_host((struct slice){url.ptr + dash.len, url.len - dash.len});
	bool web = skip(&rest, SLICE("http://")) || skip(&rest, SLICE("https://"));
	return web ? url_host(url) : (struct slice){0};
}

struct slice
referrer_value(struct slice url, const struct conf *conf, const struct conf_site *site,
	       char out[HIT_VALUE_MAX])
{
	bool app;
	struct slice host = host_normalise(source_host(url, &app), out);
	if (!host.ptr)
		return SLICE("(direct)");
	if (!app && conf_site_naming_host(conf, host) == site)
		return SLICE("(internal)");
	host = app ? host : without_www(host);
	struct slice name = find_name(app ? parts_of_app(host) : parts_of_host(host));
	return name.ptr ? name : host;
}
