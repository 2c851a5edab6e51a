/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `adjust`: what an operator adds to a number for display, such as what another counter had counted before. It is kept
 * apart from what is counted, and can be taken back.
 */
#include <errno.h>

#include "cli/change.h"

/* The period that is named, which must have begun. */
static void
take_period(const struct cli *cli, int32_t today, struct adjustment *a)
{
	const struct {
		const char *option, *text, *form;
		enum period_kind kind;
	} options[] = {
		{"day", cli->day, "2020-05-20", PERIOD_DAY},
		{"week", cli->week, "2020-W21", PERIOD_WEEK},
		{"month", cli->month, "2020-05", PERIOD_MONTH},
		{"year", cli->year, "2020", PERIOD_YEAR},
		{"total", cli->total ? "all" : NULL, "", PERIOD_ALL},
	};
	int given = 0;
	for (size_t i = 0; i < COUNT_OF(options); i++) {
		if (!options[i].text)
			continue;
		given++;
		if (!period_parse(slice_of(options[i].text), &a->kind, &a->id) ||
		    a->kind != options[i].kind)
			cli_fail(CLI_USAGE, "--%s is one like %s, not \"%s\"", options[i].option,
				 options[i].form, options[i].text);
	}
	if (given != 1)
		cli_fail(CLI_USAGE, "adjust needs one of --day, --week, --month, --year and "
				    "--total");
	if (a->kind != PERIOD_ALL && period_first_day(a->kind, a->id) > today)
		cli_fail(CLI_USAGE, "that period lies ahead");
}

static int64_t
number(const char *option, const char *text)
{
	char *end;
	errno = 0;
	int64_t value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value > ADJUST_AMOUNT_MAX || value < -ADJUST_AMOUNT_MAX)
		cli_fail(CLI_USAGE, "--%s is a number in plain digits, not \"%s\"", option, text);
	return value;
}

static void
take_amount(const struct cli *cli, struct adjustment *a)
{
	if (!!cli->set_text + !!cli->add_text + cli->clear != 1)
		cli_fail(CLI_USAGE, "adjust needs one of --set, --add and --clear");
	if (cli->set_text) {
		a->how = ADJUST_SET;
		a->amount = number("set", cli->set_text);
	} else if (cli->add_text) {
		a->how = ADJUST_ADD;
		a->amount = number("add", cli->add_text);
	} else {
		a->how = ADJUST_CLEAR;
	}
	if (a->how == ADJUST_SET && a->amount < 0)
		cli_fail(CLI_USAGE, "no number is shown that is less than 0");
}

/* Of a page hits are kept by day and month and of all time, visits by day and of all time, visitors not. */
static void
check_page(const struct adjustment *a)
{
	bool days_only = a->metric == METRIC_VISITS;
	if (a->metric == METRIC_VISITORS)
		cli_fail(CLI_USAGE, "a page has hits and visits, but no visitors");
	if (a->kind == PERIOD_WEEK ||
	    (days_only && (a->kind == PERIOD_MONTH || a->kind == PERIOD_YEAR)))
		cli_fail(CLI_USAGE, "%s of a page are kept by day%s and in all",
			 metric_names[a->metric], days_only ? "" : ", month");
}

static void
describe(struct change *change, const struct adjustment *a)
{
	static const char *const hows[] = {
		[ADJUST_SET] = "set to", [ADJUST_ADD] = "raised by", [ADJUST_CLEAR] = "as counted"};
	char name[PERIOD_NAME_SIZE];
	buf_addf(&change->what, "%s of %s", metric_names[a->metric],
		 period_name(a->kind, a->id, name));
	if (a->page.ptr)
		buf_addf(&change->what, " of the page %.*s", SLICE_ARG(a->page));
	buf_addf(&change->what, " of %s %s", change->site, hows[a->how]);
	if (a->how != ADJUST_CLEAR)
		buf_addf(&change->what, " %" PRId64, a->amount);
}

static void
print(const struct cli *cli, const struct conf_site *site, const struct adjustment *a)
{
	static const struct column columns[] = {
		{"metric", WORD_METRIC, COLUMN_TEXT, NULL},
		{"period", WORD_PERIOD, COLUMN_TEXT, NULL},
		{"page", WORD_PAGE, COLUMN_TEXT, NULL},
		{"counted", WORD_COUNTED, COLUMN_COUNT, NULL},
		{"adjusted", WORD_ADJUSTED, COLUMN_COUNT, NULL},
		{"shown", WORD_SHOWN, COLUMN_COUNT, NULL},
	};
	char name[PERIOD_NAME_SIZE];
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	table.site = site->key;
	table.timezone = site->timezone;
	struct cell *cell = table_row(&table);
	cell_text(cell++, slice_of(metric_names[a->metric]));
	cell_text(cell++, slice_of(period_name(a->kind, a->id, name)));
	if (a->page.ptr)
		cell_text(cell, a->page);
	cell++;
	cell_number(cell++, a->counted);
	cell_number(cell++, a->after);
	cell_number(cell++, a->counted + a->after);
	cli_print(cli, site, &table);
}

int
cmd_adjust(struct cli *cli)
{
	const struct conf_site *site = cli_site(cli);
	int64_t utc;
	char page[HIT_PAGE_MAX];
	struct adjustment a = {.site = site->key_slice, .metric = (int)cli->metric};
	take_period(cli, cli_now(site, &utc).day, &a);
	take_amount(cli, &a);
	a.page = change_page(cli, site->key_slice, page);
	if (a.page.ptr)
		check_page(&a);
	struct change change = {.command = "adjust", .site = site->key};
	describe(&change, &a);
	struct store *store = cli_store(cli);
	cli_check(store, change_adjust(store, &a, false));
	if (a.counted < 0)
		cli_fail(CLI_REFUSED, "what Redis holds there is no number");
	if (a.counted + a.after < 0)
		cli_fail(CLI_NO,
			 "only %" PRId64 " are shown: no number is shown that is less than 0",
			 a.counted + a.before);
	if (change_agreed(cli, &change)) {
		change_begin(cli, store, &change);
		cli_check(store, change_adjust(store, &a, true));
		change_end(store);
	}
	store_free(store);
	print(cli, site, &a);
	change_release(&change);
	return CLI_FINE;
}
