/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `explain`: what a hit would be, and why, judged here by the same judge and the same files as the daemon's. Counts
 * nothing and asks nobody: what came before (limits, nonces, repeats) plays no part.
 */
#include <sodium.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "hit/explain.h"
#include "hit/page.h"

/* In no country and in nobody's network (RFC 5737); a browser like any other. */
#define ADDRESS_DEFAULT "192.0.2.1"
#define AGENT_DEFAULT \
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"

/* What the options say, as a request. */
struct asked {
	struct http_request request;
	struct beacon beacon;
	union address peer;
	const struct conf_site *site;
	char page[HIT_PAGE_MAX];
	size_t page_len;
};

static struct slice
absent_if_empty(const char *text)
{
	return text && *text ? slice_of(text) : (struct slice){0};
}

/* Of a browser whose language was not asked about nothing is known: that is not a browser that names none. */
static void
ask(struct asked *asked, const struct cli *cli)
{
	const char *address = cli->ip ? cli->ip : ADDRESS_DEFAULT;
	struct http_request *request = &asked->request;
	if (!address_parse_bare(slice_of(address), &asked->peer))
		cli_fail(CLI_USAGE, "--ip is an IPv4 or IPv6 address, not \"%s\"", address);
	request->user_agent =
		cli->user_agent ? absent_if_empty(cli->user_agent) : SLICE(AGENT_DEFAULT);
	request->accept_language =
		cli->accept_language ? absent_if_empty(cli->accept_language) : SLICE("");
	request->origin = absent_if_empty(cli->origin);
	asked->beacon.url = absent_if_empty(cli->url);
	asked->beacon.referrer = absent_if_empty(cli->referrer);
}

/* The site of -s, else the one that the daemon would find, else the only one. */
static void
find_site(struct asked *asked, const struct cli *cli)
{
	asked->site = cli_site_or_all(cli);
	if (!asked->site)
		asked->site = beacon_site(&asked->beacon, &asked->request, cli->conf);
	if (!asked->site)
		asked->site = cli_site(cli);
	asked->page_len = beacon_page(&asked->beacon, &asked->request, asked->site, asked->page);
}

/* A file that the daemon would not start with is the configuration's fault. */
static struct rules_current *
read_rules(const struct cli *cli)
{
	log_set_level(LOG_ERROR);
	die_as("thongke", CLI_CONF);
	return rules_current_new(cli->conf);
}

static void
judge(const struct cli *cli, struct asked *asked, struct judgement *judgement, struct buf *text)
{
	struct rules_current *current = read_rules(cli);
	struct rules *rules = rules_current_get(current);
	struct judge with = {.conf = cli->conf, .rules = rules};
	int64_t utc;
	with.memo = agent_memo_new();
	with.salts = salts_new();
	const struct judge_case hit = {
		.beacon = &asked->beacon,
		.request = &asked->request,
		.peer = &asked->peer.any,
		.site = asked->site,
		.page = asked->page_len ? (struct slice){asked->page, asked->page_len}
					: (struct slice){0},
		.day = cli_now(asked->site, &utc).day,
		.time_ms = clock_wall_ms(),
		.mono_ms = clock_mono_ms(),
	};
	judge_hit(&with, &hit, judgement);
	explain_text(text, &with, &hit, judgement);
	salts_free(with.salts);
	agent_memo_free(with.memo);
	rules_unref(rules);
	rules_current_free(current);
}

/* The lines of the text, "step    finding", as rows. */
static void
print_rows(const struct cli *cli, const struct conf_site *site, struct slice text)
{
	static const struct column columns[] = {{"step", WORD_SITE, COLUMN_TEXT, NULL},
						{"finding", WORD_SITE, COLUMN_TEXT, NULL}};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	table.site = site->key;
	table.timezone = site->timezone;
	const char *at = text.ptr, *end = text.ptr + text.len;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		const char *blank = memchr(at, ' ', (size_t)(line_end - at));
		struct cell *row = table_row(&table);
		cell_text(&row[0], (struct slice){at, (size_t)(blank - at)});
		while (*blank == ' ')
			blank++;
		cell_text(&row[1], (struct slice){blank, (size_t)(line_end - blank)});
		at = line_end + 1;
	}
	cli_print(cli, site, &table);
}

int
cmd_explain(struct cli *cli)
{
	struct judgement judgement;
	struct buf text = {0};
	if (sodium_init() < 0)
		cli_fail(CLI_NO, "libsodium does not start");
	struct asked *asked = xcalloc(1, sizeof(*asked));
	ask(asked, cli);
	find_site(asked, cli);
	judge(cli, asked, &judgement, &text);
	if (cli->rendering == RENDER_TABLE)
		cli_write(&text);
	else
		print_rows(cli, asked->site, buf_slice(&text));
	buf_release(&text);
	free(asked);
	if (judgement.reason == REASON_NONE)
		return CLI_FINE;
	fprintf(stderr, "thongke: such a hit is not counted: %s\n", reason_names[judgement.reason]);
	return CLI_NO;
}
