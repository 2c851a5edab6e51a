/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `merge` and `rename`: what one site has counted becomes another one's, whose former key it is. The configuration says so
 * first: from then on its hits are the other's. What journals had not handed over by then follows by itself.
 */
#include "base/conf_value.h"
#include "cli/change.h"
#include "store/forget.h"
#include "store/merge.h"

/* Ends the program unless the configuration has the one as an alias of the other. */
static void
check_alias(const struct cli *cli, struct slice from, struct slice to)
{
	const struct conf_site *site = conf_site_by_key(cli->conf, to);
	const struct conf_site *owner = conf_site_by_key(cli->conf, from);
	if (!conf_parse_site_key(from.ptr) || slice_eq(from, to))
		cli_fail(CLI_NO, "\"%s\" is no other site's key", from.ptr);
	if (!site || !slice_eq(site->key_slice, to))
		cli_fail(CLI_NO, "there is no site \"%s\" in %s", to.ptr, cli->conf->path);
	if (owner != site)
		cli_fail(CLI_NO,
			 "%s must be a former key of %s: in %s, give site \"%s\" aliases = {\"%s\"}"
			 "%s, and have thongked read it again",
			 from.ptr, to.ptr, cli->conf->path, to.ptr, from.ptr,
			 owner ? ", take the site of that key out" : "");
}

static void
print(const struct cli *cli, const struct merging *merging, int64_t hits)
{
	static const struct column columns[] = {
		{"from", WORD_FROM, COLUMN_TEXT, NULL},
		{"into", WORD_INTO, COLUMN_TEXT, NULL},
		{"keys", WORD_KEYS, COLUMN_COUNT, NULL},
		{"hits", WORD_HITS, COLUMN_COUNT, NULL},
	};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	struct cell *row = table_row(&table);
	cell_text(&row[0], merging->from);
	cell_text(&row[1], merging->to);
	cell_number(&row[2], (int64_t)merging->keys);
	cell_number(&row[3], hits);
	cli_print(cli, NULL, &table);
}

static int
merge(struct cli *cli, const char *command)
{
	struct merging merging = {.from = slice_of(cli->args[0]), .to = slice_of(cli->args[1])};
	struct change change = {.command = command, .site = cli->args[1]};
	check_alias(cli, merging.from, merging.to);
	buf_addf(&change.what, "%s %s into %s", command, cli->args[0], cli->args[1]);
	struct store *store = cli_store(cli);
	struct adjustment asked = {
		.site = merging.from, .metric = METRIC_HITS, .kind = PERIOD_ALL, .how = ADJUST_ADD};
	cli_check(store, change_adjust(store, &asked, false));
	cli_check(store, store_merge(store, &merging, false));
	if (merging.keys == 0 && !merging.begun)
		cli_fail(CLI_NO, "there is nothing of %s in Redis", cli->args[0]);
	size_t keys = merging.keys;
	if (change_agreed(cli, &change)) {
		change_begin(cli, store, &change);
		cli_check(store, store_merge(store, &merging, true));
		cli_check(store, store_forget_settings(store, merging.from));
		change_end(store);
		if (merging.refused > 0)
			cli_fail(CLI_REFUSED, "Redis refused %zu commands: %s", merging.refused,
				 store_error(store));
	}
	store_free(store);
	merging.keys = keys;
	print(cli, &merging, asked.counted);
	change_release(&change);
	return CLI_FINE;
}

int
cmd_merge(struct cli *cli)
{
	return merge(cli, "merge");
}

int
cmd_rename(struct cli *cli)
{
	return merge(cli, "rename");
}
