/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of configuration keys, and the words for talking about a row of it. Sets nothing, prints nothing. */
#include "base/conf_keys.h"

#include "base/conf_value.h"
#include "base/log.h"

#define MIB INT64_C(1048576)
#define DAY INT64_C(86400)

static const char *const sync_names[] = {
	[CONF_SYNC_ALWAYS] = "always",
	[CONF_SYNC_EVERYSEC] = "everysec",
	[CONF_SYNC_NO] = "no",
};
static const char *const gpc_names[] = {
	[CONF_GPC_NO] = "no",
	[CONF_GPC_ANONYMOUS] = "anonymous",
	[CONF_GPC_REFUSE] = "refuse",
};
static const char *const public_names[CONF_PUBLICS] = {
	[CONF_PUBLIC_METRICS] = "metrics",
	[CONF_PUBLIC_PAGES] = "pages",
	[CONF_PUBLIC_STATS] = "stats",
};
static const char *const forwarded_names[] = {
	[CONF_FORWARDED_FOR] = "x-forwarded-for",
	[CONF_FORWARDED] = "forwarded",
};
static const char *const language_names[] = {[CONF_VI] = "vi", [CONF_EN] = "en"};

#define X(id, name, kind, back) [SHOWN_##id] = name,
const char *const conf_row_names[CONF_ROW_NAMES] = {
	PERIODS(X)[CONF_ROW_ONLINE] = "online", [CONF_ROW_BOTS] = "bots"};
#undef X

#define AT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define TOP(field) .section = "", AT(struct conf, field)
#define JOURNAL(field) .section = "journal", AT(struct conf, field)
#define LIMITS(field) .section = "limits", AT(struct conf, field)
#define SITE(field) .section = "site", .reloadable = true, AT(struct conf_site, field)
#define LENGTH(type, field) .count_offset = offsetof(type, field)
#define WORDS(list) .words = (list), .word_count = COUNT_OF(list)

const struct conf_key conf_keys[] = {
	{
		.name = "state_dir",
		.type = CONF_TEXT,
		.initial = "/var/lib/thongke",
		.min = 1,
		.max = 1024,
		.help = "directory of the journal, the private Redis and the snapshot; local disk, "
			"one "
			"daemon",
		TOP(state_dir),
	},
	{
		.name = "listen",
		.type = CONF_LISTENS,
		.initial = "127.0.0.1:8080",
		.min = 1,
		.max = 16,
		.help = "addresses that browsers or a front server reach; with proxy behind one, "
			"connections begin with a PROXY protocol header",
		TOP(listens),
		LENGTH(struct conf, listen_count),
	},
	{
		.name = "admin_listen",
		.type = CONF_ADMIN_LISTENS,
		.initial = "127.0.0.1:8081",
		.min = 0,
		.max = 16,
		.help = "addresses of /metrics, /healthz and /readyz; never a public one",
		TOP(admin_listens),
		LENGTH(struct conf, admin_listen_count),
	},
	{
		.name = "base_path",
		.type = CONF_BASE_PATH,
		.initial = "",
		.max = 256,
		.help = "prefix of every path, where a front server does not strip it",
		TOP(base_path),
	},
	{
		.name = "workers",
		.type = CONF_NUMBER,
		.initial = "0",
		.min = 0,
		.max = 256,
		.help = "threads that serve requests; 0: one per CPU",
		TOP(workers),
	},
	{
		.name = "trusted_proxies",
		.type = CONF_NETWORKS,
		.initial = "127.0.0.0/8,::1/128,unix:",
		.min = 0,
		.max = 256,
		.reloadable = true,
		.help = "addresses and networks of front servers that name their clients",
		TOP(trusted_proxies),
		LENGTH(struct conf, trusted_proxy_count),
	},
	{
		.name = "forwarded",
		.type = CONF_CHOICE,
		.initial = "x-forwarded-for",
		WORDS(forwarded_names),
		.reloadable = true,
		.help = "header in which they do",
		TOP(forwarded),
	},
	{
		.name = "redis",
		.type = CONF_REDIS,
		.initial = "private",
		.max = 1024,
		.help = "private (thongked runs its own redis-server), or where one is",
		TOP(redis),
	},
	{
		.name = "redis_prefix",
		.type = CONF_REDIS_PREFIX,
		.initial = "thongke",
		.max = 64,
		.help = "what every Redis key begins with",
		TOP(redis_prefix),
	},
	{
		.name = "redis_password_file",
		.type = CONF_TEXT,
		.initial = "",
		.min = 0,
		.max = 1024,
		.help = "file whose first line is the password of an external Redis",
		TOP(redis_password_file),
	},
	{
		.name = "geoip",
		.type = CONF_FILES,
		.initial = "",
		.min = 0,
		.max = 8,
		.reloadable = true,
		.help = "country or city files (MMDB) that say where an address is; the first that "
			"knows it counts",
		TOP(geoip),
		LENGTH(struct conf, geoip_count),
	},
	{
		.name = "bots",
		.type = CONF_TEXT,
		.initial = "bots.txt",
		.min = 0,
		.max = 1024,
		.reloadable = true,
		.help = "list of bots' user agents; beside the installed files unless absolute",
		TOP(bots),
	},
	{
		.name = "referrer_blocklist",
		.type = CONF_TEXT,
		.initial = "",
		.min = 0,
		.max = 1024,
		.reloadable = true,
		.help = "file of hosts, one a line, whose referrals are not counted",
		TOP(referrer_blocklist),
	},
	{
		.name = "log_level",
		.type = CONF_CHOICE,
		.initial = "info",
		WORDS(log_level_names),
		.reloadable = true,
		.help = "least important level that is logged",
		TOP(log_level),
	},
	{
		.name = "demo",
		.type = CONF_SWITCH,
		.initial = "false",
		.help = "serve /demo, a page that shows every form of the counter",
		TOP(demo),
	},
	{
		.name = "sync",
		.type = CONF_CHOICE,
		.initial = "everysec",
		WORDS(sync_names),
		.help = "when the journal reaches the disk: before each answer, within a second, "
			"when the "
			"system likes",
		JOURNAL(sync),
	},
	{
		.name = "max_size",
		.type = CONF_SIZE,
		.initial = "1GiB",
		.min = 4 * MIB,
		.max = 16 * 1024 * 1024 * MIB,
		.help = "disk space the journal may take; goes before retain",
		JOURNAL(journal_max_size),
	},
	{
		.name = "retain",
		.type = CONF_SECONDS,
		.initial = "24h",
		.min = 1,
		.max = 30 * DAY,
		.help = "how long hits that Redis has stay in the journal, to heal a Redis that "
			"lost some",
		JOURNAL(journal_retain),
	},
	{
		.name = "connections",
		.type = CONF_NUMBER,
		.initial = "10000",
		.min = 1,
		.max = 1000000,
		.help = "connections that are open at once, over all workers",
		LIMITS(connections),
	},
	{
		.name = "hits_per_minute",
		.type = CONF_NUMBER,
		.initial = "120",
		.min = 0,
		.max = 1000000,
		.reloadable = true,
		.help = "hits that are counted of one client network; 0: no limit",
		LIMITS(hits_per_minute),
	},
	{
		.name = "pages_per_day",
		.type = CONF_NUMBER,
		.initial = "10000",
		.min = 1,
		.max = 1000000,
		.help = "pages in a site's table of one day; further ones are counted as (other)",
		LIMITS(pages_per_day),
	},
	{
		.name = "hosts",
		.type = CONF_HOSTS,
		.min = 1,
		.max = 1000,
		.help = "hosts whose pages belong to the site: names, *.name, addresses, * for any "
			"other",
		SITE(hosts),
		LENGTH(struct conf_site, host_count),
	},
	{
		.name = "timezone",
		.type = CONF_ZONE,
		.initial = "Asia/Ho_Chi_Minh",
		.min = 1,
		.max = 255,
		.help = "zone in which the site's days begin",
		SITE(timezone),
	},
	{
		.name = "language",
		.type = CONF_CHOICE,
		.initial = "vi",
		WORDS(language_names),
		.help = "language of labels and numbers",
		SITE(language),
	},
	{
		.name = "rows",
		.type = CONF_ROWS,
		.initial = "today,yesterday,month,year",
		.min = 1,
		.max = CONF_ROWS_MAX,
		WORDS(conf_row_names),
		.help = "rows of the counter, from top to bottom",
		SITE(rows),
		LENGTH(struct conf_site, row_count),
	},
	{
		.name = "metric",
		.type = CONF_CHOICE,
		.initial = "hits",
		.words = metric_names,
		.word_count = METRIC_COUNT,
		.help = "what the rows count",
		SITE(metric),
	},
	{
		.name = "public",
		.type = CONF_ROWS,
		.initial = "metrics,pages",
		.min = 0,
		.max = CONF_PUBLICS,
		WORDS(public_names),
		.help = "what anyone may read beside the rows",
		SITE(publics),
		LENGTH(struct conf_site, public_count),
	},
	{
		.name = "query",
		.type = CONF_QUERY,
		.initial = "",
		.min = 0,
		.max = 32,
		.help = "keys of a page's query that belong to the page; others are dropped",
		SITE(query),
		LENGTH(struct conf_site, query_count),
	},
	{
		.name = "aliases",
		.type = CONF_SITE_KEYS,
		.initial = "",
		.min = 0,
		.max = 100,
		.help = "former keys of the site: hits that name one are the site's",
		SITE(aliases),
		LENGTH(struct conf_site, alias_count),
	},
	{
		.name = "exclude",
		.type = CONF_NETWORKS,
		.initial = "",
		.min = 0,
		.max = 256,
		.help = "addresses and networks whose hits are not counted",
		SITE(exclude),
		LENGTH(struct conf_site, exclude_count),
	},
	{
		.name = "repeat",
		.type = CONF_SECONDS,
		.initial = "0",
		.min = 0,
		.max = DAY,
		.help = "time in which a visitor's views of one page count once; 0: each counts",
		SITE(repeat),
	},
	{
		.name = "visit_gap",
		.type = CONF_SECONDS,
		.initial = "1800",
		.min = 1,
		.max = DAY,
		.help = "a visitor not seen for this long begins a new visit",
		SITE(visit_gap),
	},
	{
		.name = "require_origin",
		.type = CONF_SWITCH,
		.initial = "false",
		.help = "refuse hits that have neither Origin nor Referer",
		SITE(require_origin),
	},
	{
		.name = "respect_gpc",
		.type = CONF_CHOICE,
		.initial = "no",
		WORDS(gpc_names),
		.help = "hits of browsers that ask not to be tracked: counted, counted without a "
			"visitor id, or not counted",
		SITE(respect_gpc),
	},
};

const size_t conf_key_count = COUNT_OF(conf_keys);

bool
conf_key_in(const struct conf_key *key, const char *section)
{
	return strcmp(key->section, section) == 0;
}

const struct conf_key *
conf_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_key_in(&conf_keys[i], section) && strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}

void
conf_key_name(const struct conf_key *key, const char *site, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s%s", key->section, key->section[0] ? "." : "",
		 site ? site : "", site ? "." : "", key->name);
}

/* What a value must look like; "%s": see bounds_of. A type without a text allows its words. */
static const char *const allowed_texts[] = {
	[CONF_TEXT] = "a text of %s bytes",
	[CONF_NUMBER] = "a number from %s",
	[CONF_SWITCH] = "true, false",
	[CONF_SIZE] = "a size from %s, such as 512KiB, 64MiB or 1GiB",
	[CONF_SECONDS] = "a duration from %s, such as 90m, 24h or 7d",
	[CONF_BASE_PATH] = "nothing, or a path such as /thongke",
	[CONF_REDIS] = "private, unix:/path, redis://[user:password@]host:port[/db]",
	[CONF_REDIS_PREFIX] = "letters, digits and :._- after a letter or digit",
	[CONF_ZONE] = "a time zone of this system such as Asia/Ho_Chi_Minh",
	[CONF_LISTENS] =
		"%s of host:port, [v6]:port, unix:/path (every address: 0.0.0.0:port, "
		"[::]:port), with \" proxy\" behind it where each connection begins with a "
		"PROXY protocol header",
	[CONF_ADMIN_LISTENS] = "%s of host:port, [v6]:port, unix:/path (every address: "
			       "0.0.0.0:port, [::]:port), without PROXY protocol",
	[CONF_HOSTS] =
		"%s host names (example.org, *.example.org, ::1, or * for any other) without "
		"scheme, port and path",
	[CONF_QUERY] = "%s names of query keys",
	[CONF_SITE_KEYS] = "%s keys of sites, in a-z, 0-9 and ._- after a letter or digit",
	[CONF_FILES] = "%s names of files",
	[CONF_NETWORKS] = "%s of addresses (192.0.2.1, 2001:db8::1), networks (10.0.0.0/8, "
			  "2001:db8::/32, nothing set beyond the prefix) or unix: for every unix "
			  "socket",
};

static void
add_word(char *out, size_t size, const char *word)
{
	size_t len = strlen(out);
	snprintf(out + len, size - len, "%s%s", len ? ", " : "", word);
}

static void
bounds_of(const struct conf_key *key, char *out, size_t size)
{
	char least[32], most[32];
	if (key->type == CONF_SIZE)
		snprintf(out, size, "%s to %s", conf_format_size(key->min, least, sizeof(least)),
			 conf_format_size(key->max, most, sizeof(most)));
	else if (key->type == CONF_SECONDS)
		snprintf(out, size, "%s to %s", conf_format_seconds(key->min, least, sizeof(least)),
			 conf_format_seconds(key->max, most, sizeof(most)));
	else
		snprintf(out, size, "%" PRId64 " to %" PRId64, key->min, key->max);
}

void
conf_key_allowed(const struct conf_key *key, char *out, size_t size)
{
	char bounds[80];
	const char *text = allowed_texts[key->type];
	out[0] = '\0';
	if (!text) {
		for (size_t i = 0; i < key->word_count; i++)
			add_word(out, size, key->words[i]);
		return;
	}
	const char *gap = strstr(text, "%s");
	if (!gap) {
		snprintf(out, size, "%s", text);
		return;
	}
	bounds_of(key, bounds, sizeof(bounds));
	snprintf(out, size, "%.*s%s%s", (int)(gap - text), text, bounds, gap + 2);
}

void
conf_key_list_names(const char *section, char *out, size_t size)
{
	const char *last = "";
	out[0] = '\0';
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		if (conf_key_in(key, section))
			add_word(out, size, key->name);
		else if (!section[0] && strcmp(key->section, last) != 0)
			add_word(out, size, key->section);
		last = key->section;
	}
}

/* Of listeners, whose rest follows from their text, and of files. Both begin with it. */
static bool
texts_differ(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b) != 0;
}

static bool
networks_differ(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct network)) != 0;
}

_Static_assert(offsetof(struct conf_listen, text) == 0, "a listener begins with its text");

static const struct {
	size_t size;
	bool (*differ)(const void *a, const void *b);
} list_items[] = {
	[CONF_LISTENS] = {sizeof(struct conf_listen), texts_differ},
	[CONF_ADMIN_LISTENS] = {sizeof(struct conf_listen), texts_differ},
	[CONF_FILES] = {sizeof(char *), texts_differ},
	[CONF_NETWORKS] = {sizeof(struct network), networks_differ},
};

static bool
lists_differ(const struct conf_key *key, const struct conf *a, const struct conf *b)
{
	size_t count = conf_key_list_length(key, a), size = list_items[key->type].size;
	if (count != conf_key_list_length(key, b))
		return true;
	const char *of_a = *(char *const *)((const char *)a + key->offset);
	const char *of_b = *(char *const *)((const char *)b + key->offset);
	for (size_t i = 0; i < count; i++)
		if (list_items[key->type].differ(of_a + i * size, of_b + i * size))
			return true;
	return false;
}

bool
conf_key_differs(const struct conf_key *key, const struct conf *a, const struct conf *b)
{
	const char *in_a = (const char *)a + key->offset, *in_b = (const char *)b + key->offset;
	if (conf_key_is_list(key))
		return lists_differ(key, a, b);
	if (key->type >= CONF_NUMBER && key->type <= CONF_SECONDS)
		return memcmp(in_a, in_b, key->size) != 0;
	return strcmp(*(char *const *)in_a, *(char *const *)in_b) != 0;
}
