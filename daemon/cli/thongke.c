/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: reads the options, which may stand anywhere, finds the command in one table and runs it. Both
 * tables here give the parsing and the help; what a command does is in its own file.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "cli/command.h"

static int
cmd_version(struct cli *cli)
{
	(void)cli;
	printf("thongke %s\n", THONGKE_VERSION);
	return CLI_FINE;
}

/* What the tables of periods take. */
#define TAKES_PERIODS (TAKES_SITES | TAKES_RANGE | TAKES_METRIC)

/* Widths of the columns of the help. */
enum { HELP_NAME = 10, HELP_ARGUMENTS = 19 };

static const struct command commands[] = {
	{"summary", "", "today, yesterday, month, year and total of every site", cmd_summary,
	 TAKES_SITES | TAKES_METRIC, 0, 0},
	{"hours", "[RANGE]", "hits by hour, of today unless a range is given", cmd_hours,
	 TAKES_SITES | TAKES_RANGE, 0, 1},
	{"days", "[RANGE]", "hits, visits and visitors by day, the last 30", cmd_days,
	 TAKES_PERIODS, 0, 1},
	{"weeks", "[RANGE]", "by week (Monday first), the last 12", cmd_weeks, TAKES_PERIODS, 0, 1},
	{"months", "[RANGE]", "by month, the last 12", cmd_months, TAKES_PERIODS, 0, 1},
	{"years", "[RANGE]", "by year", cmd_years, TAKES_PERIODS, 0, 1},
	{"top", "DIMENSION [RANGE]", "the values of a dimension by their hits, of today", cmd_top,
	 TAKES_SITES | TAKES_RANGE, 1, 2},
	{"live", "", "a row a second: what comes in, how far Redis is behind; q ends it", cmd_live,
	 TAKES_SITES | TAKES_LIMIT, 0, 0},
	{"counts", "", "what the counter in a page shows now", cmd_counts,
	 TAKES_SITE | TAKES_METRIC, 0, 0},
	{"sites", "", "the sites, configured or known to Redis", cmd_sites, 0, 0, 0},
	{"status", "", "what the running daemon says of itself", cmd_status, 0, 0, 0},
	{"check", "", "a plugin for Nagios and its kind: a line, and 0 to 3", cmd_check,
	 TAKES_SITES | TAKES_THRESHOLDS | NEEDS_NO_CONF | SHOWS_NO_TABLE, 0, 0},
	{"config", "", "the configuration in force, and where each value comes from", cmd_config,
	 NEEDS_NO_CONF | TAKES_DIFF, 0, 0},
	{"import", "FILE...",
	 "count access logs or another counter's numbers, each once; restore an export", cmd_import,
	 TAKES_SITE | TAKES_LOG, 1, SIZE_MAX},
	{"doctor", "", "what is not as it should be, and what to do", cmd_doctor, NEEDS_NO_CONF, 0,
	 0},
	{"adjust", "", "add to the number of a period for display, or say what it shall be",
	 cmd_adjust, TAKES_SITE | TAKES_METRIC | TAKES_CHANGE | TAKES_AMOUNT | TAKES_PAGE, 0, 0},
	{"merge", "FROM INTO", "a site into another one, whose alias it is from then on", cmd_merge,
	 TAKES_CHANGE, 2, 2},
	{"rename", "FROM INTO", "the same, into a new site", cmd_rename, TAKES_CHANGE, 2, 2},
	{"export", "", "everything that is kept of a site or of all, for import to restore",
	 cmd_export, TAKES_SITE | TAKES_DIR, 0, 0},
	{"forget", "", "a site, a page or period of it, who its visitors were; or everything",
	 cmd_forget, TAKES_SITE | TAKES_CHANGE | TAKES_PAGE | TAKES_FORGOTTEN, 0, 0},
	{"audit", "[RANGE]", "what operators changed: when, who, what and why", cmd_audit,
	 TAKES_SITE | TAKES_RANGE, 0, 1},
	{"explain", "", "what a hit would be, and why; counts nothing", cmd_explain,
	 TAKES_SITE | TAKES_HIT | TAKES_URL, 0, 0},
	{"snippet", "", "what to paste into a page or a content management system", cmd_snippet,
	 TAKES_SITE | TAKES_FOR | TAKES_URL, 0, 0},
	{"journal", "list|verify", "the journal's streams; whether every frame is sound",
	 cmd_journal, 0, 1, 1},
	{"completion", "bash|zsh|fish|sites", "what a shell needs to complete commands and names",
	 cmd_completion, NEEDS_NO_CONF | SHOWS_NO_TABLE, 1, 1},
	{"version", "", "the version of this program", cmd_version, NEEDS_NO_CONF | SHOWS_NO_TABLE,
	 0, 0},
};

#define FIELD(name) offsetof(struct cli, name)
static const struct option_row option_rows[] = {
	{"config", "FILE", "the configuration (else $THONGKE_CONF, else " THONGKE_CONF_FILE ")",
	 FIELD(conf_file), 'c', 0},
	{"site", "SITE", "the site's key; may be left out where there is one site, and repeated",
	 FIELD(site_keys), 's', TAKES_SITE | TAKES_SITES},
	{"option", "KEY=VALUE", "overrides a key of the configuration", FIELD(overrides), 'o', 0},
	{"from", "DATE", "first day, or any range (its first day counts)", FIELD(from), 0,
	 TAKES_RANGE},
	{"to", "DATE", "last day, or any range (its last day counts)", FIELD(to), 0, TAKES_RANGE},
	{"limit", "N", "the last N rows; of top the first; of live how many seconds",
	 FIELD(limit_text), 0, TAKES_RANGE | TAKES_LIMIT},
	{"metric", "METRIC", "hits, visits or visitors: which has the bar and the estimate",
	 FIELD(metric_text), 0, TAKES_METRIC},
	{"all", NULL, "every site, and their total; import: every request, not page views alone",
	 FIELD(all), 0, TAKES_LOG | TAKES_SITES | TAKES_FORGOTTEN},
	{"overlap", NULL, "import: also into days that beacons were counted in", FIELD(overlap), 0,
	 TAKES_LOG},
	{"year", "2020", "adjust: the period", FIELD(year), 0, TAKES_AMOUNT},
	{"month", "2020-05", "adjust: the period", FIELD(month), 0, TAKES_AMOUNT},
	{"week", "2020-W21", "adjust: the period", FIELD(week), 0, TAKES_AMOUNT},
	{"day", "2020-05-20", "adjust: the period", FIELD(day), 0, TAKES_AMOUNT},
	{"total", NULL, "adjust: all of time", FIELD(total), 0, TAKES_AMOUNT},
	{"set", "N", "adjust: what is shown becomes N", FIELD(set_text), 0, TAKES_AMOUNT},
	{"add", "N", "adjust: what is shown rises by N (-5: falls)", FIELD(add_text), 0,
	 TAKES_AMOUNT},
	{"clear", NULL, "adjust: what is shown is what was counted", FIELD(clear), 0, TAKES_AMOUNT},
	{"dir", "DIR", "export: as tables (CSV) in this directory", FIELD(dir), 0, TAKES_DIR},
	{"page", "PATH", "a page of the site, not the site itself", FIELD(page), 0, TAKES_PAGE},
	{"period", "PERIOD", "forget: a day, week, month or year", FIELD(period), 0,
	 TAKES_FORGOTTEN},
	{"visitor-data", NULL, "forget: visitors' ids and salts; counts stay", FIELD(visitor_data),
	 0, TAKES_FORGOTTEN},
	{"why", "TEXT", "the reason, for the list of changes", FIELD(why), 0, TAKES_CHANGE},
	{"dry-run", NULL, "say what would change, and change nothing", FIELD(dry_run), 0,
	 TAKES_CHANGE | TAKES_LOG},
	{"yes", NULL, "change it without a question; needed where nobody can answer one",
	 FIELD(yes), 'y', TAKES_CHANGE},
	{"format", "FORMAT",
	 "import: a name, or log lines in nginx' notation (default: what the "
	 "first lines look like)",
	 FIELD(format_text), 0, TAKES_LOG},
	{"follow", NULL, "import: go on with what is written to the log, until ended",
	 FIELD(follow), 0, TAKES_LOG},
	{"warning", "NAME=RANGE", "check: what is a warning outside of it, as age=30 or hits=100:",
	 FIELD(warnings), 0, TAKES_THRESHOLDS},
	{"critical", "NAME=RANGE", "check: the same of what is critical", FIELD(criticals), 0,
	 TAKES_THRESHOLDS},
	{"diff", NULL, "config: only what is not the default", FIELD(diff), 0, TAKES_DIFF},
	{"ip", "ADDRESS", "explain: the client (default: 192.0.2.1, which is nobody's)", FIELD(ip),
	 0, TAKES_HIT},
	{"ua", "TEXT", "explain: User-Agent (default: a usual browser's; \"\": none is sent)",
	 FIELD(user_agent), 0, TAKES_HIT},
	{"for", "FORM",
	 "snippet: script (default), img, iframe, ssi, esi, nginx, json, text, php, aspnet, "
	 "nukeviet, joomla, wordpress, drupal or busuanzi",
	 FIELD(for_what), 0, TAKES_FOR},
	{"url", "URL",
	 "explain: address of the page (u); snippet: where browsers find thongked (/thongke/)",
	 FIELD(url), 0, TAKES_URL},
	{"referrer", "URL", "explain: where the visitor came from (r)", FIELD(referrer), 0,
	 TAKES_HIT},
	{"language", "TEXT", "explain: Accept-Language (\"\": none is sent)",
	 FIELD(accept_language), 0, TAKES_HIT},
	{"origin", "ORIGIN", "explain: Origin", FIELD(origin), 0, TAKES_HIT},
	{"table", NULL, "a table for people (default on a terminal)",
	 FIELD(renderings[RENDER_TABLE]), 0, 0},
	{"tsv", NULL, "tabs, no header (default in a pipe)", FIELD(renderings[RENDER_TSV]), 0, 0},
	{"csv", NULL, "RFC 4180, with a header", FIELD(renderings[RENDER_CSV]), 0, 0},
	{"json", NULL, "one JSON object", FIELD(renderings[RENDER_JSON]), 0, 0},
	{"ndjson", NULL, "a JSON object for each row, on a line of its own",
	 FIELD(renderings[RENDER_NDJSON]), 0, 0},
	{"oneline", NULL, "a short line for each site: for status bars and prompts",
	 FIELD(renderings[RENDER_ONELINE]), 0, 0},
	{"prom", NULL, "Prometheus' text format", FIELD(renderings[RENDER_PROM]), 0, 0},
	{"lang", "vi|en", "language of the table (default: the site's)", FIELD(language_text), 0,
	 0},
	{"color", "WHEN", "auto, always or never; NO_COLOR is heeded", FIELD(color_text), 0, 0},
	{"help", NULL, "this text", FIELD(help), 'h', 0},
};
enum { OPTIONS = COUNT_OF(option_rows), LONG_BASE = 256 };

static void
print_help(void)
{
	printf("usage: thongke [-c FILE] [-s SITE] [COMMAND] [options]\n\nWithout a command: the "
	       "summary of every site.\n\ncommands\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		printf("  %-*s %-*s %s\n", HELP_NAME, commands[i].name, HELP_ARGUMENTS,
		       commands[i].arguments, commands[i].help);
	printf("\noptions, in any place\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		const char short_name[] = {row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
					   row->letter ? ',' : ' ', '\0'};
		char long_name[32];
		snprintf(long_name, sizeof long_name, "%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		printf("  %s --%-19s %s\n", short_name, long_name, row->help);
	}
	printf("\nA DIMENSION is one of:");
#define X(id, name) printf(" " name);
	HIT_DIMENSIONS(X)
#undef X
	printf(".\nA RANGE is today, yesterday, 7d (any number of days), 2020-05-20, 2020-W21, "
	       "2020-05 or 2020; for top also all.\nexit codes: 0 fine, 1 the answer is no, 2 "
	       "usage, 3 "
	       "configuration, 4 Redis unreachable, 5 refused by Redis\n");
}

/* Options that add up when they are repeated; of any other the last wins. */
static const struct repeated {
	size_t field, count, max;
} repeated_options[] = {
	{FIELD(overrides), FIELD(override_count), CLI_OVERRIDES_MAX},
	{FIELD(site_keys), FIELD(site_key_count), CLI_SITES_MAX},
	{FIELD(warnings), FIELD(warning_count), CLI_THRESHOLDS_MAX},
	{FIELD(criticals), FIELD(critical_count), CLI_THRESHOLDS_MAX},
};

static bool
add_repeated(struct cli *cli, const struct option_row *row, const char *value)
{
	for (size_t i = 0; i < COUNT_OF(repeated_options); i++) {
		const struct repeated *repeated = &repeated_options[i];
		if (repeated->field != row->field)
			continue;
		size_t *count = (size_t *)((char *)cli + repeated->count);
		if (*count == repeated->max)
			cli_fail(CLI_USAGE, "--%s may be given %zu times at most", row->name,
				 repeated->max);
		((const char **)((char *)cli + row->field))[(*count)++] = value;
		return true;
	}
	return false;
}

static void
set_option(struct cli *cli, const struct option_row *row, const char *value)
{
	if (add_repeated(cli, row, value))
		cli->site_key = cli->site_keys[0];
	else if (row->argument)
		*(const char **)((char *)cli + row->field) = value;
	else
		*(int *)((char *)cli + row->field) = 1;
}

/* Sets every option and leaves the other words in argv from `optind` on; `used` gets what the options need. */
static void
parse_options(struct cli *cli, int argc, char **argv, const struct option_row *used[OPTIONS])
{
	struct option longs[OPTIONS + 1] = {0};
	char shorts[3 * OPTIONS + 2] = ":";
	size_t len = 1;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		longs[i] =
			(struct option){row->name, row->argument ? required_argument : no_argument,
					NULL, LONG_BASE + (int)i};
		if (row->letter)
			shorts[len++] = row->letter;
		if (row->letter && row->argument)
			shorts[len++] = ':';
	}
	opterr = 0;
	int got;
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *word = argv[optind - 1];
		if (got == ':')
			cli_fail(CLI_USAGE, "the option %s needs a value", word);
		size_t at = got >= LONG_BASE ? (size_t)(got - LONG_BASE) : 0;
		while (got < LONG_BASE && at < OPTIONS && option_rows[at].letter != got)
			at++;
		if (got == '?' || at == OPTIONS)
			cli_fail(CLI_USAGE, "there is no option %s (thongke --help lists them)",
				 word);
		set_option(cli, &option_rows[at], optarg);
		used[at] = &option_rows[at];
	}
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	cli_fail(CLI_USAGE, "there is no command \"%s\" (thongke --help lists them)", name);
}

bool
command_takes(const struct command *command, const struct option_row *option)
{
	bool shows = option->field >= FIELD(renderings) &&
		     option->field < FIELD(renderings) + sizeof(((struct cli *)0)->renderings);
	if (shows && command->takes & SHOWS_NO_TABLE)
		return false;
	return option->needs == 0 || option->needs & command->takes;
}

/* An option that would do nothing is refused: whoever gave it expects something else. */
static void
check_use(const struct cli *cli, const struct command *command,
	  const struct option_row *const used[OPTIONS])
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (used[i] && !command_takes(command, used[i]))
			cli_fail(CLI_USAGE, "%s takes no --%s", command->name, used[i]->name);
	if (cli->arg_count < command->args_min)
		cli_fail(CLI_USAGE, "%s needs an argument: %s", command->name, command->arguments);
	if (cli->arg_count > command->args_max)
		cli_fail(CLI_USAGE, "%s does not take \"%s\"", command->name,
			 cli->args[command->args_max]);
}

static void
check_color(struct cli *cli)
{
	static const char *const names[] = {
		[CLI_COLOR_AUTO] = "auto",
		[CLI_COLOR_ALWAYS] = "always",
		[CLI_COLOR_NEVER] = "never",
	};
	for (size_t i = 0; cli->color_text && i < COUNT_OF(names); i++)
		if (strcmp(cli->color_text, names[i]) == 0) {
			cli->color = (enum cli_color)i;
			return;
		}
	if (cli->color_text)
		cli_fail(CLI_USAGE, "--color is auto, always or never, not \"%s\"",
			 cli->color_text);
}

static void
check_metric(struct cli *cli)
{
	for (int i = 0; cli->metric_text && i < METRIC_COUNT; i++)
		if (strcmp(metric_names[i], cli->metric_text) == 0) {
			cli->metric = (enum metric)i;
			return;
		}
	if (cli->metric_text)
		cli_fail(CLI_USAGE, "--metric is hits, visits or visitors, not \"%s\"",
			 cli->metric_text);
}

static void
check_rendering(struct cli *cli)
{
	int given = 0;
	cli->rendering = isatty(STDOUT_FILENO) ? RENDER_TABLE : RENDER_TSV;
	for (int i = 0; i < RENDERINGS; i++)
		if (cli->renderings[i]) {
			cli->rendering = (enum rendering)i;
			given++;
		}
	if (given > 1)
		cli_fail(CLI_USAGE,
			 "one of --table, --tsv, --csv, --json, --ndjson, --oneline and --prom is "
			 "enough");
}

static void
check_values(struct cli *cli)
{
	enum conf_language language;
	if (cli->language_text && !label_language(slice_of(cli->language_text), &language))
		cli_fail(CLI_USAGE, "--lang is vi or en, not \"%s\"", cli->language_text);
	check_color(cli);
	check_metric(cli);
	if (cli->limit_text) {
		char *end;
		errno = 0;
		cli->limit = strtoll(cli->limit_text, &end, 10);
		if (errno || *end || cli->limit <= 0)
			cli_fail(CLI_USAGE, "--limit is a number from 1 on, not \"%s\"",
				 cli->limit_text);
	}
	check_rendering(cli);
}

static void
load_conf(struct cli *cli)
{
	char error[1024];
	cli->conf = cli_load_conf(cli, error, sizeof error);
	if (!cli->conf)
		cli_fail(CLI_CONF, "%s", error);
}

int
main(int argc, char **argv)
{
	static const struct command_tables tables = {commands, COUNT_OF(commands), option_rows,
						     OPTIONS};
	struct cli cli = {.tables = &tables};
	const struct option_row *used[OPTIONS] = {0};
	signal(SIGPIPE, SIG_IGN); /* a Redis that goes away is an error, not the end */
	die_as("thongke", CLI_USAGE);
	parse_options(&cli, argc, argv, used);
	if (cli.help) {
		print_help();
		return CLI_FINE;
	}
	const struct command *command = &commands[0];
	if (optind < argc)
		command = find_command(argv[optind++]);
	cli.command = command->name;
	cli.args = argv + optind;
	cli.arg_count = (size_t)(argc - optind);
	check_use(&cli, command, used);
	check_values(&cli);
	if (!(command->takes & NEEDS_NO_CONF))
		load_conf(&cli);
	int code = command->run(&cli);
	conf_unref(cli.conf);
	if (fflush(stdout) != 0)
		cli_fail(CLI_NO, "cannot write to standard output: %s", strerror(errno));
	return code;
}
