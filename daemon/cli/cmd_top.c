/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `top`: the values of a dimension by their hits. A range is the sum of its days' tables; months that lie in it whole
 * have tables of their own, and pages one of all time. Only what those tables hold is known: old days keep their first.
 */
#include "cli/ranking.h"
#include "cli/window.h"
#include "store/keys.h"

enum { TABLE_ROWS = 20 /* of a table for people, unless --limit says otherwise */ };

#define X(id, name) [HIT_##id] = name,
static const char *const dimension_names[HIT_DIMENSION_COUNT] = {HIT_DIMENSIONS(X)};
#undef X

static const enum label_word dimension_words[HIT_DIMENSION_COUNT] = {
	[HIT_PAGES] = WORD_PAGE,         [HIT_REFERRERS] = WORD_REFERRER,
	[HIT_COUNTRIES] = WORD_COUNTRY,  [HIT_BROWSERS] = WORD_BROWSER,
	[HIT_SYSTEMS] = WORD_SYSTEM,     [HIT_DEVICES] = WORD_DEVICE,
	[HIT_LANGUAGES] = WORD_LANGUAGE, [HIT_SCREENS] = WORD_SCREEN,
	[HIT_BOTS] = WORD_BOTS,          [HIT_REFUSED] = WORD_REFUSED,
};

/* What is asked, and where its answer is gathered. */
struct top {
	struct store *store;
	const struct conf_site *site;
	enum hit_dimension dimension;
	int32_t today;
	bool all_time;
	struct range range;
	struct ranking *ranking, *total; /* of the site; of all sites */
	bool cut;                        /* a day was read of which not everything is kept */
};

static enum hit_dimension
find_dimension(const char *name)
{
	struct buf names = {0};
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		if (strcmp(dimension_names[i], name) == 0)
			return (enum hit_dimension)i;
		buf_addf(&names, "%s%s", i ? ", " : "", dimension_names[i]);
	}
	cli_fail(CLI_USAGE, "\"%s\" is none of %.*s", name, SLICE_ARG(buf_slice(&names)));
}

static void
add_value_cb(struct slice value, int64_t hits, void *arg)
{
	struct top *top = arg;
	if (hits <= 0)
		return;
	ranking_add(top->ranking, value, hits);
	ranking_add(top->total, value, hits);
}

static void
read_table(struct top *top, enum period_kind kind, int32_t id)
{
	int64_t rows;
	cli_check(top->store, store_top(top->store, top->site->key_slice, top->dimension, kind, id,
					0, add_value_cb, top, &rows));
}

/* A month that has only begun is whole as far as today. */
static void
read_range(struct top *top)
{
	int32_t year = period_of_day(PERIOD_YEAR, top->range.last);
	year = window_first_year(top->store, top->site, year);
	int32_t first = period_first_day(PERIOD_YEAR, year), last = top->range.last;
	int32_t day = top->range.first > first ? top->range.first : first;
	while (day <= last) {
		int32_t month = period_of_day(PERIOD_MONTH, day);
		int32_t end = period_first_day(PERIOD_MONTH, month + 1) - 1;
		bool whole = day == period_first_day(PERIOD_MONTH, month) &&
			     (end <= last || last == top->today);
		if (whole) {
			read_table(top, PERIOD_MONTH, month);
			day = end + 1;
			continue;
		}
		top->cut = top->cut || day < top->today - STORE_WHOLE_DAYS;
		read_table(top, PERIOD_DAY, day++);
	}
}

/* "all" is every year there is; pages have a table for it. */
static void
ask_range(struct top *top, const struct cli *cli)
{
	enum { RANGE_ARGUMENT = 1 };
	top->all_time =
		cli->arg_count > RANGE_ARGUMENT && strcmp(cli->args[RANGE_ARGUMENT], "all") == 0;
	if (!top->all_time)
		top->range = window_asked(cli, RANGE_ARGUMENT, top->today).range;
	else if (cli->from || cli->to)
		cli_fail(CLI_USAGE, "either a range or --from and --to, not both");
}

static void
read_top(struct top *top)
{
	int32_t year = period_of_day(PERIOD_YEAR, top->today);
	if (top->all_time)
		top->range.last = top->today;
	if (top->all_time && top->dimension == HIT_PAGES) {
		read_table(top, PERIOD_ALL, 0);
	} else {
		if (top->all_time)
			top->range.first = period_first_day(
				PERIOD_YEAR, window_first_year(top->store, top->site, year));
		read_range(top);
	}
}

/* In ten thousandths, rounded. */
static int64_t
share_of(int64_t hits, int64_t sum)
{
	return sum > 0 ? (int64_t)((double)hits * 10000 / (double)sum + 0.5) : 0;
}

static void
add_row(struct table *table, const struct top *top, const struct ranked *ranked,
	enum conf_language language)
{
	struct cell *row = table_row(table);
	cell_text(&row[0], ranked->value);
	if (slice_eq(ranked->value, SLICE(KEY_OTHER)))
		cell_shown(&row[0], slice_of(label_word(language, WORD_OTHER)));
	else if (top->dimension == HIT_COUNTRIES)
		cell_shown(&row[0], label_country(language, ranked->value));
	cell_number(&row[1], ranked->hits);
	cell_number(&row[2], share_of(ranked->hits, table->whole));
}

/* What found no row of its own is shown beside the first ones, not as one of them. */
static void
add_rows(struct table *table, const struct top *top, struct ranking *ranking, const struct cli *cli)
{
	size_t count;
	int64_t limit = cli->limit || cli->rendering != RENDER_TABLE ? cli->limit : TABLE_ROWS;
	const struct ranked *ranked = ranking_sort(ranking, &count);
	bool other = count > 0 && slice_eq(ranked[count - 1].value, SLICE(KEY_OTHER));
	size_t named = count - other;
	size_t shown = limit > 0 && (size_t)limit < named ? (size_t)limit : named;
	enum conf_language language = cli_language(cli, top->site);
	for (size_t i = 0; i < shown; i++)
		add_row(table, top, &ranked[i], language);
	if (other)
		add_row(table, top, &ranked[count - 1], language);
}

static void
fill_table(struct table *table, const struct top *top, struct ranking *ranking,
	   const struct cli *cli)
{
	const struct column columns[] = {
		{"value", dimension_words[top->dimension], COLUMN_TEXT, NULL},
		{"hits", WORD_HITS, COLUMN_BAR, NULL},
		{"share", WORD_SHARE, COLUMN_SHARE, NULL},
	};
	table_init(table, columns, COUNT_OF(columns));
	table->site = TABLE_TOTAL;
	if (ranking == top->ranking) {
		table->site = top->site->key;
		table->timezone = top->site->timezone;
	}
	table->dimension = dimension_names[top->dimension];
	table->has_whole = true;
	table->whole = ranking_sum(ranking);
	if (!top->all_time && ranking == top->ranking) {
		period_name(PERIOD_DAY, top->range.first, table->from);
		period_name(PERIOD_DAY, top->range.last, table->to);
	}
	add_rows(table, top, ranking, cli);
}

static void
read_site(struct top *top, const struct cli *cli, struct table *table)
{
	int64_t utc;
	top->today = cli_now(top->site, &utc).day;
	ask_range(top, cli);
	top->ranking = ranking_new();
	read_top(top);
	fill_table(table, top, top->ranking, cli);
	ranking_free(top->ranking);
}

static void
say_cut(void)
{
	fprintf(stderr,
		"thongke: of days older than %d days only the first %d values are kept, and of "
		"those older than %d none; whole months have everything\n",
		STORE_WHOLE_DAYS, KEY_KEPT_ROWS, KEY_TABLE_SECONDS / 86400);
}

int
cmd_top(struct cli *cli)
{
	size_t count;
	struct top top = {.dimension = find_dimension(cli->args[0])};
	const struct conf_site **sites = cli_sites(cli, false, &count);
	struct table *tables = xcalloc(count + 1, sizeof(*tables));
	ask_range(&top, cli); /* before Redis is asked */
	top.total = ranking_new();
	top.store = cli_store(cli);
	for (size_t i = 0; i < count; i++) {
		top.site = sites[i];
		read_site(&top, cli, &tables[i]);
	}
	store_free(top.store);
	bool total = cli->all && count > 1;
	if (total)
		fill_table(&tables[count], &top, top.total, cli);
	cli_print_all(cli, sites[0], tables, count + total);
	ranking_free(top.total);
	free(tables);
	free(sites);
	if (top.cut)
		say_cut();
	return CLI_FINE;
}
