/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What user agents say, by the words in them. They all claim to be each other, so the first row whose word is found
 * decides: what builds on something stands before it. Brands, platforms: the same in client hints.
 */
#include "hit/known.h"

struct browser {
	struct slice name;
	struct slice word;
	struct slice brand; /* in Sec-CH-UA */
	bool speaks;        /* always sends Accept-Language */
};

static const struct browser browsers[] = {
	{.name = {NULL, 0}},
	/* Apps that show pages themselves. */
	{.name = SLICE("Zalo"), .word = SLICE("Zalo")},
	{.name = SLICE("Messenger"), .word = SLICE("FBAN/Messenger")},
	{.name = SLICE("Messenger"), .word = SLICE("FB_IAB/Orca")},
	{.name = SLICE("Messenger"), .word = SLICE("FB_IAB/MESSENGER")},
	{.name = SLICE("Instagram"), .word = SLICE("Instagram")},
	{.name = SLICE("Threads"), .word = SLICE("Barcelona ")},
	{.name = SLICE("Messenger"), .word = SLICE("MetaIAB Messenger")},
	{.name = SLICE("Facebook"), .word = SLICE("MetaIAB")},
	{.name = SLICE("Facebook"), .word = SLICE("FBAN/")},
	{.name = SLICE("Facebook"), .word = SLICE("FBAV/")},
	{.name = SLICE("Facebook"), .word = SLICE("FB_IAB/")},
	{.name = SLICE("TikTok"), .word = SLICE("musical_ly")},
	{.name = SLICE("TikTok"), .word = SLICE("BytedanceWebview")},
	{.name = SLICE("TikTok"), .word = SLICE("TikTok")},
	{.name = SLICE("TikTok"), .word = SLICE("trill_")},
	{.name = SLICE("Line"), .word = SLICE(" Line/")},
	{.name = SLICE("WeChat"), .word = SLICE("MicroMessenger/")},
	{.name = SLICE("KakaoTalk"), .word = SLICE("KAKAOTALK")},
	{.name = SLICE("Viber"), .word = SLICE("Viber/")},
	{.name = SLICE("Telegram"), .word = SLICE("Telegram-")},
	{.name = SLICE("Snapchat"), .word = SLICE("Snapchat")},
	{.name = SLICE("Pinterest"), .word = SLICE("Pinterest/")},
	{.name = SLICE("Pinterest"), .word = SLICE("[Pinterest")},
	{.name = SLICE("LinkedIn"), .word = SLICE("LinkedInApp")},
	{.name = SLICE("Twitter"), .word = SLICE("Twitter for ")},
	{.name = SLICE("Twitter"), .word = SLICE("TwitterAndroid")},
	{.name = SLICE("Google app"), .word = SLICE("GSA/")},
	/* Browsers that are built on others. */
	{.name = SLICE("Coc Coc"), .word = SLICE("coc_coc_browser"), .brand = SLICE("CocCoc")},
	{.name = SLICE("Coc Coc"), .word = SLICE("CocCoc"), .brand = SLICE("Coc Coc")},
	{.name = SLICE("Edge"),
	 .word = SLICE("Edg/"),
	 .brand = SLICE("Microsoft Edge"),
	 .speaks = true},
	{.name = SLICE("Edge"), .word = SLICE("EdgA/"), .speaks = true},
	{.name = SLICE("Edge"), .word = SLICE("EdgiOS/"), .speaks = true},
	{.name = SLICE("Edge"), .word = SLICE("Edge/"), .speaks = true},
	{.name = SLICE("Opera Mini"), .word = SLICE("Opera Mini")},
	{.name = SLICE("Opera"), .word = SLICE("OPR/"), .brand = SLICE("Opera"), .speaks = true},
	{.name = SLICE("Opera"), .word = SLICE("OPT/"), .brand = SLICE("Opera GX")},
	{.name = SLICE("Opera"), .word = SLICE("OPiOS/")},
	{.name = SLICE("Opera"), .word = SLICE("OPX/")},
	{.name = SLICE("Opera"), .word = SLICE("Opera")},
	{.name = SLICE("Samsung Internet"),
	 .word = SLICE("SamsungBrowser/"),
	 .brand = SLICE("Samsung Internet"),
	 .speaks = true},
	{.name = SLICE("UC Browser"), .word = SLICE("UCBrowser/")},
	{.name = SLICE("UC Browser"), .word = SLICE("UBrowser/")},
	{.name = SLICE("UC Browser"), .word = SLICE("UCWEB")},
	{.name = SLICE("Vivaldi"), .word = SLICE("Vivaldi/"), .brand = SLICE("Vivaldi")},
	{.name = SLICE("Yandex"), .word = SLICE("YaBrowser/"), .brand = SLICE("YaBrowser")},
	{.name = SLICE("Yandex"), .word = SLICE("YaApp_"), .brand = SLICE("Yandex")},
	{.name = SLICE("DuckDuckGo"), .word = SLICE("DuckDuckGo/"), .brand = SLICE("DuckDuckGo")},
	{.name = SLICE("DuckDuckGo"), .word = SLICE("Ddg/")},
	{.name = SLICE("Brave"), .word = SLICE("Brave/"), .brand = SLICE("Brave")},
	{.name = SLICE("Brave"), .word = SLICE("Brave Chrome/")},
	{.name = SLICE("Whale"), .word = SLICE("Whale/"), .brand = SLICE("Whale")},
	{.name = SLICE("QQ Browser"), .word = SLICE("QQBrowser/")},
	{.name = SLICE("Mi Browser"), .word = SLICE("MiuiBrowser/")},
	{.name = SLICE("Huawei Browser"), .word = SLICE("HuaweiBrowser/")},
	{.name = SLICE("Oppo Browser"), .word = SLICE("HeyTapBrowser/")},
	{.name = SLICE("Oppo Browser"), .word = SLICE("OppoBrowser/")},
	{.name = SLICE("Vivo Browser"), .word = SLICE("VivoBrowser/")},
	{.name = SLICE("Silk"), .word = SLICE("Silk/"), .brand = SLICE("Amazon Silk")},
	{.name = SLICE("Puffin"), .word = SLICE("Puffin/")},
	{.name = SLICE("Maxthon"), .word = SLICE("Maxthon")},
	{.name = SLICE("360 Browser"), .word = SLICE("QihooBrowser")},
	{.name = SLICE("360 Browser"), .word = SLICE("360SE")},
	{.name = SLICE("Sogou"), .word = SLICE("MetaSr")},
	{.name = SLICE("Avast"), .word = SLICE("Avast/"), .brand = SLICE("Avast Secure Browser")},
	{.name = SLICE("Ecosia"), .word = SLICE("Ecosia"), .brand = SLICE("Ecosia")},
	{.name = SLICE("Aloha"), .word = SLICE("AlohaBrowser/")},
	{.name = SLICE("Phoenix"), .word = SLICE("PHX/")},
	{.name = SLICE("Iron"), .word = SLICE("Iron/"), .brand = SLICE("Iron")},
	{.name = SLICE("SeaMonkey"), .word = SLICE("SeaMonkey/")},
	{.name = SLICE("Pale Moon"), .word = SLICE("PaleMoon/")},
	{.name = SLICE("Waterfox"), .word = SLICE("Waterfox/")},
	{.name = SLICE("Firefox Focus"), .word = SLICE("Focus/")},
	{.name = SLICE("Firefox Focus"), .word = SLICE("Klar/")},
	/* What they are built on. */
	{.name = SLICE("Firefox"), .word = SLICE("FxiOS/"), .speaks = true},
	{.name = SLICE("Firefox"), .word = SLICE("Firefox/"), .speaks = true},
	{.name = SLICE("Internet Explorer"), .word = SLICE("Trident/"), .speaks = true},
	{.name = SLICE("Internet Explorer"), .word = SLICE("MSIE "), .speaks = true},
	{.name = SLICE("Chrome"), .word = SLICE("CriOS/"), .speaks = true},
	{.name = SLICE("Android WebView"), .word = SLICE("; wv)")},
	{.name = SLICE("Chrome"), .word = SLICE("Chrome/"), .speaks = true},
	{.name = SLICE("Chrome"), .word = SLICE("Chromium/"), .speaks = true},
	{.name = SLICE("BlackBerry"), .word = SLICE("BlackBerry")},
	{.name = SLICE("BlackBerry"), .word = SLICE("BB10;")},
	{.name = SLICE("Nokia Browser"), .word = SLICE("NokiaBrowser/")},
	{.name = SLICE("Nokia Browser"), .word = SLICE("BrowserNG/")},
	{.name = SLICE("Android Browser"), .word = SLICE("Android")},
	{.name = SLICE("Konqueror"), .word = SLICE("Konqueror/")},
	{.name = SLICE("GNOME Web"), .word = SLICE("Epiphany/")},
	{.name = SLICE("Falkon"), .word = SLICE("Falkon/")},
	{.name = SLICE("Safari"), .word = SLICE("Version/"), .speaks = true},
	{.name = SLICE("Safari"), .word = SLICE("Safari/")},
	{.name = SLICE("WebView"), .word = SLICE("AppleWebKit/")},
	{.name = SLICE("Gecko"), .word = SLICE(" Gecko/")},
};

struct system {
	struct slice name;
	struct slice word;
	struct slice platform; /* in Sec-CH-UA-Platform */
	bool handheld;         /* what is not mobile of it is a tablet */
};

static const struct system systems[] = {
	{.name = {NULL, 0}},
	{.name = SLICE("Windows Phone"), .word = SLICE("Windows Phone"), .handheld = true},
	{.name = SLICE("Windows Phone"), .word = SLICE("IEMobile"), .handheld = true},
	{.name = SLICE("Xbox"), .word = SLICE("Xbox")},
	{.name = SLICE("PlayStation"), .word = SLICE("PlayStation")},
	{.name = SLICE("PlayStation"), .word = SLICE("PLAYSTATION")},
	{.name = SLICE("Nintendo"), .word = SLICE("Nintendo")},
	{.name = SLICE("Windows"), .word = SLICE("Windows"), .platform = SLICE("Windows")},
	{.name = SLICE("KaiOS"), .word = SLICE("KAIOS/"), .handheld = true},
	{.name = SLICE("HarmonyOS"),
	 .word = SLICE("HarmonyOS"),
	 .platform = SLICE("HarmonyOS"),
	 .handheld = true},
	{.name = SLICE("HarmonyOS"),
	 .word = SLICE("OpenHarmony"),
	 .platform = SLICE("OpenHarmony"),
	 .handheld = true},
	{.name = SLICE("Tizen"), .word = SLICE("Tizen"), .platform = SLICE("Tizen")},
	{.name = SLICE("webOS"), .word = SLICE("Web0S")},
	{.name = SLICE("webOS"), .word = SLICE("webOS"), .platform = SLICE("webOS")},
	{.name = SLICE("webOS"), .word = SLICE("hpwOS/")},
	{.name = SLICE("BlackBerry"), .word = SLICE("BlackBerry"), .handheld = true},
	{.name = SLICE("BlackBerry"), .word = SLICE("BB10"), .handheld = true},
	{.name = SLICE("BlackBerry"), .word = SLICE("PlayBook"), .handheld = true},
	{.name = SLICE("Symbian"), .word = SLICE("Symbian"), .handheld = true},
	{.name = SLICE("Symbian"), .word = SLICE("SymbOS"), .handheld = true},
	{.name = SLICE("Symbian"), .word = SLICE("Series60"), .handheld = true},
	{.name = SLICE("Symbian"), .word = SLICE("Series 60"), .handheld = true},
	{.name = SLICE("Bada"), .word = SLICE("Bada/"), .handheld = true},
	{.name = SLICE("Android"),
	 .word = SLICE("Android"),
	 .platform = SLICE("Android"),
	 .handheld = true},
	{.name = SLICE("Fire OS"), .word = SLICE("Silk/"), .handheld = true},
	{.name = SLICE("iOS"), .word = SLICE("iPhone"), .platform = SLICE("iOS"), .handheld = true},
	{.name = SLICE("iOS"), .word = SLICE("iPad"), .handheld = true},
	{.name = SLICE("iOS"), .word = SLICE("iPod"), .handheld = true},
	{.name = SLICE("tvOS"), .word = SLICE("AppleTV")},
	{.name = SLICE("tvOS"), .word = SLICE("Apple TV")},
	{.name = SLICE("macOS"), .word = SLICE("Mac OS X"), .platform = SLICE("macOS")},
	{.name = SLICE("macOS"), .word = SLICE("Macintosh"), .platform = SLICE("Mac OS X")},
	{.name = SLICE("macOS"), .word = SLICE("Mac_PowerPC")},
	{.name = SLICE("ChromeOS"), .word = SLICE("CrOS"), .platform = SLICE("Chrome OS")},
	{.name = SLICE("ChromeOS"), .word = SLICE("Chromium OS"), .platform = SLICE("Chromium OS")},
	{.name = SLICE("Firefox OS"), .word = SLICE("(Mobile; "), .handheld = true},
	{.name = SLICE("Firefox OS"), .word = SLICE("(Tablet; "), .handheld = true},
	{.name = SLICE("BSD"), .word = SLICE("BSD")},
	{.name = SLICE("BSD"), .word = SLICE("DragonFly")},
	{.name = SLICE("Solaris"), .word = SLICE("SunOS")},
	{.name = SLICE("Java ME"), .word = SLICE("J2ME"), .handheld = true},
	{.name = SLICE("Java ME"), .word = SLICE("MIDP"), .handheld = true},
	{.name = SLICE("Linux"), .word = SLICE("Linux"), .platform = SLICE("Linux")},
	{.name = SLICE("Linux"), .word = SLICE("X11")},
	{.name = SLICE("Windows"), .word = SLICE("Win9")},
	{.name = SLICE("Windows"), .word = SLICE("WinNT")},
};

enum device { DEVICE_UNKNOWN, DESKTOP, MOBILE, TABLET, TV, CONSOLE };

static const struct slice device_names[] = {
	[DESKTOP] = SLICE("desktop"), [MOBILE] = SLICE("mobile"),   [TABLET] = SLICE("tablet"),
	[TV] = SLICE("tv"),           [CONSOLE] = SLICE("console"),
};

struct device_word {
	struct slice word;
	enum device device;
};

static const struct device_word device_words[] = {
	{SLICE("PlayStation"), CONSOLE},
	{SLICE("PLAYSTATION"), CONSOLE},
	{SLICE("Xbox"), CONSOLE},
	{SLICE("Nintendo"), CONSOLE},
	{SLICE("SMART-TV"), TV},
	{SLICE("SmartTV"), TV},
	{SLICE("Smart-TV"), TV},
	{SLICE("Smart TV"), TV},
	{SLICE("SmartHub"), TV},
	{SLICE("HbbTV"), TV},
	{SLICE("Web0S"), TV},
	{SLICE("NetCast"), TV},
	{SLICE("GoogleTV"), TV},
	{SLICE("Google TV"), TV},
	{SLICE("AndroidTV"), TV},
	{SLICE("Android TV"), TV},
	{SLICE("AppleTV"), TV},
	{SLICE("Apple TV"), TV},
	{SLICE("BRAVIA"), TV},
	{SLICE("MiTV"), TV},
	{SLICE("TV BOX"), TV},
	{SLICE("MiBOX"), TV},
	{SLICE("VIDAA"), TV},
	{SLICE("CrKey/"), TV},
	{SLICE("Roku"), TV},
	{SLICE("; AFT"), TV}, /* Amazon's Fire TV: AFTT, AFTMM, ... */
	{SLICE(" OMI/"), TV},
	{SLICE("LG Browser/"), TV},
	{SLICE("InettvBrowser"), TV},
	{SLICE("DTV"), TV},
	{SLICE("Tablet PC"), DESKTOP}, /* Internet Explorer on any Windows with ink */
	{SLICE("iPad"), TABLET},
	{SLICE("Tablet"), TABLET},
	{SLICE("PlayBook"), TABLET},
	{SLICE("Kindle"), TABLET},
	{SLICE("hpwOS/"), TABLET},
	{SLICE("Mobi"), MOBILE},
	{SLICE("iPhone"), MOBILE},
	{SLICE("iPod"), MOBILE},
	{SLICE("Phone"), MOBILE},
	{SLICE("Opera Mini"), MOBILE},
	{SLICE("UCWEB"), MOBILE},
	{SLICE("MIDP"), MOBILE},
	{SLICE("J2ME"), MOBILE},
	{SLICE("Symbian"), MOBILE},
	{SLICE("SymbOS"), MOBILE},
	{SLICE("BlackBerry"), MOBILE},
	{SLICE("KAIOS"), MOBILE},
	{SLICE("Android"), TABLET}, /* of a telephone it says Mobile as well */
	{SLICE("Silk/"), TABLET},
	{SLICE("Windows"), DESKTOP},
	{SLICE("Macintosh"), DESKTOP},
	{SLICE("Mac_PowerPC"), DESKTOP},
	{SLICE("CrOS"), DESKTOP},
	{SLICE("X11"), DESKTOP},
	{SLICE("Linux"), DESKTOP},
	{SLICE("BSD"), DESKTOP},
	{SLICE("Win9"), DESKTOP},
	{SLICE("WinNT"), DESKTOP},
};

_Static_assert(COUNT_OF(browsers) < 256 && COUNT_OF(systems) < 256, "a row is a byte");

static bool
has(struct slice text, struct slice word)
{
	return memmem(text.ptr, text.len, word.ptr, word.len) != NULL;
}

struct known
known_of_agent(struct slice agent)
{
	struct known known = {0};
	if (!agent.ptr)
		return known;
	for (size_t i = 1; i < COUNT_OF(browsers) && known.browser == 0; i++)
		if (has(agent, browsers[i].word))
			known.browser = (uint8_t)i;
	for (size_t i = 1; i < COUNT_OF(systems) && known.system == 0; i++)
		if (has(agent, systems[i].word))
			known.system = (uint8_t)i;
	for (size_t i = 0; i < COUNT_OF(device_words) && known.device == 0; i++)
		if (has(agent, device_words[i].word))
			known.device = (uint8_t)device_words[i].device;
	return known;
}

/* The next string of a structured field (RFC 8941), without its quotes; an escape in it is no brand's. */
static bool
next_string(struct slice *rest, struct slice *string)
{
	const char *start = rest->len > 0 ? memchr(rest->ptr, '"', rest->len) : NULL;
	if (!start)
		return false;
	const char *end = rest->ptr + rest->len;
	const char *close = memchr(start + 1, '"', (size_t)(end - start - 1));
	if (!close)
		return false;
	*string = (struct slice){start + 1, (size_t)(close - start - 1)};
	*rest = (struct slice){close + 1, (size_t)(end - close - 1)};
	return true;
}

static uint8_t
browser_of_brand(struct slice brand)
{
	for (size_t i = 1; i < COUNT_OF(browsers); i++)
		if (browsers[i].brand.ptr && slice_eq(browsers[i].brand, brand))
			return (uint8_t)i;
	return 0;
}

static uint8_t
system_of_platform(struct slice platform)
{
	for (size_t i = 1; i < COUNT_OF(systems); i++)
		if (systems[i].platform.ptr && slice_eq(systems[i].platform, platform))
			return (uint8_t)i;
	return 0;
}

/* Mobile or not, of a system of which both exist. A television is neither and stays what it is. */
static enum device
device_of_hint(struct known known, struct slice mobile)
{
	if (known.device == TV || known.device == CONSOLE)
		return (enum device)known.device;
	if (slice_eq(mobile, SLICE("?1")))
		return MOBILE;
	if (slice_eq(mobile, SLICE("?0")))
		return systems[known.system].handheld ? TABLET : DESKTOP;
	return (enum device)known.device;
}

struct known
known_with_hints(struct known known, struct slice brands, struct slice platform,
		 struct slice mobile)
{
	struct slice string;
	while (next_string(&brands, &string)) {
		uint8_t browser = browser_of_brand(string);
		known.browser = browser ? browser : known.browser;
	}
	if (next_string(&platform, &string)) {
		uint8_t system = system_of_platform(string);
		known.system = system ? system : known.system;
	}
	known.device = (uint8_t)device_of_hint(known, mobile);
	return known;
}

struct slice
known_browser(struct known known)
{
	return browsers[known.browser].name;
}

struct slice
known_system(struct known known)
{
	return systems[known.system].name;
}

struct slice
known_device(struct known known)
{
	return device_names[known.device];
}

bool
known_speaks(struct known known)
{
	return browsers[known.browser].speaks && known.device != TV && known.device != CONSOLE;
}
