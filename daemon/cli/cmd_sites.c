/* SPDX-License-Identifier: BSD-2-Clause */
/* `sites`: those of the configuration, and those that Redis knows but the configuration does not. */
#include "cli/cli.h"

enum { SITE_KEY, SITE_TIMEZONE, SITE_LANGUAGE, SITE_SHARD, SITE_CONFIGURED, SITE_HOSTS };

struct known {
	struct table *table;
	const struct conf *conf;
};

static void
add_configured(struct table *table, const struct conf_site *site)
{
	static const char *const languages[CONF_LANGUAGES] = {[CONF_VI] = "vi", [CONF_EN] = "en"};
	struct cell *row = table_row(table);
	struct buf hosts = {0};
	for (size_t i = 0; i < site->host_count; i++)
		buf_addf(&hosts, "%s%s", i ? " " : "", site->hosts[i]);
	cell_text(&row[SITE_KEY], site->key_slice);
	cell_text(&row[SITE_TIMEZONE], slice_of(site->timezone));
	cell_text(&row[SITE_LANGUAGE], slice_of(languages[site->language]));
	cell_number(&row[SITE_SHARD], site->shard);
	cell_number(&row[SITE_CONFIGURED], true);
	cell_text(&row[SITE_HOSTS], buf_slice(&hosts));
	buf_release(&hosts);
}

static void
add_unconfigured_cb(struct slice key, struct slice settings, void *arg)
{
	const struct known *known = arg;
	(void)settings;
	if (conf_site_by_key(known->conf, key))
		return;
	struct cell *row = table_row(known->table);
	cell_text(&row[SITE_KEY], key);
	cell_number(&row[SITE_SHARD], crc16_xmodem(key) % CONF_SHARDS);
	cell_number(&row[SITE_CONFIGURED], false);
}

int
cmd_sites(struct cli *cli)
{
	static const struct column columns[] = {
		[SITE_KEY] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
		[SITE_TIMEZONE] = {"timezone", WORD_TIMEZONE, COLUMN_TEXT, NULL},
		[SITE_LANGUAGE] = {"language", WORD_LANGUAGE, COLUMN_TEXT, NULL},
		[SITE_SHARD] = {"shard", WORD_SHARD, COLUMN_COUNT, NULL},
		[SITE_CONFIGURED] = {"configured", WORD_CONFIGURED, COLUMN_FLAG, NULL},
		[SITE_HOSTS] = {"hosts", WORD_HOSTS, COLUMN_TEXT, NULL},
	};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = 0; i < cli->conf->site_count; i++)
		add_configured(&table, &cli->conf->sites[i]);
	/* What the configuration says can be shown without Redis; the exit code tells that half is missing. */
	char error[512];
	struct store *store = cli_store_new(cli, error, sizeof(error));
	if (!store)
		cli_fail(CLI_CONF, "%s", error);
	struct known known = {&table, cli->conf};
	int status = store_connect(store);
	if (status == STORE_OK)
		status = store_sites(store, add_unconfigured_cb, &known);
	cli_print(cli, NULL, &table);
	cli_check(store, status);
	store_free(store);
	return CLI_FINE;
}
