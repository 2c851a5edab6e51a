/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `summary`: how much, per site and metric: today, yesterday, this month and year, all time; against the same time of the
 * period before; what the running ones may come to. Each site in its own zone.
 *
 * Programs get a row for each site and metric. People get a table for each site, made from those rows.
 */
#include "cli/pace.h"
#include "cli/cli.h"
#include "show/counts.h"

static const enum shown_period summary_periods[] = {SHOWN_TODAY, SHOWN_YESTERDAY, SHOWN_THIS_MONTH,
						    SHOWN_THIS_YEAR, SHOWN_TOTAL};
/* Those that are not over, as they stand among them; and of what kind they are. */
static const struct running {
	size_t shown;
	enum period_kind kind;
	const char *change, *estimate;
} running_periods[] = {
	{0, PERIOD_DAY, "today_change", "today_estimate"},
	{2, PERIOD_MONTH, "month_change", "month_estimate"},
	{3, PERIOD_YEAR, "year_change", "year_estimate"},
};
enum { SUMMARY_PERIODS = COUNT_OF(summary_periods), RUNNING = COUNT_OF(running_periods) };

/* What is known of a metric of a site, or of all together. */
struct figures {
	int64_t counts[SUMMARY_PERIODS];
	int64_t adjusted[SUMMARY_PERIODS]; /* by operators, and not in the counts */
	struct compared compared[RUNNING];
	int64_t estimates[RUNNING];
};

struct site_figures {
	const char *key;
	const struct conf_site *site; /* NULL: of all together */
	struct local_time now;
	struct figures metrics[METRIC_COUNT];
	int64_t online;
};

/* --- reading --- */

/* One round trip per shard, however many sites there are. */
static void
read_shard(struct store *store, int shard, struct site_figures *figures, size_t count)
{
	struct site_numbers *asked = xcalloc(count + 1, sizeof(*asked));
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		if (figures[i].site->shard == shard)
			asked[found++] = (struct site_numbers){.site = figures[i].site->key_slice,
							       .day = figures[i].now.day};
	if (found > 0)
		cli_check(store, store_read(store, shard, asked, found, NULL, 0, NULL));
	for (size_t i = count; i-- > 0;) {
		if (figures[i].site->shard != shard)
			continue;
		const struct site_numbers *numbers = &asked[--found];
		figures[i].online = numbers->online;
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			for (size_t period = 0; period < SUMMARY_PERIODS; period++) {
				enum shown_period shown = summary_periods[period];
				struct figures *of = &figures[i].metrics[metric];
				of->counts[period] = numbers->counts[metric][shown];
				of->adjusted[period] = numbers->adjusted[metric][shown];
			}
	}
	free(asked);
}

/* Days of this year and the last one. */
struct days {
	int32_t first;
	size_t count;
	int64_t *hits;
};

/* False where one of them is not known. */
static bool
add_days(const struct days *days, int32_t first, int32_t count, int64_t *sum)
{
	for (int32_t day = first; day < first + count; day++) {
		int64_t hits = days->hits[day - days->first];
		if (hits < 0)
			return false;
		*sum += hits;
	}
	return true;
}

/* Hits of a day until this time of the day; the running hour by its minutes. False: its hours are not known. */
static bool
hits_until(struct store *store, const struct conf_site *site, int32_t day, struct local_time now,
	   int64_t hits_of_day, int64_t *hits)
{
	int64_t hours[24], running;
	bool known = false;
	cli_check(store, store_hours(store, site->key_slice, day, hours, &known));
	*hits = 0;
	if (!known)
		return hits_of_day == 0;
	for (int hour = 0; hour <= now.hour; hour++)
		if (hours[hour] < 0)
			return false;
	for (int hour = 0; hour < now.hour; hour++)
		*hits += hours[hour];
	running = hours[now.hour] * (now.minute * 60 + now.second);
	*hits += (running + 1800) / 3600;
	return true;
}

/* Whole days, and of hits, whose hours are kept, also today against as much of the day that it is held against. */
static struct compared
compare(struct store *store, const struct site_figures *figures, enum metric metric,
	enum period_kind kind, const struct days *days)
{
	struct pace_days which = pace_days(kind, figures->now.day);
	struct compared compared = {.known = true};
	compared.known = add_days(days, which.now_first, which.now_days, &compared.now) &&
			 add_days(days, which.before_first, which.before_days, &compared.before);
	int64_t today = days->hits[figures->now.day - days->first], then = 0;
	bool partly = which.partly && metric == METRIC_HITS && today >= 0 &&
		      hits_until(store, figures->site, which.before_day, figures->now,
				 days->hits[which.before_day - days->first], &then);
	if (partly) {
		compared.now += today;
		compared.before += then;
	}
	compared.known = compared.known && (partly || which.now_days > 0);
	return compared;
}

static void
read_running(struct store *store, struct site_figures *figures, enum metric metric)
{
	struct figures *of = &figures->metrics[metric];
	int32_t year = period_of_day(PERIOD_YEAR, figures->now.day);
	struct days days = {.first = period_first_day(PERIOD_YEAR, year - 1)};
	days.count = (size_t)(figures->now.day - days.first + 1);
	days.hits = xcalloc(days.count, sizeof(*days.hits));
	cli_check(store, store_series(store, figures->site->key_slice, (int)metric, PERIOD_DAY,
				      days.first, days.count, days.hits));
	for (size_t i = 0; i < RUNNING; i++) {
		enum period_kind kind = running_periods[i].kind;
		of->compared[i] = compare(store, figures, metric, kind, &days);
		size_t shown = running_periods[i].shown;
		of->estimates[i] = pace_estimate(of->counts[shown], of->adjusted[shown],
						 pace_of(kind, figures->now));
	}
	free(days.hits);
}

static void
add_count(int64_t *sum, int64_t count)
{
	*sum = *sum < 0 || count < 0 ? COUNT_UNKNOWN : *sum + count;
}

/* What is not known of one site is not known of all; only what can be compared is. */
static void
add_figures(struct site_figures *total, const struct site_figures *more)
{
	add_count(&total->online, more->online);
	for (int metric = 0; metric < METRIC_COUNT; metric++) {
		struct figures *sum = &total->metrics[metric];
		const struct figures *of = &more->metrics[metric];
		for (size_t i = 0; i < SUMMARY_PERIODS; i++) {
			add_count(&sum->counts[i], of->counts[i]);
			sum->adjusted[i] += of->adjusted[i];
		}
		for (size_t i = 0; i < RUNNING; i++) {
			add_count(&sum->estimates[i], of->estimates[i]);
			if (!of->compared[i].known)
				continue;
			sum->compared[i].known = true;
			sum->compared[i].now += of->compared[i].now;
			sum->compared[i].before += of->compared[i].before;
		}
	}
}

/* --- for programs --- */

enum {
	COLUMN_SITE,
	COLUMN_OF,
	COLUMN_PERIODS,
	COLUMN_ONLINE = COLUMN_PERIODS + SUMMARY_PERIODS,
	COLUMN_CHANGES,
	COLUMN_ESTIMATES = COLUMN_CHANGES + RUNNING,
	SUMMARY_COLUMNS = COLUMN_ESTIMATES + RUNNING
};

static const enum label_word metric_words[METRIC_COUNT] = {
	[METRIC_HITS] = WORD_HITS,
	[METRIC_VISITS] = WORD_VISITS,
	[METRIC_VISITORS] = WORD_VISITORS,
};

static void
set_change(struct cell *cell, struct compared compared)
{
	int64_t change;
	cell->state = CELL_UNKNOWN;
	if (pace_change(compared, &change))
		cell_number(cell, change);
}

/* Who is online is a number of visitors, and stands with theirs. */
static void
add_row(struct table *table, const struct site_figures *figures, enum metric metric,
	enum conf_language language)
{
	const struct figures *of = &figures->metrics[metric];
	struct cell *row = table_row(table);
	cell_text(&row[COLUMN_SITE], slice_of(figures->key));
	if (!figures->site)
		cell_shown(&row[COLUMN_SITE], slice_of(label_word(language, WORD_TOTAL)));
	cell_text(&row[COLUMN_OF], slice_of(metric_names[metric]));
	cell_shown(&row[COLUMN_OF], slice_of(label_word(language, metric_words[metric])));
	for (size_t i = 0; i < SUMMARY_PERIODS; i++)
		cell_adjusted(&row[COLUMN_PERIODS + i], of->counts[i], of->adjusted[i]);
	if (metric == METRIC_VISITORS)
		cell_count(&row[COLUMN_ONLINE], figures->online);
	for (size_t i = 0; i < RUNNING; i++) {
		set_change(&row[COLUMN_CHANGES + i], of->compared[i]);
		cell_count(&row[COLUMN_ESTIMATES + i], of->estimates[i]);
	}
}

static void
init_rows(struct table *table)
{
	static const enum label_word words[SUMMARY_PERIODS] = {WORD_DAY, WORD_DAY, WORD_MONTH,
							       WORD_YEAR, WORD_SUM};
	struct column columns[SUMMARY_COLUMNS] = {
		[COLUMN_SITE] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
		[COLUMN_OF] = {"metric", WORD_METRIC, COLUMN_TEXT, NULL},
		[COLUMN_ONLINE] = {"online", WORD_ONLINE, COLUMN_COUNT, NULL},
	};
	for (size_t i = 0; i < SUMMARY_PERIODS; i++)
		columns[COLUMN_PERIODS + i] = (struct column){
			shown_periods[summary_periods[i]].name, words[i], COLUMN_COUNT, NULL};
	for (size_t i = 0; i < RUNNING; i++) {
		columns[COLUMN_CHANGES + i] = (struct column){running_periods[i].change,
							      WORD_CHANGE, COLUMN_CHANGE, NULL};
		columns[COLUMN_ESTIMATES + i] = (struct column){running_periods[i].estimate,
								WORD_ESTIMATED, COLUMN_COUNT, NULL};
	}
	table_init(table, columns, COUNT_OF(columns));
	table->brief = TABLE_COLUMN(COLUMN_OF) | TABLE_COLUMN(COLUMN_PERIODS) |
		       TABLE_COLUMN(COLUMN_ONLINE) | TABLE_COLUMN(COLUMN_CHANGES);
	table->named = TABLE_COLUMN(COLUMN_ONLINE);
}

/* --- for people --- */

enum { SHOWN_COUNT, SHOWN_CHANGE, SHOWN_ESTIMATE, SHOWN_COLUMNS };

/* A row for each period; of each metric a count, its change and its estimate. */
struct shown {
	const enum metric *metrics;
	size_t count;
	enum conf_language language;
};

static void
init_shown(struct table *table, const struct shown *shown)
{
	struct column columns[1 + METRIC_COUNT * SHOWN_COLUMNS] = {
		{"period", WORD_DAY, COLUMN_TEXT, ""}};
	for (size_t i = 0; i < shown->count; i++) {
		struct column *column = &columns[1 + i * SHOWN_COLUMNS];
		enum metric metric = shown->metrics[i];
		column[SHOWN_COUNT] = (struct column){metric_names[metric], metric_words[metric],
						      COLUMN_COUNT, NULL};
		column[SHOWN_CHANGE] = (struct column){"change", WORD_CHANGE, COLUMN_CHANGE, NULL};
		column[SHOWN_ESTIMATE] =
			(struct column){"estimate", WORD_ESTIMATED, COLUMN_BESIDE, NULL};
	}
	table_init(table, columns, 1 + shown->count * SHOWN_COLUMNS);
}

static void
show_period(struct table *table, const struct site_figures *figures, size_t period,
	    const struct shown *shown)
{
	struct buf label = {0};
	struct cell *row = table_row(table);
	label_row(&label, shown->language, (int)summary_periods[period],
		  civil_of_day(figures->now.day));
	cell_text(&row[0], buf_slice(&label));
	buf_release(&label);
	for (size_t i = 0; i < shown->count; i++) {
		const struct figures *of = &figures->metrics[shown->metrics[i]];
		struct cell *cells = &row[1 + i * SHOWN_COLUMNS];
		cell_adjusted(&cells[SHOWN_COUNT], of->counts[period], of->adjusted[period]);
		for (size_t j = 0; j < RUNNING; j++) {
			if (running_periods[j].shown != period)
				continue;
			set_change(&cells[SHOWN_CHANGE], of->compared[j]);
			cell_count(&cells[SHOWN_ESTIMATE], of->estimates[j]);
		}
	}
}

static void
show_online(struct buf *out, int64_t online, enum conf_language language)
{
	buf_addf(out, "%s: ", label_word(language, WORD_ONLINE));
	if (online == COUNT_UNKNOWN)
		buf_add_literal(out, LABEL_NO_DATA);
	else
		label_number(out, language, online);
	buf_add(out, "", 1);
}

static void
print_shown(const struct cli *cli, const struct site_figures *figures, size_t count,
	    struct shown shown)
{
	struct table *tables = xcalloc(count + 1, sizeof(*tables));
	struct buf *notes = xcalloc(count + 1, sizeof(*notes));
	shown.language = cli_language(cli, figures[0].site);
	for (size_t i = 0; i < count; i++) {
		init_shown(&tables[i], &shown);
		show_online(&notes[i], figures[i].online, shown.language);
		tables[i].site = figures[i].key;
		tables[i].timezone = figures[i].site ? figures[i].site->timezone : NULL;
		tables[i].note = notes[i].data;
		for (size_t period = 0; period < SUMMARY_PERIODS; period++)
			show_period(&tables[i], &figures[i], period, &shown);
	}
	cli_print_all(cli, figures[0].site, tables, count);
	for (size_t i = 0; i < count; i++)
		buf_release(&notes[i]);
	free(notes);
	free(tables);
}

static void
print(const struct cli *cli, const struct site_figures *figures, size_t count,
      const struct shown *shown)
{
	struct table table;
	if (cli->rendering == RENDER_TABLE) {
		print_shown(cli, figures, count, *shown);
		return;
	}
	init_rows(&table);
	for (size_t i = 0; i < count; i++)
		for (size_t metric = 0; metric < shown->count; metric++)
			add_row(&table, &figures[i], shown->metrics[metric],
				cli_language(cli, figures[0].site));
	cli_print(cli, figures[0].site, &table);
}

int
cmd_summary(struct cli *cli)
{
	static const enum metric usual[] = {METRIC_HITS, METRIC_VISITORS};
	struct shown shown = {usual, COUNT_OF(usual), CONF_VI};
	if (cli->metric_text)
		shown = (struct shown){&cli->metric, 1, CONF_VI};
	size_t count;
	const struct conf_site **sites = cli_sites(cli, true, &count);
	struct site_figures *figures = xcalloc(count + 1, sizeof(*figures));
	struct store *store = cli_store(cli);
	for (size_t i = 0; i < count; i++) {
		int64_t utc;
		figures[i] = (struct site_figures){.key = sites[i]->key, .site = sites[i]};
		figures[i].now = cli_now(sites[i], &utc);
	}
	for (int shard = 0; shard < CONF_SHARDS; shard++)
		read_shard(store, shard, figures, count);
	figures[count] = (struct site_figures){.key = TABLE_TOTAL, .now = figures[0].now};
	for (size_t i = 0; i < count; i++) {
		for (size_t metric = 0; metric < shown.count; metric++)
			read_running(store, &figures[i], shown.metrics[metric]);
		add_figures(&figures[count], &figures[i]);
	}
	store_free(store);
	print(cli, figures, count + (cli->all && count > 1), &shown);
	free(figures);
	free(sites);
	return CLI_FINE;
}
