/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `forget`: a site, a page or a period of it, or who its visitors were; and everything, which is the way to start afresh.
 * Hits of before that are still on their way to Redis, or come there again, are not counted any more (store/marks.h).
 */
#include "base/clock.h"
#include "cli/change.h"
#include "show/counts.h"
#include "store/forget.h"
#include "store/merge.h"

enum { OUTLAST_MAX_MS = 100 };

struct forget {
	struct cli *cli;
	struct store *store;
	struct forgetting what;
	char page[HIT_PAGE_MAX];
	int32_t today; /* UTC */
	size_t keys;   /* of all shards */
	int64_t hits;  /* COUNT_UNKNOWN: not said */
};

/* --- what --- */

static void
take_period(struct forget *forget)
{
	struct forgetting *what = &forget->what;
	const char *text = forget->cli->period;
	what->scope = MARK_PERIOD;
	if (!period_parse(slice_of(text), &what->kind, &what->id) || what->kind == PERIOD_ALL)
		cli_fail(CLI_USAGE,
			 "--period is one like 2020-05-20, 2020-W21, 2020-05 or 2020, not \"%s\"",
			 text);
	if (period_first_day(what->kind, what->id) > forget->today + 1)
		cli_fail(CLI_USAGE, "that period lies ahead");
}

static void
take_what(struct forget *forget)
{
	const struct cli *cli = forget->cli;
	struct forgetting *what = &forget->what;
	if (!!cli->page + !!cli->period + cli->visitor_data > 1)
		cli_fail(CLI_USAGE, "one of --page, --period and --visitor-data at a time");
	if (cli->all && (cli->site_key || cli->page || cli->period))
		cli_fail(CLI_USAGE, "--all is every site, and all of it");
	what->site = cli->all ? SLICE("*") : change_site(cli);
	what->shard = crc16_xmodem(what->site) % CONF_SHARDS;
	what->scope = cli->visitor_data ? MARK_VISITORS : MARK_SITE;
	what->kind = PERIOD_ALL;
	if (cli->period)
		take_period(forget);
	if (cli->page) {
		what->scope = MARK_PAGE;
		what->page = change_page(cli, what->site, forget->page);
	}
}

static void
describe(struct change *change, const struct forgetting *what)
{
	struct buf *to = &change->what;
	char name[PERIOD_NAME_SIZE];
	buf_addf(to, "forget ");
	if (what->scope == MARK_PERIOD)
		buf_addf(to, "%s of ", period_name(what->kind, what->id, name));
	if (what->scope == MARK_PAGE)
		buf_addf(to, "the page %.*s of ", SLICE_ARG(what->page));
	if (what->scope == MARK_VISITORS)
		buf_addf(to, "the visitors of ");
	if (change->site)
		buf_addf(to, "%s%s", what->scope == MARK_SITE ? "everything of " : "",
			 change->site);
	else
		buf_addf(to, "every site");
}

/* --- doing it --- */

/* A hit in the same millisecond is one of before: whoever counts one when this has ended shall find it counted. */
static void
outlast(int64_t ms)
{
	for (int i = 0; i < OUTLAST_MAX_MS && clock_wall_ms() <= ms; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void
forget_in(struct forget *forget, struct slice site, int shard, bool apply)
{
	struct forgetting what = forget->what;
	what.site = site;
	what.shard = shard;
	cli_check(forget->store, store_forget(forget->store, &what, apply));
	forget->keys += what.keys;
	if (apply)
		outlast(what.ms);
}

/* What journals still hold of a former key would come to the site. */
static void
forget_alias(struct forget *forget, const struct conf_site *site, struct slice alias, bool apply)
{
	struct merging merging = {.from = alias, .to = site->key_slice};
	cli_check(forget->store, store_merge(forget->store, &merging, false));
	if (merging.begun)
		cli_fail(CLI_NO, "a merge of %.*s into %s was interrupted: run it again first",
			 SLICE_ARG(alias), site->key);
	forget_in(forget, alias, crc16_xmodem(alias) % CONF_SHARDS, apply);
}

/* A shard after the other; a site is in one, its former keys in others. */
static void
run(struct forget *forget, bool apply)
{
	struct slice key = forget->what.site;
	const struct conf_site *site = conf_site_by_key(forget->cli->conf, key);
	forget->keys = 0;
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		if (forget->cli->all || shard == forget->what.shard)
			forget_in(forget, key, shard, apply);
	for (size_t i = 0; site && slice_eq(site->key_slice, key) && i < site->alias_count; i++)
		forget_alias(forget, site, slice_of(site->aliases[i]), apply);
}

static void
count_hits(struct forget *forget)
{
	const struct forgetting *what = &forget->what;
	struct adjustment asked = {.site = what->site,
				   .page = what->page,
				   .metric = METRIC_HITS,
				   .kind = what->kind,
				   .id = what->id,
				   .how = ADJUST_ADD};
	forget->hits = COUNT_UNKNOWN;
	if (forget->cli->all || what->scope == MARK_VISITORS)
		return;
	/* What is no number can be forgotten as well. */
	int status = change_adjust(forget->store, &asked, false);
	if (status != STORE_REFUSED)
		cli_check(forget->store, status);
	if (status == STORE_OK)
		forget->hits = asked.counted;
}

/* Sites known to Redis that the configuration does not name. */
struct gone {
	const struct conf *conf;
	struct buf keys; /* NUL-terminated each */
};

static void
take_gone_cb(struct slice site, struct slice settings, void *arg)
{
	struct gone *gone = arg;
	(void)settings;
	if (conf_site_by_key(gone->conf, site))
		return;
	buf_add_slice(&gone->keys, site);
	buf_add(&gone->keys, "", 1);
}

/* The list of sites keeps those that are configured; the salts are every site's. */
static void
forget_lists(struct forget *forget)
{
	const struct cli *cli = forget->cli;
	struct store *store = forget->store;
	struct gone gone = {.conf = cli->conf};
	size_t salts;
	if (cli->all)
		cli_check(store, store_forget_salts(store, forget->today, &salts));
	if (forget->what.scope != MARK_SITE)
		return;
	cli_check(store, store_sites(store, take_gone_cb, &gone));
	for (size_t at = 0; at < gone.keys.len; at += strlen(gone.keys.data + at) + 1) {
		struct slice site = slice_of(gone.keys.data + at);
		if (cli->all || slice_eq(site, forget->what.site))
			cli_check(store, store_forget_settings(store, site));
	}
	buf_release(&gone.keys);
}

static void
print(const struct forget *forget, const struct change *change)
{
	static const struct column columns[] = {
		{"what", WORD_CHANGE, COLUMN_TEXT, NULL},
		{"keys", WORD_KEYS, COLUMN_COUNT, NULL},
		{"hits", WORD_HITS, COLUMN_COUNT, NULL},
	};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	table.site = change->site;
	struct cell *row = table_row(&table);
	cell_text(&row[0], buf_slice(&change->what));
	cell_number(&row[1], (int64_t)forget->keys);
	if (forget->hits != COUNT_UNKNOWN)
		cell_number(&row[2], forget->hits);
	cli_print(forget->cli, NULL, &table);
}

int
cmd_forget(struct cli *cli)
{
	struct forget forget = {.cli = cli, .today = (int32_t)(clock_wall_ms() / 86400000)};
	take_what(&forget);
	struct slice site = forget.what.site;
	char *name = cli->all ? NULL : xstrndup(site.ptr, site.len);
	struct change change = {.command = "forget", .site = name};
	describe(&change, &forget.what);
	forget.store = cli_store(cli);
	run(&forget, false);
	count_hits(&forget);
	if (!cli->all && forget.keys == 0 && !conf_site_by_key(cli->conf, site))
		cli_fail(CLI_NO, "there is no site \"%s\", in %s or in Redis", name,
			 cli->conf->path);
	if (change_agreed(cli, &change)) {
		change_begin(cli, forget.store, &change);
		run(&forget, true);
		forget_lists(&forget);
		change_end(forget.store);
	}
	store_free(forget.store);
	print(&forget, &change);
	change_release(&change);
	free(name);
	return CLI_FINE;
}
