/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hours`, `days`, `weeks`, `months`, `years`: hits of consecutive periods, the running one with an estimate. Periods
 * are those of the site's zone; none that lies ahead is shown, but for the hours of a day, which are always 24.
 */
#include "cli/cli.h"
#include "cli/range.h"
#include "show/counts.h"

enum { SERIES_MAX = 100000, YEARS_MAX = 1000 };

/* Hours are one kind more than base/period.h knows: id = day * 24 + hour. */
struct series {
	const char *name;
	enum label_word word;
	int limit; /* rows without --from and without a range; 0: all there are */
};

static const struct series hours_series = {"hours", WORD_HOUR, 24};
static const struct series period_series[PERIOD_KINDS] = {
	[PERIOD_DAY] = {"days", WORD_DAY, 30},
	[PERIOD_WEEK] = {"weeks", WORD_WEEK, 12},
	[PERIOD_MONTH] = {"months", WORD_MONTH, 12},
	[PERIOD_YEAR] = {"years", WORD_YEAR, 0},
};

/* What was asked for. Where no beginning was given, the limit or the first year decides it. */
struct window {
	struct range range;
	bool from_given;
};

static struct range
one_range(const char *text, int32_t today)
{
	struct range range;
	if (!range_parse(slice_of(text), today, &range))
		cli_fail(CLI_USAGE,
			 "\"%s\" is no range: today, yesterday, 7d, 2020-05-20, 2020-W21, 2020-05 "
			 "or 2020",
			 text);
	return range;
}

static struct window
asked_window(const struct cli *cli, int32_t today)
{
	struct window window = {{today, today}, false};
	if (cli->arg_count > 0 && (cli->from || cli->to))
		cli_fail(CLI_USAGE, "either a range or --from and --to, not both");
	if (cli->arg_count > 0)
		window = (struct window){one_range(cli->args[0], today), true};
	if (cli->to)
		window.range.last = one_range(cli->to, today).last;
	if (cli->from)
		window = (struct window){{one_range(cli->from, today).first, window.range.last},
					 true};
	if (window.range.last > today)
		window.range.last = today;
	return window;
}

/* Linear: hits so far divided by the share of the period that has passed on the local clock. */
static void
add_estimate(struct cell *cell, int64_t hits, int64_t passed, int64_t whole)
{
	if (hits < 0 || passed <= 0 || passed > whole)
		return;
	cell_number(cell, (int64_t)((double)hits * (double)whole / (double)passed + 0.5));
}

enum { COLUMN_PERIOD, COLUMN_VALUE, COLUMN_IS_COMPLETE, COLUMN_GUESS, SERIES_COLUMNS };

static void
init_table(struct table *table, const struct conf_site *site, enum label_word word)
{
	const struct column columns[SERIES_COLUMNS] = {
		[COLUMN_PERIOD] = {"period", word, COLUMN_TEXT, NULL},
		[COLUMN_VALUE] = {"hits", WORD_HITS, COLUMN_HITS, NULL},
		[COLUMN_IS_COMPLETE] = {"complete", WORD_RUNNING, COLUMN_COMPLETE, NULL},
		[COLUMN_GUESS] = {"estimate", WORD_ESTIMATE, COLUMN_ESTIMATE, NULL},
	};
	table_init(table, columns, SERIES_COLUMNS);
	table->site = site->key;
	table->timezone = site->timezone;
}

/* The ids [first, last] that are shown. */
struct ids {
	int64_t first, last;
};

/* A limit keeps the newest; without a beginning it says where to begin. */
static struct ids
cut_ids(const struct cli *cli, const struct series *series, struct ids ids, bool from_given)
{
	int64_t limit = cli->limit ? cli->limit : from_given ? 0 : series->limit;
	if (limit > 0 && (!from_given || ids.last - ids.first >= limit))
		ids.first = ids.last - limit + 1;
	if (ids.last - ids.first >= SERIES_MAX)
		cli_fail(CLI_USAGE, "this would be %" PRId64 " %s; %d are the most",
			 ids.last - ids.first + 1, series->name, SERIES_MAX);
	return ids;
}

static int64_t
seconds_of_day(struct local_time now)
{
	return (now.hour * 60 + now.minute) * 60 + now.second;
}

static void
add_period(struct table *table, enum period_kind kind, int32_t id, int64_t hits,
	   struct local_time now)
{
	char name[PERIOD_NAME_SIZE];
	bool complete = id != period_of_day(kind, now.day);
	struct cell *row = table_row(table);
	cell_text(&row[COLUMN_PERIOD], slice_of(period_name(kind, id, name)));
	cell_count(&row[COLUMN_VALUE], hits);
	cell_number(&row[COLUMN_IS_COMPLETE], complete);
	int64_t first = period_first_day(kind, id);
	int64_t passed = (now.day - first) * 86400 + seconds_of_day(now);
	if (!complete)
		add_estimate(&row[COLUMN_GUESS], hits, passed,
			     (period_first_day(kind, id + 1) - first) * 86400);
}

/* The first year that has hits, for `years` without a range. */
static int64_t
first_year(struct store *store, const struct conf_site *site, int64_t otherwise)
{
	int32_t years[YEARS_MAX];
	size_t count = 0;
	cli_check(store, store_years(store, site->key_slice, years, YEARS_MAX, &count));
	return count > 0 && years[0] < otherwise ? years[0] : otherwise;
}

static int
show_periods(struct cli *cli, enum period_kind kind)
{
	const struct series *series = &period_series[kind];
	const struct conf_site *site = cli_site(cli);
	int64_t utc;
	struct local_time now = cli_now(site, &utc);
	struct window window = asked_window(cli, now.day);
	struct store *store = cli_store(cli);
	struct ids ids = {period_of_day(kind, window.range.first),
			  period_of_day(kind, window.range.last)};
	if (!window.from_given && series->limit == 0)
		ids.first = first_year(store, site, ids.last);
	bool bounded = window.from_given || series->limit == 0;
	ids = cut_ids(cli, series, ids, bounded);

	struct table table;
	init_table(&table, site, series->word);
	size_t count = ids.last >= ids.first ? (size_t)(ids.last - ids.first + 1) : 0;
	int64_t *hits = xcalloc(count + 1, sizeof *hits);
	if (count > 0)
		cli_check(store, store_series(store, site->key_slice, METRIC_HITS, kind,
					      (int32_t)ids.first, count, hits));
	for (size_t i = 0; i < count; i++)
		add_period(&table, kind, (int32_t)(ids.first + (int64_t)i), hits[i], now);
	store_free(store);
	free(hits);
	cli_print(cli, site, &table);
	return CLI_FINE;
}

/* The 24 hours of a day. A day with hits but without a table of hours is too old for one: unknown, not 0. */
static void
read_hours(struct store *store, const struct conf_site *site, int32_t day, int64_t hours[24])
{
	bool known = false;
	int64_t hits = 0;
	memset(hours, 0, 24 * sizeof *hours);
	cli_check(store, store_hours(store, site->key_slice, day, hours, &known));
	if (known)
		return;
	cli_check(store,
		  store_series(store, site->key_slice, METRIC_HITS, PERIOD_DAY, day, 1, &hits));
	for (int hour = 0; hour < 24; hour++)
		hours[hour] = hits == 0 ? 0 : COUNT_UNKNOWN;
}

/* Hours of today that lie ahead are not complete, but only the running one can be estimated. */
static void
add_hour(struct table *table, int64_t id, int64_t hits, struct local_time now)
{
	char day[PERIOD_NAME_SIZE], name[PERIOD_NAME_SIZE + 4];
	int64_t running = (int64_t)now.day * 24 + now.hour;
	int32_t hour = (int32_t)(id - id / 24 * 24);
	snprintf(name, sizeof name, "%sT%02d", period_name(PERIOD_DAY, (int32_t)(id / 24), day),
		 hour);
	struct cell *row = table_row(table);
	cell_text(&row[COLUMN_PERIOD], slice_of(name));
	cell_count(&row[COLUMN_VALUE], hits);
	cell_number(&row[COLUMN_IS_COMPLETE], id < running);
	if (id == running)
		add_estimate(&row[COLUMN_GUESS], hits, now.minute * 60 + now.second, 3600);
}

int
cmd_hours(struct cli *cli)
{
	const struct conf_site *site = cli_site(cli);
	int64_t utc, hours[24];
	struct local_time now = cli_now(site, &utc);
	struct window window = asked_window(cli, now.day);
	struct ids ids = {(int64_t)window.range.first * 24, (int64_t)window.range.last * 24 + 23};
	if (ids.first < 0)
		ids.first = 0;
	if (cli->limit && window.range.last == now.day)
		ids.last = (int64_t)now.day * 24 + now.hour;
	ids = cut_ids(cli, &hours_series, ids, window.from_given);

	struct store *store = cli_store(cli);
	struct table table;
	init_table(&table, site, hours_series.word);
	for (int64_t id = ids.first; id <= ids.last; id++) {
		if (id == ids.first || id % 24 == 0)
			read_hours(store, site, (int32_t)(id / 24), hours);
		add_hour(&table, id, hours[id % 24], now);
	}
	store_free(store);
	cli_print(cli, site, &table);
	return CLI_FINE;
}

int
cmd_days(struct cli *cli)
{
	return show_periods(cli, PERIOD_DAY);
}

int
cmd_weeks(struct cli *cli)
{
	return show_periods(cli, PERIOD_WEEK);
}

int
cmd_months(struct cli *cli)
{
	return show_periods(cli, PERIOD_MONTH);
}

int
cmd_years(struct cli *cli)
{
	return show_periods(cli, PERIOD_YEAR);
}
