/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every command is given: the checked configuration, the options and the arguments; and what all of them do
 * alike: choose a site, reach Redis, print a table, end with a code. stdout is data, stderr is talk.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/conf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/version.h"
#include "base/zone.h"
#include "cli/table.h"
#include "store/store.h"

enum cli_exit {
	CLI_FINE = 0,
	CLI_NO = 1, /* the answer is no; an unknown site too */
	CLI_USAGE = 2,
	CLI_CONF = 3,
	CLI_UNREACHABLE = 4,
	CLI_REFUSED = 5, /* by Redis */
};

/* How a sentence about a Redis that stayed away ends where a stream is counted. */
#define CLI_COUNTED_SO_FAR "what was imported so far is counted, run it again for the rest"

/* Ends the program with one sentence on stderr and a code. */
#define cli_fail(code, ...) (die_as("thongke", (code)), die(__VA_ARGS__))

enum {
	CLI_OVERRIDES_MAX = 64,
	CLI_SITES_MAX = 256, /* named with -s */
	CLI_THRESHOLDS_MAX = 32,
	CLI_TIMEOUT_MS = 3000,
};
enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };

struct command_tables;

struct cli {
	/* the options as written; NULL or 0 where they were not given */
	const char *conf_file, *site_key, *from, *to, *limit_text, *metric_text, *language_text,
		*color_text;
	const char *ip, *user_agent, *url, *referrer, *accept_language, *origin; /* of explain */
	const char *for_what; /* of snippet, and url */
	const char *overrides[CLI_OVERRIDES_MAX];
	size_t override_count;
	const char *site_keys[CLI_SITES_MAX]; /* every -s; site_key is the first */
	size_t site_key_count;
	const char *warnings[CLI_THRESHOLDS_MAX], *criticals[CLI_THRESHOLDS_MAX]; /* of check */
	size_t warning_count, critical_count;
	const char *format_text; /* of import */
	int renderings[RENDERINGS];
	int all, overlap, follow, diff, help;
	/* of the commands that change something */
	const char *year, *month, *week, *day, *set_text, *add_text, *page, *why;
	const char *period, *dir;
	int total, clear, dry_run, yes, visitor_data;

	/* the same, checked */
	const char *command; /* its name */
	const struct command_tables *tables;
	enum rendering rendering;
	int64_t limit;      /* 0: none was given */
	enum metric metric; /* METRIC_HITS where none was given */
	enum cli_color color;
	char **args; /* behind the command */
	size_t arg_count;

	struct conf *conf;
};

/* The site of -s, or the only one; ends the program when there is none such. */
const struct conf_site *cli_site(const struct cli *cli);
/* The site of -s, or NULL for every site. */
const struct conf_site *cli_site_or_all(const struct cli *cli);

/* The sites of -s, or of --all, or else the only one, or with `every` all; to be freed. Ends the program as cli_site. */
const struct conf_site **cli_sites(const struct cli *cli, bool every, size_t *count);

/* That of -c, of the environment, or the usual one. */
const char *cli_conf_file(const struct cli *cli);
/* Loads the configuration of -c, of the environment, or the usual one. NULL: a sentence in error. */
struct conf *cli_load_conf(const struct cli *cli, char *error, size_t error_size);

/* A connected store; ends the program when Redis does not answer or refuses. */
struct store *cli_store(const struct cli *cli);
/* The same, not connected yet. NULL: the configuration names no Redis that there can be; a sentence in error. */
struct store *cli_store_new(const struct cli *cli, char *error, size_t error_size);
/* Ends the program unless a call went well. */
void cli_check(const struct store *store, int status);

/* Now, in the site's zone. */
struct local_time cli_now(const struct conf_site *site, int64_t *utc);

/* The language asked for, or the site's own (NULL: the first site's). */
enum conf_language cli_language(const struct cli *cli, const struct conf_site *site);

/* Writes the table to stdout in the rendering that was asked for, and releases it. */
void cli_print(const struct cli *cli, const struct conf_site *site, struct table *table);
/* The same of tables of several sites, an array that is the caller's. */
void cli_print_all(const struct cli *cli, const struct conf_site *site, struct table *tables,
		   size_t count);
void cli_write(const struct buf *text);
/* Of the terminal, or the one that $COLUMNS says. */
int cli_width(void);
/* How the program's output looks now. */
struct look cli_look(const struct cli *cli, const struct conf_site *site);

/* The commands; each returns an enum cli_exit. */
int cmd_summary(struct cli *cli);
int cmd_hours(struct cli *cli);
int cmd_days(struct cli *cli);
int cmd_weeks(struct cli *cli);
int cmd_months(struct cli *cli);
int cmd_years(struct cli *cli);
int cmd_counts(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_live(struct cli *cli);
int cmd_sites(struct cli *cli);
int cmd_config(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_check(struct cli *cli);
int cmd_journal(struct cli *cli);
int cmd_import(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_adjust(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_snippet(struct cli *cli);
int cmd_forget(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_merge(struct cli *cli);
int cmd_rename(struct cli *cli);

#endif
