/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands of the command line do alike. Holds no state: everything travels in struct cli. */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MAX = 1000 };

static const struct conf_site *
named_site(const struct cli *cli, const char *key)
{
	const struct conf_site *site = conf_site_by_key(cli->conf, slice_of(key));
	if (!site)
		cli_fail(CLI_NO, "there is no site \"%s\" in %s", key, cli->conf->path);
	return site;
}

const struct conf_site *
cli_site_or_all(const struct cli *cli)
{
	if (cli->site_key_count > 1)
		cli_fail(CLI_USAGE, "%s takes one site", cli->command);
	return cli->site_key ? named_site(cli, cli->site_key) : NULL;
}

const struct conf_site *
cli_site(const struct cli *cli)
{
	const struct conf_site *site = cli_site_or_all(cli);
	if (site)
		return site;
	if (cli->conf->site_count != 1)
		cli_fail(CLI_USAGE, "say with -s which of the %zu sites is meant",
			 cli->conf->site_count);
	return &cli->conf->sites[0];
}

const struct conf_site **
cli_sites(const struct cli *cli, bool every, size_t *count)
{
	const struct conf *conf = cli->conf;
	size_t named = cli->site_key_count;
	if (named > 0 && cli->all)
		cli_fail(CLI_USAGE, "either -s or --all, not both");
	if (named == 0 && !cli->all && !every && conf->site_count != 1)
		cli_fail(CLI_USAGE,
			 "say with -s which of the %zu sites is meant, or --all for all of them",
			 conf->site_count);
	*count = named ? named : conf->site_count;
	const struct conf_site **sites = xcalloc(*count + 1, sizeof(*sites));
	for (size_t i = 0; i < *count; i++)
		sites[i] = named ? named_site(cli, cli->site_keys[i]) : &conf->sites[i];
	return sites;
}

const char *
cli_conf_file(const struct cli *cli)
{
	const char *variable = getenv(THONGKE_CONF_VARIABLE);
	if (cli->conf_file)
		return cli->conf_file;
	return variable && *variable ? variable : THONGKE_CONF_FILE;
}

struct conf *
cli_load_conf(const struct cli *cli, char *error, size_t error_size)
{
	return conf_load(cli_conf_file(cli), cli->overrides, cli->override_count, error,
			 error_size);
}

struct store *
cli_store_new(const struct cli *cli, char *error, size_t error_size)
{
	struct buf target = {0};
	if (strcmp(cli->conf->redis, "private") == 0)
		buf_addf(&target, "unix:%s/redis/redis.sock", cli->conf->state_dir);
	else
		buf_addf(&target, "%s", cli->conf->redis);
	buf_add(&target, "", 1);
	struct store_options options = {
		.target = target.data,
		.prefix = cli->conf->redis_prefix,
		.password_file = cli->conf->redis_password_file,
		.timeout_ms = CLI_TIMEOUT_MS,
		.pages_per_day = cli->conf->pages_per_day,
		.journal_retain = cli->conf->journal_retain,
	};
	struct store *store = store_new(&options, error, error_size);
	buf_release(&target);
	return store;
}

struct store *
cli_store(const struct cli *cli)
{
	char error[512];
	struct store *store = cli_store_new(cli, error, sizeof error);
	if (!store)
		cli_fail(CLI_CONF, "%s", error);
	int status = store_connect(store);
	if (status == STORE_UNAVAILABLE && strcmp(cli->conf->redis, "private") == 0)
		cli_fail(CLI_UNREACHABLE,
			 "%s: start thongked, with which the private Redis lives, or run this as "
			 "its user",
			 store_error(store));
	cli_check(store, status == STORE_OK ? store_check_schema(store) : status);
	return store;
}

/* What to do about what Redis says, by words in it. */
static const char *
advice_for(const char *error)
{
	static const struct {
		const char *words, *advice;
	} rows[] = {
		{"NOAUTH", "put its password into the file that redis_password_file names"},
		{"WRONGPASS", "mend user and password, in redis or redis_password_file"},
		{"without any password", "it wants no password: take it out of the configuration"},
		{"NOPERM", "give the user of redis the right to do so (ACL SETUSER)"},
		{"WRONGTYPE", "another program's keys are there: choose another redis_prefix"},
		{"unknown command", "install Redis 6.2 or later, or allow that command"},
		{"Unknown Redis command", "install Redis 6.2 or later, or allow that command"},
		{"LOADING", "wait until it has loaded its data"},
		{"READONLY", "name its master in redis"},
		{"OOM", "give it more memory (maxmemory)"},
		{"MISCONF", "see its log: it cannot write to its disk"},
		{"schema", "use the thongke of the same version as thongked"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strstr(error, rows[i].words))
			return rows[i].advice;
	return "thongke doctor says more";
}

void
cli_check(const struct store *store, int status)
{
	const char *error = store_error(store);
	if (status == STORE_UNAVAILABLE)
		cli_fail(CLI_UNREACHABLE,
			 "%s: start redis-server, or mend redis in the configuration", error);
	if (status != STORE_OK)
		cli_fail(CLI_REFUSED, "%s: %s", error, advice_for(error));
}

struct local_time
cli_now(const struct conf_site *site, int64_t *utc)
{
	*utc = clock_wall_ms() / 1000;
	return zone_local(site->zone, *utc);
}

enum conf_language
cli_language(const struct cli *cli, const struct conf_site *site)
{
	enum conf_language language = CONF_VI;
	if (cli->language_text && label_language(slice_of(cli->language_text), &language))
		return language;
	if (!site && cli->conf && cli->conf->site_count > 0)
		site = &cli->conf->sites[0];
	return site ? site->language : language;
}

int
cli_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long width = columns ? strtol(columns, NULL, 10) : 0;
	if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width <= 0)
		return WIDTH_DEFAULT;
	return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

/* no-color.org: NO_COLOR counts when it is set and not empty; an explicit --color goes before it. */
static bool
color_wanted(enum cli_color color)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (color != CLI_COLOR_AUTO)
		return color == CLI_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       !(term && strcmp(term, "dumb") == 0);
}

void
cli_write(const struct buf *text)
{
	struct slice bytes = buf_slice(text);
	/* main() ignores it because of Redis; a reader of stdout that has left may end the program as usual. */
	signal(SIGPIPE, SIG_DFL);
	if (fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len || fflush(stdout) != 0)
		cli_fail(CLI_NO, "cannot write to standard output: %s", strerror(errno));
}

/* Bars are for a terminal, or for who wants its colours all the same. */
struct look
cli_look(const struct cli *cli, const struct conf_site *site)
{
	return (struct look){
		.language = cli_language(cli, site),
		.width = cli_width(),
		.color = color_wanted(cli->color),
		.bars = isatty(STDOUT_FILENO) || cli->color == CLI_COLOR_ALWAYS,
	};
}

void
cli_print_all(const struct cli *cli, const struct conf_site *site, struct table *tables,
	      size_t count)
{
	struct look look = cli_look(cli, site);
	struct buf out = {0};
	for (size_t i = 0; i < count; i++)
		tables[i].name = cli->command;
	tables_render(&out, tables, count, cli->rendering, &look);
	cli_write(&out);
	buf_release(&out);
	for (size_t i = 0; i < count; i++)
		table_release(&tables[i]);
}

void
cli_print(const struct cli *cli, const struct conf_site *site, struct table *table)
{
	cli_print_all(cli, site, table, 1);
}
