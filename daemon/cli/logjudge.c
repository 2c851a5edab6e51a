/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of an access log counts as. The parts of the daemon's judge that a log has something to say about, in the
 * same order: who is excluded, who is a bot, what page, referrer, country, agent, visitor. Counts nothing itself.
 */
#include "cli/logjudge.h"

#include <xxhash.h>

#include "cli/accesslog.h"
#include "hit/agent.h"
#include "hit/beacon.h"
#include "hit/page.h"
#include "hit/reason.h"
#include "hit/referrer.h"
#include "hit/rules.h"

enum {
	TEXT_MAX =
		8 * 1024, /* of a target, referrer or agent with escapes in it; more is cut off */
	DAYS = 4096,      /* dates and clients known at once: powers of two */
	CLIENTS = 4096,
	NO_DAY = INT32_MIN,
};

/* A date, in the place that it shares with few others. */
struct known_day {
	int32_t day;
	struct logday facts;
};

/* What follows from the text that names the client. */
struct known_client {
	uint64_t key;          /* its hash; 0: nothing yet */
	union address address; /* AF_UNSPEC: a host name */
	struct slice country;  /* borrowed from the rules */
	bool excluded;
};

struct logjudge {
	struct logjudge_options options;
	struct rules_current *current;
	struct rules *rules;
	struct agent_memo *memo;
	struct accesslog log;
	struct zone_span span; /* the last line's */
	struct known_day days[DAYS];
	struct known_client clients[CLIENTS];
	char page[HIT_PAGE_MAX];
	char referrer[HIT_VALUE_MAX];
	char target_text[TEXT_MAX], referrer_text[TEXT_MAX], agent_text[TEXT_MAX];
	char host_text[TEXT_MAX], browser_text[HIT_VALUE_MAX], system_text[HIT_VALUE_MAX];
};

struct logjudge *
logjudge_new(const struct logjudge_options *options)
{
	struct logjudge *judge = xcalloc(1, sizeof(*judge));
	judge->options = *options;
	judge->current = rules_current_new(options->conf);
	judge->rules = rules_current_get(judge->current);
	judge->memo = agent_memo_new();
	for (size_t i = 0; i < DAYS; i++)
		judge->days[i].day = NO_DAY;
	return judge;
}

void
logjudge_free(struct logjudge *judge)
{
	if (!judge)
		return;
	agent_memo_free(judge->memo);
	rules_unref(judge->rules);
	rules_current_free(judge->current);
	free(judge);
}

/* --- what is remembered --- */

static const struct logday *
day_of(struct logjudge *judge, int32_t day)
{
	struct known_day *known = &judge->days[(uint32_t)day % DAYS];
	if (known->day != day) {
		judge->options.ask_day(day, &known->facts, judge->options.arg);
		known->day = day;
	}
	return &known->facts;
}

static void
know_client(const struct logjudge *judge, struct slice host, struct known_client *client)
{
	const struct conf_site *site = judge->options.site;
	if (!address_parse_bare(host, &client->address))
		client->address = (union address){.any.sa_family = AF_UNSPEC};
	const struct sockaddr *address = &client->address.any;
	client->excluded = networks_have(site->exclude, site->exclude_count, address);
	client->country =
		judge->rules->geo ? geo_country(judge->rules->geo, address) : (struct slice){0};
}

static const struct known_client *
client_of(struct logjudge *judge, struct slice host)
{
	uint64_t key = XXH3_64bits(host.ptr, host.len);
	struct known_client *client = &judge->clients[key % CLIENTS];
	key = key ? key : 1;
	if (client->key != key) {
		know_client(judge, host, client);
		client->key = key;
	}
	return client;
}

/* --- one line --- */

/* As it was sent; what is longer than `room` ends there. */
static struct slice
as_sent(const struct access *access, struct slice text, char *room, size_t size)
{
	if (!text.ptr || !accesslog_is_escaped(access->escape, text))
		return text;
	return (struct slice){room, accesslog_unescape(access->escape, text, room, size)};
}

/* The line's words, unescaped, with an address made of a referrer that has lost its scheme. */
static struct slice
referrer_of(struct logjudge *judge, const struct access *access)
{
	char *room = judge->referrer_text;
	struct slice text = access->referrer;
	if (!access->counted || text.len == 0)
		return as_sent(access, text, room, TEXT_MAX);
	static const char scheme[] = "https://";
	size_t len = sizeof(scheme) - 1;
	memcpy(room, scheme, len);
	len += accesslog_unescape(access->escape, text, room + len, TEXT_MAX - len);
	return (struct slice){room, len};
}

static bool
is_blocked(const struct logjudge *judge, struct slice referrer)
{
	const struct blocklist *blocked = judge->rules->blocked;
	return blocked && referrer.len > 0 && blocklist_has(blocked, url_host(referrer));
}

/* A name tells visitors apart as an address would. */
static uint64_t
visitor_of(struct logjudge *judge, const struct known_client *client, struct slice host,
	   struct slice agent, int32_t day)
{
	char text[TEXT_MAX];
	struct slice site = judge->options.site->key_slice;
	const struct salt *salt = &day_of(judge, day)->salt;
	if (client->address.any.sa_family != AF_UNSPEC)
		return visitor_id(salt, site, &client->address.any, agent);
	size_t host_len = host.len < TEXT_MAX / 2 ? host.len : TEXT_MAX / 2;
	size_t agent_len = agent.len < TEXT_MAX / 2 - 1 ? agent.len : TEXT_MAX / 2 - 1;
	memcpy(text, host.ptr, host_len);
	text[host_len] = ' ';
	if (agent_len > 0)
		memcpy(text + host_len + 1, agent.ptr, agent_len);
	return visitor_id(salt, site, &client->address.any,
			  (struct slice){text, host_len + 1 + agent_len});
}

/* A log of the common format says nothing of agents: that is not a request without one. No log tells languages. */
static struct agent
agent_of(struct logjudge *judge, struct slice user_agent)
{
	struct agent agent = {0};
	struct http_request request = {.user_agent = user_agent, .accept_language = SLICE("")};
	if (user_agent.ptr)
		agent_find(judge->memo, judge->rules->bots, &request, &agent);
	return agent;
}

static void
find_time(struct logjudge *judge, int64_t utc, struct hit *hit)
{
	const struct conf_site *site = judge->options.site;
	if (utc < judge->span.from || utc >= judge->span.to)
		judge->span = zone_at(site->zone, utc);
	struct local_time local = zone_span_local(judge->span, utc);
	*hit = (struct hit){
		.time_ms = utc * 1000,
		.day = local.day,
		.hour = (uint8_t)local.hour,
		.site = site->key_slice,
		.count = 1,
	};
}

static void
find_page(struct logjudge *judge, const struct access *access, struct hit *hit)
{
	struct slice target = as_sent(access, access->target, judge->target_text, TEXT_MAX);
	const struct conf_site *site = judge->options.site;
	size_t len = page_normalise(target, site->query, site->query_count, judge->page);
	if (len > 0)
		hit->values[HIT_PAGES] = (struct slice){judge->page, len};
}

/* A value of a counter's own, kept harmless and short. */
static struct slice
word_of(const struct access *access, struct slice text, char room[HIT_VALUE_MAX])
{
	size_t len = text.len ? accesslog_unescape(access->escape, text, room, HIT_WORD_MAX) : 0;
	for (size_t i = 0; i < len; i++)
		if (room[i] < ' ' || room[i] > '~')
			return (struct slice){0};
	return len ? (struct slice){room, len} : (struct slice){0};
}

/* What a counter found out itself about a hit that it counted. */
static void
take_counted(struct logjudge *judge, const struct access *access, struct hit *hit)
{
	hit->values[HIT_BROWSERS] = word_of(access, access->browser, judge->browser_text);
	hit->values[HIT_SYSTEMS] = word_of(access, access->system, judge->system_text);
	hit->values[HIT_COUNTRIES] = access->country;
	hit->values[HIT_SCREENS] = agent_screen(access->screen);
}

/* The same values as a beacon's; what the log has no column for is absent. */
static enum logjudge_verdict
judge_access(struct logjudge *judge, const struct access *access, struct hit *hit)
{
	const struct logjudge_options *options = &judge->options;
	struct slice host = as_sent(access, access->host, judge->host_text, TEXT_MAX);
	const struct known_client *client = client_of(judge, host);
	struct slice referrer = referrer_of(judge, access);
	struct slice user_agent = as_sent(access, access->agent, judge->agent_text, TEXT_MAX);
	find_time(judge, access->utc, hit);
	if (client->excluded || is_blocked(judge, referrer)) {
		hit->values[HIT_REFUSED] = slice_of(reason_names[REASON_EXCLUDED]);
		return LOGJUDGE_EXCLUDED;
	}
	struct agent agent = agent_of(judge, user_agent);
	if (access->bot)
		agent.bot = SLICE("(another counter's)");
	if (agent.bot.ptr) {
		hit->values[HIT_BOTS] = agent.bot;
		return LOGJUDGE_BOT;
	}
	find_page(judge, access, hit);
	hit->visitor = visitor_of(judge, client, host, user_agent, hit->day);
	hit->values[HIT_COUNTRIES] = client->country;
	hit->values[HIT_BROWSERS] = agent.browser;
	hit->values[HIT_SYSTEMS] = agent.system;
	hit->values[HIT_DEVICES] = agent.device;
	if (access->counted)
		take_counted(judge, access, hit);
	if (referrer.ptr)
		hit->values[HIT_REFERRERS] =
			referrer_value(referrer, options->conf, options->site, judge->referrer);
	return LOGJUDGE_VIEW;
}

/* Whether the line is about another site. */
static bool
is_foreign(const struct logjudge *judge, const struct access *access)
{
	const struct logjudge_options *options = &judge->options;
	const struct conf_site *site =
		access->vhost.len ? conf_site_by_host(options->conf, access->vhost) : NULL;
	return site ? site != options->site : options->named;
}

static bool
is_counted(const struct logjudge *judge, const struct access *access)
{
	if (is_foreign(judge, access))
		return false;
	if (access->counted)
		return true;
	return judge->options.all ? access->target.len > 0 : accesslog_is_view(access);
}

enum logjudge_verdict
logjudge_line(struct logjudge *judge, struct slice line, struct hit *hit)
{
	struct access access;
	const struct logformat *format = judge->options.format;
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (format ? !logformat_parse(format, &judge->log, line, &access)
		   : !accesslog_parse(&judge->log, line, &access))
		return LOGJUDGE_BAD;
	return is_counted(judge, &access) ? judge_access(judge, &access, hit) : LOGJUDGE_SKIPPED;
}

int64_t
logjudge_beacon_hits(struct logjudge *judge, const struct hit *hit)
{
	return day_of(judge, hit->day)->beacon_hits;
}
