/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hours`, `days`, `weeks`, `months`, `years`: the metrics of consecutive periods, the running one with an estimate.
 * Periods are those of the site's zone; none that lies ahead is shown, but for the hours of a day, which are always 24.
 */
#include "cli/pace.h"
#include "cli/window.h"
#include "show/counts.h"

enum { SERIES_MAX = 100000 };

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

enum { COLUMN_PERIOD, COLUMN_METRICS };

static const enum label_word metric_words[METRIC_COUNT] = {
	[METRIC_HITS] = WORD_HITS,
	[METRIC_VISITS] = WORD_VISITS,
	[METRIC_VISITORS] = WORD_VISITORS,
};

/* The first `metrics` of the metrics have a column; that of `barred` has the bar, and the estimate. */
struct shown {
	struct table *table;
	size_t metrics;
	enum metric barred;
};

static void
init_shown(struct shown *shown, const struct conf_site *site, enum label_word word)
{
	struct column columns[COLUMN_METRICS + METRIC_COUNT + 2] = {
		[COLUMN_PERIOD] = {"period", word, COLUMN_TEXT, NULL},
	};
	struct column *column = &columns[COLUMN_METRICS];
	for (size_t i = 0; i < shown->metrics; i++)
		*column++ = (struct column){metric_names[i], metric_words[i],
					    i == shown->barred ? COLUMN_BAR : COLUMN_BESIDE, NULL};
	*column++ = (struct column){"complete", WORD_RUNNING, COLUMN_COMPLETE, NULL};
	*column++ = (struct column){"estimate", WORD_ESTIMATE, COLUMN_ESTIMATE, NULL};
	table_init(shown->table, columns, (size_t)(column - columns));
	shown->table->site = site->key;
	shown->table->timezone = site->timezone;
}

/* Nothing is estimated of a period that lies ahead. */
static void
add_shown(struct shown *shown, const char *name, const int64_t numbers[], const int64_t adjusted[],
	  bool complete, struct pace pace)
{
	struct cell *cell = table_row(shown->table);
	cell_text(cell++, slice_of(name));
	for (size_t i = 0; i < shown->metrics; i++)
		cell_adjusted(cell++, numbers[i], adjusted[i]);
	cell_number(cell++, complete);
	int64_t estimate = pace_estimate(numbers[shown->barred], adjusted[shown->barred], pace);
	if (!complete && estimate != COUNT_UNKNOWN)
		cell_number(cell, estimate);
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

static void
add_period(struct shown *shown, enum period_kind kind, int32_t id, const int64_t numbers[],
	   const int64_t adjusted[], struct local_time now)
{
	char name[PERIOD_NAME_SIZE];
	bool complete = id != period_of_day(kind, now.day);
	add_shown(shown, period_name(kind, id, name), numbers, adjusted, complete,
		  pace_of(kind, now));
}

typedef int series_fn(struct store *store, struct slice site, int metric, enum period_kind kind,
		      int32_t first, size_t count, int64_t *out);

/* Every metric of the periods, metric by metric. */
static int64_t *
read_periods(struct store *store, series_fn *read, const struct conf_site *site,
	     enum period_kind kind, struct ids ids, size_t count)
{
	int64_t *numbers = xcalloc(count * METRIC_COUNT + 1, sizeof(*numbers));
	for (int i = 0; i < METRIC_COUNT && count > 0; i++)
		cli_check(store, read(store, site->key_slice, i, kind, (int32_t)ids.first, count,
				      numbers + (size_t)i * count));
	return numbers;
}

/* What every site's table is filled with; `kind` is no matter for hours. */
typedef void fill_fn(const struct cli *cli, struct store *store, const struct conf_site *site,
		     enum period_kind kind, struct table *table);

static void
fill_periods(const struct cli *cli, struct store *store, const struct conf_site *site,
	     enum period_kind kind, struct table *table)
{
	const struct series *series = &period_series[kind];
	int64_t utc;
	struct local_time now = cli_now(site, &utc);
	struct window window = window_asked(cli, 0, now.day);
	struct ids ids = {period_of_day(kind, window.range.first),
			  period_of_day(kind, window.range.last)};
	if (!window.from_given && series->limit == 0)
		ids.first = window_first_year(store, site, (int32_t)ids.last);
	bool bounded = window.from_given || series->limit == 0;
	ids = cut_ids(cli, series, ids, bounded);

	struct shown shown = {.table = table, .metrics = METRIC_COUNT, .barred = cli->metric};
	init_shown(&shown, site, series->word);
	size_t count = ids.last >= ids.first ? (size_t)(ids.last - ids.first + 1) : 0;
	int64_t *numbers = read_periods(store, store_series, site, kind, ids, count);
	int64_t *added = read_periods(store, store_series_adjusted, site, kind, ids, count);
	for (size_t i = 0; i < count; i++) {
		int64_t row[METRIC_COUNT], adjusted[METRIC_COUNT];
		for (size_t metric = 0; metric < METRIC_COUNT; metric++) {
			row[metric] = numbers[metric * count + i];
			adjusted[metric] = added[metric * count + i];
		}
		add_period(&shown, kind, (int32_t)(ids.first + (int64_t)i), row, adjusted, now);
	}
	free(numbers);
	free(added);
}

/* The 24 hours of a day. A day with hits but without a table of hours is too old for one: unknown, not 0. */
static void
read_hours(struct store *store, const struct conf_site *site, int32_t day, int64_t hours[24])
{
	bool known = false;
	int64_t hits = 0;
	memset(hours, 0, 24 * sizeof(*hours));
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
add_hour(struct shown *shown, int64_t id, int64_t hits, struct local_time now)
{
	char day[PERIOD_NAME_SIZE], name[PERIOD_NAME_SIZE + 4];
	int64_t running = (int64_t)now.day * 24 + now.hour;
	int32_t hour = (int32_t)(id - id / 24 * 24);
	snprintf(name, sizeof(name), "%sT%02d", period_name(PERIOD_DAY, (int32_t)(id / 24), day),
		 hour);
	struct pace pace = {id == running ? now.minute * 60 + now.second : 0, 3600};
	add_shown(shown, name, &hits, (const int64_t[]){0}, id < running, pace);
}

static void
fill_hours(const struct cli *cli, struct store *store, const struct conf_site *site,
	   enum period_kind kind, struct table *table)
{
	int64_t utc, hours[24];
	struct local_time now = cli_now(site, &utc);
	struct window window = window_asked(cli, 0, now.day);
	struct ids ids = {(int64_t)window.range.first * 24, (int64_t)window.range.last * 24 + 23};
	(void)kind;
	if (ids.first < 0)
		ids.first = 0;
	if (cli->limit && window.range.last == now.day)
		ids.last = (int64_t)now.day * 24 + now.hour;
	ids = cut_ids(cli, &hours_series, ids, window.from_given);

	struct shown shown = {.table = table, .metrics = 1, .barred = METRIC_HITS};
	init_shown(&shown, site, hours_series.word);
	for (int64_t id = ids.first; id <= ids.last; id++) {
		if (id == ids.first || id % 24 == 0)
			read_hours(store, site, (int32_t)(id / 24), hours);
		add_hour(&shown, id, hours[id % 24], now);
	}
}

/* --- the sum of several sites --- */

static int
compare_periods(const struct table *a, size_t row_a, const struct table *b, size_t row_b)
{
	struct slice of_a = cell_slice(table_cell(a, row_a, COLUMN_PERIOD));
	struct slice of_b = cell_slice(table_cell(b, row_b, COLUMN_PERIOD));
	return memcmp(of_a.ptr, of_b.ptr, of_a.len < of_b.len ? of_a.len : of_b.len);
}

/* The table whose next row is of the earliest period, or `count` where all are read. */
static size_t
earliest(const struct table *tables, const size_t *at, size_t count)
{
	size_t found = count;
	for (size_t i = 0; i < count; i++)
		if (at[i] < tables[i].row_count &&
		    (found == count ||
		     compare_periods(&tables[i], at[i], &tables[found], at[found]) < 0))
			found = i;
	return found;
}

/* What a period that is over in its site's zone adds to an estimate is what it came to. */
static void
add_estimate(struct cell *sum, const struct table *table, size_t row, size_t column)
{
	const struct cell *cell = table_cell(table, row, column);
	if (cell->state == CELL_NUMBER)
		sum->state = CELL_NUMBER;
	else
		cell = table_cell(table, row, (size_t)table_find(table, COLUMN_BAR));
	sum->number += cell->state == CELL_NUMBER ? cell->number : 0;
}

/* Counts add up (one that is not known leaves the sum unknown); it is complete where all are. */
static void
add_cells(struct cell *sums, const struct table *table, size_t row)
{
	for (size_t i = COLUMN_METRICS; i < table->column_count; i++) {
		const struct cell *cell = table_cell(table, row, i);
		enum column_type type = table->columns[i].type;
		if (type == COLUMN_ESTIMATE)
			add_estimate(&sums[i], table, row, i);
		else if (sums[i].state == CELL_ABSENT)
			sums[i] = *cell;
		else if (type == COLUMN_COMPLETE)
			sums[i].number = sums[i].number && cell->number;
		else if (cell->state == CELL_UNKNOWN)
			sums[i].state = CELL_UNKNOWN;
		else
			sums[i].number += cell->number;
	}
}

/* Of the same names of periods: two sites' days need not be the same hours. */
static void
fill_total(struct table *total, const struct table *tables, size_t count)
{
	size_t *at = xcalloc(count, sizeof(*at));
	table_init(total, tables->columns, tables->column_count);
	total->site = TABLE_TOTAL;
	for (size_t i; (i = earliest(tables, at, count)) < count;) {
		struct cell *row = table_row(total);
		cell_text(&row[COLUMN_PERIOD], cell_slice(table_cell(&tables[i], at[i], 0)));
		for (size_t j = 0; j < count; j++)
			if (at[j] < tables[j].row_count &&
			    compare_periods(&tables[j], at[j], total, total->row_count - 1) == 0)
				add_cells(row, &tables[j], at[j]++);
	}
	free(at);
}

static int
show_series(struct cli *cli, fill_fn *fill, enum period_kind kind)
{
	size_t count;
	const struct conf_site **sites = cli_sites(cli, false, &count);
	struct table *tables = xcalloc(count + 1, sizeof(*tables));
	window_asked(cli, 0, 0); /* before Redis is asked */
	struct store *store = cli_store(cli);
	for (size_t i = 0; i < count; i++)
		fill(cli, store, sites[i], kind, &tables[i]);
	store_free(store);
	bool total = cli->all && count > 1;
	if (total)
		fill_total(&tables[count], tables, count);
	cli_print_all(cli, sites[0], tables, count + total);
	free(tables);
	free(sites);
	return CLI_FINE;
}

int
cmd_hours(struct cli *cli)
{
	return show_series(cli, fill_hours, PERIOD_DAY);
}

int
cmd_days(struct cli *cli)
{
	return show_series(cli, fill_periods, PERIOD_DAY);
}

int
cmd_weeks(struct cli *cli)
{
	return show_series(cli, fill_periods, PERIOD_WEEK);
}

int
cmd_months(struct cli *cli)
{
	return show_series(cli, fill_periods, PERIOD_MONTH);
}

int
cmd_years(struct cli *cli)
{
	return show_series(cli, fill_periods, PERIOD_YEAR);
}
