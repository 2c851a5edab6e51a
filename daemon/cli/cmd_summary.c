/* SPDX-License-Identifier: BSD-2-Clause */
/* `summary`: a row for each site and metric, each site in its own zone. One round trip per shard, however many sites there are. */
#include "cli/cli.h"

static const enum shown_period summary_periods[] = {SHOWN_TODAY, SHOWN_YESTERDAY, SHOWN_THIS_MONTH,
						    SHOWN_THIS_YEAR, SHOWN_TOTAL};
enum { SUMMARY_PERIODS = COUNT_OF(summary_periods) };

/* numbers[i] belongs to the i-th site. */
static void
read_shard(struct store *store, const struct conf *conf, int shard, struct site_numbers *numbers)
{
	struct site_numbers *asked = xcalloc(conf->site_count, sizeof *asked);
	size_t count = 0;
	for (size_t i = 0; i < conf->site_count; i++)
		if (conf->sites[i].shard == shard)
			asked[count++] = numbers[i];
	if (count > 0)
		cli_check(store, store_read(store, shard, asked, count, NULL, 0, NULL));
	for (size_t i = conf->site_count; i-- > 0;)
		if (conf->sites[i].shard == shard)
			numbers[i] = asked[--count];
	free(asked);
}

enum {
	COLUMN_SITE,
	COLUMN_OF,
	COLUMN_PERIODS,
	COLUMN_ONLINE = COLUMN_PERIODS + SUMMARY_PERIODS,
	SUMMARY_COLUMNS
};

/* Who is online is a number of visitors, and stands with theirs. */
static void
add_row(struct table *table, const struct site_numbers *numbers, enum metric metric,
	enum conf_language language)
{
	static const enum label_word words[METRIC_COUNT] = {
		[METRIC_HITS] = WORD_HITS,
		[METRIC_VISITS] = WORD_VISITS,
		[METRIC_VISITORS] = WORD_VISITORS,
	};
	struct cell *row = table_row(table);
	cell_text(&row[COLUMN_SITE], numbers->site);
	cell_text(&row[COLUMN_OF], slice_of(metric_names[metric]));
	cell_shown(&row[COLUMN_OF], slice_of(label_word(language, words[metric])));
	for (size_t i = 0; i < SUMMARY_PERIODS; i++)
		cell_adjusted(&row[COLUMN_PERIODS + i], numbers->counts[metric][summary_periods[i]],
			      numbers->adjusted[metric][summary_periods[i]]);
	if (metric == METRIC_VISITORS)
		cell_count(&row[COLUMN_ONLINE], numbers->online);
}

/* Hits and visitors, or the one metric that was asked for. */
static void
add_site(const struct cli *cli, struct table *table, const struct site_numbers *numbers,
	 enum conf_language language)
{
	if (cli->metric_text) {
		add_row(table, numbers, cli->metric, language);
		return;
	}
	add_row(table, numbers, METRIC_HITS, language);
	add_row(table, numbers, METRIC_VISITORS, language);
}

/* The months of two sites may differ around midnight, so the heads do not name them. */
static void
init_table(struct table *table, enum conf_language language, struct buf labels[SUMMARY_PERIODS])
{
	struct column columns[SUMMARY_COLUMNS] = {
		[COLUMN_SITE] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
		[COLUMN_OF] = {"metric", WORD_METRIC, COLUMN_TEXT, NULL},
		[COLUMN_ONLINE] = {"online", WORD_ONLINE, COLUMN_COUNT, NULL},
	};
	for (size_t i = 0; i < SUMMARY_PERIODS; i++) {
		enum shown_period period = summary_periods[i];
		struct column *column = &columns[COLUMN_PERIODS + i];
		*column =
			(struct column){shown_periods[period].name, WORD_MONTH, COLUMN_COUNT, NULL};
		if (period == SHOWN_THIS_YEAR)
			column->word = WORD_YEAR;
		if (period == SHOWN_THIS_MONTH || period == SHOWN_THIS_YEAR)
			continue;
		label_row(&labels[i], language, (int)period, (struct civil){0});
		buf_add(&labels[i], "", 1);
		column->label = labels[i].data;
	}
	table_init(table, columns, COUNT_OF(columns));
}

int
cmd_summary(struct cli *cli)
{
	const struct conf_site *only = cli_site_or_all(cli);
	const struct conf *conf = cli->conf;
	struct site_numbers *numbers = xcalloc(conf->site_count + 1, sizeof *numbers);
	for (size_t i = 0; i < conf->site_count; i++) {
		int64_t utc;
		numbers[i].site = conf->sites[i].key_slice;
		numbers[i].day = cli_now(&conf->sites[i], &utc).day;
	}
	struct store *store = cli_store(cli);
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		if (!only || only->shard == shard)
			read_shard(store, conf, shard, numbers);
	store_free(store);

	struct table table;
	struct buf labels[SUMMARY_PERIODS] = {0};
	enum conf_language language = cli_language(cli, only);
	init_table(&table, language, labels);
	for (size_t i = 0; i < conf->site_count; i++)
		if (!only || only == &conf->sites[i])
			add_site(cli, &table, &numbers[i], language);
	cli_print(cli, only, &table);
	for (size_t i = 0; i < SUMMARY_PERIODS; i++)
		buf_release(&labels[i]);
	free(numbers);
	return CLI_FINE;
}
